package oauth_test

import (
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/identity/oauth"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

func TestParseClients(t *testing.T) {
	t.Parallel()
	const secret = `"client_secret":"0123456789abcdef0123456789abcdef"`
	list, err := oauth.ParseClients([]byte(`{"clients":[{"client_id":"a",` + secret + `,"redirect_uris":["https://a.example/cb"],"require_pkce":false,"contacts":["x"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if c := list[0]; c.AuthMethod != "client_secret_basic" || c.GrantTypes[0] != "authorization_code" || c.Scope != "openid profile" || c.IDTokenAlg != "ES256" || *c.RequirePKCE {
		t.Errorf("defaults: %+v", c)
	}
	for name, text := range map[string]string{
		"not JSON":             `[`,
		"something behind":     `[] []`,
		"unknown member":       `[{"client_id":"a",` + secret + `,"redirect_uris":["https://a/cb"],"dpop_bound_access_tokens":true}]`,
		"no client_id":         `[{` + secret + `,"redirect_uris":["https://a/cb"]}]`,
		"no secret":            `[{"client_id":"a","redirect_uris":["https://a/cb"]}]`,
		"short secret":         `[{"client_id":"a","client_secret":"x","redirect_uris":["https://a/cb"]}]`,
		"public with a secret": `[{"client_id":"a",` + secret + `,"token_endpoint_auth_method":"none","redirect_uris":["https://a/cb"]}]`,
		"public, no PKCE":      `[{"client_id":"a","token_endpoint_auth_method":"none","redirect_uris":["https://a/cb"],"require_pkce":false}]`,
		"public for itself":    `[{"client_id":"a","token_endpoint_auth_method":"none","grant_types":["client_credentials"]}]`,
		"public, introspect":   `[{"client_id":"a","token_endpoint_auth_method":"none","redirect_uris":["https://a/cb"],"introspect":true}]`,
		"method":               `[{"client_id":"a",` + secret + `,"token_endpoint_auth_method":"private_key_jwt","redirect_uris":["https://a/cb"]}]`,
		"grant type":           `[{"client_id":"a",` + secret + `,"grant_types":["password"]}]`,
		"scope":                `[{"client_id":"a",` + secret + `,"scope":"root","redirect_uris":["https://a/cb"]}]`,
		"algorithm":            `[{"client_id":"a",` + secret + `,"id_token_signed_response_alg":"none","redirect_uris":["https://a/cb"]}]`,
		"no address":           `[{"client_id":"a",` + secret + `}]`,
		"http":                 `[{"client_id":"a",` + secret + `,"redirect_uris":["http://a.example/cb"]}]`,
		"fragment":             `[{"client_id":"a",` + secret + `,"redirect_uris":["https://a.example/cb#x"]}]`,
		"script":               `[{"client_id":"a",` + secret + `,"redirect_uris":["javascript:alert(1)"]}]`,
		"twice":                `[{"client_id":"a",` + secret + `,"redirect_uris":["https://a/cb"]},{"client_id":"a",` + secret + `,"redirect_uris":["https://a/cb"]}]`,
	} {
		if _, err := oauth.ParseClients([]byte(text)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := oauth.ParseClients(make([]byte, 5<<20)); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("too large: %v", err)
	}
}

func FuzzParseClients(f *testing.F) {
	f.Add([]byte(`[{"client_id":"a","client_secret":"0123456789abcdef","redirect_uris":["https://a/cb"]}]`))
	f.Add([]byte(`{"clients":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := oauth.ParseClients(data)
		if err != nil {
			return
		}
		for _, c := range list {
			for _, uri := range c.RedirectURIs {
				if strings.HasPrefix(strings.ToLower(uri), "javascript:") {
					t.Errorf("accepted %q", uri)
				}
			}
		}
	})
}
