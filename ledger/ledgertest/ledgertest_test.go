package ledgertest_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
)

func open(t testing.TB) ledgertest.Log {
	signer, witness := ledgertest.NewSigner(t), ledgertest.NewSigner(t)
	m := ledgertest.NewMemory(signer)
	m.Witness("witness.example/1", witness)
	return ledgertest.Log{Engine: m, Trust: ledger.Trust{
		LogKeys:     []ledger.Key{signer.LogKey(ledgertest.Origin)},
		WitnessKeys: []ledger.Key{witness.WitnessKey("witness.example/1")},
		Quorum:      1,
	}}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) ledgertest.Log { return open(t) })
}

func TestMemoryHold(t *testing.T) {
	t.Parallel()
	log := open(t)
	m := log.Engine.(*ledgertest.Memory)
	m.Hold()
	entry := ledgertest.Entry(t)
	if _, err := m.Append(context.Background(), [][]byte{entry}); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Prove(context.Background(), m, ledger.LeafHash(entry)); fault.CodeOf(err) != ledger.NotYetPublished {
		t.Fatalf("a held entry: %v", err)
	}
	if err := m.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Prove(context.Background(), m, ledger.LeafHash(entry)); err != nil {
		t.Fatal(err)
	}
}

// faulty is an engine with one fault; each must be found by the case that is there for it.
type faulty struct {
	*ledgertest.Memory
	append      func(m *ledgertest.Memory, entries [][]byte) [][]byte
	inclusion   func(path []ledger.Hash)
	consistency func(path []ledger.Hash)
	index       func(uint64) uint64
	health      func(*ledger.Health)
	lose        bool
	signer      ledger.Signer
}

func (f *faulty) Append(ctx context.Context, entries [][]byte) ([]ledger.Promise, error) {
	if f.append == nil {
		return f.Memory.Append(ctx, entries)
	}
	promises, err := f.Memory.Append(ctx, f.append(f.Memory, entries))
	if f.signer != nil && err == nil {
		for i := range promises {
			promises[i], err = ledger.SignPromise(ctx, promises[i], f.signer)
		}
	}
	return promises, err
}

func (f *faulty) Inclusion(ctx context.Context, index, size uint64) ([]ledger.Hash, error) {
	path, err := f.Memory.Inclusion(ctx, index, size)
	if f.inclusion != nil && len(path) > 0 {
		f.inclusion(path)
	}
	return path, err
}

func (f *faulty) Consistency(ctx context.Context, from, to uint64) ([]ledger.Hash, error) {
	path, err := f.Memory.Consistency(ctx, from, to)
	if f.consistency != nil && len(path) > 0 {
		f.consistency(path)
	}
	return path, err
}

func (f *faulty) Index(ctx context.Context, leaf ledger.Hash) (uint64, error) {
	i, err := f.Memory.Index(ctx, leaf)
	if f.index != nil {
		return f.index(i), nil
	}
	return i, err
}

func (f *faulty) Entries(ctx context.Context, from uint64, limit int) ([][]byte, error) {
	entries, err := f.Memory.Entries(ctx, from, limit)
	if f.lose && len(entries) > 1 {
		entries = entries[1:]
	}
	return entries, err
}

func (f *faulty) Health(ctx context.Context) (ledger.Health, error) {
	h, err := f.Memory.Health(ctx)
	if f.health != nil {
		f.health(&h)
	}
	return h, err
}

// recorder takes the place of a test and remembers that it failed.
type recorder struct{ failed bool }

func (r *recorder) Helper()                        {}
func (r *recorder) Errorf(format string, a ...any) { r.failed = true; _ = fmt.Sprintf(format, a...) }
func (r *recorder) Fatalf(format string, a ...any) {
	r.Errorf(format, a...)
	runtime.Goexit()
}

// TestSuiteFindsFaults is the test of the test: an engine that is wrong must not pass.
func TestSuiteFindsFaults(t *testing.T) {
	t.Parallel()
	reverse := func(_ *ledgertest.Memory, entries [][]byte) [][]byte {
		r := make([][]byte, 0, len(entries))
		for i := len(entries) - 1; i >= 0; i-- {
			r = append(r, entries[i])
		}
		return r
	}
	cases := []struct {
		name, finds string
		fault       faulty
	}{
		{"order", "Order", faulty{append: reverse}},
		{"promise for another", "Promises", faulty{append: reverse}},
		{"promise by another key", "Promises", faulty{
			append: func(_ *ledgertest.Memory, e [][]byte) [][]byte { return e }, signer: ledgertest.NewSigner(t),
		}},
		{"wrong path", "ProofsOfManySizes", faulty{inclusion: func(p []ledger.Hash) { p[len(p)-1][0] ^= 1 }}},
		{"wrong consistency", "ConsistencyOfAllCheckpoints", faulty{consistency: func(p []ledger.Hash) { p[0][31] ^= 1 }}},
		{"index off by one", "Idempotency", faulty{index: func(i uint64) uint64 { return i + 1 }}},
		{"every leaf known", "UnknownLeaf", faulty{index: func(i uint64) uint64 { return i }}},
		{"lost entries", "EntriesForMonitors", faulty{lose: true}},
		{"order of parallel appends", "ParallelAppends", faulty{append: reverse}},
		{"health says too much", "Health", faulty{health: func(h *ledger.Health) { h.Published++ }}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			log := open(t)
			f := c.fault
			f.Memory = log.Engine.(*ledgertest.Memory)
			log.Engine = &f
			r := &recorder{}
			done := make(chan struct{})
			go func() {
				defer close(done)
				ledgertest.RunReporting(c.finds, r, log)
			}()
			<-done
			if !r.failed {
				t.Errorf("case %s passed an engine with the fault %q", c.finds, c.name)
			}
		})
	}
}
