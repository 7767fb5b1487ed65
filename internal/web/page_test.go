package web_test

import (
	"bytes"
	"io"
	"io/fs"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
)

// visit is one request of a browser.
type visit struct {
	method, path, token string
	form                url.Values
	header              map[string]string
}

func (v visit) to(t testing.TB, h http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	var body io.Reader
	if v.form != nil {
		body = strings.NewReader(v.form.Encode())
	}
	if v.method == "" {
		v.method = http.MethodGet
		if v.form != nil {
			v.method = http.MethodPost
		}
	}
	r := httptest.NewRequest(v.method, v.path, body)
	if v.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, val := range v.header {
		r.Header.Set(k, val)
	}
	if v.token != "" {
		r.AddCookie(&http.Cookie{Name: web.SessionCookie(false), Value: v.token})
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// TestEveryPage opens every page as the one it is for: it answers, in both languages and modes, with its headers, without
// anything inline, without a key in place of words.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	h := newHandler(t, w)
	citizen, clerk, officer := w.session(t, "citizen"), w.session(t, "clerk"), w.session(t, "officer")
	shown, err := w.Show(t.Context(), license.ShowRequest{License: food.ID, Viewer: food.Holders})
	if err != nil {
		t.Fatal(err)
	}
	id := food.ID.String()
	visits := []visit{
		{path: "/"},
		{path: "/signin"},
		{path: "/signin?i=waiting"},
		{path: "/consent?i=waiting", token: citizen},
		{path: "/signout", token: citizen},
		{path: "/signed-out"},
		{path: "/wallet", token: citizen},
		{path: "/wallet", token: w.session(t, "nobody")},
		{path: "/wallet/" + id, token: citizen},
		{path: "/show/" + id, token: citizen},
		{path: "/show/" + id, token: citizen, form: url.Values{"purpose": {"counter"}, "field": {"0", "2"}}},
		{path: "/verify"},
		{path: "/verify", token: clerk, form: url.Values{"code": {shown.Code}}},
		{path: "/verify", token: clerk, form: url.Values{"code": {shown.Code}}},
		{path: "/verify", form: url.Values{"code": {"HTTPS://X/P/NOTHING"}}},
		{path: shown.Code[len("HTTPS://ZZ.EXAMPLE.GOV.CN"):]},
		{path: "/s/ABC"},
		{path: "/dept", token: officer},
		{path: "/dept/issue", token: officer},
		{path: "/dept/issue/" + license.SampleProperty, token: officer},
		{path: "/dept/" + id, token: officer},
		{path: "/dept/" + id + "/revoke", token: officer},
		{path: "/ledger"},
		{path: "/developers"},
		{path: "/accessibility"},
	}
	inline := regexp.MustCompile(`(?i)<style|style=|<script(?:[^>]*)>[^<]|\son[a-z]+=|javascript:|ZgotmplZ`)
	key := regexp.MustCompile(`>[a-z]+[a-z0-9]*\.[a-z0-9_.]+</(?:[a-bd-rt-z]|span|small|summary)`) // codes and hosts stand in code and strong
	for _, v := range visits {
		for _, cookie := range []string{"yx_lang=zh-CN", "yx_lang=en; yx_elder=1; yx_theme=dark"} {
			v.header = map[string]string{"Cookie": cookie}
			rec := v.to(t, h)
			body := rec.Body.String()
			if rec.Code != http.StatusOK {
				t.Errorf("%s: %d %s", v.path, rec.Code, body)
				continue
			}
			if m := inline.FindString(body); m != "" {
				t.Errorf("%s: something inline: %q", v.path, m)
			}
			if m := key.FindString(body); m != "" {
				t.Errorf("%s: a key without words: %s", v.path, m)
			}
			csp := rec.Header().Get("Content-Security-Policy")
			if !strings.Contains(csp, "script-src 'self' 'wasm-unsafe-eval'") || strings.Contains(csp, "unsafe-inline") || !strings.Contains(csp, "frame-ancestors 'none'") {
				t.Errorf("%s: policy %q", v.path, csp)
			}
			if rec.Header().Get("X-Content-Type-Options") != "nosniff" || rec.Header().Get("Referrer-Policy") == "" || rec.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s: a header is missing", v.path)
			}
			want := []string{`<html lang="zh-CN"`}
			if strings.Contains(cookie, "en") {
				want = []string{`<html lang="en"`, `data-elder="1"`, `data-theme="dark"`}
			}
			for _, s := range want {
				if !strings.Contains(body, s) {
					t.Errorf("%s with %s: no %s", v.path, cookie, s)
				}
			}
			if strings.Count(body, "<h1") != 1 {
				t.Errorf("%s has %d h1", v.path, strings.Count(body, "<h1"))
			}
		}
	}
}

