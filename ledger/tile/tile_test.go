package tile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
	"github.com/yinxin-trust/yinxin/ledger/tile"
)

const origin = "yinxin.example/ledger/test"

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
