package postgres

import (
	"sync"
	"time"
)

// breakAfter is how many failures in a row open a breaker: one may be a hiccup.
const breakAfter = 2

// breaker keeps callers from waiting for a cell that does not answer. After some failures in a row it lets nobody
// through for a pause, then one who tries; the pause doubles while the trial fails.
type breaker struct {
	first time.Duration

	mu       sync.Mutex
	failures int
	pause    time.Duration
	until    time.Time
	trying   bool
}

func newBreaker(first time.Duration) *breaker { return &breaker{first: first} }

// allow says whether the caller may ask the cell; who was allowed reports back once.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return true
	}
	if b.trying || now.Before(b.until) {
		return false
	}
	b.trying = true
	return true
}

func (b *breaker) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.pause, b.trying = 0, 0, false
}

func (b *breaker) failed(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.trying = false
	if b.failures >= breakAfter {
		b.pause = min(max(2*b.pause, b.first), 8*b.first)
		b.until = now.Add(b.pause)
	}
}

// undecided ends a try that told nothing about the cell.
func (b *breaker) undecided() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
}
