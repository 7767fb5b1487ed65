package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/identity"
)

// metadata is the discovery document (OpenID Connect Discovery 1.0 §3, RFC 8414 §2, RFC 9207 §3).
type metadata struct {
	Issuer                string   `json:"issuer"`
	Authorization         string   `json:"authorization_endpoint"`
	Token                 string   `json:"token_endpoint"`
	Userinfo              string   `json:"userinfo_endpoint"`
	JWKS                  string   `json:"jwks_uri"`
	EndSession            string   `json:"end_session_endpoint"`
	Introspection         string   `json:"introspection_endpoint"`
	Revocation            string   `json:"revocation_endpoint"`
	Scopes                []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	ACRs                  []string `json:"acr_values_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	IDTokenAlgs           []string `json:"id_token_signing_alg_values_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
	IntrospectAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	RevokeAuthMethods     []string `json:"revocation_endpoint_auth_methods_supported"`
	Displays              []string `json:"display_values_supported"`
	ClaimTypes            []string `json:"claim_types_supported"`
	Claims                []string `json:"claims_supported"`
	Locales               []string `json:"ui_locales_supported"`
	Prompts               []string `json:"prompt_values_supported"`
	ClaimsParameter       bool     `json:"claims_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
	PKCEMethods           []string `json:"code_challenge_methods_supported"`
	IssInResponse         bool     `json:"authorization_response_iss_parameter_supported"`
}

func (p *Provider) discovery() ([]byte, error) {
	at := func(path string) string { return p.opts.Issuer + path }
	confidential := []string{authBasic, authPost}
	claims := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"}
	for _, s := range claimScopes() {
		claims = append(claims, s.claims...)
	}
	return json.MarshalIndent(metadata{
		Issuer: p.opts.Issuer, Authorization: at(pathAuthorize), Token: at(pathToken), Userinfo: at(pathUserinfo), JWKS: at(pathJWKS),
		EndSession: at(p.opts.EndSessionPath), Introspection: at(pathIntrospect), Revocation: at(pathRevoke),
		Scopes:        append(identity.OpenIDScopes(), identity.APIScopes()...),
		ResponseTypes: []string{"code"}, ResponseModes: []string{"query"},
		GrantTypes: []string{grantCode, grantRefresh, grantClient},
		ACRs:       identity.ACRs(), SubjectTypes: []string{"pairwise"},
		IDTokenAlgs: []string{string(hsm.ES256), string(hsm.RS256)},
		AuthMethods: append(confidential, authNone), IntrospectAuthMethods: confidential, RevokeAuthMethods: append(confidential, authNone),
		Displays: []string{"page", "popup"}, ClaimTypes: []string{"normal"}, Claims: claims,
		Locales: []string{"zh-CN", "en"}, Prompts: []string{"none", "login", "consent", "select_account"},
		ClaimsParameter: true, PKCEMethods: []string{"S256"}, IssInResponse: true,
	}, "", "  ")
}

// static serves bytes that change only with the process, to anybody, from any page's script too.
func static(body []byte) http.Handler {
	sum := sha256.Sum256(body)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Etag", etag)
		h.Set("Cache-Control", "public, max-age=300")
		h.Set("Access-Control-Allow-Origin", "*")
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", "application/json")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodHead {
			return
		}
		_, _ = w.Write(body) // when it fails the reader has gone
	})
}
