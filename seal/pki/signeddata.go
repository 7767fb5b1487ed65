package pki

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// Content types (GB/T 35275, PKCS#7).
const (
	oidGMSignedData  = "1.2.156.10197.6.1.4.2.2"
	oidSignedData    = "1.2.840.113549.1.7.2"
	OIDTSTInfo       = "1.2.840.113549.1.9.16.1.4"
	oidContentType   = "1.2.840.113549.1.9.3"
	oidMessageDigest = "1.2.840.113549.1.9.4"
	oidSigningTime   = "1.2.840.113549.1.9.5"
)

const (
	maxSignedData  = 8 << 20
	maxSigners     = 16
	maxCertsInside = 32
)

// SignedData is a signed-data message (签名数据, GB/T 35275 or PKCS#7) in DER.
type SignedData struct {
	ContentType  string
	Content      []byte // payload of the OCTET STRING; nil: detached
	Certificates []*Certificate
	Signers      []SignerInfo
}

// SignerInfo is one signature in a SignedData.
type SignerInfo struct {
	Issuer    []byte // raw name, or nil when the signer is named by key identifier
	Serial    []byte
	KeyID     []byte
	Digest    string // dotted OID
	Algorithm string // dotted OID
	Value     []byte

	HasAttributes bool
	ContentType   string // attributes that are signed
	MessageDigest []byte
	SigningTime   time.Time // zero: none

	attributes []byte // as signed: with the tag of SET OF
}

var errSignedData = errors.New("the signed data is malformed")

// IsSignedData reports whether der begins like a SignedData, whatever follows.
func IsSignedData(der []byte) bool {
	in := cryptobyte.String(der)
	var outer cryptobyte.String
	if !in.ReadASN1(&outer, asn1.SEQUENCE) {
		return false
	}
	oid, err := readOID(&outer)
	return err == nil && (oid == oidGMSignedData || oid == oidSignedData)
}

// ReadSignedData reads one DER SignedData. It verifies nothing; a message without signers is read, and is worth nothing.
func ReadSignedData(der []byte) (*SignedData, error) {
	if len(der) > maxSignedData {
		return nil, errors.New("signed data is at most 8 MiB")
	}
	in := cryptobyte.String(der)
	var outer, wrapped, body cryptobyte.String
	if !in.ReadASN1(&outer, asn1.SEQUENCE) || !in.Empty() {
		return nil, errSignedData
	}
	oid, err := readOID(&outer)
	if err != nil || oid != oidGMSignedData && oid != oidSignedData ||
		!outer.ReadASN1(&wrapped, context0) || !outer.Empty() ||
		!wrapped.ReadASN1(&body, asn1.SEQUENCE) || !wrapped.Empty() {
		return nil, errSignedData
	}
	var version int
	var digests, content, signers cryptobyte.String
	if !body.ReadASN1Integer(&version) || !body.ReadASN1(&digests, asn1.SET) || !body.ReadASN1(&content, asn1.SEQUENCE) {
		return nil, errSignedData
	}
	s := &SignedData{}
	if err := s.readContent(content); err != nil {
		return nil, err
	}
	var certs cryptobyte.String
	var present bool
	if !body.ReadOptionalASN1(&certs, &present, context0) {
		return nil, errSignedData
	}
	for !certs.Empty() {
		var raw cryptobyte.String
		var tag asn1.Tag
		if len(s.Certificates) == maxCertsInside || !certs.ReadAnyASN1Element(&raw, &tag) {
			return nil, errSignedData
		}
		// A certificate that cannot be read is as good as missing.
		if c, err := Read(raw); err == nil {
			s.Certificates = append(s.Certificates, c)
		}
	}
	if !body.SkipOptionalASN1(context1) || !body.ReadASN1(&signers, asn1.SET) || !body.Empty() {
		return nil, errSignedData
	}
	for !signers.Empty() {
		var one cryptobyte.String
		if len(s.Signers) == maxSigners || !signers.ReadASN1(&one, asn1.SEQUENCE) {
			return nil, errSignedData
		}
		var si SignerInfo
		if err := si.read(one); err != nil {
			return nil, err
		}
		s.Signers = append(s.Signers, si)
	}
	return s, nil
}

const (
	context0 = asn1.Tag(0xa0)
	context1 = asn1.Tag(0xa1)
)

func (s *SignedData) readContent(in cryptobyte.String) (err error) {
	if s.ContentType, err = readOID(&in); err != nil {
		return errSignedData
	}
	if in.Empty() {
		return nil
	}
	var wrapped, octets cryptobyte.String
	if !in.ReadASN1(&wrapped, context0) || !in.Empty() ||
		!wrapped.ReadASN1(&octets, asn1.OCTET_STRING) || !wrapped.Empty() {
		return errSignedData
	}
	s.Content = append([]byte{}, octets...)
	return nil
}

