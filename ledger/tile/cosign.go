package tile

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

// witnessState is what the log knows of one witness. mu guards it.
type witnessState struct {
	busy    bool // a question is on its way
	size    uint64
	at      time.Time
	problem string
}

// grace is how long a round waits for more witnesses once it has its quorum.
const grace = 250 * time.Millisecond

// cosigning asks the witnesses after each publication, and again, less and less often, while the quorum is missing.
func (l *Log) cosigning() {
	defer l.loops.Done()
	const shortest, longest = time.Second, 30 * time.Second
	wait := shortest
	retry := time.NewTimer(0) // what was published before the log was opened
	defer retry.Stop()
	for {
		select {
		case <-l.closing:
			return
		case <-l.nudge:
		case <-retry.C:
		}
		reached, err := l.cosignRound(l.ctx)
		if reached && err == nil {
			wait = shortest
			continue
		}
		retry.Reset(wait)
		wait = min(wait*2, longest)
	}
}

// cosignRound asks all witnesses about the head and, when the quorum is reached, makes the cosigned checkpoint durable. It
// tells whether the head has its quorum, or needs none.
func (l *Log) cosignRound(ctx context.Context) (bool, error) {
	l.cosignMu.Lock()
	defer l.cosignMu.Unlock()
	if l.gone {
		return false, errClosed
	}
	l.mu.Lock()
	head, done := l.head, l.cosigned.Text != nil && l.cosigned.Size == l.head.Size
	l.mu.Unlock()
	if done || l.trust.Quorum == 0 {
		return true, nil
	}
	cp, reached, err := l.gather(ctx, head)
	if err != nil || !reached {
		return false, err
	}
	l.opt.step("cosigned")
	if err := l.store(file{historyName(cp.Size), cp.Text}); err != nil {
		return false, unavailable(err, "the cosigned checkpoint cannot be written")
	}
	if err := l.store(file{"checkpoint", cp.Text}); err != nil {
		return false, unavailable(err, "the cosigned checkpoint cannot be written")
	}
	l.mu.Lock()
	l.cosigned = cp
	l.mu.Unlock()
	return true, nil
}

// gather asks the witnesses in parallel and puts their good signatures under the checkpoint.
func (l *Log) gather(ctx context.Context, head ledger.SignedCheckpoint) (ledger.SignedCheckpoint, bool, error) {
	answers := make(chan []byte, len(l.opt.Cosigners))
	asked := 0
	for i := range l.opt.Cosigners {
		l.mu.Lock()
		busy := l.witnesses[i].busy
		l.witnesses[i].busy = true
		l.mu.Unlock()
		if busy { // it still owes the answer of an earlier round
			continue
		}
		asked++
		go func() { answers <- l.ask(ctx, i, head) }()
	}
	cp, reached := head, false
	var late <-chan time.Time
	for range asked {
		var line []byte
		select {
		case line = <-answers:
		case <-late:
			return cp, reached, nil
		case <-ctx.Done():
			return cp, reached, nil
		}
		if line == nil {
			continue
		}
		more, err := cp.WithCosignature(line)
		if err != nil {
			return cp, false, err
		}
		cp = more
		if r, err := l.trust.Verify(cp.Text); err == nil && r.Quorum && !reached {
			reached = true
			timer := time.NewTimer(grace)
			defer timer.Stop()
			late = timer.C
		}
	}
	return cp, reached, nil
}

// ask gets one witness's cosignature; nil if there is none, and then its state says why.
func (l *Log) ask(ctx context.Context, i int, head ledger.SignedCheckpoint) []byte {
	ctx, cancel := context.WithTimeout(ctx, l.opt.CosignTimeout)
	defer cancel()
	l.mu.Lock()
	old := l.witnesses[i].size
	l.mu.Unlock()
	line, err := l.askFrom(ctx, l.opt.Cosigners[i], old, head)
	l.mu.Lock()
	defer l.mu.Unlock()
	w := &l.witnesses[i]
	w.busy = false
	if err != nil {
		w.problem = err.Error()
		return nil
	}
	w.size, w.at, w.problem = head.Size, l.opt.Now(), ""
	return line
}

func (l *Log) askFrom(ctx context.Context, w ledger.Cosigner, old uint64, head ledger.SignedCheckpoint) ([]byte, error) {
	for range 3 { // the witness may move between two questions, though hardly twice
		if old > head.Size {
			return nil, fault.New(fault.Conflict, "ledger_rolled_back", "the witness has seen a longer log than this one").
				WithHint("the ledger's folder is older than what was published; restore the newer one")
		}
		proof, err := l.Consistency(ctx, old, head.Size)
		if err != nil {
			return nil, err
		}
		answer, err := w.Cosign(ctx, old, proof, head.Text)
		var stale *ledger.StaleError
		if errors.As(err, &stale) {
			old = stale.Size
			continue
		}
		if err != nil {
			return nil, err
		}
		return l.accept(w.Name(), head, answer)
	}
	return nil, fault.New(fault.Unavailable, "ledger_witness", "the witness says another size each time")
}

// accept picks from a witness's answer the line that is a good cosignature of this checkpoint under its name.
func (l *Log) accept(name string, head ledger.SignedCheckpoint, answer []byte) ([]byte, error) {
	for line := range bytes.Lines(answer) {
		cp, err := head.WithCosignature(line)
		if err != nil {
			return nil, err
		}
		r, err := l.trust.Verify(cp.Text)
		if err == nil && len(r.Wrong) == 0 && len(r.Witnesses) == 1 && r.Witnesses[0].Name == name {
			return bytes.Clone(line), nil
		}
	}
	return nil, fault.New(fault.Invalid, "ledger_witness", "the witness's answer holds no good signature under its name")
}
