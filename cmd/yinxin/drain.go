package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/ledger"
)

// How the loops of one process behave. A wake-up after a commit makes them quick; the pause makes them sure, and finds what
// another process of the same cells left.
const (
	idlePause  = 15 * time.Second // between looks at an outbox when nobody woke us
	errorPause = 5 * time.Second  // after a cell or the ledger did not answer
	drainBatch = 256              // messages a round, and entries a batch of the ledger
)

// bell wakes one loop for each cell. Ringing never waits: a ring that nobody hears yet is heard at the next look.
type bell struct {
	mu    sync.Mutex
	chans map[uint16]chan struct{}
}

func newBell() *bell { return &bell{chans: map[uint16]chan struct{}{}} }

// of is the channel on which the loop of a cell hears.
func (b *bell) of(cell uint16) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.chans[cell] == nil {
		b.chans[cell] = make(chan struct{}, 1)
	}
	return b.chans[cell]
}

func (b *bell) ring(cell uint16) {
	select {
	case b.of(cell) <- struct{}{}:
	default:
	}
}

// every calls step at once, after each ring and after each pause until ctx ends. A step that did work is called again.
func every(ctx context.Context, log *slog.Logger, what string, cell uint16, ring <-chan struct{}, step func(context.Context) (int, error)) {
	for {
		n, err := step(ctx)
		pause := idlePause
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("a loop waits", "loop", what, "cell", cell, "code", fault.CodeOf(err), "error", err)
			pause = errorPause
		case n > 0:
			pause = 0
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-ring:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// publishLedger drains one cell's outbox of ledger entries in its own order. The ledger knows an entry by its leaf hash,
// so a kill between its append and our receipt repeats the append and changes nothing.
func publishLedger(ctx context.Context, log *slog.Logger, pool *postgres.Pool, engine ledger.Engine, ring <-chan struct{}) {
	outbox := postgres.NewOutbox(pool)
	var lead *postgres.Publisher
	defer func() {
		if lead != nil {
			if err := lead.Close(ctx); err != nil {
				log.Warn("the right to publish could not be handed back", "cell", pool.Code(), "error", err)
			}
		}
	}()
	every(ctx, log, "ledger", pool.Code(), ring, func(ctx context.Context) (int, error) {
		if lead == nil {
			p, err := outbox.Lead(ctx, postgres.TopicLedger)
			if err != nil {
				return 0, err
			}
			lead = p
		}
		n, err := publishBatch(ctx, lead, engine)
		if err != nil && fault.KindOf(err) == fault.Unavailable {
			// The connection that held the lock may be gone; ask for the right again.
			if closing := lead.Close(ctx); closing != nil {
				log.Debug("closing a lost publisher", "cell", pool.Code(), "error", closing)
			}
			lead = nil
		}
		return n, err
	})
}

func publishBatch(ctx context.Context, lead *postgres.Publisher, engine ledger.Engine) (int, error) {
	messages, err := lead.Pending(ctx, postgres.TopicLedger, drainBatch)
	if err != nil || len(messages) == 0 {
		return 0, err
	}
	entries := make([][]byte, len(messages))
	for i, m := range messages {
		entries[i] = m.Payload
	}
	promises, err := engine.Append(ctx, entries)
	if err != nil {
		return 0, err
	}
	receipts := make([]postgres.Receipt, len(messages))
	for i, m := range messages {
		receipts[i] = postgres.Receipt{ID: m.ID, Receipt: promises[i].Text}
	}
	return len(messages), lead.Done(ctx, receipts...)
}