// TestNothingInlineInTemplates reads the templates themselves, for branches that no test draws.
func TestNothingInlineInTemplates(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(web.Files(), "templates/*.html")
	if err != nil || len(names) < 15 {
		t.Fatal(len(names), err)
	}
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|<script(?:[^>]*)>[^<]|\son[a-z]+=|javascript:|https?://[a-z]`)
	for _, name := range names {
		b, err := fs.ReadFile(web.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		if m := inline.Find(b); m != nil {
			t.Errorf("%s: %q", name, m)
		}
	}
}

// TestFirstForm holds the promise to those who drive sign-in and consent by program: the first form continues.
func TestFirstForm(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := newHandler(t, w)
	first := regexp.MustCompile(`(?s)<form method="post" action="([^"]+)">(.*?)</form>`)
	page := visit{path: "/signin?i=waiting"}.to(t, h).Body.String()
	m := first.FindStringSubmatch(page)
	if m == nil || m[1] != "/signin?i=waiting" || !strings.Contains(m[2], `name="login"`) || !strings.Contains(m[2], `name="password"`) || !strings.Contains(m[2], `id="submit"`) {
		t.Fatalf("the first form of sign-in is %q", m)
	}
	if i, j := strings.Index(page, `id="submit"`), strings.Index(page, `id="cancel"`); j < i {
		t.Error("cancel stands before submit")
	}
	page = visit{path: "/consent?i=waiting", token: w.session(t, "citizen")}.to(t, h).Body.String()
	if m := first.FindStringSubmatch(page); m == nil || m[1] != "/consent?i=waiting" || !strings.Contains(m[2], `value="allow"`) || !strings.Contains(m[2], `id="submit"`) {
		t.Fatalf("the first form of consent is %q", m)
	}
}

// TestSignIn goes through sign-in as applications and people do.
func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := newHandler(t, w)
	good := url.Values{"login": {"citizen"}, "password": {"password-citizen"}}
	for _, c := range []struct {
		name, path, token string
		form              url.Values
		status            int
		location          string
	}{
		{"own pages", "/signin", "", good, 303, "/wallet"},
		{"officer", "/signin", "", url.Values{"login": {"officer"}, "password": {"password-officer"}}, 303, "/dept"},
		{"with a destination", "/signin?next=%2Fverify%3Fx%3D1", "", good, 303, "/verify?x=1"},
		{"with a foreign destination", "/signin?next=https%3A%2F%2Fevil.example%2F", "", good, 303, "/wallet"},
		{"with a foreign host", "/signin?next=%2F%2Fevil.example%2F", "", good, 303, "/wallet"},
		{"for an application that asks", "/signin?i=waiting", "", good, 303, "/consent?i=waiting"},
		{"for an application that has consent", "/signin?i=silent", "", good, 303, "https://app.example/cb?code=c&state=s"},
		{"unknown application", "/signin?i=old", "", good, 404, ""},
		{"wrong password", "/signin", "", url.Values{"login": {"citizen"}, "password": {"x"}}, 401, ""},
		{"unknown account", "/signin", "", url.Values{"login": {"stranger"}, "password": {"x"}}, 401, ""},
		{"nothing", "/signin", "", url.Values{}, 400, ""},
		{"cancel", "/signin/cancel?i=waiting", "", url.Values{}, 303, "https://app.example/cb?error=access_denied&state=s"},
		{"cancel on our own", "/signin/cancel", "", url.Values{}, 303, "/"},
		{"allow", "/consent?i=waiting", "citizen", url.Values{"decision": {"allow"}}, 303, "https://app.example/cb?code=c&state=s"},
		{"deny", "/consent?i=waiting", "citizen", url.Values{"decision": {"deny"}}, 303, "https://app.example/cb?error=access_denied&state=s"},
		{"no decision is no", "/consent?i=waiting", "citizen", url.Values{}, 303, "https://app.example/cb?error=access_denied&state=s"},
		{"consent without a session", "/consent?i=waiting", "", url.Values{"decision": {"allow"}}, 303, "/signin?i=waiting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := c.token
			if token != "" {
				token = w.session(t, token)
			}
			rec := visit{path: c.path, form: c.form, token: token}.to(t, h)
			if rec.Code != c.status || rec.Header().Get("Location") != c.location {
				t.Errorf("%d %q, want %d %q", rec.Code, rec.Header().Get("Location"), c.status, c.location)
			}
		})
	}
	for _, path := range []string{"/signin?i=waiting", "/consent?i=waiting", "/signout"} {
		if rec := (visit{path: path, token: w.session(t, "citizen")}).to(t, h); strings.Contains(rec.Header().Get("Content-Security-Policy"), "form-action") {
			t.Errorf("%s: its policy would stop the redirect to the application", path)
		}
	}
	a := visit{path: "/signin", form: url.Values{"login": {"citizen"}, "password": {"x"}}}.to(t, h).Body.String()
	b := visit{path: "/signin", form: url.Values{"login": {"stranger"}, "password": {"x"}}}.to(t, h).Body.String()
	hide := regexp.MustCompile(`value="[^"]*"|<code>[0-9a-f]{16}</code>`)
	if hide.ReplaceAllString(a, "") != hide.ReplaceAllString(b, "") {
		t.Error("the answer tells which accounts exist")
	}
}

