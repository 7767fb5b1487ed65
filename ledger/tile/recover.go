package tile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

// recover brings the folder and the memory to the state after the last acknowledged entry, from any crash point.
func (l *Log) recover(ctx context.Context) error {
	if err := l.prepareFolder(); err != nil {
		return err
	}
	if err := l.recoverHead(); err != nil {
		return err
	}
	if err := l.recoverEdge(ctx); err != nil {
		return err
	}
	if err := l.recoverCosigned(); err != nil {
		return err
	}
	if err := l.recoverIndex(); err != nil {
		return err
	}
	if err := l.recoverJournal(); err != nil {
		return err
	}
	if l.head.Text == nil { // a new log publishes that it is empty before it takes an entry
		head, err := l.publishHead(ctx, l.edge)
		if err != nil {
			return err
		}
		l.head, l.headAt = head, l.opt.Now()
		if l.trust.Quorum == 0 {
			l.cosigned = head
		}
	}
	for i := range l.witnesses {
		l.witnesses[i].size = l.cosigned.Size
	}
	return nil
}

func (l *Log) prepareFolder() error {
	if err := os.MkdirAll(l.dir, dirMode); err != nil {
		return unavailable(err, "the ledger's folder cannot be made")
	}
	lock, err := acquire(l.path("lock"))
	if err != nil {
		return err
	}
	l.lock = lock
	if err := os.RemoveAll(l.path("tmp")); err != nil {
		return unavailable(err, "the ledger's folder cannot be cleaned")
	}
	for _, name := range []string{"tmp", "journal", "tile", "checkpoints"} {
		if err := os.MkdirAll(l.path(name), dirMode); err != nil {
			return unavailable(err, "the ledger's folder cannot be made")
		}
	}
	if err := errors.Join(syncFolder(l.dir), syncFolder(filepath.Dir(l.dir))); err != nil {
		return unavailable(err, "the ledger's folder cannot be fsynced")
	}
	return nil
}

// recoverHead reads the head and holds it against the history.
func (l *Log) recoverHead() error {
	head, err := l.readCheckpoint("head")
	if err != nil {
		return err
	}
	var newest *ledger.SignedCheckpoint
	_, err = walkHistory(l.path("checkpoints"), 0, 0, func(size uint64) bool {
		newest, err = l.readCheckpoint(historyName(size))
		return false
	})
	if err != nil {
		return err
	}
	switch {
	case head == nil && newest == nil:
		return l.refuseLeftovers()
	case head == nil, newest != nil && head.Size < newest.Size:
		return refuse("ledger_rolled_back", "the ledger's head is older than a checkpoint it has published", nil)
	case newest == nil, head.Size > newest.Size: // a crash between the two
		if err := l.store(file{historyName(head.Size), head.Text}); err != nil {
			return unavailable(err, "the ledger's checkpoint cannot be written")
		}
	case head.Root != newest.Root:
		return refuse("ledger_forked", "the ledger's head and its history differ", nil)
	}
	l.head, l.headAt = *head, l.opt.Now()
	if l.trust.Quorum == 0 {
		l.cosigned = *head
		if err := l.store(file{"checkpoint", head.Text}); err != nil {
			return unavailable(err, "the ledger's checkpoint cannot be written")
		}
	}
	return nil
}

// refuseLeftovers tells a new folder from one whose checkpoints are gone.
func (l *Log) refuseLeftovers() error {
	tiles, err := os.ReadDir(l.path("tile"))
	if err != nil {
		return unavailable(err, "the ledger's folder cannot be read")
	}
	starts, err := l.journals()
	if err != nil {
		return err
	}
	written := len(tiles) > 0 || len(starts) > 1
	if len(starts) == 1 {
		info, err := os.Stat(l.path("journal", journalName(starts[0])))
		if err != nil {
			return unavailable(err, "the ledger's journal cannot be read")
		}
		written = written || info.Size() > 0
	}
	if written {
		return refuse("ledger_head_missing", "the ledger's folder has entries but no checkpoint", nil)
	}
	return nil
}

