package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
)

const search = `{"holder":{"type":"001","code":"91990000MA0000001B"},"matter":"m-17","reason":"issued_in_error"}`

// look is one way of seeing a license, and what the holder's log says of it; no event: nothing.
type look struct {
	name  string
	do    func(t *testing.T) *httptest.ResponseRecorder
	event *license.Event
}

func looks(w *world, food license.License, h http.Handler) []look {
	id := food.ID.String()
	api := func(method, path, bearer, body string) func(*testing.T) *httptest.ResponseRecorder {
		kind := ""
		if body != "" {
			kind = jsonType
		}
		return func(*testing.T) *httptest.ResponseRecorder { return call(h, method, path, bearer, kind, body) }
	}
	page := func(path, who string) func(*testing.T) *httptest.ResponseRecorder {
		return func(t *testing.T) *httptest.ResponseRecorder {
			return visit{path: path, token: w.session(t, who)}.to(t, h)
		}
	}
	client := func(what license.EventAct) *license.Event {
		return &license.Event{Act: what, ActorKind: license.ActorClient, Actor: "reader", Office: office}
	}
	officer := func(what license.EventAct) *license.Event {
		return &license.Event{Act: what, ActorKind: license.ActorOfficer, Actor: w.accounts["officer"].ID, Office: office}
	}
	forApp := &license.Event{Act: license.ActOpened, ActorKind: license.ActorClient, Actor: "app", OnBehalfOf: w.accounts["citizen"].ID}
	listed := client(license.ActFound)
	listed.Matter, listed.Reason = "m-17", "issued_in_error"
	return []look{
		{"a client gets it", api("GET", "/licenses/"+id, "read", ""), client(license.ActOpened)},
		{"a client gets the file", api("GET", "/licenses/"+id+"/file", "read", ""), client(license.ActFetched)},
		{"a client gets the static code", api("GET", "/licenses/"+id+"/static-code", "read", ""), client(license.ActFetched)},
		{"a client finds it", api("POST", "/licenses/search", "read", search), listed},
		{"an application opens it for its holder", api("GET", "/licenses/"+id, "person", ""), forApp},
		{"an officer opens its page", page("/dept/"+id, "officer"), officer(license.ActOpened)},
		{"an officer opens it as if it were the holder's", page("/wallet/"+id, "officer"), officer(license.ActOpened)},
		{"an officer downloads it", page("/dept/"+id+"/file", "officer"), officer(license.ActFetched)},
		{"a client gets the proof", api("GET", "/licenses/"+id+"/proof", "read", ""), nil},
		{"an officer downloads the proof", page("/dept/"+id+"/proof", "officer"), nil},
		{"its state is polled", page("/dept/"+id+"/state", "officer"), nil},
		{"the holder opens it", page("/wallet/"+id, "citizen"), nil},
		{"the holder downloads it", page("/wallet/"+id+"/file", "citizen"), nil},
		{"the holder lists", api("GET", "/wallet", "person", ""), nil},
		{"the holder searches", api("POST", "/licenses/search", "person", `{"holder":{"type":"001","code":"91990000MA0000001B"}}`), nil},
	}
}

// TestWhoLookedIsRecorded plays every way of seeing a license: the holder hears of all others, once each.
func TestWhoLookedIsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	for _, l := range looks(w, food, newHandler(t, w)) {
		before := len(w.events[food.ID])
		if rec := l.do(t); rec.Code != 200 {
			t.Fatalf("%s: %d %s", l.name, rec.Code, rec.Body)
		}
		var want []license.Event
		if l.event != nil {
			want = []license.Event{*l.event}
		}
		got := w.events[food.ID][:len(w.events[food.ID])-before]
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(license.Event{}, "At"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", l.name, diff)
		}
	}
}

// TestNoLookWithoutItsRecord refuses what cannot be recorded, and nothing else.
func TestNoLookWithoutItsRecord(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	w.unwritten = fault.New(fault.Unavailable, "cell_unavailable", "the records do not answer")
	for _, l := range looks(w, food, newHandler(t, w)) {
		rec := l.do(t)
		body := rec.Body.String()
		switch {
		case l.event == nil && rec.Code != 200:
			t.Errorf("%s: %d, though there is nothing to record", l.name, rec.Code)
		case l.event != nil && (rec.Code != 503 || strings.Contains(body, food.BusinessNo) || strings.Contains(body, "PK\x03\x04") ||
			strings.Contains(body, "/S/AAAA") || strings.Contains(body, food.KindName)):
			t.Errorf("%s: %d without a record: %.200s", l.name, rec.Code, body)
		}
	}
}

// TestHolderReadsWhoLooked reads the log on the license's page in both languages.
func TestHolderReadsWhoLooked(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	handler := newHandler(t, w, func(c *web.Config) { c.Offices = []web.Office{{Code: office, Name: "示例市行政审批局"}} })
	for _, l := range looks(w, food, handler) {
		l.do(t)
	}
	citizen := w.session(t, "citizen")
	for lang, want := range map[string][]string{
		"zh-CN": {"查看照面", "取得文件或静态码", "查询持证人时列出", "应用系统", "发证部门", "示例市行政审批局", "签发有误", "事项编码", "m-17", "<code>app</code>"},
		"en":    {"Face opened", "File or static code fetched", "Listed in a search", "Application", "Department", "Issued in error", "Matter", "m-17"},
	} {
		body := visit{path: "/wallet/" + food.ID.String(), token: citizen, header: map[string]string{"Accept-Language": lang}}.to(t, handler).Body.String()
		_, body, _ = strings.Cut(body, "<tbody")
		for _, s := range want {
			if !strings.Contains(body, s) {
				t.Errorf("%s: the log lacks %q", lang, s)
			}
		}
		if strings.Contains(body, w.accounts["officer"].ID) {
			t.Errorf("%s: the log names an account", lang)
		}
	}
}

// TestEveryEventHasWords shows each act by each kind of actor; none appears as a key.
func TestEveryEventHasWords(t *testing.T) {
	t.Parallel()
	w := newWorld()
	food := w.issue(t, "JY19900000000001")
	for _, a := range []license.EventAct{
		license.ActAccepted, license.ActIssued, license.ActRevoked, license.ActShown, license.ActPresented, license.ActRefused,
		license.ActOpened, license.ActFetched, license.ActFound, license.ActChecked,
	} {
		for _, k := range []license.ActorKind{license.ActorHolder, license.ActorOfficer, license.ActorVerifier, license.ActorClient, license.ActorService} {
			w.note(food.ID, license.Event{Act: a, ActorKind: k})
		}
	}
	for _, lang := range []string{"zh", "en"} {
		v := visit{path: fmt.Sprintf("/wallet/%s?%s", food.ID, url.Values{"lang": {lang}}.Encode()), token: w.session(t, "citizen")}
		body := v.to(t, newHandler(t, w)).Body.String()
		for _, key := range []string{">act.", ">actor.", ">event."} {
			if at := strings.Index(body, key); at >= 0 {
				t.Errorf("%s: no words for %.30s", lang, body[at:])
			}
		}
	}
}
