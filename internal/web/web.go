package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

//go:embed templates/*.html text/*.json static api
var files embed.FS

// Config is what the composition root hands to the outside of the service. Everything without "optional" is needed.
type Config struct {
	Licenses  Licenses
	Proofs    Proofs
	Judge     Judge
	Accounts  Accounts
	Provider  Provider
	TrustList func(ctx context.Context) ([]byte, error) // the signed trust list as it is published (信任列表)

	BaseURL      string // public origin, such as "https://zz.example.gov.cn"; codes carry it in upper case
	CookieSecure bool   // true when BaseURL is https, also behind a front that terminates TLS

	WitnessURL string           // optional: where the witness (见证方) publishes its cosignatures
	Offices    []Office         // optional: names of organisation codes, for pages that know only the code
	Samples    []Sample         // optional: sample accounts that the sign-in page of a demonstration offers; empty elsewhere
	Logger     *slog.Logger     // optional: where requests and faults are logged; nil is silent
	Now        func() time.Time // optional: time.Now
}

// Office is an organisation (机构) by code and name.
type Office struct {
	Code string // 统一社会信用代码
	Name string
}

// Sample is an account of a demonstration, with its password in plain because everybody may use it.
type Sample struct {
	Login    string
	Password string
	Role     string // in words of the reader, zh-CN
	RoleEN   string
}

// server holds what the handlers share. It is made once and never changes.
type server struct {
	Config
	base    *url.URL
	pages   pages
	words   *words
	assets  *assets
	schemas *schemas
	offices map[string]string
	openapi []byte
}

// New makes the handler of the whole outside: pages, API, static files, and the provider's endpoints mounted as they are.
func New(c Config) (http.Handler, error) {
	if c.Licenses == nil || c.Proofs == nil || c.Judge == nil || c.Accounts == nil || c.Provider == nil || c.TrustList == nil {
		return nil, errors.New("web: a part is missing from the configuration")
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") || strings.Trim(base.Path, "/") != "" {
		return nil, fmt.Errorf("web: %q is not an origin such as https://host:port", c.BaseURL)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &server{Config: c, base: base, offices: make(map[string]string, len(c.Offices))}
	for _, o := range c.Offices {
		s.offices[o.Code] = o.Name
	}
	if s.words, err = loadWords(files); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(files); err != nil {
		return nil, err
	}
	if s.pages, err = parsePages(files, s.assets); err != nil {
		return nil, err
	}
	if s.schemas, err = loadSchemas(files); err != nil {
		return nil, err
	}
	if s.openapi, err = s.document(); err != nil {
		return nil, err
	}
	return s.handler()
}

// handler composes the routes with what every request passes through: trace, log, recovery, headers, then either the
// provider, which has rules of its own, or our pages and API behind the cross-origin check.
func (s *server) handler() (http.Handler, error) {
	pages := http.NewServeMux()
	s.routePages(pages)
	api := http.NewServeMux()
	s.routeAPI(api)

	csrf := http.NewCrossOriginProtection()
	if err := csrf.AddTrustedOrigin(s.base.Scheme + "://" + s.base.Host); err != nil {
		return nil, fmt.Errorf("web: base URL: %w", err)
	}
	csrf.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	ours := csrf.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r) {
			s.serveMux(api, w, r)
			return
		}
		s.serveMux(pages, w, r)
	}))

	return s.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == endSessionPath:
			// The provider publishes this address; the page that asks the person is ours.
			s.recovered(http.HandlerFunc(s.endSession)).ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/oauth2/"), strings.HasPrefix(r.URL.Path, "/.well-known/"):
			providerHeaders(w.Header())
			s.recovered(s.Provider).ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), faultKey{}, s)))
		default:
			s.recovered(ours).ServeHTTP(w, r)
		}
	})), nil
}

// routePages registers every page. One line each, so that the list reads as the map of the site.
func (s *server) routePages(mux *http.ServeMux) {
	get := func(path string, h pageFunc) { mux.Handle("GET "+path, s.page(h, formLimit)) }
	post := func(path string, h pageFunc) { mux.Handle("POST "+path, s.page(h, formLimit)) }

	get("/{$}", s.home)
	get("/signin", s.signIn)
	post("/signin", s.signInSubmit)
	post("/signin/cancel", s.signInCancel)
	get("/consent", s.consent)
	post("/consent", s.consentSubmit)
	get("/signout", s.signOut)
	post("/signout", s.signOutSubmit)
	get("/signed-out", s.signedOut)
	post("/prefs", s.prefs)

	get("/wallet", s.wallet)
	get("/wallet/{id}", s.walletLicense)
	get("/wallet/{id}/file", s.downloadFile)
	get("/wallet/{id}/proof", s.downloadProof)
	get("/show/{id}", s.show)
	post("/show/{id}", s.showCode)

	get("/verify", s.verify)
	post("/verify", s.verifyCode)
	mux.Handle("POST /verify/file", s.page(s.verifyFile, fileLimit))
	for _, p := range []string{"/p/{code}", "/P/{code}", "/s/{code}", "/S/{code}"} {
		get(p, s.landing)
	}

	get("/dept", s.dept)
	get("/dept/issue", s.issueKinds)
	get("/dept/issue/{kind}", s.issueForm)
	mux.Handle("POST /dept/issue/{kind}", s.page(s.issueSubmit, issueLimit))
	get("/dept/{id}", s.deptLicense)
	// "/dept/issue/{kind}" is one path more specific than these, so what they do is told apart by the handler.
	get("/dept/{id}/{part}", s.deptPart)
	post("/dept/{id}/{part}", s.deptPart)

	get("/ledger", s.ledger)
	get("/ledger/checkpoint", s.ledgerCheckpoint)
	get("/developers", s.developers)
	get("/accessibility", s.accessibility)
	mux.Handle("GET /static/", s.assets)
	mux.Handle("GET /favicon.ico", s.assets)
}
