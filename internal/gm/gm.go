// Package gm is the only place that touches the SM2, SM3 and SM4 library: digests, signatures over a digest, sealed
// bytes, keyed digests, keys and certificates. Everything else names operations, not primitives.
package gm

import (
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hmac"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

// DefaultUserID is the user ID of GB/T 32918 signatures whenever a standard names no other (GB/T 35276).
const DefaultUserID = "1234567812345678"

// Digest is an SM3 value (GB/T 32905).
type Digest = [32]byte

// SM3 is the digest of the parts one after another.
func SM3(parts ...[]byte) Digest {
	if len(parts) == 1 {
		return sm3.Sum(parts[0])
	}
	h := sm3.New()
	for _, p := range parts {
		h.Write(p)
	}
	var d Digest
	h.Sum(d[:0])
	return d
}

// NewSM3 is a running SM3.
func NewSM3() hash.Hash { return sm3.New() }

// MAC is HMAC-SM3 (GB/T 15852.2) over the parts one after another.
func MAC(key []byte, parts ...[]byte) Digest {
	h := hmac.New(sm3.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	var d Digest
	h.Sum(d[:0])
	return d
}

// PrivateKey is an SM2 private key. Only hsm/soft, tests and tools hold one.
type PrivateKey = sm2.PrivateKey

// PublicKey is an SM2 public key: an ecdsa.PublicKey on the curve sm2p256v1.
type PublicKey = ecdsa.PublicKey

// GenerateKey makes an SM2 key pair.
func GenerateKey(rand io.Reader) (*PrivateKey, error) { return sm2.GenerateKey(rand) }

// ParsePrivateKey reads the 32-byte big-endian scalar that MarshalPrivateKey writes.
func ParsePrivateKey(d []byte) (*PrivateKey, error) { return sm2.NewPrivateKey(d) }

// MarshalPrivateKey is the key's scalar as 32 bytes, big-endian.
func MarshalPrivateKey(k *PrivateKey) []byte { return k.D.FillBytes(make([]byte, 32)) }

// ParsePublicKey reads a point in uncompressed form (65 bytes, first 0x04) and refuses one off the curve.
func ParsePublicKey(point []byte) (*PublicKey, error) {
	if len(point) != 65 || point[0] != 4 {
		return nil, errors.New("gm: a public key is 65 bytes, the first 0x04")
	}
	return sm2.NewPublicKey(point)
}

// MarshalPublicKey is the point in uncompressed form, 65 bytes.
func MarshalPublicKey(p *PublicKey) []byte {
	out := make([]byte, 65)
	out[0] = 4
	p.X.FillBytes(out[1:33])
	p.Y.FillBytes(out[33:])
	return out
}

// IsSM2 reports whether pub is an SM2 public key.
func IsSM2(pub any) bool { return sm2.IsSM2PublicKey(pub) }

// SignatureDigest is e = SM3(Z ‖ message) with the default user ID (GB/T 32918.2 §5.5, §6.1): what is signed.
func SignatureDigest(pub *PublicKey, message []byte) (Digest, error) {
	if !sm2.IsSM2PublicKey(pub) {
		return Digest{}, errors.New("gm: not an SM2 key")
	}
	sum, err := sm2.CalculateSM2Hash(pub, message, nil)
	if err != nil {
		return Digest{}, fmt.Errorf("gm: signature digest: %w", err)
	}
	return Digest(sum), nil
}

// SignDigest signs e and gives strict DER SEQUENCE{r, s}.
func SignDigest(rand io.Reader, k *PrivateKey, e Digest) ([]byte, error) {
	return sm2.SignASN1(rand, k, e[:], nil)
}

// VerifyDigest checks a strict DER signature over e. Signatures found in the field go through NormalizeSignature first.
func VerifyDigest(pub *PublicKey, e Digest, sig []byte) bool {
	return sm2.IsSM2PublicKey(pub) && sm2.VerifyASN1(pub, e[:], sig)
}

// Verify checks a strict DER signature over a message with the default user ID.
func Verify(pub *PublicKey, message, sig []byte) bool {
	e, err := SignatureDigest(pub, message)
	return err == nil && VerifyDigest(pub, e, sig)
}

// Overhead is what SealBytes adds to its plain text: a 12-byte nonce in front, a 16-byte tag behind.
const Overhead = 12 + 16

// SealBytes encrypts with SM4-GCM (GB/T 17964, NIST SP 800-38D) under a 16-byte key and a fresh random nonce: nonce ‖ text ‖ tag.
func SealBytes(rand io.Reader, key, plain, aad []byte) ([]byte, error) {
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 12, Overhead+len(plain))
	if _, err := io.ReadFull(rand, out); err != nil {
		return nil, fmt.Errorf("gm: nonce: %w", err)
	}
	return aead.Seal(out, out[:12], plain, aad), nil
}

// ErrSealed is the one answer for bytes that OpenBytes does not open: wrong key, wrong aad or damage.
var ErrSealed = errors.New("gm: sealed bytes do not open under this key")

// OpenBytes undoes SealBytes.
func OpenBytes(key, sealed, aad []byte) ([]byte, error) {
	aead, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < Overhead {
		return nil, ErrSealed
	}
	plain, err := aead.Open(nil, sealed[:12], sealed[12:], aad)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("gm: %w", err)
	}
	return cipher.NewGCM(block)
}
