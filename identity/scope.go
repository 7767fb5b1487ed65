package identity

import "slices"

// Scopes of OpenID Connect Core 1.0 §5.4 and §11, beside those of the API.
const (
	ScopeOpenID  = "openid"
	ScopeProfile = "profile"
	ScopeEmail   = "email"
	ScopeAddress = "address"
	ScopePhone   = "phone"
	ScopeOffline = "offline_access"
)

// APIScopes lists the scopes of the API in the order of the consent page.
func APIScopes() []string {
	return []string{ScopeRead, ScopePresent, ScopeVerify, ScopeIssue, ScopeRevoke}
}

// OpenIDScopes lists the scopes that OpenID Connect defines.
func OpenIDScopes() []string {
	return []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeAddress, ScopePhone, ScopeOffline}
}

// IsAPIScope reports whether a scope opens the API, which no one gets without the role for it.
func IsAPIScope(scope string) bool { return slices.Contains(APIScopes(), scope) }

// Scopes gives what the roles (岗位角色) of the account open: on our own pages all of it, through an application at
// most what was consented to.
func (a *Account) Scopes() []string {
	var out []string
	for _, scope := range APIScopes() {
		if slices.ContainsFunc(a.Roles, func(r Role) bool { return slices.Contains(r.scopes(), scope) }) {
			out = append(out, scope)
		}
	}
	return out
}

func (r Role) scopes() []string {
	switch r {
	case Citizen:
		return []string{ScopeRead, ScopePresent}
	case Clerk:
		return []string{ScopeVerify}
	case Officer:
		return []string{ScopeIssue, ScopeRead, ScopeRevoke, ScopeVerify}
	case Operator:
		return nil // runs the service; sees no license
	}
	return nil
}

// valid reports whether r is one of the roles.
func (r Role) valid() bool {
	switch r {
	case Citizen, Clerk, Officer, Operator:
		return true
	}
	return false
}
