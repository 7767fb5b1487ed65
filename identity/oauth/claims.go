package oauth

import (
	"encoding/json"
	"slices"

	"github.com/yinxin-trust/yinxin/identity"
)

// scopeClaims is the claims that one scope opens (OpenID Connect Core 1.0 §5.4).
type scopeClaims struct {
	scope  string
	claims []string
}

func claimScopes() []scopeClaims {
	return []scopeClaims{
		{identity.ScopeProfile, []string{
			"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website",
			"gender", "birthdate", "zoneinfo", "locale", "updated_at",
		}},
		{identity.ScopeEmail, []string{"email", "email_verified"}},
		{identity.ScopeAddress, []string{"address"}},
		{identity.ScopePhone, []string{"phone_number", "phone_number_verified"}},
	}
}

// personClaims is what an application may know of a person by its scopes and the names it asked for.
func personClaims(a *identity.Account, scopes, names []string) (map[string]any, error) {
	all := map[string]any{}
	body, err := json.Marshal(a.Claims)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, err
	}
	if a.Name != "" {
		all["name"] = a.Name
	}
	if _, ok := all["phone_number"]; !ok && a.Phone != "" {
		all["phone_number"] = a.Phone
	}
	for verified, of := range map[string]string{"email_verified": "email", "phone_number_verified": "phone_number"} {
		if _, ok := all[of]; ok && all[verified] == nil {
			all[verified] = false
		}
	}
	if a.Claims.UpdatedAt != 0 {
		all["updated_at"] = a.Claims.UpdatedAt // a whole number, not what JSON made of it
	}
	out := map[string]any{}
	for _, s := range claimScopes() {
		for _, name := range s.claims {
			if v, ok := all[name]; ok && (slices.Contains(scopes, s.scope) || slices.Contains(names, name)) {
				out[name] = v
			}
		}
	}
	return out, nil
}
