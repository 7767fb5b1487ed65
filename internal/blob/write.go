package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// write brings data to path by way of a temporary file: at no instant is there a file at path with part of its bytes.
func (f *Folder) write(path string, data []byte) (err error) {
	file, err := os.CreateTemp(f.temporary(), "put-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			if tidy := os.Remove(file.Name()); tidy != nil && !errors.Is(tidy, fs.ErrNotExist) {
				err = errors.Join(err, tidy)
			}
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// makeSubfolder makes ab/cd and returns when both names are durable. It syncs once for each process and sub-folder, even
// where the folder exists, because its maker may have been killed before its own sync.
func (f *Folder) makeSubfolder(name gm.Digest) error {
	key := [2]byte(name[:2])
	f.mu.Lock()
	ready := f.ready[key]
	f.mu.Unlock()
	if ready {
		return nil
	}
	inner := filepath.Dir(f.path(name))
	outer := filepath.Dir(inner)
	for _, dir := range []string{outer, inner} {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := syncFolder(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	f.mu.Lock()
	f.ready[key] = true
	f.mu.Unlock()
	return nil
}

// sweep removes temporary files last written before the time given.
func (f *Folder) sweep(before time.Time) error {
	entries, err := os.ReadDir(f.temporary())
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // its writer finished
		}
		if err != nil {
			return err
		}
		if info.ModTime().Before(before) {
			if err := os.Remove(filepath.Join(f.temporary(), entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func syncFolder(name string) (err error) {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	return dir.Sync()
}
