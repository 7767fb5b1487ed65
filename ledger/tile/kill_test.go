package tile_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
	"github.com/yinxin-trust/yinxin/ledger/tile"
)

// The environment of the process that TestKill starts and kills.
const (
	killDir = "YINXIN_TEST_KILL_DIR"
	killKey = "YINXIN_TEST_KILL_KEY"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		victim(dir)
		return
	}
	os.Exit(m.Run())
}

// victim appends at full speed from eight goroutines until it is killed, and prints the leaf hashes of what was
// acknowledged, a line for each Append.
func victim(dir string) {
	t := process{}
	scalar, err := hex.DecodeString(os.Getenv(killKey))
	if err != nil {
		t.Fatalf("%v", err)
	}
	signer := ledgertest.ParseSigner(t, scalar)
	o := tile.Options{
		Dir: dir, Origin: origin, Signer: signer, Trust: ledger.Trust{LogKeys: []ledger.Key{signer.LogKey(origin)}},
		Interval: 15 * time.Millisecond,
	}
	l, err := tile.Open(context.Background(), o.WithRotateAt(64<<10))
	if err != nil {
		t.Fatalf("%v", err)
	}
	fmt.Println("open")
	for range 7 {
		go appendForever(t, l)
	}
	appendForever(t, l)
}

func appendForever(t process, l *tile.Log) {
	for {
		entries := ledgertest.Entries(t, 1+rand.IntN(30))
		if _, err := l.Append(context.Background(), entries); err != nil {
			t.Fatalf("%v", err)
		}
		var line strings.Builder
		for _, e := range entries {
			leaf := ledger.LeafHash(e)
			line.WriteString(hex.EncodeToString(leaf[:]) + " ")
		}
		fmt.Println(line.String())
	}
}

// process is the reporter of a process that is no test.
type process struct{}

func (process) Helper()                          {}
func (p process) Errorf(format string, a ...any) { p.Fatalf(format, a...) }
func (process) Fatalf(format string, a ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", a...)
	os.Exit(2)
}

// TestKill kills a log at random instants of full load. After each kill everything that was acknowledged is there exactly
// once, and what is published then extends every checkpoint that was published before.
func TestKill(t *testing.T) {
	s := newSite(t, 0)
	ctx := context.Background()
	acked := map[ledger.Hash]uint64{} // and where it was found
	history := map[uint64]ledger.Checkpoint{}
	for round := range 10 {
		fresh := runAndKill(t, s)
		for size, cp := range readHistory(t, s) {
			history[size] = cp
		}
		l, err := tile.Open(ctx, s.options().WithRotateAt(64<<10))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		head := publish(t, l)
		for _, leaf := range fresh {
			at, err := l.Index(ctx, leaf)
			if err != nil {
				t.Fatalf("round %d: an acknowledged entry is lost: %v", round, err)
			}
			acked[leaf] = at
		}
		for leaf, want := range acked {
			if at, err := l.Index(ctx, leaf); err != nil || at != want {
				t.Fatalf("round %d: an entry moved from %d to %d (%v)", round, want, at, err)
			}
		}
		for _, old := range history {
			checkExtends(t, l, old, head.Checkpoint)
		}
		ledgertest.Check(t, ledgertest.Log{Engine: l, Trust: s.trust})
		closeLog(t, l)
	}
	t.Logf("%d entries acknowledged, %d checkpoints published", len(acked), len(history))
	if len(acked) < 100 || len(history) < 10 {
		t.Errorf("the kills came too early to show anything: %d entries, %d checkpoints", len(acked), len(history))
	}
}

// runAndKill runs the victim for a random time and gives the leaves it acknowledged.
func runAndKill(t *testing.T, s *site) []ledger.Hash {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+s.dir, killKey+"="+hex.EncodeToString(s.signer.Scalar()))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the victim did not open the log: %q", lines.Text())
	}
	time.AfterFunc(time.Duration(20+rand.IntN(300))*time.Millisecond, func() { _ = cmd.Process.Kill() })
	var leaves []ledger.Hash
	for lines.Scan() {
		for _, field := range strings.Fields(lines.Text()) {
			var leaf ledger.Hash
			if n, err := hex.Decode(leaf[:], []byte(field)); err != nil || n != 32 {
				break // the last line may be cut
			}
			leaves = append(leaves, leaf)
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the victim ended by itself: %v", cmd.ProcessState)
	}
	return leaves
}

// readHistory reads what the killed process has published.
func readHistory(t *testing.T, s *site) map[uint64]ledger.Checkpoint {
	t.Helper()
	history := map[uint64]ledger.Checkpoint{}
	names := []string{filepath.Join(s.dir, "head")}
	found, err := filepath.Glob(filepath.Join(s.dir, "checkpoints/*/*/*/*/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, found...) {
		cp, err := ledger.ParseCheckpoint(readFile(t, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r := verified(t, s.trust, cp); history[cp.Size] != (ledger.Checkpoint{}) && history[cp.Size] != r.Checkpoint {
			t.Fatalf("two checkpoints of size %d", cp.Size)
		}
		history[cp.Size] = cp.Checkpoint
	}
	return history
}