// TestCookies holds the session cookie to its attributes, and a replaced session to its end.
func TestCookies(t *testing.T) {
	t.Parallel()
	w := newWorld()
	secure := newHandler(t, w, func(c *web.Config) { c.CookieSecure = true })
	rec := visit{path: "/signin", form: url.Values{"login": {"citizen"}, "password": {"password-citizen"}}}.to(t, secure)
	c := rec.Result().Cookies()[0]
	if c.Name != "__Host-yx_session" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie %+v", c)
	}
	h := newHandler(t, w)
	token := w.session(t, "citizen")
	visit{path: "/signin", token: token, form: url.Values{"login": {"citizen"}, "password": {"password-citizen"}}}.to(t, h)
	if rec := (visit{path: "/wallet", token: token}).to(t, h); rec.Code != http.StatusSeeOther {
		t.Errorf("the session before is still good: %d", rec.Code)
	}
}

// TestSignOut confirms before it ends anything, carries the application's parameters, and goes nowhere unregistered.
func TestSignOut(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := newHandler(t, w)
	token := w.session(t, "citizen")
	page := visit{path: "/oauth2/logout?post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye&state=a%26b", token: token}.to(t, h)
	if page.Code != 200 || !strings.Contains(page.Body.String(), `value="a&amp;b"`) || !strings.Contains(page.Body.String(), `action="/signout"`) {
		t.Fatalf("confirm page: %d %s", page.Code, page.Body)
	}
	if rec := (visit{path: "/oauth2/logout", form: url.Values{"state": {"x"}}, token: token, header: map[string]string{"Sec-Fetch-Site": "cross-site"}}).to(t, h); rec.Code != 200 {
		t.Errorf("an application may send the browser by POST: %d", rec.Code)
	}
	rec := visit{path: "/signout", token: token, form: url.Values{"post_logout_redirect_uri": {"https://evil.example/"}}}.to(t, h)
	if rec.Code != http.StatusBadRequest || rec.Header().Get("Location") != "" {
		t.Errorf("unregistered address: %d %q", rec.Code, rec.Header().Get("Location"))
	}
	rec = visit{path: "/signout", token: token, form: url.Values{"post_logout_redirect_uri": {"https://app.example/bye"}, "state": {"a&b"}}}.to(t, h)
	if rec.Header().Get("Location") != "https://app.example/bye?state=a&b" {
		t.Errorf("went to %q", rec.Header().Get("Location"))
	}
	if rec := (visit{path: "/wallet", token: token}).to(t, h); rec.Code != http.StatusSeeOther {
		t.Error("the session outlived the sign-out")
	}
	if rec := (visit{path: "/signout", form: url.Values{}}).to(t, h); rec.Header().Get("Location") != "/signed-out" {
		t.Errorf("went to %q", rec.Header().Get("Location"))
	}
}

