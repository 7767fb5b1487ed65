package soft

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// Sealed bytes: one byte of version, four that tell which secret sealed them, nonce, text, tag. The first five are part
// of the aad. Nonces are random: one secret seals at most 2^32 values before it is due for a successor.
const (
	sealedVersion = 1
	sealedFront   = 1 + 4
	// Overhead is what Seal adds to its plain text in bytes.
	Overhead = sealedFront + gm.Overhead
)

// secretKeys are the separate keys that come from one secret.
type secretKeys struct {
	seal []byte // SM4, 16 bytes
	mac  []byte // HMAC-SM3, 32 bytes
	mark [4]byte
}

func deriveSecretKeys(material []byte) secretKeys {
	seal := gm.MAC(material, []byte("yinxin/hsm/soft/secret/1/seal"))
	mac := gm.MAC(material, []byte("yinxin/hsm/soft/secret/1/mac"))
	mark := gm.MAC(material, []byte("yinxin/hsm/soft/secret/1/mark"))
	return secretKeys{seal: seal[:16], mac: mac[:], mark: [4]byte(mark[:4])}
}

// secret seals, opens and authenticates with one entry of an open provider.
type secret struct {
	p *Provider
	e *entry
}

func (s *secret) Ref() hsm.Ref { return s.e.ref }

func (s *secret) Seal(ctx context.Context, plain, aad []byte) ([]byte, error) {
	s.p.mu.RLock()
	defer s.p.mu.RUnlock()
	if err := s.check(ctx, len(plain), len(aad)); err != nil {
		return nil, err
	}
	front := s.front()
	sealed, err := gm.SealBytes(rand.Reader, s.e.sealed.seal, plain, bind(front, aad))
	if err != nil {
		return nil, hardRandom(err)
	}
	return append(front[:len(front):len(front)], sealed...), nil
}

func (s *secret) Open(ctx context.Context, sealed, aad []byte) ([]byte, error) {
	s.p.mu.RLock()
	defer s.p.mu.RUnlock()
	if err := s.check(ctx, len(sealed)-Overhead, len(aad)); err != nil {
		return nil, err
	}
	if len(sealed) > 0 && sealed[0] != sealedVersion {
		return nil, fault.Wrap(fmt.Errorf("version %d", sealed[0]), fault.Invalid, hsm.CodeSealedVersion,
			"the sealed bytes are of a version that this program does not know")
	}
	if len(sealed) < Overhead {
		return nil, fault.New(fault.Invalid, hsm.CodeSealedDamaged, "the sealed bytes are cut short")
	}
	front := s.front()
	if string(sealed[:sealedFront]) != string(front) {
		return nil, fault.Wrap(fmt.Errorf("opened with %q", string(s.e.ref)), fault.Invalid, hsm.CodeSealedOther,
			"the bytes were sealed under another secret").WithHint("use the secret that sealed them, or the key file that goes with this data")
	}
	plain, err := gm.OpenBytes(s.e.sealed.seal, sealed[sealedFront:], bind(front, aad))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, hsm.CodeSealedDamaged, "the sealed bytes are altered, or are not in the place they were sealed for")
	}
	return plain, nil
}

func (s *secret) MAC(ctx context.Context, data []byte) ([32]byte, error) {
	s.p.mu.RLock()
	defer s.p.mu.RUnlock()
	if err := s.check(ctx, len(data), 0); err != nil {
		return [32]byte{}, err
	}
	return gm.MAC(s.e.sealed.mac, data), nil
}

func (s *secret) check(ctx context.Context, plain, aad int) error {
	if err := s.p.usable(ctx); err != nil {
		return err
	}
	if err := hsm.CheckSize("data", plain, hsm.MaxPlain); err != nil {
		return err
	}
	return hsm.CheckSize("aad", aad, hsm.MaxAAD)
}

func (s *secret) front() []byte {
	return append([]byte{sealedVersion}, s.e.sealed.mark[:]...)
}

func bind(front, aad []byte) []byte {
	return append(append(make([]byte, 0, len(front)+len(aad)), front...), aad...)
}
