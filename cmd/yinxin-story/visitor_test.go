package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestForms holds what the visitor sends against what a browser would (HTML §4.10.21.4).
func TestForms(t *testing.T) {
	t.Parallel()
	var got url.Values
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "k", Value: "v", Path: "/"})
		_, _ = w.Write([]byte(`<form method="post" action="/in?i=7"><input name="a" value="1"><input type="hidden" name="b" value="2">
<input type="radio" name="c" value="no"><input type="radio" name="c" value="yes" checked><input type="checkbox" name="d" value="x">
<input name="off" value="x" disabled><button name="do" value="go">go</button><input type="file" name="f">
<select name="s"><option value="p">P</option><option value="q" selected>Q</option></select><select name="u"><option>first</option></select>
<textarea name="t">
two
lines</textarea></form><form action="/other"><input name="z"></form><p id="w"> one <b>two</b></p>`))
	})
	mux.HandleFunc("POST /in", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("k"); err != nil || c.Value != "v" || r.URL.Query().Get("i") != "7" {
			t.Errorf("cookie or address are lost: %v, %s", err, r.URL)
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		got = r.PostForm
		http.Redirect(w, r, "/out", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /out", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("done")) })
	server := httptest.NewServer(mux)
	defer server.Close()

	v, err := newVisitor("http://app.invalid:80", map[string]string{"app.invalid:80": server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.open(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	if w := p.text("#w"); w != "one two" || !p.asks("a") || p.asks("nothing") {
		t.Errorf("the page is read as %q", w)
	}
	f, err := p.form()
	if err != nil {
		t.Fatal(err)
	}
	f.set("a", "typed")
	if p, err = v.submit(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	want := url.Values{"a": {"typed"}, "b": {"2"}, "c": {"yes"}, "s": {"q"}, "u": {"first"}, "t": {"two\nlines"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the form sends something else (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"/", "/out"}, v.pages); diff != "" || p.url.Path != "/out" {
		t.Errorf("the pages are others (-want +got):\n%s", diff)
	}
	if _, err := v.open(t.Context(), "/nowhere"); err == nil {
		t.Error("a page that is not there is no error")
	}
}
