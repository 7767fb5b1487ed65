package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
)

// TestNoGreenBesideRed shows a used code of a license in force: the license's state is told, and does not look like a verdict.
func TestNoGreenBesideRed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	h := newHandler(t, w)
	shown, err := w.Show(t.Context(), license.ShowRequest{License: food.ID, Viewer: food.Holders})
	if err != nil {
		t.Fatal(err)
	}
	clerk := w.session(t, "clerk")
	form := url.Values{"code": {shown.Code}}
	const green = `class="state issued"`
	if body := (visit{path: "/verify", token: clerk, form: form}).to(t, h).Body.String(); !strings.Contains(body, green) {
		t.Error("a good verdict lacks the state")
	}
	for lang, want := range map[string][]string{
		"zh-CN": {"<dt>证照状态</dt><dd>有效（本码不可再用）", "</time> 北京时间"},
		"en":    {"(but this code can no longer be used)", "</time> UTC&#43;8"},
	} {
		body := visit{path: "/verify", token: clerk, form: form, header: map[string]string{"Accept-Language": lang}}.to(t, h).Body.String()
		if !strings.Contains(body, `data-verdict="not_valid"`) || strings.Contains(body, green) {
			t.Errorf("%s: a used code beside a green state", lang)
		}
		for _, s := range want {
			if !strings.Contains(body, s) {
				t.Errorf("%s: the verdict lacks %q", lang, s)
			}
		}
	}
	w.report = verdict.Report{Subject: verdict.Subject{Kind: "license", Status: "issued"}, Checks: []verdict.Check{verdict.Note("package", verdict.PkgNotZip, "/", "")}}
	w.report.Settle(false, w.now())
	if body := upload(t, h, "x"); strings.Contains(body, green) || !strings.Contains(body, "有效（仅指登记状态，本次核验不通过）") {
		t.Error("a bad file beside a green state")
	}
}

// upload sends a file to be judged and gives the page.
func upload(t *testing.T, h http.Handler, file string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/verify/file",
		strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"l.ofd\"\r\n\r\n"+file+"\r\n--b--\r\n"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code != http.StatusOK {
		t.Fatalf("the file: %d %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

// TestSealCodeIsCalledSo labels what a signature says of its signer by what it is.
func TestSealCodeIsCalledSo(t *testing.T) {
	t.Parallel()
	w := newWorld()
	h := newHandler(t, w)
	for signer, label := range map[string]string{"99010000000006": "印章编码", "示例市行政审批局": "签章单位"} {
		w.report = verdict.Report{Subject: verdict.Subject{Kind: "license"}, Signatures: []verdict.Signature{{ID: "s1", Type: "seal", Signer: signer}}}
		w.report.Settle(false, w.now())
		if body := upload(t, h, "PK"); !strings.Contains(body, "<dt>"+label+"</dt><dd>"+signer) {
			t.Errorf("%s is not called %s", signer, label)
		}
	}
}

// TestOldEventsAreFolded shows the newest events openly and the rest on demand, within a bound.
func TestOldEventsAreFolded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		more, open, folded int
		full               bool
	}{{0, 2, 0, false}, {18, 20, 0, false}, {19, 20, 1, false}, {200, 20, 80, true}} {
		w := newWorld()
		food := w.issue(t, "JY19900000000001") // two events
		for range c.more {
			w.note(food.ID, license.Event{Act: license.ActShown, ActorKind: license.ActorHolder})
		}
		body := visit{path: "/wallet/" + food.ID.String(), token: w.session(t, "citizen")}.to(t, newHandler(t, w)).Body.String()
		shown, rest, _ := strings.Cut(body, `<details class="older">`)
		const row = `<td role="cell" data-label="时间">`
		if got, folded := strings.Count(shown, row), strings.Count(rest, row); got != c.open || folded != c.folded {
			t.Errorf("%d more events: %d open and %d folded, want %d and %d", c.more, got, folded, c.open, c.folded)
		}
		if strings.Contains(body, "本页只列最近 100 条") != c.full || !strings.Contains(body, "时间均为北京时间") {
			t.Errorf("%d more events: the notes are wrong", c.more)
		}
	}
}

// TestMenu gives each duty its doors first, and a wallet to those who can have licenses.
func TestMenu(t *testing.T) {
	t.Parallel()
	w := newWorld()
	both := *w.accounts["officer"]
	both.Login, both.Subjects = "both", w.accounts["citizen"].Subjects
	w.accounts["both"] = &both
	h := newHandler(t, w)
	for login, want := range map[string]string{
		"":        "/verify /ledger /signin",
		"citizen": "/wallet /verify /ledger /signout",
		"clerk":   "/verify /ledger /signout",
		"officer": "/verify /dept /ledger /signout",
		"both":    "/verify /dept /wallet /ledger /signout",
	} {
		v := visit{path: "/accessibility"}
		if login != "" {
			v.token = w.session(t, login)
		}
		_, nav, _ := strings.Cut(v.to(t, h).Body.String(), "<nav ")
		nav, _, _ = strings.Cut(nav, "</nav>")
		var doors []string
		for _, part := range strings.Split(nav, `href="`)[1:] {
			door, _, _ := strings.Cut(part, `"`)
			doors = append(doors, door)
		}
		if got := strings.Join(doors, " "); got != want {
			t.Errorf("%q: the menu is %s, want %s", login, got, want)
		}
	}
}

// TestWitnessLink leads to what the witness answers.
func TestWitnessLink(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://witness.example": `href="https://witness.example/checkpoint"`, "https://witness.example/": `href="https://witness.example/checkpoint"`,
	} {
		h := newHandler(t, newWorld(), func(c *web.Config) { c.WitnessURL = address })
		if body := (visit{path: "/ledger"}).to(t, h).Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s: no link to the witness's checkpoint", address)
		}
	}
}
