package identity

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// hashers bounds how many passwords are hashed at once, because each takes 19 MiB and some 40 ms of a core, and how many
// wait for their turn. Beyond both a sign-in is told to come back, instead of making everybody wait longer.
type hashers struct {
	working chan struct{}
	waiting chan struct{}
}

func newHashers(workers, queue int) *hashers {
	return &hashers{working: make(chan struct{}, workers), waiting: make(chan struct{}, workers+queue)}
}

// do runs fn in its turn.
func (h *hashers) do(ctx context.Context, fn func()) error {
	select {
	case h.waiting <- struct{}{}:
		defer func() { <-h.waiting }()
	default:
		return errBusy()
	}
	select {
	case h.working <- struct{}{}:
		defer func() { <-h.working }()
	case <-ctx.Done():
		return fault.Wrap(ctx.Err(), fault.Unavailable, "cancelled", "the request was given up")
	}
	fn()
	return nil
}

func errBusy() error {
	return retryLater(fault.New(fault.Unavailable, "busy", "many people are signing in at this moment").
		WithHint("try again in a few seconds"), 2*time.Second)
}
