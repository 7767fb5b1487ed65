package oauth

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ory/fosite"

	"github.com/yinxin-trust/yinxin/identity"
)

// detail is what a grant's row keeps beside its columns, as JSON: IDs and protocol values, nothing personal. A version
// that reads it refuses one that it does not know.
type detail struct {
	Version     int      `json:"v"`
	Sub         string   `json:"sub"`
	AuthTime    int64    `json:"auth_time"`
	AMR         []string `json:"amr"`
	ACR         string   `json:"acr"`
	RedirectURI string   `json:"redirect_uri,omitempty"` // as the request had it
	Nonce       string   `json:"nonce,omitempty"`
	Challenge   string   `json:"code_challenge,omitempty"`
	Claims      []string `json:"claims,omitempty"` // asked for by name, for userinfo
}

const detailVersion = 1

func parseDetail(b []byte) (detail, error) {
	var d detail
	if err := json.Unmarshal(b, &d); err != nil {
		return detail{}, fmt.Errorf("grant detail: %w", err)
	}
	if d.Version != detailVersion {
		return detail{}, fmt.Errorf("grant detail has version %d", d.Version)
	}
	return d, nil
}

// session is what fosite carries between its handlers: nothing, because the row of the grant says everything. When
// something ends is decided by the rows too, so what fosite computes with the machine's clock is not kept.
type session struct {
	account string
	expires map[fosite.TokenType]time.Time
}

var _ fosite.Session = (*session)(nil)

func (s *session) SetExpiresAt(key fosite.TokenType, at time.Time) {
	if s.expires == nil {
		s.expires = make(map[fosite.TokenType]time.Time)
	}
	s.expires[key] = at
}
func (s *session) GetExpiresAt(key fosite.TokenType) time.Time { return s.expires[key] }
func (s *session) GetUsername() string                         { return "" }
func (s *session) GetSubject() string                          { return s.account }
func (s *session) Clone() fosite.Session                       { return &session{account: s.account} }

// issuing is a grant that is being made; it travels in the context through fosite to the storage.
type issuing struct {
	grant       identity.GrantRow
	interaction *identity.Key
	consent     *identity.ConsentRow
	stored      bool
}

// redemption is one token request; it travels in the context through fosite to strategies and storage.
type redemption struct {
	now    time.Time
	client *client
	tx     identity.GrantTx // nil outside a transaction
	seed   seed
	row    *identity.GrantRow // locked, as it was read
	detail detail
	grace  bool // the previous refresh token, shortly after its rotation
	narrow []string
	access identity.AccessRow
	err    error // says more than what fosite makes of it
}

type (
	issuingKey    struct{}
	redemptionKey struct{}
)
