package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
)

func start(t *testing.T, dir string) *postgres.Cluster {
	t.Helper()
	c, err := postgres.StartCluster(background(t), postgres.ClusterOptions{Dir: dir, Volatile: true, SharedBuffers: "16MB"})
	if err != nil {
		var f *fault.Error
		if errors.As(err, &f) {
			t.Fatalf("%v\nhint: %s", err, f.Hint)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func query(t *testing.T, dsn, sql string) (out string) {
	t.Helper()
	ctx := background(t)
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	r, err := conn.Query(ctx, sql)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pgx.CollectRows(r, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, " ")
}

func TestClusterKeepsItsDataOverAStop(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pg")
	c := start(t, dir)
	if err := c.EnsureDatabase(background(t), "yinxin"); err != nil {
		t.Fatal(err)
	}
	if err := c.EnsureDatabase(background(t), "yinxin"); err != nil {
		t.Fatalf("the second time: %v", err)
	}
	query(t, c.DSN("yinxin"), `CREATE TABLE kept AS SELECT 7 AS n`)
	if got := query(t, c.DSN("yinxin"), `SELECT current_setting('listen_addresses') || current_setting('server_encoding') || ' ' || current_setting('lc_collate') || ' ' || current_setting('data_checksums')`); got != "UTF8 C.UTF-8 on" {
		t.Errorf("settings: %q", got)
	}
	if err := c.Stop(background(t)); err != nil {
		t.Fatal(err)
	}
	c = start(t, dir)
	if got := query(t, c.DSN("yinxin"), `SELECT n::text FROM kept`); got != "7" {
		t.Errorf("got %q", got)
	}
}

func TestClusterIsClosedToOthers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pg")
	start(t, dir)
	for _, name := range []string{"data", "run"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

func TestClusterRefusesAFolderInUseOrForeign(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pg")
	start(t, dir)
	_, err := postgres.StartCluster(background(t), postgres.ClusterOptions{Dir: dir})
	want(t, err, fault.Conflict, "postgres_dir_in_use")
	want(t, postgres.RemoveCluster(background(t), dir), fault.Conflict, "postgres_dir_in_use")

	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "letter.txt"), []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.StartCluster(background(t), postgres.ClusterOptions{Dir: foreign})
	want(t, err, fault.Invalid, "postgres_dir_foreign")
}

func TestClusterUnderALongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 20), "pg")
	c := start(t, dir)
	if got := query(t, c.DSN("postgres"), `SELECT 'here'`); got != "here" {
		t.Fatal(got)
	}
	note, err := os.ReadFile(filepath.Join(dir, "socket-folder"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(string(note)); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("socket folder: %v %v", info, err)
	}
	if err := c.Stop(background(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(string(note)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket folder is left behind: %v", err)
	}
}

func TestClusterAfterAResetOfTheMachine(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pg")
	if err := start(t, dir).Stop(background(t)); err != nil {
		t.Fatal(err)
	}
	// The number in a stale pid file is by now somebody else's: ours, and half an initdb lies around.
	stale := fmt.Sprintf("%d\n%s\n1700000000\n5432\n%s\n\n", os.Getpid(), filepath.Join(dir, "data"), filepath.Join(dir, "run"))
	if err := os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir)
	if got := query(t, c.DSN("postgres"), `SELECT 'here'`); got != "here" {
		t.Fatal(got)
	}
}

func TestClusterNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := postgres.StartCluster(background(t), postgres.ClusterOptions{Dir: filepath.Join(t.TempDir(), "pg"), BinDir: t.TempDir()})
	want(t, err, fault.Unavailable, "postgres_missing")
	var f *fault.Error
	if errors.As(err, &f); !strings.Contains(f.Hint, "apt-get install postgresql") {
		t.Errorf("hint %q", f.Hint)
	}

	dir := filepath.Join(t.TempDir(), "pg")
	if err := start(t, dir).Stop(background(t)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("11\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = postgres.StartCluster(background(t), postgres.ClusterOptions{Dir: dir})
	want(t, err, fault.Invalid, "postgres_version")
}

// Root's own folders are closed to the user who runs the server: it works there all the same.
func TestClusterBelowAClosedFolder(t *testing.T) {
	t.Parallel()
	for _, long := range []string{"", strings.Repeat("long/", 20)} {
		closed := filepath.Join(t.TempDir(), "closed")
		if err := os.Mkdir(closed, 0o700); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(closed, long, "pg")
		if err := start(t, dir).Stop(background(t)); err != nil {
			t.Fatal(err)
		}
		c := start(t, dir)
		query(t, c.DSN("postgres"), `CREATE TABLE kept AS SELECT 7 AS n`)
		query(t, c.DSN("postgres"), `CHECKPOINT`)
		query(t, c.DSN("postgres"), `SELECT pg_reload_conf()::text`)
		if got := query(t, c.DSN("postgres"), `SELECT n::text FROM kept`); got != "7" {
			t.Errorf("got %q", got)
		}
	}
}

// A process that holds a cluster and writes to it is killed at once, sometimes with its server; the next start in the
// same folder has everything that was acknowledged.
func TestClusterSurvivesKill(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pg")
	var last int64
	for round := range 4 {
		child, lines, pid := holder(t, dir, nil)
		for range 20 {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
			if err != nil {
				t.Fatalf("round %d: %q", round, line)
			}
			last = n
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if round%2 == 1 { // the machine goes down: nobody ends in order
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Fatal(err)
			}
		}
		rest, err := io.ReadAll(lines) // what was acknowledged before the kill arrived
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(rest)) {
			if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil && strings.HasSuffix(line, "\n") {
				last = n
			}
		}
		_ = child.Wait() // it was killed, and says so
		c, err := postgres.StartCluster(background(t), postgres.ClusterOptions{Dir: dir})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if got := query(t, c.DSN("postgres"), fmt.Sprintf(`SELECT count(*)::text FROM kept WHERE n = %d`, last)); got != "1" {
			t.Errorf("round %d: %d was acknowledged and is gone", round, last)
		}
		if err := c.Stop(background(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// The same binary as an ordinary user, in a folder of that user's own.
func TestClusterAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("every other test of this file ran as an ordinary user")
		return
	}
	home, err := os.MkdirTemp("", "yxuser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	const nobody = 65534
	if err := errors.Join(os.Chmod(home, 0o755), os.Chown(home, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(home, "holder")
	if err := os.WriteFile(copied, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	child, lines, pid := holder(t, filepath.Join(home, "pg"), func(cmd *exec.Cmd) {
		cmd.Path = copied
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	})
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed, and says so
	eventually(t, "the server ends with its process", func() bool {
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || zombie(pid)
	})
}

func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// holder starts this test binary as a process that holds a cluster.
func holder(t *testing.T, dir string, change func(*exec.Cmd)) (*exec.Cmd, *bufio.Reader, int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdVariable+"="+dir)
	if change != nil {
		change(cmd)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may be gone already
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the holder ended: %v", err)
	}
	pid, err := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(line), "pid "))
	if err != nil {
		t.Fatalf("the holder says %q", line)
	}
	return cmd, lines, pid
}
