package tile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/yinxin-trust/yinxin/ledger"
)

// Publish puts all accepted entries under a checkpoint now, and asks the witnesses once. That the quorum was not reached is
// no error: it is witness lag, which Health tells and the log goes on to cure.
func (l *Log) Publish(ctx context.Context) error {
	select {
	case <-l.closing:
		return errClosed
	default:
	}
	if err := l.integrate(ctx); err != nil {
		return err
	}
	_, err := l.cosignRound(ctx)
	return err
}

// publishing integrates on the interval.
func (l *Log) publishing() {
	defer l.loops.Done()
	if l.opt.Interval < 0 {
		return
	}
	tick := time.NewTicker(l.opt.Interval)
	defer tick.Stop()
	for {
		select {
		case <-l.closing:
			return
		case <-tick.C:
			// The error stands in Health and the next tick tries again: nothing acknowledged depends on this one.
			_ = l.integrate(context.WithoutCancel(l.ctx))
		}
	}
}

// integrate moves the accepted entries from the journal into tiles and publishes a checkpoint over them. The order of its
// durable steps is what recovery relies on: bundles and tiles, head, history, index, and only then are journals and
// partial tiles removed. Until it has succeeded, nothing in memory changes, so that it can be tried again.
func (l *Log) integrate(ctx context.Context) error {
	l.publishMu.Lock()
	defer l.publishMu.Unlock()
	err := l.integrateLocked(ctx)
	l.mu.Lock()
	l.publishErr = err
	l.mu.Unlock()
	return err
}

func (l *Log) integrateLocked(ctx context.Context) error {
	if l.gone {
		return errClosed
	}
	pending, from, err := l.snapshot()
	if err != nil || len(pending) == 0 {
		return err
	}
	x := from.extend(pending)
	l.opt.step("tiles")
	if err := l.store(x.files...); err != nil {
		return unavailable(err, "the ledger's tiles cannot be written")
	}
	head, err := l.publishHead(ctx, x.edge)
	if err != nil {
		return err
	}
	l.opt.step("index")
	leaves := make([]ledger.Hash, len(pending))
	for i, e := range pending {
		leaves[i] = e.leaf
	}
	if err := l.index.add(from.size, leaves); err != nil {
		return unavailable(err, "the ledger's index cannot be written")
	}
	l.mu.Lock()
	l.edge, l.head, l.headAt = x.edge, head, l.opt.Now()
	if l.trust.Quorum == 0 {
		l.cosigned = head
	}
	l.pending = append([]pendingEntry(nil), l.pending[len(pending):]...)
	for _, e := range pending {
		delete(l.places, e.leaf)
	}
	l.mu.Unlock()
	l.opt.step("clean")
	if err := l.clean(x.full, x.edge.size); err != nil {
		return unavailable(err, "what the ledger no longer needs cannot be removed")
	}
	select {
	case l.nudge <- struct{}{}:
	default:
	}
	return nil
}

// snapshot takes what is accepted by now, and starts a new journal when this one is long.
func (l *Log) snapshot() ([]pendingEntry, *edge, error) {
	l.journalMu.Lock()
	defer l.journalMu.Unlock()
	l.mu.Lock()
	pending, from, next := l.pending[:len(l.pending):len(l.pending)], l.edge, l.next
	torn := l.broken != nil // then its end is unknown, and no other file may follow it
	l.mu.Unlock()
	if len(pending) == 0 || torn || l.journal.size < l.rotateAt {
		return pending, from, nil
	}
	l.opt.step("rotate")
	j, err := createJournal(l.path("journal"), next)
	if err != nil {
		return nil, nil, unavailable(err, "the ledger's journal cannot be written")
	}
	old := l.journal
	l.journal = j
	if err := old.close(); err != nil {
		return nil, nil, unavailable(err, "the ledger's journal cannot be written")
	}
	return pending, from, nil
}

// publishHead signs the checkpoint of an edge and makes it durable: as head first and then in the history, so that a head
// older than the history can only be a head that somebody put back.
func (l *Log) publishHead(ctx context.Context, e *edge) (ledger.SignedCheckpoint, error) {
	root, err := e.root(ctx)
	if err != nil {
		return ledger.SignedCheckpoint{}, err
	}
	cp, err := ledger.SignCheckpoint(ctx, ledger.Checkpoint{Origin: l.opt.Origin, Size: e.size, Root: root}, l.opt.Signer)
	if err != nil {
		return ledger.SignedCheckpoint{}, err
	}
	if r, err := l.trust.Verify(cp.Text); err != nil || !r.LogSigned {
		return ledger.SignedCheckpoint{}, unavailable(err, "the ledger's key gave a signature that does not verify")
	}
	if l.owed != nil { // a head that an attempt before this one has shown and not recorded
		if err := l.store(file{historyName(l.owed.Size), l.owed.Text}); err != nil {
			return ledger.SignedCheckpoint{}, unavailable(err, "the ledger's checkpoint cannot be written")
		}
		l.owed = nil
	}
	l.opt.step("head")
	l.owed = &cp
	if err := l.store(file{"head", cp.Text}); err != nil {
		return ledger.SignedCheckpoint{}, unavailable(err, "the ledger's checkpoint cannot be written")
	}
	l.opt.step("history")
	files := []file{{historyName(cp.Size), cp.Text}}
	if l.trust.Quorum == 0 {
		files = append(files, file{"checkpoint", cp.Text})
	}
	if err := l.store(files...); err != nil {
		return ledger.SignedCheckpoint{}, unavailable(err, "the ledger's checkpoint cannot be written")
	}
	l.owed = nil
	return cp, nil
}

// clean removes the partial tiles of tiles that are full, and the journals whose entries tiles hold.
func (l *Log) clean(full []string, size uint64) error {
	var errs []error
	for _, name := range full {
		errs = append(errs, os.RemoveAll(l.path(filepath.FromSlash(name)+".p")))
	}
	starts, err := l.journals()
	errs = append(errs, err)
	for i := range starts {
		if i+1 < len(starts) && starts[i+1] <= size {
			errs = append(errs, os.Remove(l.path("journal", journalName(starts[i]))))
		}
	}
	return errors.Join(errs...)
}
