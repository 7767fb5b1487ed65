package seal

import (
	"errors"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Signature is an electronic seal signature (电子签章, SES_Signature) as it was read. Byte slices point into the input.
type Signature struct {
	Version Version
	RawTBS  []byte // TBS_Sign with its header: what the signer signed

	RawSeal []byte
	Seal    *Seal // nil when it could not be read; SealErr says why
	SealErr error

	SignedAt     time.Time // timeInfo, claimed; zero when a V1 producer wrote something unreadable
	DataHash     []byte    // digest of the original (原文杂凑值)
	PropertyInfo string    // 原文属性信息: for OFD the path of Signature.xml
	Exts         []Ext

	Cert      []byte // DER certificate of the signer (签章者)
	Algorithm string // dotted OID
	Value     []byte // payload of the signature's BIT STRING
	TimeStamp []byte // token over Value; nil when absent
}

// ParseSignature reads one seal signature of any generation. It checks form, not signatures.
func ParseSignature(der []byte) (*Signature, error) {
	if len(der) > maxValue {
		return nil, errors.New("a signature value is at most 9 MiB")
	}
	in := cryptobyte.String(der)
	raw, err := readRaw(&in, asn1.SEQUENCE, "SES_Signature")
	if err != nil {
		return nil, err
	}
	n, err := children(raw)
	if err != nil {
		return nil, within("SES_Signature", err)
	}
	body := cryptobyte.String(raw)
	body, err = readSequence(&body, "SES_Signature")
	if err != nil {
		return nil, err
	}
	s := &Signature{}
	if s.RawTBS, err = readRaw(&body, asn1.SEQUENCE, "toSign"); err != nil {
		return nil, err
	}
	switch n {
	case 2:
		s.Version = V1
		if s.Value, err = readBits(&body, "signature"); err != nil {
			return nil, err
		}
	case 4, 5:
		if err = s.readSigned(&body); err != nil {
			return nil, err
		}
	default:
		return nil, within("SES_Signature", errors.New("two, four or five parts expected"))
	}
	if err = s.readTBS(); err != nil {
		return nil, err
	}
	if !in.Empty() {
		return s, errTrailing
	}
	return s, nil
}

func (s *Signature) readSigned(body *cryptobyte.String) (err error) {
	if s.Cert, err = readOctets(body, "cert"); err != nil {
		return err
	}
	if s.Algorithm, err = readOID(body, "signatureAlgID"); err != nil {
		return err
	}
	if s.Value, err = readBits(body, "signature"); err != nil {
		return err
	}
	if !body.Empty() {
		if s.TimeStamp, err = readTimeStamp(body); err != nil {
			return err
		}
	}
	if !body.Empty() {
		return bad("SES_Signature")
	}
	return nil
}

func (s *Signature) readTBS() error {
	in := cryptobyte.String(s.RawTBS)
	tbs, err := readSequence(&in, "toSign")
	if err != nil {
		return err
	}
	version, err := readInt(&tbs, "toSign.version")
	if err != nil {
		return err
	}
	if s.RawSeal, err = readRaw(&tbs, asn1.SEQUENCE, "toSign.eseal"); err != nil {
		return err
	}
	s.Seal, s.SealErr = readSeal(s.RawSeal)
	var unknown errVersion
	switch {
	case s.Version == V1:
	case errors.As(s.SealErr, &unknown) && int(unknown) == version:
		return s.SealErr
	case isVersion(s.SealErr):
		return within("toSign", errors.New("its version is not the seal's"))
	case version != int(V4) && version != int(V5):
		return bad("toSign.version")
	case s.Seal != nil && s.Seal.Version != Version(version):
		return within("toSign", errors.New("its version is not the seal's"))
	default:
		s.Version = Version(version)
	}
	if s.Version == V1 && s.Seal != nil && s.Seal.Version != V1 {
		return within("toSign", errors.New("its version is not the seal's"))
	}
	if s.Version == V1 {
		return s.readTBSV1(&tbs)
	}
	if s.SignedAt, err = readTime(&tbs, false, "toSign.timeInfo"); err != nil {
		return err
	}
	if s.DataHash, err = readBits(&tbs, "toSign.dataHash"); err != nil {
		return err
	}
	if s.PropertyInfo, err = readText(&tbs, tagIA5, "toSign.propertyInfo"); err != nil {
		return err
	}
	if !tbs.Empty() {
		var wrapped cryptobyte.String
		if !tbs.ReadASN1(&wrapped, tagExplicit0) {
			return bad("toSign.extDatas")
		}
		list, err := readSequence(&wrapped, "toSign.extDatas")
		if err != nil {
			return err
		}
		if !wrapped.Empty() || !tbs.Empty() {
			return bad("toSign.extDatas")
		}
		if s.Exts, err = readExts(list, "toSign.extDatas"); err != nil {
			return err
		}
	}
	return nil
}

func (s *Signature) readTBSV1(tbs *cryptobyte.String) (err error) {
	var when []byte
	if tbs.PeekASN1Tag(asn1.UTCTime) || tbs.PeekASN1Tag(asn1.GeneralizedTime) {
		if s.SignedAt, err = readTime(tbs, true, "toSign.timeInfo"); err != nil {
			return err
		}
	} else if when, err = readBitsOrOctets(tbs, "toSign.timeInfo"); err != nil {
		return err
	}
	if when != nil {
		s.SignedAt, s.TimeStamp = readTimeV1(when)
	}
	if s.DataHash, err = readBitsOrOctets(tbs, "toSign.dataHash"); err != nil {
		return err
	}
	if s.PropertyInfo, err = readText(tbs, tagIA5, "toSign.propertyInfo"); err != nil {
		return err
	}
	if s.Cert, err = readOctets(tbs, "toSign.cert"); err != nil {
		return err
	}
	if s.Algorithm, err = readOID(tbs, "toSign.signatureAlgorithm"); err != nil {
		return err
	}
	if !tbs.Empty() {
		return bad("toSign")
	}
	return nil
}

// readTimeV1 reads what V1 producers put in timeInfo: a UTCTime as the text asks, plain words (without a zone: Beijing
// time), or a time-stamp token.
func readTimeV1(v []byte) (time.Time, []byte) {
	in := cryptobyte.String(v)
	if t, err := readTime(&in, true, "timeInfo"); err == nil && in.Empty() {
		return t, nil
	}
	if len(v) > 0 && v[0] == byte(asn1.SEQUENCE) {
		return time.Time{}, v
	}
	text := strings.TrimSpace(string(v[:min(len(v), 40)]))
	for _, layout := range []string{time.RFC3339Nano, "20060102150405Z", "060102150405Z"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	beijing := time.FixedZone("CST", 8*3600)
	for _, layout := range []string{"2006-01-02 15:04:05", "20060102150405", "2006/01/02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, beijing); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, nil
}
