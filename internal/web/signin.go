package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// signInData is what the sign-in page shows.
type signInData struct {
	Action  string       // where the first form goes
	Ask     *Interaction // the application that waits, if one does
	Next    string
	Login   string // kept after a failed try
	Problem string // what went wrong
	Hint    string
	Samples []Sample
}

// waiting finds the authorization request that the address names, if it names one.
func (s *server) waiting(q *request) (*Interaction, error) {
	id := q.URL.Query().Get("i")
	if id == "" {
		return nil, nil
	}
	if len(id) > 200 {
		return nil, fault.New(fault.NotFound, "interaction_unknown", "this sign-in request is not known, or it is too old")
	}
	// The provider tells from the session whether a sign-in or a consent is still wanted.
	in, err := s.Provider.Interaction(withSession(q.Context(), s.sessionToken(q.Request)), id)
	if err != nil {
		return nil, err
	}
	return &in, nil
}

type sessionKey struct{}

type faultKey struct{}

// DrawFault draws an error as a page of ours. It is for the provider, whose requests pass through web, and which must
// show rather than redirect what may not be told to a stranger's address.
func DrawFault(w http.ResponseWriter, r *http.Request, err error) {
	if s, ok := r.Context().Value(faultKey{}).(*server); ok {
		s.failPage(w, r, fault.KindOf(err).HTTPStatus(), err)
		return
	}
	http.Error(w, http.StatusText(fault.KindOf(err).HTTPStatus()), fault.KindOf(err).HTTPStatus())
}

// withSession puts the browser's session token into the context of a call to the provider.
func withSession(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, sessionKey{}, token)
}

// SessionToken is the session token of the browser on whose behalf web calls the provider, or "".
func SessionToken(ctx context.Context) string {
	token, _ := ctx.Value(sessionKey{}).(string)
	return token
}

// signIn draws the sign-in page, for our own pages or for an application that waits.
func (s *server) signIn(q *request) error {
	leaveFormAction(q.w)
	ask, err := s.waiting(q)
	if err != nil {
		return err
	}
	if ask != nil && !ask.NeedsSignIn && q.viewer != nil {
		err := s.afterSignIn(q, ask, q.viewer.token)
		if fault.KindOf(err) != fault.Unauthenticated || err == nil {
			return err
		}
		// The provider wants a newer session than this one: ask for the password after all.
	}
	if ask == nil && q.viewer != nil && q.URL.Query().Get("next") == "" && q.URL.Query().Get("again") == "" {
		return q.see(q.viewer.home())
	}
	return s.drawSignIn(q, http.StatusOK, ask, "", nil)
}

func (s *server) drawSignIn(q *request, status int, ask *Interaction, login string, problem error) error {
	leaveFormAction(q.w)
	d := signInData{Action: signInAddress(q), Ask: ask, Next: localPath(q.URL.Query().Get("next")), Login: login, Samples: s.Samples}
	if problem != nil {
		d.Problem, d.Hint = s.words.fault(q.lang, problem)
	}
	return s.render(q, status, "signin", d)
}

// signInAddress is the address of this sign-in with what it must remember.
func signInAddress(q *request) string {
	v := url.Values{}
	if id := q.URL.Query().Get("i"); id != "" {
		v.Set("i", id)
	}
	if next := localPath(q.URL.Query().Get("next")); next != "" {
		v.Set("next", next)
	}
	if len(v) == 0 {
		return "/signin"
	}
	return "/signin?" + v.Encode()
}

