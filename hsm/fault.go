package hsm

import (
	"context"
	"fmt"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// The codes that every provider gives for the same mistake.
const (
	CodeRefInvalid     = "hsm_ref_invalid"     // Invalid: the name breaks the rule of Ref
	CodePurposeInvalid = "hsm_purpose_invalid" // Invalid: the purpose of a policy is malformed
	CodeWrongAlgorithm = "hsm_wrong_algorithm" // Invalid: a key asked for as a secret, or the other way round, or an unknown algorithm
	CodeKeyUnknown     = "hsm_key_unknown"     // NotFound: no key of this name
	CodeKeyExists      = "hsm_key_exists"      // Conflict: the name is taken, and stays taken
	CodeUnavailable    = "hsm_unavailable"     // Unavailable: closed, cancelled, or the device does not answer
	CodeSignatureWrong = "hsm_signature_wrong" // Internal: the device's signature does not verify; it was withheld
	CodeTooLarge       = "hsm_too_large"       // TooLarge: over MaxPlain or MaxAAD
	CodeSealedOther    = "hsm_sealed_other"    // Invalid: the bytes were sealed under another secret
	CodeSealedDamaged  = "hsm_sealed_damaged"  // Invalid: the bytes are altered, cut, or moved away from their aad
	CodeSealedVersion  = "hsm_sealed_version"  // Invalid: the bytes are of a format that this version does not know
)

// The limits of Secret. Files go through internal/blob, which wraps a key of their own; a device is too slow for them.
const (
	MaxPlain = 1 << 20 // bytes given to Seal and MAC
	MaxAAD   = 4 << 10 // bytes of aad
)

// KeyUnknown is the answer of a provider that has no key of this name.
func KeyUnknown(ref Ref) error {
	return fault.Wrap(fmt.Errorf("ref %q", string(ref)), fault.NotFound, CodeKeyUnknown, "there is no key of this name").
		WithHint("generate it first, or check that the right key file or device is in use")
}

// KeyExists is the answer of a provider asked to generate under a name that is taken.
func KeyExists(ref Ref) error {
	return fault.Wrap(fmt.Errorf("ref %q", string(ref)), fault.Conflict, CodeKeyExists, "a key of this name exists").
		WithHint("a name never stands for two keys: choose a new one, such as the next year or version")
}

// WrongAlgorithm is the answer of a provider asked to use something of algorithm a as what it is not.
func WrongAlgorithm(a Algorithm, wanted string) error {
	return fault.New(fault.Invalid, CodeWrongAlgorithm, fmt.Sprintf("algorithm %s is not that of %s", a, wanted))
}

// Unavailable is the answer of a provider that is closed or whose device does not answer.
func Unavailable(cause error) error {
	return fault.Wrap(cause, fault.Unavailable, CodeUnavailable, "the key device does not answer")
}

// SignatureWrong is the answer of a provider whose device gave a signature that does not verify.
func SignatureWrong(ref Ref) error {
	return fault.Wrap(fmt.Errorf("ref %q", string(ref)), fault.Internal, CodeSignatureWrong,
		"the key device gave a signature that does not verify; it was withheld").
		WithHint("stop signing with this device and have it examined")
}

// CheckContext is nil while ctx lives, else Unavailable around its cause.
func CheckContext(ctx context.Context) error {
	if ctx.Err() != nil {
		return Unavailable(context.Cause(ctx))
	}
	return nil
}

// CheckSize is nil when size stays within limit, else TooLarge.
func CheckSize(what string, size, limit int) error {
	if size <= limit {
		return nil
	}
	return fault.New(fault.TooLarge, CodeTooLarge, fmt.Sprintf("%s of %d bytes is over the limit of %d", what, size, limit))
}
