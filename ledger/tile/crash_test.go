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

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
	"github.com/yinxin-trust/yinxin/ledger/tile"
)

// TestEveryCrashPoint copies the folder between any two durable steps of a busy log and opens each copy as after a crash:
// every acknowledged entry is in it once, and every checkpoint published before is a prefix of what it publishes then.
func TestEveryCrashPoint(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSite(t, 1)
	type crash struct {
		step  string
		dir   string
		acked int
		heads []ledger.Checkpoint
	}
	var (
		mu      sync.Mutex
		crashes []crash
		acked   int
		heads   []ledger.Checkpoint
	)
	copies := t.TempDir()
	o := s.options().WithRotateAt(4096).WithStep(func(step string) {
		mu.Lock()
		defer mu.Unlock()
		dir := filepath.Join(copies, fmt.Sprint(len(crashes)))
		copyTree(t, s.dir, dir)
		crashes = append(crashes, crash{step, dir, acked, append([]ledger.Checkpoint(nil), heads...)})
	})
	l, err := tile.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	entries := ledgertest.Entries(t, 590)
	for i, end := range []int{3, 250, 256, 260, 590} {
		from := acked
		add(t, l, entries[from:end]...)
		mu.Lock()
		acked = end
		mu.Unlock()
		if i == 2 {
			continue // two appends under one checkpoint
		}
		head := publish(t, l)
		mu.Lock()
		heads = append(heads, head.Checkpoint)
		mu.Unlock()
	}
	closeLog(t, l)
	if len(crashes) < 40 {
		t.Fatalf("only %d crash points", len(crashes))
	}
	for _, c := range crashes {
		after := *s
		after.dir = c.dir
		// Its witness has seen what this copy has not; a fresh one has seen nothing.
		after.witnesses, after.trust = nil, ledger.Trust{LogKeys: s.trust.LogKeys}
		l, err := tile.Open(ctx, after.options())
		if err != nil {
			t.Fatalf("crash at %q: %v", c.step, err)
		}
		head := publish(t, l)
		if head.Size < uint64(c.acked) {
			t.Fatalf("crash at %q: %d of %d acknowledged entries are left", c.step, head.Size, c.acked)
		}
		for i, entry := range entries[:c.acked] {
			if at, err := l.Index(ctx, ledger.LeafHash(entry)); err != nil || at != uint64(i) {
				t.Fatalf("crash at %q: entry %d is at %d (%v)", c.step, i, at, err)
			}
		}
		for _, old := range c.heads {
			checkExtends(t, l, old, head.Checkpoint)
		}
		add(t, l, entries...)
		publish(t, l)
		ledgertest.Check(t, ledgertest.Log{Engine: l, Trust: after.trust})
		closeLog(t, l)
		if err := os.RemoveAll(c.dir); err != nil {
			t.Fatal(err)
		}
	}
}

func checkExtends(t testing.TB, l *tile.Log, old, now ledger.Checkpoint) {
	t.Helper()
	proof, err := l.Consistency(context.Background(), old.Size, now.Size)
	if err != nil || !ledger.VerifyConsistency(old.Size, now.Size, proof, old.Root, now.Root) {
		t.Fatalf("size %d does not extend the published size %d (%v)", now.Size, old.Size, err)
	}
}

