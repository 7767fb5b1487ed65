// Package sealtest gives tests what the seal packages are judged with: keys in memory, a small public-key
// infrastructure, forged seals, signatures, signed data and time stamps of every generation, a store in memory, and the
// suite that every store must pass.
package sealtest

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/pem"
	"io"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// Key is an SM2 key in memory.
type Key struct{ Private *gm.PrivateKey }

// NewKey makes a key.
func NewKey(t testing.TB) *Key {
	t.Helper()
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Key{k}
}

// Public is the public key.
func (k *Key) Public() crypto.PublicKey { return k.SM2() }

// SM2 is the public key by its type.
func (k *Key) SM2() *gm.PublicKey { return &k.Private.PublicKey }

// SignDigest signs e.
func (k *Key) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return gm.SignDigest(rand.Reader, k.Private, e)
}

// Day is the length of certificates' lives.
const Day = 24 * time.Hour

// Now is the time at which the test's infrastructure was made.
func Now() time.Time { return time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC) }

// PKI is a root, an issuing authority, a seal maker, a signer and a time-stamping authority, all made at Now and good
// for a year (the authorities for ten).
type PKI struct {
	Root, CA            *pki.Authority
	Maker, Signer, TSA  *Key
	MakerCert, TSACert  []byte
	SignerCert, Cipher  []byte // Cipher: the signer's key certified for encryption only
	rootCert, issueCert []byte
}

// New makes a PKI.
func New(t testing.TB) *PKI {
	t.Helper()
	ctx := context.Background()
	must := func(der []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	rootKey, caKey := NewKey(t), NewKey(t)
	p := &PKI{Maker: NewKey(t), Signer: NewKey(t), TSA: NewKey(t)}
	var err error
	p.Root, err = pki.NewRoot(ctx, pki.Subject{CommonName: "测试根"}, rootKey, 3650*Day, Now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p.rootCert = p.Root.Certificate().Raw
	p.issueCert = must(p.Root.IssueAuthority(ctx, pki.Subject{CommonName: "测试签发机构"}, caKey.SM2(), 3650*Day))
	if p.CA, err = pki.OpenAuthority(p.issueCert, caKey, Now, rand.Reader); err != nil {
		t.Fatal(err)
	}
	p.MakerCert = must(p.CA.IssueSigning(ctx, pki.Subject{CommonName: "测试电子印章制作系统"}, p.Maker.SM2(), 365*Day))
	p.SignerCert = must(p.CA.IssueSigning(ctx, pki.Subject{CommonName: "测试局", Organization: "测试局"}, p.Signer.SM2(), 365*Day))
	p.Cipher = must(p.CA.IssueEncryption(ctx, pki.Subject{CommonName: "测试局"}, p.Signer.SM2(), 365*Day))
	p.TSACert = must(p.CA.IssueTimeStamping(ctx, pki.Subject{CommonName: "测试时间戳"}, p.TSA.SM2(), 365*Day))
	return p
}

// List is a trust list with the root for every role and the issuing authority as an intermediate.
func (p *PKI) List() *pki.List {
	return &pki.List{
		Version: 1, IssuedAt: Now(), NextUpdate: Now().Add(30 * Day),
		Anchors: []pki.ListAnchor{{
			Name: "测试根", Certificate: p.rootCert,
			Roles: []pki.Role{pki.RoleSealMaker, pki.RoleSealSigner, pki.RoleTSA},
		}},
		Intermediates: [][]byte{p.issueCert},
		Ledger:        pki.LedgerTrust{Origin: "test.example/log", LogKeys: []pki.NamedKey{}, Witnesses: []pki.NamedKey{}},
		Issuers:       []pki.Issuer{},
		Hosts:         []string{"yz.example"},
		Policies:      pki.DefaultPolicies(),
	}
}

// Trust is the prepared List.
func (p *PKI) Trust(t testing.TB) *pki.Trust {
	t.Helper()
	trust, err := p.List().Trust()
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// PEM is the issuing authority and the root as plain anchors.
func (p *PKI) PEM() []byte {
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.issueCert})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.rootCert})...)
}

// Issuer is the issuing authority's certificate.
func (p *PKI) Issuer() []byte { return p.issueCert }

// Seal is a good V4 seal of the signer, made by the package itself.
func (p *PKI) Seal(t testing.TB, id string) []byte {
	t.Helper()
	der, err := seal.Make(context.Background(), seal.Info{
		ID: id, Vendor: "yinxin", Type: 1, Name: "测试局", Signers: [][]byte{p.SignerCert},
		CreatedAt: Now(), ValidStart: Now(), ValidEnd: Now().Add(300 * Day),
		Picture: seal.Picture{Type: "PNG", Data: []byte("\x89PNG test"), Width: 42, Height: 42},
	}, p.MakerCert, p.Maker)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Row is an active seal's row.
func (p *PKI) Row(t testing.TB, cell uint16, id string) seal.Row {
	t.Helper()
	return seal.Row{
		ID: id, Cell: cell, Office: "12990000MB0000000X", Name: "测试局", State: seal.StateActive, Since: Now(),
		KeyRef: "seal/" + id, DER: p.Seal(t, id), SignerCert: p.SignerCert, MakerCert: p.MakerCert, CreatedAt: Now(),
	}
}

// Keys gives the signer's key for every name.
func (p *PKI) Keys() seal.KeySource {
	return seal.KeySourceFunc(func(context.Context, string) (seal.DigestSigner, error) { return p.Signer, nil })
}

// Random is the machine's randomness.
func Random() io.Reader { return rand.Reader }
