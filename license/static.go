package license

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// The bytes of a static code: version 1, id 18, issuer key id 8, kind number 4, issue date 4, expiry date 4, status list 4,
// status index 4, salt 16, face digest 32, grade 1, signature 64; 160 in all. Numbers are big-endian.
const (
	staticVersion = 1
	staticSigned  = 1 + 18 + 8 + 4 + 4 + 4 + 4 + 4 + 16 + 32 + 1
	StaticSize    = staticSigned + 64
)

// staticContext stands in front of the record when it is signed, so that no signature over anything else passes for one.
const staticContext = "yinxin static code 1\n"

// Static is a static code (静态码), the signed record printed on a license.
type Static struct {
	License    ID
	Key        [8]byte // KeyID of the issuer's key for static codes
	Kind       uint32  // the kind's number
	IssueDate  string  // yyyy-mm-dd
	ExpiryDate string  // yyyy-mm-dd, empty: no end
	List       uint32  // status list: cell ‖ shard
	Index      uint32
	Salt       [16]byte
	Face       [32]byte // face digest under Salt
	Grade      byte     // 0 born here; 'A', 'B', 'C' imported
	signature  [64]byte
}

// KeyID names a key in a static code and in status evidence: the first eight bytes of SM3 of its uncompressed point.
func KeyID(pub *gm.PublicKey) [8]byte {
	d := gm.SM3(gm.MarshalPublicKey(pub))
	return [8]byte(d[:8])
}

// DigestSigner signs an SM2 digest with a key that it has in mind; it gives strict DER.
type DigestSigner func(ctx context.Context, e [32]byte) ([]byte, error)

// Sign completes the record under the issuer's key; its Key becomes that key's ID.
func (s *Static) Sign(ctx context.Context, pub *gm.PublicKey, sign DigestSigner) error {
	s.Key = KeyID(pub)
	body, err := s.body()
	if err != nil {
		return err
	}
	e, err := gm.SignatureDigest(pub, append([]byte(staticContext), body...))
	if err != nil {
		return fault.Wrap(err, fault.Internal, "static_key", "the key for static codes is no SM2 key")
	}
	der, err := sign(ctx, e)
	if err != nil {
		return err
	}
	if s.signature, err = rawSignature(der); err != nil {
		return err
	}
	if !s.Verify(pub) {
		return fault.New(fault.Internal, "static_signature", "the static code's own signature does not verify")
	}
	return nil
}

// Verify tells whether the record was signed with the key. Everything else in it is worth nothing before.
func (s Static) Verify(pub *gm.PublicKey) bool {
	body, err := s.body()
	if err != nil || KeyID(pub) != s.Key {
		return false
	}
	der, _, ok := gm.NormalizeSignature(s.signature[:])
	return ok && gm.Verify(pub, append([]byte(staticContext), body...), der)
}

// Payload is the record's bytes.
func (s Static) Payload() ([]byte, error) {
	body, err := s.body()
	if err != nil {
		return nil, err
	}
	return append(body, s.signature[:]...), nil
}

// URL is the code as a QR holds it.
func (s Static) URL(base string) (string, error) {
	b, err := s.Payload()
	if err != nil {
		return "", err
	}
	return codeURL(base, CodeStatic, b), nil
}

// ParseStatic reads a record's bytes. It does not check the signature: see Verify.
func ParseStatic(b []byte) (Static, error) {
	bad := fault.New(fault.Invalid, "code_malformed", "this is no static code of a known version")
	if len(b) != StaticSize || b[0] != staticVersion {
		return Static{}, bad
	}
	s := Static{
		License: ID(b[1:19]), Key: [8]byte(b[19:27]), Kind: binary.BigEndian.Uint32(b[27:]),
		List: binary.BigEndian.Uint32(b[39:]), Index: binary.BigEndian.Uint32(b[43:]),
		Salt: [16]byte(b[47:63]), Face: [32]byte(b[63:95]), Grade: b[95], signature: [64]byte(b[staticSigned:]),
	}
	var ok, ok2 bool
	s.IssueDate, ok = dateText(binary.BigEndian.Uint32(b[31:]))
	s.ExpiryDate, ok2 = dateText(binary.BigEndian.Uint32(b[35:]))
	if !ok || !ok2 || s.IssueDate == "" || s.Index >= StatusListSize || s.Grade != 0 && (s.Grade < 'A' || s.Grade > 'C') {
		return Static{}, bad
	}
	return s, nil
}

// ParseStaticText reads a static code as it is scanned, pasted or stored in a file's metadata.
func ParseStaticText(text string) (Static, error) {
	kind, payload, err := SplitCode(text)
	if err != nil {
		return Static{}, err
	}
	if kind != CodeStatic {
		return Static{}, fault.New(fault.Invalid, "code_malformed", "this is not a static code")
	}
	return ParseStatic(payload)
}

func (s Static) body() ([]byte, error) {
	issue, err := dateNumber(s.IssueDate)
	if err != nil {
		return nil, err
	}
	var expiry uint32
	if s.ExpiryDate != "" {
		if expiry, err = dateNumber(s.ExpiryDate); err != nil {
			return nil, err
		}
	}
	b := make([]byte, 0, StaticSize)
	b = append(b, staticVersion)
	b = append(b, s.License[:]...)
	b = append(b, s.Key[:]...)
	for _, n := range []uint32{s.Kind, issue, expiry, s.List, s.Index} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = append(b, s.Salt[:]...)
	b = append(b, s.Face[:]...)
	return append(b, s.Grade), nil
}

// dateNumber is a date as the decimal number yyyymmdd.
func dateNumber(s string) (uint32, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fault.Wrap(err, fault.Internal, "date", "a date of a static code is wrong")
	}
	return uint32(t.Year()*10000 + int(t.Month())*100 + t.Day()), nil
}

func dateText(n uint32) (string, bool) {
	if n == 0 {
		return "", true
	}
	s := fmt.Sprintf("%04d-%02d-%02d", n/10000, n/100%100, n%100)
	_, err := time.Parse(time.DateOnly, s)
	return s, err == nil && len(s) == 10 && !strings.HasPrefix(s, "0")
}

// rawSignature turns a strict DER signature into r ‖ s, 64 bytes.
func rawSignature(der []byte) ([64]byte, error) {
	var out [64]byte
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	r, s := make([]byte, 0, 33), make([]byte, 0, 33)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !readNumber(&seq, &r) || !readNumber(&seq, &s) || !seq.Empty() {
		return out, fault.New(fault.Internal, "signature_form", "the device gave a signature of another form")
	}
	copy(out[32-len(r):32], r)
	copy(out[64-len(s):], s)
	return out, nil
}

func readNumber(in *cryptobyte.String, out *[]byte) bool {
	var v cryptobyte.String
	if !in.ReadASN1(&v, asn1.INTEGER) {
		return false
	}
	for len(v) > 0 && v[0] == 0 {
		v = v[1:]
	}
	*out = v
	return len(v) <= 32
}
