package soft

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// disk is the steps of an exchange of the file, each of which a power cut or a kill may be the last.
type disk interface {
	// writeNew makes the file, which must not exist, mode 0600, and returns when its bytes are durable.
	writeNew(name string, data []byte) (os.FileInfo, error)
	rename(from, to string) error
	// syncFolder returns when the folder's names are durable.
	syncFolder(name string) error
	remove(name string) error
}

type osDisk struct{}

func (osDisk) writeNew(name string, data []byte) (_ os.FileInfo, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return nil, err
	}
	if err := f.Sync(); err != nil {
		return nil, err
	}
	return f.Stat()
}

func (osDisk) rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) syncFolder(name string) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

func (osDisk) remove(name string) error { return os.Remove(name) }

// write exchanges the file for one that holds entries: either the old file stands afterwards or the new one, whole.
// The caller holds writing (or is alone with p).
func (p *Provider) write(entries map[hsm.Ref]*entry) error {
	if p.last != nil {
		if err := p.unchanged(); err != nil {
			return err
		}
	}
	body, err := encodeEntries(entries)
	if err != nil {
		return err
	}
	defer clear(body)
	data, err := p.head.seal(p.root, body)
	if err != nil {
		return err
	}
	info, err := p.disk.writeNew(p.temporary(), data)
	if err == nil {
		err = p.disk.rename(p.temporary(), p.path)
	}
	if err != nil {
		if tidy := p.disk.remove(p.temporary()); tidy != nil && !os.IsNotExist(tidy) {
			err = errors.Join(err, tidy)
		}
		return ioFault(err, "the key file cannot be written; its old content stands")
	}
	// From here the new file is visible. Should the folder not sync, it may be gone after a power cut: its keys must not
	// be used, and nothing may be written on top, because after one failed fsync a later success means nothing.
	if err := p.disk.syncFolder(filepath.Dir(p.path)); err != nil {
		p.mu.Lock()
		p.stuck = err
		p.mu.Unlock()
		return stuck(err)
	}
	p.last = info
	return nil
}

// unchanged is nil while the file is the one that we read or wrote. A backup restored under a running service would
// otherwise be overwritten by its next key.
func (p *Provider) unchanged() error {
	now, err := os.Lstat(p.path)
	if err != nil {
		return replaced(err)
	}
	if !os.SameFile(p.last, now) || now.Size() != p.last.Size() || !now.ModTime().Equal(p.last.ModTime()) {
		return replaced(errors.New("another file stands at its path"))
	}
	return nil
}

func replaced(cause error) error {
	return fault.Wrap(cause, fault.Conflict, CodeReplaced, "the key file was exchanged or removed while in use").
		WithHint("stop the service, put the right key file in place, and start again")
}

// readKeyFile reads a regular file of bounded size that only its owner can read.
func readKeyFile(path string) (_ []byte, _ os.FileInfo, err error) {
	seen, err := os.Lstat(path)
	if os.IsNotExist(err) {
		return nil, nil, fault.Wrap(err, fault.NotFound, CodeAbsent, "there is no key file at this path")
	}
	if err != nil {
		return nil, nil, ioFault(err, "the key file cannot be read")
	}
	if !seen.Mode().IsRegular() { // a link would be replaced by a file at the next write
		return nil, nil, fault.New(fault.Invalid, CodeNotFile, "the path of the key file is not a regular file").
			WithHint("name the file itself, not a link or a folder")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, nil, ioFault(err, "the key file cannot be read")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, ioFault(err, "the key file cannot be read")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, nil, fault.Wrap(fmt.Errorf("mode %04o", info.Mode().Perm()), fault.Invalid, CodeModeOpen,
			"others may read or write the key file").WithHint("chmod 600 on the key file, and ask who may have copied it")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, nil, ioFault(err, "the key file cannot be read")
	}
	return data, info, nil
}

// lockPatience is how long a held lock is tried.
const lockPatience = 300 * time.Millisecond

// takeLock holds the side file for as long as it stays open. The kernel frees it with the process, however that dies; the
// side file itself stays, because removing it would let two writers lock two files of one name.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, ioFault(err, "the lock beside the key file cannot be opened")
	}
	// A lock that we have just let go of may live on for a moment in a process that is being started: between fork and exec
	// a child holds every descriptor of its parent. So a lock that is held is tried again, briefly.
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(lockPatience / 10) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fault.Wrap(err, fault.Conflict, CodeLocked, "the key file is in use by another process").
			WithHint("stop the other yinxin that uses it (fuser names it), or give this one a key file of its own")
	}
	return nil, ioFault(err, "the key file cannot be locked")
}
