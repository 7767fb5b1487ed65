package oauth_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/identity/oauth"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

// counter stands between the service and the database and counts what is executed: Execute and simple Query messages of
// the frontend protocol, BEGIN and COMMIT included.
type counter struct{ statements atomic.Int64 }

func (c *counter) listen(t testing.TB, target *pgx.ConnConfig) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	socket := filepath.Join(target.Host, ".s.PGSQL."+strconv.Itoa(int(target.Port)))
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", socket)
			if err != nil {
				in.Close()
				return
			}
			go func() { _, _ = io.Copy(in, out); in.Close() }()
			go func() { c.forward(out, in); out.Close() }()
		}
	}()
	return l.Addr().String()
}

// forward copies messages; the first has no type.
func (c *counter) forward(out io.Writer, in io.Reader) {
	r := bufio.NewReader(in)
	for first := true; ; first = false {
		head := 5
		if first {
			head = 4
		}
		b := make([]byte, head, 4096)
		if _, err := io.ReadFull(r, b); err != nil {
			return
		}
		body := make([]byte, int(binary.BigEndian.Uint32(b[head-4:]))-4)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		if !first && (b[0] == 'E' || b[0] == 'Q') {
			c.statements.Add(1)
		}
		if _, err := out.Write(append(b, body...)); err != nil {
			return
		}
	}
}

// counted is a world whose statements are counted.
func counted(t testing.TB) (*world, *counter) {
	t.Helper()
	env := testenv.Postgres(t, 1)
	target, err := pgx.ParseConfig(env.Province.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{}
	province := env.Province
	province.URL = "postgres://" + url.UserPassword(target.User, target.Password).String() + "@" + c.listen(t, target) + "/" + target.Database + "?sslmode=disable"
	cells, err := postgres.OpenCells(province, env.Configs, postgres.PoolOptions{ProvinceMaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cells.Close)
	return newWorldOver(t, cells.Province(), identity.PasswordCost{MemoryKiB: 64, Passes: 1}), c
}

// TestStatements holds the number of SQL statements of each operation: a change of it is a decision, not an accident.
func TestStatements(t *testing.T) {
	t.Parallel()
	w, c := counted(t)
	d := newDirect(w)
	d.login()
	d.login() // clients are remembered, statements prepared, consent given
	count := func(f func()) int64 {
		before := c.statements.Load()
		f()
		return c.statements.Load() - before
	}
	got := map[string]int64{}
	got["login"] = count(func() { d.login() })
	out := d.sso()
	got["second application"] = count(func() { out = d.sso() })
	got["client_credentials"] = count(func() { d.credentials() })
	got["introspect"] = count(func() { d.introspect(str(out, "access_token")) })
	got["userinfo"] = count(func() { d.userinfo(str(out, "access_token")) })
	got["refresh"] = count(func() { d.refresh(str(out, "refresh_token")) })
	t.Log(got)
	want := map[string]int64{"login": 15, "second application": 8, "client_credentials": 1, "introspect": 1, "userinfo": 1, "refresh": 5}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statements: %s", diff)
	}
}

// direct calls the provider without a network, as the benchmarks need it.
type direct struct {
	w     *world
	token string
}

func newDirect(w *world) *direct { return &direct{w: w} }

func (d *direct) call(method, path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, d.w.server.URL+path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	d.w.provider.ServeHTTP(rec, r)
	if rec.Code >= 400 {
		d.w.t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	return rec
}

func (d *direct) client(path string, form url.Values) map[string]any {
	c := registrations()[0]
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	rec := d.call("POST", path, form, "Authorization", r.Header.Get("Authorization"))
	out := map[string]any{}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
		d.w.t.Fatal(err)
	}
	return out
}

// login is a whole one: request, password, pages, decision, code, tokens.
func (d *direct) login() map[string]any {
	c := registrations()[0]
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			d.w.t.Fatal(err)
		}
	}
	to, err := url.Parse(d.call("GET", "/oauth2/authorize?"+params(c).Encode(), nil).Header().Get("Location"))
	must(err)
	id := to.Query().Get("i")
	_, err = d.w.provider.Interaction(ctx, id) // the sign-in page
	must(err)
	token, _, err := d.w.accounts.SignIn(ctx, identity.SignIn{Login: citizen, Password: password, Address: "x"})
	must(err)
	d.token = token
	_, err = d.w.provider.Interaction(context.WithValue(ctx, sessionKey{}, token), id) // whether to ask
	must(err)
	back, err := d.w.provider.Decide(ctx, id, token, true)
	must(err)
	return d.exchange(c, back)
}

