package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

const (
	// quietReuse is how long after its redemption a code may come again from the same client without ending the
	// family: a browser that submits twice is no thief. The answer is invalid_grant all the same.
	quietReuse = 10 * time.Second
	// refreshGrace is how long after a rotation the previous refresh token still gives the same next one: the answer
	// to the first request may have been lost, or a client refreshes in parallel. Any other old one ends the family.
	refreshGrace = 30 * time.Second
)

// storage is what fosite reads and writes. A token request finds its transaction and its grant in the context; the grant
// is read once, under a lock.
type storage struct{ p *Provider }

var (
	_ fosite.Storage                = storage{}
	_ oauth2.CoreStorage            = storage{}
	_ oauth2.TokenRevocationStorage = storage{}
	_ pkce.PKCERequestStorage       = storage{}
)

var errOutside = errors.New("oauth: storage is used outside a request")

// GetClient implements fosite.ClientManager.
func (s storage) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	c, err := s.p.clients.get(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil, fosite.ErrNotFound.WithWrap(err)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ClientAssertionJWTValid implements fosite.ClientManager: no client registers private_key_jwt, so none is valid.
func (storage) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrInvalidClient }

// SetClientAssertionJWT implements fosite.ClientManager.
func (storage) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrInvalidClient
}

// CreateAuthorizeCodeSession stores the grant that a code starts.
func (s storage) CreateAuthorizeCodeSession(ctx context.Context, _ string, _ fosite.Requester) error {
	i, ok := ctx.Value(issuingKey{}).(*issuing)
	if !ok {
		return errOutside
	}
	var err error
	i.stored, err = s.p.opts.Store.PutGrant(ctx, i.grant, i.interaction, i.consent)
	return err
}

// lock reads the grant of this request once.
func (r *redemption) lock(ctx context.Context, sd seed) error {
	if r.row != nil {
		return nil
	}
	if r.tx == nil {
		return errOutside
	}
	row, err := r.tx.Lock(ctx, sd.key())
	if fault.KindOf(err) == fault.NotFound {
		return fosite.ErrNotFound
	}
	if err != nil {
		return err
	}
	if r.detail, err = parseDetail(row.Detail); err != nil {
		return err
	}
	r.seed, r.row = sd, &row
	return nil
}

// request is the grant as fosite wants to see it.
func (r *redemption) request() fosite.Requester {
	out := fosite.NewRequest()
	out.Client = &client{Registration: Registration{ClientID: r.row.Client}}
	if r.client != nil && r.client.ClientID == r.row.Client {
		out.Client = r.client
	}
	out.ID = r.row.SID // only handed back to us
	out.RequestedAt = r.row.CreatedAt
	out.SetRequestedScopes(r.row.Scopes)
	granted := r.row.Scopes
	if r.narrow != nil {
		granted = r.narrow
	}
	for _, scope := range granted {
		out.GrantScope(scope)
	}
	out.Session = &session{account: r.row.Account}
	out.Form = url.Values{}
	for name, v := range map[string]string{"redirect_uri": r.detail.RedirectURI, "code_challenge": r.detail.Challenge} {
		if v != "" {
			out.Form.Set(name, v)
		}
	}
	if r.detail.Challenge != "" {
		out.Form.Set("code_challenge_method", "S256")
	}
	return out
}

// GetAuthorizeCodeSession judges a code.
func (s storage) GetAuthorizeCodeSession(ctx context.Context, code string, _ fosite.Session) (fosite.Requester, error) {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok {
		return nil, errOutside
	}
	sd, ok := s.p.parseCode(code)
	if !ok {
		return nil, fosite.ErrNotFound
	}
	if err := r.lock(ctx, sd); err != nil {
		return nil, err
	}
	switch {
	case !r.row.EndedAt.IsZero():
		return nil, fosite.ErrNotFound
	case r.row.UsedAt.IsZero():
		return r.request(), nil
	case r.row.Client == r.client.ClientID && r.now.Sub(r.row.UsedAt) < quietReuse:
		return nil, fosite.ErrNotFound
	}
	return r.request(), fosite.ErrInvalidatedAuthorizeCode // fosite ends the family through RevokeRefreshToken
}

// InvalidateAuthorizeCodeSession marks the code as used.
func (s storage) InvalidateAuthorizeCodeSession(ctx context.Context, _ string) error {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok || r.row == nil {
		return errOutside
	}
	done, err := r.tx.Use(ctx, r.row.Key, r.now)
	if err == nil && !done {
		r.err = fosite.ErrInvalidGrant // cannot be under the lock; if it were, nobody gets a second token
		return r.err
	}
	return err
}