func (si *SignerInfo) read(in cryptobyte.String) (err error) {
	var version int
	var id, issuer, serial, alg, attrs cryptobyte.String
	if !in.ReadASN1Integer(&version) {
		return errSignedData
	}
	if in.PeekASN1Tag(asn1.SEQUENCE) {
		if !in.ReadASN1(&id, asn1.SEQUENCE) || !id.ReadASN1Element(&issuer, asn1.SEQUENCE) ||
			!id.ReadASN1(&serial, asn1.INTEGER) || !id.Empty() {
			return errSignedData
		}
		si.Issuer, si.Serial = issuer, serial
	} else if !in.ReadASN1(&id, asn1.Tag(0).ContextSpecific()) {
		return errSignedData
	} else {
		si.KeyID = id
	}
	if !in.ReadASN1(&alg, asn1.SEQUENCE) {
		return errSignedData
	}
	if si.Digest, err = readOID(&alg); err != nil {
		return errSignedData
	}
	if in.PeekASN1Tag(context0) {
		if !in.ReadASN1Element(&attrs, context0) {
			return errSignedData
		}
		si.HasAttributes = true
		si.attributes = bytes.Clone(attrs)
		si.attributes[0] = byte(asn1.SET) // signed as SET OF, stored as [0] IMPLICIT
		if err := si.readAttributes(attrs); err != nil {
			return err
		}
	}
	if !in.ReadASN1(&alg, asn1.SEQUENCE) {
		return errSignedData
	}
	if si.Algorithm, err = readOID(&alg); err != nil {
		return errSignedData
	}
	var value cryptobyte.String
	if !in.ReadASN1(&value, asn1.OCTET_STRING) || !in.SkipOptionalASN1(context1) || !in.Empty() {
		return errSignedData
	}
	si.Value = value
	return nil
}

func (si *SignerInfo) readAttributes(attrs cryptobyte.String) error {
	if !attrs.ReadASN1(&attrs, context0) {
		return errSignedData
	}
	seen := map[string]bool{}
	for !attrs.Empty() {
		var one, values cryptobyte.String
		if len(seen) == maxExtensions || !attrs.ReadASN1(&one, asn1.SEQUENCE) {
			return errSignedData
		}
		oid, err := readOID(&one)
		if err != nil || seen[oid] || !one.ReadASN1(&values, asn1.SET) || !one.Empty() {
			return errSignedData
		}
		seen[oid] = true
		ok := true
		switch oid {
		case oidContentType:
			si.ContentType, err = readOID(&values)
			ok = err == nil && values.Empty()
		case oidMessageDigest:
			var d cryptobyte.String
			ok = values.ReadASN1(&d, asn1.OCTET_STRING) && values.Empty()
			si.MessageDigest = d
		case oidSigningTime:
			si.SigningTime, ok = readTime(&values)
		}
		if !ok {
			return errSignedData
		}
	}
	return nil
}

// Signer finds the certificate that a SignerInfo names, in the message or among others; nil when it is not at hand.
func (s *SignedData) Signer(si *SignerInfo, others ...*Certificate) *Certificate {
	for _, list := range [][]*Certificate{s.Certificates, others} {
		for _, c := range list {
			if si.Issuer != nil && bytes.Equal(c.Serial, si.Serial) && sameName(c.RawIssuer, si.Issuer) ||
				si.KeyID != nil && bytes.Equal(c.SubjectKeyID, si.KeyID) {
				return c
			}
		}
	}
	return nil
}

// Verify checks the signature value with a certificate's key: over the signed attributes, or over content where there are
// none. It does not compare digests: see MessageDigest.
func (si *SignerInfo) Verify(c *Certificate, content []byte) (gm.SignatureForm, error) {
	message := content
	if si.HasAttributes {
		message = si.attributes
	}
	algorithm := si.Algorithm
	switch algorithm {
	case OIDSM2Curve, OIDSM2Sign:
		algorithm = OIDSM2WithSM3 // GB/T 35275 names the key's algorithm; the digest is SM3
	case oidRSA:
		algorithm = "1.2.840.113549.1.1.11" // PKCS#7 style; only SHA-256 is accepted with it
	}
	return CheckSignature(algorithm, c.PublicKey, message, si.Value)
}

// DigestOf computes the digest that an OID names: SM3 in the three spellings of the field, or SHA-256.
func DigestOf(oid string, data []byte) ([]byte, bool) {
	switch oid {
	case OIDSM3, OIDSM3 + ".1", OIDSM3 + ".2":
		d := gm.SM3(data)
		return d[:], true
	case "2.16.840.1.101.3.4.2.1":
		d := sha256.Sum256(data)
		return d[:], true
	}
	return nil, false
}
