package identity_test

import (
	"fmt"

	"github.com/yinxin-trust/yinxin/identity"
)

// An officer's account opens the API for issuing, but not for showing licenses, which are not the officer's.
func ExampleAccount_Scopes() {
	officer := identity.Account{Roles: []identity.Role{identity.Officer}}
	fmt.Println(officer.Scopes())
	fmt.Println(identity.ACR(4, []string{identity.AMRPassword}))
	// Output:
	// [license.read verify license.issue license.revoke]
	// urn:yinxin:acr:ial4:aal1
}
