package tile

import (
	"context"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

// request is one Append on its way through the sequencer.
type request struct {
	entries []pendingEntry
	done    chan error
}

// Append is ledger.Engine's. Calls that arrive while the disk is busy share the next fsync.
func (l *Log) Append(ctx context.Context, entries [][]byte) ([]ledger.Promise, error) {
	if len(entries) > ledger.MaxBatch {
		return nil, fault.New(fault.TooLarge, "ledger_batch_too_large", "a batch has at most 4096 entries")
	}
	r := &request{entries: make([]pendingEntry, len(entries)), done: make(chan error, 1)}
	for i, e := range entries {
		if _, err := ledger.ParseEntry(e); err != nil {
			return nil, err
		}
		r.entries[i] = pendingEntry{entry: append([]byte(nil), e...), leaf: ledger.LeafHash(e)}
	}
	if len(entries) == 0 {
		return nil, nil
	}
	select {
	case l.requests <- r:
	case <-l.closing:
		return nil, errClosed
	case <-ctx.Done():
		return nil, unavailable(ctx.Err(), "the ledger took too long")
	}
	select {
	case err := <-r.done:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done(): // they may be in; appending again finds out
		return nil, unavailable(ctx.Err(), "the ledger took too long")
	}
	promises := make([]ledger.Promise, len(entries))
	for i := range promises {
		p, err := ledger.SignPromise(ctx, ledger.Promise{
			Origin: l.opt.Origin, Leaf: r.entries[i].leaf, Time: l.opt.Now(), MaxMergeDelay: l.opt.MaxMergeDelay,
		}, l.opt.Signer)
		if err != nil {
			return nil, err
		}
		promises[i] = p
	}
	return promises, nil
}

// sequence gives entries their places, one group of requests after another. Once closing is closed nobody can hand in a
// request, and those handed in are done.
func (l *Log) sequence() {
	defer l.loops.Done()
	for {
		select {
		case <-l.closing:
			return
		case r := <-l.requests:
			l.commit(l.group(r))
		}
	}
}

// group takes the requests that wait, up to a bound.
func (l *Log) group(first *request) []*request {
	group := []*request{first}
	entries, bytes := first.weight()
	for entries < groupEntries && bytes < groupBytes {
		select {
		case r := <-l.requests:
			group = append(group, r)
			n, b := r.weight()
			entries, bytes = entries+n, bytes+b
		default:
			return group
		}
	}
	return group
}

func (r *request) weight() (entries, bytes int) {
	for _, e := range r.entries {
		bytes += len(e.entry)
	}
	return len(r.entries), bytes
}

// commit makes the entries of a group that the log does not have durable in one frame and answers all its requests.
func (l *Log) commit(group []*request) {
	l.journalMu.Lock()
	defer l.journalMu.Unlock()
	fresh, err := l.fresh(group)
	if err == nil && len(fresh) > 0 {
		err = l.persist(fresh)
	}
	for _, r := range group {
		r.done <- err
	}
}

// fresh picks the entries that are new, each once, in their order.
func (l *Log) fresh(group []*request) ([]pendingEntry, error) {
	l.mu.Lock()
	broken, room := l.broken, l.opt.MaxPending-len(l.pending)
	l.mu.Unlock()
	if broken != nil {
		return nil, unavailable(broken, "the ledger cannot write and must be opened again")
	}
	at := l.opt.Now()
	taken := map[ledger.Hash]bool{}
	var unknown []pendingEntry
	l.mu.Lock()
	for _, r := range group {
		for _, e := range r.entries {
			if _, pending := l.places[e.leaf]; pending || taken[e.leaf] {
				continue
			}
			taken[e.leaf] = true
			e.at = at
			unknown = append(unknown, e)
		}
	}
	l.mu.Unlock()
	known, err := l.index.known(unknown)
	if err != nil {
		return nil, unavailable(err, "the ledger's index cannot be read")
	}
	fresh := unknown[:0]
	for i, e := range unknown {
		if !known[i] {
			fresh = append(fresh, e)
		}
	}
	if len(fresh) > room {
		return nil, fault.New(fault.Unavailable, "ledger_full", "too many entries wait for a checkpoint")
	}
	return fresh, nil
}

// persist writes the frame and then lets everybody see the entries. journalMu is held, so next does not move meanwhile.
func (l *Log) persist(fresh []pendingEntry) error {
	l.opt.step("journal")
	l.mu.Lock()
	start := l.next
	l.mu.Unlock()
	if start+uint64(len(fresh)) > ledger.MaxSize {
		return fault.New(fault.Unavailable, "ledger_full", "the ledger has as many entries as it can hold")
	}
	torn, err := l.journal.append(start, fresh)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if torn {
			l.broken = err
		}
		return unavailable(err, "the ledger's journal cannot be written")
	}
	for i, e := range fresh {
		l.places[e.leaf] = start + uint64(i)
	}
	l.pending = append(l.pending, fresh...)
	l.next = start + uint64(len(fresh))
	return nil
}
