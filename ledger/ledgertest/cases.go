package ledgertest

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

func empty(t Reporter, log Log) {
	s := begin(t, log)
	cp := s.publish(0)
	if cp.Size != 0 || cp.Root != ledger.EmptyRoot() {
		s.Errorf("an empty log has checkpoint %+v", cp.Checkpoint)
	}
	if got, err := s.Engine.Entries(s.ctx, 0, 10); err != nil || len(got) != 0 {
		s.Errorf("an empty log gave %d entries (%v)", len(got), err)
	}
	s.append() // no entries are no error
}

func order(t Reporter, log Log) {
	s := begin(t, log)
	entries := Entries(t, 300)
	s.append(entries[:1]...)
	s.append(entries[1:290]...)
	s.append(entries[290:]...)
	s.publish(300)
	for i, got := range s.all() {
		if !bytes.Equal(got, entries[i]) {
			s.Fatalf("entry %d is not the one that was appended there", i)
		}
	}
	Check(t, log)
}

func idempotency(t Reporter, log Log) {
	s := begin(t, log)
	entries := Entries(t, 10)
	s.append(entries...)
	s.append(entries[3], entries[3], entries[7])   // before a checkpoint covers them
	s.publish(10)                                  //
	s.append(entries...)                           // after
	fresh := Entry(t)                              //
	s.append(entries[0], fresh, entries[1], fresh) // mixed, and twice in one batch
	s.publish(11)
	if got := s.index(ledger.LeafHash(fresh)); got != 10 {
		s.Errorf("the eleventh entry has index %d", got)
	}
	if n := len(s.all()); n != 11 {
		s.Errorf("11 different entries became %d", n)
	}
	Check(t, log)
}

func refusals(t Reporter, log Log) {
	s := begin(t, log)
	good := Entry(t)
	for _, bad := range [][]byte{nil, {}, []byte("hello"), append(bytes.Clone(good), 0), make([]byte, ledger.MaxEntry+1)} {
		_, err := s.Engine.Append(s.ctx, [][]byte{good, bad})
		expectKind(t, err, fault.Invalid, "append of a malformed entry")
	}
	_, err := s.Engine.Index(s.ctx, ledger.LeafHash(good))
	expectKind(t, err, fault.NotFound, "the good entry of a refused batch")
	many := make([][]byte, ledger.MaxBatch+1)
	for i := range many {
		many[i] = good
	}
	_, err = s.Engine.Append(s.ctx, many)
	expectKind(t, err, fault.TooLarge, "append of too many")

	s.append(Entries(t, 5)...)
	s.publish(5)
	_, err = s.Engine.Inclusion(s.ctx, 5, 5)
	expectKind(t, err, fault.Invalid, "inclusion of an index behind the end")
	_, err = s.Engine.Inclusion(s.ctx, 0, 6)
	expectKind(t, err, fault.Invalid, "inclusion in a size that is not published")
	_, err = s.Engine.Consistency(s.ctx, 4, 3)
	expectKind(t, err, fault.Invalid, "consistency backwards")
	_, err = s.Engine.Consistency(s.ctx, 4, 6)
	expectKind(t, err, fault.Invalid, "consistency with a size that is not published")
	_, err = s.Engine.Entries(s.ctx, 6, 1)
	expectKind(t, err, fault.Invalid, "entries behind the end")
	_, err = s.Engine.Entries(s.ctx, 0, 0)
	expectKind(t, err, fault.Invalid, "no entries asked for")
}

func promises(t Reporter, log Log) {
	s := begin(t, log)
	before := time.Now().Add(-time.Second)
	entries := Entries(t, 3)
	for range 2 { // again for entries that the log has
		for i, p := range s.append(entries...) {
			got, err := s.Trust.VerifyPromise(p.Text)
			if err != nil {
				s.Fatalf("promise: %v", err)
			}
			if got.Leaf != ledger.LeafHash(entries[i]) || p.Leaf != got.Leaf {
				s.Errorf("promise %d is for another entry", i)
			}
			if got.Time.Before(before) || got.Time.After(time.Now().Add(time.Second)) || got.MaxMergeDelay <= 0 {
				s.Errorf("promise of %v within %v", got.Time, got.MaxMergeDelay)
			}
		}
		s.publish(3)
	}
}

func proofsOfManySizes(t Reporter, log Log) {
	s := begin(t, log)
	var leaves []ledger.Hash
	var frontier ledger.Frontier
	for _, n := range []int{1, 1, 1, 2, 3, 8, 17, 100, 123, 1, 255, 256, 300} {
		entries := Entries(t, n)
		for _, e := range entries {
			leaves = append(leaves, ledger.LeafHash(e))
			frontier.Append(ledger.LeafHash(e))
		}
		s.append(entries...)
		cp := s.publish(frontier.Size())
		if cp.Size == frontier.Size() && cp.Root != frontier.Root() {
			s.Fatalf("the root of size %d is not that of RFC 6962 with SM3", cp.Size)
		}
		step := uint64(1 + len(leaves)/23)
		for i := uint64(0); i < cp.Size; i += step {
			path, err := s.Engine.Inclusion(s.ctx, i, cp.Size)
			if err != nil {
				s.Fatalf("inclusion of %d in %d: %v", i, cp.Size, err)
			}
			if !ledger.VerifyInclusion(leaves[i], i, cp.Size, path, cp.Root) {
				s.Fatalf("inclusion of %d in %d does not verify", i, cp.Size)
			}
		}
	}
	// Sizes that were never published are prefixes too.
	f := ledger.Frontier{}
	for i, leaf := range leaves {
		f.Append(leaf)
		if i%41 != 0 {
			continue
		}
		path, err := s.Engine.Inclusion(s.ctx, uint64(i/2), f.Size())
		if err != nil || !ledger.VerifyInclusion(leaves[i/2], uint64(i/2), f.Size(), path, f.Root()) {
			s.Fatalf("inclusion of %d in %d does not verify (%v)", i/2, f.Size(), err)
		}
	}
}

