package pki

import (
	"bytes"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// attribute is one type and value of a distinguished name.
type attribute struct {
	oid   string
	value string
	raw   []byte // content octets, for values that are no text
}

const bmpString = asn1.Tag(30)

// attributes lists a name's attributes in order; ok is false for a malformed name or one with more than 64.
func attributes(name cryptobyte.String) (list []attribute, ok bool) {
	var rdns cryptobyte.String
	if !name.ReadASN1(&rdns, asn1.SEQUENCE) {
		return nil, false
	}
	for !rdns.Empty() {
		var set cryptobyte.String
		if !rdns.ReadASN1(&set, asn1.SET) {
			return nil, false
		}
		for !set.Empty() {
			var atv, value cryptobyte.String
			var tag asn1.Tag
			if len(list) == 64 || !set.ReadASN1(&atv, asn1.SEQUENCE) {
				return nil, false
			}
			oid, err := readOID(&atv)
			if err != nil || !atv.ReadAnyASN1(&value, &tag) {
				return nil, false
			}
			list = append(list, attribute{oid, text(tag, value), value})
		}
	}
	return list, true
}

// text decodes a directory string without judging its alphabet.
func text(tag asn1.Tag, v []byte) string {
	if tag == bmpString && len(v)%2 == 0 {
		u := make([]uint16, 0, len(v)/2)
		for i := 0; i < len(v); i += 2 {
			u = append(u, uint16(v[i])<<8|uint16(v[i+1]))
		}
		return string(utf16.Decode(u))
	}
	if utf8.Valid(v) {
		return string(v)
	}
	return strings.ToValidUTF8(string(v), "\uFFFD")
}

// readName is the last CN and O of a name, shortened for display.
func readName(name cryptobyte.String) (cn, o string) {
	list, _ := attributes(name)
	for _, a := range list {
		switch a.oid {
		case "2.5.4.3":
			cn = display(a.value)
		case "2.5.4.10":
			o = display(a.value)
		}
	}
	return cn, o
}

// display drops control characters and cuts at 200 runes.
func display(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; r < ' ' || r == 0x7f || n > 200 {
			return -1
		}
		return r
	}, s)
}

// sameName compares names as RFC 5280 §7.1 does in the main: byte for byte, or attribute for attribute without regard
// to the string type, case and surplus space. Issuers of the field write the same name once as PrintableString and once
// as UTF8String.
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, ok := attributes(a)
	if !ok {
		return false
	}
	y, ok := attributes(b)
	if !ok || len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i].oid != y[i].oid || fold(x[i].value) != fold(y[i].value) {
			return false
		}
	}
	return len(x) > 0
}

func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// SubjectSerial is the subject's serialNumber attribute (2.5.4.5), where our certificates carry the organisation code
// (统一社会信用代码); "" when there is none.
func (c *Certificate) SubjectSerial() string {
	list, _ := attributes(cryptobyte.String(c.RawSubject))
	for _, a := range list {
		if a.oid == "2.5.4.5" {
			return a.value
		}
	}
	return ""
}
