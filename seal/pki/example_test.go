package pki_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/yinxin-trust/yinxin/seal/pki"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
)

func Example() {
	province := sealtest.New(&testing.B{})
	file, err := pki.SignList(context.Background(), province.List(), province.Maker)
	if err != nil {
		panic(err)
	}

	signed, err := pki.OpenList(file)
	if err != nil {
		panic(err)
	}
	_, first := pki.CheckRollback(pki.State{}, signed)
	trust, err := signed.List.Trust()
	if err != nil {
		panic(err)
	}
	leaf, warnings := pki.ParseCertificate(province.SignerCert)
	chain := trust.Chain(leaf, nil, sealtest.Now())
	fmt.Println(first.Result, leaf.CommonName(), len(warnings), chain.Result, chain.Anchor.Name)
	// Output: pass 测试局 0 anchored 测试根
}
