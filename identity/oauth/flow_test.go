package oauth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/identity"
)

func TestCodeFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	f := b.authorize("basic", "scope", "openid profile email offline_access license.read license.issue")
	if diff := cmp.Diff([]string{"/signin", "/consent"}, f.pages); diff != "" {
		t.Fatalf("pages: %s", diff)
	}
	if f.to.Host != "one.example" || f.back.Get("x") != "1" || f.back.Get("state") != "state-of-the-application" || f.back.Get("iss") != w.server.URL {
		t.Fatalf("answer: %s", f.to)
	}
	status, out := w.post("/oauth2/token", f.client, f.exchange())
	if status != 200 {
		t.Fatalf("exchange: %d %v", status, out)
	}
	if out["token_type"] != "Bearer" || out["expires_in"].(float64) < 3590 || str(out, "refresh_token") == "" {
		t.Errorf("answer: %v", out)
	}
	if got := strings.Fields(str(out, "scope")); slices.Contains(got, "license.issue") || !slices.Contains(got, "license.read") {
		t.Errorf("a citizen got %v", got)
	}
	claims := w.idToken(str(out, "id_token"))
	sub := str(claims, "sub")
	sum := sha256.Sum256([]byte(str(out, "access_token")))
	want := map[string]any{
		"iss": w.server.URL, "sub": sub, "aud": "basic", "exp": claims["exp"], "iat": claims["iat"], "auth_time": claims["auth_time"],
		"nonce": "nonce-1234567", "acr": "urn:yinxin:acr:ial3:aal1", "amr": []any{"pwd"}, "sid": claims["sid"],
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]),
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Errorf("ID token: %s", diff)
	}
	if len(sub) != 64 || str(claims, "sid") == "" || claims["auth_time"] == nil {
		t.Errorf("ID token: %v", claims)
	}

	info := w.userinfo(http.MethodGet, str(out, "access_token"))
	if diff := cmp.Diff(map[string]any{"sub": sub, "name": "王小明", "email": "xm@example.com", "email_verified": true, "updated_at": 1.7e9}, info); diff != "" {
		t.Errorf("userinfo: %s", diff)
	}
	if diff := cmp.Diff(info, w.userinfo(http.MethodPost, str(out, "access_token"))); diff != "" {
		t.Errorf("userinfo by POST: %s", diff)
	}

	who, err := w.provider.Authenticate(context.Background(), str(out, "access_token"))
	if err != nil {
		t.Fatal(err)
	}
	if who.Account.Name != "王小明" || who.Client != "basic" || !who.Can(identity.ScopeRead) || who.Can(identity.ScopeIssue) || who.Session.SID != claims["sid"] {
		t.Errorf("principal: %+v", who)
	}

	// The next application of the same browser: no sign-in, consent once, then neither; another department sees another sub.
	f = b.authorize("post")
	if diff := cmp.Diff([]string{"/consent"}, f.pages); diff != "" {
		t.Errorf("second application: %s", diff)
	}
	_, other := w.post("/oauth2/token", f.client, f.exchange())
	rs := w.idToken(str(other, "id_token"))
	if str(rs, "sub") == sub || rs["sid"] != claims["sid"] || rs["auth_time"] != claims["auth_time"] {
		t.Errorf("second application: %v", rs)
	}
	if f = b.authorize("post"); len(f.pages) != 0 {
		t.Errorf("again: %v", f.pages)
	}
	// A sister of the first knows the same sub; the department's own application asks nothing.
	f = b.authorize("sister")
	_, third := w.post("/oauth2/token", f.client, f.exchange())
	if got := w.idToken(str(third, "id_token")); str(got, "sub") != sub {
		t.Errorf("sister: %v", got)
	}
	if f = b.authorize("own"); len(f.pages) != 0 || f.back.Get("code") == "" {
		t.Errorf("preauthorized: %v", f)
	}
	// An officer's roles open the API, at another browser.
	c := w.client("basic")
	f = w.browser().follow(c, "/oauth2/authorize?"+params(c, "scope", "openid license.issue license.present").Encode(), "officer", "allow")
	_, fourth := w.post("/oauth2/token", f.client, f.exchange())
	if str(fourth, "scope") != "openid license.issue" {
		t.Errorf("officer: %v", fourth)
	}
	if w.full != 0 {
		t.Errorf("%d answers were 5xx", w.full)
	}
}

