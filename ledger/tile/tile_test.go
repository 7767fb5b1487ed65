package tile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
	"github.com/yinxin-trust/yinxin/ledger/tile"
)

const origin = "yinxin.example/ledger/test"

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

// site is a folder with its key and witnesses, across openings.
type site struct {
	dir       string
	signer    *ledgertest.Signer
	witnesses []*localWitness
	trust     ledger.Trust
}

func newSite(t testing.TB, witnesses int) *site {
	s := &site{dir: filepath.Join(t.TempDir(), "ledger"), signer: ledgertest.NewSigner(t)}
	s.trust.LogKeys = []ledger.Key{s.signer.LogKey(origin)}
	for i := range witnesses {
		w := newWitness(t, fmt.Sprintf("witness.example/%d", i+1))
		s.witnesses = append(s.witnesses, w)
		s.trust.WitnessKeys = append(s.trust.WitnessKeys, w.signer.WitnessKey(w.name))
	}
	if witnesses > 0 {
		s.trust.Quorum = witnesses/2 + 1
	}
	return s
}

func (s *site) options() tile.Options {
	o := tile.Options{Dir: s.dir, Origin: origin, Signer: s.signer, Trust: s.trust, Interval: -1}
	for _, w := range s.witnesses {
		o.Cosigners = append(o.Cosigners, w)
	}
	return o
}

func (s *site) open(t testing.TB) *tile.Log {
	t.Helper()
	l, err := tile.Open(context.Background(), s.options())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func add(t testing.TB, l *tile.Log, entries ...[]byte) {
	t.Helper()
	if _, err := l.Append(context.Background(), entries); err != nil {
		t.Fatal(err)
	}
}

func publish(t testing.TB, l *tile.Log) ledger.SignedCheckpoint {
	t.Helper()
	if err := l.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	head, err := l.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func closeLog(t testing.TB, l *tile.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEngine(t *testing.T) {
	t.Parallel()
	for _, witnesses := range []int{0, 1, 3} {
		t.Run(fmt.Sprintf("%d witnesses", witnesses), func(t *testing.T) {
			t.Parallel()
			ledgertest.Run(t, func(t *testing.T) ledgertest.Log {
				s := newSite(t, witnesses)
				return ledgertest.Log{Engine: s.open(t), Trust: s.trust}
			})
		})
	}
}

func TestPublishesOnInterval(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	o := s.options()
	o.Interval = time.Millisecond
	l, err := tile.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer closeLog(t, l)
	add(t, l, ledgertest.Entry(t))
	await(t, "a cosigned checkpoint", func() bool {
		cp, err := l.Checkpoint(context.Background())
		return err == nil && cp.Size == 1
	})
}

func TestReopen(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	entries := ledgertest.Entries(t, 700)
	l := s.open(t)
	add(t, l, entries[:300]...)
	publish(t, l)
	add(t, l, entries[300:]...)
	closeLog(t, l) // publishes what waits

	l = s.open(t)
	head, err := l.Head(context.Background())
	if err != nil || head.Size != 700 {
		t.Fatalf("head of size %d (%v)", head.Size, err)
	}
	add(t, l, entries...)
	if publish(t, l).Size != 700 {
		t.Fatal("known entries were added again after reopening")
	}
	ledgertest.Check(t, ledgertest.Log{Engine: l, Trust: s.trust})
}

// TestKeyRotation opens a log under a new key while its trust still names the old one.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	l := s.open(t)
	add(t, l, ledgertest.Entry(t))
	publish(t, l)
	closeLog(t, l)
	s.signer = ledgertest.NewSigner(t)
	l = s.open(t)
	add(t, l, ledgertest.Entry(t))
	head := publish(t, l)
	s.trust.LogKeys = []ledger.Key{s.signer.LogKey(origin)}
	if verified(t, s.trust, head).Checkpoint.Size != 2 {
		t.Fatal("the new key does not sign")
	}
}

func TestSecondWriterIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	s.open(t)
	if _, err := tile.Open(context.Background(), s.options()); fault.CodeOf(err) != "ledger_locked" {
		t.Fatalf("a second writer: %v", err)
	}
}

func TestAppendAfterClose(t *testing.T) {
	t.Parallel()
	l := newSite(t, 0).open(t)
	closeLog(t, l)
	if _, err := l.Append(context.Background(), ledgertest.Entries(t, 1)); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("append after close: %v", err)
	}
	if err := l.Publish(context.Background()); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("publish after close: %v", err)
	}
	if _, err := l.Index(context.Background(), ledger.Hash{}); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("index after close: %v", err)
	}
}

func TestFullLogRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	o := s.options()
	o.MaxPending = 10
	l, err := tile.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer closeLog(t, l)
	add(t, l, ledgertest.Entries(t, 10)...)
	more := ledgertest.Entry(t)
	if _, err := l.Append(context.Background(), [][]byte{more}); fault.CodeOf(err) != "ledger_full" {
		t.Fatalf("append to a full log: %v", err)
	}
	publish(t, l)
	add(t, l, more)
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
	if err != nil || h.Witnesses[0].Problem == "" {
		t.Fatalf("health %+v (%v)", h, err)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	l := newSite(t, 0).open(t)
	want := []uint64{3, 2, 1, 0}
	for range 3 {
		add(t, l, ledgertest.Entry(t))
		publish(t, l)
	}
	var got []uint64
	err := l.Sizes(context.Background(), func(size uint64) bool { got = append(got, size); return true })
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("sizes %v (%v)", got, err)
	}
	if _, err := l.Published(context.Background(), 9); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("a size that was never published: %v", err)
	}
}

// TestLayout holds the files against C2SP tlog-tiles.
func TestLayout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		level string
		n     uint64
		w     int
		want  string
	}{
		{"0", 0, 0, "tile/0/000"},
		{"0", 0, 5, "tile/0/000.p/5"},
		{"1", 67, 0, "tile/1/067"},
		{"entries", 1234067, 0, "tile/entries/x001/x234/067"},
		{"entries", 1000, 255, "tile/entries/x001/000.p/255"},
	} {
		if got := tile.TileName(c.level, c.n, c.w); got != c.want {
			t.Errorf("tile %s %d %d is %s, want %s", c.level, c.n, c.w, got, c.want)
		}
	}
	s := newSite(t, 0)
	l := s.open(t)
	entries := ledgertest.Entries(t, 600)
	add(t, l, entries[:200]...)
	publish(t, l)
	add(t, l, entries[200:]...)
	publish(t, l)
	for name, size := range map[string]int{
		"tile/0/000": 8192, "tile/0/001": 8192, "tile/0/002.p/88": 88 * 32, "tile/1/000.p/2": 64,
	} {
		if b, err := os.ReadFile(filepath.Join(s.dir, name)); err != nil || len(b) != size {
			t.Errorf("%s has %d bytes, want %d (%v)", name, len(b), size, err)
		}
	}
	bundle, err := os.ReadFile(filepath.Join(s.dir, "tile/entries/001"))
	if err != nil {
		t.Fatal(err)
	}
	first := entries[256]
	if want := append([]byte{byte(len(first) >> 8), byte(len(first))}, first...); !bytes.HasPrefix(bundle, want) {
		t.Error("a bundle does not start with the length and the bytes of its first entry")
	}
	for _, gone := range []string{"tile/0/000.p", "tile/entries/000.p"} {
		if _, err := os.Stat(filepath.Join(s.dir, gone)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there after it filled (%v)", gone, err)
		}
	}
}

// await waits for a condition, not for a time.
func await(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func copyTree(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}
