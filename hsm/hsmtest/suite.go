// Package hsmtest is the contract of hsm as a test suite: Run it against every provider. Its SM2 signatures are also
// checked by a second implementation (tjfoc/gmsm), so that one library's mistake about itself does not pass.
package hsmtest

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"testing"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// T is the part of *testing.T that the checks use, so that the suite itself can be tested.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// Check is one promise of the contract.
type Check struct {
	Name string
	Run  func(t T, p hsm.Provider)
}

// Run checks every promise, each on a provider of its own. open gives an empty provider and closes it with t.Cleanup;
// the suite may close it before.
func Run(t *testing.T, open func(t *testing.T) hsm.Provider) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.Run(t, open(t))
		})
	}
}

// Checks are the promises.
func Checks() []Check {
	return []Check{
		{"SM2 signatures verify with two implementations", checkSM2},
		{"SM2 signatures never repeat their nonce", checkSM2Nonce},
		{"ES256 signatures verify and never repeat their nonce", checkES256},
		{"RS256 signatures verify", checkRS256},
		{"keys are distinct and come back by name", checkDistinct},
		{"a name is given once", checkConflict},
		{"batches are all or nothing", checkBatch},
		{"malformed requests are refused", checkInvalid},
		{"unknown names are not found", checkUnknown},
		{"a secret opens what it sealed", checkSeal},
		{"a secret binds aad and place", checkAAD},
		{"a secret tells another secret's bytes from damage", checkOther},
		{"a MAC is stable and its own", checkMAC},
		{"sizes are bounded", checkSizes},
		{"keys serve goroutines", checkConcurrent},
		{"a cancelled context is Unavailable", checkCancelled},
		{"after Close all is Unavailable", checkClosed},
	}
}

func policy(a hsm.Algorithm) hsm.Policy { return hsm.Policy{Algorithm: a, Purpose: "conformance"} }

func generateKey(t T, p hsm.Provider, ref hsm.Ref, a hsm.Algorithm) hsm.Key {
	t.Helper()
	k, err := p.GenerateKey(t.Context(), ref, policy(a))
	if err != nil {
		t.Fatalf("GenerateKey(%s, %s): %v", ref, a, err)
	}
	if k.Ref() != ref || k.Algorithm() != a {
		t.Fatalf("GenerateKey(%s, %s) gave %s, %s", ref, a, k.Ref(), k.Algorithm())
	}
	checkPublic(t, k)
	return k
}

func generateSecret(t T, p hsm.Provider, ref hsm.Ref) hsm.Secret {
	t.Helper()
	s, err := p.GenerateSecret(t.Context(), ref, policy(hsm.SM4))
	if err != nil {
		t.Fatalf("GenerateSecret(%s): %v", ref, err)
	}
	if s.Ref() != ref {
		t.Fatalf("GenerateSecret(%s) gave %s", ref, s.Ref())
	}
	return s
}

// checkPublic: a key of one scheme on the curve of another would make each signature of the one a signature of the other
// over a digest that nobody chose.
func checkPublic(t T, k hsm.Key) {
	t.Helper()
	switch pub := k.Public().(type) {
	case *ecdsa.PublicKey:
		switch {
		case k.Algorithm() == hsm.SM2 && gm.IsSM2(pub):
		case k.Algorithm() == hsm.ES256 && pub.Curve == elliptic.P256():
		default:
			t.Fatalf("the public key of a key for %s is on the curve %s", k.Algorithm(), pub.Params().Name)
		}
	case *rsa.PublicKey:
		if k.Algorithm() != hsm.RS256 || pub.N.BitLen() != 2048 {
			t.Fatalf("a key for %s has an RSA public key of %d bits", k.Algorithm(), pub.N.BitLen())
		}
	default:
		t.Fatalf("the public key of a key for %s is a %T", k.Algorithm(), pub)
	}
}

func sign(t T, k hsm.Key, e [32]byte) []byte {
	t.Helper()
	sig, err := k.SignDigest(t.Context(), e)
	if err != nil {
		t.Fatalf("SignDigest with %s: %v", k.Algorithm(), err)
	}
	return sig
}

func wantFault(t T, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error, want %s", what, code)
		return
	}
	if fault.KindOf(err) != kind || fault.CodeOf(err) != code {
		t.Errorf("%s: %v (kind %d, code %s), want kind %d, code %s", what, err, fault.KindOf(err), fault.CodeOf(err), kind, code)
	}
}

func digestOf(format string, args ...any) [32]byte {
	return gm.SM3(fmt.Appendf(nil, format, args...))
}

func samePublic(a, b crypto.PublicKey) bool {
	x, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && x.Equal(b)
}
