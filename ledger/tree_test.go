package ledger_test

import (
	"context"
	"testing"

	"github.com/transparency-dev/merkle/proof"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
)

// sm3Hasher lets transparency-dev/merkle, which nobody here wrote, verify our trees. It hashes by RFC 6962 §2.1 itself and
// does not use the functions under test.
type sm3Hasher struct{}

func (sm3Hasher) EmptyRoot() []byte               { h := gm.SM3(nil); return h[:] }
func (sm3Hasher) HashLeaf(leaf []byte) []byte     { h := gm.SM3([]byte{0}, leaf); return h[:] }
func (sm3Hasher) HashChildren(l, r []byte) []byte { h := gm.SM3([]byte{1}, l, r); return h[:] }
func (sm3Hasher) Size() int                       { return 32 }

func slicesOf(hashes []ledger.Hash) [][]byte {
	s := make([][]byte, len(hashes))
	for i := range hashes {
		s[i] = hashes[i][:]
	}
	return s
}

// memoryTree is a log of fixed entries with the root of each of its sizes.
func memoryTree(t testing.TB, size int) (*ledgertest.Memory, [][]byte, []ledger.Hash) {
	t.Helper()
	m := ledgertest.NewMemory(ledgertest.NewSigner(t))
	entries := make([][]byte, size)
	roots := []ledger.Hash{ledger.EmptyRoot()}
	var f ledger.Frontier
	for i := range entries {
		entries[i] = ledgertest.FixedEntry(t, uint64(i))
		f.Append(ledger.LeafHash(entries[i]))
		roots = append(roots, f.Root())
	}
	if _, err := m.Append(context.Background(), entries); err != nil {
		t.Fatal(err)
	}
	return m, entries, roots
}

// TestProofsBySecondImplementation verifies every proof of every size up to 70 with both verifiers, and lets both refuse
// each proof with one change.
func TestProofsBySecondImplementation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const size = 70
	m, entries, roots := memoryTree(t, size)
	h := sm3Hasher{}
	for n := uint64(1); n <= size; n++ {
		for i := range n {
			path, err := m.Inclusion(ctx, i, n)
			if err != nil {
				t.Fatal(err)
			}
			leaf := ledger.LeafHash(entries[i])
			if err := proof.VerifyInclusion(h, i, n, h.HashLeaf(entries[i]), slicesOf(path), roots[n][:]); err != nil {
				t.Fatalf("inclusion of %d in %d: %v", i, n, err)
			}
			if !ledger.VerifyInclusion(leaf, i, n, path, roots[n]) {
				t.Fatalf("inclusion of %d in %d does not verify", i, n)
			}
			for name, bad := range map[string]bool{
				"other index": ledger.VerifyInclusion(leaf, (i+1)%n, n, path, roots[n]) && n > 1,
				"other leaf":  ledger.VerifyInclusion(hash(7), i, n, path, roots[n]),
				"other root":  ledger.VerifyInclusion(leaf, i, n, path, roots[n-1]),
				"longer path": ledger.VerifyInclusion(leaf, i, n, append(path[:len(path):len(path)], hash(0)), roots[n]),
				"short path":  len(path) > 0 && ledger.VerifyInclusion(leaf, i, n, path[:len(path)-1], roots[n]),
				"outside":     ledger.VerifyInclusion(leaf, n, n, path, roots[n]),
			} {
				if bad {
					t.Fatalf("inclusion of %d in %d verifies with %s", i, n, name)
				}
			}
		}
		for from := range n + 1 {
			path, err := m.Consistency(ctx, from, n)
			if err != nil {
				t.Fatal(err)
			}
			if !ledger.VerifyConsistency(from, n, path, roots[from], roots[n]) {
				t.Fatalf("consistency of %d and %d does not verify", from, n)
			}
			if from == 0 {
				continue // the other library has its own view of the empty tree
			}
			if err := proof.VerifyConsistency(h, from, n, slicesOf(path), roots[from][:], roots[n][:]); err != nil {
				t.Fatalf("consistency of %d and %d: %v", from, n, err)
			}
			for name, bad := range map[string]bool{
				"other old root": ledger.VerifyConsistency(from, n, path, hash(7), roots[n]),
				"other new root": ledger.VerifyConsistency(from, n, path, roots[from], hash(7)),
				"longer path":    ledger.VerifyConsistency(from, n, append(path[:len(path):len(path)], hash(0)), roots[from], roots[n]),
				"backwards":      from < n && ledger.VerifyConsistency(n, from, path, roots[n], roots[from]),
			} {
				if bad {
					t.Fatalf("consistency of %d and %d verifies with %s", from, n, name)
				}
			}
			for i := range path {
				path[i][0] ^= 1
				if ledger.VerifyConsistency(from, n, path, roots[from], roots[n]) {
					t.Fatalf("consistency of %d and %d verifies with hash %d changed", from, n, i)
				}
				path[i][0] ^= 1
			}
		}
	}
}

func TestRangesThatCannotBe(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := unreadable{}
	for _, c := range [][2]uint64{{0, 0}, {5, 5}, {6, 5}, {0, ledger.MaxSize + 1}} {
		if _, err := ledger.InclusionPath(ctx, r, c[0], c[1]); fault.KindOf(err) != fault.Invalid {
			t.Errorf("inclusion of %d in %d: %v", c[0], c[1], err)
		}
	}
	if _, err := ledger.ConsistencyPath(ctx, r, 6, 5); fault.KindOf(err) != fault.Invalid {
		t.Errorf("consistency backwards: %v", err)
	}
	if _, err := ledger.InclusionPath(ctx, r, 2, 5); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a reader's error is lost: %v", err)
	}
	if _, err := ledger.ConsistencyPath(ctx, r, 2, 5); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a reader's error is lost: %v", err)
	}
}

type unreadable struct{}

func (unreadable) Node(context.Context, uint, uint64) (ledger.Hash, error) {
	return ledger.Hash{}, fault.New(fault.Unavailable, "test", "no")
}