// TestRefusals holds the doors: other sites, other people, other roles, unknown addresses and methods, too much.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	h := newHandler(t, w)
	id := food.ID.String()
	stranger, citizen, clerk := w.session(t, "nobody"), w.session(t, "citizen"), w.session(t, "clerk")
	foreign := map[string]string{"Sec-Fetch-Site": "cross-site"}
	for _, c := range []struct {
		name string
		visit
		status int
	}{
		{"form of another site", visit{path: "/signin", form: url.Values{}, header: foreign}, 403},
		{"form of another origin", visit{path: "/verify", form: url.Values{"code": {"x"}}, header: map[string]string{"Origin": "https://evil.example"}}, 403},
		{"call of another site", visit{path: "/api/v1/licenses", method: "POST", token: citizen, header: foreign}, 403},
		{"someone else's license", visit{path: "/wallet/" + id, token: stranger}, 404},
		{"someone else's file", visit{path: "/wallet/" + id + "/file", token: stranger}, 404},
		{"showing someone else's", visit{path: "/show/" + id, token: stranger, form: url.Values{"purpose": {"counter"}}}, 404},
		{"showing without a purpose", visit{path: "/show/" + id, token: citizen, form: url.Values{}}, 400},
		{"showing a field that is none", visit{path: "/show/" + id, token: citizen, form: url.Values{"purpose": {"counter"}, "field": {"31"}}}, 400},
		{"department as citizen", visit{path: "/dept", token: citizen}, 403},
		{"department as clerk", visit{path: "/dept/" + id, token: clerk}, 403},
		{"revoking as citizen", visit{path: "/dept/" + id + "/revoke", token: citizen, form: url.Values{"reason": {"law_violation"}, "confirm": {"yes"}}}, 403},
		{"wallet of nobody", visit{path: "/wallet"}, 303},
		{"nothing there", visit{path: "/nothing"}, 404},
		{"nothing below a license", visit{path: "/dept/" + id + "/nothing", token: w.session(t, "officer")}, 404},
		{"unclean path", visit{path: "/wallet/../dept"}, 404},
		{"wrong method", visit{path: "/ledger", method: "DELETE"}, 405},
		{"no code", visit{path: "/verify", form: url.Values{"code": {" \u3000"}}}, 400},
		{"too large a form", visit{path: "/verify", form: url.Values{"code": {strings.Repeat("A", 1<<20)}}}, 413},
		{"no license ID", visit{path: "/wallet/x", token: citizen}, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := c.visit.to(t, h)
			if rec.Code != c.status {
				t.Fatalf("%d, want %d: %s", rec.Code, c.status, rec.Body)
			}
			if c.status >= 400 && !strings.Contains(rec.Body.String(), rec.Header().Get("X-Trace-Id")) {
				t.Error("the answer does not tell the trace number")
			}
		})
	}
}

