package ledger

import (
	"encoding/json"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// ProofFormat is the first member of every proof file.
const ProofFormat = "yinxin-proof/1"

// Proof (证明文件) is what lies beside a license file so that anyone can check offline that this very file was issued and
// that the province knows it.
type Proof struct {
	Opening  Opening
	Evidence Evidence
	Status   json.RawMessage // the signed status of the license; whoever judges status reads it; nil leaves it unknown
	Fabric   json.RawMessage // where the root is anchored; nil without
}

// VerifyProof reads and checks a proof file for the document with the given digest: SM3 of the issuing seal's
// Signature.xml. Bytes that are no proof are a finding, not an error.
func VerifyProof(file []byte, document Hash, trust Trust) Result {
	p, err := ParseProof(file)
	if err != nil {
		r := Result{Ledger: verdict.Ledger{State: StateAbsent}}
		r.find(CheckForm, verdict.ProofMalformed, err.Error())
		return r
	}
	return p.Verify(document, trust)
}

// Verify checks that the proof is about the document with the given digest and that its evidence holds.
func (p *Proof) Verify(document Hash, trust Trust) Result {
	r := p.Evidence.Verify(trust)
	if r.Entry == nil {
		return r
	}
	issue, ok := r.Entry.(Issue)
	var wrong string
	switch {
	case !ok:
		wrong = "the entry records no issue of a license"
	case p.Opening.DocumentDigest != document:
		wrong = "the proof is for another document"
	case p.Opening.Ref != issue.Ref || p.Opening.Commit() != issue.Commit:
		wrong = "the opening does not open the entry's commitment"
	}
	if wrong != "" {
		r.find(CheckSubject, verdict.ProofWrongSubject, wrong)
		return r
	}
	r.pass(CheckSubject, "")
	return r
}
