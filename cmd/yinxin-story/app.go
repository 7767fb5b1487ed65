package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// app is an application of somebody else (依赖方) that lets people sign in with the province, built on a library that
// knows nothing of it. It checks everything that OpenID Connect Core §3.1.3.7 and RFC 9207 let an application check.
type app struct {
	name     string
	issuer   string
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
	server   *http.Server
	addr     string // where it really listens
	public   string // where people find it
	served   chan error

	mu      sync.Mutex
	waiting map[string]login // by state
}

// login is a sign-in under way.
type login struct{ nonce, verifier string }

// signedIn is what the application learns of a person, and shows.
type signedIn struct {
	Subject  string   `json:"sub"`
	Name     string   `json:"name"`
	Session  string   `json:"sid"`
	AuthTime int64    `json:"auth_time"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	Expiry   string   `json:"expiry"`
}

// startApp starts an application for a registered client. It listens on a free port; browsers of the story reach it under
// its registered address.
func startApp(ctx context.Context, issuer string, c demoClient) (*app, error) {
	if len(c.RedirectURIs) == 0 {
		return nil, fault.New(fault.Invalid, "demo_json", fmt.Sprintf("the client %q has no redirect_uri", c.ClientID))
	}
	callback, err := url.Parse(c.RedirectURIs[0])
	if err != nil || callback.Host == "" || callback.Path == "" {
		return nil, fault.New(fault.Invalid, "demo_json", fmt.Sprintf("the redirect_uri of client %q is no address", c.ClientID))
	}
	client := &http.Client{Timeout: 20 * time.Second}
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), client), issuer)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "discovery", "the provider's discovery document is not what go-oidc takes")
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	a := &app{
		name: c.ClientID, issuer: issuer, provider: provider, public: callback.Host, waiting: map[string]login{}, served: make(chan error, 1),
		verifier: provider.Verifier(&oidc.Config{ClientID: c.ClientID}),
		oauth: oauth2.Config{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret, Endpoint: endpoint, RedirectURL: c.RedirectURIs[0],
			Scopes: []string{oidc.ScopeOpenID, "profile"},
		},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", a.login)
	mux.HandleFunc("GET "+callback.Path, func(w http.ResponseWriter, r *http.Request) { a.callback(w, r, client) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "port", "this machine gives no port to listen on")
	}
	a.addr = l.Addr().String()
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { a.served <- a.server.Serve(l) }()
	return a, nil
}

func (a *app) close() error {
	err := a.server.Close()
	if served := <-a.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// login sends the browser to the province, with PKCE S256, nonce and state. The state stands in a cookie too, so that
// nobody can finish a sign-in that another browser began.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	state, request := a.begin()
	http.SetCookie(w, &http.Cookie{Name: a.name + "-state", Value: state, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, request, http.StatusFound)
}

// begin makes an authorization request.
func (a *app) begin() (state, request string) {
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	a.mu.Lock()
	a.waiting[state] = login{nonce, verifier}
	a.mu.Unlock()
	return state, a.oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))
}

func (a *app) callback(w http.ResponseWriter, r *http.Request, client *http.Client) {
	who, err := a.finish(oidc.ClientContext(r.Context(), client), r)
	if err != nil {
		http.Error(w, a.name+": "+err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(who); err != nil {
		return // the browser is gone; nobody is left to tell
	}
}

// finish turns an authorization response into a person.
func (a *app) finish(ctx context.Context, r *http.Request) (*signedIn, error) {
	q := r.URL.Query()
	if code := q.Get("error"); code != "" {
		return nil, fmt.Errorf("the provider refuses: %s %s", code, q.Get("error_description"))
	}
	state := q.Get("state")
	cookie, err := r.Cookie(a.name + "-state")
	if err != nil || cookie.Value != state {
		return nil, errors.New("the state is not of this browser")
	}
	a.mu.Lock()
	began, ok := a.waiting[state]
	delete(a.waiting, state)
	a.mu.Unlock()
	if !ok {
		return nil, errors.New("the state is not known")
	}
	if q.Get("iss") != a.issuer {
		return nil, fmt.Errorf("the response names the issuer %q", q.Get("iss"))
	}
	token, err := a.oauth.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(began.verifier))
	if err != nil {
		return nil, fmt.Errorf("the code is not exchanged: %w", err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := a.verifier.Verify(ctx, raw) // signature, iss, aud, exp
	if err != nil {
		return nil, fmt.Errorf("the ID token is not good: %w", err)
	}
	if id.Nonce != began.nonce {
		return nil, errors.New("the ID token has another nonce")
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		return nil, fmt.Errorf("at_hash: %w", err)
	}
	who := &signedIn{Expiry: id.Expiry.UTC().Format(time.RFC3339)}
	if err := id.Claims(who); err != nil {
		return nil, err
	}
	info, err := a.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	if info.Subject != who.Subject {
		return nil, errors.New("userinfo tells of another person")
	}
	if err := info.Claims(&struct {
		Name *string `json:"name"`
	}{&who.Name}); err != nil {
		return nil, err
	}
	return who, nil
}
