package soft_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
)

func BenchmarkSignDigest(b *testing.B) {
	for _, a := range []hsm.Algorithm{hsm.SM2, hsm.ES256, hsm.RS256} {
		b.Run(string(a), func(b *testing.B) {
			p := create(b, filepath.Join(b.TempDir(), "keys"))
			k, err := p.GenerateKey(b.Context(), "seal/a", hsm.Policy{Algorithm: a, Purpose: "seal"})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.SignDigest(b.Context(), [32]byte{1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSecret(b *testing.B) {
	p := create(b, filepath.Join(b.TempDir(), "keys"))
	s, err := p.GenerateSecret(b.Context(), "data", hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"})
	if err != nil {
		b.Fatal(err)
	}
	field, aad := []byte("999900199001011234"), []byte("cell05/person/number/17")
	sealed, err := s.Seal(b.Context(), field, aad)
	if err != nil {
		b.Fatal(err)
	}
	uses := []struct {
		name string
		use  func() error
	}{
		{"seal a field", func() error { _, err := s.Seal(b.Context(), field, aad); return err }},
		{"open a field", func() error { _, err := s.Open(b.Context(), sealed, aad); return err }},
		{"MAC a field", func() error { _, err := s.MAC(b.Context(), field); return err }},
	}
	for _, u := range uses {
		b.Run(u.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := u.use(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOpen is a start with 60 keys, at the cost of a real file and without it.
func BenchmarkOpen(b *testing.B) {
	for name, o := range map[string]soft.Options{"default cost": {}, "no cost": cheap} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "keys")
			p, err := soft.Create(path, passphrase, o)
			if err != nil {
				b.Fatal(err)
			}
			var requests []hsm.KeyRequest
			for i := range 60 {
				requests = append(requests, hsm.KeyRequest{Ref: hsm.Ref(fmt.Sprintf("seal/%d", i)), Policy: sealPolicy()})
			}
			if err := p.GenerateKeys(b.Context(), requests); err != nil {
				b.Fatal(err)
			}
			closeProvider(b, p)
			b.ReportAllocs()
			for b.Loop() {
				p, err := soft.Open(path, passphrase)
				if err != nil {
					b.Fatal(err)
				}
				closeProvider(b, p)
			}
		})
	}
}

func BenchmarkGenerateKey(b *testing.B) {
	p := create(b, filepath.Join(b.TempDir(), "keys"))
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if i++; i > 1000 { // a file of a few hundred keys, which is what a province without a device has
			b.StopTimer()
			p = create(b, filepath.Join(b.TempDir(), "keys"))
			i = 0
			b.StartTimer()
		}
		generate(b, p, hsm.Ref(fmt.Sprintf("seal/%d", i)))
	}
}
