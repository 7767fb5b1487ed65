package oauth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Grant types and client authentication methods that an application can register.
const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantClient  = "client_credentials"

	authBasic = "client_secret_basic"
	authPost  = "client_secret_post"
	authNone  = "none"
)

// Registration is a registered application (接入应用) in the terms of RFC 7591 and OpenID Connect RP-Initiated Logout,
// with members of ours: require_pkce, office, offices, preauthorized and introspect.
type Registration struct {
	ClientID               string   `json:"client_id"`
	ClientSecret           string   `json:"client_secret,omitempty"` // generated, 256 bits; never stored
	ClientName             string   `json:"client_name,omitempty"`
	RedirectURIs           []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes             []string `json:"grant_types,omitempty"`    // authorization_code
	ResponseTypes          []string `json:"response_types,omitempty"` // code
	Scope                  string   `json:"scope,omitempty"`          // openid profile
	AuthMethod             string   `json:"token_endpoint_auth_method,omitempty"`
	IDTokenAlg             string   `json:"id_token_signed_response_alg,omitempty"` // ES256 or RS256
	// RequirePKCE false exempts a legacy application from RFC 7636; nil is true.
	RequirePKCE *bool `json:"require_pkce,omitempty"`
	// Office is the department (USCC) that the application belongs to: it acts for it, and all applications of one
	// department know a person by the same sub.
	Office string `json:"office,omitempty"`
	// Offices are further departments it may act for; "*" means all (sample data only).
	Offices []string `json:"offices,omitempty"`
	// Preauthorized lets people in without a consent page: for a department's own systems, whose legal basis is not
	// consent.
	Preauthorized bool `json:"preauthorized,omitempty"`
	// Introspect makes it a resource server (资源服务器), which may ask about the access tokens of all applications; any
	// other learns about its own only.
	Introspect bool `json:"introspect,omitempty"`

	// For people; kept, not used.
	ClientURI string   `json:"client_uri,omitempty"`
	LogoURI   string   `json:"logo_uri,omitempty"`
	PolicyURI string   `json:"policy_uri,omitempty"`
	TosURI    string   `json:"tos_uri,omitempty"`
	Contacts  []string `json:"contacts,omitempty"`
}

const (
	maxClientID   = 128
	minSecret     = 16
	maxSecret     = 256
	maxURIs       = 32
	maxURI        = 1024
	maxClientFile = 4 << 20
)

// NewSecret draws a client secret of 256 bits.
func NewSecret(rand io.Reader) (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// ParseClients reads applications from JSON: an array of registrations, or an object whose member clients is one. A
// member that it does not know is an error, because what a registration asks for and does not get is a hole.
func ParseClients(data []byte) ([]Registration, error) {
	if len(data) > maxClientFile {
		return nil, fault.New(fault.TooLarge, "clients_too_large", fmt.Sprintf("the list of applications has more than %d bytes", maxClientFile))
	}
	var list []Registration
	target := any(&list)
	var object struct {
		Clients []Registration `json:"clients"`
	}
	if first := bytes.TrimLeft(data, " \t\r\n"); len(first) > 0 && first[0] == '{' {
		target = &object
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(target); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "clients_malformed", "the list of applications cannot be read").
			WithHint("it is a JSON array in the terms of RFC 7591; members that are not supported must be left out")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fault.New(fault.Invalid, "clients_malformed", "something stands behind the list of applications")
	}
	if target == any(&object) {
		list = object.Clients
	}
	seen := map[string]bool{}
	for i := range list {
		if err := list[i].check(); err != nil {
			return nil, err
		}
		if seen[list[i].ClientID] {
			return nil, list[i].wrong("is listed twice")
		}
		seen[list[i].ClientID] = true
	}
	return list, nil
}

// Register enters applications or replaces their registrations. Secrets that a registration does not repeat end.
func (p *Provider) Register(ctx context.Context, list []Registration) error {
	rows := make([]identity.ClientRow, len(list))
	for i, r := range list {
		r = r.clone()
		if err := r.check(); err != nil {
			return err
		}
		row := identity.ClientRow{ID: r.ClientID}
		if r.ClientSecret != "" {
			sum := sha256.Sum256([]byte(r.ClientSecret))
			row.Secrets = [][]byte{sum[:]}
		}
		r.ClientSecret = ""
		var err error
		if row.Metadata, err = json.Marshal(r); err != nil {
			return fmt.Errorf("oauth: registration: %w", err)
		}
		rows[i] = row
	}
	if err := p.opts.Store.PutClients(ctx, rows, p.opts.Now()); err != nil {
		return err
	}
	p.clients.forget()
	return nil
}

