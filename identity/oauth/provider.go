// Package oauth is the OpenID Connect provider: authorization codes with PKCE, refresh tokens, client credentials, ID
// tokens, userinfo, introspection, revocation and RP-initiated logout, over ory/fosite, which nothing else imports. New
// makes a Provider; Register enters applications; ServeHTTP answers applications, Interaction and Decide serve the
// sign-in and consent pages, Authenticate the API.
//
// Single use. fosite reads codes and refresh tokens outside its own transactions and invalidates them without a
// condition. Here one transaction spans a whole token request: it locks the grant's row, judges, changes the row under a
// condition, and is committed also when the answer is that a token was used twice, because the family's end must stand.
package oauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ory/fosite"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Accounts is what the provider asks of identity.Service.
type Accounts interface {
	Session(ctx context.Context, token string) (identity.Session, identity.Account, error)
	Open(ctx context.Context, row identity.AccountRow) (identity.Account, error)
	PairwiseSub(ctx context.Context, sector, account string) (string, error)
	SignOut(ctx context.Context, token string) error
	SignOutSID(ctx context.Context, sid string) error
}

// Store keeps what the provider must remember.
type Store interface {
	identity.ClientStore
	identity.InteractionStore
	identity.GrantStore
}

// Options of a Provider. Issuer, Accounts, Store, Keys, Secret, Rand and BrowserSession are needed.
type Options struct {
	Issuer   string // public origin, such as https://id.example.gov.cn, without a trailing slash
	Accounts Accounts
	Store    Store
	// Keys sign ID tokens: an ES256 key and an RS256 key of 2048 bits. The first of each algorithm signs, all are
	// published; a next key is appended here a day before it becomes the first.
	Keys []hsm.Key
	// Secret authenticates codes and tokens. One MAC is taken at the start; what it gives never leaves the process.
	Secret identity.MAC
	Rand   io.Reader
	Now    func() time.Time // time.Now
	Logger *slog.Logger     // optional: causes of server errors

	// BrowserSession reads the session token from a browser's cookie, "" when there is none.
	BrowserSession func(r *http.Request) string
	// SessionToken reads the session token that the pages put into the context of Interaction; optional.
	SessionToken func(ctx context.Context) string
	// ErrorPage draws what must never become a redirect: an unknown application or an unregistered redirect_uri.
	// Optional; the default is plain text.
	ErrorPage func(w http.ResponseWriter, r *http.Request, err error)

	SignInPath     string // /signin; the waiting request is in the parameter i
	ConsentPath    string // /consent
	EndSessionPath string // /oauth2/logout

	CodeLife        time.Duration // 60 s
	AccessLife      time.Duration // 1 h
	OfflineLife     time.Duration // of a grant with offline_access, 30 days; without, a grant ends with its session
	InteractionLife time.Duration // 10 min
	ClientTTL       time.Duration // how long a registered application is remembered, 30 s
}

// Provider is the OpenID Connect provider.
type Provider struct {
	opts    Options
	key     [32]byte // of codes and tokens
	signers *signers
	clients *clients
	fosite  *fosite.Fosite
	mux     *http.ServeMux
	issuer  *url.URL
}

// New makes a Provider.
func New(ctx context.Context, o Options) (*Provider, error) {
	if o.Accounts == nil || o.Store == nil || o.Secret == nil || o.Rand == nil || o.BrowserSession == nil {
		return nil, errors.New("oauth: accounts, store, secret, rand and browser session are needed")
	}
	issuer, err := url.Parse(o.Issuer)
	if err != nil || issuer.Host == "" || issuer.RawQuery != "" || issuer.Fragment != "" || strings.HasSuffix(o.Issuer, "/") ||
		(issuer.Scheme != "https" && issuer.Scheme != "http") {
		return nil, fmt.Errorf("oauth: issuer %q is not an origin such as https://host", o.Issuer)
	}
	o.setDefaults()
	p := &Provider{opts: o, issuer: issuer, clients: newClients(o.Store, o.Now, o.ClientTTL)}
	if p.key, err = o.Secret.MAC(ctx, []byte("yinxin/identity/oauth/tokens/v1")); err != nil {
		return nil, fmt.Errorf("oauth: token key: %w", err)
	}
	if p.signers, err = newSigners(o.Keys); err != nil {
		return nil, err
	}
	p.wire()
	if err := p.route(); err != nil {
		return nil, err
	}
	return p, nil
}

func (o *Options) setDefaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.SessionToken == nil {
		o.SessionToken = func(context.Context) string { return "" }
	}
	if o.ErrorPage == nil {
		o.ErrorPage = func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, readable(err), fault.KindOf(err).HTTPStatus())
		}
	}
	path := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	path(&o.SignInPath, "/signin")
	path(&o.ConsentPath, "/consent")
	path(&o.EndSessionPath, "/oauth2/logout")
	life := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	life(&o.CodeLife, 60*time.Second)
	life(&o.AccessLife, time.Hour)
	life(&o.OfflineLife, 30*24*time.Hour)
	life(&o.InteractionLife, 10*time.Minute)
	life(&o.ClientTTL, 30*time.Second)
}

// readable is the sentence of an error without its cause.
func readable(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		if f.Hint != "" {
			return f.Message + ": " + f.Hint
		}
		return f.Message
	}
	return "the request cannot be answered"
}

// The protocol's addresses below the issuer.
const (
	pathDiscovery  = "/.well-known/openid-configuration"
	pathJWKS       = "/oauth2/jwks"
	pathAuthorize  = "/oauth2/authorize"
	pathToken      = "/oauth2/token"
	pathUserinfo   = "/oauth2/userinfo"
	pathIntrospect = "/oauth2/introspect"
	pathRevoke     = "/oauth2/revoke"
)

// formLimit bounds the body of every request to the provider.
const formLimit = 64 << 10

func (p *Provider) route() error {
	discovery, err := p.discovery()
	if err != nil {
		return err
	}
	jwks, err := p.signers.jwks()
	if err != nil {
		return err
	}
	p.mux = http.NewServeMux()
	p.mux.Handle("GET "+pathDiscovery, static(discovery))
	p.mux.Handle("GET "+pathJWKS, static(jwks))
	for path, h := range map[string]http.HandlerFunc{
		"GET " + pathAuthorize: p.authorize, "POST " + pathAuthorize: p.authorize,
		"POST " + pathToken:   p.token,
		"GET " + pathUserinfo: p.userinfo, "POST " + pathUserinfo: p.userinfo,
		"POST " + pathIntrospect: p.introspect,
		"POST " + pathRevoke:     p.revoke,
	} {
		p.mux.Handle(path, h)
	}
	return nil
}

// ServeHTTP answers applications at /oauth2/* and /.well-known/openid-configuration.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	}
	p.mux.ServeHTTP(w, r)
}

// mac is HMAC-SHA-256 under the provider's key with a purpose in front.
func (p *Provider) mac(purpose string, parts ...[]byte) [32]byte {
	h := hmac.New(sha256.New, p.key[:])
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	for _, b := range parts {
		h.Write(b)
	}
	return [32]byte(h.Sum(nil))
}
