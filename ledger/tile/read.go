package tile

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

var _ ledger.Engine = (*Log)(nil)

// Checkpoint is ledger.Engine's.
func (l *Log) Checkpoint(context.Context) (ledger.SignedCheckpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cosigned.Text == nil {
		return l.head, nil
	}
	return l.cosigned, nil
}

// Head is ledger.Engine's.
func (l *Log) Head(context.Context) (ledger.SignedCheckpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head, nil
}

func (l *Log) currentEdge() *edge {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.edge
}

// Inclusion is ledger.Engine's.
func (l *Log) Inclusion(ctx context.Context, index, size uint64) ([]ledger.Hash, error) {
	e := l.currentEdge()
	if size > e.size {
		return nil, outOfRange()
	}
	return ledger.InclusionPath(ctx, &nodes{l, e}, index, size)
}

// Consistency is ledger.Engine's.
func (l *Log) Consistency(ctx context.Context, from, to uint64) ([]ledger.Hash, error) {
	e := l.currentEdge()
	if to > e.size {
		return nil, outOfRange()
	}
	return ledger.ConsistencyPath(ctx, &nodes{l, e}, from, to)
}

// Entries is ledger.Engine's.
func (l *Log) Entries(_ context.Context, from uint64, limit int) ([][]byte, error) {
	e := l.currentEdge()
	if from > e.size || limit < 1 {
		return nil, outOfRange()
	}
	to := min(from+uint64(min(limit, ledger.MaxBatch)), e.size)
	var entries [][]byte
	for from < to {
		bundle, err := l.readBundle(e, from/width)
		if err != nil {
			return nil, err
		}
		end := min(to-from/width*width, uint64(len(bundle)))
		for _, entry := range bundle[from%width : end] {
			entries = append(entries, append([]byte(nil), entry...))
			from++
		}
	}
	return entries, nil
}

// readBundle reads the n-th bundle of the tree that ends in an edge.
func (l *Log) readBundle(e *edge, n uint64) ([][]byte, error) {
	if n == e.size/width {
		return splitEntries(e.bundle, int(e.size%width))
	}
	b, err := os.ReadFile(l.path(filepath.FromSlash(tileName("entries", n, 0))))
	if err != nil {
		return nil, unavailable(err, "a bundle of the ledger cannot be read")
	}
	entries, err := splitEntries(b, width)
	if err != nil {
		return nil, unavailable(err, "a bundle of the ledger is damaged")
	}
	return entries, nil
}

// Index is ledger.Engine's.
func (l *Log) Index(_ context.Context, leaf ledger.Hash) (uint64, error) {
	l.mu.Lock()
	index, ok := l.places[leaf]
	l.mu.Unlock()
	if ok {
		return index, nil
	}
	index, ok, err := l.index.find(leaf)
	if err != nil {
		return 0, unavailable(err, "the ledger's index cannot be read")
	}
	if !ok {
		return 0, fault.New(fault.NotFound, "ledger_leaf_unknown", "the log has no such entry")
	}
	return index, nil
}

// Health is ledger.Engine's.
func (l *Log) Health(context.Context) (ledger.Health, error) {
	now := l.opt.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	h := ledger.Health{
		Accepted: l.next, Published: l.head.Size, Cosigned: l.cosigned.Size, MaxMergeDelay: l.opt.MaxMergeDelay,
	}
	if len(l.pending) > 0 {
		h.MergeDelay = max(now.Sub(l.pending[0].at), time.Nanosecond)
	}
	if l.trust.Quorum > 0 && (l.cosigned.Text == nil || l.cosigned.Size < l.head.Size) {
		h.WitnessLag = max(now.Sub(l.headAt), time.Nanosecond)
	}
	for i, w := range l.witnesses {
		h.Witnesses = append(h.Witnesses, ledger.WitnessHealth{
			Name: l.opt.Cosigners[i].Name(), Size: w.size, At: w.at, Problem: w.problem,
		})
	}
	switch {
	case l.broken != nil:
		h.Problem = l.broken.Error()
	case l.publishErr != nil:
		h.Problem = l.publishErr.Error()
	}
	return h, nil
}

// Published is a checkpoint of the history, with its cosignatures if it got its quorum. Auditors ask for any two and check
// that one extends the other.
func (l *Log) Published(_ context.Context, size uint64) (ledger.SignedCheckpoint, error) {
	if size > ledger.MaxSize {
		return ledger.SignedCheckpoint{}, outOfRange()
	}
	cp, err := l.readCheckpoint(historyName(size))
	if err != nil {
		return ledger.SignedCheckpoint{}, err
	}
	if cp == nil {
		return ledger.SignedCheckpoint{}, fault.New(fault.NotFound, "ledger_checkpoint_unknown", "no checkpoint of this size was published")
	}
	return *cp, nil
}

// Sizes gives the sizes of all checkpoints ever published, the latest first, until yield says no.
func (l *Log) Sizes(_ context.Context, yield func(size uint64) bool) error {
	_, err := walkHistory(l.path("checkpoints"), 0, 0, yield)
	return err
}
