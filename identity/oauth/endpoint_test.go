package oauth_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ client, scope, want string }{
		{"basic", "license.issue verify", "license.issue verify"},
		{"basic", "openid license.read", "license.read"},
		{"post", "", "license.read license.present verify license.issue license.revoke"},
	} {
		form := url.Values{"grant_type": {"client_credentials"}}
		if c.scope != "" {
			form.Set("scope", c.scope)
		}
		status, out := w.post("/oauth2/token", w.client(c.client), form)
		if status != 200 || str(out, "scope") != c.want || out["refresh_token"] != nil || out["id_token"] != nil {
			t.Errorf("%s %q: %d %v", c.client, c.scope, status, out)
		}
		who, err := w.provider.Authenticate(context.Background(), str(out, "access_token"))
		if err != nil {
			t.Fatal(err)
		}
		want := identity.Principal{Client: c.client, Scopes: strings.Fields(c.want)}
		if c.client == "basic" {
			want.Office, want.Offices = office, []string{"*"}
		}
		if diff := cmp.Diff(want, who); diff != "" {
			t.Errorf("principal: %s", diff)
		}
		if status, _ := w.userinfoStatus("GET", str(out, "access_token")); status != 401 {
			t.Errorf("userinfo without a person: %d", status)
		}
	}
	if status, out := w.post("/oauth2/token", w.client("basic"), url.Values{"grant_type": {"client_credentials"}, "scope": {"all"}}); status != 400 || str(out, "error") != "invalid_scope" {
		t.Errorf("unknown scope: %d %v", status, out)
	}
	for _, scope := range []string{"openid", "openid profile offline_access"} {
		status, out := w.post("/oauth2/token", w.client("basic"), url.Values{"grant_type": {"client_credentials"}, "scope": {scope}})
		if status != 400 || str(out, "error") != "invalid_scope" || out["access_token"] != nil {
			t.Errorf("nobody's %s: %d %v", scope, status, out)
		}
	}
	if status, out := w.post("/oauth2/token", w.client("bare"), url.Values{"grant_type": {"client_credentials"}}); status != 400 || str(out, "error") != "invalid_scope" {
		t.Errorf("no scope registered for itself: %d %v", status, out)
	}
	_, out := w.post("/oauth2/token", w.client("basic"), url.Values{"grant_type": {"client_credentials"}})
	w.clock.forward(61 * time.Minute)
	if _, err := w.provider.Authenticate(context.Background(), str(out, "access_token")); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("after an hour: %v", err)
	}
	for _, bad := range []string{"", "yxa_", "x", str(out, "access_token")[:40], strings.Repeat("y", 9000)} {
		if _, err := w.provider.Authenticate(context.Background(), bad); fault.CodeOf(err) != "token_invalid" {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := w.tokens(w.browser(), "basic")
	claims := w.idToken(str(out, "id_token"))
	status, got := w.post("/oauth2/introspect", w.client("basic"), url.Values{"token": {str(out, "access_token")}})
	want := map[string]any{
		"active": true, "scope": "openid profile offline_access", "client_id": "basic", "token_type": "Bearer", "exp": got["exp"], "iat": got["iat"],
		"sub": claims["sub"], "iss": w.server.URL, "acr": claims["acr"], "auth_time": claims["auth_time"],
	}
	if diff := cmp.Diff(want, got); status != 200 || diff != "" {
		t.Errorf("%d %s", status, diff)
	}
	// A resource server of another department learns another sub, and nothing of another client's refresh token.
	_, other := w.post("/oauth2/introspect", w.client("resource"), url.Values{"token": {str(out, "access_token")}})
	if other["active"] != true || other["client_id"] != "basic" || str(other, "sub") == "" || other["sub"] == claims["sub"] {
		t.Errorf("resource server: %v", other)
	}
	_, own := w.post("/oauth2/token", w.client("basic"), url.Values{"grant_type": {"client_credentials"}})
	if _, other = w.post("/oauth2/introspect", w.client("resource"), url.Values{"token": {str(own, "access_token")}}); other["active"] != true || other["sub"] != "basic" {
		t.Errorf("resource server, no person: %v", other)
	}
	// To any other client, of the same department too, a token is as good as unknown.
	inactive := map[string]any{"active": false}
	for _, c := range []struct{ asker, token string }{
		{"resource", str(out, "refresh_token")},
		{"post", str(out, "refresh_token")},
		{"post", str(out, "access_token")},
		{"sister", str(out, "access_token")},
		{"post", str(own, "access_token")},
	} {
		if status, other := w.post("/oauth2/introspect", w.client(c.asker), url.Values{"token": {c.token}}); status != 200 || !cmp.Equal(inactive, other) {
			t.Errorf("%s: %d %v", c.asker, status, other)
		}
	}
	if _, other = w.post("/oauth2/introspect", w.client("basic"), url.Values{"token": {"nonsense"}}); len(other) != 1 || other["active"] != false {
		t.Errorf("nonsense: %v", other)
	}
	if status, other = w.post("/oauth2/introspect", w.client("native"), url.Values{"token": {str(out, "access_token")}}); status != 401 {
		t.Errorf("public client: %d %v", status, other)
	}
	if status, other = w.post("/oauth2/introspect", w.client("basic"), url.Values{}); status != 400 {
		t.Errorf("no token: %d %v", status, other)
	}
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	c := w.client("basic")
	out := w.tokens(b, "basic")
	access, token := str(out, "access_token"), str(out, "refresh_token")
	revoke := func(client, token string, want int) {
		t.Helper()
		if status, out := w.post("/oauth2/revoke", w.client(client), url.Values{"token": {token}}); status != want {
			t.Errorf("revoke: %d %v", status, out)
		}
	}
	revoke("post", access, 400)
	revoke("post", token, 400)
	revoke("basic", "nonsense", 200)
	if !w.active(access) || !w.active(token) {
		t.Fatal("a stranger revoked")
	}
	revoke("basic", access, 200)
	revoke("basic", access, 200)
	if w.active(access) || !w.active(token) {
		t.Error("an access token goes alone")
	}
	_, out = w.post("/oauth2/token", c, refresh(token))
	access, token = str(out, "access_token"), str(out, "refresh_token")
	revoke("basic", token, 200)
	if w.active(access) || w.active(token) {
		t.Error("a refresh token takes its grant along")
	}
	if status, _ := w.userinfoStatus("GET", access); status != 401 {
		t.Errorf("userinfo: %d", status)
	}
}

func TestLogout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	c := w.client("basic")
	bound := w.tokens(b, "basic", "scope", "openid")
	offline := w.tokens(b, "basic", "scope", "openid offline_access")
	hint := str(bound, "id_token")
	logout := func(pairs ...string) (int, *url.URL, string) {
		t.Helper()
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return b.step(http.MethodGet, "/oauth2/logout?"+v.Encode(), nil)
	}
	parts := strings.Split(hint, ".")
	none := "eyJhbGciOiJub25lIn0." + parts[1] + "."
	for name, pairs := range map[string][]string{
		"unregistered":      {"id_token_hint", hint, "post_logout_redirect_uri", "https://one.example/elsewhere"},
		"with a query":      {"id_token_hint", hint, "post_logout_redirect_uri", "https://one.example/bye?x=1"},
		"garbage hint":      {"id_token_hint", "garbage", "post_logout_redirect_uri", "https://one.example/bye"},
		"algorithm none":    {"id_token_hint", none, "post_logout_redirect_uri", "https://one.example/bye"},
		"changed signature": {"id_token_hint", parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])), "post_logout_redirect_uri", "https://one.example/bye"},
		"no hint":           {"post_logout_redirect_uri", "https://one.example/bye"},
		"another client":    {"id_token_hint", hint, "client_id", "post"},
	} {
		if status, to, _ := logout(pairs...); status != 400 || to != nil {
			t.Errorf("%s: %d %v", name, status, to)
		}
	}
	if f := b.authorize("basic", "scope", "openid", "prompt", "none"); f.back.Get("code") == "" {
		t.Fatalf("a refused logout ended the session: %v", f.back)
	}
	w.clock.forward(2 * time.Hour) // an expired hint is a hint
	bound2 := w.tokens(b, "basic", "scope", "openid")
	_, to, _ := logout("id_token_hint", hint, "post_logout_redirect_uri", "https://one.example/bye", "state", "a b&c")
	if to == nil || to.String() != "https://one.example/bye?state=a+b%26c" {
		t.Fatalf("sent to %v", to)
	}
	if f := b.authorize("basic", "scope", "openid", "prompt", "none"); f.back.Get("error") != "login_required" {
		t.Errorf("after logout: %v", f.back)
	}
	if w.active(str(bound2, "access_token")) || w.active(str(bound2, "refresh_token")) {
		t.Error("what is bound to the session outlives it")
	}
	if status, out := w.post("/oauth2/token", c, refresh(str(bound, "refresh_token"))); status != 400 || str(out, "error") != "invalid_grant" {
		t.Errorf("bound refresh token: %d %v", status, out)
	}
	if status, out := w.post("/oauth2/token", c, refresh(str(offline, "refresh_token"))); status != 200 {
		t.Errorf("offline_access: %d %v", status, out)
	}
	// Without a hint the browser's own session ends, on a page of ours.
	w.tokens(b, "basic")
	if status, to, body := logout("state", "x"); status != 200 || to != nil || body != "signed out" {
		t.Errorf("without a hint: %d %v %s", status, to, body)
	}
	if f := b.authorize("basic", "prompt", "none"); f.back.Get("error") != "login_required" {
		t.Errorf("after logout without a hint: %v", f.back)
	}
	w.tokens(b, "basic")
	if _, to, _ = logout("id_token_hint", hint, "post_logout_redirect_uri", "https://one.example/bye"); to == nil || to.RawQuery != "" {
		t.Errorf("without a state: %v", to)
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	get := func(path string, etag string) (*http.Response, map[string]any) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, w.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if etag != "" {
			req.Header.Set("If-None-Match", etag)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]any{}
		if len(body) > 0 {
			if err := json.Unmarshal(body, &out); err != nil {
				t.Fatal(err)
			}
		}
		return resp, out
	}
	resp, doc := get("/.well-known/openid-configuration", "")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" || doc["issuer"] != w.server.URL {
		t.Fatalf("%d %v", resp.StatusCode, doc)
	}
	if resp, _ := get("/.well-known/openid-configuration", resp.Header.Get("Etag")); resp.StatusCode != 304 {
		t.Errorf("with the ETag: %d", resp.StatusCode)
	}
	for name, want := range map[string]string{
		"id_token_signing_alg_values_supported": "RS256", "response_types_supported": "code", "subject_types_supported": "pairwise",
		"token_endpoint_auth_methods_supported": "client_secret_post", "code_challenge_methods_supported": "S256", "claims_supported": "phone_number",
		"scopes_supported": "address", "grant_types_supported": "refresh_token",
	} {
		list, _ := doc[name].([]any)
		if !slices.Contains(list, any(want)) {
			t.Errorf("%s: %v lacks %s", name, list, want)
		}
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint", "introspection_endpoint", "revocation_endpoint"} {
		if !strings.HasPrefix(str(doc, name), w.server.URL) {
			t.Errorf("%s: %v", name, doc[name])
		}
	}
	if doc["request_uri_parameter_supported"] != false || doc["request_parameter_supported"] != false || doc["authorization_response_iss_parameter_supported"] != true {
		t.Errorf("switches: %v", doc)
	}
	resp, set := get("/oauth2/jwks", "")
	if resp.Header.Get("Etag") == "" || len(set["keys"].([]any)) != 2 {
		t.Errorf("keys: %v", set)
	}
}
