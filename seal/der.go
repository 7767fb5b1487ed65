package seal

import (
	encasn1 "encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// The reader walks tag, length and value with cryptobyte, which knows definite minimal lengths only: BER is refused. All
// slices it hands out point into the input, so that what is verified is what was read.

const (
	maxSeal      = 8 << 20 // bytes of a seal; its picture may be a small document
	maxValue     = 9 << 20 // bytes of a signature value
	maxCertList  = 256
	maxExtDatas  = 64
	maxText      = 4096
	tagExplicit0 = asn1.Tag(0xa0)
	tagIA5       = asn1.Tag(22)
	tagPrintable = asn1.Tag(19)
)

// malformed is what the structures' readers return: where, and what was expected there.
type malformed struct {
	part string
	err  error
}

func (m *malformed) Error() string {
	if m.err != nil {
		return m.part + ": " + m.err.Error()
	}
	return m.part + " is malformed"
}

func (m *malformed) Unwrap() error { return m.err }

func bad(part string) error { return &malformed{part: part} }

func within(part string, err error) error { return &malformed{part: part, err: err} }

func readSequence(in *cryptobyte.String, part string) (cryptobyte.String, error) {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) {
		return nil, bad(part)
	}
	return seq, nil
}

// readRaw gives one element of the tag with its header.
func readRaw(in *cryptobyte.String, tag asn1.Tag, part string) ([]byte, error) {
	var raw cryptobyte.String
	if !in.ReadASN1Element(&raw, tag) {
		return nil, bad(part)
	}
	return raw, nil
}

func readText(in *cryptobyte.String, tag asn1.Tag, part string) (string, error) {
	var v cryptobyte.String
	if !in.ReadASN1(&v, tag) || len(v) > maxText || !utf8.Valid(v) {
		return "", bad(part)
	}
	return string(v), nil
}

func readInt(in *cryptobyte.String, part string) (int, error) {
	var v int32
	if !in.ReadASN1Integer(&v) {
		return 0, bad(part)
	}
	return int(v), nil
}

func readOctets(in *cryptobyte.String, part string) ([]byte, error) {
	var v cryptobyte.String
	if !in.ReadASN1(&v, asn1.OCTET_STRING) {
		return nil, bad(part)
	}
	return v, nil
}

// readBits reads a BIT STRING of whole octets, as all of these structures have.
func readBits(in *cryptobyte.String, part string) ([]byte, error) {
	var v cryptobyte.String
	if !in.ReadASN1(&v, asn1.BIT_STRING) || len(v) == 0 || v[0] != 0 {
		return nil, bad(part)
	}
	return v[1:], nil
}

// readBitsOrOctets also takes an OCTET STRING, which some V1 files have in a BIT STRING's place.
func readBitsOrOctets(in *cryptobyte.String, part string) ([]byte, error) {
	if in.PeekASN1Tag(asn1.OCTET_STRING) {
		return readOctets(in, part)
	}
	return readBits(in, part)
}

func readOID(in *cryptobyte.String, part string) (string, error) {
	var oid encasn1.ObjectIdentifier
	if !in.ReadASN1ObjectIdentifier(&oid) {
		return "", bad(part)
	}
	return oid.String(), nil
}

// readTime reads a GeneralizedTime, or with v1 a UTCTime as well; both in UTC with seconds. Digits that look like local
// time are taken as they stand: they are labelled UTC.
func readTime(in *cryptobyte.String, v1 bool, part string) (time.Time, error) {
	var v cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&v, &tag) {
		return time.Time{}, bad(part)
	}
	switch {
	case tag == asn1.GeneralizedTime:
		return parseTime(string(v), part, "20060102150405Z", "20060102150405.999Z")
	case tag == asn1.UTCTime && v1:
		return parseTime(string(v), part, "060102150405Z")
	}
	return time.Time{}, bad(part)
}

func parseTime(s, part string, layouts ...string) (time.Time, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, bad(part)
}

// Ext is one item of ExtensionDatas (自定义数据).
type Ext struct {
	ID       string // dotted OID
	Critical bool
	Value    []byte
}

// readExts reads ExtensionDatas. critical FALSE stands explicitly in the field although DER omits defaults.
func readExts(list cryptobyte.String, part string) ([]Ext, error) {
	var out []Ext
	for !list.Empty() {
		if len(out) == maxExtDatas {
			return nil, within(part, errors.New("too many items"))
		}
		item, err := readSequence(&list, part)
		if err != nil {
			return nil, err
		}
		var e Ext
		if e.ID, err = readOID(&item, part); err != nil {
			return nil, err
		}
		var critical cryptobyte.String
		var present bool
		if !item.ReadOptionalASN1(&critical, &present, asn1.BOOLEAN) ||
			present && (len(critical) != 1 || critical[0] != 0 && critical[0] != 0xff) {
			return nil, bad(part)
		}
		e.Critical = present && critical[0] == 0xff
		if e.Value, err = readOctets(&item, part); err != nil {
			return nil, err
		}
		if !item.Empty() {
			return nil, bad(part)
		}
		out = append(out, e)
	}
	return out, nil
}

// children counts the elements of the one SEQUENCE that raw is.
func children(raw []byte) (int, error) {
	in := cryptobyte.String(raw)
	seq, err := readSequence(&in, "structure")
	if err != nil {
		return 0, err
	}
	n := 0
	for ; !seq.Empty(); n++ {
		var v cryptobyte.String
		var tag asn1.Tag
		if n == 8 || !seq.ReadAnyASN1(&v, &tag) {
			return 0, bad("structure")
		}
	}
	return n, nil
}

// ascii reports whether s fits an IA5String.
func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x7f || r == utf8.RuneError }) < 0
}

func addIA5(b *cryptobyte.Builder, s string) {
	if !ascii(s) {
		b.SetError(fmt.Errorf("seal: an IA5String holds ASCII only"))
		return
	}
	b.AddASN1(tagIA5, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func addUTF8(b *cryptobyte.Builder, s string) {
	b.AddASN1(asn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
}

func addOID(b *cryptobyte.Builder, dotted string) {
	var oid encasn1.ObjectIdentifier
	for part := range strings.SplitSeq(dotted, ".") {
		n := 0
		if _, err := fmt.Sscan(part, &n); err != nil {
			b.SetError(fmt.Errorf("seal: object identifier: %w", err))
			return
		}
		oid = append(oid, n)
	}
	b.AddASN1ObjectIdentifier(oid)
}

func addTime(b *cryptobyte.Builder, t time.Time) {
	b.AddASN1GeneralizedTime(t.UTC().Truncate(time.Second))
}
