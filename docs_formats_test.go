package yinxin_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/license"
)

// The vectors of docs/vectors are written by the code from fixed inputs (go test . -run TestFormats -update) and read here
// by a second, short implementation of docs/formats.md, so that the document, the files and the code say the same.

// vector gives the stored vectors of a file. They must be what the code makes now, but for what is random in them, which
// forget clears; with -update they are written when they are not.
func vector[T any](t *testing.T, name string, fresh T, forget func(*T)) T {
	t.Helper()
	path := filepath.Join("docs", "vectors", name)
	var stored T
	if b, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(b, &stored); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	} else if !*update {
		t.Fatal(err)
	}
	a, b := clone(t, stored), clone(t, fresh)
	forget(&a)
	forget(&b)
	diff := cmp.Diff(b, a)
	if diff == "" {
		return stored
	}
	if !*update {
		t.Fatalf("%s differs from the code (-code +file):\n%s", path, diff)
	}
	out, err := json.MarshalIndent(fresh, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(out, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	return clone(t, fresh)
}

func clone[T any](t *testing.T, v T) (out T) {
	t.Helper()
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// octets are bytes as hex in JSON.
type octets []byte

func (o octets) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(o)), nil }

func (o *octets) UnmarshalText(b []byte) (err error) {
	*o, err = hex.DecodeString(string(b))
	return err
}

// scalar is a private key that everybody knows: 31 zero bytes and n.
func scalar(t *testing.T, n byte) (*gm.PrivateKey, license.DigestSigner) {
	t.Helper()
	d := make([]byte, 32)
	d[31] = n
	k, err := gm.ParsePrivateKey(d)
	if err != nil {
		t.Fatal(err)
	}
	return k, func(_ context.Context, e [32]byte) ([]byte, error) { return gm.SignDigest(rand.Reader, k, e) }
}

