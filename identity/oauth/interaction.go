package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// waiting is an authorization request as it is stored while a person signs in or decides. login_hint is not kept: it may
// name somebody.
type waiting struct {
	Version     int      `json:"v"`
	RedirectURI string   `json:"redirect_uri"` // as the request had it
	Address     string   `json:"address"`      // where the answer goes
	Scopes      []string `json:"scopes"`
	State       string   `json:"state,omitempty"`
	Nonce       string   `json:"nonce,omitempty"`
	Challenge   string   `json:"code_challenge,omitempty"`
	Claims      []string `json:"claims,omitempty"`
	Login       bool     `json:"login,omitempty"` // prompt asks for a new sign-in
	Ask         bool     `json:"ask,omitempty"`   // prompt asks for consent
	MaxAge      int64    `json:"max_age"`         // -1: none
	HintSub     string   `json:"hint_sub,omitempty"`
	Before      string   `json:"before,omitempty"` // mark of the session that the browser had
	NeedsSignIn bool     `json:"needs_sign_in,omitempty"`
	NeedsAsk    bool     `json:"needs_ask,omitempty"`
}

const waitingVersion = 1

// Interaction is an authorization request in the words of the person who must decide.
type Interaction struct {
	ID          string
	ClientName  string
	Scopes      []string
	NeedsSignIn bool   // no session, or prompt, max_age or id_token_hint ask for a new one
	NeedsAsk    bool   // consent has not been given before
	Cancel      string // where the browser goes when the person turns back: the application, with access_denied
}

// viewer is who is signed in at the browser; nil when nobody is.
type viewer struct {
	session identity.Session
	account identity.Account
	mark    string
}

