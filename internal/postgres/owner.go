package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// owner is the system user that runs the server: ourselves, or an unprivileged one when we are root, because
// PostgreSQL refuses to run as root.
type owner struct {
	name       string
	credential *syscall.Credential // nil: ourselves
}

func ownerFor(name string) (*owner, error) {
	if os.Geteuid() != 0 {
		return &owner{name: "this user"}, nil
	}
	names := []string{"postgres", "nobody"}
	if name != "" {
		names = []string{name}
	}
	for _, n := range names {
		u, err := user.Lookup(n)
		if err != nil {
			continue
		}
		uid, errU := strconv.ParseUint(u.Uid, 10, 32)
		gid, errG := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errU, errG); err != nil || uid == 0 {
			return nil, fault.Wrap(err, fault.Invalid, "postgres_user", fmt.Sprintf("the system user %s cannot run PostgreSQL", n))
		}
		return &owner{name: n, credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, fault.New(fault.Invalid, "postgres_user", fmt.Sprintf("there is no system user %s to run PostgreSQL", strings.Join(names, " or "))).
		WithHint("PostgreSQL does not run as root: start as an ordinary user, or install it with apt-get install postgresql, which makes the user postgres")
}

// mkdir makes a folder that only the owner may enter.
func (o *owner) mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "a folder for PostgreSQL cannot be made")
	}
	return o.take(dir)
}

func (o *owner) take(dir string) error {
	if o.credential == nil {
		return nil
	}
	if err := os.Lchown(dir, int(o.credential.Uid), int(o.credential.Gid)); err != nil {
		return fault.Wrap(err, fault.Internal, "postgres_dir", "a folder cannot be given to the user that runs PostgreSQL")
	}
	return nil
}

// run prepares a program of the server's, to run as the owner inside dir, which it is told as its data folder.
//
// When we are root, dir may stand below folders that the owner may not pass, as /root is, or what mktemp makes. So
// the child does not walk there: it inherits a descriptor that we opened, and names the folder by that.
func (o *owner) run(ctx context.Context, death syscall.Signal, program, dir string, args ...string) (_ *exec.Cmd, done func(), err error) {
	cmd := exec.CommandContext(ctx, program)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", environment(), o.attr(death)
	done = func() {}
	if o.credential != nil && magicLinks() {
		d, err := os.Open(dir)
		if err != nil {
			return nil, nil, fault.Wrap(err, fault.Internal, "postgres_dir", "a folder of PostgreSQL cannot be opened")
		}
		cmd.ExtraFiles, done = []*os.File{d}, func() { d.Close() }
		dir = "/proc/self/fd/3" // the first after the three standard ones
	}
	cmd.Args = append(append([]string{program}, "-D", dir), args...)
	return cmd, done, nil
}

// magicLinks says whether the kernel shows each process its own descriptors.
func magicLinks() bool {
	_, err := os.Readlink("/proc/self/fd/0")
	return err == nil
}

// reachable refuses a folder that the owner cannot get to, where there is no other way than walking there.
func (o *owner) reachable(dir string) error {
	at := o.closedParent(dir)
	if at == "" || magicLinks() {
		return nil
	}
	return fault.New(fault.Invalid, "postgres_dir_closed", fmt.Sprintf("the user %s, who runs PostgreSQL, may not pass through %s", o.name, at)).
		WithHint(fmt.Sprintf("choose a data folder outside %s, for example under /var/lib, or allow passing with: chmod o+x %s", at, at))
}

// closedParent is the highest folder on the way into dir that the owner may not pass through, as far as the mode bits tell.
func (o *owner) closedParent(dir string) string {
	if o.credential == nil {
		return ""
	}
	closed := ""
	for at := dir; ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil {
			bit := fs.FileMode(0o001)
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				switch {
				case st.Uid == o.credential.Uid:
					bit = 0o100
				case st.Gid == o.credential.Gid:
					bit = 0o010
				}
			}
			if info.Mode()&bit == 0 {
				closed = at
			}
		}
		if at == filepath.Dir(at) {
			return closed
		}
	}
}

// environment is what the server's processes get to see: nothing of ours, and above all no PG* variable that would
// send them elsewhere.
func environment() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "LANG=C.UTF-8", "TZ=UTC"}
}
