package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// common is one demonstration that the tests of this package share: they differ in what they ask, not in what they need.
type common struct {
	once sync.Once
	dir  string
	run  *running
}

var commonDemo common //nolint:gochecknoglobals // one process for the tests of the package, ended by TestMain

// shared gives the demonstration that all tests share, with a fresh token.
func shared(t testing.TB) *running {
	t.Helper()
	commonDemo.once.Do(func() {
		dir, err := os.MkdirTemp("", "yinxin-demo")
		if err != nil {
			t.Fatal(err)
		}
		commonDemo.dir = dir
		commonDemo.run = startDemoUntil(t, dir, freeAddr(t), func(func()) {})
	})
	if commonDemo.run == nil {
		t.Fatal("the shared demonstration did not start")
	}
	r := *commonDemo.run
	r.t = t
	if err := r.login(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestMain(m *testing.M) {
	code := m.Run()
	if commonDemo.run != nil {
		commonDemo.run.kill()
	}
	if commonDemo.dir != "" {
		if err := os.RemoveAll(commonDemo.dir); err != nil {
			code = 1
		}
	}
	if path, err := binary(); err == nil {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			code = 1
		}
	}
	os.Exit(code)
}
