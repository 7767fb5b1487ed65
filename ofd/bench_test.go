package ofd_test

import (
	"os"
	"testing"

	"github.com/yinxin-trust/yinxin/ofd"
)

func BenchmarkBuildLicense(b *testing.B) {
	font(b)
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(int64(len(sealed(b, true))))
	}
}

func BenchmarkOpenExamine(b *testing.B) {
	data := sealed(b, true)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		p, _ := ofd.Open(data, ofd.DefaultLimits())
		p.Examine().Coverage(func(*ofd.SignatureEntry) bool { return true })
	}
}

func BenchmarkSubset(b *testing.B) {
	f := font(b)
	runes := []rune(sample)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Subset(runes); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseFont(b *testing.B) {
	ttf, err := os.ReadFile(fontPath)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ofd.ParseFont(ttf); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFit(b *testing.B) {
	f := font(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Fit("湖北省某某市示例区示例大道一百二十八号(示例科技园A-12栋)3层301室、302室", 60, 14, ofd.Fitting{Size: 5}); err != nil {
			b.Fatal(err)
		}
	}
}
