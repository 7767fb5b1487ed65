package license_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/license"
)

func key(t testing.TB) (*gm.PrivateKey, license.DigestSigner) {
	t.Helper()
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k, func(_ context.Context, e [32]byte) ([]byte, error) { return gm.SignDigest(rand.Reader, k, e) }
}

func static(t testing.TB) (license.Static, *gm.PublicKey) {
	t.Helper()
	k, sign := key(t)
	s := license.Static{
		License: license.ID{0, 5, 1, 2, 3}, Kind: 3, IssueDate: "2026-11-22", ExpiryDate: "2031-11-21", List: 5 << 16, Index: 77,
		Salt: [16]byte{9}, Face: [32]byte{8},
	}
	if err := s.Sign(t.Context(), &k.PublicKey, sign); err != nil {
		t.Fatal(err)
	}
	return s, &k.PublicKey
}

func TestStaticCode(t *testing.T) {
	t.Parallel()
	s, pub := static(t)
	url, err := s.URL("https://yx.example/")
	if err != nil || !strings.HasPrefix(url, "HTTPS://YX.EXAMPLE/S/") || len(url) > 300 {
		t.Fatalf("%s: %v", url, err)
	}
	for _, text := range []string{url, " " + strings.ToLower(url) + "\n", url[strings.LastIndexByte(url, '/')+1:], "https://look-alike.example/s/" + url[strings.LastIndexByte(url, '/')+1:]} {
		got, err := license.ParseStaticText(text)
		if err != nil || got != s || !got.Verify(pub) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	_, other := static(t)
	if s.Verify(other) {
		t.Error("another issuer's key verifies it")
	}
	payload, err := s.Payload()
	if err != nil || len(payload) != license.StaticSize {
		t.Fatal(len(payload), err)
	}
	for i := range payload {
		changed := append([]byte(nil), payload...)
		changed[i] ^= 1
		if got, err := license.ParseStatic(changed); err == nil && got.Verify(pub) {
			t.Errorf("byte %d is not signed", i)
		}
	}
}

func TestFaceDigest(t *testing.T) {
	t.Parallel()
	// A map of one entry: a1 # map(1), 62 5a53 # "ZS", 63 e8b7af # "路", after a salt of zeros.
	want := gm.SM3(append(make([]byte, 16), 0xa1, 0x62, 'Z', 'S', 0x63, 0xe8, 0xb7, 0xaf))
	if got := (license.Face{{Code: "ZS", Text: " 路\n"}}).Digest([16]byte{}); got != want {
		t.Errorf("%x, want %x", got, want)
	}
	// Keys stand in the bytewise order of their encodings: the shorter first. Order on paper does not count, labels neither.
	a := license.Face{{Code: "ZS", Name: "x", Text: "一  二"}, {Code: "A", Text: "e\u0301"}, {Code: "JYFW", Text: "三"}}
	b := license.Face{{Code: "JYFW", Text: "三"}, {Code: "A", Text: "\u00e9"}, {Code: "ZS", Text: "一\n二"}}
	if a.Digest([16]byte{1}) != b.Digest([16]byte{1}) || a.Digest([16]byte{1}) == a.Digest([16]byte{2}) {
		t.Error("the digest does not depend on texts and salt alone")
	}
	b[0].Text = "四"
	if a.Digest([16]byte{1}) == b.Digest([16]byte{1}) {
		t.Error("another text has the same digest")
	}
}

func TestDynamicCode(t *testing.T) {
	t.Parallel()
	secret := []byte("01234567890123456789012345678901")
	h := license.Handle{0, 5, 0x50, 0x01, 7, 7, 7}
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	d := license.NewDynamic(secret, h, at, 0b1011)
	if d.Handle.Cell() != 5 || d.Handle.Day() != 0x5001 {
		t.Error(d.Handle)
	}
	url := d.URL("https://yx.example")
	kind, payload, err := license.SplitCode(url)
	if err != nil || kind != license.CodeDynamic || len(payload) != 46 {
		t.Fatalf("%s: %c %d %v", url, kind, len(payload), err)
	}
	got, err := license.ParseDynamic(payload)
	if err != nil || got.Handle != h || !got.At.Equal(at) || got.Mask != 0b1011 || !got.Verify(secret) || got.Verify(secret[1:]) {
		t.Fatalf("%+v: %v", got, err)
	}
	for i := range payload {
		changed := append([]byte(nil), payload...)
		changed[i] ^= 1
		if v, err := license.ParseDynamic(changed); err == nil && v.Verify(secret) {
			t.Errorf("byte %d is not authenticated", i)
		}
	}
	// Computed by Python's hmac and struct.
	const want = "015200055001070707000000000000000000000000006b02a1000000000b859df4ccffee38680126d16ad4aa80f3"
	if got := hex.EncodeToString(payload); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// The example of the Token Status List draft: two bits each, c9 44 f9.
func TestStatusBits(t *testing.T) {
	t.Parallel()
	values := []uint8{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3}
	b := license.NewStatusBits(len(values))
	for i, v := range values {
		b.Set(uint32(i), 3)
		b.Set(uint32(i), v)
	}
	if got := hex.EncodeToString(b); got != "c944f9" {
		t.Fatal(got)
	}
	packed, err := b.Compress()
	if err != nil {
		t.Fatal(err)
	}
	if got := base64.RawURLEncoding.EncodeToString(packed); got != "eNo76fITAAPfAgc" {
		// Go's DEFLATE may choose other blocks for the same bytes; what counts is that both unpack to them.
		t.Logf("packed as %s", got)
	}
	want, err := base64.RawURLEncoding.DecodeString("eNo76fITAAPfAgc")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range [][]byte{packed, want} {
		got, err := license.DecompressStatus(p)
		if err != nil || !cmp.Equal([]byte(got), []byte(b)) {
			t.Errorf("%x: %x, %v", p, got, err)
		}
	}
	for i, v := range values {
		if got, ok := b.Get(uint32(i)); !ok || got != v {
			t.Errorf("index %d: %d", i, got)
		}
	}
	if _, ok := b.Get(12); ok {
		t.Error("an index out of range was read")
	}
	whole, err := license.NewStatusBits(license.StatusListSize + 4).Compress()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := license.DecompressStatus(whole); err == nil {
		t.Error("more than one shard was unpacked")
	}
	if _, err := license.DecompressStatus(append(packed, 0)); err == nil {
		t.Error("bytes behind the list were accepted")
	}
}

func TestStatusEvidence(t *testing.T) {
	t.Parallel()
	k, sign := key(t)
	e := license.StatusEvidence{
		List: 5 << 16, Index: 77, Value: license.StatusNot,
		IssuedAt: time.Date(2026, 11, 22, 8, 0, 0, 5000, time.UTC), NextUpdate: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC),
	}
	if err := e.Sign(t.Context(), &k.PublicKey, sign); err != nil {
		t.Fatal(err)
	}
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := license.ParseStatusEvidence(b)
	if err != nil || !got.Verify(&k.PublicKey) {
		t.Fatalf("%s: %v", b, err)
	}
	if diff := cmp.Diff(e, got); diff != "" {
		t.Errorf("(-signed +read):\n%s", diff)
	}
	other, _ := key(t)
	if got.Verify(&other.PublicKey) {
		t.Error("another key verifies it")
	}
	// Nothing can be changed, and nothing written otherwise.
	for name, change := range map[string]func(map[string]any){
		"list": func(m map[string]any) { m["list"] = 1 }, "index": func(m map[string]any) { m["index"] = 78 },
		"value": func(m map[string]any) { m["value"] = 0 }, "key": func(m map[string]any) { m["key_id"] = "AAAAAAAAAAAAA" },
		"issued": func(m map[string]any) { m["issued_at"] = "2026-11-22T09:00:00Z" },
		"next":   func(m map[string]any) { m["next_update"] = "2027-11-22T09:00:00Z" },
		"zone":   func(m map[string]any) { m["issued_at"] = "2026-11-22T16:00:00+08:00" },
		"more":   func(m map[string]any) { m["extra"] = 1 },
		"less":   func(m map[string]any) { delete(m, "value") },
		"range":  func(m map[string]any) { m["index"] = 1 << 20 },
	} {
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		changed, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := license.ParseStatusEvidence(changed); err == nil && v.Verify(&k.PublicKey) {
			t.Errorf("%s: changed and still good", name)
		}
	}
}

func TestStatusSnapshot(t *testing.T) {
	t.Parallel()
	k, sign := key(t)
	s := license.StatusSnapshot{List: 9, IssuedAt: time.Unix(1000, 0), NextUpdate: time.Unix(90000, 0), Bits: []byte("bits")}
	if err := s.Sign(t.Context(), &k.PublicKey, sign); err != nil || !s.Verify(&k.PublicKey) {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*license.StatusSnapshot){
		"list": func(s *license.StatusSnapshot) { s.List++ }, "bits": func(s *license.StatusSnapshot) { s.Bits = []byte("bitz") },
		"issued": func(s *license.StatusSnapshot) { s.IssuedAt = s.IssuedAt.Add(time.Second) },
		"next":   func(s *license.StatusSnapshot) { s.NextUpdate = s.NextUpdate.Add(time.Second) },
	} {
		c := s
		if change(&c); c.Verify(&k.PublicKey) {
			t.Errorf("%s is not signed", name)
		}
	}
}

func FuzzParseStatic(f *testing.F) {
	s, _ := static(f)
	b, err := s.Payload()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := license.ParseStatic(b)
		if err != nil {
			return
		}
		if again, err := s.Payload(); err != nil || string(again) != string(b) {
			t.Errorf("%x became %x: %v", b, again, err)
		}
	})
}

