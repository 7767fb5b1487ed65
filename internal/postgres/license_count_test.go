package postgres_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
	"github.com/yinxin-trust/yinxin/license"
)

// counter stands between the pools and the server and counts what is executed: messages of the types Execute and Query
// (PostgreSQL's protocol 3.0), BEGIN and COMMIT among them.
type counter struct {
	n   atomic.Int64
	dir string
}

func newCounter(t *testing.T, dsn string) *counter {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "yxcount-")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{dir: dir}
	t.Cleanup(func() { l.Close(); os.RemoveAll(dir) })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"))
			if err != nil {
				client.Close()
				return
			}
			go func() { _, _ = io.Copy(client, server); client.Close() }()
			go func() { c.forward(server, client); server.Close() }()
		}
	}()
	return c
}

// forward copies messages from the client; the first has no type.
func (c *counter) forward(server io.Writer, client io.Reader) {
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[:4]
		}
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[len(head)-4:])
		if size < 4 || size > 1<<24 {
			return
		}
		if !first && (head[0] == 'E' || head[0] == 'Q') {
			c.n.Add(1)
		}
		body := make([]byte, size-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}

// What each act costs the database. A change here is a change of the figures in the documents.
func TestStatementsOfEachAct(t *testing.T) {
	t.Parallel()
	env, ctx := testenv.Postgres(t, 1, 2), background(t)
	c := newCounter(t, env.Cluster.DSN(env.Database))
	dsn := (&proxy{dir: c.dir}).dsn(env.Database)
	province, configs := env.Province, append([]postgres.CellConfig(nil), env.Configs...)
	province.URL = dsn
	for i := range configs {
		configs[i].URL = dsn
	}
	cells, err := postgres.OpenCells(province, configs, postgres.PoolOptions{MaxConns: 2, ProvinceMaxConns: 2, Unchecked: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cells.Close)
	w := worldOn(t, env, cells)
	got := map[string]int64{}
	count := func(name string, f func() error) {
		t.Helper()
		before := c.n.Load()
		if err := f(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got[name] = c.n.Load() - before
	}
	// Once before, so that connections and their prepared statements are there.
	warm := w.issued(t, number(0))
	l := warm
	count("issue: accept", func() (err error) { l, err = w.Issue(ctx, propertyRequest(number(1))); return err })
	count("issue: the same again", func() (err error) { _, err = w.Issue(ctx, propertyRequest(number(1))); return err })
	count("issue: seal", func() error { _, err := w.SealPending(ctx, 1, 10); return err })
	count("issue: directory", func() error { _, err := w.DrainDirectory(ctx, 1); return err })
	count("get", func() error { _, err := w.Get(ctx, l.ID); return err })
	settleLedger(t, env, 1)
	w.Included = &fakeLog{}
	count("list of an office", func() error {
		list, err := w.ListByOffice(ctx, officeOne, 50)
		if len(list) != 2 || list[0].LedgerState != "included" || list[1].LedgerState != "included" {
			t.Errorf("the office's list: %+v", list)
		}
		return err
	})
	count("list of a holder", func() error { _, err := w.ListByHolder(ctx, owners()[0], 50); return err })
	code := ""
	count("show", func() error { code = w.show(t, l.ID).Code; return nil })
	count("check by a clerk", func() error { _, err := w.CheckCode(ctx, code, clerk()); return err })
	static, err := w.StaticCode(ctx, l.ID)
	if err != nil {
		t.Fatal(err)
	}
	by := clerk()
	by.Authenticated = false
	count("check by anybody", func() error { _, err := w.CheckCode(ctx, code, by); return err })
	count("check of a static code by anybody", func() error { _, err := w.CheckCode(context.WithoutCancel(ctx), static, by); return err })
	look := act("officer-1", officeOne)
	count("look", func() error { return w.Looked(ctx, l.ID, license.ActOpened, license.ActorOfficer, look) })
	count("search's record", func() error { return w.Found(ctx, []license.ID{l.ID, warm.ID}, license.ActorClient, look) })
	count("who looked", func() error { _, err := w.Events(ctx, l.ID, 50); return err })
	count("revoke", func() error { return w.revoke(ctx, l.ID) })
	want := map[string]int64{
		"issue: accept": 7, "issue: the same again": 5, "issue: seal": 7, "issue: directory": 3, "get": 1, "list of an office": 1, "list of a holder": 1,
		"show": 5, "check by a clerk": 5, "check by anybody": 1, "check of a static code by anybody": 1, "revoke": 8,
		"look": 1, "search's record": 1, "who looked": 3,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
