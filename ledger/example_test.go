package ledger_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
)

// A license is recorded with its commitment, and its proof is checked by someone who has the file, the proof and the
// public keys.
func Example() {
	ctx := context.Background()
	logKey, witnessKey := ledgertest.NewSigner(exampleReporter{}), ledgertest.NewSigner(exampleReporter{})
	log := ledgertest.NewMemory(logKey)
	log.Witness("witness.example/1", witnessKey)

	document := ledger.LeafHash([]byte("stands for SM3 of Signature.xml"))
	opening := ledger.Opening{Ref: ledger.Hash{1}, Salt: ledger.Hash{2}, DocumentDigest: document, FaceDigest: ledger.Hash{4}}
	entry, err := ledger.Issue{
		Type: ledger.TypeIssue, Time: time.Now(), Issuer: "11990000000000001G", Kind: "food",
		Ref: opening.Ref, Commit: opening.Commit(),
	}.Marshal()
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := log.Append(ctx, [][]byte{entry}); err != nil {
		fmt.Println(err)
		return
	}
	evidence, err := ledger.Prove(ctx, log, ledger.LeafHash(entry))
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := (&ledger.Proof{Opening: opening, Evidence: evidence}).Marshal()
	if err != nil {
		fmt.Println(err)
		return
	}

	trust := ledger.Trust{
		LogKeys:     []ledger.Key{logKey.LogKey(ledgertest.Origin)},
		WitnessKeys: []ledger.Key{witnessKey.WitnessKey("witness.example/1")},
		Quorum:      1,
	}
	right := ledger.VerifyProof(file, document, trust)
	fmt.Println(right.OK())
	another := ledger.VerifyProof(file, ledger.LeafHash([]byte("another file")), trust)
	for _, c := range another.Checks {
		if c.Code != "" {
			fmt.Println(c.Result, c.Code)
		}
	}
	// Output:
	// true
	// fail PROOF_WRONG_SUBJECT
}

type exampleReporter struct{}

func (exampleReporter) Helper()                          {}
func (r exampleReporter) Errorf(format string, a ...any) { r.Fatalf(format, a...) }
func (exampleReporter) Fatalf(format string, a ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", a...)
	os.Exit(1)
}
