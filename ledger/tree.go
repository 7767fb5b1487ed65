package ledger

import (
	"context"
	"math/bits"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// LeafHash is SM3(0x00 ‖ entry): the leaf of RFC 6962 §2.1 with SM3, and the id of the entry.
func LeafHash(entry []byte) Hash { return gm.SM3([]byte{0}, entry) }

// NodeHash is SM3(0x01 ‖ left ‖ right): the inner node of RFC 6962 §2.1 with SM3.
func NodeHash(left, right Hash) Hash {
	var b [65]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return gm.SM3(b[:])
}

// EmptyRoot is the root of a log without entries: SM3 of nothing.
func EmptyRoot() Hash { return gm.SM3(nil) }

// Frontier (右缘) is the right edge of a growing tree: all that is needed to append leaves and to know the root. The zero
// value is the empty tree.
type Frontier struct {
	size  uint64
	nodes []Hash // roots of the complete subtrees, the largest first: one for each bit of size
}

// Append adds a leaf.
func (f *Frontier) Append(leaf Hash) {
	for s := f.size; s&1 == 1; s >>= 1 {
		last := len(f.nodes) - 1
		leaf = NodeHash(f.nodes[last], leaf)
		f.nodes = f.nodes[:last]
	}
	f.nodes = append(f.nodes, leaf)
	f.size++
}

// Size is the number of leaves so far.
func (f *Frontier) Size() uint64 { return f.size }

// Root is the root of the tree so far.
func (f *Frontier) Root() Hash {
	if f.size == 0 {
		return EmptyRoot()
	}
	root := f.nodes[len(f.nodes)-1]
	for i := len(f.nodes) - 2; i >= 0; i-- {
		root = NodeHash(f.nodes[i], root)
	}
	return root
}

// NodeReader gives the root of a complete subtree: of the 2^level leaves from index·2^level on.
type NodeReader interface {
	Node(ctx context.Context, level uint, index uint64) (Hash, error)
}

// TreeRoot is the root of the first size leaves.
func TreeRoot(ctx context.Context, r NodeReader, size uint64) (Hash, error) {
	if size == 0 {
		return EmptyRoot(), nil
	}
	return subtree(ctx, r, 0, size)
}

// InclusionPath is PATH(index, D[size]) of RFC 6962 §2.1.1, lowest sibling first.
func InclusionPath(ctx context.Context, r NodeReader, index, size uint64) ([]Hash, error) {
	if index >= size || size > MaxSize {
		return nil, badRange()
	}
	var path []Hash // from the root downwards, turned around at the end
	for lo, hi := uint64(0), size; hi-lo > 1; {
		mid := lo + split(hi-lo)
		var sibling Hash
		var err error
		if index < mid {
			sibling, err = subtree(ctx, r, mid, hi)
			hi = mid
		} else {
			sibling, err = subtree(ctx, r, lo, mid)
			lo = mid
		}
		if err != nil {
			return nil, err
		}
		path = append(path, sibling)
	}
	for i, j := 0, len(path)-1; i < j; i, j = i+1, j-1 {
		path[i], path[j] = path[j], path[i]
	}
	return path, nil
}

// ConsistencyPath is PROOF(from, D[to]) of RFC 6962 §2.1.2; empty for from = 0 and for from = to.
func ConsistencyPath(ctx context.Context, r NodeReader, from, to uint64) ([]Hash, error) {
	if from > to || to > MaxSize {
		return nil, badRange()
	}
	if from == 0 || from == to {
		return nil, nil
	}
	return consistency(ctx, r, from, 0, to, true)
}

func consistency(ctx context.Context, r NodeReader, m, lo, hi uint64, whole bool) ([]Hash, error) {
	if m == hi-lo {
		if whole {
			return nil, nil
		}
		h, err := subtree(ctx, r, lo, hi)
		return []Hash{h}, err
	}
	k := split(hi - lo)
	var path []Hash
	var other Hash
	var err error
	if m <= k {
		if path, err = consistency(ctx, r, m, lo, lo+k, whole); err == nil {
			other, err = subtree(ctx, r, lo+k, hi)
		}
	} else {
		if path, err = consistency(ctx, r, m-k, lo+k, hi, false); err == nil {
			other, err = subtree(ctx, r, lo, lo+k)
		}
	}
	if err != nil {
		return nil, err
	}
	return append(path, other), nil
}

// subtree is MTH(D[lo:hi]) where lo is a multiple of the least power of two that holds hi-lo, as in all of RFC 6962's
// recursions: complete subtrees are read, the ragged right edge is computed.
func subtree(ctx context.Context, r NodeReader, lo, hi uint64) (Hash, error) {
	n := hi - lo
	if n&(n-1) == 0 {
		level := uint(bits.TrailingZeros64(n))
		return r.Node(ctx, level, lo>>level)
	}
	k := split(n)
	left, err := subtree(ctx, r, lo, lo+k)
	if err != nil {
		return Hash{}, err
	}
	right, err := subtree(ctx, r, lo+k, hi)
	if err != nil {
		return Hash{}, err
	}
	return NodeHash(left, right), nil
}

// split is the largest power of two below n, for n > 1.
func split(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

func badRange() error {
	return fault.New(fault.Invalid, "ledger_range", "the log has no such range")
}
