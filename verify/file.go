package verify

import (
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
	"github.com/yinxin-trust/yinxin/seal"
)

// File judges an OFD package (版式文件), with the ledger's proof where there is one. All checks run.
func (j Judge) File(file, proof []byte) verdict.Report { return j.file(file, proof, nil) }

// Known is what whoever keeps a license says of it at the moment of the verdict. It needs no signature: who asks and who
// keeps are one.
type Known struct {
	State    license.State
	Document []byte    // document digest of the file that was issued; empty until then
	Since    time.Time // of the end or suspension; zero while in force
	Reason   string    // reason code of the end
	Office   string    // that decided it
	Ledger   string    // "queued", "promised" or "included": where the entry stands when there is no proof yet
	Proof    []byte    // ledger proof without status; nil while the ledger has not published the entry, or does not answer
}

// FileKnown judges like File, for whoever keeps licenses: keeper is asked, once, for the license that the file claims to be.
// The claim is not believed: another file than the one that was issued fails. A proof that was handed in with the file is
// judged in place of the keeper's; the status is always the keeper's, for a proof may be old.
func (j Judge) FileKnown(file, proof []byte, keeper func(license.ID) (Known, bool)) verdict.Report {
	return j.file(file, proof, keeper)
}

func (j Judge) file(file, proof []byte, keeper func(license.ID) (Known, bool)) verdict.Report {
	r := j.begin(kindDocument)
	pkg, checks := ofd.Open(file, j.limits())
	r.Checks = append(r.Checks, checks...)
	if pkg == nil {
		r.Settle(false, j.At)
		return r
	}
	exam := pkg.Examine()
	r.Checks = append(r.Checks, exam.Checks...)
	docs := pkg.Documents()
	if len(docs) > 0 {
		r.Subject.Title, r.Subject.ID = docs[0].Info.Title, docs[0].Info.DocID
	}

	lic := licenseOf(pkg, docs)
	var kept *Known
	if id, ok := lic.claim(); ok && keeper != nil {
		if k, ok := keeper(id); ok {
			kept = &k
			if proof == nil {
				proof = k.Proof
			}
		}
	}
	issuing := issuingSeal(exam)
	var known ledger.Result
	var status []byte
	if proof != nil {
		known, status = j.judgeProof(&r, proof, issuing)
	} else if lic != nil {
		r.Checks = append(r.Checks, verdict.Check{
			Name: "ledger.proof", Result: verdict.Skipped,
			Code: verdict.ProofAbsent, Detail: "no proof was handed in",
		})
	}

	held := map[*ofd.SignatureEntry]bool{}
	for _, entry := range exam.Signatures {
		s := j.judgeEntry(entry, issuing, known, lic != nil)
		held[entry] = verdict.Fold(s.Checks) != verdict.NotValid
		r.Signatures = append(r.Signatures, s)
	}
	if lic != nil {
		j.judgeLater(exam, issuing, r.Signatures, held)
	}
	r.Checks = append(r.Checks, exam.Coverage(func(s *ofd.SignatureEntry) bool { return held[s] })...)

	if lic == nil {
		r.Settle(false, j.At)
		return r
	}
	asOf := j.judgeLicense(&r, lic, issuing, proof, known, status, kept)
	r.Settle(kept == nil, asOf)
	return r
}

// issuingSeal is the first signature of the first document; for a license, its issuer's.
func issuingSeal(e *ofd.Examination) *ofd.SignatureEntry {
	for _, s := range e.Signatures {
		if s.Document == 0 {
			return s
		}
	}
	return nil
}

// judgeProof checks the proof against the digest of the issuing seal's Signature.xml, and hands on its status evidence.
func (j Judge) judgeProof(r *verdict.Report, file []byte, issuing *ofd.SignatureEntry) (ledger.Result, []byte) {
	p, err := ledger.ParseProof(file)
	if err != nil {
		r.Checks = append(r.Checks, verdict.Note(ledger.CheckForm, verdict.ProofMalformed, "", err.Error()))
		return ledger.Result{}, nil
	}
	var document gm.Digest
	if issuing != nil {
		document = gm.SM3(issuing.Raw)
	}
	res := p.Verify(document, j.Trust.ledger)
	j.tellLedger(r, res)
	return res, p.Status
}

// tellLedger puts what the proof is worth into the report. Where the trust names no log at all, a signature that it cannot
// know is unknown, not wrong.
func (j Judge) tellLedger(r *verdict.Report, res ledger.Result) {
	if len(j.Trust.ledger.LogKeys) > 0 {
		r.Checks = append(r.Checks, res.Checks...)
		r.Ledger = res.Ledger
		return
	}
	told := false
	for _, c := range res.Checks {
		switch c.Code {
		case verdict.ProofCheckpointInvalid, verdict.ProofWitnessQuorumMissing:
			if !told {
				r.Checks = append(r.Checks, verdict.Note(ledger.CheckCheckpoint, verdict.TrustAnchorUnknown, "", "the trust names no ledger"))
			}
			told = true
		default:
			r.Checks = append(r.Checks, c)
		}
	}
}

// judgeEntry judges one signature of the package: what ofd found of its references, and what its value is worth.
func (j Judge) judgeEntry(e, issuing *ofd.SignatureEntry, known ledger.Result, isLicense bool) verdict.Signature {
	var proven *time.Time
	// The ledger speaks of the issuing seal only, and only when everything about the proof holds.
	if e == issuing && known.OK() && !known.ProvenTime.IsZero() {
		proven = &known.ProvenTime
	}
	in := seal.SignatureInput{
		ID: e.ID, Value: e.Value, SignatureXML: e.Raw, SignaturePath: e.Path, SealFile: e.SealFile,
		SignatureMethod: e.Method, Evidence: j.evidence(proven),
	}
	var s verdict.Signature
	if e.Type == ofd.TypeSign {
		s = seal.JudgeSign(in)
	} else {
		s = seal.JudgeSignature(in)
	}
	s.ID, s.Type, s.Covers = e.ID, e.Type, e.Covers
	if s.ProvenAt == nil || proven != nil && proven.Before(*s.ProvenAt) {
		s.ProvenAt = proven // a time stamp may prove an earlier moment than the ledger
	}
	s.Checks = append(append([]verdict.Check(nil), e.Checks...), s.Checks...)
	if isLicense && e == issuing && e.Type != ofd.TypeSeal {
		s.Checks = append(s.Checks, verdict.Note("license.seal", verdict.SVTypeMismatch, e.Path, "a license is sealed by its issuer"))
	}
	return s
}
