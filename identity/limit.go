package identity

import (
	"sync"
	"time"
)

// Limit is a token bucket: Burst tries at once, then one more after each Every.
type Limit struct {
	Burst int
	Every time.Duration
}

// limiter keeps one bucket for each key, in the memory of this process: with n processes behind a balancer a guesser gets
// at most n times the limit, which the limits allow for. At most cap(buckets) keys are remembered; when more come,
// full buckets are forgotten first (they remember nothing), then arbitrary ones, which can only be generous to a
// stranger and never locks anybody out.
type limiter struct {
	limit   Limit
	max     int
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(limit Limit, max int) *limiter {
	return &limiter{limit: limit, max: max, buckets: make(map[string]bucket)}
}

// take uses one token of the key, or says how long to wait for the next.
func (l *limiter) take(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.at(key, now)
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) * float64(l.limit.Every)), false
	}
	b.tokens--
	l.put(key, b, now)
	return 0, true
}

// give returns a token: a try that succeeded is not held against anybody.
func (l *limiter) give(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.at(key, now)
	b.tokens++
	l.put(key, b, now)
}

// at is the bucket of a key as it stands now.
func (l *limiter) at(key string, now time.Time) bucket {
	full := float64(l.limit.Burst)
	b, ok := l.buckets[key]
	if !ok {
		return bucket{tokens: full, at: now}
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens += float64(passed) / float64(l.limit.Every)
		b.at = now
	}
	b.tokens = min(b.tokens, full)
	return b
}

// put remembers a bucket; a full one need not be.
func (l *limiter) put(key string, b bucket, now time.Time) {
	if b.tokens >= float64(l.limit.Burst) {
		delete(l.buckets, key)
		return
	}
	if _, ok := l.buckets[key]; !ok && len(l.buckets) >= l.max {
		l.makeRoom(now)
	}
	l.buckets[key] = b
}

// makeRoom forgets full buckets, and if there are few of them arbitrary ones, until an eighth is free: so it runs once in
// many takes.
func (l *limiter) makeRoom(now time.Time) {
	for key := range l.buckets {
		if l.at(key, now).tokens >= float64(l.limit.Burst) {
			delete(l.buckets, key)
		}
	}
	for key := range l.buckets {
		if len(l.buckets) <= l.max-l.max/8 {
			return
		}
		delete(l.buckets, key)
	}
}
