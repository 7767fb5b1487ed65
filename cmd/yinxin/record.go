package main

import (
	"encoding/json"
	"path/filepath"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/sample"
)

// record is demo.json: how to drive a running demonstration from outside.
type record struct {
	BaseURL    string          `json:"base_url"`
	Issuer     string          `json:"issuer"`
	Accounts   []recordAccount `json:"accounts"`   // the first is a citizen with a password
	Clients    []recordClient  `json:"clients"`    // the first has every grant and scope
	TrustList  string          `json:"trust_list"` // path of the published list, which outlives a stop; the API serves it too
	WitnessURL string          `json:"witness_url"`
}

type recordAccount struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Role     string `json:"role"`
	Office   string `json:"office,omitempty"`
}

type recordClient struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
	GrantTypes   []string `json:"grant_types"`
	Scope        string   `json:"scope"`
}

func sampleRecordAccounts() []recordAccount {
	var out []recordAccount
	for _, a := range sample.Accounts() {
		out = append(out, recordAccount{Login: a.Login, Password: a.Password, Role: a.Role, Office: a.Office})
	}
	return out
}

func (r record) write(dir string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fault.Wrap(err, fault.Internal, "demo_json", "demo.json cannot be composed")
	}
	return writeFile(filepath.Join(dir, "demo.json"), append(b, '\n'), 0o600)
}