func base32Text(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// core is deterministic CBOR by a library that the license package does not use.
func core(t *testing.T, v any) []byte {
	t.Helper()
	m, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

type identifierVectors struct {
	Identifiers []struct {
		Text  string `json:"text"`
		Body  string `json:"body"`
		Check string `json:"check"`
	} `json:"identifiers"`
	Wrong          []string `json:"wrong_identifiers"`
	CitizenNumbers []string `json:"citizen_numbers"`
	WrongCitizens  []string `json:"wrong_citizen_numbers"`
	USCC           []string `json:"uscc"`
	WrongUSCC      []string `json:"wrong_uscc"`
}

// TestFormatsIdentifiers: identifiers that others published, and the numbers of the worked examples.
func TestFormatsIdentifiers(t *testing.T) {
	fresh := identifierVectors{
		Wrong: []string{
			"1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M",
			"1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.001.S",
			"1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.1.R",
		},
		CitizenNumbers: []string{"11010519491231002X", "440524188001010014", "990101199001010019", "990101199001010027", "99010119900101006X"},
		WrongCitizens:  []string{"330102199001010001", "11010519491231002x", "990101199002300017"},
		USCC:           []string{"91350100M000100Y43", "11100000000013338W", "11100000MB03271699", "91990000MA01000210", "11990000000000001G"},
		WrongUSCC:      []string{"91350100M000100Y4Z", "1199000000000O001G"},
	}
	for _, text := range []string{
		"1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
		"1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
		"1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
		"1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
		"1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.001.R",
	} {
		id, err := license.ParseIdentifier(text)
		if err != nil {
			t.Fatal(text, err)
		}
		parts := strings.Split(strings.TrimPrefix(id.String(), license.IdentifierRoot+"."), ".")
		body := strings.Join(parts[:4], "")
		c, _ := license.CheckCharacter(body)
		fresh.Identifiers = append(fresh.Identifiers, struct {
			Text  string `json:"text"`
			Body  string `json:"body"`
			Check string `json:"check"`
		}{id.String(), body, string(c)})
	}
	v := vector(t, "identifiers.json", fresh, func(*identifierVectors) {})
	for _, id := range v.Identifiers {
		const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		p := 36
		for _, c := range id.Body {
			s := (p + strings.IndexRune(alphabet, c)) % 36
			if s == 0 {
				s = 36
			}
			p = 2 * s % 37
		}
		if x := strings.Index(alphabet, id.Check); (p+x)%36 != 1 || !strings.HasSuffix(id.Text, "."+id.Check) {
			t.Errorf("%s: the check character does not close the sum", id.Text)
		}
	}
	for _, text := range v.Wrong {
		if _, err := license.ParseIdentifier(text); err == nil {
			t.Errorf("%s is accepted", text)
		}
	}
	for _, c := range []struct {
		list  []string
		valid func(string) bool
		want  bool
	}{
		{v.CitizenNumbers, license.ValidCitizenNumber, true},
		{v.WrongCitizens, license.ValidCitizenNumber, false},
		{v.USCC, license.ValidUSCC, true},
		{v.WrongUSCC, license.ValidUSCC, false},
	} {
		for _, n := range c.list {
			if c.valid(n) != c.want {
				t.Errorf("%s: valid is %v", n, !c.want)
			}
		}
	}
}

type codeVectors struct {
	ID struct {
		Bytes octets `json:"bytes"`
		Text  string `json:"text"`
		Cell  uint16 `json:"cell"`
	} `json:"id"`
	Dynamic struct {
		DeviceKey octets `json:"device_key"`
		Handle    octets `json:"handle"`
		At        uint32 `json:"at"`
		Mask      uint32 `json:"mask"`
		Payload   octets `json:"payload"`
		URL       string `json:"url"`
	} `json:"dynamic"`
	Static struct {
		PrivateKey octets `json:"private_key"`
		PublicKey  octets `json:"public_key"`
		KeyID      octets `json:"key_id"`
		License    string `json:"license"`
		Kind       uint32 `json:"kind"`
		Issued     string `json:"issue_date"`
		Expires    string `json:"expiry_date"`
		List       uint32 `json:"status_list"`
		Index      uint32 `json:"status_index"`
		Salt       octets `json:"salt"`
		Face       octets `json:"face_digest"`
		Grade      byte   `json:"grade"`
		Signed     octets `json:"signed"`    // the record without its signature
		Signature  octets `json:"signature"` // random: verify it, do not compare it
		URL        string `json:"url"`
	} `json:"static"`
}

// TestFormatsCodes: IDs, dynamic and static codes to the byte.
func TestFormatsCodes(t *testing.T) {
	const base = "https://yx.example"
	var fresh codeVectors
	id := license.ID{0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	fresh.ID.Bytes, fresh.ID.Text, fresh.ID.Cell = id[:], id.String(), id.Cell()
	h := license.Handle{0, 5, 0x51, 0x2b, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf}
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	d := license.NewDynamic(key, h, time.Unix(1_795_334_400, 0), 0b1011)
	fresh.Dynamic.DeviceKey, fresh.Dynamic.Handle, fresh.Dynamic.At, fresh.Dynamic.Mask = key, h[:], 1_795_334_400, 0b1011
	fresh.Dynamic.Payload, fresh.Dynamic.URL = d.Payload(), d.URL(base)

	k, sign := scalar(t, 7)
	s := license.Static{
		License: id, Kind: 3, IssueDate: "2026-11-22", ExpiryDate: "2031-11-21", List: 5 << 16, Index: 77,
		Salt: [16]byte{9}, Face: gm.SM3([]byte("face")),
	}
	if err := s.Sign(t.Context(), &k.PublicKey, sign); err != nil {
		t.Fatal(err)
	}
	payload, err := s.Payload()
	if err != nil {
		t.Fatal(err)
	}
	f := &fresh.Static
	f.PrivateKey, f.PublicKey, f.KeyID = gm.MarshalPrivateKey(k), gm.MarshalPublicKey(&k.PublicKey), s.Key[:]
	f.License, f.Kind, f.Issued, f.Expires, f.List, f.Index = id.String(), s.Kind, s.IssueDate, s.ExpiryDate, s.List, s.Index
	f.Salt, f.Face, f.Signed, f.Signature = s.Salt[:], s.Face[:], payload[:96], payload[96:]
	if f.URL, err = s.URL(base); err != nil {
		t.Fatal(err)
	}
	v := vector(t, "codes.json", fresh, func(v *codeVectors) { v.Static.Signature, v.Static.URL = nil, "" })

	same(t, "ID", v.ID.Text, base32Text(v.ID.Bytes))
	b := append([]byte{1, 'R'}, v.Dynamic.Handle...)
	b = binary.BigEndian.AppendUint32(b, v.Dynamic.At)
	b = binary.BigEndian.AppendUint32(b, v.Dynamic.Mask)
	m := hmac.New(sha256.New, v.Dynamic.DeviceKey)
	m.Write(b)
	b = append(b, m.Sum(nil)[:16]...)
	same(t, "dynamic payload", []byte(v.Dynamic.Payload), b)
	same(t, "dynamic URL", v.Dynamic.URL, "HTTPS://YX.EXAMPLE/P/"+base32Text(b))

	w := v.Static
	b = append([]byte{1}, v.ID.Bytes...)
	sum := gm.SM3(w.PublicKey)
	b = append(b, sum[:8]...)
	for _, n := range []uint32{w.Kind, 20261122, 20311121, w.List, w.Index} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = append(append(append(b, w.Salt...), w.Face...), w.Grade)
	same(t, "static record", []byte(w.Signed), b)
	same(t, "static URL", w.URL, "HTTPS://YX.EXAMPLE/S/"+base32Text(append(b, w.Signature...)))
	verified(t, "static code", w.PublicKey, append([]byte("yinxin static code 1\n"), b...), w.Signature)
	parsed, err := license.ParseStaticText(w.URL)
	if err != nil || !parsed.Verify(&k.PublicKey) {
		t.Errorf("the code refuses the stored static code: %v", err)
	}
}

// verified checks an SM2 signature, r ‖ s or DER, with the default user ID.
func verified(t *testing.T, what string, point, message, sig []byte) {
	t.Helper()
	pub, err := gm.ParsePublicKey(point)
	if err != nil {
		t.Fatal(err)
	}
	der, _, ok := gm.NormalizeSignature(sig)
	if !ok || !gm.Verify(pub, message, der) {
		t.Errorf("%s: the signature does not verify", what)
	}
}

type faceVectors struct {
	Items  [][2]string `json:"items"` // code and text as printed
	Salt   octets      `json:"salt"`
	CBOR   octets      `json:"cbor"`
	Digest octets      `json:"digest"`
}

// TestFormatsFace: the face digest.
func TestFormatsFace(t *testing.T) {
	items := [][2]string{{"ZZMC", "食品经营许可证"}, {"CZZT", "示例餐饮 有限公司"}, {"JYXM", "热食类\n食品制售"}, {"A", "e\u0301"}}
	var f license.Face
	folded := map[string]string{}
	for _, i := range items {
		f = append(f, license.FaceItem{Code: i[0], Name: "not digested", Text: i[1]})
		folded[i[0]] = license.FoldText(i[1])
	}
	var salt [16]byte
	copy(salt[:], "sixteen bytes...")
	d := f.Digest(salt)
	v := vector(t, "face.json", faceVectors{items, salt[:], core(t, folded), d[:]}, func(*faceVectors) {})
	want := gm.SM3(v.Salt, v.CBOR)
	same(t, "face digest", []byte(v.Digest), want[:])
	by := map[string]string{"ZZMC": "食品经营许可证", "CZZT": "示例餐饮 有限公司", "JYXM": "热食类 食品制售", "A": "\u00e9"}
	same(t, "face map", []byte(v.CBOR), core(t, by))
}
