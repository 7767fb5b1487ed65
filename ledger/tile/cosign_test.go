package tile_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
)

// localWitness is a witness without a network: it checks consistency and cosigns.
type localWitness struct {
	name   string
	signer *ledgertest.Signer

	mu   sync.Mutex
	last ledger.Checkpoint
	down bool
}

func newWitness(t testing.TB, name string) *localWitness {
	return &localWitness{name: name, signer: ledgertest.NewSigner(t), last: ledger.Checkpoint{Root: ledger.EmptyRoot()}}
}

func (w *localWitness) Name() string { return w.name }

func (w *localWitness) setDown(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

func (w *localWitness) Cosign(ctx context.Context, old uint64, proof []ledger.Hash, text []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return nil, errors.New("no answer")
	}
	cp, err := ledger.ParseCheckpoint(text)
	if err != nil {
		return nil, err
	}
	if old != w.last.Size {
		return nil, &ledger.StaleError{Size: w.last.Size}
	}
	if !ledger.VerifyConsistency(old, cp.Size, proof, w.last.Root, cp.Root) {
		return nil, errors.New("fork")
	}
	w.last = cp.Checkpoint
	return ledger.Cosign(ctx, cp.Checkpoint, w.name, w.signer, time.Now())
}

// TestWitnessDown shows that witnesses that are away are lag and no outage.
func TestWitnessDown(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSite(t, 3)
	l := s.open(t)
	add(t, l, ledgertest.Entry(t))
	publish(t, l)

	s.witnesses[0].setDown(true) // two of three are still a quorum
	add(t, l, ledgertest.Entry(t))
	publish(t, l)
	if cp, err := l.Checkpoint(ctx); err != nil || cp.Size != 2 {
		t.Fatalf("with two of three witnesses: size %d (%v)", cp.Size, err)
	}

	s.witnesses[1].setDown(true)
	last := ledgertest.Entry(t)
	add(t, l, last)
	head := publish(t, l)
	cp, err := l.Checkpoint(ctx)
	if err != nil || cp.Size != 2 || head.Size != 3 {
		t.Fatalf("with one of three witnesses: checkpoint %d, head %d (%v)", cp.Size, head.Size, err)
	}
	if _, err := ledger.Prove(ctx, l, ledger.LeafHash(last)); fault.CodeOf(err) != ledger.NotYetPublished {
		t.Fatalf("proof of an entry that no quorum covers: %v", err)
	}
	h, err := l.Health(ctx)
	if err != nil || h.WitnessLag <= 0 || h.Witnesses[1].Problem == "" || h.Witnesses[2].Problem != "" || h.Problem != "" {
		t.Fatalf("health %+v (%v)", h, err)
	}
	closeLog(t, l)

	l = s.open(t) // the cosigned checkpoint survives
	if cp, err := l.Checkpoint(ctx); err != nil || cp.Size != 2 {
		t.Fatalf("after reopening: size %d (%v)", cp.Size, err)
	}
	s.witnesses[0].setDown(false)
	s.witnesses[1].setDown(false)
	await(t, "the quorum, without a new entry", func() bool {
		cp, err := l.Checkpoint(ctx)
		return err == nil && cp.Size == 3
	})
	evidence, err := ledger.Prove(ctx, l, ledger.LeafHash(last))
	if err != nil {
		t.Fatal(err)
	}
	if r := evidence.Verify(s.trust); !r.OK() || r.ProvenTime.IsZero() {
		t.Fatalf("evidence %+v", r)
	}
	if cp, err := l.Published(ctx, 3); err != nil || !verified(t, s.trust, cp).Quorum {
		t.Fatalf("the history lacks the cosignatures (%v)", err)
	}
}

func verified(t testing.TB, trust ledger.Trust, cp ledger.SignedCheckpoint) ledger.CheckpointResult {
	t.Helper()
	r, err := trust.Verify(cp.Text)
	if err != nil || !r.LogSigned {
		t.Fatalf("checkpoint %+v (%v)", r, err)
	}
	return r
}

// TestRolledBackFolder restores an old copy of the whole folder, which nothing in it can betray; the witness does.
func TestRolledBackFolder(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	l := s.open(t)
	add(t, l, ledgertest.Entry(t))
	publish(t, l)
	closeLog(t, l)
	backup := filepath.Join(t.TempDir(), "backup")
	copyTree(t, s.dir, backup)
	l = s.open(t)
	add(t, l, ledgertest.Entries(t, 2)...)
	publish(t, l)
	closeLog(t, l)

	s.dir = backup
	l = s.open(t)
	add(t, l, ledgertest.Entry(t))
	publish(t, l)
	if cp, err := l.Checkpoint(context.Background()); err != nil || cp.Size != 1 {
		t.Fatalf("a log that was rolled back got cosigned at %d (%v)", cp.Size, err)
	}
	h, err := l.Health(context.Background())
	if err != nil || !strings.Contains(h.Witnesses[0].Problem, "longer log") {
		t.Fatalf("health %+v (%v)", h, err)
	}
}
