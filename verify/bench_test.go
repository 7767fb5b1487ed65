package verify_test

import (
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/verify"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

// BenchmarkFile judges a license file offline: package, seal, chain, proof, status.
func BenchmarkFile(b *testing.B) {
	for _, code := range []string{license.SampleProperty, license.SampleFood} {
		s := good(b)
		k := verifytest.Kind(b, code)
		s.issue(b, verifytest.Plan{Kind: k})
		trust, _, err := verify.OpenTrust(s.trust, nil, false, s.at)
		if err != nil {
			b.Fatal(err)
		}
		judge := verify.Judge{Trust: trust, At: s.at}
		b.Run(k.Layout, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.file)))
			for b.Loop() {
				if r := judge.File(s.file, s.proof); r.Verdict != verdict.ValidAsOf {
					b.Fatal(r.Verdict)
				}
			}
		})
	}
}

// BenchmarkCode judges a static code offline.
func BenchmarkCode(b *testing.B) {
	s := good(b)
	trust, _, err := verify.OpenTrust(s.trust, nil, false, s.at)
	if err != nil {
		b.Fatal(err)
	}
	judge := verify.Judge{Trust: trust, At: s.at}
	b.ReportAllocs()
	for b.Loop() {
		if r := judge.Code(s.license.URL); r.Verdict != verdict.CannotDetermine {
			b.Fatal(r.Verdict)
		}
	}
}

// BenchmarkOpenTrust reads a trust list, as the command does once for each verdict.
func BenchmarkOpenTrust(b *testing.B) {
	s := good(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := verify.OpenTrust(s.trust, nil, false, s.at); err != nil {
			b.Fatal(err)
		}
	}
}