// CreateAccessTokenSession stores an access token.
func (s storage) CreateAccessTokenSession(ctx context.Context, _ string, req fosite.Requester) error {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok {
		return errOutside
	}
	r.access.Client, r.access.Scopes = req.GetClient().GetID(), append([]string{}, req.GetGrantedScopes()...)
	if r.tx == nil {
		return s.p.opts.Store.PutAccess(ctx, r.access)
	}
	r.access.Grant, r.access.Account = r.row.Key, r.row.Account
	return r.tx.PutAccess(ctx, r.access)
}

// CreateRefreshTokenSession has nothing to store: the grant's row holds the generation that is current.
func (storage) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return nil
}

// GetRefreshTokenSession judges a refresh token.
func (s storage) GetRefreshTokenSession(ctx context.Context, token string, _ fosite.Session) (fosite.Requester, error) {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok {
		return nil, errOutside
	}
	sd, generation, ok := s.p.parseRefresh(token)
	if !ok {
		return nil, fosite.ErrNotFound
	}
	if err := r.lock(ctx, sd); err != nil {
		return nil, err
	}
	row := r.row
	switch {
	case row.Client != r.client.ClientID, !row.EndedAt.IsZero(), !r.now.Before(row.ExpiresAt), generation > row.Generation:
		return nil, fosite.ErrNotFound
	case generation == row.Generation:
	case generation == row.Generation-1 && r.now.Sub(row.RotatedAt) < refreshGrace:
		r.grace = true
	default:
		return r.request(), fosite.ErrInactiveToken // fosite ends the family through RevokeRefreshToken
	}
	if err := r.narrowScopes(ctx); err != nil {
		return nil, err
	}
	return r.request(), nil
}

// narrowScopes takes the scope that a refresh asks for, which fosite ignores (RFC 6749 §6).
func (r *redemption) narrowScopes(ctx context.Context) error {
	req, ok := ctx.Value(fosite.AccessRequestContextKey).(fosite.Requester)
	if !ok {
		return nil
	}
	asked := strings.Fields(req.GetRequestForm().Get("scope"))
	if len(asked) == 0 {
		return nil
	}
	for _, scope := range asked {
		if !slices.Contains(r.row.Scopes, scope) {
			r.err = fosite.ErrInvalidScope.WithHint("A scope was asked for that is not part of the grant.")
			return r.err
		}
	}
	r.narrow = asked
	return nil
}

// RotateRefreshToken makes the next generation current.
func (s storage) RotateRefreshToken(ctx context.Context, _, _ string) error {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok || r.row == nil {
		return errOutside
	}
	if r.grace {
		return nil
	}
	done, err := r.tx.Rotate(ctx, r.row.Key, r.row.Generation, r.now)
	if err == nil && !done {
		r.err = fosite.ErrInvalidGrant
		return r.err
	}
	return err
}

// RevokeRefreshToken ends the family of the grant that this request locked.
func (s storage) RevokeRefreshToken(ctx context.Context, _ string) error {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok || r.row == nil {
		return errOutside
	}
	return r.tx.EndGrant(ctx, r.row.Key, r.now)
}

// RevokeAccessToken has nothing to do: an access token holds only while its grant does.
func (storage) RevokeAccessToken(context.Context, string) error { return nil }

// DeleteRefreshTokenSession has nothing to do: a refresh token has no row.
func (storage) DeleteRefreshTokenSession(context.Context, string) error { return nil }

// GetAccessTokenSession is not how access tokens are looked up here; see Provider.access.
func (storage) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession has nothing to do.
func (storage) DeleteAccessTokenSession(context.Context, string) error { return nil }

// CreatePKCERequestSession has nothing to store: the challenge stands in the grant's row.
func (storage) CreatePKCERequestSession(context.Context, string, fosite.Requester) error { return nil }

// GetPKCERequestSession gives the challenge of the grant that this request locked.
func (s storage) GetPKCERequestSession(ctx context.Context, _ string, _ fosite.Session) (fosite.Requester, error) {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok || r.row == nil {
		return nil, errOutside
	}
	if r.detail.Challenge == "" {
		return nil, fosite.ErrNotFound
	}
	return r.request(), nil
}

// DeletePKCERequestSession has nothing to do.
func (storage) DeletePKCERequestSession(context.Context, string) error { return nil }

// lives reports whether an access token is good at an instant.
func lives(a identity.Access, now time.Time) bool {
	if !now.Before(a.ExpiresAt) {
		return false
	}
	if a.Grant == (identity.Key{}) {
		return a.Account == ""
	}
	return a.GrantRow != nil && a.GrantRow.EndedAt.IsZero() && a.Person != nil
}
