package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/internal/blob"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// newSecrets gives two data keys as the product has them.
func newSecrets(t testing.TB) (a, b hsm.Secret) {
	t.Helper()
	p, err := soft.Create(filepath.Join(t.TempDir(), "keys"), []byte("correct horse battery"),
		soft.Options{Cost: soft.Cost{Passes: 1, MemoryKiB: 8, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	policy := hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}
	if a, err = p.GenerateSecret(t.Context(), "data/cell05", policy); err != nil {
		t.Fatal(err)
	}
	if b, err = p.GenerateSecret(t.Context(), "data/cell06", policy); err != nil {
		t.Fatal(err)
	}
	return a, b
}

func TestSealFile(t *testing.T) {
	t.Parallel()
	a, b := newSecrets(t)
	ctx, plain, aad := t.Context(), bytes.Repeat([]byte("a license file "), 100), []byte("license/17")
	seal := func(plain, aad []byte) (sealed, wrapped []byte) {
		t.Helper()
		sealed, wrapped, err := blob.SealFile(ctx, rand.Reader, a, plain, aad)
		if err != nil {
			t.Fatal(err)
		}
		return sealed, wrapped
	}
	sealed, wrapped := seal(plain, aad)
	if len(sealed) != len(plain)+blob.Overhead || bytes.Contains(sealed, []byte("license")) {
		t.Errorf("%d bytes sealed as %d", len(plain), len(sealed))
	}
	got, err := blob.OpenFile(ctx, a, sealed, wrapped, aad)
	if err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("OpenFile: %d bytes, %v", len(got), err)
	}
	otherSealed, otherWrapped := seal(plain, aad)
	if bytes.Equal(otherSealed, sealed) || bytes.Equal(otherWrapped, wrapped) {
		t.Error("two seals of one file are equal")
	}
	short, shortWrapped := seal(nil, nil)
	if got, err := blob.OpenFile(ctx, a, short, shortWrapped, nil); err != nil || len(got) != 0 {
		t.Errorf("an empty file: %q, %v", got, err)
	}
	// Sealed straight under the secret with the aad of the file, as a field would be: not the key of a file.
	field, err := a.Seal(ctx, make([]byte, 16), aad)
	if err != nil {
		t.Fatal(err)
	}

	flip := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	tests := []struct {
		name            string
		secret          hsm.Secret
		sealed, wrapped []byte
		aad             []byte
		code            string
	}{
		{"another license", a, sealed, wrapped, []byte("license/18"), hsm.CodeSealedDamaged},
		{"another cell's secret", b, sealed, wrapped, aad, hsm.CodeSealedOther},
		{"another file's key", a, sealed, otherWrapped, aad, blob.CodeSealedOpen},
		{"key damaged", a, sealed, flip(wrapped, len(wrapped)-1), aad, hsm.CodeSealedDamaged},
		{"no key", a, sealed, nil, aad, hsm.CodeSealedDamaged},
		{"a field's bytes as key", a, sealed, field, aad, hsm.CodeSealedDamaged},
		{"nonce damaged", a, flip(sealed, 1), wrapped, aad, blob.CodeSealedOpen},
		{"text damaged", a, flip(sealed, 100), wrapped, aad, blob.CodeSealedOpen},
		{"tag damaged", a, flip(sealed, len(sealed)-1), wrapped, aad, blob.CodeSealedOpen},
		{"cut", a, sealed[:len(sealed)-1], wrapped, aad, blob.CodeSealedOpen},
		{"version", a, flip(sealed, 0), wrapped, aad, blob.CodeSealedForm},
		{"nothing", a, nil, wrapped, aad, blob.CodeSealedForm},
		{"too short", a, sealed[:blob.Overhead-1], wrapped, aad, blob.CodeSealedForm},
	}
	for _, test := range tests {
		got, err := blob.OpenFile(ctx, test.secret, test.sealed, test.wrapped, test.aad)
		wantCode(t, test.name, err, fault.Invalid, test.code)
		if got != nil {
			t.Errorf("%s: bytes came with the error", test.name)
		}
	}
}

// anyKey is a wrapper that hands out what it is given as the key.
type anyKey struct{}

func (anyKey) Seal(_ context.Context, plain, _ []byte) ([]byte, error) {
	return bytes.Clone(plain), nil
}

func (anyKey) Open(_ context.Context, sealed, _ []byte) ([]byte, error) {
	return bytes.Clone(sealed), nil
}

func TestSealFileErrors(t *testing.T) {
	t.Parallel()
	a, _ := newSecrets(t)
	for _, n := range []int{0, 20} { // no key, no nonce
		_, _, err := blob.SealFile(t.Context(), io.LimitReader(rand.Reader, int64(n)), a, []byte("text"), nil)
		wantCode(t, fmt.Sprintf("%d random bytes", n), err, fault.Unavailable, blob.CodeIO)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := blob.SealFile(cancelled, rand.Reader, a, []byte("text"), nil)
	wantCode(t, "a device that does not answer", err, fault.Unavailable, hsm.CodeUnavailable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the cause is lost: %v", err)
	}
	sealed, _, err := blob.SealFile(t.Context(), rand.Reader, a, []byte("text"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = blob.OpenFile(t.Context(), anyKey{}, sealed, make([]byte, 15), nil)
	wantCode(t, "a key of 15 bytes", err, fault.Invalid, blob.CodeSealedOpen)
}

func FuzzOpenFile(f *testing.F) {
	key := bytes.Repeat([]byte{7}, 16)
	sealed, _, err := blob.SealFile(f.Context(), bytes.NewReader(append(bytes.Clone(key), make([]byte, 12)...)), anyKey{}, []byte("text"), []byte("aad"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := blob.OpenFile(t.Context(), anyKey{}, data, key, []byte("aad"))
		if err == nil && (!bytes.Equal(data, sealed) || string(got) != "text") {
			t.Fatalf("%x opens as %q", data, got)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
	})
}

func Example() {
	root, err := os.MkdirTemp("", "blobs")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(root)
	ctx := context.Background()
	store, err := blob.Open(root, 0)
	if err != nil {
		panic(err)
	}
	var dataKey blob.Wrapper = anyKey{} // in the product, the secret of the license's cell

	sealed, wrapped, err := blob.SealFile(ctx, rand.Reader, dataKey, []byte("the OFD file"), []byte("license/17"))
	if err != nil {
		panic(err)
	}
	name, err := store.Put(ctx, sealed) // name and wrapped go into the license's row
	if err != nil {
		panic(err)
	}
	if sealed, err = store.Get(ctx, name); err != nil {
		panic(err)
	}
	plain, err := blob.OpenFile(ctx, dataKey, sealed, wrapped, []byte("license/17"))
	fmt.Printf("%s %v\n", plain, err)
	// Output: the OFD file <nil>
}

func BenchmarkSealFile(b *testing.B) {
	secret, _ := newSecrets(b)
	plain := make([]byte, 100<<10)
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := blob.SealFile(b.Context(), rand.Reader, secret, plain, []byte("license/17")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenFile(b *testing.B) {
	secret, _ := newSecrets(b)
	plain := make([]byte, 100<<10)
	sealed, wrapped, err := blob.SealFile(b.Context(), rand.Reader, secret, plain, []byte("license/17"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := blob.OpenFile(b.Context(), secret, sealed, wrapped, []byte("license/17")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFolder(b *testing.B) {
	f := open(b, b.TempDir(), 0)
	data := make([]byte, 100<<10)
	if _, err := rand.Read(data); err != nil {
		b.Fatal(err)
	}
	b.Run("put", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			copy(data, fmt.Sprintf("%020d", i))
			put(b, f, data)
		}
	})
	b.Run("get", func(b *testing.B) {
		name := put(b, f, data)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Get(b.Context(), name); err != nil {
				b.Fatal(err)
			}
		}
	})
}
