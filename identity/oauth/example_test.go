package oauth_test

import (
	"fmt"

	"github.com/yinxin-trust/yinxin/identity/oauth"
)

// Applications come from a file in the terms of RFC 7591. What a registration leaves out gets the safe default.
func ExampleParseClients() {
	list, err := oauth.ParseClients([]byte(`[{
		"client_id": "land-registry",
		"client_name": "不动产登记网上大厅",
		"client_secret": "generated-256-bits-in-base64url-1234567890A",
		"redirect_uris": ["https://land.example.gov.cn/callback"],
		"grant_types": ["authorization_code", "refresh_token"],
		"scope": "openid profile offline_access",
		"office": "11990000000000001G"
	}]`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(list[0].ClientID, list[0].AuthMethod, list[0].IDTokenAlg)
	// Output: land-registry client_secret_basic ES256
}
