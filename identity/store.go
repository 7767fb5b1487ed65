package identity

import (
	"context"
	"time"
)

// Kind of a factor (鉴别因子).
type FactorKind string

// The kinds of factors. Each person may have several, of the kinds that the deployment offers.
const (
	FactorPassword FactorKind = "password"
	FactorPasskey  FactorKind = "passkey"
)

// Factor is one thing by which an account proves itself, as it is stored. What Params and Secret mean is the kind's own
// business: for a password the parameters of argon2id with the salt, and the peppered tag.
type Factor struct {
	Account   string
	ID        []byte // "password", or a credential ID
	Kind      FactorKind
	Params    string
	Secret    []byte
	CreatedAt time.Time
}

// AccountRow is an account as it is stored: what is personal is sealed in Profile.
type AccountRow struct {
	ID         string
	Roles      []string
	Office     string
	OfficeName string
	Level      int
	Profile    []byte
	CreatedAt  time.Time
}

// LoginRow leads from a login's blind index to its account.
type LoginRow struct {
	Index   []byte
	Account string
}

// SubjectRow leads from the blind index of a subject's number to an account that may use it.
type SubjectRow struct {
	Index    []byte
	Account  string
	Relation string
}

// AccountRecord is everything that is stored for a new account.
type AccountRecord struct {
	Login    LoginRow
	Account  AccountRow
	Factors  []Factor
	Subjects []SubjectRow
}

// SessionRow is a session as it is stored: the browser holds the token, the row its digest.
type SessionRow struct {
	Key       Key
	SID       string
	Account   string
	AuthTime  time.Time
	AMR       []string
	ACR       string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Store keeps accounts, factors and sessions. An unknown or ended thing is a fault of kind NotFound.
type Store interface {
	// Logins gives the accounts of those blind indexes that exist.
	Logins(ctx context.Context, indexes [][]byte) (map[string]AccountRow, error) // by string(index)
	// CreateAccounts stores those records whose login is not taken, each whole or not at all, and says which.
	CreateAccounts(ctx context.Context, records []AccountRecord) (created []bool, err error)
	// Login gives the account behind a login with its factor of one kind (nil when it has none), in one look-up.
	Login(ctx context.Context, index []byte, kind FactorKind) (AccountRow, *Factor, error)
	// StartSession stores a session and ends the one it replaces, in one statement. When that one was live and of the
	// same account, its SID goes on, so that applications notice nothing; when it was another's, its applications lose
	// what is bound to it. It gives the SID that holds.
	StartSession(ctx context.Context, s SessionRow, replaces *Key) (sid string, err error)
	// Session gives a live session and its account.
	Session(ctx context.Context, key Key, now time.Time) (SessionRow, AccountRow, error)
	// EndSession ends a session and every grant of it that does not outlive it.
	EndSession(ctx context.Context, key Key, at time.Time) error
	// EndSessions ends all sessions of a SID the same way.
	EndSessions(ctx context.Context, sid string, at time.Time) error
}
