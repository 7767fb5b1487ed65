package identity

import (
	"context"
	"time"
)

// ClientRow is a registered application (接入应用) as it is stored.
type ClientRow struct {
	ID       string
	Secrets  [][]byte // SHA-256 of each generated 256-bit secret that holds; none for a public client
	Metadata []byte   // JSON in the terms of RFC 7591
}

// ClientStore keeps registered applications.
type ClientStore interface {
	Client(ctx context.Context, id string) (ClientRow, error)
	PutClients(ctx context.Context, rows []ClientRow, at time.Time) error
}

// InteractionRow is an authorization request that waits for a person.
type InteractionRow struct {
	Key       Key
	Client    string
	Detail    []byte // JSON of identity/oauth; no personal data
	CreatedAt time.Time
	ExpiresAt time.Time
}

// ConsentRow is what a person agreed that an application may do (授权同意).
type ConsentRow struct {
	Account string
	Client  string
	Scopes  []string
	At      time.Time
}

// InteractionStore keeps waiting requests and given consents.
type InteractionStore interface {
	PutInteraction(ctx context.Context, row InteractionRow) error
	// Interaction gives a request that is neither finished nor expired.
	Interaction(ctx context.Context, key Key, now time.Time) (InteractionRow, error)
	// EndInteraction finishes a request without a grant; false when it was finished before.
	EndInteraction(ctx context.Context, key Key, at time.Time) (bool, error)
	// Consent gives the scopes agreed to, none when there was no consent.
	Consent(ctx context.Context, account, client string) ([]string, error)
}

// GrantRow is one grant (授权): the code that starts it, the session and request behind it, and the family of tokens that
// hangs on it. Ending the row ends the family.
type GrantRow struct {
	Key        Key // the digest is of a seed that only the bearer of the code or of a refresh token holds
	Client     string
	Account    string
	SID        string
	Offline    bool // outlives the session
	Scopes     []string
	Detail     []byte // JSON of identity/oauth; IDs only, no personal data
	Generation int64  // of the refresh token that is current
	CreatedAt  time.Time
	ExpiresAt  time.Time
	CodeUntil  time.Time // the code's own, shorter end
	UsedAt     time.Time // when the code was redeemed; zero: not yet
	RotatedAt  time.Time // when the current generation came about; zero: never
	EndedAt    time.Time // zero while it holds
}

// AccessRow is one access token (访问令牌). Those of a client's own have neither grant nor account.
type AccessRow struct {
	Key       Key
	Grant     Key // zero when there is none
	Client    string
	Account   string
	Scopes    []string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Access is what one look-up tells about an access token.
type Access struct {
	AccessRow
	GrantRow *GrantRow   // nil when there is none
	Person   *AccountRow // nil when there is none
}

// GrantStore keeps grants and access tokens.
type GrantStore interface {
	// PutGrant stores a grant; with an interaction it finishes that one in the same statement and stores nothing when
	// it was finished before (false). A consent given with it is added to what was agreed to.
	PutGrant(ctx context.Context, g GrantRow, interaction *Key, consent *ConsentRow) (bool, error)
	Grant(ctx context.Context, key Key) (GrantRow, error)
	EndGrant(ctx context.Context, key Key, at time.Time) error
	PutAccess(ctx context.Context, row AccessRow) error
	// Access gives a token with its grant and account. It judges neither dates nor ends.
	Access(ctx context.Context, key Key) (Access, error)
	EndAccess(ctx context.Context, key Key) error
	// Redeem runs fn in one transaction, which is committed unless fn fails.
	Redeem(ctx context.Context, fn func(tx GrantTx) error) error
}

// GrantTx is what the redemption of a code or refresh token does under the lock of its grant.
type GrantTx interface {
	// Lock reads a grant and keeps it from others until the transaction ends.
	Lock(ctx context.Context, key Key) (GrantRow, error)
	// Use marks the code as redeemed; false when it was before.
	Use(ctx context.Context, key Key, at time.Time) (bool, error)
	// Rotate makes the next generation current; false when from is not current any more.
	Rotate(ctx context.Context, key Key, from int64, at time.Time) (bool, error)
	EndGrant(ctx context.Context, key Key, at time.Time) error
	PutAccess(ctx context.Context, row AccessRow) error
}
