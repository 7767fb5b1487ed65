package seal

import (
	"context"
	"crypto"
)

// Version is a generation of the seal format (header.version).
type Version int

// The three generations.
const (
	V1 Version = 1 // GM/T 0031-2014
	V4 Version = 4 // GB/T 38540-2020
	V5 Version = 5 // GM/T 0031-2025
)

// Standard is the text that defines a version.
func (v Version) Standard() string {
	switch v {
	case V1:
		return "GM/T 0031-2014"
	case V4:
		return "GB/T 38540-2020"
	case V5:
		return "GM/T 0031-2025"
	}
	return ""
}

// DigestSigner is a key that signs 32-byte digests, such as an hsm.Key. SM2 keys sign e = SM3(Z ‖ M).
type DigestSigner interface {
	Public() crypto.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}