func consistencyOfAllCheckpoints(t Reporter, log Log) {
	s := begin(t, log)
	published := []ledger.SignedCheckpoint{s.publish(0)}
	size := uint64(0)
	for _, n := range []int{1, 2, 5, 60, 188, 1, 1, 254, 300} {
		s.append(Entries(t, n)...)
		size += uint64(n)
		published = append(published, s.publish(size))
	}
	for _, old := range published {
		for _, now := range published {
			if old.Size > now.Size {
				continue
			}
			path, err := s.Engine.Consistency(s.ctx, old.Size, now.Size)
			if err != nil {
				s.Fatalf("consistency of %d and %d: %v", old.Size, now.Size, err)
			}
			if !ledger.VerifyConsistency(old.Size, now.Size, path, old.Root, now.Root) {
				s.Fatalf("consistency of %d and %d does not verify", old.Size, now.Size)
			}
		}
	}
}

func parallelAppends(t Reporter, log Log) {
	s := begin(t, log)
	const workers, rounds, batch = 8, 20, 7
	shared := Entries(t, rounds) // each appended by all workers
	var mu sync.Mutex
	var failed error
	own := make([][][]byte, workers)
	parallel(workers, func(w int) {
		own[w] = Entries(t, rounds*batch)
		for r := range rounds {
			entries := append([][]byte{shared[r]}, own[w][r*batch:(r+1)*batch]...)
			if _, err := s.Engine.Append(s.ctx, entries); err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		}
	})
	if failed != nil {
		s.Fatalf("parallel append: %v", failed)
	}
	want := workers*rounds*batch + rounds
	s.publish(uint64(want))
	if got := len(s.all()); got != want {
		s.Fatalf("%d different entries became %d", want, got)
	}
	for w := range own {
		last := uint64(0)
		for i, e := range own[w] {
			at := s.index(ledger.LeafHash(e))
			if i > 0 && at <= last {
				s.Fatalf("worker %d: entry %d at %d stands before its predecessor at %d", w, i, at, last)
			}
			last = at
		}
	}
	Check(t, log)
}

func entriesForMonitors(t Reporter, log Log) {
	s := begin(t, log)
	entries := Entries(t, 700)
	s.append(entries...)
	cp := s.publish(700)
	for _, r := range []struct {
		from  uint64
		limit int
	}{{0, 1}, {0, 700}, {255, 2}, {256, 256}, {511, 1}, {690, 100}, {700, 5}} {
		got, err := s.Engine.Entries(s.ctx, r.from, r.limit)
		if err != nil {
			s.Fatalf("entries from %d: %v", r.from, err)
		}
		if len(got) > r.limit || (r.from < 700 && len(got) == 0) {
			s.Fatalf("entries from %d gave %d of %d", r.from, len(got), r.limit)
		}
		for i := range got {
			if !bytes.Equal(got[i], entries[int(r.from)+i]) {
				s.Fatalf("entries from %d: number %d is another", r.from, i)
			}
		}
	}
	root, err := ledger.Rebuild(s.ctx, s.Engine, cp.Size)
	if err != nil || root != cp.Root {
		s.Errorf("a monitor cannot rebuild the root (%v)", err)
	}
	evidence, err := ledger.Prove(s.ctx, s.Engine, ledger.LeafHash(entries[123]))
	if err != nil {
		s.Fatalf("prove: %v", err)
	}
	if r := evidence.Verify(s.Trust); r.Ledger.State != ledger.StateIncluded || r.Ledger.Index != 123 || (s.Trust.Quorum > 0 && !r.OK()) {
		s.Errorf("evidence does not verify: %+v", r)
	}
}

func unknownLeaf(t Reporter, log Log) {
	s := begin(t, log)
	s.append(Entry(t))
	s.publish(1)
	_, err := s.Engine.Index(s.ctx, ledger.LeafHash(Entry(t)))
	expectKind(t, err, fault.NotFound, "index of an unknown leaf")
	_, err = ledger.Prove(s.ctx, s.Engine, ledger.LeafHash(Entry(t)))
	expectKind(t, err, fault.NotFound, "proof of an unknown leaf")
}

func health(t Reporter, log Log) {
	s := begin(t, log)
	s.append(Entries(t, 4)...)
	s.publish(4)
	h, err := s.Engine.Health(context.Background())
	if err != nil {
		s.Fatalf("health: %v", err)
	}
	if h.Accepted != 4 || h.Published != 4 || h.Cosigned != 4 || h.MergeDelay != 0 || h.MaxMergeDelay <= 0 || h.Problem != "" {
		s.Errorf("health of a quiet log: %+v", h)
	}
}