func FuzzSplitCode(f *testing.F) {
	s, _ := static(f)
	url, err := s.URL("https://yx.example")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(url)
	f.Add(license.NewDynamic([]byte("k"), license.Handle{}, time.Unix(0, 0), 1).URL("http://localhost:8443"))
	f.Fuzz(func(t *testing.T, text string) {
		kind, payload, err := license.SplitCode(text)
		if err != nil {
			return
		}
		if kind == license.CodeDynamic {
			_, err = license.ParseDynamic(payload)
		} else {
			_, err = license.ParseStatic(payload)
		}
		_ = err // only that nothing panics
	})
}

func FuzzParseStatusEvidence(f *testing.F) {
	f.Add([]byte(`{"list":1,"index":2,"value":0,"issued_at":"2026-11-22T08:00:00Z","next_update":"2026-11-23T08:00:00Z","key_id":"AAAAAAAAAAAAA","signature":"AA=="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := license.ParseStatusEvidence(b)
		if err != nil {
			return
		}
		again, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if v, err := license.ParseStatusEvidence(again); err != nil || !cmp.Equal(v, e) {
			t.Errorf("%s became %s: %v", b, again, err)
		}
	})
}

func BenchmarkStaticParseVerify(b *testing.B) {
	s, pub := static(b)
	url, err := s.URL("https://yx.example")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		v, err := license.ParseStaticText(url)
		if err != nil || !v.Verify(pub) {
			b.Fatal(err)
		}
	}
}
