package oauth_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/identity/oauth"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

func TestMain(m *testing.M) {
	status := testenv.Main(m)
	os.RemoveAll(keyDir())
	os.Exit(status)
}

var keyDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "yxkeys-")
	if err != nil {
		panic(err)
	}
	return dir
})

// keys is one software key file for all tests of the process.
var keys = sync.OnceValues(func() (hsm.Provider, error) {
	p, err := soft.Create(filepath.Join(keyDir(), "keys"), []byte("test passphrase"), soft.Options{Cost: soft.Cost{Passes: 1, MemoryKiB: 64, Lanes: 1}})
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	for ref, alg := range map[hsm.Ref]hsm.Algorithm{"token/es256": hsm.ES256, "token/rs256": hsm.RS256} {
		if _, err := p.GenerateKey(ctx, ref, hsm.Policy{Algorithm: alg, Purpose: "token"}); err != nil {
			return nil, err
		}
	}
	for _, ref := range []hsm.Ref{"data/identity", "mac/pepper", "mac/pairwise", "mac/token"} {
		if _, err := p.GenerateSecret(ctx, ref, hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}); err != nil {
			return nil, err
		}
	}
	return p, nil
})

func secret(t testing.TB, ref hsm.Ref) hsm.Secret {
	t.Helper()
	p, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Secret(context.Background(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func key(t testing.TB, ref hsm.Ref) hsm.Key {
	t.Helper()
	p, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	k, err := p.Key(context.Background(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// clock runs like the machine's and can be put forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

const cookieName = "yx_session"

// world is a provider over a real database, with pages that do what the real ones do.
type world struct {
	t        testing.TB
	clock    *clock
	accounts *identity.Service
	store    *postgres.OAuthStore
	provider *oauth.Provider
	server   *httptest.Server
	full     int // answers of 500 and above
	mu       sync.Mutex
}

const (
	citizen  = "Citizen"
	password = "correct horse battery"
	office   = "11990000000000001G"
)

func (w *world) client(id string) oauth.Registration {
	for _, c := range registrations() {
		if c.ClientID == id {
			return c
		}
	}
	w.t.Fatalf("no client %s", id)
	return oauth.Registration{}
}

func registrations() []oauth.Registration {
	no := false
	all := strings.Join(append(identity.OpenIDScopes(), identity.APIScopes()...), " ")
	everything := []string{"authorization_code", "refresh_token", "client_credentials"}
	return []oauth.Registration{
		{
			ClientID: "basic", ClientSecret: "a secret of the first client: +/&=%", ClientName: "第一个应用", RedirectURIs: []string{"https://one.example/cb?x=1"},
			PostLogoutRedirectURIs: []string{"https://one.example/bye"}, GrantTypes: everything, Scope: all, Office: office, Offices: []string{"*"},
		},
		{
			ClientID: "post", ClientSecret: "a secret of the second client", RedirectURIs: []string{"https://two.example/cb"},
			GrantTypes: everything, Scope: all, AuthMethod: "client_secret_post", IDTokenAlg: "RS256",
		},
		{ClientID: "sister", ClientSecret: "a secret of the third client", RedirectURIs: []string{"https://three.example/cb"}, Scope: all, Office: office},
		{ClientID: "legacy", ClientSecret: "a secret of the fourth client", RedirectURIs: []string{"https://four.example/cb"}, Scope: all, RequirePKCE: &no},
		{ClientID: "native", AuthMethod: "none", RedirectURIs: []string{"http://127.0.0.1/cb"}, GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: all},
		{ClientID: "own", ClientSecret: "a secret of the fifth client", RedirectURIs: []string{"https://five.example/cb"}, Scope: all, Preauthorized: true},
		{ClientID: "resource", ClientSecret: "a secret of the sixth client", GrantTypes: []string{"client_credentials"}, Scope: all, Introspect: true},
		{ClientID: "bare", ClientSecret: "a secret of the seventh client", GrantTypes: []string{"client_credentials"}, Scope: "openid profile"},
	}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldOver(t, testenv.Postgres(t, 1).Cells.Province(), identity.PasswordCost{MemoryKiB: 64, Passes: 1})
}

// newWorldOver is a world over a pool of one's own; most tests are not about the cost of passwords.
func newWorldOver(t testing.TB, province *postgres.Pool, cost identity.PasswordCost) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, clock: &clock{}, store: postgres.NewOAuthStore(province)}
	var err error
	w.accounts, err = identity.New(identity.Options{
		Store: postgres.NewIdentityStore(province), Vault: secret(t, "data/identity"), Pepper: secret(t, "mac/pepper"),
		Pairwise: secret(t, "mac/pairwise"), Rand: rand.Reader, Now: w.clock.Now, Cost: cost,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.server.Close)
	w.provider, err = oauth.New(ctx, oauth.Options{
		Issuer: w.server.URL, Accounts: w.accounts, Store: w.store, Keys: []hsm.Key{key(t, "token/es256"), key(t, "token/rs256")},
		Secret: secret(t, "mac/token"), Rand: rand.Reader, Now: w.clock.Now,
		BrowserSession: cookie, SessionToken: sessionOf,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.provider.Register(ctx, registrations()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.accounts.CreateAccounts(ctx, people()); err != nil {
		t.Fatal(err)
	}
	return w
}

func people() []identity.NewAccount {
	return []identity.NewAccount{
		{
			Login: citizen, Password: password, Roles: []identity.Role{identity.Citizen}, Level: 3, Name: "王小明", Phone: "13900000001",
			Subjects: []identity.Subject{{Type: "111", Code: "990101199001011234", Name: "王小明", Relation: "self"}},
			Claims:   identity.Claims{Email: "xm@example.com", EmailVerified: true, UpdatedAt: 1_700_000_000, Address: &identity.Address{Region: "云汉省"}},
		},
		{Login: "officer", Password: password, Roles: []identity.Role{identity.Officer}, Office: office, OfficeName: "市场监管局", Level: 4, Name: "李四"},
	}
}

func cookie(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

type sessionKey struct{}

func sessionOf(ctx context.Context) string { s, _ := ctx.Value(sessionKey{}).(string); return s }

// serve is the outside: the provider's endpoints, and the least of the pages.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	rec := &recorder{ResponseWriter: rw}
	defer func() {
		if rec.status >= 500 {
			w.mu.Lock()
			w.full++
			w.mu.Unlock()
		}
	}()
	ctx := context.WithValue(r.Context(), sessionKey{}, cookie(r))
	fail := func(err error) { http.Error(rec, fault.CodeOf(err), fault.KindOf(err).HTTPStatus()) }
	id := r.URL.Query().Get("i")
	switch {
	case r.URL.Path == "/oauth2/logout":
		to, err := w.provider.EndSession(ctx, r)
		if err != nil {
			fail(err)
			return
		}
		if to == "" {
			fmt.Fprint(rec, "signed out")
			return
		}
		http.Redirect(rec, r, to, http.StatusSeeOther)
	case strings.HasPrefix(r.URL.Path, "/oauth2/"), strings.HasPrefix(r.URL.Path, "/.well-known/"):
		w.provider.ServeHTTP(rec, r)
	case r.URL.Path == "/signin" && r.Method == http.MethodPost:
		token, _, err := w.accounts.SignIn(ctx, identity.SignIn{Login: r.FormValue("login"), Password: r.FormValue("password"), Address: "test", Replaces: cookie(r)})
		if err != nil {
			fail(err)
			return
		}
		http.SetCookie(rec, &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true})
		in, err := w.provider.Interaction(context.WithValue(ctx, sessionKey{}, token), id)
		if err != nil {
			fail(err)
			return
		}
		if in.NeedsAsk {
			http.Redirect(rec, r, "/consent?i="+id, http.StatusSeeOther)
			return
		}
		w.decide(rec, r, ctx, id, token, true)
	case r.URL.Path == "/consent" && r.Method == http.MethodPost:
		w.decide(rec, r, ctx, id, cookie(r), r.FormValue("decision") == "allow")
	case r.URL.Path == "/signin", r.URL.Path == "/consent":
		in, err := w.provider.Interaction(ctx, id)
		if err != nil {
			fail(err)
			return
		}
		_ = json.NewEncoder(rec).Encode(in)
	default:
		http.NotFound(rec, r)
	}
}

func (w *world) decide(rw http.ResponseWriter, r *http.Request, ctx context.Context, id, token string, allow bool) {
	to, err := w.provider.Decide(ctx, id, token, allow)
	if err != nil {
		http.Error(rw, fault.CodeOf(err), fault.KindOf(err).HTTPStatus())
		return
	}
	http.Redirect(rw, r, to, http.StatusSeeOther)
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) { r.status = status; r.ResponseWriter.WriteHeader(status) }
