package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ory/fosite"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// now is the present as the rows keep it.
func (p *Provider) now() time.Time { return p.opts.Now().UTC().Truncate(time.Microsecond) }

// authorize is the authorization endpoint, by GET and by POST (OpenID Connect Core 1.0 §3.1.2.1). It answers with a
// redirect to the application, or to the sign-in or consent page with the handle of a stored request, or, when it cannot
// know that the address is the application's, with a page.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := r.ParseForm(); err != nil {
		p.opts.ErrorPage(w, r, fault.Wrap(err, fault.Invalid, "authorization_malformed", "the application's request cannot be read"))
		return
	}
	client, redirect, err := p.redirection(r)
	if err != nil {
		p.opts.ErrorPage(w, r, err)
		return
	}
	back := &answer{p: p, redirect: redirect, state: r.Form.Get("state")}
	to, err := p.request(r, client, back)
	if err != nil {
		f := asFailure(err)
		if f.status >= http.StatusInternalServerError {
			p.opts.Logger.ErrorContext(r.Context(), "authorization failed", "client", client.ClientID, "error", f.cause)
		}
		to = back.failed(f)
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// redirection finds the client and the registered address of a request. Until both are known nothing is redirected.
func (p *Provider) redirection(r *http.Request) (*client, *url.URL, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		if len(r.Form[name]) > 1 {
			return nil, nil, fault.New(fault.Invalid, "authorization_malformed", "the application's request names itself twice")
		}
	}
	c, err := p.clients.get(r.Context(), r.Form.Get("client_id"))
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil, fault.Wrap(err, fault.Invalid, "client_unknown", "the application that sent you here is not registered").
			WithHint("go back to the application; its operator registers it with this service")
	}
	if err != nil {
		return nil, nil, err
	}
	raw := r.Form.Get("redirect_uri")
	if raw == "" && len(c.RedirectURIs) == 1 && !slices.Contains(strings.Fields(r.Form.Get("scope")), identity.ScopeOpenID) {
		raw = c.RedirectURIs[0] // RFC 6749 §3.1.2.3; OpenID Connect wants it said
	}
	// A native application may listen on any port of the person's own machine (RFC 8252 §7.3); any other address must be
	// a registered one, character by character.
	if !slices.Contains(c.RedirectURIs, raw) && !c.IsPublic() {
		return nil, nil, errRedirect(nil)
	}
	u, err := fosite.MatchRedirectURIWithClientRedirectURIs(raw, c)
	if err != nil {
		return nil, nil, errRedirect(err)
	}
	return c, u, nil
}

func errRedirect(err error) error {
	return fault.Wrap(err, fault.Invalid, "redirect_uri_unregistered", "the application wants you to be sent to an address that is not registered for it").
		WithHint("go back to the application; do not follow the address")
}

// answer makes redirects to the application.
type answer struct {
	p        *Provider
	redirect *url.URL
	state    string
}

// with is the application's address with parameters, the state as it came, and the issuer (RFC 9207).
func (a *answer) with(v url.Values) string {
	if a.state != "" {
		v.Set("state", a.state)
	}
	v.Set("iss", a.p.opts.Issuer)
	u := *a.redirect
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += v.Encode()
	return u.String()
}

func (a *answer) failed(f *failure) string {
	v := url.Values{"error": {f.Name}}
	if f.Description != "" {
		v.Set("error_description", f.Description)
	}
	return a.with(v)
}

// request judges an authorization request whose client and address are known, and gives the URL to go to.
func (p *Provider) request(r *http.Request, c *client, back *answer) (string, error) {
	ctx := r.Context()
	ask, err := p.check(ctx, r, c)
	if err != nil {
		return "", err
	}
	token := p.opts.BrowserSession(r)
	who, err := p.viewer(ctx, token)
	if err != nil {
		return "", err
	}
	ask.Before = sessionMark(token)
	now := p.now()
	needs, err := p.needs(ctx, ask, c, now, who)
	if err != nil {
		return "", err
	}
	silent := slices.Contains(strings.Fields(r.Form.Get("prompt")), "none")
	switch {
	case needs.signIn && silent:
		return "", refusal("login_required", "the person is not signed in")
	case needs.consent && silent:
		return "", refusal("consent_required", "the person has not agreed to this yet")
	case !needs.signIn && !needs.consent:
		return p.grant(ctx, ask, c, back, who, nil, false)
	}
	ask.NeedsSignIn, ask.NeedsAsk = needs.signIn, needs.consent
	return p.wait(ctx, ask, c, now)
}

