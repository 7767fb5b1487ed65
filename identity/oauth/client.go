package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// client is a registered application as fosite sees it. It is shared between requests and never changed.
type client struct {
	Registration
	secrets [][]byte
}

var (
	_ fosite.OpenIDConnectClient      = (*client)(nil)
	_ fosite.ClientWithSecretRotation = (*client)(nil)
	_ fosite.ResponseModeClient       = (*client)(nil)
)

func (c *client) GetID() string { return c.ClientID }

func (c *client) GetHashedSecret() []byte {
	if len(c.secrets) == 0 {
		return nil
	}
	return c.secrets[0]
}

func (c *client) GetRotatedHashes() [][]byte {
	if len(c.secrets) == 0 {
		return nil
	}
	return c.secrets[1:]
}

func (c *client) GetRedirectURIs() []string                { return c.RedirectURIs }
func (c *client) GetGrantTypes() fosite.Arguments          { return c.GrantTypes }
func (c *client) GetResponseTypes() fosite.Arguments       { return fosite.Arguments{"code"} }
func (c *client) GetScopes() fosite.Arguments              { return strings.Fields(c.Scope) }
func (c *client) IsPublic() bool                           { return c.AuthMethod == authNone }
func (c *client) GetAudience() fosite.Arguments            { return nil }
func (c *client) GetRequestURIs() []string                 { return nil }
func (c *client) GetJSONWebKeys() *jose.JSONWebKeySet      { return nil }
func (c *client) GetJSONWebKeysURI() string                { return "" }
func (c *client) GetRequestObjectSigningAlgorithm() string { return "" }
func (c *client) GetTokenEndpointAuthMethod() string       { return c.AuthMethod }
func (c *client) GetTokenEndpointAuthSigningAlgorithm() string {
	return ""
}

func (c *client) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeQuery}
}

// may reports whether the client registered a grant type.
func (c *client) may(grant string) bool { return slices.Contains(c.GrantTypes, grant) }

// sector is within whom a person has one sub: the client's office when it has one, else the host it redirects to.
func (c *client) sector() string {
	if c.Office != "" {
		return "office:" + c.Office
	}
	if len(c.RedirectURIs) > 0 {
		if u, err := url.Parse(c.RedirectURIs[0]); err == nil && u.Host != "" {
			return "host:" + u.Hostname()
		}
	}
	return "client:" + c.ClientID
}

// secretHasher compares client secrets. They are generated and hold 256 bits, so one SHA-256 is enough.
type secretHasher struct{}

// Compare implements fosite.Hasher.
func (secretHasher) Compare(_ context.Context, hash, data []byte) error {
	sum := sha256.Sum256(data)
	if len(hash) != len(sum) || subtle.ConstantTimeCompare(hash, sum[:]) != 1 {
		return errors.New("secret differs")
	}
	return nil
}

// Hash implements fosite.Hasher.
func (secretHasher) Hash(_ context.Context, data []byte) ([]byte, error) {
	sum := sha256.Sum256(data)
	return sum[:], nil
}

// clients remembers registered applications for a while: every request needs one, and they hardly change.
type clients struct {
	store identity.ClientStore
	now   func() time.Time
	ttl   time.Duration
	mu    sync.RWMutex
	known map[string]remembered
}

type remembered struct {
	client *client
	until  time.Time
}

// maxClients bounds the memory; when it is full everything is forgotten and read again.
const maxClients = 10_000

func newClients(store identity.ClientStore, now func() time.Time, ttl time.Duration) *clients {
	return &clients{store: store, now: now, ttl: ttl, known: make(map[string]remembered)}
}

// get gives a client, or a fault of kind NotFound.
func (c *clients) get(ctx context.Context, id string) (*client, error) {
	if id == "" || len(id) > maxClientID || !utf8.ValidString(id) || strings.ContainsRune(id, 0) {
		return nil, fault.New(fault.NotFound, "client_unknown", "there is no such application")
	}
	now := c.now()
	c.mu.RLock()
	r, ok := c.known[id]
	c.mu.RUnlock()
	if ok && now.Before(r.until) {
		return r.client, nil
	}
	row, err := c.store.Client(ctx, id)
	if err != nil {
		return nil, err
	}
	made, err := fromRow(row)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxClients {
		clear(c.known)
	}
	c.known[id] = remembered{client: made, until: now.Add(c.ttl)}
	return made, nil
}

func (c *clients) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.known)
}
