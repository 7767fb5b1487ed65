package verify_test

import (
	"encoding/json"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
	"github.com/yinxin-trust/yinxin/verify"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

// FuzzBytes: whatever comes, there is a verdict or an error, the verdict follows from its checks, and nothing but the
// license itself is valid with the license's proof.
func FuzzBytes(f *testing.F) {
	s := good(f)
	small := s.Issue(f, verifytest.Plan{Kind: verifytest.Kind(f, license.SampleFood), Serial: 3})
	f.Add(s.file, s.proof)
	f.Add(small.File, s.Proof(f, small))
	f.Add(s.First.SealDER, []byte(nil))
	f.Add(at(f, unpack(s.file), signedValue).data, []byte(nil))
	f.Add(s.proof, []byte(nil))
	f.Add([]byte(s.license.URL), []byte(nil))
	f.Add([]byte("PK\x05\x06"), []byte("{}"))
	trust, _, err := verify.OpenTrust(s.trust, nil, false, s.at)
	if err != nil {
		f.Fatal(err)
	}
	limits := ofd.DefaultLimits()
	limits.Total, limits.XMLNodes = 4<<20, 20_000
	judge := verify.Judge{Trust: trust, At: s.at, Limits: limits}
	files := map[string][]entry{s.license.Record.Identifier: unpack(s.file), small.Record.Identifier: unpack(small.File)}
	f.Fuzz(func(t *testing.T, file, proof []byte) {
		if len(proof) == 0 {
			proof = nil
		}
		r, err := judge.Bytes(file, proof)
		if err != nil {
			return
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		if r.Verdict == verdict.ValidAsOf && (r.Subject.Kind != "license" || !same(unpack(file), files[r.Subject.ID])) {
			t.Errorf("%s %s is %s", r.Subject.Kind, r.Subject.ID, r.Verdict)
		}
		if r.Verdict == verdict.Valid && r.Subject.Kind == "license" {
			t.Error("valid, on evidence that was kept")
		}
	})
}
