package web

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// pages is every page template by name, each with the frame around it.
type pages map[string]*template.Template

// parsePages reads templates/*.html: base.html and parts.html are shared, every other file is one page.
func parsePages(fsys embed.FS, a *assets) (pages, error) {
	icons, err := loadIcons(fsys)
	if err != nil {
		return nil, err
	}
	funcs := template.FuncMap{
		"asset": a.address,
		"icon": func(name string) (template.HTML, error) {
			svg, ok := icons[name]
			if !ok {
				return "", fmt.Errorf("web: no icon %q", name)
			}
			return svg, nil
		},
		"add":   func(a, b int) int { return a + b },
		"args":  func(p *sheet, of any) pair { return pair{p, of} },
		"field": newInput,
		"spec":  specInput,
		"act":   actInput,
	}
	shared, err := template.New("").Funcs(funcs).ParseFS(fsys, "templates/base.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	names, err := fs.Glob(fsys, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	all := make(pages, len(names))
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name == "base" || name == "parts" {
			continue
		}
		t, err := shared.Clone()
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		if all[name], err = t.ParseFS(fsys, file); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	return all, nil
}

// loadIcons reads static/icons/*.svg, which stand inline in the pages so that they take the colour of the text.
func loadIcons(fsys embed.FS) (map[string]template.HTML, error) {
	names, err := fs.Glob(fsys, "static/icons/*.svg")
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	icons := make(map[string]template.HTML, len(names))
	for _, file := range names {
		b, err := fsys.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
		icons[strings.TrimSuffix(path.Base(file), ".svg")] = template.HTML(strings.TrimSpace(string(b))) //nolint:gosec // our own files
	}
	return icons, nil
}

// sheet is what a template sees: the frame's data, and the page's own as Data.
type sheet struct {
	Name   string
	Lang   string
	Elder  bool
	Theme  string // "auto", "light" or "dark"
	Back   string // where the preference forms return to
	Trace  string
	Viewer *viewer
	Data   any

	s *server
}

// T gives the words of a key.
func (p *sheet) T(key string, args ...any) string { return p.s.words.say(p.Lang, key, args...) }

// EN says whether the page is in English.
func (p *sheet) EN() bool { return p.Lang == langEN }

// In picks between words that data carry in two languages.
func (p *sheet) In(zh, en string) string {
	if p.Lang == langEN && en != "" {
		return en
	}
	return zh
}

// Time prints a moment for a person, in the province's own time; the pages name the zone beside it or above it.
func (p *sheet) Time(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.In(chinaTime()).Format("2006-01-02 15:04:05")
}

// Stamp prints a moment for a machine.
func (p *sheet) Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// SignedIn says whether somebody is signed in.
func (p *sheet) SignedIn() bool { return p.Viewer != nil }

// Who is the name that the frame greets.
func (p *sheet) Who() string {
	if p.Viewer == nil {
		return ""
	}
	return p.Viewer.account.Name
}

// Officer and Clerk say which doors the frame shows.
func (p *sheet) Officer() bool { return p.Viewer != nil && p.Viewer.account.Has(identity.Officer) }

// Clerk says whether the person verifies at a counter.
func (p *sheet) Clerk() bool { return p.Viewer != nil && p.Viewer.account.Has(identity.Clerk) }

// Staff says whether the person works here: the doors of their duty come first.
func (p *sheet) Staff() bool { return p.Officer() || p.Clerk() }

// Holds says whether the person can have licenses, of their own or of somebody whom they act for.
func (p *sheet) Holds() bool {
	return p.Viewer != nil && (p.Viewer.account.Has(identity.Citizen) || len(p.Viewer.account.Subjects) > 0)
}

// OfficeName names an organisation by its code.
func (p *sheet) OfficeName(code string) string {
	if name, ok := p.s.offices[code]; ok {
		return name
	}
	return code
}

// Reason puts a reason code into words; what has none is shown as it stands.
func (p *sheet) Reason(code string) string {
	if code == "" {
		return "—"
	}
	for _, key := range []string{"reason." + code, "purpose." + code} {
		if p.s.words.has(key) {
			return p.T(key)
		}
	}
	return code
}

// Host is the name under which this service is known; people compare it with what their camera shows.
func (p *sheet) Host() string { return p.s.base.Host }

// chinaTime is UTC+8, which the whole country keeps, without needing a zone file.
func chinaTime() *time.Location { return time.FixedZone("CST", 8*3600) }

// request is one page request with what every page needs to know.
type request struct {
	*http.Request
	w      http.ResponseWriter
	viewer *viewer
	lang   string
}

// pageFunc is the handler of a page; an error is drawn by fail.
type pageFunc func(q *request) error

// page makes a handler of a pageFunc: headers, body limit, who is signed in.
func (s *server) page(h pageFunc, limit int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pageHeaders(w.Header())
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		q := &request{Request: r, w: w, lang: language(r)}
		var err error
		if q.viewer, err = s.view(r); err == nil {
			if r.URL.Query().Has("lang") {
				s.setPreference(w, cookieLang, q.lang)
			}
			err = h(q)
		}
		if err == nil {
			return
		}
		if errors.Is(err, errSignIn) && r.Method == http.MethodGet {
			http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		}
		s.fail(w, r, err)
	})
}

