package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/identity/oauth"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/sample"
)

// sampleClients are the applications of the sample province. The first may do everything, so that a visitor can try every
// call with one client; a real one gets the few scopes that its matters need.
func sampleClients() []oauth.Registration {
	officeOf := func(d sample.Duty) string {
		o, ok := sample.OfficeFor(d, sample.ProvinceCell)
		if !ok {
			return ""
		}
		return o.Code
	}
	everything := append([]string{"openid", "profile", "offline_access"}, identity.APIScopes()...)
	return []oauth.Registration{
		{
			ClientID: "app-one", ClientName: "政务服务网", RedirectURIs: []string{"http://127.0.0.1:8401/callback"},
			PostLogoutRedirectURIs: []string{"http://127.0.0.1:8401/"}, GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"},
			Scope: strings.Join(everything, " "), AuthMethod: "client_secret_basic", Office: officeOf(sample.DutyData), Offices: []string{"*"},
		},
		{
			ClientID: "app-two", ClientName: "不动产登记网上大厅", RedirectURIs: []string{"http://127.0.0.1:8402/callback"},
			PostLogoutRedirectURIs: []string{"http://127.0.0.1:8402/"}, GrantTypes: []string{"authorization_code", "refresh_token"},
			Scope: "openid profile offline_access", AuthMethod: "client_secret_basic", Office: officeOf(sample.DutyLand),
		},
	}
}

// withSecrets gives each client the secret that the data folder remembers for it, or a new one.
func withSecrets(dir string, list []oauth.Registration) ([]oauth.Registration, error) {
	path := filepath.Join(dir, "clients.json")
	known := map[string]string{}
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(b, &known); err != nil {
			return nil, fault.Wrap(err, fault.Internal, "clients_file", "the secrets of the sample clients cannot be read").WithHint("remove " + path + " to make new ones")
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fault.Wrap(err, fault.Internal, "clients_file", "the secrets of the sample clients cannot be read")
	}
	fresh := false
	for i := range list {
		if known[list[i].ClientID] == "" {
			if known[list[i].ClientID], err = oauth.NewSecret(rand.Reader); err != nil {
				return nil, err
			}
			fresh = true
		}
		list[i].ClientSecret = known[list[i].ClientID]
	}
	if !fresh {
		return list, nil
	}
	if b, err = json.MarshalIndent(known, "", "  "); err != nil {
		return nil, err
	}
	return list, writeFile(path, append(b, '\n'), 0o600)
}

func recordClients(list []oauth.Registration) []recordClient {
	out := make([]recordClient, len(list))
	for i, c := range list {
		out[i] = recordClient{ClientID: c.ClientID, ClientSecret: c.ClientSecret, RedirectURIs: c.RedirectURIs, GrantTypes: c.GrantTypes, Scope: c.Scope}
	}
	return out
}
