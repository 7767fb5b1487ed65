package web

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Names of the preference cookies. They hold a choice and nothing about the person.
const (
	cookieLang  = "yx_lang"
	cookieElder = "yx_elder"
	cookieTheme = "yx_theme"
)

// SessionCookie is the name of the cookie that holds the session token. Behind https it carries the __Host- prefix, so
// that no other host of the same site can plant one. The provider reads it too; the composition root tells it the name.
func SessionCookie(secure bool) string {
	if secure {
		return "__Host-yx_session"
	}
	return "yx_session"
}

// sessionToken is the session token of a request, or "".
func (s *server) sessionToken(r *http.Request) string {
	c, err := r.Cookie(SessionCookie(s.CookieSecure))
	if err != nil || len(c.Value) > 512 {
		return ""
	}
	return c.Value
}

// setSession gives the browser its session token; an empty token takes it away. The cookie ends with the browser, the
// session itself by the rules of identity.
func (s *server) setSession(w http.ResponseWriter, token string) {
	c := &http.Cookie{
		Name: SessionCookie(s.CookieSecure), Value: token, Path: "/", HttpOnly: true, Secure: s.CookieSecure,
		SameSite: http.SameSiteLaxMode,
	}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// setPreference remembers a choice for a year.
func (s *server) setPreference(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true,
		Secure: s.CookieSecure, SameSite: http.SameSiteLaxMode,
	})
}

// viewer is the signed-in person of a page.
type viewer struct {
	token   string
	session identity.Session
	account identity.Account
}

// view finds who is signed in; nil when nobody is. An error is one of ours or of a part that does not answer.
func (s *server) view(r *http.Request) (*viewer, error) {
	token := s.sessionToken(r)
	if token == "" {
		return nil, nil
	}
	session, account, err := s.Accounts.Session(r.Context(), token)
	if err != nil {
		switch fault.KindOf(err) {
		case fault.Unauthenticated, fault.NotFound, fault.Invalid:
			return nil, nil // an old cookie
		case fault.Internal, fault.Forbidden, fault.Conflict, fault.TooLarge, fault.TooMany, fault.Unavailable:
			return nil, err
		}
		return nil, err
	}
	note(r).actor = account.ID
	return &viewer{token: token, session: session, account: account}, nil
}

// Office is the name of the office that an official works for.
func (v *viewer) Office() string {
	if v.account.OfficeName != "" {
		return v.account.OfficeName
	}
	return v.account.Office
}

// principal is the signed-in person in the terms of the API: the scopes are those of the roles.
func (v *viewer) principal() *identity.Principal {
	return &identity.Principal{Account: &v.account, Office: v.account.Office, Session: &v.session, Scopes: v.account.Scopes()}
}

// home is where a person goes after signing in without a destination.
func (v *viewer) home() string {
	switch {
	case v.account.Has(identity.Officer):
		return "/dept"
	case v.account.Has(identity.Clerk):
		return "/verify"
	}
	return "/wallet"
}

// localPath keeps a destination only if it is a path of this site; open redirects help impostors.
func localPath(p string) string {
	if len(p) == 0 || len(p) > 2000 || p[0] != '/' || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t\x00") {
		return ""
	}
	u, err := url.Parse(p)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") {
		return ""
	}
	return u.RequestURI()
}

// address is the client's address for limits. Forwarded headers are the front's business: the composition root replaces
// RemoteAddr where it trusts one.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// asFault is errors.As for our one error type.
func asFault(err error, f **fault.Error) bool { return errors.As(err, f) }