// signInSubmit takes login and password.
func (s *server) signInSubmit(q *request) error {
	if err := q.form(); err != nil {
		return err
	}
	ask, err := s.waiting(q)
	if err != nil {
		return err
	}
	login, password := strings.TrimSpace(q.PostForm.Get("login")), q.PostForm.Get("password")
	if login == "" || password == "" || len(login) > 200 || len(password) > 1000 || !utf8.ValidString(login) {
		return s.drawSignIn(q, http.StatusBadRequest, ask, "",
			fault.New(fault.Invalid, "credentials_missing", "fill in both account and password"))
	}
	token, _, err := s.Accounts.SignIn(q.Context(), identity.SignIn{
		Login: login, Password: password, Address: address(q.Request),
		Replaces: s.sessionToken(q.Request),
	})
	if err != nil {
		switch kind := fault.KindOf(err); kind {
		case fault.Unauthenticated, fault.Invalid, fault.NotFound, fault.TooMany, fault.Forbidden:
			if kind == fault.TooMany {
				wait := 30 * time.Second
				if told, ok := identity.RetryAfter(err); ok {
					wait = told
				}
				q.w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
			}
			if kind == fault.NotFound || kind == fault.Forbidden {
				kind = fault.Unauthenticated // the same answer for accounts that do not exist
			}
			return s.drawSignIn(q, kind.HTTPStatus(), ask, login, err)
		case fault.Internal, fault.Conflict, fault.TooLarge, fault.Unavailable:
			return err
		}
		return err
	}
	s.setSession(q.w, token)
	if ask != nil {
		// The new session may have been asked for consent before; the provider knows.
		fresh, err := s.Provider.Interaction(withSession(q.Context(), token), ask.ID)
		if err != nil {
			return err
		}
		return s.afterSignIn(q, &fresh, token)
	}
	if next := localPath(q.URL.Query().Get("next")); next != "" {
		return q.see(next)
	}
	_, account, err := s.Accounts.Session(q.Context(), token)
	if err != nil {
		return err
	}
	return q.see((&viewer{account: account}).home())
}

// afterSignIn goes on with an application's request: to the consent page, or straight back.
func (s *server) afterSignIn(q *request, ask *Interaction, token string) error {
	if ask.NeedsAsk {
		return q.see("/consent?i=" + url.QueryEscape(ask.ID))
	}
	return s.decide(q, ask.ID, token, true)
}

// decide finishes an application's request and follows the provider's redirect.
func (s *server) decide(q *request, id, token string, allow bool) error {
	to, err := s.Provider.Decide(withSession(q.Context(), token), id, token, allow)
	if err != nil {
		return err
	}
	return q.see(to)
}

// signInCancel is "no, take me back": the application gets access_denied, a visitor of ours the front page.
func (s *server) signInCancel(q *request) error {
	if id := q.URL.Query().Get("i"); id != "" {
		leaveFormAction(q.w)
		return s.decide(q, id, s.sessionToken(q.Request), false)
	}
	return q.see("/")
}

// consent asks the person whether the application may know what it asks for.
func (s *server) consent(q *request) error {
	leaveFormAction(q.w)
	ask, err := s.waiting(q)
	if err != nil {
		return err
	}
	if ask == nil {
		return fault.New(fault.Invalid, "interaction_missing", "this page belongs to a sign-in that an application starts").
			WithHint("go back to the application and start there")
	}
	if q.viewer == nil {
		return q.see("/signin?i=" + url.QueryEscape(ask.ID))
	}
	scopes := make([]scopeLine, 0, len(ask.Scopes))
	for _, name := range ask.Scopes {
		line := scopeLine{Name: name, Key: "scope." + name}
		if !s.words.has(line.Key) {
			line.Key = ""
		}
		scopes = append(scopes, line)
	}
	return s.render(q, http.StatusOK, "consent", struct {
		Ask    *Interaction
		Scopes []scopeLine
		Action string
	}{ask, scopes, "/consent?i=" + url.QueryEscape(ask.ID)})
}

// scopeLine is one thing that an application asks for.
type scopeLine struct {
	Name string
	Key  string // of its words; "" when we have none
}

// consentSubmit takes the decision. Both buttons are of the same form page, each in a form of its own.
func (s *server) consentSubmit(q *request) error {
	leaveFormAction(q.w)
	if err := q.form(); err != nil {
		return err
	}
	ask, err := s.waiting(q)
	if err != nil {
		return err
	}
	if ask == nil {
		return fault.New(fault.Invalid, "interaction_missing", "this page belongs to a sign-in that an application starts")
	}
	if q.viewer == nil {
		return q.see("/signin?i=" + url.QueryEscape(ask.ID))
	}
	err = s.decide(q, ask.ID, q.viewer.token, q.PostForm.Get("decision") == "allow")
	if err != nil && fault.KindOf(err) == fault.Unauthenticated {
		return q.see("/signin?i=" + url.QueryEscape(ask.ID)) // whether the session is fresh enough is the provider's to say
	}
	return err
}
