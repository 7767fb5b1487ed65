package oauth

import (
	"net/http"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// introspection is the answer of RFC 7662 §2.2.
type introspection struct {
	Active    bool   `json:"active"`
	Scope     string `json:"scope,omitempty"`
	ClientID  string `json:"client_id,omitempty"`
	TokenType string `json:"token_type,omitempty"`
	Expires   int64  `json:"exp,omitempty"`
	IssuedAt  int64  `json:"iat,omitempty"`
	Subject   string `json:"sub,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ACR       string `json:"acr,omitempty"`
	AuthTime  int64  `json:"auth_time,omitempty"`
}

// introspect tells an authenticated client about a token that it was shown: about its own, and if it is registered as a
// resource server about the access token of any application. To any other client a token is as good as unknown, so that
// whoever finds one learns nothing from it (RFC 7662 §2.2, §4). The sub is the one of the asker's own department, so that
// introspection does not undo pairwise subs.
func (p *Provider) introspect(w http.ResponseWriter, r *http.Request) {
	c, err := p.confidential(r)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	token := r.PostForm.Get("token")
	if token == "" {
		p.fail(w, r, refusal("invalid_request", "token is missing"))
		return
	}
	out, err := p.look(r, c, token)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, out)
}

// confidential authenticates the client of a request; one without credentials does not do.
func (p *Provider) confidential(r *http.Request) (*client, error) {
	if err := parsePost(r); err != nil {
		return nil, err
	}
	c, err := p.authenticate(r.Context(), r)
	if err == nil && c.IsPublic() {
		err = &failure{Name: "invalid_client", Description: "client authentication is needed", status: http.StatusUnauthorized}
	}
	return c, err
}

func (p *Provider) look(r *http.Request, asker *client, token string) (introspection, error) {
	ctx, inactive := r.Context(), introspection{}
	if s, generation, ok := p.parseRefresh(token); ok {
		row, err := p.opts.Store.Grant(ctx, s.key())
		if fault.KindOf(err) == fault.NotFound {
			return inactive, nil
		}
		if err != nil {
			return inactive, err
		}
		if row.Client != asker.ClientID || !row.EndedAt.IsZero() || generation != row.Generation || !p.now().Before(row.ExpiresAt) {
			return inactive, nil
		}
		return p.told(r, asker, introspection{
			Active: true, Scope: strings.Join(row.Scopes, " "), ClientID: row.Client, Expires: row.ExpiresAt.Unix(), IssuedAt: row.CreatedAt.Unix(),
		}, &row)
	}
	a, ok, err := p.access(ctx, token)
	if err != nil || !ok || a.Client != asker.ClientID && !asker.Introspect {
		return inactive, err
	}
	return p.told(r, asker, introspection{
		Active: true, Scope: strings.Join(a.Scopes, " "), ClientID: a.Client, TokenType: "Bearer", Expires: a.ExpiresAt.Unix(), IssuedAt: a.CreatedAt.Unix(),
	}, a.GrantRow)
}

// told adds what the grant says.
func (p *Provider) told(r *http.Request, asker *client, out introspection, g *identity.GrantRow) (introspection, error) {
	out.Issuer = p.opts.Issuer
	if g == nil {
		out.Subject = out.ClientID
		return out, nil
	}
	d, err := parseDetail(g.Detail)
	if err != nil {
		return introspection{}, err
	}
	out.ACR, out.AuthTime, out.Subject = d.ACR, d.AuthTime, d.Sub
	if asker.ClientID != g.Client {
		if out.Subject, err = p.opts.Accounts.PairwiseSub(r.Context(), asker.sector(), g.Account); err != nil {
			return introspection{}, err
		}
	}
	return out, nil
}

// revoke is the revocation endpoint (RFC 7009): a refresh token takes its whole grant along, an access token goes alone.
// A token that is not known is as good as revoked.
func (p *Provider) revoke(w http.ResponseWriter, r *http.Request) {
	if err := parsePost(r); err != nil {
		p.fail(w, r, err)
		return
	}
	c, err := p.authenticate(r.Context(), r)
	if err == nil {
		err = p.end(r, c, r.PostForm.Get("token"))
	}
	if err != nil {
		p.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

func (p *Provider) end(r *http.Request, c *client, token string) error {
	ctx := r.Context()
	if token == "" {
		return refusal("invalid_request", "token is missing")
	}
	if s, _, ok := p.parseRefresh(token); ok {
		row, err := p.opts.Store.Grant(ctx, s.key())
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		if err != nil {
			return err
		}
		if row.Client != c.ClientID {
			return refusal("unauthorized_client", "the token was issued to another client")
		}
		return p.opts.Store.EndGrant(ctx, row.Key, p.now())
	}
	key, ok := p.parseAccess(token)
	if !ok {
		return nil
	}
	a, err := p.opts.Store.Access(ctx, key)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	if a.Client != c.ClientID {
		return refusal("unauthorized_client", "the token was issued to another client")
	}
	return p.opts.Store.EndAccess(ctx, key)
}

// unix is an instant of whole seconds.
func unix(s int64) time.Time { return time.Unix(s, 0).UTC() }
