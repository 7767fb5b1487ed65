package hsmtest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"sync"

	tjfoc "github.com/tjfoc/gmsm/sm2"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// rs reads strict DER with encoding/asn1, which is neither implementation's own reader, and writes it again to compare.
func rs(t T, sig []byte) (r, s *big.Int) {
	t.Helper()
	var v struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(sig, &v)
	if err != nil || len(rest) != 0 {
		t.Fatalf("a signature of %d bytes is no DER SEQUENCE{r, s}: %v, %d bytes left", len(sig), err, len(rest))
	}
	again, err := asn1.Marshal(v)
	if err != nil || !bytes.Equal(again, sig) {
		t.Fatalf("the signature is not strict DER: %x", sig)
	}
	return v.R, v.S
}

// edges are digests at which implementations differ: zero, above the group order, and with leading zeros.
func edges() [][32]byte {
	out := [][32]byte{{}, {31: 1}}
	var top [32]byte
	for i := range top {
		top[i] = 0xff
	}
	return append(out, top)
}

func checkSM2(t T, p hsm.Provider) {
	k := generateKey(t, p, "conformance/sm2", hsm.SM2)
	pub := k.Public().(*ecdsa.PublicKey)
	digests := edges()
	for i := range 32 { // enough that r or s with a leading zero or a set top bit occurs among them
		digests = append(digests, digestOf("message %d", i))
	}
	for _, e := range digests {
		sig := sign(t, k, e)
		r, s := rs(t, sig)
		if !gm.VerifyDigest(pub, e, sig) {
			t.Fatalf("the signature over %x does not verify", e)
		}
		second := &tjfoc.PublicKey{Curve: tjfoc.P256Sm2(), X: pub.X, Y: pub.Y}
		if !tjfoc.Verify(second, e[:], r, s) {
			t.Fatalf("the signature over %x does not verify with the second implementation", e)
		}
		other := digestOf("another %x", e)
		if gm.VerifyDigest(pub, other, sig) {
			t.Fatalf("the signature verifies over another digest")
		}
	}
}

// checkSM2Nonce: r = e + x1(k) mod n, so two digests with the same r - e were signed with one k, and give the key away.
func checkSM2Nonce(t T, p hsm.Provider) {
	k := generateKey(t, p, "conformance/nonce", hsm.SM2)
	n := k.Public().(*ecdsa.PublicKey).Params().N
	seen := map[string]bool{}
	for i := range 64 {
		e := digestOf("nonce %d", i)
		r, _ := rs(t, sign(t, k, e))
		x := new(big.Int).Sub(r, new(big.Int).SetBytes(e[:]))
		x.Mod(x, n)
		if seen[x.String()] {
			t.Fatalf("two signatures share their nonce")
		}
		seen[x.String()] = true
	}
}

func checkES256(t T, p hsm.Provider) {
	k := generateKey(t, p, "conformance/es256", hsm.ES256)
	pub := k.Public().(*ecdsa.PublicKey)
	seen := map[string]bool{}
	digests := edges()
	for i := range 32 {
		digests = append(digests, digestOf("token %d", i))
	}
	for _, e := range digests {
		sig := sign(t, k, e)
		r, _ := rs(t, sig)
		if !ecdsa.VerifyASN1(pub, e[:], sig) {
			t.Fatalf("the ES256 signature does not verify")
		}
		if seen[r.String()] {
			t.Fatalf("two ES256 signatures share their nonce")
		}
		seen[r.String()] = true
	}
}

func checkRS256(t T, p hsm.Provider) {
	k := generateKey(t, p, "conformance/rs256", hsm.RS256)
	pub := k.Public().(*rsa.PublicKey)
	for _, e := range edges() {
		if err := rsa.VerifyPKCS1v15(pub, crypto.SHA256, e[:], sign(t, k, e)); err != nil {
			t.Fatalf("the RS256 signature does not verify: %v", err)
		}
	}
}

func checkDistinct(t T, p hsm.Provider) {
	var keys []hsm.Key
	for _, ref := range []hsm.Ref{"conformance/a", "conformance/b", "conformance/a/b", "conformance/a.b", "conformance/a-b"} {
		keys = append(keys, generateKey(t, p, ref, hsm.SM2))
	}
	keys = append(keys, generateKey(t, p, "conformance/token", hsm.ES256))
	for i, k := range keys {
		again, err := p.Key(t.Context(), k.Ref())
		if err != nil {
			t.Fatalf("Key(%s): %v", k.Ref(), err)
		}
		if again.Ref() != k.Ref() || again.Algorithm() != k.Algorithm() || !samePublic(k.Public(), again.Public()) {
			t.Errorf("Key(%s) is not the key that was generated", k.Ref())
		}
		for _, other := range keys[:i] {
			if samePublic(k.Public(), other.Public()) {
				t.Errorf("%s and %s are one key", k.Ref(), other.Ref())
			}
			if a, b := k.Public().(*ecdsa.PublicKey), other.Public().(*ecdsa.PublicKey); a.X.Cmp(b.X) == 0 {
				t.Errorf("%s and %s share their point", k.Ref(), other.Ref())
			}
		}
	}
	// What each key signs is its own: the stored key, not only its public half, belongs to the name.
	e := digestOf("whose")
	for i, k := range keys[:len(keys)-1] {
		sig := sign(t, k, e)
		for j, other := range keys[:len(keys)-1] {
			if gm.VerifyDigest(other.Public().(*ecdsa.PublicKey), e, sig) != (i == j) {
				t.Errorf("a signature of %s judged by %s: %v", k.Ref(), other.Ref(), i != j)
			}
		}
	}
}

func checkConcurrent(t T, p hsm.Provider) {
	k := generateKey(t, p, "conformance/shared", hsm.SM2)
	s := generateSecret(t, p, "conformance/shared-secret")
	pub := k.Public().(*ecdsa.PublicKey)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 8 {
				e := digestOf("%d of %d", i, g)
				sig, err := k.SignDigest(t.Context(), e)
				if err != nil || !gm.VerifyDigest(pub, e, sig) {
					t.Errorf("a signature beside others: %v", err)
					return
				}
				sealed, err := s.Seal(t.Context(), e[:], nil)
				if err != nil {
					t.Errorf("sealing beside others: %v", err)
					return
				}
				plain, err := s.Open(t.Context(), sealed, nil)
				if err != nil || !bytes.Equal(plain, e[:]) {
					t.Errorf("opening beside others: %v", err)
					return
				}
			}
		})
	}
	wg.Go(func() {
		if _, err := p.GenerateKey(t.Context(), "conformance/beside", policy(hsm.SM2)); err != nil {
			t.Errorf("generating beside others: %v", err)
		}
	})
	wg.Wait()
}
