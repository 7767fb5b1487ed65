package pki

import (
	"encoding/pem"
	"slices"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Role is what an anchor's certificates are trusted for.
type Role string

// The roles of anchors in the trust list.
const (
	RoleSealMaker  Role = "seal_maker"  // 制章者
	RoleSealSigner Role = "seal_signer" // 签章者
	RoleTSA        Role = "tsa"         // 时间戳服务机构
)

// Anchor is an authority that is trusted by decision: a name and a key.
type Anchor struct {
	Name        string // for display
	Certificate *Certificate
	Roles       []Role
}

// May reports whether the anchor is trusted for a role.
func (a *Anchor) May(r Role) bool { return slices.Contains(a.Roles, r) }

// Trust is what chains are built against: a trust list that was opened, or plain anchors. A nil Trust knows nobody. It is
// read-only once made and safe for use by many goroutines.
type Trust struct {
	anchors       []*Anchor
	intermediates []*Certificate
	list          *List
	signed        map[[2]*Certificate]bool // pairs of an intermediate and its issuer whose signature was verified once
}

// verifyOnce remembers which issuers signed the trust's own intermediates.
func (t *Trust) verifyOnce() {
	t.signed = map[[2]*Certificate]bool{}
	issuers := append([]*Certificate(nil), t.intermediates...)
	for _, a := range t.anchors {
		issuers = append(issuers, a.Certificate)
	}
	for _, c := range t.intermediates {
		for _, issuer := range issuers {
			if sameName(issuer.RawSubject, c.RawIssuer) && c.VerifiedBy(issuer.PublicKey) {
				t.signed[[2]*Certificate{c, issuer}] = true
			}
		}
	}
}

// maxPEM bounds a file of plain anchors.
const maxPEM = 1 << 20

// TrustFromPEM makes a trust of plain anchors: every CERTIFICATE block is an anchor for every role.
func TrustFromPEM(data []byte) (*Trust, error) {
	bad := func(what string) error { return fault.New(fault.Invalid, "trust_pem_invalid", what) }
	if len(data) > maxPEM {
		return nil, fault.New(fault.TooLarge, "trust_pem_too_large", "a file of anchors is at most 1 MiB")
	}
	t := &Trust{}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, bad("a file of anchors holds certificates only")
		}
		c, err := Read(block.Bytes)
		if err != nil || c.PublicKey == nil {
			return nil, fault.Wrap(err, fault.Invalid, "trust_pem_invalid", "an anchor's certificate cannot be read")
		}
		t.anchors = append(t.anchors, &Anchor{
			Name: c.CommonName(), Certificate: c,
			Roles: []Role{RoleSealMaker, RoleSealSigner, RoleTSA},
		})
	}
	if len(t.anchors) == 0 {
		return nil, bad("there is no certificate in the file")
	}
	return t, nil
}

// Anchors are the authorities; empty for a nil Trust.
func (t *Trust) Anchors() []*Anchor {
	if t == nil {
		return nil
	}
	return t.anchors
}

// List is the trust list this trust was made of; nil for plain anchors.
func (t *Trust) List() *List {
	if t == nil {
		return nil
	}
	return t.list
}

// Policies are the list's policies, or the defaults.
func (t *Trust) Policies() Policies {
	if l := t.List(); l != nil {
		return l.Policies
	}
	return DefaultPolicies()
}
