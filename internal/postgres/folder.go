package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

const (
	lockName      = "lock"
	socketLimit   = 100 // a unix socket's path must stay under 108 bytes with its lock file's suffix
	logLimit      = 16 << 20
	socketPattern = "yinxin-pg-"
)

// prepareDir makes the cluster's folder. When we are root it stays root's, and the server's user may only pass
// through: what it may write are the data and the socket's folder, so that it can never trick us into writing
// elsewhere through a link of its own.
func (c *Cluster) prepareDir() error {
	mode := fs.FileMode(0o700)
	if c.owner.credential != nil {
		mode = 0o711
	}
	if err := os.MkdirAll(c.opts.Dir, mode); err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "the folder for PostgreSQL cannot be made")
	}
	entries, err := os.ReadDir(c.opts.Dir)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "the folder for PostgreSQL cannot be read")
	}
	ours := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == lockName })
	if len(entries) > 0 && !ours {
		return fault.New(fault.Invalid, "postgres_dir_foreign", fmt.Sprintf("the folder %s holds something else than a PostgreSQL cluster of ours", c.opts.Dir)).
			WithHint("name a new or an empty folder")
	}
	if err := os.Chmod(c.opts.Dir, mode); err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "the folder for PostgreSQL cannot be closed to others")
	}
	return nil
}

// prepareSocket makes the folder that only the server's user may enter. It stands in the cluster's folder unless
// that would make the socket's path too long for the kernel.
func (c *Cluster) prepareSocket() error {
	beside := filepath.Join(c.opts.Dir, "run")
	if err := os.RemoveAll(beside); err != nil { // sockets of an earlier run
		return fault.Wrap(err, fault.Internal, "postgres_dir", "an earlier socket folder cannot be removed")
	}
	if len(filepath.Join(beside, ".s.PGSQL.5432")) <= socketLimit {
		if err := c.owner.mkdir(beside); err != nil {
			return err
		}
		// From its data folder the server goes there without passing what stands above.
		c.socket, c.listen = beside, "../run"
		return nil
	}
	// The name is noted, so that the next start can remove what a killed run left behind.
	note := filepath.Join(c.opts.Dir, "socket-folder")
	if old, err := os.ReadFile(note); err == nil && strings.HasPrefix(filepath.Base(string(old)), socketPattern) {
		if err := os.RemoveAll(string(old)); err != nil {
			return fault.Wrap(err, fault.Internal, "postgres_dir", "an earlier socket folder cannot be removed")
		}
	}
	parent := os.TempDir()
	if c.owner.closedParent(parent) != "" {
		parent = "/tmp"
	}
	short, err := os.MkdirTemp(parent, socketPattern)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "a folder for the PostgreSQL socket cannot be made")
	}
	c.socket, c.listen = short, short
	if n := len(filepath.Join(short, ".s.PGSQL.5432")); n > socketLimit {
		return fault.New(fault.Invalid, "postgres_socket_path", fmt.Sprintf("the path of the PostgreSQL socket is %d bytes long, the limit is %d", n, socketLimit)).
			WithHint("set TMPDIR to a short path such as /tmp")
	}
	if err := c.owner.take(short); err != nil {
		return err
	}
	if err := os.WriteFile(note, []byte(short), 0o600); err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "the place of the PostgreSQL socket cannot be noted")
	}
	return nil
}

// lockDir takes the folder for this process. The lock is the kernel's: it ends with us, however we end.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "postgres_dir", "the lock file of the PostgreSQL folder cannot be opened")
	}
	if err := flock(f); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.Wrap(err, fault.Conflict, "postgres_dir_in_use", fmt.Sprintf("another running process uses the PostgreSQL cluster in %s", dir)).
				WithHint("stop the other process, or name another data folder")
		}
		return nil, fault.Wrap(err, fault.Internal, "postgres_dir", "the PostgreSQL folder cannot be locked")
	}
	return f, nil
}

// stopOrphans ends the servers that a killed run left in any of the data folders; the caller holds the folder's
// lock, so nobody living owns them. A pid file that no process of that folder stands behind is from before a crash
// of the machine: it is removed, because its number may by now be somebody else's.
func stopOrphans(ctx context.Context, dirs ...string) error {
	for _, dir := range dirs {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, step := range []struct {
			signal  syscall.Signal
			patient time.Duration
		}{{syscall.SIGINT, 60 * time.Second}, {syscall.SIGQUIT, 10 * time.Second}, {syscall.SIGKILL, 10 * time.Second}} {
			gone, err := signalServers(ctx, dir, step.signal, step.patient)
			if err != nil {
				return err
			}
			if gone {
				break
			}
			if step.signal == syscall.SIGKILL {
				return fault.New(fault.Unavailable, "postgres_orphan", "a PostgreSQL server of an earlier run does not end")
			}
		}
		if err := os.Remove(filepath.Join(dir, "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.Wrap(err, fault.Internal, "postgres_orphan", "the pid file of an earlier PostgreSQL server cannot be removed")
		}
	}
	return nil
}

// signalServers tells the server of a data folder to end and waits until none of its processes is left.
func signalServers(ctx context.Context, dir string, sig syscall.Signal, patience time.Duration) (gone bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	first := true
	for {
		pids, err := serversIn(dir)
		if err != nil {
			return false, fault.Wrap(err, fault.Internal, "postgres_orphan", "it cannot be told whether an earlier PostgreSQL server is still running")
		}
		if len(pids) == 0 {
			return true, nil
		}
		if main := pidFile(dir); first && slices.Contains(pids, main) {
			pids = []int{main} // it tells its children itself
		}
		for _, pid := range pids {
			if !first {
				break
			}
			if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
				return false, fault.Wrap(err, fault.Internal, "postgres_orphan", "a PostgreSQL server of an earlier run may not be stopped by this user")
			}
		}
		first = false
		select {
		case <-ctx.Done():
			return false, nil
		case <-tick.C:
		}
	}
}

// pidFile is the first line of postmaster.pid, or 0.
func pidFile(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0
	}
	return pid
}

// RemoveCluster deletes a cluster's folder and ends what still runs there. A folder in use is refused.
func RemoveCluster(ctx context.Context, dir string) error {
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := stopOrphans(ctx, filepath.Join(dir, "data"), filepath.Join(dir, "data.new")); err != nil {
		return err
	}
	if short, err := os.ReadFile(filepath.Join(dir, "socket-folder")); err == nil && strings.HasPrefix(filepath.Base(string(short)), socketPattern) {
		if err := os.RemoveAll(string(short)); err != nil {
			return fault.Wrap(err, fault.Internal, "postgres_dir", "the socket folder cannot be removed")
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "the folder of the PostgreSQL cluster cannot be removed")
	}
	return nil
}

// openLog opens the server's log, keeping one older file when it has grown.
func openLog(name string) (*os.File, error) {
	if info, err := os.Lstat(name); err == nil && info.Size() > logLimit {
		if err := os.Rename(name, name+".1"); err != nil {
			return nil, fault.Wrap(err, fault.Internal, "postgres_log", "the log of the PostgreSQL server cannot be put aside")
		}
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "postgres_log", "the log of the PostgreSQL server cannot be opened")
	}
	return f, nil
}

// logTail is the end of the server's log, for our own.
func logTail(name string) string {
	f, err := os.Open(name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > tailSize {
		if _, err := f.Seek(-tailSize, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, tailSize))
	if err != nil {
		return err.Error()
	}
	return tail(b)
}

const tailSize = 2048

func tail(b []byte) string {
	if len(b) > tailSize {
		b = b[len(b)-tailSize:]
	}
	return strings.TrimSpace(string(b))
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