// errSignIn asks for somebody to be signed in; a page turns it into a visit to the sign-in page.
var errSignIn = fault.New(fault.Unauthenticated, "sign_in_needed", "sign in first")

// need returns the viewer if signed in and, where roles are named, holding one of them.
func (q *request) need(roles ...identity.Role) (*viewer, error) {
	if q.viewer == nil {
		return nil, errSignIn
	}
	if len(roles) == 0 {
		return q.viewer, nil
	}
	for _, role := range roles {
		if q.viewer.account.Has(role) {
			return q.viewer, nil
		}
	}
	return nil, fault.New(fault.Forbidden, "role_needed", "your account may not use this page").
		WithHint("sign in with an account that has this duty")
}

// form reads the posted form; one that is too large or malformed is the sender's mistake.
func (q *request) form() error {
	if err := q.ParseForm(); err != nil {
		return formFault(err)
	}
	return nil
}

// formFault sorts errors of reading a body.
func formFault(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.Wrap(err, fault.TooLarge, "body_too_large", "what was sent is too large")
	}
	if errors.Is(err, context.Canceled) {
		return fault.Wrap(err, fault.Unavailable, "gone", "the connection was closed")
	}
	return fault.Wrap(err, fault.Invalid, "form_malformed", "the form could not be read")
}

// see answers with a redirect that a browser follows by GET.
func (q *request) see(to string) error {
	http.Redirect(q.w, q.Request, to, http.StatusSeeOther)
	return nil
}

// render draws a page. It is drawn to memory first, so that a fault in a template never leaves half a page.
func (s *server) render(q *request, status int, name string, data any) error {
	t, ok := s.pages[name]
	if !ok {
		return fmt.Errorf("web: no page %q", name)
	}
	p := &sheet{Name: name, Lang: q.lang, Theme: "auto", Back: back(q.Request), Trace: trace(q.Request), Viewer: q.viewer, Data: data, s: s}
	if c, err := q.Cookie(cookieElder); err == nil {
		p.Elder = c.Value == "1"
	}
	if c, err := q.Cookie(cookieTheme); err == nil && (c.Value == "dark" || c.Value == "light") {
		p.Theme = c.Value
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "base", p); err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.Header().Set("Content-Language", q.lang)
	q.w.WriteHeader(status)
	if q.Method != http.MethodHead {
		_, _ = q.w.Write(b.Bytes()) // the reader is gone; nobody is left to tell
	}
	return nil
}

// back is this page's address without its language, for the forms that change preferences.
func back(r *http.Request) string {
	u := *r.URL
	v := u.Query()
	v.Del("lang")
	u.RawQuery = v.Encode()
	if p := localPath(u.RequestURI()); p != "" && p != "/prefs" {
		return p
	}
	return "/"
}

// failPage draws an error in plain words with its trace number.
func (s *server) failPage(w http.ResponseWriter, r *http.Request, status int, err error) {
	pageHeaders(w.Header())
	q := &request{Request: r, w: w, lang: language(r)}
	message, hint := s.words.fault(q.lang, err)
	data := struct {
		Status        int
		Message, Hint string
		SignIn        bool
	}{status, message, hint, fault.KindOf(err) == fault.Unauthenticated}
	if rerr := s.render(q, status, "error", data); rerr != nil {
		s.Logger.ErrorContext(r.Context(), "error page", "trace", trace(r), "err", rerr)
		http.Error(w, message, status)
	}
}
