package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// The object identifiers of keys and signatures (GM/T 0006, RFC 5480, RFC 8017).
const (
	OIDSM2WithSM3  = "1.2.156.10197.1.501"
	OIDSM2Sign     = "1.2.156.10197.1.301.1"
	OIDSM2Curve    = "1.2.156.10197.1.301"
	OIDSM3         = "1.2.156.10197.1.401"
	oidECPublicKey = "1.2.840.10045.2.1"
	oidRSA         = "1.2.840.113549.1.1.1"
)

// readPublicKey reads a SubjectPublicKeyInfo; nil for a key that is malformed, off its curve or of an unknown kind.
func readPublicKey(spki cryptobyte.String) any {
	var seq, alg cryptobyte.String
	var point []byte
	if !spki.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&alg, asn1.SEQUENCE) || !readBits(&seq, &point) {
		return nil
	}
	kind, err := readOID(&alg)
	if err != nil {
		return nil
	}
	switch kind {
	case oidRSA:
		k, err := x509.ParsePKCS1PublicKey(point)
		if err != nil || k.N.BitLen() > 8192 {
			return nil
		}
		return k
	case OIDSM2Curve:
		return sm2Point(point)
	case oidECPublicKey:
		curve, err := readOID(&alg)
		if err != nil {
			return nil
		}
		switch curve {
		case OIDSM2Curve:
			return sm2Point(point)
		case "1.2.840.10045.3.1.7":
			return nistPoint(elliptic.P256(), point)
		case "1.3.132.0.34":
			return nistPoint(elliptic.P384(), point)
		}
	}
	return nil
}

func sm2Point(point []byte) any {
	k, err := gm.ParsePublicKey(point)
	if err != nil {
		return nil
	}
	return k
}

func nistPoint(curve elliptic.Curve, point []byte) any {
	k, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil
	}
	return k
}

// Errors of CheckSignature.
var (
	ErrAlgorithmUnsupported = errors.New("pki: the signature algorithm is not supported")
	ErrAlgorithmMismatch    = errors.New("pki: the signature algorithm does not fit the key")
	ErrSignature            = errors.New("pki: the signature does not verify")
)

// CheckSignature verifies sig over message under an algorithm's dotted OID. SM2 signatures may come in any of the
// encodings of the field; form names the one found. SHA-1 and MD5 are not supported.
func CheckSignature(algorithm string, pub any, message, sig []byte) (form gm.SignatureForm, err error) {
	switch algorithm {
	case OIDSM2WithSM3, OIDSM2Sign:
		key, ok := pub.(*ecdsa.PublicKey)
		if !ok || !gm.IsSM2(key) {
			return "", ErrAlgorithmMismatch
		}
		der, form, ok := gm.NormalizeSignature(sig)
		if !ok || !gm.Verify(key, message, der) {
			return form, ErrSignature
		}
		return form, nil
	case "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13":
		key, ok := pub.(*rsa.PublicKey)
		if !ok {
			return "", ErrAlgorithmMismatch
		}
		h, digest := hashFor(algorithm[len(algorithm)-1], message)
		if rsa.VerifyPKCS1v15(key, h, digest, sig) != nil {
			return "", ErrSignature
		}
		return gm.StrictDER, nil
	case "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3", "1.2.840.10045.4.3.4":
		key, ok := pub.(*ecdsa.PublicKey)
		if !ok || gm.IsSM2(key) {
			return "", ErrAlgorithmMismatch
		}
		_, digest := hashFor(algorithm[len(algorithm)-1]-1, message)
		if !ecdsa.VerifyASN1(key, digest, sig) {
			return "", ErrSignature
		}
		return gm.StrictDER, nil
	}
	return "", ErrAlgorithmUnsupported
}

// hashFor picks SHA-256, SHA-384 or SHA-512 by the last digit of PKCS#1's OIDs (11, 12, 13).
func hashFor(digit byte, message []byte) (crypto.Hash, []byte) {
	switch digit {
	case '1':
		d := sha256.Sum256(message)
		return crypto.SHA256, d[:]
	case '2':
		d := sha512.Sum384(message)
		return crypto.SHA384, d[:]
	default:
		d := sha512.Sum512(message)
		return crypto.SHA512, d[:]
	}
}

// VerifiedBy reports whether the issuer's key signed this certificate.
func (c *Certificate) VerifiedBy(issuer any) bool {
	_, err := CheckSignature(c.SignatureAlgorithm, issuer, c.RawTBS, c.Signature)
	return err == nil
}
