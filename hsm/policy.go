package hsm

import (
	"fmt"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// MaxPurpose is the longest purpose of a Policy in bytes.
const MaxPurpose = 32

// Signs reports whether a is an algorithm of a Key.
func (a Algorithm) Signs() bool { return a == SM2 || a == ES256 || a == RS256 }

// Seals reports whether a is an algorithm of a Secret.
func (a Algorithm) Seals() bool { return a == SM4 }

// Check is nil for a policy that any provider can keep: a known algorithm and a purpose of lower-case letters, digits
// and '-', starting with a letter. An unknown algorithm is refused with CodeWrongAlgorithm, a malformed purpose with
// CodePurposeInvalid.
func (p Policy) Check() error {
	if !p.Algorithm.Signs() && !p.Algorithm.Seals() {
		return fault.Wrap(fmt.Errorf("algorithm %.20q", string(p.Algorithm)), fault.Invalid, CodeWrongAlgorithm, "no such algorithm for a key").
			WithHint("keys are SM2, ES256 or RS256, secrets are SM4")
	}
	if p.Purpose == "" || len(p.Purpose) > MaxPurpose || p.Purpose[0] < 'a' || p.Purpose[0] > 'z' {
		return purposeInvalid(p.Purpose)
	}
	for i := range len(p.Purpose) {
		c := p.Purpose[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return purposeInvalid(p.Purpose)
		}
	}
	return nil
}

// CheckKey is Check for a Policy of GenerateKey.
func (p Policy) CheckKey() error {
	if err := p.Check(); err != nil {
		return err
	}
	if !p.Algorithm.Signs() {
		return WrongAlgorithm(p.Algorithm, "a key that signs")
	}
	return nil
}

// CheckSecret is Check for a Policy of GenerateSecret.
func (p Policy) CheckSecret() error {
	if err := p.Check(); err != nil {
		return err
	}
	if !p.Algorithm.Seals() {
		return WrongAlgorithm(p.Algorithm, "a secret that seals")
	}
	return nil
}

func purposeInvalid(purpose string) error {
	return fault.Wrap(fmt.Errorf("purpose %.40q", purpose), fault.Invalid, CodePurposeInvalid, "the purpose of the key is malformed").
		WithHint("a purpose is a word such as seal, checkpoint, token or data: a-z, 0-9 and '-', at most 32 bytes")
}
