package pki

import (
	"bytes"
	"crypto/x509"
	encasn1 "encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// Limits on certificates from strangers.
const (
	maxCertificate = 64 << 10 // bytes of DER
	maxExtensions  = 64
	maxListed      = 32 // URLs, purposes
)

// The extended key usage that a time-stamping authority (时间戳服务机构) must have (RFC 3161 §2.3).
const UsageTimeStamping = "1.3.6.1.5.5.7.3.8"

// Certificate is an X.509 certificate read leniently: strings are not checked and unknown extensions are kept as names,
// because real certificates of licensed authorities hold strings that strict readers refuse while their signatures are
// good. Every byte slice points into Raw or a copy of it; nothing is ever encoded again before it is verified.
type Certificate struct {
	Raw        []byte
	RawTBS     []byte // what the issuer signed
	RawIssuer  []byte
	RawSubject []byte
	RawSPKI    []byte
	Serial     []byte // content octets of the INTEGER, as they stand

	SignatureAlgorithm string // dotted OID
	Signature          []byte // payload of the BIT STRING

	NotBefore time.Time
	NotAfter  time.Time

	PublicKey any // *ecdsa.PublicKey (SM2 or a NIST curve) or *rsa.PublicKey; nil when the kind is not known

	HasKeyUsage bool
	KeyUsage    x509.KeyUsage
	ExtKeyUsage []string // dotted OIDs

	HasBasicConstraints bool
	IsCA                bool
	MaxPathLen          int // -1: no limit

	SubjectKeyID   []byte
	AuthorityKeyID []byte

	CRLDistributionPoints []string
	OCSPServers           []string
	IssuerURLs            []string

	UnknownCritical []string // critical extensions that this reader does not know, dotted OIDs

	commonName, organization string
}

// ParseCertificate reads one DER certificate. The certificate is nil when even the lenient reader cannot find its parts;
// then the only check says SIGNER_CERT_ENCODING. CERT_ENCODING_NONCONFORMANT is a warning: the strict reader refuses what
// the lenient one understood.
func ParseCertificate(der []byte) (*Certificate, []verdict.Check) {
	c, err := Read(der)
	if err != nil {
		return nil, []verdict.Check{verdict.Note("certificate.encoding", verdict.SignerCertEncoding, "", err.Error())}
	}
	if _, err := gm.ParseCertificate(der); err != nil {
		return c, []verdict.Check{verdict.Note("certificate.encoding", verdict.CertEncodingNonconformant, "",
			"the strict reader refuses it")}
	}
	return c, nil
}

// Read is ParseCertificate without the strict reader's opinion.
func Read(der []byte) (*Certificate, error) {
	if len(der) > maxCertificate {
		return nil, errors.New("a certificate is at most 64 KiB")
	}
	var all, outer, tbs cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1Element(&all, asn1.SEQUENCE) || !in.Empty() {
		return nil, errors.New("a certificate is one DER SEQUENCE")
	}
	c := &Certificate{Raw: bytes.Clone(der), MaxPathLen: -1}
	outer = cryptobyte.String(c.Raw)
	if !outer.ReadASN1(&outer, asn1.SEQUENCE) {
		return nil, errors.New("a certificate is one DER SEQUENCE")
	}
	var sigAlg cryptobyte.String
	if !outer.ReadASN1Element(&tbs, asn1.SEQUENCE) || !outer.ReadASN1(&sigAlg, asn1.SEQUENCE) ||
		!readBits(&outer, &c.Signature) || !outer.Empty() {
		return nil, errors.New("a certificate has three parts")
	}
	c.RawTBS = tbs
	var err error
	if c.SignatureAlgorithm, err = readOID(&sigAlg); err != nil {
		return nil, fmt.Errorf("signature algorithm: %w", err)
	}
	if err := c.readTBS(tbs); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Certificate) readTBS(tbs cryptobyte.String) error {
	if !tbs.ReadASN1(&tbs, asn1.SEQUENCE) {
		return errors.New("tbsCertificate is a SEQUENCE")
	}
	if !tbs.SkipOptionalASN1(asn1.Tag(0).Constructed().ContextSpecific()) {
		return errors.New("version is malformed")
	}
	var serial, alg, issuer, validity, subject, spki cryptobyte.String
	if !tbs.ReadASN1(&serial, asn1.INTEGER) || !tbs.ReadASN1(&alg, asn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&issuer, asn1.SEQUENCE) || !tbs.ReadASN1(&validity, asn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&subject, asn1.SEQUENCE) || !tbs.ReadASN1Element(&spki, asn1.SEQUENCE) {
		return errors.New("tbsCertificate lacks a part")
	}
	if len(serial) == 0 || len(serial) > 64 {
		return errors.New("the serial number has 1 to 64 bytes")
	}
	c.Serial, c.RawIssuer, c.RawSubject, c.RawSPKI = serial, issuer, subject, spki
	// The algorithm stands twice, once signed; they must agree or the unsigned one could choose how to verify.
	if inner, err := readOID(&alg); err != nil || inner != c.SignatureAlgorithm {
		return errors.New("the two signature algorithms differ")
	}
	var ok bool
	if c.NotBefore, ok = readTime(&validity); !ok {
		return errors.New("notBefore is malformed")
	}
	if c.NotAfter, ok = readTime(&validity); !ok {
		return errors.New("notAfter is malformed")
	}
	c.PublicKey = readPublicKey(spki)
	c.commonName, c.organization = readName(subject)
	for tag := range uint8(2) { // issuerUniqueID, subjectUniqueID
		if !tbs.SkipOptionalASN1(asn1.Tag(tag + 1).ContextSpecific()) {
			return errors.New("a unique identifier is malformed")
		}
	}
	var wrapped, list cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&wrapped, &present, asn1.Tag(3).Constructed().ContextSpecific()) || !tbs.Empty() {
		return errors.New("extensions are malformed")
	}
	if !present {
		return nil
	}
	if !wrapped.ReadASN1(&list, asn1.SEQUENCE) || !wrapped.Empty() {
		return errors.New("extensions are malformed")
	}
	return c.readExtensions(list)
}

