// Package blob keeps sealed license files in a folder, each under the SM3 of its bytes. Whoever stores a file seals it first,
// under a key of its own, so that destroying that key destroys the file wherever copies lie. The store is not trusted:
// whoever changes a file in it can make it unreadable, never other than it was.
package blob

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// The codes of this package.
const (
	CodeUnknown    = "blob_unknown"     // NotFound: no file of this name
	CodeDamaged    = "blob_damaged"     // Internal: the stored bytes do not have their digest
	CodeTooLarge   = "blob_too_large"   // TooLarge: over the store's limit
	CodeEmpty      = "blob_empty"       // Invalid: no bytes to store
	CodeIO         = "blob_io"          // Unavailable: the disk refuses, or the caller went away
	CodeSealedForm = "blob_sealed_form" // Invalid: no sealed file of a version that we know
	CodeSealedOpen = "blob_sealed_open" // Invalid: the sealed file and its key, or its aad, do not belong together
)

// DefaultMaxSize is the greatest file of a store that names no limit: 32 MiB.
const DefaultMaxSize = 32 << 20

// unfinishedAge is when a temporary file cannot belong to a living writer any more.
const unfinishedAge = time.Hour

// Folder is a store in a folder of the local disk: ab/cd/abcd…, 64 hexadecimal digits, mode 0600. It is safe for
// concurrent use, also by several processes.
type Folder struct {
	root    string
	maxSize int

	mu    sync.Mutex
	ready map[[2]byte]bool // sub-folders known to be durable; at most 65,536
}

// Open takes a folder into use, making it (not its parents) when it is not there. maxSize 0 means DefaultMaxSize. It
// sweeps what writers that were killed left behind.
func Open(root string, maxSize int) (*Folder, error) {
	if maxSize == 0 {
		maxSize = DefaultMaxSize
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, ioFault(err, "the path of the file store cannot be used")
	}
	f := &Folder{root: abs, maxSize: maxSize, ready: map[[2]byte]bool{}}
	for _, dir := range []string{abs, f.temporary()} {
		err := os.Mkdir(dir, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, ioFault(err, "the folder of the file store cannot be made")
		}
		if err := syncFolder(filepath.Dir(dir)); err != nil {
			return nil, ioFault(err, "the folder of the file store cannot be made durable")
		}
	}
	if err := f.sweep(time.Now().Add(-unfinishedAge)); err != nil {
		return nil, ioFault(err, "unfinished files of the store cannot be swept")
	}
	return f, nil
}

func (f *Folder) temporary() string { return filepath.Join(f.root, "unfinished") }

func (f *Folder) path(name gm.Digest) string {
	digits := hex.EncodeToString(name[:])
	return filepath.Join(f.root, digits[:2], digits[2:4], digits)
}

// Put stores data and gives its name, the SM3 of data, once it is durable. Storing the same bytes again is no error, and
// repairs a damaged file.
func (f *Folder) Put(ctx context.Context, data []byte) (gm.Digest, error) {
	if err := live(ctx); err != nil {
		return gm.Digest{}, err
	}
	if len(data) == 0 {
		return gm.Digest{}, fault.New(fault.Invalid, CodeEmpty, "an empty file is not stored")
	}
	if len(data) > f.maxSize {
		return gm.Digest{}, f.tooLarge(int64(len(data)))
	}
	name := gm.SM3(data)
	if err := f.makeSubfolder(name); err != nil {
		return gm.Digest{}, ioFault(err, "the file store cannot be written")
	}
	path := f.path(name)
	if _, err := f.Get(ctx, name); err == nil {
		// Another writer may have renamed it and not yet have synced the folder: our answer must not run ahead of that.
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return gm.Digest{}, ioFault(err, "the file store cannot be written")
		}
		return name, nil
	}
	if err := f.write(path, data); err != nil {
		return gm.Digest{}, ioFault(err, "the file store cannot be written")
	}
	return name, nil
}

// Get reads a file and checks its digest.
func (f *Folder) Get(ctx context.Context, name gm.Digest) (_ []byte, err error) {
	if err := live(ctx); err != nil {
		return nil, err
	}
	file, err := os.Open(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fmt.Errorf("blob %x", name), fault.NotFound, CodeUnknown, "the file is not in the store")
	}
	if err != nil {
		return nil, ioFault(err, "the file store cannot be read")
	}
	defer func() {
		if closing := file.Close(); closing != nil && err == nil {
			err = ioFault(closing, "the file store cannot be read")
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, ioFault(err, "the file store cannot be read")
	}
	if info.Size() > int64(f.maxSize) {
		return nil, f.tooLarge(info.Size())
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, ioFault(err, "the file store cannot be read")
	}
	if gm.SM3(data) != name {
		return nil, fault.Wrap(fmt.Errorf("blob %x has other bytes", name), fault.Internal, CodeDamaged, "a file in the store is damaged").
			WithHint("restore the file of this name from a backup; its name is its digest, so any whole copy is the right one")
	}
	return data, nil
}

// Has reports whether there is a file of this name, without reading it.
func (f *Folder) Has(ctx context.Context, name gm.Digest) (bool, error) {
	if err := live(ctx); err != nil {
		return false, err
	}
	_, err := os.Stat(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, ioFault(err, "the file store cannot be read")
	}
	return true, nil
}

// Delete removes a file and returns once that is durable. Afterwards there is none of this name, as there may have been
// none before: a repeated Delete is no error.
func (f *Folder) Delete(ctx context.Context, name gm.Digest) error {
	if err := live(ctx); err != nil {
		return err
	}
	path := f.path(name)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioFault(err, "the file cannot be removed from the store")
	}
	if err := syncFolder(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioFault(err, "the file cannot be removed from the store")
	}
	return nil
}

// Each calls visit with every name, in ascending order, and stops at its first error. Whoever audits the store compares
// the names with those that the licenses hold.
func (f *Folder) Each(ctx context.Context, visit func(name gm.Digest) error) error {
	return filepath.WalkDir(f.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && path != f.root { // removed while we walk
				return nil
			}
			return ioFault(err, "the file store cannot be read")
		}
		if err := live(ctx); err != nil {
			return err
		}
		if entry.IsDir() {
			if path == f.temporary() {
				return fs.SkipDir
			}
			return nil
		}
		digits, err := hex.DecodeString(entry.Name())
		if err != nil || len(digits) != len(gm.Digest{}) || path != f.path(gm.Digest(digits)) {
			return nil // not ours: an administrator's note, a file system's lost+found
		}
		return visit(gm.Digest(digits))
	})
}

func (f *Folder) tooLarge(size int64) error {
	return fault.New(fault.TooLarge, CodeTooLarge, fmt.Sprintf("a file of %d bytes is over the store's limit of %d", size, f.maxSize))
}

func live(ctx context.Context) error {
	if ctx.Err() != nil {
		return ioFault(context.Cause(ctx), "the request ended before the file store could answer")
	}
	return nil
}

func ioFault(cause error, message string) error {
	return fault.Wrap(cause, fault.Unavailable, CodeIO, message)
}