// sso is a login at an application when the person is signed in already.
func (d *direct) sso() map[string]any {
	c := registrations()[0]
	rec := d.call("GET", "/oauth2/authorize?"+params(c).Encode(), nil, "Cookie", cookieName+"="+d.token)
	return d.exchange(c, rec.Header().Get("Location"))
}

func (d *direct) exchange(c oauth.Registration, back string) map[string]any {
	u, err := url.Parse(back)
	if err != nil {
		d.w.t.Fatal(err)
	}
	f := flow{client: c, verifier: verifier, back: u.Query()}
	return d.client("/oauth2/token", f.exchange())
}

func (d *direct) credentials() map[string]any {
	return d.client("/oauth2/token", url.Values{"grant_type": {"client_credentials"}})
}

func (d *direct) introspect(token string) map[string]any {
	return d.client("/oauth2/introspect", url.Values{"token": {token}})
}

func (d *direct) refresh(token string) map[string]any {
	return d.client("/oauth2/token", refresh(token))
}

func (d *direct) userinfo(token string) {
	d.call("GET", "/oauth2/userinfo", nil, "Authorization", "Bearer "+token)
}

// measure runs f and reports CPU per operation, of this process and of PostgreSQL, beside the time.
func measure(b *testing.B, cluster int, f func()) {
	b.Helper()
	f()
	b.ReportAllocs()
	own, db := ownCPU(b), childrenCPU(b, cluster)
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(ownCPU(b)-own)/1e6/float64(b.N), "service-cpu-ms/op")
	b.ReportMetric(float64(childrenCPU(b, cluster)-db)/1e6/float64(b.N), "postgres-cpu-ms/op")
}

func ownCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// childrenCPU is the time of the live children of a process, from proc(5).
func childrenCPU(b *testing.B, parent int) time.Duration {
	list, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	var ticks int64
	for _, name := range list {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it ended meanwhile
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) < 13 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		for _, f := range fields[11:13] {
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			ticks += n
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func BenchmarkProvider(b *testing.B) {
	for _, c := range []struct {
		name string
		cost identity.PasswordCost
	}{{"login with password hash", identity.PasswordCost{}}, {"login without password hash", identity.PasswordCost{MemoryKiB: 8, Passes: 1}}} {
		b.Run(c.name, func(b *testing.B) {
			env := testenv.Postgres(b, 1)
			d := newDirect(newWorldOver(b, env.Cells.Province(), c.cost))
			measure(b, env.Cluster.PID(), func() { d.login() })
		})
	}
	env := testenv.Postgres(b, 1)
	d := newDirect(newWorldOver(b, env.Cells.Province(), identity.PasswordCost{MemoryKiB: 8, Passes: 1}))
	out := d.login()
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"second application", func() { d.sso() }},
		{"client_credentials", func() { d.credentials() }},
		{"introspect", func() { d.introspect(str(out, "access_token")) }},
		{"userinfo", func() { d.userinfo(str(out, "access_token")) }},
		{"jwks", func() { d.call("GET", "/oauth2/jwks", nil) }},
	} {
		b.Run(c.name, func(b *testing.B) { measure(b, env.Cluster.PID(), c.run) })
	}
	token := str(out, "refresh_token")
	b.Run("refresh", func(b *testing.B) {
		measure(b, env.Cluster.PID(), func() { token = str(d.refresh(token), "refresh_token") })
	})
}