// readCheckpoint reads a checkpoint of this log; nil if there is no such file.
func (l *Log) readCheckpoint(name string) (*ledger.SignedCheckpoint, error) {
	text, err := os.ReadFile(l.path(filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err, "the ledger's checkpoint cannot be read")
	}
	cp, err := ledger.ParseCheckpoint(text)
	if err != nil {
		return nil, refuse("ledger_checkpoint_damaged", "the ledger's checkpoint is damaged", err)
	}
	r, err := l.trust.Verify(text)
	if err != nil || !r.LogSigned || cp.Origin != l.opt.Origin {
		return nil, refuse("ledger_wrong_key", "the ledger's checkpoint is not signed by this ledger's key", err)
	}
	return &cp, nil
}

// recoverEdge reads the tiles at the right edge of the published tree and checks that they give the head's root.
func (l *Log) recoverEdge(ctx context.Context) error {
	e := &edge{size: l.head.Size}
	for level := 0; e.size>>(8*uint(level)) > 0; level++ {
		count := e.size >> (8 * uint(level))
		w := int(count % width)
		b, err := l.readPartial(strconv.Itoa(level), count/width, w, func(b []byte) ([]byte, error) {
			if len(b) < w*32 {
				return nil, errors.New("the tile is too short")
			}
			return b[:w*32], nil
		})
		if err != nil {
			return err
		}
		e.levels = append(e.levels, splitHashes(b))
	}
	w := int(e.size % width)
	bundle, err := l.readPartial("entries", e.size/width, w, func(b []byte) ([]byte, error) { return cutEntries(b, w) })
	if err != nil {
		return err
	}
	e.bundle = bundle
	if l.head.Text != nil {
		root, err := e.root(ctx)
		if err != nil || root != l.head.Root {
			return refuse("ledger_tiles_damaged", "the ledger's tiles do not give the root of its head", err)
		}
	}
	entries, err := splitEntries(e.bundle, w)
	if err != nil {
		return refuse("ledger_tiles_damaged", "the ledger's latest bundle is damaged", err)
	}
	for i, entry := range entries {
		if ledger.LeafHash(entry) != e.leaves()[i] {
			return refuse("ledger_tiles_damaged", "the ledger's latest bundle does not fit its tile", nil)
		}
	}
	l.edge = e
	return nil
}

