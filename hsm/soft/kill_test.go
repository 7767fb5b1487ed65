package soft_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

var errStopped = errors.New("the power is gone")

// stopping is a disk whose power goes at one step: that step does nothing or half its work, and no later one does any.
type stopping struct {
	soft.RealDisk
	after  int // steps that still work; negative: all
	half   bool
	once   bool // only that one step fails, as on a full disk
	writes int
	steps  []string
}

func (s *stopping) step(name string) error {
	s.steps = append(s.steps, name)
	if s.after < 0 {
		return nil
	}
	if s.after == 0 {
		if s.once {
			s.after = -1
		}
		return errStopped
	}
	s.after--
	return nil
}

func (s *stopping) WriteNew(name string, data []byte) (os.FileInfo, error) {
	s.writes++
	if err := s.step("write"); err != nil {
		if s.half {
			return nil, errors.Join(err, os.WriteFile(name, data[:len(data)/2], 0o600))
		}
		return nil, err
	}
	return s.RealDisk.WriteNew(name, data)
}

func (s *stopping) Rename(from, to string) error {
	if err := s.step("rename"); err != nil {
		return err
	}
	return s.RealDisk.Rename(from, to)
}

func (s *stopping) SyncFolder(name string) error {
	if err := s.step("sync"); err != nil {
		return err
	}
	return s.RealDisk.SyncFolder(name)
}

func (s *stopping) Remove(name string) error {
	if err := s.step("remove"); err != nil {
		return err
	}
	return s.RealDisk.Remove(name)
}

// TestPowerGoesBetweenSteps stops the writer at each step and wants the old keys or the new ones.
func TestPowerGoesBetweenSteps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		after   int // counted from the write of the second key
		half    bool
		renamed bool // the new file is in place
	}{
		{"before the write", 0, false, false},
		{"in the write", 0, true, false},
		{"before the rename", 1, false, false},
		{"before the folder is synced", 2, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "keys")
			disk := &stopping{after: -1, half: test.half}
			p, err := soft.CreateOn(path, passphrase, cheap, disk)
			if err != nil {
				t.Fatal(err)
			}
			generate(t, p, "seal/old")
			disk.after = test.after
			_, err = p.GenerateKey(t.Context(), "seal/new", sealPolicy())
			if fault.KindOf(err) != fault.Unavailable || !errors.Is(err, errStopped) {
				t.Errorf("GenerateKey: %v", err)
			}
			// What was not acknowledged is not used, and what was there still works.
			_, err = p.Key(t.Context(), "seal/new")
			wantCode(t, "the key that was not acknowledged", err, hsm.CodeKeyUnknown)
			if _, err := p.Key(t.Context(), "seal/old"); err != nil {
				t.Error(err)
			}
			closeProvider(t, p)

			p = reopen(t, path)
			want := []hsm.Ref{"seal/old"}
			if test.renamed {
				want = []hsm.Ref{"seal/new", "seal/old"}
			}
			if got := refsOf(t, p); !slices.Equal(got, want) {
				t.Errorf("after the restart: %v, want %v", got, want)
			}
			if _, err := os.Stat(path + ".new"); !os.IsNotExist(err) {
				t.Errorf("the unfinished file was not swept: %v", err)
			}
			generate(t, p, "seal/later")
		})
	}
}

// TestDiskRefusesOnce: after a full disk the next try works, after a failed fsync of the folder none does until a restart.
func TestDiskRefusesOnce(t *testing.T) {
	t.Parallel()
	for after, works := range []bool{true, true, false} {
		path := filepath.Join(t.TempDir(), "keys")
		disk := &stopping{after: -1, once: true, half: true}
		p, err := soft.CreateOn(path, passphrase, cheap, disk)
		if err != nil {
			t.Fatal(err)
		}
		disk.after = after
		_, err = p.GenerateKey(t.Context(), "seal/a", sealPolicy())
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("step %d: %v", after, err)
		}
		_, err = p.GenerateKey(t.Context(), "seal/a", sealPolicy())
		if works && err != nil {
			t.Errorf("the try after step %d failed: %v", after, err)
		}
		if !works {
			wantCode(t, "the next try", err, soft.CodeStuck)
			wantCode(t, "Health", p.Health(t.Context()), soft.CodeStuck)
		}
		closeProvider(t, p)
		if got := refsOf(t, reopen(t, path)); !slices.Equal(got, []hsm.Ref{"seal/a"}) {
			t.Errorf("after step %d and a restart: %v", after, got)
		}
	}
}

// The write must be durable before the rename, and the rename before the acknowledgement.
func TestOrderOfSteps(t *testing.T) {
	t.Parallel()
	disk := &stopping{after: -1}
	p, err := soft.CreateOn(filepath.Join(t.TempDir(), "keys"), passphrase, cheap, disk)
	if err != nil {
		t.Fatal(err)
	}
	disk.steps = nil
	generate(t, p, "seal/a")
	if got := strings.Join(disk.steps, " "); got != "write rename sync" {
		t.Errorf("the steps of a write: %s", got)
	}
	closeProvider(t, p)
}

const childVariable = "YINXIN_SOFT_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		if err := generateForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// generateForever opens the file, then makes keys and names each on standard output once it is acknowledged.
func generateForever(path string) error {
	p, err := soft.Open(path, passphrase)
	if err != nil {
		return err
	}
	refs, err := p.Refs(context.Background())
	if err != nil {
		return err
	}
	for i := len(refs); ; i++ {
		ref := hsm.Ref(fmt.Sprintf("seal/%06d", i))
		if _, err := p.GenerateKey(context.Background(), ref, sealPolicy()); err != nil {
			return err
		}
		if _, err := fmt.Println(ref); err != nil {
			return err
		}
	}
}

func TestKilledWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	closeProvider(t, create(t, path))
	acknowledged := map[hsm.Ref]bool{}
	for round := range 20 {
		last := killOne(t, path, acknowledged, 1+rand.IntN(6))
		p := reopen(t, path) // the kernel freed the dead process's lock
		have := map[hsm.Ref]bool{}
		for _, ref := range refsOf(t, p) {
			have[ref] = true
			k, err := p.Key(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k.SignDigest(t.Context(), [32]byte{byte(round)}); err != nil {
				t.Errorf("%s after kill %d: %v", ref, round, err)
			}
		}
		for ref := range acknowledged {
			if !have[ref] {
				t.Errorf("kill %d lost %s, which was acknowledged", round, ref)
			}
		}
		if extra := len(have) - len(acknowledged); extra > 1 {
			t.Errorf("kill %d left %d keys that nobody acknowledged (last %s)", round, extra, last)
		}
		acknowledged = have // the one that was durable and not yet named counts from here
		closeProvider(t, p)
	}
}

// killOne starts a writer, reads the names of some keys, kills it at a random instant of the next write, and notes all
// that it had acknowledged.
func killOne(t *testing.T, path string, acknowledged map[hsm.Ref]bool, keys int) (last hsm.Ref) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childVariable+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for read := 0; ; read++ {
		if read == keys {
			time.AfterFunc(time.Duration(rand.IntN(4000))*time.Microsecond, func() { child.Process.Kill() })
		}
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = hsm.Ref(strings.TrimSuffix(line, "\n"))
		acknowledged[last] = true
	}
	if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	return last
}