// idToken checks an ID token against the published keys.
func (w *world) idToken(token string) map[string]any {
	w.t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		w.t.Fatalf("ID token %q", token)
	}
	var head struct{ Alg, Kid string }
	w.part(parts[0], &head)
	var set struct {
		Keys []struct{ Kty, Kid, Alg, Use, Crv, X, Y, N, E, D string }
	}
	resp, err := http.Get(w.server.URL + "/oauth2/jwks")
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		w.t.Fatal(err)
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		w.t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	number := func(s string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			w.t.Fatal(err)
		}
		return new(big.Int).SetBytes(b)
	}
	for _, k := range set.Keys {
		if k.D != "" || k.Use != "sig" {
			w.t.Errorf("key set: %+v", k)
		}
		if k.Kid != head.Kid || k.Alg != head.Alg {
			continue
		}
		good := false
		switch k.Kty {
		case "EC":
			pub := *key(w.t, "token/es256").Public().(*ecdsa.PublicKey)
			pub.X, pub.Y = number(k.X), number(k.Y)
			good = len(sig) == 64 && ecdsa.Verify(&pub, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
		case "RSA":
			pub := &rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}
			good = rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], sig) == nil
		}
		if !good {
			w.t.Fatal("the ID token's signature is wrong")
		}
		claims := map[string]any{}
		w.part(parts[1], &claims)
		return claims
	}
	w.t.Fatalf("no key %+v", head)
	return nil
}

func (w *world) part(text string, v any) {
	w.t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) userinfo(method, token string) map[string]any {
	w.t.Helper()
	status, out := w.userinfoStatus(method, token)
	if status != 200 {
		w.t.Fatalf("userinfo: %d %v", status, out)
	}
	return out
}

func (w *world) userinfoStatus(method, token string) (int, map[string]any) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.server.URL+"/oauth2/userinfo", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Body = io.NopCloser(strings.NewReader(url.Values{"access_token": {token}}.Encode()))
	} else {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, out
}

func TestAuthorizationRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, c := range []struct {
		name, client string
		extra        []string
		want         string // error at the application; "page 400": no redirect
	}{
		{"unknown client", "basic", []string{"client_id", "nobody"}, "page 400"},
		{"client with a zero byte", "basic", []string{"client_id", "a\x00b"}, "page 400"},
		{"redirect elsewhere", "basic", []string{"redirect_uri", "https://evil.example/cb"}, "page 400"},
		{"redirect longer", "basic", []string{"redirect_uri", "https://one.example/cb?x=1&y=2"}, "page 400"},
		{"redirect missing", "basic", []string{"redirect_uri", ""}, "page 400"},
		{"no PKCE", "basic", []string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		{"plain PKCE", "basic", []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"PKCE without method", "basic", []string{"code_challenge_method", ""}, "invalid_request"},
		{"no response type", "basic", []string{"response_type", ""}, "invalid_request"},
		{"blank response type", "basic", []string{"response_type", " "}, "invalid_request"},
		{"unknown response type", "basic", []string{"response_type", "ticket"}, "unsupported_response_type"},
		{"unknown response type without PKCE", "basic", []string{"response_type", "token", "code_challenge", "", "code_challenge_method", ""}, "unsupported_response_type"},
		{"implicit", "basic", []string{"response_type", "id_token token"}, "unsupported_response_type"},
		{"form_post", "basic", []string{"response_mode", "form_post"}, "unsupported_response_mode"},
		{"scope unknown", "basic", []string{"scope", "openid everything"}, "invalid_scope"},
		{"request object", "basic", []string{"request", "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"},
		{"request_uri", "basic", []string{"request_uri", "https://one.example/r"}, "request_uri_not_supported"},
		{"registration", "basic", []string{"registration", "{}"}, "registration_not_supported"},
		{"prompt none", "basic", []string{"prompt", "none"}, "login_required"},
		{"prompt none and login", "basic", []string{"prompt", "none login"}, "invalid_request"},
		{"prompt unknown", "basic", []string{"prompt", "dance"}, "invalid_request"},
		{"max_age", "basic", []string{"max_age", "soon"}, "invalid_request"},
		{"hint", "basic", []string{"id_token_hint", "a.b.c"}, "invalid_request"},
		{"claims", "basic", []string{"claims", "["}, "invalid_request"},
		{"state with a zero byte", "basic", []string{"nonce", "a\x00b"}, "invalid_request"},
		{"no state, nonce or PKCE", "legacy", []string{"code_challenge", "", "code_challenge_method", "", "state", "", "nonce", ""}, "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg := w.client(c.client)
			status, to, _ := b.step(http.MethodGet, "/oauth2/authorize?"+params(reg, c.extra...).Encode(), nil)
			if c.want == "page 400" {
				if status != 400 || to != nil {
					t.Errorf("got %d to %v", status, to)
				}
				return
			}
			if to == nil || to.Query().Get("error") != c.want || to.Query().Get("iss") != w.server.URL || !strings.HasPrefix(to.String(), reg.RedirectURIs[0]) {
				t.Errorf("got %d to %v, want %s", status, to, c.want)
			}
		})
	}
	t.Run("repeated parameter", func(t *testing.T) {
		reg := w.client("basic")
		v := params(reg)
		v.Add("scope", "openid")
		_, to, _ := b.step(http.MethodGet, "/oauth2/authorize?"+v.Encode(), nil)
		if to == nil || to.Query().Get("error") != "invalid_request" {
			t.Errorf("got %v", to)
		}
	})
}

func TestAuthorizationAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	odd := `~!@#$%^&*()_+-={}|[]\:";'<>?,./ ` + strings.Repeat("x", 96)
	for _, c := range []struct {
		name, client string
		extra        []string
		state        string
	}{
		{"odd state", "basic", []string{"state", odd}, odd},
		{"no state", "basic", []string{"state", ""}, ""},
		{"no nonce", "basic", []string{"nonce", ""}, "state-of-the-application"},
		{"legacy without PKCE", "legacy", []string{"code_challenge", "", "code_challenge_method", ""}, "state-of-the-application"},
		{"tolerated parameters", "basic", []string{"display", "popup", "ui_locales", "se", "claims_locales", "se", "acr_values", "1 2", "login_hint", "someone", "foo", "bar"}, "state-of-the-application"},
		{"native on another port", "native", []string{"redirect_uri", "http://127.0.0.1:51234/cb"}, "state-of-the-application"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := w.browser().authorize(c.client, c.extra...)
			if f.back.Get("code") == "" || f.back.Get("state") != c.state || f.back.Has("state") != (c.state != "") {
				t.Errorf("got %v %d %s", f.to, f.status, f.body)
			}
		})
	}
	t.Run("POST", func(t *testing.T) {
		c := w.client("basic")
		status, to, _ := w.browser().step(http.MethodPost, "/oauth2/authorize", params(c))
		if status != 303 || to.Path != "/signin" {
			t.Errorf("got %d %v", status, to)
		}
	})
	t.Run("claim by name", func(t *testing.T) {
		out := w.tokens(w.browser(), "basic", "scope", "openid", "claims", `{"userinfo":{"name":{"essential":true},"other":null}}`)
		if info := w.userinfo(http.MethodGet, str(out, "access_token")); info["name"] != "王小明" || info["email"] != nil {
			t.Errorf("userinfo %v", info)
		}
	})
}

func TestConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	c := w.client("basic")
	f := b.follow(c, "/oauth2/authorize?"+params(c, "scope", "openid").Encode(), citizen, "deny")
	if f.back.Get("error") != "access_denied" || f.back.Get("state") == "" || f.back.Get("iss") == "" {
		t.Fatalf("denied: %v", f.back)
	}
	if f = b.authorize("basic", "scope", "openid", "prompt", "none"); f.back.Get("error") != "consent_required" {
		t.Errorf("after a refusal: %v", f.back)
	}
	b.authorize("basic", "scope", "openid")
	if f = b.authorize("basic", "scope", "openid", "prompt", "none"); f.back.Get("code") == "" {
		t.Errorf("after consent: %v", f.back)
	}
	if f = b.authorize("basic", "scope", "openid email"); len(f.pages) != 1 || f.pages[0] != "/consent" {
		t.Errorf("more than agreed: %v", f.pages)
	}
	if f = b.authorize("basic", "scope", "openid email"); len(f.pages) != 0 {
		t.Errorf("agreed: %v", f.pages)
	}
	if f = b.authorize("basic", "prompt", "consent"); len(f.pages) != 1 {
		t.Errorf("prompt=consent: %v", f.pages)
	}
	// A request is finished once, and not after ten minutes.
	_, to, _ := b.step(http.MethodGet, "/oauth2/authorize?"+params(c, "prompt", "consent").Encode(), nil)
	_, first, _ := b.step(http.MethodPost, to.RequestURI(), url.Values{"decision": {"allow"}})
	status, second, _ := b.step(http.MethodPost, to.RequestURI(), url.Values{"decision": {"allow"}})
	if first == nil || second != nil || status != 404 {
		t.Errorf("twice: %v, then %d %v", first, status, second)
	}
	_, to, _ = b.step(http.MethodGet, "/oauth2/authorize?"+params(c, "prompt", "consent").Encode(), nil)
	w.clock.forward(11 * time.Minute)
	if status, _, _ = b.step(http.MethodPost, to.RequestURI(), url.Values{"decision": {"allow"}}); status != 404 {
		t.Errorf("old: %d", status)
	}
}

func TestPrompts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	first := w.idToken(str(w.tokens(b, "basic"), "id_token"))
	again := func(extra ...string) (map[string]any, []string) {
		t.Helper()
		f := b.authorize("basic", extra...)
		status, out := w.post("/oauth2/token", f.client, f.exchange())
		if status != 200 {
			t.Fatalf("%v: %v %d %v", extra, f.back, status, out)
		}
		return w.idToken(str(out, "id_token")), f.pages
	}
	w.clock.forward(20 * time.Second)
	for _, extra := range [][]string{{"prompt", "none"}, {"max_age", "10000"}, {"prompt", "none", "max_age", "10000"}} {
		got, pages := again(extra...)
		if got["auth_time"] != first["auth_time"] || got["sub"] != first["sub"] || len(pages) != 0 {
			t.Errorf("%v: %v over %v", extra, got, pages)
		}
	}
	for _, extra := range [][]string{{"prompt", "login"}, {"max_age", "1"}, {"max_age", "0"}} {
		w.clock.forward(20 * time.Second)
		got, pages := again(extra...)
		if got["auth_time"].(float64) <= first["auth_time"].(float64) || !slices.Contains(pages, "/signin") || got["sid"] != first["sid"] {
			t.Errorf("%v: %v over %v", extra, got, pages)
		}
		first = got
	}
	// A sign-in of a moment ago is not a new one either.
	for range 2 {
		if f := b.authorize("basic", "prompt", "login"); !slices.Contains(f.pages, "/signin") {
			t.Errorf("prompt=login at once: %v", f.pages)
		}
	}
	w.clock.forward(20 * time.Second)
	if f := b.authorize("basic", "prompt", "none", "max_age", "1"); f.back.Get("error") != "login_required" {
		t.Errorf("prompt=none max_age=1: %v", f.back)
	}
	// The session that the browser had does not answer prompt=login, whatever page it goes to and however young it is.
	b.authorize("basic", "prompt", "login")
	c := w.client("basic")
	_, to, _ := b.step(http.MethodGet, "/oauth2/authorize?"+params(c, "prompt", "login").Encode(), nil)
	if status, next, body := b.step(http.MethodPost, "/consent?"+to.RawQuery, url.Values{"decision": {"allow"}}); status != 401 || next != nil {
		t.Errorf("old session: %d %v %s", status, next, body)
	}
	// id_token_hint: of this person it is silent; when another signs in, the application is told.
	out := w.tokens(b, "basic")
	if f := b.authorize("basic", "prompt", "none", "id_token_hint", str(out, "id_token")); f.back.Get("code") == "" {
		t.Errorf("hint: %v", f.back)
	}
	f := w.browser().follow(c, "/oauth2/authorize?"+params(c, "id_token_hint", str(out, "id_token")).Encode(), "officer", "allow")
	if f.back.Get("error") != "login_required" {
		t.Errorf("hint of another: %v", f.back)
	}
}