func fromRow(row identity.ClientRow) (*client, error) {
	c := &client{secrets: row.Secrets}
	if err := json.Unmarshal(row.Metadata, &c.Registration); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "client_damaged", "the registration of an application is damaged")
	}
	c.ClientID = row.ID
	return c, nil
}

func (r Registration) clone() Registration {
	for _, list := range []*[]string{&r.RedirectURIs, &r.PostLogoutRedirectURIs, &r.GrantTypes, &r.ResponseTypes, &r.Offices, &r.Contacts} {
		*list = slices.Clone(*list)
	}
	return r
}

func (r *Registration) wrong(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "client_registration", fmt.Sprintf("application %q "+format, append([]any{r.ClientID}, args...)...))
}

// check sets the defaults of RFC 7591 §2 and refuses what this version does not do.
func (r *Registration) check() error {
	if r.ClientID == "" || len(r.ClientID) > maxClientID || strings.ContainsFunc(r.ClientID, func(c rune) bool { return c < 0x21 || c > 0x7e }) {
		return r.wrong("needs a client_id of 1 to %d visible ASCII characters", maxClientID)
	}
	if r.ClientName == "" {
		r.ClientName = r.ClientID
	}
	if len(r.GrantTypes) == 0 {
		r.GrantTypes = []string{grantCode}
	}
	if r.AuthMethod == "" {
		r.AuthMethod = authBasic
	}
	if r.Scope == "" {
		r.Scope = identity.ScopeOpenID + " " + identity.ScopeProfile
	}
	if r.IDTokenAlg == "" {
		r.IDTokenAlg = string(hsm.ES256)
	}
	if len(r.ResponseTypes) == 0 {
		r.ResponseTypes = []string{"code"}
	}
	known := append(identity.OpenIDScopes(), identity.APIScopes()...)
	for _, set := range []struct {
		name      string
		have, may []string
	}{
		{"grant_types", r.GrantTypes, []string{grantCode, grantRefresh, grantClient}},
		{"response_types", r.ResponseTypes, []string{"code"}},
		{"token_endpoint_auth_method", []string{r.AuthMethod}, []string{authBasic, authPost, authNone}},
		{"id_token_signed_response_alg", []string{r.IDTokenAlg}, []string{string(hsm.ES256), string(hsm.RS256)}},
		{"scope", strings.Fields(r.Scope), known},
	} {
		for _, v := range set.have {
			if !slices.Contains(set.may, v) {
				return r.wrong("asks for %s %q", set.name, v).WithHint("one of " + strings.Join(set.may, ", "))
			}
		}
	}
	return r.checkSecretAndAddresses()
}

func (r *Registration) checkSecretAndAddresses() error {
	public := r.AuthMethod == authNone
	switch {
	case public && r.ClientSecret != "":
		return r.wrong("has a secret and the authentication method none")
	case public && slices.Contains(r.GrantTypes, grantClient):
		return r.wrong("is public, so it has no credentials for client_credentials")
	case public && r.RequirePKCE != nil && !*r.RequirePKCE:
		return r.wrong("is public, so it needs PKCE")
	case public && r.Introspect:
		return r.wrong("is public, so it has no credentials for introspection")
	case !public && (len(r.ClientSecret) < minSecret || len(r.ClientSecret) > maxSecret):
		return r.wrong("needs a client_secret of %d to %d characters", minSecret, maxSecret).WithHint("generate 256 random bits")
	case slices.Contains(r.GrantTypes, grantCode) && len(r.RedirectURIs) == 0:
		return r.wrong("needs redirect_uris")
	case len(r.RedirectURIs) > maxURIs || len(r.PostLogoutRedirectURIs) > maxURIs || len(r.Offices) > 1000:
		return r.wrong("has too many addresses")
	}
	for _, uri := range append(slices.Clone(r.RedirectURIs), r.PostLogoutRedirectURIs...) {
		if !goodRedirect(uri, public) {
			return r.wrong("has an address that is not safe to redirect to").
				WithHint("https without a fragment; http only for this machine; a scheme with a dot for a native application")
		}
	}
	return nil
}

// goodRedirect reports whether a browser may be sent to an address (RFC 9700 §4.1, RFC 8252 §7).
func goodRedirect(uri string, native bool) bool {
	u, err := url.Parse(uri)
	if err != nil || len(uri) > maxURI || strings.Contains(uri, "#") || u.User != nil {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Host != ""
	case "http":
		h := u.Hostname()
		ip := net.ParseIP(h)
		return h == "localhost" || strings.HasSuffix(h, ".localhost") || ip != nil && ip.IsLoopback()
	}
	return native && strings.Contains(u.Scheme, ".")
}
