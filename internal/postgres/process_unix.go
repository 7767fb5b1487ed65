//go:build unix && !linux

package postgres

import (
	"errors"
	"syscall"
)

// attr starts a child as the owner, in a process group of its own. Here the kernel does not end it with us; the next
// start does.
func (o *owner) attr(syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: o.credential}
}

// serversIn is the server that the data folder's pid file names, when it lives.
func serversIn(dir string) ([]int, error) {
	pid := pidFile(dir)
	if pid <= 1 {
		return nil, nil
	}
	if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) || errors.Is(err, syscall.EPERM) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return []int{pid}, nil
}
