// Package hsm states what the product may ask of a device that keeps keys: sign a 32-byte digest, seal and open bytes,
// compute a MAC. Keys have names, never bytes; providers are hsm/soft, hsm/pkcs11 and hsm/remote, and hsm/hsmtest is the
// contract that all of them pass.
package hsm

import (
	"context"
	"crypto"
)

// Ref names a key for life: lower-case path segments of letters, digits, '-' and '.', joined by '/', at most 120 bytes,
// such as "seal/11990000000000001g/2026" or "data/cell05". One name never stands for two keys.
type Ref string

// Algorithm is what a key does.
type Algorithm string

// The algorithms of keys and secrets. One key never serves two of them.
const (
	SM2   Algorithm = "SM2"   // signs e = SM3(Z ‖ M) of GB/T 32918.2
	ES256 Algorithm = "ES256" // ECDSA on P-256 over a SHA-256 digest, for tokens
	RS256 Algorithm = "RS256" // RSA PKCS#1 v1.5, 2048 bits, over a SHA-256 digest, for tokens of clients that need it
	SM4   Algorithm = "SM4"   // a Secret: SM4-GCM and HMAC-SM3 under separate keys derived from one
)

// Policy says what a new key is for. A provider keeps it beside the key.
type Policy struct {
	Algorithm Algorithm
	Purpose   string // one of the purposes of docs/architecture.md, such as "seal", "checkpoint", "token", "data"
}

// Key signs digests. Implementations verify each signature with Public before they return it.
type Key interface {
	Ref() Ref
	Algorithm() Algorithm
	Public() crypto.PublicKey // *ecdsa.PublicKey (SM2 or P-256) or *rsa.PublicKey
	// SignDigest signs e as it is. SM2 and ES256 give strict DER SEQUENCE{r, s}; RS256 gives the PKCS#1 v1.5 block.
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// Secret seals, opens and authenticates under a named key that nobody can export. aad binds the sealed bytes to their
// place (table, column, row), so that a value moved elsewhere does not open.
type Secret interface {
	Ref() Ref
	Seal(ctx context.Context, plain, aad []byte) ([]byte, error)
	Open(ctx context.Context, sealed, aad []byte) ([]byte, error)
	MAC(ctx context.Context, data []byte) ([32]byte, error)
}

// Provider is a device, or what stands in for one.
// Errors are *fault.Error: NotFound for an unknown ref, Conflict for Generate on a ref that exists, Invalid for a
// malformed ref or wrong algorithm, Unavailable when the device does not answer or is closed.
type Provider interface {
	Key(ctx context.Context, ref Ref) (Key, error)
	Secret(ctx context.Context, ref Ref) (Secret, error)
	GenerateKey(ctx context.Context, ref Ref, p Policy) (Key, error)
	GenerateSecret(ctx context.Context, ref Ref, p Policy) (Secret, error)
	Health(ctx context.Context) error
	Close() error
}
