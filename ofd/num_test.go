package ofd

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// TestNum holds the quick way of writing a length against the plain one.
func TestNum(t *testing.T) {
	t.Parallel()
	plain := func(v float64) string {
		s := strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 4, 64), "0"), ".")
		if s == "-0" {
			return "0"
		}
		return s
	}
	cases := []float64{0, -0.00001, 0.00004, 1, 10, 100, -100, 0.1, 0.0001, -0.0301, 12.3456, 99999.9999, 297, 1e5, math.Copysign(0, -1)}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		cases = append(cases, (r.Float64()-0.5)*1000)
	}
	for _, v := range cases {
		if got, want := num(v), plain(v); got != want {
			t.Fatalf("%v is written %s, want %s", v, got, want)
		}
	}
	for _, v := range []float64{1e30, math.NaN(), math.Inf(1)} {
		if num(v) == "" {
			t.Errorf("%v is written as nothing", v)
		}
	}
}

func BenchmarkNum(b *testing.B) {
	buf := make([]byte, 0, 32)
	for b.Loop() {
		buf = appendNum(buf[:0], 123.4567)
	}
}