// TestRefusals damages a folder and expects a clear refusal.
func TestRefusals(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := newSite(t, 0)
	l := s.open(t)
	entries := ledgertest.Entries(t, 300)
	add(t, l, entries[:3]...)
	publish(t, l)
	oldHead := readFile(t, filepath.Join(s.dir, "head"))
	add(t, l, entries[3:]...)
	publish(t, l)
	add(t, l, ledgertest.Entry(t)) // left in the journal with the others, a frame each
	add(t, l, ledgertest.Entry(t))
	waiting := filepath.Join(t.TempDir(), "copy")
	copyTree(t, s.dir, waiting)
	closeLog(t, l)

	other := newSite(t, 0)
	cases := []struct {
		name, code string
		damage     func(t *testing.T, dir string, o *tile.Options)
	}{
		{"older head", "ledger_rolled_back", func(t *testing.T, dir string, _ *tile.Options) {
			writeFile(t, filepath.Join(dir, "head"), oldHead)
		}},
		{"no head", "ledger_rolled_back", func(t *testing.T, dir string, _ *tile.Options) {
			remove(t, filepath.Join(dir, "head"))
		}},
		{"no checkpoint at all", "ledger_head_missing", func(t *testing.T, dir string, _ *tile.Options) {
			remove(t, filepath.Join(dir, "head"))
			remove(t, filepath.Join(dir, "checkpoints"))
		}},
		{"damaged head", "ledger_checkpoint_damaged", func(t *testing.T, dir string, _ *tile.Options) {
			writeFile(t, filepath.Join(dir, "head"), oldHead[:50])
		}},
		{"another key", "ledger_wrong_key", func(_ *testing.T, _ string, o *tile.Options) {
			o.Signer, o.Trust = other.signer, ledger.Trust{}
		}},
		{"another origin", "ledger_wrong_key", func(_ *testing.T, _ string, o *tile.Options) { o.Origin = "yinxin.example/ledger/other" }},
		{"lost tile", "ledger_tiles_missing", func(t *testing.T, dir string, _ *tile.Options) {
			remove(t, filepath.Join(dir, "tile/0/001.p"))
		}},
		{"lost bundle", "ledger_tiles_missing", func(t *testing.T, dir string, _ *tile.Options) {
			remove(t, filepath.Join(dir, "tile/entries/001.p"))
		}},
		{"changed tile", "ledger_tiles_damaged", func(t *testing.T, dir string, _ *tile.Options) {
			flip(t, filepath.Join(dir, "tile/1/000.p/1"), 7)
		}},
		{"changed entry", "ledger_tiles_damaged", func(t *testing.T, dir string, _ *tile.Options) {
			flip(t, filepath.Join(dir, "tile/entries/001.p/44"), 60)
		}},
		{"no journal", "ledger_journal_missing", func(t *testing.T, dir string, _ *tile.Options) {
			remove(t, filepath.Join(dir, "journal", "00000000000000000000"))
		}},
		{"published entry changed in the journal", "ledger_journal_damaged", func(t *testing.T, dir string, _ *tile.Options) {
			flip(t, filepath.Join(dir, "journal", "00000000000000000000"), 100)
		}},
		{"acknowledged entry changed in the journal", "ledger_journal_damaged", func(t *testing.T, dir string, _ *tile.Options) {
			name := filepath.Join(dir, "journal", "00000000000000000000")
			last := bytes.LastIndex(readFile(t, name), []byte("YXJRNL1"))
			flip(t, name, last-5)
		}},
		{"cut journal", "ledger_journal_damaged", func(t *testing.T, dir string, _ *tile.Options) {
			name := filepath.Join(dir, "journal", "00000000000000000000")
			writeFile(t, name, readFile(t, name)[:2000])
		}},
		{"strange file in the history", "ledger_history_damaged", func(t *testing.T, dir string, _ *tile.Options) {
			writeFile(t, filepath.Join(dir, "checkpoints", "zzz"), []byte("x"))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := s.options()
			o.Dir = filepath.Join(t.TempDir(), "ledger")
			copyTree(t, waiting, o.Dir)
			c.damage(t, o.Dir, &o)
			l, err := tile.Open(ctx, o)
			if err == nil {
				closeLog(t, l)
				t.Fatal("the damaged folder was opened")
			}
			if fault.CodeOf(err) != c.code {
				t.Fatalf("got %s (%v), want %s", fault.CodeOf(err), err, c.code)
			}
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Conflict {
				t.Fatalf("kind of %v", err)
			}
		})
	}
}

// TestTornTail shows that a half-written frame, which nobody was told of, is dropped.
func TestTornTail(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	l := s.open(t)
	add(t, l, ledgertest.Entries(t, 3)...)
	copied := filepath.Join(t.TempDir(), "copy")
	copyTree(t, s.dir, copied)
	s.dir = copied
	name := filepath.Join(copied, "journal", "00000000000000000000")
	whole := readFile(t, name)
	writeFile(t, name, append(bytes.Clone(whole), whole[:len(whole)-1]...))
	l = s.open(t)
	if h, err := l.Health(context.Background()); err != nil || h.Accepted != 3 {
		t.Fatalf("%d entries (%v)", h.Accepted, err)
	}
	add(t, l, ledgertest.Entries(t, 2)...)
	closeLog(t, l)
	l = s.open(t)
	ledgertest.Check(t, ledgertest.Log{Engine: l, Trust: s.trust})
}

// TestIndexIsRebuilt loses, damages and ages the index.
func TestIndexIsRebuilt(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	l := s.open(t)
	entries := ledgertest.Entries(t, 520)
	add(t, l, entries[:100]...)
	publish(t, l)
	closeLog(t, l)
	name := filepath.Join(s.dir, "index.db")
	old := readFile(t, name)
	l = s.open(t)
	add(t, l, entries[100:]...)
	publish(t, l)
	closeLog(t, l)

	foreign := newSite(t, 0)
	l = foreign.open(t)
	add(t, l, ledgertest.Entries(t, 9)...)
	publish(t, l)
	closeLog(t, l)

	for what, change := range map[string]func(){
		"lost":    func() { remove(t, name) },
		"behind":  func() { writeFile(t, name, old) },
		"damaged": func() { writeFile(t, name, bytes.Repeat([]byte{7}, 20000)) },
		"foreign": func() { writeFile(t, name, readFile(t, filepath.Join(foreign.dir, "index.db"))) },
	} {
		change()
		l := s.open(t)
		add(t, l, entries...)
		if head := publish(t, l); head.Size != 520 {
			t.Errorf("index %s: %d entries", what, head.Size)
		}
		ledgertest.Check(t, ledgertest.Log{Engine: l, Trust: s.trust})
		closeLog(t, l)
	}
}

func FuzzJournal(f *testing.F) {
	s := newSite(f, 0)
	l := s.open(f)
	for i := range uint64(3) {
		add(f, l, ledgertest.FixedEntry(f, i))
	}
	whole := readFile(f, filepath.Join(s.dir, "journal", "00000000000000000000"))
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add([]byte("YXJRNL1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, good, err := tile.ReadJournal(b)
		if err != nil {
			return
		}
		again, good2, err := tile.ReadJournal(b[:good])
		if err != nil || again != n || good2 != good {
			t.Fatalf("the good part of %d bytes reads as %d entries and %d bytes (%v)", good, again, good2, err)
		}
	})
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, name string) {
	t.Helper()
	if err := os.RemoveAll(name); err != nil {
		t.Fatal(err)
	}
}

func flip(t testing.TB, name string, at int) {
	t.Helper()
	b := readFile(t, name)
	b[at] ^= 1
	writeFile(t, name, b)
}