// CommonName is the subject's CN, or its organization, or "". For display only: it identifies nobody.
func (c *Certificate) CommonName() string {
	if c.commonName != "" {
		return c.commonName
	}
	return c.organization
}

// Organization is the subject's O, for display.
func (c *Certificate) Organization() string { return c.organization }

// Within reports whether at lies inside the certificate's dates, both ends included.
func (c *Certificate) Within(at time.Time) bool {
	return !at.Before(c.NotBefore) && !at.After(c.NotAfter)
}

// MaySign reports whether the key usage allows signatures: digitalSignature or contentCommitment, or no statement at all
// (GB/T 20518 §5.2.3; nothing else is asked of seal makers and signers).
func (c *Certificate) MaySign() bool {
	return !c.HasKeyUsage || c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0
}

// MayIssue reports whether the certificate may sign others: a CA by its basic constraints, and keyCertSign where there
// is a key usage at all.
func (c *Certificate) MayIssue() bool {
	return c.IsCA && (!c.HasKeyUsage || c.KeyUsage&x509.KeyUsageCertSign != 0)
}

// MayTimeStamp reports whether the certificate is for time stamping (RFC 3161 §2.3).
func (c *Certificate) MayTimeStamp() bool { return slices.Contains(c.ExtKeyUsage, UsageTimeStamping) }

// SM2Key is the certificate's key if it is an SM2 key.
func (c *Certificate) SM2Key() (*gm.PublicKey, bool) {
	if !gm.IsSM2(c.PublicKey) {
		return nil, false
	}
	k, ok := c.PublicKey.(*gm.PublicKey)
	return k, ok
}

// SelfIssued reports whether subject and issuer are the same name.
func (c *Certificate) SelfIssued() bool { return sameName(c.RawIssuer, c.RawSubject) }

// readOID reads an OBJECT IDENTIFIER as dotted text and leaves what follows.
func readOID(in *cryptobyte.String) (string, error) {
	var oid encasn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&oid) {
		return "", errors.New("not an object identifier")
	}
	return oid.String(), nil
}

// readBits reads a BIT STRING of whole octets.
func readBits(in *cryptobyte.String, out *[]byte) bool {
	var v cryptobyte.String
	if !in.ReadASN1(&v, asn1.BIT_STRING) || len(v) < 1 || v[0] != 0 {
		return false
	}
	*out = v[1:]
	return true
}

// readTime reads a UTCTime or GeneralizedTime; offsets and missing seconds occur in old certificates.
func readTime(in *cryptobyte.String) (time.Time, bool) {
	var v cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&v, &tag) || len(v) > 24 {
		return time.Time{}, false
	}
	var layouts []string
	switch tag {
	case asn1.UTCTime:
		layouts = []string{"060102150405Z0700", "0601021504Z0700"}
	case asn1.GeneralizedTime:
		layouts = []string{"20060102150405Z0700", "20060102150405.999Z0700"}
	default:
		return time.Time{}, false
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, string(v)); err == nil {
			if tag == asn1.UTCTime && t.Year() >= 2050 { // RFC 5280 §4.1.2.5.1
				t = t.AddDate(-100, 0, 0)
			}
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
