package gm

import (
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// SignatureForm names the encodings in which SM2 signature values occur in real files.
type SignatureForm string

// The three encodings that the field writes; we write StrictDER only.
const (
	StrictDER SignatureForm = "DER"    // SEQUENCE{INTEGER r, INTEGER s}, minimal (GM/T 0009)
	RawRS     SignatureForm = "raw"    // r ‖ s, 64 bytes
	PaddedDER SignatureForm = "padded" // as StrictDER with needless leading zeros in an INTEGER
)

// NormalizeSignature reads any of the three encodings and gives strict DER. It accepts no trailing bytes, no negative
// and no oversized number, so that each (r, s) has one meaning; ok is false for everything else.
func NormalizeSignature(sig []byte) (der []byte, form SignatureForm, ok bool) {
	var r, s []byte
	if len(sig) == 64 && !looksDER(sig) {
		r, s, form = sig[:32], sig[32:], RawRS
	} else {
		in := cryptobyte.String(sig)
		var seq cryptobyte.String
		if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() ||
			!readInteger(&seq, &r) || !readInteger(&seq, &s) || !seq.Empty() {
			return nil, "", false
		}
		form = PaddedDER
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(r))
		b.AddASN1BigInt(new(big.Int).SetBytes(s))
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, "", false
	}
	if form == PaddedDER && string(der) == string(sig) {
		form = StrictDER
	}
	return der, form, true
}

// looksDER tells a 64-byte DER signature (both numbers far below 2^248, so improbable but possible) from 64 raw bytes.
func looksDER(sig []byte) bool {
	in := cryptobyte.String(sig)
	var seq cryptobyte.String
	var r, s []byte
	return in.ReadASN1(&seq, asn1.SEQUENCE) && in.Empty() && readInteger(&seq, &r) && readInteger(&seq, &s) && seq.Empty()
}

func readInteger(in *cryptobyte.String, out *[]byte) bool {
	var v cryptobyte.String
	if !in.ReadASN1(&v, asn1.INTEGER) || len(v) == 0 || v[0]&0x80 != 0 {
		return false
	}
	for len(v) > 1 && v[0] == 0 {
		v = v[1:]
	}
	*out = v
	return len(v) <= 32
}
