package gm_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"testing"

	foreign "github.com/tjfoc/gmsm/sm3"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSM3 has the example of GB/T 32905 annex A.1 and agrees with a second implementation.
func TestSM3(t *testing.T) {
	t.Parallel()
	d := gm.SM3([]byte("abc"))
	if got := hex.EncodeToString(d[:]); got != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" {
		t.Errorf("SM3(abc) = %s", got)
	}
	for n := range 200 {
		b := bytes.Repeat([]byte{byte(n)}, n)
		whole, parts := gm.SM3(b), gm.SM3(b[:n/3], b[n/3:n/2], b[n/2:])
		if whole != parts || !bytes.Equal(whole[:], foreign.Sm3Sum(b)) {
			t.Errorf("%d bytes: %x, in parts %x", n, whole, parts)
		}
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	again, err := gm.ParsePrivateKey(gm.MarshalPrivateKey(k))
	if err != nil || !again.Equal(k) {
		t.Fatalf("a key read back is another: %v", err)
	}
	pub, err := gm.ParsePublicKey(gm.MarshalPublicKey(&k.PublicKey))
	if err != nil || !pub.Equal(&k.PublicKey) {
		t.Fatalf("a public key read back is another: %v", err)
	}
	message := []byte("message")
	e, err := gm.SignatureDigest(pub, message)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := gm.SignDigest(rand.Reader, k, e)
	if err != nil || !gm.VerifyDigest(pub, e, sig) || !gm.Verify(pub, message, sig) {
		t.Fatalf("own signature: %v", err)
	}
	if gm.Verify(pub, []byte("massage"), sig) || gm.VerifyDigest(pub, e, append(sig, 0)) {
		t.Error("another message, or bytes behind the signature, are accepted")
	}
	off := gm.MarshalPublicKey(pub)
	off[64] ^= 1
	if _, err := gm.ParsePublicKey(off); err == nil {
		t.Error("a point off the curve is a key")
	}
}

func TestSealedBytes(t *testing.T) {
	t.Parallel()
	key, plain, place := bytes.Repeat([]byte{1}, 16), []byte("plain"), []byte("place")
	sealed, err := gm.SealBytes(rand.Reader, key, plain, place)
	if err != nil || len(sealed) != len(plain)+gm.Overhead {
		t.Fatalf("%d bytes, %v", len(sealed), err)
	}
	if got, err := gm.OpenBytes(key, sealed, place); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opens to %q, %v", got, err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := gm.OpenBytes(key, changed, place); err == nil {
			t.Errorf("byte %d may change", i)
		}
	}
	if _, err := gm.OpenBytes(key, sealed, []byte("elsewhere")); err == nil {
		t.Error("sealed bytes open in another place")
	}
}

// TestNormalizeSignature: the three encodings of the field have one meaning, and nothing else has any.
func TestNormalizeSignature(t *testing.T) {
	t.Parallel()
	r, s := bytes.Repeat([]byte{0x11}, 32), bytes.Repeat([]byte{0x22}, 32)
	der := append(append(append([]byte{0x30, 68, 2, 32}, r...), 2, 32), s...)
	padded := append(append(append([]byte{0x30, 69, 2, 33, 0}, r...), 2, 32), s...)
	for _, c := range []struct {
		name string
		in   []byte
		form gm.SignatureForm
	}{
		{"strict", der, gm.StrictDER},
		{"raw", append(bytes.Clone(r), s...), gm.RawRS},
		{"padded", padded, gm.PaddedDER},
	} {
		got, form, ok := gm.NormalizeSignature(c.in)
		if !ok || form != c.form || !bytes.Equal(got, der) {
			t.Errorf("%s: %x, %s, %v", c.name, got, form, ok)
		}
	}
	for name, in := range map[string][]byte{
		"empty": nil, "trailing": append(bytes.Clone(der), 0), "63 bytes": make([]byte, 63), "negative": unhex(t, "3006020180020101"),
		"three numbers": unhex(t, "3009020101020101020101"), "one number": unhex(t, "3003020101"), "indefinite": unhex(t, "30800201010201010000"),
		"long": append(append(append([]byte{0x30, 69, 2, 33, 1}, r...), 2, 32), s...),
	} {
		if _, form, ok := gm.NormalizeSignature(in); ok {
			t.Errorf("%s is accepted as %s", name, form)
		}
	}
}

func FuzzNormalizeSignature(f *testing.F) {
	f.Add(make([]byte, 64))
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		der, _, ok := gm.NormalizeSignature(in)
		if !ok {
			return
		}
		again, form, ok := gm.NormalizeSignature(der)
		// 64 bytes of DER and 64 raw bytes can only be told apart by their form; what comes out is strict.
		if !ok || form != gm.StrictDER || !bytes.Equal(again, der) {
			t.Errorf("%x gives %x, which gives %x as %s", in, der, again, form)
		}
	})
}

func BenchmarkSM3(b *testing.B) {
	data := make([]byte, 1<<16)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		gm.SM3(data)
	}
}
