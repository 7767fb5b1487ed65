package gm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

// Certificate is an X.509 certificate whose key may be SM2, RSA or ECDSA.
type Certificate = smx509.Certificate

// ParseCertificate reads one DER certificate strictly; seal/pki reads what the field gets wrong.
func ParseCertificate(der []byte) (*Certificate, error) { return smx509.ParseCertificate(der) }

// CreateCertificate signs template with the parent's key. key is a crypto.Signer such as NewSigner gives.
func CreateCertificate(rand io.Reader, template, parent *x509.Certificate, pub any, key crypto.Signer) ([]byte, error) {
	return smx509.CreateCertificate(rand, template, parent, pub, key)
}

// MarshalPKIXPublicKey is the DER SubjectPublicKeyInfo of an SM2, RSA or ECDSA key.
func MarshalPKIXPublicKey(pub any) ([]byte, error) { return smx509.MarshalPKIXPublicKey(pub) }

// ParsePKIXPublicKey reads a DER SubjectPublicKeyInfo.
func ParsePKIXPublicKey(der []byte) (any, error) { return smx509.ParsePKIXPublicKey(der) }

// Signer makes a crypto.Signer, which certificate builders want, of a key that signs digests only. The library hands an
// SM2 signer the raw message with an SM2SignerOption and any other digest as it is.
type Signer struct {
	pub  *ecdsa.PublicKey
	sign func(Digest) ([]byte, error)
}

// NewSigner wraps the public key and the digest signer of one SM2 key.
func NewSigner(pub *ecdsa.PublicKey, sign func(Digest) ([]byte, error)) *Signer {
	return &Signer{pub: pub, sign: sign}
}

// Public is the SM2 public key.
func (s *Signer) Public() crypto.PublicKey { return s.pub }

// Sign signs a message (opts is the SM2 option) or a 32-byte digest (any other opts).
func (s *Signer) Sign(_ io.Reader, in []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, ok := opts.(*sm2.SM2SignerOption); ok {
		e, err := SignatureDigest(s.pub, in)
		if err != nil {
			return nil, err
		}
		return s.sign(e)
	}
	if len(in) != 32 {
		return nil, errors.New("gm: an SM2 key signs 32-byte digests")
	}
	return s.sign(Digest(in))
}
