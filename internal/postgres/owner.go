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

// probe runs the server's binary as the owner, in the folder, which tells whether it may go there at all.
func (o *owner) probe(ctx context.Context, bin, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, environment(), o.attr(0)
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		at := o.closedParent(dir)
		if at == "" {
			at = dir
		}
		return fault.Wrap(err, fault.Invalid, "postgres_dir_closed", fmt.Sprintf("the user %s, who runs PostgreSQL, may not pass through %s", o.name, at)).
			WithHint(fmt.Sprintf("choose a data folder outside %s, for example under /var/lib, or allow passing with: chmod o+x %s", at, at))
	}
	return fault.Wrap(fmt.Errorf("%w: %s", err, tail(out)), fault.Internal, "postgres_start", "the PostgreSQL server binary does not run")
}

// closedParent is the highest folder above dir that the owner may not pass through, as far as the mode bits tell.
func (o *owner) closedParent(dir string) string {
	if o.credential == nil {
		return ""
	}
	closed := ""
	for at := filepath.Dir(dir); ; at = filepath.Dir(at) {
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