func (p *Provider) viewer(ctx context.Context, token string) (*viewer, error) {
	if token == "" {
		return nil, nil
	}
	s, a, err := p.opts.Accounts.Session(ctx, token)
	if fault.KindOf(err) == fault.Unauthenticated {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &viewer{session: s, account: a, mark: sessionMark(token)}, nil
}

// sessionMark tells two sessions apart and opens neither.
func sessionMark(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("yinxin/identity/oauth/mark\x00" + token))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// needs is what a request still wants from the person.
type needs struct{ signIn, consent bool }

// skew is how far the clocks of two processes may differ.
const skew = 5 * time.Second

// needs judges a request that came at an instant for who is signed in now.
func (p *Provider) needs(ctx context.Context, w *waiting, c *client, came time.Time, who *viewer) (needs, error) {
	n := needs{signIn: true, consent: w.asks(c)}
	if who == nil {
		return n, nil
	}
	var err error
	if n.signIn, err = p.needsSignIn(ctx, w, c, came, who); err != nil {
		return needs{}, err
	}
	if n.consent && !w.Ask {
		agreed, err := p.opts.Store.Consent(ctx, who.account.ID, c.ClientID)
		if err != nil {
			return needs{}, err
		}
		n.consent = !covers(agreed, w.consentScopes(c, &who.account))
	}
	return n, nil
}

// asks reports whether anybody is asked for consent at all.
func (w *waiting) asks(c *client) bool { return w.Ask || !c.Preauthorized }

// needsSignIn judges whether the session is good enough for a request that came at an instant.
func (p *Provider) needsSignIn(ctx context.Context, w *waiting, c *client, came time.Time, who *viewer) (bool, error) {
	// A sign-in counts as new when it gave another session token than the browser had, and not before the request.
	fresh := who.mark != w.Before && !who.session.AuthTime.Before(came.Add(-skew))
	if !fresh && (w.Login || w.MaxAge >= 0 && came.Sub(who.session.AuthTime) > time.Duration(w.MaxAge)*time.Second) {
		return true, nil
	}
	if w.HintSub == "" {
		return false, nil
	}
	sub, err := p.opts.Accounts.PairwiseSub(ctx, c.sector(), who.account.ID)
	return sub != w.HintSub, err
}

func covers(have, want []string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
}

// grantable is what of the requested scopes this person can give: of the API what the roles open, offline_access when the
// client can use it.
func (w *waiting) grantable(c *client, a *identity.Account) []string {
	open := a.Scopes()
	out := []string{}
	for _, s := range w.Scopes {
		switch {
		case identity.IsAPIScope(s) && !slices.Contains(open, s), s == identity.ScopeOffline && !c.may(grantRefresh):
		default:
			out = append(out, s)
		}
	}
	return out
}

// consentScopes is what the person is asked about: the scopes, and those that cover claims asked for by name.
func (w *waiting) consentScopes(c *client, a *identity.Account) []string {
	out := w.grantable(c, a)
	for _, s := range claimScopes() {
		if !slices.Contains(out, s.scope) && slices.ContainsFunc(s.claims, func(name string) bool { return slices.Contains(w.Claims, name) }) {
			out = append(out, s.scope)
		}
	}
	return out
}

// wait stores a request and gives the page that goes on with it.
func (p *Provider) wait(ctx context.Context, w *waiting, c *client, now time.Time) (string, error) {
	body, err := json.Marshal(w)
	if err != nil {
		return "", err
	}
	ends := now.Add(p.opts.InteractionLife)
	id, key, err := identity.NewHandle(p.opts.Rand, identity.DayOf(ends))
	if err != nil {
		return "", err
	}
	row := identity.InteractionRow{Key: key, Client: c.ClientID, Detail: body, CreatedAt: now, ExpiresAt: ends}
	if err := p.opts.Store.PutInteraction(ctx, row); err != nil {
		return "", err
	}
	page := p.opts.ConsentPath
	if w.NeedsSignIn {
		page = p.opts.SignInPath
	}
	return p.opts.Issuer + page + "?" + url.Values{"i": {id}}.Encode(), nil
}

// stored reads a waiting request.
func (p *Provider) stored(ctx context.Context, id string) (*waiting, *client, identity.InteractionRow, error) {
	key, err := identity.ParseHandle(id)
	if err != nil {
		return nil, nil, identity.InteractionRow{}, errInteraction(err)
	}
	row, err := p.opts.Store.Interaction(ctx, key, p.now())
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil, row, errInteraction(err)
	}
	if err != nil {
		return nil, nil, row, err
	}
	c, err := p.clients.get(ctx, row.Client)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil, row, errInteraction(err)
	}
	if err != nil {
		return nil, nil, row, err
	}
	var w waiting
	if err := json.Unmarshal(row.Detail, &w); err != nil || w.Version != waitingVersion {
		return nil, nil, row, fault.Wrap(err, fault.Internal, "interaction_damaged", "the stored request is damaged")
	}
	return &w, c, row, nil
}

func errInteraction(err error) error {
	return fault.Wrap(err, fault.NotFound, "interaction_unknown", "this sign-in request is not known, was finished, or is too old").
		WithHint("go back to the application and start again")
}

func (p *Provider) answerFor(w *waiting) (*answer, error) {
	u, err := url.Parse(w.Address)
	if err != nil {
		return nil, fmt.Errorf("oauth: stored address: %w", err)
	}
	return &answer{p: p, redirect: u, state: w.State}, nil
}

// Interaction gives what the sign-in and consent pages show for a request that waits: NotFound "interaction_unknown" when
// it is finished or older than ten minutes. With a session in the context it says what that session still lacks.
func (p *Provider) Interaction(ctx context.Context, id string) (Interaction, error) {
	w, c, row, err := p.stored(ctx, id)
	if err != nil {
		return Interaction{}, err
	}
	back, err := p.answerFor(w)
	if err != nil {
		return Interaction{}, err
	}
	out := Interaction{ID: id, ClientName: c.ClientName, Scopes: w.Scopes, NeedsSignIn: w.NeedsSignIn, NeedsAsk: w.NeedsAsk, Cancel: back.failed(errDenied())}
	who, err := p.viewer(ctx, p.opts.SessionToken(ctx))
	if err != nil {
		return Interaction{}, err
	}
	if who != nil {
		n, err := p.needs(ctx, w, c, row.CreatedAt, who)
		if err != nil {
			return Interaction{}, err
		}
		out.NeedsSignIn, out.NeedsAsk, out.Scopes = n.signIn, n.consent, w.consentScopes(c, &who.account)
	}
	return out, nil
}