// TestFileUpload judges a file from the form.
func TestFileUpload(t *testing.T) {
	t.Parallel()
	h := newHandler(t, newWorld())
	send := func(name string, content []byte) *httptest.ResponseRecorder {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		part, err := m.CreateFormFile(name, "license.ofd")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/verify/file", &b)
		r.Header.Set("Content-Type", m.FormDataContentType())
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		return rec
	}
	for _, c := range []struct {
		name, part string
		content    string
		status     int
		want       string
	}{
		{"good", "file", "PK\x03\x04", 200, `data-verdict="valid"`},
		{"no zip", "file", "hello", 200, `data-code="PKG_NOT_ZIP"`},
		{"empty", "file", "", 400, "还没有选择文件"},
		{"unknown part", "other", "x", 400, "表单无法读取"},
	} {
		if rec := send(c.part, []byte(c.content)); rec.Code != c.status || !strings.Contains(rec.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
	if rec := send("file", make([]byte, 25<<20)); rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("25 MB: %d", rec.Code)
	}
}

// TestLog searches the log of a busy day for what must not stand there.
func TestLog(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	var log bytes.Buffer
	h := newHandler(t, w, func(c *web.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	shown, err := w.Show(t.Context(), license.ShowRequest{License: food.ID, Viewer: food.Holders})
	if err != nil {
		t.Fatal(err)
	}
	visit{path: "/signin", form: url.Values{"login": {"citizen"}, "password": {"password-citizen"}}}.to(t, h)
	visit{path: "/wallet?secret=zzsecretzz", token: w.session(t, "citizen")}.to(t, h)
	visit{path: shown.Code[strings.Index(shown.Code, "/P/"):]}.to(t, h)
	visit{path: "/p/zzsecretzz"}.to(t, h)
	visit{path: "/nothing/zzsecretzz"}.to(t, h)
	visit{path: "/oauth2/panic"}.to(t, h)
	w.broken = fault.New(fault.Unavailable, "cell_unavailable", "the cell does not answer")
	if rec := (visit{path: "/ledger"}).to(t, h); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("an absent part: %d", rec.Code)
	}
	text := log.String()
	for _, secret := range []string{"zzsecretzz", "赵示例", citizenNumber, "password", strings.TrimPrefix(shown.Code, "HTTPS://ZZ.EXAMPLE.GOV.CN/P/")} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	for _, wanted := range []string{`route="GET /P/{code}"`, "msg=panic", "code=cell_unavailable", "status=500"} {
		if !strings.Contains(text, wanted) {
			t.Errorf("the log lacks %q:\n%s", wanted, text)
		}
	}
}

// TestLanguage chooses as people expect.
func TestLanguage(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "zh-CN", "en": "en", "en-GB,en;q=0.9,zh;q=0.8": "en", "zh-TW,en;q=0.5": "zh-CN", "de,fr": "zh-CN",
		"zh;q=0.2,en;q=0.3": "en", "en;q=0": "zh-CN", "*": "zh-CN", "en;q=x": "zh-CN",
	} {
		if got := web.Accepted(header); got != want {
			t.Errorf("%q gives %s, want %s", header, got, want)
		}
	}
	h := newHandler(t, newWorld())
	rec := visit{path: "/?lang=en", header: map[string]string{"Accept-Language": "zh"}}.to(t, h)
	if !strings.Contains(rec.Body.String(), `lang="en"`) || !strings.Contains(rec.Header().Get("Set-Cookie"), "yx_lang=en") {
		t.Error("?lang does not choose and remember")
	}
	rec = visit{path: "/prefs", form: url.Values{"elder": {"1"}, "lang": {"xx"}, "back": {"//evil.example"}}}.to(t, h)
	if rec.Header().Get("Location") != "/" || !strings.Contains(rec.Header().Get("Set-Cookie"), "yx_elder=1") || strings.Contains(strings.Join(rec.Header().Values("Set-Cookie"), ";"), "yx_lang") {
		t.Errorf("preferences: %v", rec.Header())
	}
}
