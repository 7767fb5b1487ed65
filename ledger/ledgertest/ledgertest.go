// Package ledgertest holds every ledger engine to one contract: Run is the suite, Memory an engine for other tests.
package ledgertest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

// Log is an engine under test with the trust under which its signatures are checked.
type Log struct {
	Engine ledger.Engine
	Trust  ledger.Trust
}

// publisher is an engine that can be told to publish; one that cannot is waited for.
type publisher interface {
	Publish(ctx context.Context) error
}

// Reporter is what Run needs of a *testing.T, so that the suite itself can be tested with engines that are wrong.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Entry makes an entry like no other.
func Entry(t Reporter) []byte {
	t.Helper()
	var ref, commit ledger.Hash
	rand.Read(ref[:])
	rand.Read(commit[:])
	b, err := ledger.Issue{
		Type: ledger.TypeIssue, Time: time.Now(), Issuer: "11990000000000001G", Kind: "food", Ref: ref, Commit: commit,
	}.Marshal()
	if err != nil {
		t.Fatalf("marshal entry: %v", err)
	}
	return b
}

// Entries makes n entries like no others.
func Entries(t Reporter, n int) [][]byte {
	t.Helper()
	entries := make([][]byte, n)
	for i := range entries {
		entries[i] = Entry(t)
	}
	return entries
}

// FixedEntry makes the i-th of a row of entries that are the same in every run.
func FixedEntry(t Reporter, i uint64) []byte {
	t.Helper()
	b, err := ledger.DigestEntry{
		Type: ledger.TypeReceiptsRoot, Time: time.UnixMilli(1_790_000_000_000 + int64(i)), Subject: "node/1",
		Digest: ledger.LeafHash(binary.BigEndian.AppendUint64(nil, i)), Version: i + 1,
	}.Marshal()
	if err != nil {
		t.Fatalf("marshal entry: %v", err)
	}
	return b
}

// Run exercises an engine; open gives an empty one each time.
func Run(t *testing.T, open func(t *testing.T) Log) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open(t))
		})
	}
}

var cases = []struct {
	name string
	run  func(t Reporter, log Log)
}{
	{"Empty", empty},
	{"Order", order},
	{"Idempotency", idempotency},
	{"Refusals", refusals},
	{"Promises", promises},
	{"ProofsOfManySizes", proofsOfManySizes},
	{"ConsistencyOfAllCheckpoints", consistencyOfAllCheckpoints},
	{"ParallelAppends", parallelAppends},
	{"EntriesForMonitors", entriesForMonitors},
	{"UnknownLeaf", unknownLeaf},
	{"Health", health},
}

// suite carries one case's engine with the calls that must succeed.
type suite struct {
	Reporter
	Log
	ctx context.Context
}

func begin(t Reporter, log Log) *suite { return &suite{t, log, context.Background()} }

func (s *suite) append(entries ...[]byte) []ledger.Promise {
	s.Helper()
	promises, err := s.Engine.Append(s.ctx, entries)
	if err != nil {
		s.Fatalf("append: %v", err)
	}
	if len(promises) != len(entries) {
		s.Fatalf("append of %d entries gave %d promises", len(entries), len(promises))
	}
	return promises
}

// publish waits until Head and Checkpoint cover size leaves and gives Checkpoint, whose signatures it checks.
func (s *suite) publish(size uint64) ledger.SignedCheckpoint {
	s.Helper()
	if p, ok := s.Engine.(publisher); ok {
		if err := p.Publish(s.ctx); err != nil {
			s.Fatalf("publish: %v", err)
		}
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		head, err := s.Engine.Head(s.ctx)
		if err != nil {
			s.Fatalf("head: %v", err)
		}
		cp, err := s.Engine.Checkpoint(s.ctx)
		if err != nil {
			s.Fatalf("checkpoint: %v", err)
		}
		if cp.Size > head.Size {
			s.Fatalf("checkpoint of size %d is ahead of head %d", cp.Size, head.Size)
		}
		s.verify(head)
		quorum := s.verify(cp)
		if head.Size >= size && cp.Size >= size && (quorum || s.Trust.Quorum == 0) {
			return cp
		}
		if time.Now().After(deadline) {
			s.Fatalf("size %d is not published: head %d, checkpoint %d", size, head.Size, cp.Size)
		}
		<-time.After(time.Millisecond)
	}
}

// verify checks a checkpoint's signatures and tells whether it has its quorum.
func (s *suite) verify(cp ledger.SignedCheckpoint) bool {
	s.Helper()
	r, err := s.Trust.Verify(cp.Text)
	if err != nil {
		s.Fatalf("checkpoint: %v", err)
	}
	if !r.LogSigned || len(r.Wrong) > 0 || r.Checkpoint != cp.Checkpoint {
		s.Fatalf("checkpoint of size %d does not verify: %+v", cp.Size, r)
	}
	return r.Quorum
}

func (s *suite) index(leaf ledger.Hash) uint64 {
	s.Helper()
	i, err := s.Engine.Index(s.ctx, leaf)
	if err != nil {
		s.Fatalf("index: %v", err)
	}
	return i
}

// all reads the published log from the start, through batches of changing size.
func (s *suite) all() [][]byte {
	s.Helper()
	var all [][]byte
	for limit := 1; ; limit = limit*2 + 1 {
		got, err := s.Engine.Entries(s.ctx, uint64(len(all)), limit)
		if err != nil {
			s.Fatalf("entries from %d: %v", len(all), err)
		}
		if len(got) > limit {
			s.Fatalf("entries gave %d, over the limit of %d", len(got), limit)
		}
		if len(got) == 0 {
			return all
		}
		all = append(all, got...)
	}
}

// Check verifies every invariant of a published log: the root follows from the entries, every entry stands once at the
// index that Index gives, and its path leads to the root.
func Check(t Reporter, log Log) {
	t.Helper()
	s := begin(t, log)
	head, err := s.Engine.Head(s.ctx)
	if err != nil {
		s.Fatalf("head: %v", err)
	}
	s.verify(head)
	all := s.all()
	if uint64(len(all)) < head.Size {
		s.Fatalf("the log says %d entries and gives %d", head.Size, len(all))
	}
	root, err := ledger.Rebuild(s.ctx, s.Engine, head.Size)
	if err != nil || root != head.Root {
		s.Fatalf("the root does not follow from the entries (%v)", err)
	}
	seen := map[ledger.Hash]bool{}
	for i, entry := range all[:head.Size] {
		leaf := ledger.LeafHash(entry)
		if seen[leaf] {
			s.Fatalf("entry %d stands in the log twice", i)
		}
		seen[leaf] = true
		if got := s.index(leaf); got != uint64(i) {
			s.Fatalf("entry %d has index %d", i, got)
		}
		if i%97 == 0 || uint64(i)+1 == head.Size {
			path, err := s.Engine.Inclusion(s.ctx, uint64(i), head.Size)
			if err != nil || !ledger.VerifyInclusion(leaf, uint64(i), head.Size, path, head.Root) {
				s.Fatalf("entry %d of %d has no path to the root (%v)", i, head.Size, err)
			}
		}
	}
}

func expectKind(t Reporter, err error, kind fault.Kind, what string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("%s: got %v, want an error of kind %d", what, err, kind)
	}
}

func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() { defer wg.Done(); f(i) }()
	}
	wg.Wait()
}
