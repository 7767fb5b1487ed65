package oauth

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// access looks up an access token: one statement. ok is false for one that is unknown, ended or forged.
func (p *Provider) access(ctx context.Context, token string) (a identity.Access, ok bool, err error) {
	key, ok := p.parseAccess(token)
	if !ok {
		return identity.Access{}, false, nil
	}
	a, err = p.opts.Store.Access(ctx, key)
	if fault.KindOf(err) == fault.NotFound {
		return identity.Access{}, false, nil
	}
	if err != nil {
		return identity.Access{}, false, err
	}
	return a, lives(a, p.now()), nil
}

// Authenticate finds the principal of a bearer token: a person behind an application, with what consent and roles both
// open, or a client for itself. Unauthenticated "token_invalid" says no more than that.
func (p *Provider) Authenticate(ctx context.Context, bearer string) (identity.Principal, error) {
	a, ok, err := p.access(ctx, bearer)
	if err != nil {
		return identity.Principal{}, err
	}
	if !ok {
		return identity.Principal{}, fault.New(fault.Unauthenticated, "token_invalid", "the access token is unknown, expired or revoked")
	}
	out := identity.Principal{Client: a.Client, Scopes: a.Scopes}
	c, err := p.clients.get(ctx, a.Client)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return identity.Principal{}, fault.Wrap(err, fault.Unauthenticated, "token_invalid", "the access token is unknown, expired or revoked")
		}
		return identity.Principal{}, err
	}
	if a.Person == nil {
		out.Office, out.Offices = c.Office, c.Offices
		return out, nil
	}
	account, err := p.opts.Accounts.Open(ctx, *a.Person)
	if err != nil {
		return identity.Principal{}, err
	}
	d, err := parseDetail(a.GrantRow.Detail)
	if err != nil {
		return identity.Principal{}, fault.Wrap(err, fault.Internal, "grant_damaged", "the grant of the token is damaged")
	}
	open := account.Scopes() // a role that was taken away takes its scopes along
	out.Scopes = slices.DeleteFunc(slices.Clone(a.Scopes), func(s string) bool { return identity.IsAPIScope(s) && !slices.Contains(open, s) })
	out.Account, out.Office = &account, account.Office
	out.Session = &identity.Session{
		SID: a.GrantRow.SID, Account: account.ID, AuthTime: unix(d.AuthTime), AMR: d.AMR, ACR: d.ACR, Expires: a.ExpiresAt,
	}
	return out, nil
}

// userinfo is the userinfo endpoint (OpenID Connect Core 1.0 §5.3): by GET or POST, with the token in the header or, by
// POST, in the body.
func (p *Provider) userinfo(w http.ResponseWriter, r *http.Request) {
	token, sent, err := bearerOf(r)
	if err != nil {
		p.refuseBearer(w, asFailure(err))
		return
	}
	if !sent {
		p.refuseBearer(w, &failure{status: http.StatusUnauthorized})
		return
	}
	a, ok, err := p.access(r.Context(), token)
	switch {
	case err != nil:
		p.fail(w, r, err)
		return
	case !ok, a.Person == nil:
		p.refuseBearer(w, &failure{Name: "invalid_token", Description: "the access token is unknown, expired or revoked", status: http.StatusUnauthorized})
		return
	case !slices.Contains(a.Scopes, identity.ScopeOpenID):
		p.refuseBearer(w, &failure{Name: "insufficient_scope", Description: "the scope openid is needed", status: http.StatusForbidden})
		return
	}
	d, err := parseDetail(a.GrantRow.Detail)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	account, err := p.opts.Accounts.Open(r.Context(), *a.Person)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	claims, err := personClaims(&account, a.Scopes, d.Claims)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	claims["sub"] = d.Sub
	writeJSON(w, http.StatusOK, claims)
}

// bearerOf finds the token of a request in one of the two places that RFC 6750 §2.1 and §2.2 name.
func bearerOf(r *http.Request) (token string, sent bool, err error) {
	scheme, value, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	inHeader := ok && strings.EqualFold(scheme, "Bearer")
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "" {
		if err := parsePost(r); err == nil && r.PostForm.Get("access_token") != "" {
			if inHeader {
				return "", false, refusal("invalid_request", "the token is sent twice")
			}
			return r.PostForm.Get("access_token"), true, nil
		}
	}
	return strings.TrimSpace(value), inHeader, nil
}

// refuseBearer answers as RFC 6750 §3 says.
func (p *Provider) refuseBearer(w http.ResponseWriter, f *failure) {
	challenge := `Bearer realm="` + p.issuer.Host + `"`
	if f.Name != "" {
		challenge += `, error="` + f.Name + `", error_description="` + f.Description + `"`
	}
	w.Header().Set("Www-Authenticate", challenge)
	if f.Name == "" {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(f.status)
		return
	}
	writeJSON(w, f.status, f)
}
