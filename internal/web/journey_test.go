package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/license"
)

// TestPublicConsumesNothing checks with and without a clerk, and by an ordinary camera.
func TestPublicConsumesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	h := newHandler(t, w)
	shown, err := w.Show(t.Context(), license.ShowRequest{License: food.ID, Viewer: food.Holders})
	if err != nil {
		t.Fatal(err)
	}
	short := shown.Code[strings.Index(shown.Code, "/P/"):]
	for _, v := range []visit{
		{path: short},
		{path: "/verify", form: url.Values{"code": {shown.Code}}},
		{path: "/verify", form: url.Values{"code": {shown.Code}}, token: w.session(t, "citizen")},
	} {
		rec := v.to(t, h)
		if body := rec.Body.String(); rec.Code != 200 || strings.Contains(body, "YX-2026-000123") || strings.Contains(body, "模拟大道") {
			t.Errorf("%s as a stranger: %d, or it disclosed the face", v.path, rec.Code)
		}
	}
	clerk := w.session(t, "clerk")
	rec := visit{path: "/verify", token: clerk, form: url.Values{"code": {" " + strings.ToLower(shown.Code) + "\r\n"}}}.to(t, h)
	if body := rec.Body.String(); !strings.Contains(body, `data-verdict="valid"`) || !strings.Contains(body, "YX-2026-000123") {
		t.Fatalf("the clerk's verdict: %s", body)
	}
	rec = visit{path: "/verify", token: clerk, form: url.Values{"code": {shown.Code}}}.to(t, h)
	if body := rec.Body.String(); !strings.Contains(body, `data-verdict="not_valid"`) || !strings.Contains(body, `data-code="CODE_USED"`) || strings.Contains(body, "YX-2026-000123") {
		t.Fatalf("the second verdict: %s", body)
	}
}

// TestDepartment issues and revokes as an officer does, with mistakes on the way.
func TestDepartment(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := newHandler(t, w)
	officer := w.session(t, "officer")
	path := "/dept/issue/" + license.SampleProperty
	form := url.Values{
		"business_no": {"示(2026)不动产权第1号"}, "version": {"1"}, "h.0.type": {"111"}, "h.0.code": {citizenNumber}, "h.0.name": {"赵示例"},
		"h.0.role": {"holder"}, "h.0.part": {"1/2"}, "h.1.type": {"111"}, "h.1.code": {"990101199001010028"}, "h.1.name": {"李空空"}, "h.1.role": {"holder"}, "h.1.part": {"1/2"},
		"f.GYQK": {"按份共有"}, "f.ZL": {"样本区1号"}, "f.BDCDYH": {"x"}, "f.QLLX": {"所有权"}, "f.QLXZ": {"出让"}, "f.YT": {"住宅"}, "f.MJ": {"100㎡"}, "do": {"preview"},
	}
	rec := visit{path: path, token: officer, form: form}.to(t, h)
	body := rec.Body.String()
	if rec.Code != 400 || strings.Count(body, `aria-invalid="true"`) != 2 || !strings.Contains(body, "有 2 处需要修改") {
		t.Fatalf("two mistakes: %d, %d marked", rec.Code, strings.Count(body, `aria-invalid="true"`))
	}
	form.Set("h.1.code", otherNumber)
	form.Set("f.BDCDYH", "990101001001GB00001F00030601")
	form["matter"], form["case_no"], form["legal_basis"] = []string{"赵示例的事"}, []string{"赵示例"}, []string{"依据 " + citizenNumber}
	rec = visit{path: path, token: officer, form: form}.to(t, h)
	if rec.Code != 400 || strings.Count(rec.Body.String(), `aria-invalid="true"`) != 3 {
		t.Errorf("words for codes: %d, %d marked", rec.Code, strings.Count(rec.Body.String(), `aria-invalid="true"`))
	}
	form["matter"], form["case_no"], form["legal_basis"] = []string{"990115000300"}, []string{"99-2026-1"}, []string{"不动产登记暂行条例"}
	if body = (visit{path: path, token: officer, form: form}).to(t, h).Body.String(); !strings.Contains(body, "李空空") || !strings.Contains(body, `value="issue"`) || len(w.licenses) != 0 {
		t.Fatalf("the preview: %s", body)
	}
	form.Set("do", "more")
	if body = (visit{path: path, token: officer, form: form}).to(t, h).Body.String(); !strings.Contains(body, `name="h.2.code"`) {
		t.Error("no third row")
	}
	form.Set("do", "issue")
	rec = visit{path: path, token: officer, form: form}.to(t, h)
	to := rec.Header().Get("Location")
	if rec.Code != 303 || !strings.HasPrefix(to, "/dept/") || len(w.licenses) != 1 {
		t.Fatalf("issuing: %d %s", rec.Code, rec.Body)
	}
	if again := (visit{path: path, token: officer, form: form}).to(t, h).Header().Get("Location"); again != to {
		t.Errorf("the same request made %q beside %q", again, to)
	}
	form.Set("h.0.code", "99010119900101006X")
	if rec = (visit{path: path, token: officer, form: form}).to(t, h); rec.Code != 409 {
		t.Errorf("the same number with other content: %d", rec.Code)
	}
	if rec = (visit{path: to + "/revoke", token: officer, form: url.Values{"reason": {"law_violation"}}}).to(t, h); rec.Code != 400 {
		t.Errorf("revoked without a yes: %d", rec.Code)
	}
	words := url.Values{"confirm": {"yes"}, "reason": {"law_violation"}, "matter": {"赵示例的事"}, "case_no": {"赵示例"}}
	if rec = (visit{path: to + "/revoke", token: officer, form: words}).to(t, h); rec.Code != 400 || strings.Count(rec.Body.String(), `aria-invalid="true"`) != 2 {
		t.Errorf("revoked with words for codes: %d", rec.Code)
	}
	if rec = (visit{path: to + "/revoke", token: officer, form: url.Values{"confirm": {"yes"}, "reason": {"law_violation"}}}).to(t, h); rec.Code != 303 {
		t.Errorf("revoking: %d", rec.Code)
	}
	if body = (visit{path: to, token: officer}).to(t, h).Body.String(); !strings.Contains(body, "已撤销") || !strings.Contains(body, "违反法律法规被撤销") {
		t.Error("the page does not say that and why it is revoked")
	}
}