// readPartial reads the first w items of a tile that was w wide at the head, from whatever a crash has left: that partial
// tile, a wider one, or the full one. cut takes the items from the bytes.
func (l *Log) readPartial(level string, n uint64, w int, cut func([]byte) ([]byte, error)) ([]byte, error) {
	if w == 0 {
		return nil, nil
	}
	names := []string{tileName(level, n, w)}
	for wider := w + 1; wider < width; wider++ {
		names = append(names, tileName(level, n, wider))
	}
	for _, name := range append(names, tileName(level, n, 0)) {
		b, err := os.ReadFile(l.path(filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			b, err = cut(b)
		}
		if err != nil {
			return nil, refuse("ledger_tiles_damaged", "a tile of the ledger is damaged", err)
		}
		return b, nil
	}
	return nil, refuse("ledger_tiles_missing", "a tile of the ledger is missing", nil)
}

// cutEntries takes the first w entries of a bundle.
func cutEntries(b []byte, w int) ([]byte, error) {
	at := 0
	for range w {
		if len(b) < at+2 {
			return nil, errors.New("the bundle is too short")
		}
		at += 2 + int(b[at])<<8 + int(b[at+1])
		if len(b) < at {
			return nil, errors.New("the bundle is too short")
		}
	}
	return b[:at:at], nil
}

// recoverCosigned finds the latest checkpoint that has its quorum: the file, or a newer one of the history where a crash
// came between the two.
func (l *Log) recoverCosigned() error {
	if l.trust.Quorum == 0 {
		return nil
	}
	shown, err := l.readCheckpoint("checkpoint")
	if err != nil {
		return err
	}
	if shown != nil && shown.Size > l.head.Size {
		return refuse("ledger_rolled_back", "the ledger's head is older than its cosigned checkpoint", nil)
	}
	var failed error
	_, err = walkHistory(l.path("checkpoints"), 0, 0, func(size uint64) bool {
		if shown != nil && size < shown.Size {
			return false
		}
		cp, err := l.readCheckpoint(historyName(size))
		if err != nil {
			failed = err
			return false
		}
		r, err := l.trust.Verify(cp.Text)
		if err == nil && r.Quorum {
			l.cosigned = *cp
			return false
		}
		return true
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	if l.cosigned.Text != nil && (shown == nil || shown.Size < l.cosigned.Size) {
		if err := l.store(file{"checkpoint", l.cosigned.Text}); err != nil {
			return unavailable(err, "the cosigned checkpoint cannot be written")
		}
	}
	return nil
}

// recoverIndex brings the index up to the head, from nothing if it is not this log's.
func (l *Log) recoverIndex() error {
	name := l.path("index.db")
	x, err := openIndex(name)
	if err != nil {
		return unavailable(err, "the ledger's index cannot be opened")
	}
	l.index = x
	size, err := x.size()
	if err != nil {
		return unavailable(err, "the ledger's index cannot be read")
	}
	if size > 0 && !l.indexFits(size) {
		if err := errors.Join(x.close(), os.Remove(name)); err != nil {
			return unavailable(err, "the ledger's index cannot be rebuilt")
		}
		if l.index, err = openIndex(name); err != nil {
			return unavailable(err, "the ledger's index cannot be rebuilt")
		}
		size = 0
	}
	return l.fillIndex(size)
}

// indexFits looks up the first and the last entry of what the index says it holds.
func (l *Log) indexFits(size uint64) bool {
	if size > l.edge.size {
		return false
	}
	for _, i := range []uint64{0, size - 1} {
		bundle, err := l.readBundle(l.edge, i/width)
		if err != nil {
			return false
		}
		at, ok, err := l.index.find(ledger.LeafHash(bundle[i%width]))
		if err != nil || !ok || at != i {
			return false
		}
	}
	return true
}

func (l *Log) fillIndex(from uint64) error {
	const batch = 64 * width
	var leaves []ledger.Hash
	start := from
	for from < l.edge.size {
		bundle, err := l.readBundle(l.edge, from/width)
		if err != nil {
			return err
		}
		for _, entry := range bundle[from%width:] {
			leaves = append(leaves, ledger.LeafHash(entry))
			from++
		}
		if len(leaves) >= batch || from >= l.edge.size {
			if err := l.index.add(start, leaves); err != nil {
				return unavailable(err, "the ledger's index cannot be rebuilt")
			}
			start, leaves = from, leaves[:0]
		}
	}
	return nil
}

// walkHistory calls yield with the sizes of the history, the latest first. It tells whether yield has said no.
func walkHistory(dir string, depth int, prefix uint64, yield func(uint64) bool) (stopped bool, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return true, unavailable(err, "the ledger's history cannot be read")
	}
	for _, f := range slices.Backward(files) {
		n, err := strconv.ParseUint(f.Name(), 10, 64)
		if err != nil || len(f.Name()) != 3 || f.IsDir() != (depth < 4) {
			return true, refuse("ledger_history_damaged", "a strange file stands in the ledger's history", err)
		}
		size := prefix*1000 + n
		if depth == 4 {
			if !yield(size) {
				return true, nil
			}
			continue
		}
		if stopped, err := walkHistory(filepath.Join(dir, f.Name()), depth+1, size, yield); stopped || err != nil {
			return true, err
		}
	}
	return false, nil
}

// refuse is the error for a folder that must not be written to.
func refuse(code, message string, err error) error {
	if err == nil {
		err = errors.New(code)
	}
	return fault.Wrap(fmt.Errorf("refused: %w", err), fault.Conflict, code, message).
		WithHint("stop and look: restore the ledger's folder as it was last published, or ask the witnesses for their checkpoint")
}
