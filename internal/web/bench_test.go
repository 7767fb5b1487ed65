package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
)

// FuzzCode cleans whatever a clipboard may hold: never a panic, bounded, and the same when cleaned again.
func FuzzCode(f *testing.F) {
	for _, s := range []string{"HTTPS://ZZ.EXAMPLE.GOV.CN/P/ABC", " https://x/p/abc\r\n", "YX1:AB C\u200b", "ｙｘ１：", "\ufeffHTTPS://X/S/１２", "\xff", strings.Repeat("A", 5000), "ß", "ı"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := web.CleanCode(s)
		if len(once) > 1024 {
			t.Fatalf("%d bytes", len(once))
		}
		if again := web.CleanCode(once); again != once {
			t.Fatalf("%q becomes %q and then %q", s, once, again)
		}
		if strings.ContainsAny(once, "\r\n\t\x00") {
			t.Fatalf("%q holds control characters", once)
		}
	})
}

// FuzzLocalPath never lets a destination leave the site.
func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/", "/wallet?x=1", "//evil", "/\\evil", "https://evil", "/%2f/evil", "/a\r\nb", "/..//evil", "/.//evil"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := web.LocalPath(s)
		if p == "" {
			return
		}
		base, err := url.Parse("https://zz.example.gov.cn/signin")
		if err != nil {
			t.Fatal(err)
		}
		to, err := base.Parse(p)
		if err != nil || to.Host != base.Host || to.Scheme != "https" || strings.HasPrefix(p, "//") {
			t.Fatalf("%q leads to %v", s, to)
		}
	})
}

// FuzzJSON holds any body against the schema of issuing: never a panic.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(order("JY1")))
	f.Add([]byte(`{"kind":[{}],"fields":{"A":1e9}}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _ = web.CheckSchema("IssueRequest", b) })
}

// BenchmarkVerifyPage is a public check of a code: session look-up, verdict, page.
func BenchmarkVerifyPage(b *testing.B) {
	w := newWorld()
	food := w.issue(b, "JY19900000000001")
	h := newHandler(b, w)
	shown, err := w.Show(b.Context(), license.ShowRequest{License: food.ID, Viewer: food.Holders})
	if err != nil {
		b.Fatal(err)
	}
	form := url.Values{"code": {shown.Code}}.Encode()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/verify", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != 200 {
			b.Fatal(rec.Code)
		}
	}
}

// BenchmarkAPIGet is one license by bearer token.
func BenchmarkAPIGet(b *testing.B) {
	w := newWorld()
	food := w.issue(b, "JY19900000000001")
	h := newHandler(b, w)
	b.ReportAllocs()
	for b.Loop() {
		if rec := call(h, "GET", "/licenses/"+food.ID.String(), "all", "", ""); rec.Code != 200 {
			b.Fatal(rec.Code)
		}
	}
}
