package oauth

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"

	"github.com/ory/fosite"

	"github.com/yinxin-trust/yinxin/identity"
)

// parsePost reads a form body, once each parameter (RFC 6749 §3.2).
func parsePost(r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return refusal("invalid_request", "the body must be application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return &failure{Name: "invalid_request", Description: "the body is too large", status: http.StatusRequestEntityTooLarge}
		}
		return refusal("invalid_request", "the body cannot be read")
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return refusal("invalid_request", "a parameter is given more than once")
		}
	}
	return nil
}

// authenticate finds the client of a request to the token, introspection or revocation endpoint.
func (p *Provider) authenticate(ctx context.Context, r *http.Request) (*client, error) {
	got, err := p.fosite.DefaultClientAuthenticationStrategy(ctx, r, r.PostForm)
	if err != nil {
		return nil, err
	}
	c, ok := got.(*client)
	if !ok {
		return nil, errOutside
	}
	return c, nil
}

// token is the token endpoint (RFC 6749 §3.2). A code or refresh token is redeemed in one transaction, which stands also
// when the answer is a refusal: the end of a family whose token came twice must not be rolled back. It is given up only
// when the failure is ours.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if err := parsePost(r); err != nil {
		p.fail(w, r, err)
		return
	}
	grant := r.PostForm.Get("grant_type")
	if grant != "" && !slices.Contains([]string{grantCode, grantRefresh, grantClient}, grant) {
		p.fail(w, r, refusal("unsupported_grant_type", ""))
		return
	}
	c, err := p.authenticate(r.Context(), r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	red := &redemption{now: p.now(), client: c}
	ctx := context.WithValue(r.Context(), redemptionKey{}, red)
	var resp map[string]any
	if grant == grantClient {
		resp, err = p.exchange(ctx, r, red)
	} else {
		var refused error
		err = p.opts.Store.Redeem(ctx, func(tx identity.GrantTx) error {
			red.tx = tx
			resp, refused = p.exchange(ctx, r, red)
			if refused != nil && asFailure(refused).status >= http.StatusInternalServerError {
				return refused
			}
			return nil
		})
		if err == nil {
			err = refused
		}
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, resp)
}

// exchange lets fosite judge and answer.
func (p *Provider) exchange(ctx context.Context, r *http.Request, red *redemption) (map[string]any, error) {
	// What a handler noted itself says more than what fosite made of it.
	noted := func(err error) error {
		if err != nil && red.err != nil {
			return red.err
		}
		return err
	}
	req, err := p.fosite.NewAccessRequest(ctx, r, &session{})
	if err != nil {
		return nil, noted(err)
	}
	if req.GetGrantTypes().ExactOne(grantClient) {
		own, err := ownScopes(red.client, req.GetRequestedScopes())
		if err != nil {
			return nil, err
		}
		for _, scope := range own {
			req.GrantScope(scope)
		}
	}
	resp, err := p.fosite.NewAccessResponse(ctx, req)
	if err != nil {
		return nil, noted(err)
	}
	out := resp.ToMap()
	out["token_type"] = "Bearer"
	out["expires_in"] = expiresIn(red.access.ExpiresAt, red.now)
	return out, nil
}

// ownScopes is what a client gets for itself: of the API, what it asked for or else all that it registered. Scopes about
// a person mean nothing without one: they are left out (RFC 6749 §3.3), and whoever would be left with none is told
// invalid_scope (§5.2) instead of being given a token that opens nothing.
func ownScopes(c *client, asked fosite.Arguments) ([]string, error) {
	if len(asked) == 0 {
		asked = c.GetScopes()
	}
	var out []string
	for _, scope := range asked {
		if identity.IsAPIScope(scope) {
			out = append(out, scope)
		}
	}
	if len(out) == 0 {
		return nil, refusal("invalid_scope", "none of the scopes can be given to an application for itself")
	}
	return out, nil
}
