package web_test

import (
	"context"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
)

var serve = flag.String("serve", "", "serve the pages over the ports' fakes at this address until interrupted, for looking at them")

// newHandler makes the outside over a world.
func newHandler(t testing.TB, w *world, change ...func(*web.Config)) http.Handler {
	t.Helper()
	c := web.Config{
		Licenses: w, Proofs: w, Judge: judge{w}, Accounts: w, Provider: provider{w}, BaseURL: "https://zz.example.gov.cn",
		TrustList:  func(context.Context) ([]byte, error) { return []byte(`{"version":1}`), w.broken },
		WitnessURL: "https://witness.example", Offices: []web.Office{{Code: office, Name: "示例市行政审批局"}},
		Samples: []web.Sample{
			{Login: "citizen", Password: "password-citizen", Role: "市民", RoleEN: "Citizen"},
			{Login: "clerk", Password: "password-clerk", Role: "窗口人员", RoleEN: "Clerk"},
			{Login: "officer", Password: "password-officer", Role: "发证人员", RoleEN: "Officer"},
		},
	}
	for _, f := range change {
		f(&c)
	}
	h, err := web.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// issue puts a license into the world: a food permit of the sample enterprise.
func (w *world) issue(t testing.TB, number string) license.License {
	t.Helper()
	l, err := w.Issue(t.Context(), license.IssueRequest{
		Kind: license.SampleFood, Office: office, BusinessNo: number,
		Holders: []license.Holder{{Type: "001", Code: enterpriseCode, Name: "样本餐饮有限公司"}}, ValidTo: "2031-11-21",
		Fields: map[string]string{
			"FDDBR": "赵示例", "ZS": "示例市样本区模拟大道88号", "JYCS": "示例市样本区模拟大道88号1楼", "ZTYT": "餐饮服务经营者",
			"JYXM": "热食类食品制售;冷食类食品制售;自制饮品制售", "RCJGJG": "样本区市场监督管理局", "JBDH": "12315",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// property issues a certificate with two co-owners.
func (w *world) property(t testing.TB, number string) license.License {
	t.Helper()
	l, err := w.Issue(t.Context(), license.IssueRequest{
		Kind: license.SampleProperty, Office: office, BusinessNo: number,
		Holders: []license.Holder{{Type: "111", Code: citizenNumber, Name: "赵示例", Part: "1/2"}, {Type: "111", Code: otherNumber, Name: "李空空", Part: "1/2"}},
		Fields: map[string]string{
			"GYQK": "按份共有", "ZL": "示例市样本区模拟路6号3栋2单元601室", "BDCDYH": "990101001001GB00001F00030601",
			"QLLX": "国有建设用地使用权/房屋所有权", "QLXZ": "出让/市场化商品房", "YT": "城镇住宅用地/住宅", "MJ": "房屋建筑面积118.50㎡",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// session signs an account in and gives its token.
func (w *world) session(t testing.TB, login string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/signin", strings.NewReader(url.Values{"login": {login}, "password": {"password-" + login}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	newHandler(t, w).ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if c.Name == web.SessionCookie(false) {
			return c.Value
		}
	}
	t.Fatalf("no session for %s: %d", login, rec.Code)
	return ""
}

// TestServe serves the pages for looking at them: ?as=LOGIN signs in, ?elder=1 and ?theme=dark choose, ?post=1 sends the
// rest of the query as a form.
func TestServe(t *testing.T) {
	if *serve == "" {
		return
	}
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	w.property(t, "示(2026)不动产权第0001001号")
	old := w.issue(t, "JY19900000000002")
	if _, err := w.Revoke(t.Context(), license.RevokeRequest{License: old.ID, Reason: "law_violation"}); err != nil {
		t.Fatal(err)
	}
	w.pending = true
	waiting := w.issue(t, "JY19900000000003")
	good, err := w.Show(t.Context(), license.ShowRequest{License: food.ID, Viewer: food.Holders})
	if err != nil {
		t.Fatal(err)
	}
	bad, err := w.Show(t.Context(), license.ShowRequest{License: old.ID, Viewer: food.Holders})
	if err != nil {
		t.Fatal(err)
	}
	h := newHandler(t, w, func(c *web.Config) {
		c.BaseURL, c.Logger = "http://"+*serve, slog.New(slog.NewTextHandler(os.Stderr, nil))
	})
	names := strings.NewReplacer("FOOD", food.ID.String(), "OLD", old.ID.String(), "WAITING", waiting.ID.String(), "GOODCODE", good.Code, "BADCODE", bad.Code)
	srv := &http.Server{Addr: *serve, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if as := q.Get("as"); as != "" {
			r.AddCookie(&http.Cookie{Name: web.SessionCookie(false), Value: w.session(t, as)})
		}
		for _, name := range []string{"elder", "theme", "lang"} {
			if v := q.Get(name); v != "" {
				r.AddCookie(&http.Cookie{Name: "yx_" + name, Value: v})
			}
		}
		if q.Has("post") {
			form := url.Values{}
			for k, v := range q {
				for _, one := range v {
					form.Add(k, names.Replace(one))
				}
			}
			body := form.Encode()
			p := r.Clone(r.Context())
			p.Method, p.Body, p.ContentLength = http.MethodPost, http.NoBody, int64(len(body))
			p.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			p.PostForm, p.Form = form, form
			r = p
		}
		r.URL.Path = names.Replace(r.URL.Path)
		h.ServeHTTP(rw, r)
	})}
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt)
		<-stop
		_ = srv.Close()
	}()
	if err := srv.ListenAndServe(); err != http.ErrServerClosed {
		t.Error(err)
	}
}
