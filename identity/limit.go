package identity

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Limit is a token bucket of wrong tries: Burst at once, then one more after each Every.
type Limit struct {
	Burst int
	Every time.Duration
}

// maxLine bounds how many tries may wait behind one bucket.
const maxLine = 256

// gate lets tries at passwords through. Only a wrong try uses a token, but whether a try is wrong is known after its hash.
// So a bucket lets at most as many tries run at once as it has tokens: whatever they turn out to be, nobody gets more
// guesses than tokens by firing them in parallel. Who finds all of them taken by running tries is not refused, because
// these may be right and use nothing up: it stands in line until they are done, for at most patience. Refused as too
// many is only who finds the bucket empty.
//
// The buckets live in the memory of this process: with n processes behind a balancer a guesser gets at most n times the
// limit, which the limits allow for.
type gate struct {
	now      func() time.Time
	patience time.Duration
	mu       sync.Mutex
	limiters []*limiter
}

func newGate(now func() time.Time, patience time.Duration, limiters ...*limiter) *gate {
	return &gate{now: now, patience: patience, limiters: limiters}
}

// enter lets a try run that has one key for each limiter; done must follow. It looks at the limiters in their order, and
// a try stands in the line of the first that has no room: whoever is held up by a narrow bucket is not in the way of
// others before a wide one.
func (g *gate) enter(ctx context.Context, keys []string) error {
	give := time.NewTimer(g.patience)
	defer give.Stop()
	turn := make(chan struct{}, 1) // this try's place in a line
	for in := -1; ; {
		next, err := g.step(keys, in, turn)
		if err != nil || next < 0 {
			return err
		}
		in = next
		select {
		case <-turn:
			continue
		case <-give.C:
			err = errBusy()
		case <-ctx.Done():
			err = fault.Wrap(ctx.Err(), fault.Unavailable, "cancelled", "the request was given up")
		}
		g.leave(in, keys[in], turn)
		return err
	}
}

// step looks once. It gives the limiter in whose line the try now stands, or -1 when it may run. in is the line where it
// stood before, or -1.
func (g *gate) step(keys []string, in int, turn chan struct{}) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	var wait time.Duration
	full := -1
	for i, l := range g.limiters {
		b := l.at(keys[i], now)
		place := slices.Index(b.line, turn)
		if place < 0 {
			place = len(b.line)
		}
		switch {
		case b.tokens < 1:
			wait = max(wait, time.Duration((1-b.tokens)*float64(l.limit.Every)))
		case place >= b.room() && full < 0:
			full = i
		}
	}
	if full >= 0 && full == in && wait == 0 {
		return in, nil
	}
	if in >= 0 {
		g.limiters[in].leave(keys[in], turn, now)
	}
	switch {
	case wait > 0:
		return -1, errTooMany(wait)
	case full < 0:
		for i, l := range g.limiters {
			b := l.at(keys[i], now)
			b.running++
			l.keep(keys[i], b, now)
		}
		return -1, nil
	}
	l := g.limiters[full]
	b := l.at(keys[full], now)
	if len(b.line) >= maxLine {
		return -1, errBusy()
	}
	b.line = append(b.line, turn)
	l.keep(keys[full], b, now)
	return full, nil
}

func (g *gate) leave(i int, key string, turn chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limiters[i].leave(key, turn, g.now())
}

// done ends a try that entered. A wrong one uses a token of each bucket; any other is not held against anybody.
func (g *gate) done(keys []string, wrong bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for i, l := range g.limiters {
		b := l.at(keys[i], now)
		b.running--
		if wrong {
			b.tokens--
		}
		b.call()
		l.keep(keys[i], b, now)
	}
}

func errTooMany(wait time.Duration) error {
	wait = wholeSeconds(wait)
	return retryLater(fault.New(fault.TooMany, "too_many_attempts", "too many attempts").
		WithHint(fmt.Sprintf("try again in %d s; nobody is locked out", wait/time.Second)), wait)
}

// bucket is the tries of one key.
type bucket struct {
	tokens  float64
	at      time.Time
	running int             // tries that may still turn out wrong; never more than tokens
	line    []chan struct{} // those that wait for them, in their order
}

// room is how many more may run.
func (b *bucket) room() int { return int(b.tokens) - b.running }

// call wakes those of the line for whom there is room, or all of them when the bucket is empty and they wait in vain.
func (b *bucket) call() {
	n := b.room()
	if b.tokens < 1 {
		n = len(b.line)
	}
	for i := range min(n, len(b.line)) {
		select {
		case b.line[i] <- struct{}{}:
		default: // called already
		}
	}
}

// limiter keeps one bucket for each key; the gate's lock guards it. At most max keys are remembered, besides those with
// tries under way, which the hashers bound; when more come, full buckets are forgotten first (they remember nothing), then
// arbitrary ones, which can only be generous to a stranger and never locks anybody out.
type limiter struct {
	limit   Limit
	max     int
	buckets map[string]*bucket
}

func newLimiter(limit Limit, max int) *limiter {
	return &limiter{limit: limit, max: max, buckets: make(map[string]*bucket)}
}

// at is the bucket of a key as it stands now.
func (l *limiter) at(key string, now time.Time) *bucket {
	full := float64(l.limit.Burst)
	b, ok := l.buckets[key]
	if !ok {
		return &bucket{tokens: full, at: now}
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(full, b.tokens+float64(passed)/float64(l.limit.Every))
		b.at = now
	}
	return b
}

// keep remembers a bucket; an idle one that is full need not be.
func (l *limiter) keep(key string, b *bucket, now time.Time) {
	if l.idle(b) && b.tokens >= float64(l.limit.Burst) {
		delete(l.buckets, key)
		return
	}
	if _, ok := l.buckets[key]; !ok && len(l.buckets) >= l.max {
		l.makeRoom(now)
	}
	l.buckets[key] = b
}

// leave takes a try out of a line and lets those behind it move up.
func (l *limiter) leave(key string, turn chan struct{}, now time.Time) {
	b := l.at(key, now)
	b.line = slices.DeleteFunc(b.line, func(c chan struct{}) bool { return c == turn })
	b.call()
	l.keep(key, b, now)
}

func (l *limiter) idle(b *bucket) bool { return b.running == 0 && len(b.line) == 0 }

// makeRoom forgets full buckets, and if there are few of them arbitrary ones, until an eighth is free: so it runs once in
// many tries.
func (l *limiter) makeRoom(now time.Time) {
	for key, b := range l.buckets {
		if l.idle(b) && l.at(key, now).tokens >= float64(l.limit.Burst) {
			delete(l.buckets, key)
		}
	}
	for key, b := range l.buckets {
		if len(l.buckets) <= l.max-l.max/8 {
			return
		}
		if l.idle(b) {
			delete(l.buckets, key)
		}
	}
}
