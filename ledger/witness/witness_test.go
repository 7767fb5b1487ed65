package witness_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
	"github.com/yinxin-trust/yinxin/ledger/witness"
)

const name = "witness.example/wuhan"

// desk is a witness of a log in memory.
type desk struct {
	log     *ledgertest.Memory
	logKey  *ledgertest.Signer
	options witness.Options
}

func newDesk(t testing.TB) *desk {
	logKey := ledgertest.NewSigner(t)
	return &desk{
		log: ledgertest.NewMemory(logKey), logKey: logKey,
		options: witness.Options{
			Dir: filepath.Join(t.TempDir(), "witness"), Name: name, Signer: ledgertest.NewSigner(t),
			Logs: []ledger.Key{logKey.LogKey(ledgertest.Origin)},
			Now:  func() time.Time { return time.Unix(1_790_000_000, 0) },
		},
	}
}

func (d *desk) open(t testing.TB) *witness.Witness {
	t.Helper()
	w, err := witness.Open(d.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (d *desk) trust() ledger.Trust {
	return ledger.Trust{
		LogKeys:     d.options.Logs,
		WitnessKeys: []ledger.Key{d.options.Signer.(*ledgertest.Signer).WitnessKey(name)},
		Quorum:      1,
	}
}

// grow appends entries and gives the new checkpoint with the proof from an older size.
func (d *desk) grow(t testing.TB, n int, from uint64) (ledger.SignedCheckpoint, []ledger.Hash) {
	t.Helper()
	ctx := context.Background()
	if _, err := d.log.Append(ctx, ledgertest.Entries(t, n)); err != nil {
		t.Fatal(err)
	}
	cp, err := d.log.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := d.log.Consistency(ctx, from, cp.Size)
	if err != nil {
		t.Fatal(err)
	}
	return cp, proof
}

// sign makes any checkpoint with the log's key: what a log that lies would show.
func (d *desk) sign(t testing.TB, c ledger.Checkpoint) []byte {
	t.Helper()
	cp, err := ledger.SignCheckpoint(context.Background(), c, d.logKey)
	if err != nil {
		t.Fatal(err)
	}
	return cp.Text
}

func (d *desk) check(t testing.TB, cp ledger.SignedCheckpoint, line []byte) {
	t.Helper()
	with, err := cp.WithCosignature(line)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.trust().Verify(with.Text)
	if err != nil || !r.Quorum || r.QuorumTime.Unix() != 1_790_000_000 {
		t.Fatalf("cosignature: %+v (%v)", r, err)
	}
}

func TestCosigns(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.open(t)
	ctx := context.Background()
	first, proof := d.grow(t, 5, 0)
	line, err := w.Add(ctx, 0, proof, first.Text)
	if err != nil {
		t.Fatal(err)
	}
	d.check(t, first, line)
	second, proof := d.grow(t, 6, 5)
	if line, err = w.Add(ctx, 5, proof, second.Text); err != nil {
		t.Fatal(err)
	}
	d.check(t, second, line)
	if line, err = w.Add(ctx, 11, nil, second.Text); err != nil { // the same again
		t.Fatal(err)
	}
	d.check(t, second, line)

	// It remembers, across a restart, without a clean stop of what it says to others.
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Add(ctx, 11, nil, second.Text); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("add after close: %v", err)
	}
	w = d.open(t)
	var stale *ledger.StaleError
	if _, err := w.Add(ctx, 5, proof, second.Text); !errors.As(err, &stale) || stale.Size != 11 {
		t.Fatalf("after a restart: %v", err)
	}
	last, err := w.Last("")
	if err != nil || last.Size != 11 {
		t.Fatalf("last %d (%v)", last.Size, err)
	}
	if r, err := d.trust().Verify(last.Text); err != nil || !r.Quorum {
		t.Fatalf("last: %+v (%v)", r, err)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.open(t)
	ctx := context.Background()
	first, proof := d.grow(t, 5, 0)
	if _, err := w.Add(ctx, 0, proof, first.Text); err != nil {
		t.Fatal(err)
	}
	second, proof := d.grow(t, 6, 5)
	other := newDesk(t)
	foreign, foreignProof := other.grow(t, 11, 5)
	fork := d.sign(t, foreign.Checkpoint)
	sameSize := d.sign(t, ledger.Checkpoint{Origin: ledgertest.Origin, Size: 5, Root: ledger.Hash{1}})
	elsewhere := d.sign(t, ledger.Checkpoint{Origin: "yinxin.example/ledger/other", Size: 11, Root: second.Root})

	for _, c := range []struct {
		name, code string
		old        uint64
		proof      []ledger.Hash
		text       []byte
	}{
		{"fork", witness.CodeBadProof, 5, foreignProof, fork},
		{"fork with the true proof", witness.CodeBadProof, 5, proof, fork},
		{"another root at the same size", witness.CodeFork, 5, nil, sameSize},
		{"no proof", witness.CodeBadProof, 5, nil, second.Text},
		{"proof too long", witness.CodeBadProof, 5, append(proof[:len(proof):len(proof)], ledger.Hash{}), second.Text},
		{"log of another key", witness.CodeUnknownLog, 5, proof, foreign.Text},
		{"unknown origin", witness.CodeUnknownLog, 5, proof, elsewhere},
		{"shrinking", witness.CodeMalformed, 12, nil, second.Text},
		{"no checkpoint", witness.CodeMalformed, 5, proof, []byte("hello\n")},
	} {
		if _, err := w.Add(ctx, c.old, c.proof, c.text); fault.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
	// Rollback: an older checkpoint, truly the log's.
	var stale *ledger.StaleError
	if _, err := w.Add(ctx, 0, nil, first.Text); !errors.As(err, &stale) || stale.Size != 5 {
		t.Errorf("rollback: %v", err)
	}
	if last, err := w.Last(""); err != nil || last.Size != 5 {
		t.Errorf("refusals have moved the witness to %d (%v)", last.Size, err)
	}
	if _, err := w.Add(ctx, 5, proof, second.Text); err != nil {
		t.Errorf("the true checkpoint: %v", err)
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.open(t)
	if _, err := witness.Open(d.options); fault.CodeOf(err) != "witness_locked" {
		t.Fatalf("a second process: %v", err)
	}
	cp, proof := d.grow(t, 2, 0)
	if _, err := w.Add(context.Background(), 0, proof, cp.Text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Health(); err == nil {
		t.Fatal("a closed witness is healthy")
	}
	// A state without the witness's own cosignature is not its state.
	states, err := filepath.Glob(filepath.Join(d.options.Dir, "log-*"))
	if err != nil || len(states) != 1 {
		t.Fatalf("states %v (%v)", states, err)
	}
	if err := os.WriteFile(states[0], cp.Text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Open(d.options); fault.CodeOf(err) != "witness_state" {
		t.Fatalf("a strange state: %v", err)
	}
}

// TestParallel lets eight callers race; whatever they do, the witness only grows and never cosigns two roots of a size.
func TestParallel(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.open(t)
	ctx := context.Background()
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 20 {
				if _, err := d.log.Append(ctx, ledgertest.Entries(t, 1)); err != nil {
					t.Error(err)
					return
				}
				cp, err := d.log.Head(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				old := uint64(0)
				if last, err := w.Last(""); err == nil {
					old = last.Size
				}
				if old > cp.Size {
					continue
				}
				proof, err := d.log.Consistency(ctx, old, cp.Size)
				if err != nil {
					t.Error(err)
					return
				}
				line, err := w.Add(ctx, old, proof, cp.Text)
				var stale *ledger.StaleError
				if errors.As(err, &stale) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				d.check(t, cp, line)
			}
		}()
	}
	wg.Wait()
	last, err := w.Last("")
	if err != nil {
		t.Fatal(err)
	}
	root, err := ledger.Rebuild(ctx, d.log, last.Size)
	if err != nil || root != last.Root {
		t.Fatalf("the witness ended at a root that is not the log's (%v)", err)
	}
}

// BenchmarkAdd is one checkpoint that grows by one entry, checked, cosigned and kept.
func BenchmarkAdd(b *testing.B) {
	d := newDesk(b)
	w := d.open(b)
	b.ReportAllocs()
	for size := uint64(0); b.Loop(); size++ {
		b.StopTimer()
		cp, proof := d.grow(b, 1, size)
		b.StartTimer()
		if _, err := w.Add(context.Background(), size, proof, cp.Text); err != nil {
			b.Fatal(err)
		}
	}
}
