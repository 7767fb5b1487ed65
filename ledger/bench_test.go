package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
)

// BenchmarkVerifyProof is the whole proof file: parsed, one log signature, one cosignature, one promise, the path.
func BenchmarkVerifyProof(b *testing.B) {
	p := newProvince(b)
	file, err := p.proof(b).Marshal()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := ledger.VerifyProof(file, hash(3), p.trust); !r.OK() {
			b.Fatal(r.Checks)
		}
	}
}

func BenchmarkParseEntry(b *testing.B) {
	entry := marshal(b, goodEntries()[1])
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ledger.ParseEntry(entry); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLeafHash(b *testing.B) {
	entry := marshal(b, goodEntries()[1])
	b.ReportAllocs()
	for b.Loop() {
		ledger.LeafHash(entry)
	}
}

func BenchmarkSignPromise(b *testing.B) {
	signer := ledgertest.NewSigner(b)
	p := ledger.Promise{Origin: testOrigin, Leaf: hash(1), Time: at, MaxMergeDelay: time.Minute}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ledger.SignPromise(context.Background(), p, signer); err != nil {
			b.Fatal(err)
		}
	}
}
