package verifytest

import (
	"context"
	"crypto"
	"encoding/binary"
	"io"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// Key is an SM2 key that follows from its name and signs without chance, so that a world is the same bytes in every run.
// Never a key for anything but tests: its nonces can be computed by anyone.
type Key struct{ private *gm.PrivateKey }

// NewKey makes the key of a name.
func NewKey(t testing.TB, name string) *Key {
	t.Helper()
	scalar := gm.SM3([]byte("yinxin test key\n" + name))
	k, err := gm.ParsePrivateKey(scalar[:])
	if err != nil {
		t.Fatal(err)
	}
	return &Key{k}
}

// Public is the public key.
func (k *Key) Public() crypto.PublicKey { return k.SM2() }

// SM2 is the public key by its type.
func (k *Key) SM2() *gm.PublicKey { return &k.private.PublicKey }

// Point is the public key as trust lists write it.
func (k *Key) Point() []byte { return gm.MarshalPublicKey(k.SM2()) }

// SignDigest signs e.
func (k *Key) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return gm.SignDigest(Stream(gm.MarshalPrivateKey(k.private), e[:]), k.private, e)
}

// Stream is bytes that follow from a seed. Single bytes come from nowhere and take nothing away: signers read one or none
// by a coin of their own.
func Stream(seed ...[]byte) io.Reader {
	return &stream{seed: gm.SM3(seed...)}
}

type stream struct {
	seed  [32]byte
	count uint64
}

func (s *stream) Read(p []byte) (int, error) {
	if len(p) == 1 {
		p[0] = 0
		return 1, nil
	}
	for n := 0; n < len(p); {
		block := gm.SM3(s.seed[:], binary.BigEndian.AppendUint64(nil, s.count))
		s.count++
		n += copy(p[n:], block[:])
	}
	return len(p), nil
}
