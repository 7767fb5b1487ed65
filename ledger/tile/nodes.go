package tile

import (
	"container/list"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

// nodes reads the tree that ends in an edge: full tiles from disk through the cache, the others from the edge.
type nodes struct {
	log  *Log // nil where only the edge is asked for
	edge *edge
}

// Node is ledger.NodeReader's.
func (r *nodes) Node(_ context.Context, level uint, index uint64) (ledger.Hash, error) {
	tileLevel, sub := int(level/8), level%8
	first := index << sub // in hashes of the tile level
	n, at := first/width, int(first%width)
	edgeTile := r.edge.size >> (8 * uint(tileLevel+1))
	if n == edgeTile && tileLevel < len(r.edge.levels) {
		hashes := r.edge.levels[tileLevel]
		if at+1<<sub > len(hashes) {
			return ledger.Hash{}, outOfRange()
		}
		return subtreeRoot(hashes[at : at+1<<sub]), nil
	}
	if n >= edgeTile || r.log == nil {
		return ledger.Hash{}, outOfRange()
	}
	tree, err := r.log.cache.get(tileKey{tileLevel, n}, r.log.readTile)
	if err != nil {
		return ledger.Hash{}, err
	}
	return tree[sub][at>>sub], nil
}

func outOfRange() error { return fault.New(fault.Invalid, "ledger_range", "the log has no such range") }

type tileKey struct {
	level int
	n     uint64
}

// tileTree is a full tile with the nodes inside it, which are not stored: row k has the roots over 2^k hashes.
type tileTree [8][]ledger.Hash

func (l *Log) readTile(k tileKey) (*tileTree, error) {
	name := tileName(strconv.Itoa(k.level), k.n, 0)
	b, err := os.ReadFile(l.path(filepath.FromSlash(name)))
	if err != nil {
		return nil, unavailable(err, "a tile of the ledger cannot be read")
	}
	if len(b) != width*32 {
		return nil, unavailable(fmt.Errorf("%s has %d bytes", name, len(b)), "a tile of the ledger is damaged")
	}
	var t tileTree
	t[0] = splitHashes(b)
	for k := 1; k < len(t); k++ {
		t[k] = make([]ledger.Hash, len(t[k-1])/2)
		for i := range t[k] {
			t[k][i] = ledger.NodeHash(t[k-1][2*i], t[k-1][2*i+1])
		}
	}
	return &t, nil
}

// tileCache keeps the tiles that were used last. A full tile never changes.
type tileCache struct {
	mu    sync.Mutex
	limit int
	order *list.List // of *cachedTile, the latest first
	tiles map[tileKey]*list.Element
}

type cachedTile struct {
	key  tileKey
	tree *tileTree
}

func newTileCache(limit int) *tileCache {
	return &tileCache{limit: limit, order: list.New(), tiles: map[tileKey]*list.Element{}}
}

func (c *tileCache) get(k tileKey, read func(tileKey) (*tileTree, error)) (*tileTree, error) {
	c.mu.Lock()
	if e, ok := c.tiles[k]; ok {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(*cachedTile).tree, nil
	}
	c.mu.Unlock()
	t, err := read(k)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.tiles[k]; !ok {
		c.tiles[k] = c.order.PushFront(&cachedTile{k, t})
		if c.order.Len() > c.limit {
			last := c.order.Remove(c.order.Back()).(*cachedTile)
			delete(c.tiles, last.key)
		}
	}
	return t, nil
}
