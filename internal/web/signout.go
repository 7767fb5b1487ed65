package web

import (
	"net/http"
	"net/url"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// endSessionPath is the provider's end_session_endpoint. An application sends the browser there; the person confirms on a
// page of ours, and only then does the provider judge the request.
const endSessionPath = "/oauth2/logout"

// logoutParameters are those of OpenID Connect RP-Initiated Logout 1.0 §2 that travel through the confirm page.
func logoutParameters() []string {
	return []string{"id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"}
}

// parameter is one value that a form carries on.
type parameter struct{ Name, Value string }

// endSession shows the confirm page for a sign-out that an application started, by GET or by a POST from its own site.
func (s *server) endSession(w http.ResponseWriter, r *http.Request) {
	note(r).pattern = endSessionPath
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		pageHeaders(w.Header())
		w.Header().Set("Allow", "GET, HEAD, POST")
		s.failPage(w, r, http.StatusMethodNotAllowed,
			fault.New(fault.Invalid, "method_not_allowed", "this address does not take requests of this kind"))
		return
	}
	s.page(s.signOut, formLimit).ServeHTTP(w, r)
}

// signOut asks whether to sign out.
func (s *server) signOut(q *request) error {
	leaveFormAction(q.w)
	if err := q.form(); err != nil {
		return err
	}
	var carried []parameter
	for _, name := range logoutParameters() {
		if v := q.Form.Get(name); v != "" {
			carried = append(carried, parameter{name, v})
		}
	}
	return s.render(q, http.StatusOK, "signout", struct{ Carried []parameter }{carried})
}

// signOutSubmit ends the session here and, through the provider, for every application.
func (s *server) signOutSubmit(q *request) error {
	leaveFormAction(q.w)
	if err := q.form(); err != nil {
		return err
	}
	to := ""
	for _, name := range logoutParameters() {
		if q.PostForm.Get(name) != "" {
			var err error
			if to, err = s.Provider.EndSession(withSession(q.Context(), s.sessionToken(q.Request)), q.Request); err != nil {
				return err
			}
			break
		}
	}
	if token := s.sessionToken(q.Request); token != "" {
		if err := s.Accounts.SignOut(q.Context(), token); err != nil && fault.KindOf(err) != fault.Unauthenticated && fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	s.setSession(q.w, "")
	if to != "" {
		return q.see(to)
	}
	return q.see("/signed-out")
}

// signedOut says that it is done.
func (s *server) signedOut(q *request) error { return s.render(q, http.StatusOK, "signed-out", nil) }

// prefs remembers language, elder mode and theme.
func (s *server) prefs(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	switch v := q.PostForm.Get("lang"); v {
	case langZH, langEN:
		s.setPreference(q.w, cookieLang, v)
	}
	switch v := q.PostForm.Get("elder"); v {
	case "0", "1":
		s.setPreference(q.w, cookieElder, v)
	}
	switch v := q.PostForm.Get("theme"); v {
	case "auto", "light", "dark":
		s.setPreference(q.w, cookieTheme, v)
	}
	to := localPath(q.PostForm.Get("back"))
	if to == "" {
		to = "/"
	}
	if u, err := url.Parse(to); err == nil && u.Path == endSessionPath {
		to = "/signout"
	}
	return q.see(to)
}
