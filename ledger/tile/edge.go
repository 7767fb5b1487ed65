package tile

import (
	"context"
	"strconv"

	"github.com/yinxin-trust/yinxin/ledger"
)

// edge is the right edge of the tree: at each level the hashes of the tile that is not full yet, and the entries of the
// bundle that is not. An edge never changes; extend makes another.
type edge struct {
	size   uint64
	levels [][]ledger.Hash // fewer than 256 each
	bundle []byte          // entries behind their lengths
}

// extension is what a longer edge means on disk.
type extension struct {
	edge  *edge
	files []file
	full  []string // names of tiles and bundles that became full: their partial ones may go
}

// extend appends entries.
func (e *edge) extend(entries []pendingEntry) extension {
	next := &edge{size: e.size, levels: make([][]ledger.Hash, len(e.levels)), bundle: append([]byte(nil), e.bundle...)}
	for i, level := range e.levels {
		next.levels[i] = append(make([]ledger.Hash, 0, width), level...)
	}
	x := extension{edge: next}
	changed := map[int]bool{}
	for _, entry := range entries {
		next.bundle = appendEntry(next.bundle, entry.entry)
		next.size++
		if next.size%width == 0 {
			name := tileName("entries", next.size/width-1, 0)
			x.files = append(x.files, file{name, next.bundle})
			x.full = append(x.full, name)
			next.bundle = nil
		}
		hash := entry.leaf
		for l := 0; ; l++ {
			if l == len(next.levels) {
				next.levels = append(next.levels, make([]ledger.Hash, 0, width))
			}
			next.levels[l] = append(next.levels[l], hash)
			changed[l] = true
			if len(next.levels[l]) < width {
				break
			}
			name := tileName(strconv.Itoa(l), next.size>>(8*uint(l+1))-1, 0)
			x.files = append(x.files, file{name, joinHashes(next.levels[l])})
			x.full = append(x.full, name)
			hash = subtreeRoot(next.levels[l])
			next.levels[l] = make([]ledger.Hash, 0, width)
		}
	}
	if len(next.bundle) > 0 {
		x.files = append(x.files, file{tileName("entries", next.size/width, int(next.size%width)), next.bundle})
	}
	for l, hashes := range next.levels {
		if changed[l] && len(hashes) > 0 {
			n := next.size >> (8 * uint(l+1))
			x.files = append(x.files, file{tileName(strconv.Itoa(l), n, len(hashes)), joinHashes(hashes)})
		}
	}
	return x
}

// root is the root of the tree that ends in this edge.
func (e *edge) root(ctx context.Context) (ledger.Hash, error) {
	return ledger.TreeRoot(ctx, &nodes{edge: e}, e.size)
}

// leaves are the leaf hashes of the bundle that is not full.
func (e *edge) leaves() []ledger.Hash {
	if len(e.levels) == 0 {
		return nil
	}
	return e.levels[0]
}

// subtreeRoot is the root over a power of two of hashes.
func subtreeRoot(hashes []ledger.Hash) ledger.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	mid := len(hashes) / 2
	return ledger.NodeHash(subtreeRoot(hashes[:mid]), subtreeRoot(hashes[mid:]))
}

func joinHashes(hashes []ledger.Hash) []byte {
	b := make([]byte, 0, len(hashes)*32)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

func splitHashes(b []byte) []ledger.Hash {
	hashes := make([]ledger.Hash, len(b)/32)
	for i := range hashes {
		copy(hashes[i][:], b[i*32:])
	}
	return hashes
}
