package tile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

const (
	width    = 256 // hashes in a tile, entries in a bundle
	dirMode  = 0o750
	fileMode = 0o640
)

// file is one on its way to its place under the log's folder.
type file struct {
	name string // slash-separated
	data []byte
}

// store writes files so that each is whole or absent after a crash: all to tmp/ and fsynced, then renamed, then the
// folders fsynced. When it returns, all are durable.
func (l *Log) store(files ...file) error {
	temps := make([]string, len(files))
	for i, f := range files {
		temps[i] = l.path("tmp", strconv.Itoa(i)+"-"+filepath.Base(f.name))
		if err := writeSynced(temps[i], f.data); err != nil {
			return err
		}
	}
	folders := map[string]bool{}
	for i, f := range files {
		l.opt.step("rename " + f.name)
		target := l.path(filepath.FromSlash(f.name))
		if err := l.makeFolder(filepath.Dir(target), folders); err != nil {
			return err
		}
		if err := os.Rename(temps[i], target); err != nil {
			return err
		}
	}
	for folder := range folders {
		if err := syncFolder(folder); err != nil {
			return err
		}
	}
	return nil
}

// makeFolder makes a folder below the log's and notes every folder that must be fsynced for it and its files to stay.
func (l *Log) makeFolder(folder string, noted map[string]bool) error {
	if noted[folder] {
		return nil
	}
	noted[folder] = true
	if _, err := os.Stat(folder); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := l.makeFolder(filepath.Dir(folder), noted); err != nil {
		return err
	}
	return os.Mkdir(folder, dirMode)
}

func writeSynced(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// acquire takes the folder for this process alone. The lock goes with the process, however it ends.
func acquire(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := flock(f); err != nil {
		err = fault.Wrap(err, fault.Conflict, "ledger_locked", "another process holds the ledger's folder").
			WithHint("stop the other process; one log has one writer")
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// tileName is the path of a tile (C2SP tlog-tiles): level is "0", "1", … or "entries"; w is the width of a partial tile, or
// 0 for a full one.
func tileName(level string, n uint64, w int) string {
	name := "tile/" + level + "/" + tileNumber(n)
	if w > 0 {
		name += ".p/" + strconv.Itoa(w)
	}
	return name
}

// tileNumber writes 1234067 as x001/x234/067.
func tileNumber(n uint64) string {
	s := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		s = fmt.Sprintf("x%03d/%s", n%1000, s)
	}
	return s
}

// historyName is the path of a published checkpoint: the size in 15 digits, three to a folder, so that names sort as sizes
// and no folder grows beyond a thousand.
func historyName(size uint64) string {
	s := fmt.Sprintf("%015d", size)
	return "checkpoints/" + s[0:3] + "/" + s[3:6] + "/" + s[6:9] + "/" + s[9:12] + "/" + s[12:15]
}

// flock takes a lock. One that is held is tried again for a moment: a process that is being started holds every descriptor of
// its parent between fork and exec, so a lock that was just let go of may live on that long.
func flock(f *os.File) error {
	const patience = 300 * time.Millisecond
	for deadline := time.Now().Add(patience); ; time.Sleep(patience / 10) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			return err
		}
	}
}
