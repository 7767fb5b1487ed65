package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/go-jose/go-jose/v3"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/pkce"
)

// wire puts fosite together: its handlers for codes, refresh tokens, client credentials and PKCE over our strategies and
// storage, and our own for ID tokens. It fetches nothing from any address that a client names.
func (p *Provider) wire() {
	store, tokens := storage{p}, strategy{p}
	config := &fosite.Config{
		IDTokenIssuer:          p.opts.Issuer,
		TokenURL:               p.opts.Issuer + pathToken,
		AccessTokenLifespan:    p.opts.AccessLife,
		RefreshTokenLifespan:   p.opts.OfflineLife,
		AuthorizeCodeLifespan:  p.opts.CodeLife,
		ScopeStrategy:          fosite.ExactScopeStrategy,
		RefreshTokenScopes:     []string{}, // every client that registered the grant; how long it lives is the grant's row's to say
		OmitRedirectScopeParam: true,
		MinParameterEntropy:    1, // see Provider.check for what stands in for a long state
		ClientSecretsHasher:    secretHasher{},
		JWKSFetcherStrategy:    noFetch{},
		HTTPClient:             noHTTP(),
		RedirectSecureChecker:  func(context.Context, *url.URL) bool { return true }, // checked at registration
	}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: tokens, RefreshTokenStrategy: tokens, AuthorizeCodeStrategy: tokens,
		CoreStorage: store, TokenRevocationStorage: store, Config: config,
	}
	proof := &pkce.Handler{AuthorizeCodeStrategy: tokens, Storage: store, Config: config}
	config.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{code, proof}
	config.TokenEndpointHandlers = fosite.TokenEndpointHandlers{
		code,
		proof,
		&oauth2.RefreshTokenGrantHandler{AccessTokenStrategy: tokens, RefreshTokenStrategy: tokens, TokenRevocationStorage: store, Config: config},
		&oauth2.ClientCredentialsGrantHandler{
			HandleHelper: &oauth2.HandleHelper{AccessTokenStrategy: tokens, AccessTokenStorage: store, Config: config}, Config: config,
		},
		idTokens{p},
	}
	p.fosite = &fosite.Fosite{Store: store, Config: config}
	// A token request knows its client before its transaction starts.
	config.ClientAuthenticationStrategy = func(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
		if red, ok := ctx.Value(redemptionKey{}).(*redemption); ok && red.client != nil {
			return red.client, nil
		}
		return p.fosite.DefaultClientAuthenticationStrategy(ctx, r, form)
	}
}

var errNoFetch = errors.New("oauth: nothing is fetched from addresses that a client names")

// noFetch resolves no jwks_uri.
type noFetch struct{}

// Resolve implements fosite.JWKSFetcherStrategy.
func (noFetch) Resolve(context.Context, string, bool) (*jose.JSONWebKeySet, error) {
	return nil, errNoFetch
}

// refuse is a transport that sends nothing.
type refuse struct{}

// RoundTrip implements http.RoundTripper.
func (refuse) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoFetch }

// noHTTP is a client that fetches no request_uri.
func noHTTP() *retryablehttp.Client {
	c := retryablehttp.NewClient()
	c.RetryMax, c.Logger = 0, nil
	c.HTTPClient = &http.Client{Transport: refuse{}}
	return c
}
