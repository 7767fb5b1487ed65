package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/ory/fosite"

	"github.com/yinxin-trust/yinxin/identity"
)

// idTokenLife is how long an ID token may be taken as news of a sign-in.
const idTokenLife = time.Hour

// idClaims is an ID token (OpenID Connect Core 1.0 §2). What an application may know of the person it asks userinfo.
type idClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	AuthTime int64    `json:"auth_time"`
	Nonce    string   `json:"nonce,omitempty"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	SID      string   `json:"sid"`
	AtHash   string   `json:"at_hash"`
}

// idTokens adds an ID token to what a code or refresh token gives.
type idTokens struct{ p *Provider }

var _ fosite.TokenEndpointHandler = idTokens{}

// HandleTokenEndpointRequest leaves the judging to the other handlers.
func (idTokens) HandleTokenEndpointRequest(context.Context, fosite.AccessRequester) error {
	return fosite.ErrUnknownRequest
}

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (idTokens) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (idTokens) CanHandleTokenEndpointRequest(_ context.Context, req fosite.AccessRequester) bool {
	return req.GetGrantTypes().ExactOne(grantCode) || req.GetGrantTypes().ExactOne(grantRefresh)
}

// PopulateTokenEndpointResponse signs the ID token, inside the transaction: if the key does not answer, the code is still
// good.
func (h idTokens) PopulateTokenEndpointResponse(ctx context.Context, req fosite.AccessRequester, resp fosite.AccessResponder) error {
	r, ok := ctx.Value(redemptionKey{}).(*redemption)
	if !ok || !h.CanHandleTokenEndpointRequest(ctx, req) || !req.GetGrantedScopes().Has(identity.ScopeOpenID) {
		return fosite.ErrUnknownRequest
	}
	c := idClaims{
		Issuer: h.p.opts.Issuer, Subject: r.detail.Sub, Audience: r.client.ClientID,
		IssuedAt: r.now.Unix(), Expires: r.now.Add(idTokenLife).Unix(), AuthTime: r.detail.AuthTime,
		ACR: r.detail.ACR, AMR: r.detail.AMR, SID: r.row.SID, AtHash: halfHash(resp.GetAccessToken()),
	}
	if req.GetGrantTypes().ExactOne(grantCode) {
		c.Nonce = r.detail.Nonce // §12.2: not again on refresh
	}
	key := h.p.signers.by(r.client.IDTokenAlg)
	if key == nil {
		return fmt.Errorf("oauth: no key for %s", r.client.IDTokenAlg)
	}
	token, err := key.sign(ctx, c)
	if err != nil {
		return err
	}
	resp.SetExtra("id_token", token)
	return nil
}

// halfHash is at_hash of an access token for algorithms over SHA-256 (§3.1.3.6).
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
