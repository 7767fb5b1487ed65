package seal_test

import (
	"testing"

	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
)

func FuzzParseSeal(f *testing.F) {
	p := sealtest.New(f)
	for _, v := range []int{1, 4, 5} {
		forge := p.Forge()
		forge.Version = v
		f.Add(forge.SealDER(f))
	}
	ev := seal.Evidence{At: sealtest.Now(), Trust: p.Trust(f)}
	f.Fuzz(func(t *testing.T, der []byte) {
		s, err := seal.ParseSeal(der)
		if err == nil && string(s.Raw) != string(der) {
			t.Error("the seal is not what was read")
		}
		if len(seal.JudgeSeal(seal.SealInput{Seal: der, Evidence: ev})) == 0 {
			t.Error("nothing was said")
		}
	})
}

func FuzzJudgeSignature(f *testing.F) {
	p := sealtest.New(f)
	for _, v := range []int{1, 4, 5} {
		forge := p.Forge()
		forge.Version, forge.TBSVersion = v, v
		f.Add(forge.DER(f))
	}
	original := []byte("<ofd:Signature/>")
	f.Add(p.Message(original).DER(f))
	f.Add(p.Detached(original, sealtest.Now()).DER(f))
	f.Add(p.Signer.Sign(f, original))
	in := seal.SignatureInput{SignatureXML: original, Evidence: seal.Evidence{At: sealtest.Now(), Trust: p.Trust(f)}}
	f.Fuzz(func(t *testing.T, value []byte) {
		in := in
		in.Value = value
		if len(seal.JudgeSignature(in).Checks) == 0 || len(seal.JudgeSign(in).Checks) == 0 {
			t.Error("nothing was said")
		}
	})
}
