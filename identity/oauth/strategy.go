package oauth

import (
	"context"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"

	"github.com/yinxin-trust/yinxin/identity"
)

// strategy makes and judges tokens for fosite. What fosite calls a signature is the token itself: it goes only to our
// storage, which parses it.
type strategy struct{ p *Provider }

var _ oauth2.CoreStrategy = strategy{}

// AuthorizeCodeSignature implements oauth2.AuthorizeCodeStrategy.
func (strategy) AuthorizeCodeSignature(_ context.Context, code string) string { return code }

// GenerateAuthorizeCode draws the code of the grant that is being made.
func (s strategy) GenerateAuthorizeCode(ctx context.Context, _ fosite.Requester) (string, string, error) {
	i, ok := ctx.Value(issuingKey{}).(*issuing)
	if !ok {
		return "", "", errOutside
	}
	code, sd, err := s.p.newCode(identity.DayOf(i.grant.ExpiresAt))
	if err != nil {
		return "", "", err
	}
	i.grant.Key = sd.key()
	return code, code, nil
}

// ValidateAuthorizeCode refuses a code after its short life.
func (strategy) ValidateAuthorizeCode(ctx context.Context, _ fosite.Requester, _ string) error {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok || r.row == nil {
		return errOutside
	}
	if !r.now.Before(r.row.CodeUntil) {
		return fosite.ErrTokenExpired
	}
	return nil
}

// AccessTokenSignature implements oauth2.AccessTokenStrategy.
func (strategy) AccessTokenSignature(_ context.Context, token string) string { return token }

// GenerateAccessToken draws an access token, which never outlives its grant.
func (s strategy) GenerateAccessToken(ctx context.Context, _ fosite.Requester) (string, string, error) {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok {
		return "", "", errOutside
	}
	ends := r.now.Add(s.p.opts.AccessLife)
	if r.row != nil && r.row.ExpiresAt.Before(ends) {
		ends = r.row.ExpiresAt
	}
	token, key, err := s.p.newAccess(identity.DayOf(ends))
	if err != nil {
		return "", "", err
	}
	r.access.Key, r.access.CreatedAt, r.access.ExpiresAt = key, r.now, ends
	return token, token, nil
}

// ValidateAccessToken is not how access tokens are judged here; see Provider.access.
func (strategy) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return fosite.ErrInactiveToken
}

// RefreshTokenSignature implements oauth2.RefreshTokenStrategy.
func (strategy) RefreshTokenSignature(_ context.Context, token string) string { return token }

// GenerateRefreshToken derives the refresh token that is current after this request.
func (s strategy) GenerateRefreshToken(ctx context.Context, req fosite.Requester) (string, string, error) {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok || r.row == nil {
		return "", "", errOutside
	}
	generation := r.row.Generation
	if !r.row.UsedAt.IsZero() && !r.grace { // a refresh, not the first redemption
		generation++
	}
	token := s.p.refreshToken(r.seed, generation)
	return token, token, nil
}

// ValidateRefreshToken has nothing to add to what the storage judged.
func (strategy) ValidateRefreshToken(context.Context, fosite.Requester, string) error { return nil }

// expiresIn is the remaining life of a token in whole seconds.
func expiresIn(ends, now time.Time) int64 { return int64(ends.Sub(now) / time.Second) }
