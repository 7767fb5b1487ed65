package ledgertest

import (
	"context"
	"crypto"
	"crypto/rand"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/ledger"
)

// Signer is an SM2 key in memory that fits ledger.Signer.
type Signer struct{ key *gm.PrivateKey }

// NewSigner makes a fresh key.
func NewSigner(t Reporter) *Signer {
	t.Helper()
	key, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatalf("key: %v", err)
	}
	return &Signer{key: key}
}

// ParseSigner makes the key of a 32-byte scalar, so that a second process can hold the same one.
func ParseSigner(t Reporter, scalar []byte) *Signer {
	t.Helper()
	key, err := gm.ParsePrivateKey(scalar)
	if err != nil {
		t.Fatalf("key: %v", err)
	}
	return &Signer{key: key}
}

// Scalar is the private key's 32 bytes.
func (s *Signer) Scalar() []byte { return gm.MarshalPrivateKey(s.key) }

// Public is the SM2 public key.
func (s *Signer) Public() crypto.PublicKey { return &s.key.PublicKey }

// SignDigest signs e as it is.
func (s *Signer) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return gm.SignDigest(rand.Reader, s.key, e)
}

// LogKey is the public key under which a log of that origin signs.
func (s *Signer) LogKey(origin string) ledger.Key {
	return ledger.Key{Type: ledger.LogKey, Name: origin, Public: &s.key.PublicKey}
}

// WitnessKey is the public key under which a witness of that name cosigns.
func (s *Signer) WitnessKey(name string) ledger.Key {
	return ledger.Key{Type: ledger.WitnessKey, Name: name, Public: &s.key.PublicKey}
}
