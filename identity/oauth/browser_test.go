package oauth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/yinxin-trust/yinxin/identity/oauth"
)

// browser is a person's browser: it keeps cookies and shows where it is sent instead of leaving our pages.
type browser struct {
	w    *world
	http *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w: w, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// step makes one request and gives status, where it redirects to, and the body.
func (b *browser) step(method, address string, form url.Values) (int, *url.URL, string) {
	b.w.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.w.server.URL + address
	}
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, address, body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	if resp.Header.Get("Location") == "" {
		return resp.StatusCode, nil, string(text)
	}
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		b.w.t.Fatal(err)
	}
	return resp.StatusCode, to, string(text)
}

// flow is one authorization.
type flow struct {
	client   oauth.Registration
	verifier string
	pages    []string // paths of ours that the person saw
	back     url.Values
	to       *url.URL
	status   int // of the last page when the browser was not sent back
	body     string
}

const verifier = "a-verifier-of-at-least-43-characters-0123456789"

func challenge(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func params(c oauth.Registration, extra ...string) url.Values {
	v := url.Values{
		"client_id": {c.ClientID}, "response_type": {"code"}, "scope": {"openid profile offline_access"}, "state": {"state-of-the-application"},
		"nonce": {"nonce-1234567"}, "code_challenge": {challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	if len(c.RedirectURIs) > 0 {
		v.Set("redirect_uri", c.RedirectURIs[0])
	}
	for i := 0; i+1 < len(extra); i += 2 {
		if extra[i+1] == "" {
			v.Del(extra[i])
		} else {
			v.Set(extra[i], extra[i+1])
		}
	}
	return v
}

// authorize goes through an authorization as a person who signs in and agrees. The pairs in extra replace parameters;
// an empty value removes one.
func (b *browser) authorize(client string, extra ...string) *flow {
	b.w.t.Helper()
	c := b.w.client(client)
	return b.follow(c, "/oauth2/authorize?"+params(c, extra...).Encode(), citizen, "allow")
}

func (b *browser) follow(c oauth.Registration, address, login, decision string) *flow {
	b.w.t.Helper()
	f := &flow{client: c, verifier: verifier}
	method, form := http.MethodGet, url.Values(nil)
	for range 8 {
		var to *url.URL
		f.status, to, f.body = b.step(method, address, form)
		if to == nil {
			return f
		}
		if to.Host != "" && !strings.HasPrefix(to.String(), b.w.server.URL) {
			f.to, f.back = to, to.Query()
			return f
		}
		f.pages = append(f.pages, to.Path)
		address, method = to.RequestURI(), http.MethodPost
		switch to.Path {
		case "/signin":
			form = url.Values{"login": {login}, "password": {password}}
		case "/consent":
			form = url.Values{"decision": {decision}}
		default:
			b.w.t.Fatalf("sent to %s", to)
		}
	}
	b.w.t.Fatal("the authorization does not end")
	return nil
}

// post calls an endpoint as a client.
func (w *world) post(path string, c oauth.Registration, form url.Values) (int, map[string]any) {
	w.t.Helper()
	form = cloneValues(form)
	req, err := http.NewRequest(http.MethodPost, w.server.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	switch c.AuthMethod {
	case "client_secret_post":
		form.Set("client_id", c.ClientID)
		form.Set("client_secret", c.ClientSecret)
	case "none":
		form.Set("client_id", c.ClientID)
	default:
		req.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret))
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Body = io.NopCloser(strings.NewReader(form.Encode()))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Error(err)
		return 0, nil
	}
	defer resp.Body.Close()
	out := map[string]any{}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Error(err)
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &out); err != nil {
			w.t.Errorf("%s: %d %q", path, resp.StatusCode, body)
		}
	}
	return resp.StatusCode, out
}

func cloneValues(v url.Values) url.Values {
	out := url.Values{}
	for k, s := range v {
		out[k] = append([]string(nil), s...)
	}
	return out
}

func (f *flow) exchange() url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {f.back.Get("code")}, "redirect_uri": {f.client.RedirectURIs[0]}, "code_verifier": {f.verifier}}
}

func refresh(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// tokens signs in and exchanges.
func (w *world) tokens(b *browser, client string, extra ...string) map[string]any {
	w.t.Helper()
	f := b.authorize(client, extra...)
	if f.back.Get("code") == "" {
		w.t.Fatalf("no code: %v %d %s", f.back, f.status, f.body)
	}
	status, out := w.post("/oauth2/token", f.client, f.exchange())
	if status != 200 {
		w.t.Fatalf("exchange: %d %v", status, out)
	}
	return out
}

// active asks whether a token is.
func (w *world) active(token string) bool {
	w.t.Helper()
	status, out := w.post("/oauth2/introspect", w.client("basic"), url.Values{"token": {token}})
	if status != 200 {
		w.t.Fatalf("introspect: %d %v", status, out)
	}
	return out["active"] == true
}

func str(m map[string]any, name string) string { s, _ := m[name].(string); return s }
