package tile_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
	"github.com/yinxin-trust/yinxin/ledger/tile"
)

// BenchmarkAppend is the durable append with its promise: single entries from many callers, and batches of 100.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name  string
		batch int
	}{{"single", 1}, {"batch100", 100}} {
		b.Run(c.name, func(b *testing.B) {
			s := newSite(b, 0)
			o := s.options()
			o.Interval = time.Second
			l, err := tile.Open(context.Background(), o)
			if err != nil {
				b.Fatal(err)
			}
			entries := ledgertest.Entries(b, b.N)
			var next atomic.Int64
			b.SetParallelism(128)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				var batch [][]byte
				for pb.Next() {
					batch = append(batch, entries[next.Add(1)-1])
					if len(batch) == c.batch {
						add(b, l, batch...)
						batch = batch[:0]
					}
				}
				add(b, l, batch...)
			})
			b.StopTimer()
			closeLog(b, l)
		})
	}
}

// BenchmarkInclusion is a path in a log of 100,000 entries.
func BenchmarkInclusion(b *testing.B) {
	s := newSite(b, 0)
	l := s.open(b)
	const size = 100_000
	for at := 0; at < size; at += 4000 {
		add(b, l, ledgertest.Entries(b, 4000)...)
	}
	head := publish(b, l)
	var path []ledger.Hash
	b.ReportAllocs()
	i := uint64(0)
	for b.Loop() {
		var err error
		if path, err = l.Inclusion(context.Background(), i%head.Size, head.Size); err != nil {
			b.Fatal(err)
		}
		i += 7919
	}
	b.ReportMetric(float64(len(path)), "hashes")
}
