package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// stage is where all tests of this process play: the commands, built once, and one folder of data, which the story's own
// demonstration fills and the browser's continues with.
type stage struct{ bin, folder string }

var (
	theater  string // the folder of the stage, made and removed by TestMain
	theStage = sync.OnceValues(build)
)

func TestMain(m *testing.M) { os.Exit(play(m)) }

func play(m *testing.M) (status int) {
	var err error
	if theater, err = os.MkdirTemp("", "yinxin-story-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(theater); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}()
	return m.Run()
}

// build builds the commands as `make build` does.
func build() (stage, error) {
	// The private PostgreSQL server may run as another user, who must be able to pass.
	if err := os.Chmod(theater, 0o755); err != nil {
		return stage{}, err
	}
	s := stage{bin: filepath.Join(theater, "bin"), folder: filepath.Join(theater, "story")}
	if err := errors.Join(os.Mkdir(s.bin, 0o755), os.Mkdir(s.folder, 0o755), look("../..")); err != nil {
		return s, err
	}
	cmd := exec.Command("go", "build", "-o", s.bin+"/", "./cmd/yinxin", "./cmd/yinxin-story", "./cmd/yinxin-verify")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return s, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return s, nil
}

// look reads the sources in this process: only so does the test runner see that a result which it remembers is of others.
func look(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin" || name == "data" || name == "story") {
			return fs.SkipDir
		}
		if d.Type().IsRegular() && !strings.HasSuffix(path, "_test.go") {
			if _, err := os.Stat(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return nil
	})
}

// onStage gives the stage, or fails with what the compiler said.
func onStage(t *testing.T) stage {
	t.Helper()
	s, err := theStage()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// command runs one of the built commands and gives what it said and its exit status.
func (s stage) command(t *testing.T, name string, args ...string) (stdout, stderr []byte, status int) {
	t.Helper()
	var out, talk bytes.Buffer
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Stdout, cmd.Stderr = &out, &talk
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.Bytes(), talk.Bytes(), cmd.ProcessState.ExitCode()
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no folder", nil, "yinxin-story -out DIR"},
		{"a word too many", []string{"-out", "x", "y"}, `"y" is one word too many`},
		{"an unknown flag", []string{"-bout", "x"}, "yinxin-story -h lists them"},
		{"no Chromium", []string{"-out", t.TempDir(), "-headless-chromium", "/nowhere/chromium"}, "install the Debian package chromium"},
		{"no demonstration", []string{"-out", t.TempDir(), "-demo", "/nowhere/demo.json"}, "yinxin demo -data DIR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out, talk bytes.Buffer
			if status := run(c.args, &out, &talk); status != 3 || !strings.Contains(talk.String(), c.want) {
				t.Errorf("status %d, %q; want 3 and something with %q", status, talk.String(), c.want)
			}
			if out.Len() != 0 {
				t.Errorf("a story was told: %q", out.String())
			}
		})
	}
}
