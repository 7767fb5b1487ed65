package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

// holdVariable makes the test binary a process that holds a cluster, to be killed.
const holdVariable = "YINXIN_TEST_HOLD_CLUSTER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		hold(dir)
		return
	}
	os.Exit(testenv.Main(m))
}

// hold starts the cluster and writes numbers into it, telling each on stdout once it was acknowledged.
func hold(dir string) {
	ctx := context.Background()
	cluster, err := postgres.StartCluster(ctx, postgres.ClusterOptions{Dir: dir})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	cells, err := postgres.OpenCells(postgres.CellConfig{URL: cluster.DSN("postgres"), Schema: "public"}, nil, postgres.PoolOptions{Unchecked: true})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "pid", cluster.PID())
	if _, err := cells.Province().Exec(ctx, `CREATE TABLE IF NOT EXISTS kept (n bigserial PRIMARY KEY)`); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	for {
		var n int64
		if err := cells.Province().QueryRow(ctx, `INSERT INTO kept DEFAULT VALUES RETURNING n`).Scan(&n); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Fprintln(out, n)
		out.Flush()
	}
}

// What a proxy does with what passes.
const (
	pass         int32 = iota
	refuse             // closes every connection at once
	hang               // accepts and never answers
	cutBefore          // closes when a commit comes, before the server hears of it
	cutAfter           // lets a commit through, and closes before the answer comes back
	commitSignal = "commit\x00"
)

// proxy stands between a pool and the server, as a network does.
type proxy struct {
	mode   atomic.Int32
	dir    string
	target string
	mu     sync.Mutex
	conns  []net.Conn
}

func newProxy(t *testing.T, dsn string) *proxy {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "yxproxy-")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{dir: dir, target: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432")}
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); p.set(refuse); os.RemoveAll(dir) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

// set changes the mode; refuse and hang also cut what is open.
func (p *proxy) set(mode int32) {
	p.mode.Store(mode)
	if mode == refuse || mode == hang {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.conns {
			c.Close()
		}
		p.conns = nil
	}
}

func (p *proxy) dsn(database string) string {
	return "postgres://postgres@/" + database + "?sslmode=disable&host=" + url.QueryEscape(p.dir)
}

func (p *proxy) serve(client net.Conn) {
	mode := p.mode.Load()
	if mode == refuse {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, client)
	p.mu.Unlock()
	if mode == hang {
		return // kept open until the test ends
	}
	server, err := net.Dial("unix", p.target)
	if err != nil {
		client.Close()
		return
	}
	var cut atomic.Bool
	end := func() { client.Close(); server.Close() }
	go func() {
		defer end()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil || cut.Load() {
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	defer end()
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		if strings.Contains(string(buf[:n]), commitSignal) {
			switch p.mode.Load() {
			case cutBefore:
				return
			case cutAfter:
				cut.Store(true)
			}
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		if cut.Load() {
			// The server's answer ends this connection; nothing more is sent to it.
			buf = make([]byte, 1)
		}
	}
}

// want fails unless err has the code.
func want(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code || fault.KindOf(err) != kind {
		t.Fatalf("got %v (%s, %d), want %s, %d", err, fault.CodeOf(err), fault.KindOf(err), code, kind)
	}
}

// eventually waits until ok says yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatal("never: " + what)
		case <-tick.C:
		}
	}
}

func background(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
