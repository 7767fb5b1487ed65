package pki

import (
	"bytes"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// StampError is why a time stamp is not accepted: the code of a document's time stamp, TRUST_ANCHOR_UNKNOWN when only the
// trust in its authority is missing.
type StampError struct {
	Code   verdict.Code
	Detail string
}

func (e *StampError) Error() string { return e.Detail }

// CheckTimeStamp verifies a time-stamp token (时间戳, RFC 3161, GB/T 20520) over value and gives its time. The authority's
// certificate must be inside, be good at that time, be for time stamping alone, and lead to an anchor with that role.
func CheckTimeStamp(token, value []byte, trust *Trust) (time.Time, *StampError) {
	fail := func(code verdict.Code, detail string) (time.Time, *StampError) {
		return time.Time{}, &StampError{code, detail}
	}
	sd, err := ReadSignedData(token)
	if err != nil {
		return fail(verdict.TimestampFormatInvalid, "not a time-stamp token")
	}
	if sd.ContentType != OIDTSTInfo || sd.Content == nil || len(sd.Signers) != 1 {
		return fail(verdict.TimestampFormatInvalid, "a token holds one TSTInfo and one signature")
	}
	at, err := readTSTInfo(sd.Content, value)
	if errors.Is(err, errImprint) {
		return fail(verdict.TimestampImprintInvalid, err.Error())
	} else if err != nil {
		return fail(verdict.TimestampFormatInvalid, err.Error())
	}
	si := &sd.Signers[0]
	want, ok := DigestOf(si.Digest, sd.Content)
	if !ok || !si.HasAttributes || si.ContentType != OIDTSTInfo || !bytes.Equal(want, si.MessageDigest) {
		return fail(verdict.TimestampSignatureInvalid, "the signed attributes do not fit the content")
	}
	c := sd.Signer(si)
	if c == nil {
		return fail(verdict.TimestampCertInvalid, "the authority's certificate is missing")
	}
	if _, err := si.Verify(c, sd.Content); err != nil {
		return fail(verdict.TimestampSignatureInvalid, "the token's signature does not verify")
	}
	if !c.MayTimeStamp() || !c.MaySign() || !c.Within(at) {
		return fail(verdict.TimestampCertInvalid, "the authority's certificate is not for this")
	}
	switch ch := trust.Chain(c, sd.Certificates, at); {
	case ch.Result == ChainBroken:
		return fail(verdict.TimestampCertInvalid, ch.Detail)
	case ch.Result == ChainUnknownRoot:
		return fail(verdict.TrustAnchorUnknown, "the time-stamping authority is not known")
	case !ch.Anchor.May(RoleTSA):
		return fail(verdict.TrustAnchorUnknown, "the anchor is not trusted for time stamps")
	}
	return at, nil
}

var errImprint = errors.New("the time stamp is for something else")

// readTSTInfo reads the statement (RFC 3161 §2.4.2) and compares its imprint with the digest of value.
func readTSTInfo(der, value []byte) (time.Time, error) {
	malformed := errors.New("the TSTInfo is malformed")
	in := cryptobyte.String(der)
	var info, imprint, alg, digest, serial cryptobyte.String
	var version int
	if !in.ReadASN1(&info, asn1.SEQUENCE) || !in.Empty() || !info.ReadASN1Integer(&version) || version != 1 {
		return time.Time{}, malformed
	}
	if _, err := readOID(&info); err != nil || !info.ReadASN1(&imprint, asn1.SEQUENCE) ||
		!imprint.ReadASN1(&alg, asn1.SEQUENCE) || !imprint.ReadASN1(&digest, asn1.OCTET_STRING) || !imprint.Empty() ||
		!info.ReadASN1(&serial, asn1.INTEGER) || !info.PeekASN1Tag(asn1.GeneralizedTime) {
		return time.Time{}, malformed
	}
	at, ok := readTime(&info)
	if !ok {
		return time.Time{}, malformed
	}
	kind, err := readOID(&alg)
	if err != nil {
		return time.Time{}, malformed
	}
	want, ok := DigestOf(kind, value)
	if !ok || !bytes.Equal(want, digest) {
		return time.Time{}, errImprint
	}
	return at, nil
}