func errDenied() *failure { return refusal("access_denied", "the person did not agree") }

// Decide finishes a request as the person decided and gives the URL to redirect the browser to. A refusal needs no
// session. Errors: NotFound "interaction_unknown"; Unauthenticated when the session has ended or the request wants a newer
// sign-in.
func (p *Provider) Decide(ctx context.Context, id, sessionToken string, allow bool) (string, error) {
	w, c, row, err := p.stored(ctx, id)
	if err != nil {
		return "", err
	}
	back, err := p.answerFor(w)
	if err != nil {
		return "", err
	}
	finish := func(f *failure) (string, error) {
		done, err := p.opts.Store.EndInteraction(ctx, row.Key, p.now())
		if err != nil {
			return "", err
		}
		if !done {
			return "", errInteraction(nil)
		}
		return back.failed(f), nil
	}
	if !allow {
		return finish(errDenied())
	}
	who, err := p.viewer(ctx, sessionToken)
	if err != nil {
		return "", err
	}
	if who == nil {
		return "", fault.New(fault.Unauthenticated, "session_ended", "you are not signed in").WithHint("sign in")
	}
	again, err := p.needsSignIn(ctx, w, c, row.CreatedAt, who)
	if err != nil {
		return "", err
	}
	if again {
		if w.HintSub != "" && who.mark != w.Before {
			// Somebody else signed in than the application asked for; asking again would never end.
			return finish(refusal("login_required", "another person signed in than the one asked for"))
		}
		return "", fault.New(fault.Unauthenticated, "sign_in_required", "the application asks you to sign in again").WithHint("sign in")
	}
	return p.grant(ctx, w, c, back, who, &row.Key, w.asks(c))
}

// grant stores a grant and gives the URL that takes its code to the application.
func (p *Provider) grant(ctx context.Context, w *waiting, c *client, back *answer, who *viewer, interaction *identity.Key, agreed bool) (string, error) {
	now := p.now()
	sub, err := p.opts.Accounts.PairwiseSub(ctx, c.sector(), who.account.ID)
	if err != nil {
		return "", err
	}
	scopes := w.grantable(c, &who.account)
	body, err := json.Marshal(detail{
		Version: detailVersion, Sub: sub, AuthTime: who.session.AuthTime.Unix(), AMR: who.session.AMR, ACR: who.session.ACR,
		RedirectURI: w.RedirectURI, Nonce: w.Nonce, Challenge: w.Challenge, Claims: w.Claims,
	})
	if err != nil {
		return "", err
	}
	i := &issuing{interaction: interaction, grant: identity.GrantRow{
		Client: c.ClientID, Account: who.account.ID, SID: who.session.SID, Offline: slices.Contains(scopes, identity.ScopeOffline),
		Scopes: scopes, Detail: body, CreatedAt: now, ExpiresAt: who.session.Expires, CodeUntil: now.Add(p.opts.CodeLife),
	}}
	if i.grant.Offline {
		i.grant.ExpiresAt = now.Add(p.opts.OfflineLife)
	}
	if agreed {
		i.consent = &identity.ConsentRow{Account: who.account.ID, Client: c.ClientID, Scopes: w.consentScopes(c, &who.account), At: now}
	}
	ar := fosite.NewAuthorizeRequest()
	ar.Client, ar.RedirectURI, ar.State = c, back.redirect, w.State
	ar.ResponseTypes, ar.ResponseMode = fosite.Arguments{"code"}, fosite.ResponseModeQuery
	ar.RequestedScope, ar.GrantedScope = w.Scopes, scopes
	ar.Form = url.Values{"redirect_uri": {w.RedirectURI}}
	if w.Challenge != "" {
		ar.Form.Set("code_challenge", w.Challenge)
		ar.Form.Set("code_challenge_method", "S256")
	}
	resp, err := p.fosite.NewAuthorizeResponse(context.WithValue(ctx, issuingKey{}, i), ar, &session{account: who.account.ID})
	if err != nil {
		return "", err
	}
	if !i.stored {
		return "", errInteraction(nil)
	}
	return back.with(url.Values{"code": {resp.GetCode()}}), nil
}
