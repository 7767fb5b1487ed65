// Package identity says who acts, for whom, and how strongly that was proved: accounts, passwords, browser sessions,
// roles and mandates. It never reads a license's face.
package identity

import "time"

// Role is what an account may do in an office (岗位角色).
type Role string

// The roles. A citizen has none of an office; the others belong to the account's office.
const (
	Citizen  Role = "citizen"
	Clerk    Role = "clerk"    // 窗口人员: verifies
	Officer  Role = "officer"  // 发证人员: issues and revokes
	Operator Role = "operator" // runs the service
)

// Subject is an identity that an account may use: the person's own, an enterprise it represents, a child it guards.
type Subject struct {
	Type     string // 持证主体代码类型: "111", "001", …
	Code     string
	Name     string
	Relation string // "self", "representative", "guardian"
}

// Account is one person's account with everything opened.
type Account struct {
	ID         string // 32 hex digits, random
	Login      string
	Roles      []Role
	Office     string // USCC of the office, for officials
	OfficeName string
	Level      int // 实名等级, 2 to 5
	Name       string
	Subjects   []Subject
	Phone      string
	Claims     Claims // what an application may be told about the person
}

// Has reports whether the account holds a role.
func (a *Account) Has(r Role) bool {
	for _, have := range a.Roles {
		if have == r {
			return true
		}
	}
	return false
}

// Session is one browser session (会话), shared by every application that signs in through it.
type Session struct {
	SID      string // 32 hex digits, stands in ID tokens
	Account  string
	AuthTime time.Time
	AMR      []string // RFC 8176: "pwd", later "hwk", "otp"
	ACR      string   // computed from how the session came about, never from a request
	Expires  time.Time
}

// SignIn is a try to sign in with a password.
type SignIn struct {
	Login    string
	Password string
	Address  string // of the client, for limits; never stored in plain
	Replaces string // token of the session the browser had before, to be ended
}

// Principal is who makes a request: a signed-in person or a client, with what it may do.
type Principal struct {
	Account *Account // nil for a client
	Client  string   // client ID when a token was used
	Office  string   // USCC of the office that the client or the person acts for
	Offices []string // further offices that the client is registered for; "*" means all (sample data only)
	Scopes  []string // of the token; a signed-in person on our own pages has those of its roles
	Session *Session // nil for a client
}

// Can reports whether the principal holds a scope.
func (p *Principal) Can(scope string) bool {
	for _, s := range p.Scopes {
		if s == scope {
			return true
		}
	}
	return false
}

// Scopes of the API. OIDC's own (openid, profile, offline_access, …) stand beside them.
const (
	ScopeIssue   = "license.issue"
	ScopeRead    = "license.read" // read, list by holder, fetch OFD and proof
	ScopeRevoke  = "license.revoke"
	ScopePresent = "license.present" // mint codes for a holder
	ScopeVerify  = "verify"          // consume codes
)
