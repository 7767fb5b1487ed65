package soft

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

const (
	rsaBits     = 2048
	secretSize  = 32
	maxMaterial = 4096
)

// entry is one key or secret as the file keeps it and as it is used. It never changes after it is made.
type entry struct {
	ref      hsm.Ref
	policy   hsm.Policy
	material []byte // SM2 and ES256: the scalar, 32 bytes; RS256: PKCS #1 DER; SM4: 32 random bytes

	public crypto.PublicKey
	sm2    *gm.PrivateKey
	es256  *ecdsa.PrivateKey
	rs256  *rsa.PrivateKey
	sealed secretKeys
}

func newEntry(ref hsm.Ref, p hsm.Policy) (*entry, error) {
	material, err := newMaterial(p.Algorithm)
	if err != nil {
		return nil, hardRandom(err)
	}
	e, err := loadEntry(ref, p, material)
	if err != nil {
		return nil, fmt.Errorf("soft: a fresh key does not load: %w", err)
	}
	return e, nil
}

func newMaterial(a hsm.Algorithm) ([]byte, error) {
	switch a {
	case hsm.SM2:
		k, err := gm.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		return gm.MarshalPrivateKey(k), nil
	case hsm.ES256:
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		return k.Bytes()
	case hsm.RS256:
		k, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return nil, err
		}
		return x509.MarshalPKCS1PrivateKey(k), nil
	case hsm.SM4:
		m := make([]byte, secretSize)
		_, err := io.ReadFull(rand.Reader, m)
		return m, err
	}
	return nil, fmt.Errorf("soft: no algorithm %q", a)
}

// loadEntry makes what was stored usable, and refuses what does not fit its algorithm. It keeps material.
func loadEntry(ref hsm.Ref, p hsm.Policy, material []byte) (*entry, error) {
	e := &entry{ref: ref, policy: p, material: material}
	var err error
	switch p.Algorithm {
	case hsm.SM2:
		if e.sm2, err = gm.ParsePrivateKey(material); err == nil {
			e.public = &e.sm2.PublicKey
		}
	case hsm.ES256:
		if e.es256, err = ecdsa.ParseRawPrivateKey(elliptic.P256(), material); err == nil {
			e.public = &e.es256.PublicKey
		}
	case hsm.RS256:
		e.rs256, err = x509.ParsePKCS1PrivateKey(material)
		if err == nil && e.rs256.N.BitLen() != rsaBits {
			err = fmt.Errorf("an RSA key of %d bits", e.rs256.N.BitLen())
		}
		if err == nil {
			e.public = &e.rs256.PublicKey
		}
	case hsm.SM4:
		if len(material) != secretSize {
			err = fmt.Errorf("a secret of %d bytes", len(material))
		} else {
			e.sealed = deriveSecretKeys(material)
		}
	default:
		err = fmt.Errorf("no algorithm %.20q", string(p.Algorithm))
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (e *entry) wipe() {
	clear(e.material)
	clear(e.sealed.seal)
	clear(e.sealed.mac)
	switch {
	case e.sm2 != nil:
		wipeInt(e.sm2.D)
	case e.es256 != nil:
		wipeInt(e.es256.D)
	case e.rs256 != nil:
		wipeInt(e.rs256.D)
		for _, prime := range e.rs256.Primes {
			wipeInt(prime)
		}
	}
}

func wipeInt(n *big.Int) { clear(n.Bits()) }

// encodeEntries is deterministic: a count of four bytes, then, in ascending order of the names, name, algorithm and
// purpose each after one byte of length, and the material after two.
func encodeEntries(entries map[hsm.Ref]*entry) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddUint32(uint32(len(entries)))
	for _, ref := range slices.Sorted(maps.Keys(entries)) {
		e := entries[ref]
		for _, text := range []string{string(e.ref), string(e.policy.Algorithm), e.policy.Purpose} {
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
		}
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(e.material) })
	}
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("soft: entries: %w", err)
	}
	return out, nil
}

// parseEntries reads what encodeEntries wrote and nothing else: one set of keys has one encoding.
func parseEntries(body []byte) ([]*entry, error) {
	in := cryptobyte.String(body)
	var count uint32
	if !in.ReadUint32(&count) || count > MaxKeys {
		return nil, errors.New("the number of keys is missing or too large")
	}
	var entries []*entry
	for range count {
		var ref, algorithm, purpose, material cryptobyte.String
		if !in.ReadUint8LengthPrefixed(&ref) || !in.ReadUint8LengthPrefixed(&algorithm) ||
			!in.ReadUint8LengthPrefixed(&purpose) || !in.ReadUint16LengthPrefixed(&material) || len(material) > maxMaterial {
			return nil, io.ErrUnexpectedEOF
		}
		r, p := hsm.Ref(ref), hsm.Policy{Algorithm: hsm.Algorithm(algorithm), Purpose: string(purpose)}
		if err := r.Check(); err != nil {
			return nil, err
		}
		if err := p.Check(); err != nil {
			return nil, err
		}
		if n := len(entries); n > 0 && entries[n-1].ref >= r {
			return nil, errors.New("the keys are not in order, or one name stands for two")
		}
		e, err := loadEntry(r, p, slices.Clone(material))
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if !in.Empty() {
		return nil, errors.New("bytes after the last key")
	}
	return entries, nil
}
