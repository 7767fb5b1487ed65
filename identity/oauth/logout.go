package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// EndSession finishes an RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0) whose parameters are in the request:
// it ends the session that the ID token names, or without one the browser's own, with every grant that does not outlive
// it. It gives the registered address to go to, with the state, or "" for a page of our own. An address that is not
// registered for the application of the hint, or a hint that is not ours, is an error, and nothing is ended.
func (p *Provider) EndSession(ctx context.Context, r *http.Request) (string, error) {
	if err := r.ParseForm(); err != nil {
		return "", fault.Wrap(err, fault.Invalid, "logout_malformed", "the application's request cannot be read")
	}
	token, to := r.Form.Get("id_token_hint"), r.Form.Get("post_logout_redirect_uri")
	if token == "" {
		if to != "" {
			return "", errLogout("logout_hint_missing", "the application did not say for whom it signs out", nil)
		}
		return "", p.opts.Accounts.SignOut(ctx, p.browserToken(ctx, r))
	}
	h, err := p.signers.verify(token, p.opts.Issuer)
	if err != nil {
		return "", errLogout("logout_hint_invalid", "the application's sign-out request is not genuine", err)
	}
	c, err := p.clients.get(ctx, h.Audience[0])
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = errLogout("client_unknown", "the application is not registered", err)
		}
		return "", err
	}
	if id := r.Form.Get("client_id"); id != "" && id != c.ClientID {
		return "", errLogout("logout_client_differs", "the application's sign-out request is not its own", nil)
	}
	next, err := c.afterLogout(to, r.Form.Get("state"))
	if err != nil {
		return "", err
	}
	if h.SID != "" {
		if err := p.opts.Accounts.SignOutSID(ctx, h.SID); err != nil {
			return "", err
		}
	}
	return next, nil
}

// browserToken is the session token of the browser that asks.
func (p *Provider) browserToken(ctx context.Context, r *http.Request) string {
	if t := p.opts.SessionToken(ctx); t != "" {
		return t
	}
	return p.opts.BrowserSession(r)
}

// afterLogout is the address to go to, exactly as registered, with the state as it came.
func (c *client) afterLogout(to, state string) (string, error) {
	if to == "" {
		return "", nil
	}
	if !slices.Contains(c.PostLogoutRedirectURIs, to) {
		return "", errLogout("post_logout_redirect_uri_unregistered", "the application wants you to be sent to an address that is not registered for it", nil)
	}
	if state == "" {
		return to, nil
	}
	u, err := url.Parse(to)
	if err != nil {
		return "", errors.Join(errors.New("oauth: registered address"), err)
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += url.Values{"state": {state}}.Encode()
	return u.String(), nil
}

func errLogout(code, message string, err error) error {
	return fault.Wrap(err, fault.Invalid, code, message).WithHint("sign out on our own page")
}
