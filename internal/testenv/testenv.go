// Package testenv gives tests the real parts of a machine: a private PostgreSQL with migrated schemas, and a browser.
// A part that is missing fails the test and names the Debian package; nothing is skipped. Only tests import it.
package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
)

// folderPrefix begins the name of every cluster's folder in the temporary directory; what a killed run leaves there
// is found by it.
const folderPrefix = "yxtest-"

// Env is a database of the test's own: the province and some cells, migrated and empty.
type Env struct {
	Cells    *postgres.Cells
	Cluster  *postgres.Cluster // shared by all tests of the process: do not stop it
	Database string
	Province postgres.CellConfig   // to open the same database again
	Configs  []postgres.CellConfig // of the cells
}

// Postgres makes a database for this test with the province's schema and the cells of the given codes (none given:
// 1, 2 and 18), opened with small pools. It is dropped when the test ends. The cluster behind it is started once for
// the process; let TestMain be
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
//
// so that it is stopped and removed at the end.
func Postgres(t testing.TB, codes ...uint16) *Env {
	t.Helper()
	if len(codes) == 0 {
		codes = []uint16{1, 2, 18}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	name, err := shared().database(ctx, codes)
	if err != nil {
		t.Fatal(explain(err))
	}
	env := &Env{Cluster: shared().cluster, Database: name}
	env.Province, env.Configs = configs(env.Cluster.DSN(name), codes)
	if env.Cells, err = postgres.OpenCells(env.Province, env.Configs, poolOptions()); err != nil {
		t.Fatal(explain(err))
	}
	t.Cleanup(func() {
		env.Cells.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := env.Cluster.DropDatabase(ctx, name); err != nil {
			t.Error(explain(err))
		}
	})
	return env
}

// Cell is the pool of a cell of the environment.
func (e *Env) Cell(t testing.TB, code uint16) *postgres.Pool {
	t.Helper()
	p, err := e.Cells.Cell(code)
	if err != nil {
		t.Fatal(explain(err))
	}
	return p
}

// Chromium is the path of the browser.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium on this machine: apt-get install chromium")
	return ""
}

// Main runs the tests of a package and then ends the process's cluster. Its result is for os.Exit.
func Main(m *testing.M) int {
	status := m.Run()
	if err := shared().close(); err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", explain(err))
		if status == 0 {
			status = 1
		}
	}
	return status
}

// shared is the process's one cluster; a test process has nobody to hand it from test to test.
var shared = sync.OnceValue(func() *server { return &server{templates: map[string]string{}} })

// server is a cluster that starts with the first test that needs it, and its migrated templates.
type server struct {
	mu        sync.Mutex
	cluster   *postgres.Cluster
	dir       string
	err       error // of the start: every test hears the same
	templates map[string]string
	made      int
}

// database makes a copy of the template with these cells.
func (s *server) database(ctx context.Context, codes []uint16) (string, error) {
	s.mu.Lock()
	template, err := s.template(ctx, codes)
	s.made++
	name := fmt.Sprintf("t%d", s.made)
	s.mu.Unlock()
	if err != nil {
		return "", err
	}
	return name, s.cluster.CloneDatabase(ctx, name, template)
}

func (s *server) template(ctx context.Context, codes []uint16) (string, error) {
	if s.cluster == nil && s.err == nil {
		s.cluster, s.dir, s.err = startCluster(ctx)
	}
	if s.err != nil {
		return "", s.err
	}
	key := fmt.Sprint(codes)
	if name := s.templates[key]; name != "" {
		return name, nil
	}
	name := fmt.Sprintf("template_%d", len(s.templates)+1)
	if err := s.cluster.EnsureDatabase(ctx, name); err != nil {
		return "", err
	}
	province, cells := configs(s.cluster.DSN(name), codes)
	opened, err := postgres.OpenCells(province, cells, poolOptions())
	if err != nil {
		return "", err
	}
	_, err = opened.Migrate(ctx)
	opened.Close() // a template is copied only while nobody is in it
	if err != nil {
		return "", err
	}
	s.templates[key] = name
	return name, nil
}

func (s *server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	err := errors.Join(s.cluster.Stop(ctx), postgres.RemoveCluster(ctx, s.dir))
	s.cluster = nil
	return err
}

func startCluster(ctx context.Context) (*postgres.Cluster, string, error) {
	if err := reap(ctx); err != nil {
		return nil, "", err
	}
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return nil, "", err
	}
	cluster, err := postgres.StartCluster(ctx, postgres.ClusterOptions{Dir: dir, Volatile: true, SharedBuffers: "32MB"})
	if err != nil {
		return nil, "", errors.Join(err, os.RemoveAll(dir))
	}
	return cluster, dir, nil
}

// reap removes the clusters of earlier runs that were killed. One that is in use is locked by its process; one that
// is being made at this moment is too young.
func reap(ctx context.Context) error {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range found {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue // another process reaped it, or makes it
		}
		// A folder in use, or another user's, stays; what cannot be removed is no reason to fail this test.
		_ = postgres.RemoveCluster(ctx, dir)
	}
	return nil
}

func configs(url string, codes []uint16) (postgres.CellConfig, []postgres.CellConfig) {
	cells := make([]postgres.CellConfig, len(codes))
	for i, code := range codes {
		cells[i] = postgres.CellConfig{Code: code, Name: fmt.Sprintf("测试分区 %d", code), URL: url}
	}
	return postgres.CellConfig{Code: postgres.ProvinceCode, Name: "测试省", URL: url}, cells
}

// poolOptions are small and patient: many tests run at the same time in one cluster, on a machine that others use.
func poolOptions() postgres.PoolOptions {
	return postgres.PoolOptions{
		MaxConns: 6, ProvinceMaxConns: 8, ConnectTimeout: 30 * time.Second, AcquireTimeout: time.Minute, StatementTimeout: 2 * time.Minute,
	}
}

// explain is an error with its hint.
func explain(err error) string {
	var text strings.Builder
	text.WriteString(err.Error())
	var f *fault.Error
	if errors.As(err, &f) && f.Hint != "" {
		text.WriteString("\nhint: " + f.Hint)
	}
	return text.String()
}
