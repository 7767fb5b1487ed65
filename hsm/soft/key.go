package soft

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// key signs with one entry of an open provider.
type key struct {
	p *Provider
	e *entry
}

func (k *key) Ref() hsm.Ref             { return k.e.ref }
func (k *key) Algorithm() hsm.Algorithm { return k.e.policy.Algorithm }
func (k *key) Public() crypto.PublicKey { return k.e.public }

// SignDigest signs and checks what it signed: a fault in memory or arithmetic must give an error, never a signature that
// leaks the key or fails at a counter years later.
func (k *key) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	k.p.mu.RLock()
	defer k.p.mu.RUnlock()
	if err := k.p.usable(ctx); err != nil {
		return nil, err
	}
	sig, err := k.e.sign(e)
	if err != nil {
		return nil, hsm.Unavailable(err)
	}
	if !k.e.verify(e, sig) {
		return nil, hsm.SignatureWrong(k.e.ref)
	}
	return sig, nil
}

func (e *entry) sign(digest [32]byte) ([]byte, error) {
	switch e.policy.Algorithm {
	case hsm.SM2:
		return gm.SignDigest(rand.Reader, e.sm2, digest)
	case hsm.ES256:
		return ecdsa.SignASN1(rand.Reader, e.es256, digest[:])
	case hsm.RS256:
		return rsa.SignPKCS1v15(rand.Reader, e.rs256, crypto.SHA256, digest[:])
	case hsm.SM4:
	}
	return nil, fmt.Errorf("soft: %s does not sign", e.policy.Algorithm)
}

func (e *entry) verify(digest [32]byte, sig []byte) bool {
	switch pub := e.public.(type) {
	case *ecdsa.PublicKey:
		if e.policy.Algorithm == hsm.SM2 {
			_, form, ok := gm.NormalizeSignature(sig)
			return ok && form == gm.StrictDER && gm.VerifyDigest(pub, digest, sig)
		}
		return ecdsa.VerifyASN1(pub, digest[:], sig)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest[:], sig) == nil
	}
	return false
}