// check reads a request into what is kept of it.
func (p *Provider) check(ctx context.Context, r *http.Request, c *client) (*waiting, error) {
	form := r.Form
	for name, values := range form {
		if len(values) > 1 {
			return nil, refusal("invalid_request", "a parameter is given more than once")
		}
		if !utf8.ValidString(values[0]) || len(values[0]) > maxHint || strings.ContainsRune(values[0], 0) {
			return nil, refusal("invalid_request", "a parameter is malformed: "+plain(name))
		}
	}
	for _, name := range []string{"state", "nonce"} {
		if len(form.Get(name)) > 2048 {
			return nil, refusal("invalid_request", name+" is too long")
		}
	}
	switch kind := form.Get("response_type"); {
	case strings.TrimSpace(kind) == "":
		return nil, refusal("invalid_request", "response_type is missing")
	case kind != "code":
		return nil, refusal("unsupported_response_type", "response_type must be code")
	case form.Get("request") != "":
		return nil, refusal("request_not_supported", "request objects are not supported")
	case form.Get("request_uri") != "":
		return nil, refusal("request_uri_not_supported", "request_uri is not supported")
	}
	if !c.may(grantCode) {
		return nil, refusal("unauthorized_client", "the application did not register authorization_code")
	}
	challenge, nonce := form.Get("code_challenge"), form.Get("nonce")
	if err := checkPKCE(c, challenge, form.Get("code_challenge_method")); err != nil {
		return nil, err
	}
	req, err := p.fosite.NewAuthorizeRequest(ctx, r)
	if err != nil && (!errors.Is(err, fosite.ErrInvalidState) || challenge == "" && nonce == "") {
		// fosite wants a state. PKCE and the nonce protect the application as well (RFC 9700 §2.1).
		return nil, err
	}
	w := &waiting{
		Version: waitingVersion, RedirectURI: form.Get("redirect_uri"), Address: req.GetRedirectURI().String(), Scopes: req.GetRequestedScopes(),
		State: form.Get("state"), Nonce: nonce, Challenge: challenge, MaxAge: -1,
	}
	if err := w.prompts(form); err != nil {
		return nil, err
	}
	if w.Claims, err = claimNames(form.Get("claims")); err != nil {
		return nil, err
	}
	if token := form.Get("id_token_hint"); token != "" {
		h, err := p.signers.verify(token, p.opts.Issuer)
		if err != nil {
			return nil, refusal("invalid_request", "id_token_hint is not an ID token of this issuer")
		}
		w.HintSub = h.Subject
	}
	return w, nil
}

// checkPKCE wants S256 from every client that is not exempt (RFC 7636, RFC 9700 §2.1.1).
func checkPKCE(c *client, challenge, method string) error {
	if challenge == "" && method == "" {
		if c.RequirePKCE == nil || *c.RequirePKCE {
			return refusal("invalid_request", "code_challenge is required")
		}
		return nil
	}
	if method != "S256" {
		return refusal("invalid_request", "code_challenge_method must be S256")
	}
	if b, err := base64.RawURLEncoding.DecodeString(challenge); err != nil || len(b) != 32 {
		return refusal("invalid_request", "code_challenge is malformed")
	}
	return nil
}

// prompts reads prompt and max_age (OpenID Connect Core 1.0 §3.1.2.1).
func (w *waiting) prompts(form url.Values) error {
	prompts := strings.Fields(form.Get("prompt"))
	for _, prompt := range prompts {
		switch prompt {
		case "none":
			if len(prompts) > 1 {
				return refusal("invalid_request", "prompt none stands alone")
			}
		case "login", "select_account":
			w.Login = true
		case "consent":
			w.Ask = true
		default:
			return refusal("invalid_request", "prompt is unknown")
		}
	}
	if text := form.Get("max_age"); text != "" {
		age, err := strconv.ParseInt(text, 10, 32)
		if err != nil || age < 0 {
			return refusal("invalid_request", "max_age is not a number of seconds")
		}
		w.MaxAge = age
	}
	return nil
}

// claimNames reads the claims parameter (§5.5): the names asked for from userinfo, of those that we know. What it says
// about the ID token is ignored, as §5.5 allows.
func claimNames(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var asked struct {
		Userinfo map[string]json.RawMessage `json:"userinfo"`
	}
	if err := json.Unmarshal([]byte(text), &asked); err != nil {
		return nil, refusal("invalid_request", "claims is not a JSON object")
	}
	var out []string
	for _, s := range claimScopes() {
		for _, name := range s.claims {
			if _, ok := asked.Userinfo[name]; ok {
				out = append(out, name)
			}
		}
	}
	return out, nil
}
