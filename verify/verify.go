// Package verify gives the one verdict: it composes what ofd, seal, license and ledger find out about a file, a seal, a
// code or a proof. It is pure, so the service, the command yinxin-verify and the browser share it. Start with OpenTrust and
// Judge.Bytes.
package verify

import (
	"bytes"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
	"github.com/yinxin-trust/yinxin/seal"
)

// Judge judges as of one moment, with one trust.
type Judge struct {
	Trust Trust
	At    time.Time
	// Live says that the status evidence handed in was made for this verdict, by whoever keeps the status. A verdict on
	// evidence that was kept is valid_as_of its time at best.
	Live bool
	// Limits bound what a stranger's package may cost; the zero value means ofd.DefaultLimits.
	Limits ofd.Limits
}

// kinds of a subject.
const (
	kindLicense   = "license"
	kindDocument  = "document"
	kindSeal      = "seal"
	kindSignature = "signature_value"
	kindCode      = "code"
	kindProof     = "proof"
)

// The largest inputs that are looked at, other than packages, which have limits of their own.
const maxSmall = 8 << 20

// Bytes judges a file by what it is: an OFD package, a seal, a signature value, a proof alone, or a text with a code. A proof
// may accompany a package. Bytes of no known kind are an error, not a verdict.
func (j Judge) Bytes(file, proof []byte) (verdict.Report, error) {
	switch {
	case bytes.HasPrefix(file, []byte("PK")):
		return j.File(file, proof), nil
	case len(file) > maxSmall:
	case len(file) > 2 && file[0] == 0x30:
		if _, err := seal.ParseSignature(file); err == nil {
			return j.SignatureValue(file), nil
		}
		return j.Seal(file), nil
	case bytes.HasPrefix(bytes.TrimSpace(file), []byte("{")):
		return j.Proof(file), nil
	case len(file) <= 2048:
		if text := string(file); isCode(text) {
			return j.Code(text), nil
		}
	}
	return verdict.Report{}, fault.New(fault.Invalid, "file_unknown", "this is no OFD file, seal, signature value, proof or code").
		WithHint("pass the file as it was received: .ofd, .esl, .dat, .proof, or the text of a code")
}

func isCode(text string) bool {
	_, _, err := license.SplitCode(text)
	return err == nil || strings.Contains(strings.ToUpper(text), "/P/") || strings.Contains(strings.ToUpper(text), "/S/")
}

// begin starts a report with what is to be said of the trust.
func (j Judge) begin(kind string) verdict.Report {
	return verdict.Report{Subject: verdict.Subject{Kind: kind}, Checks: append([]verdict.Check(nil), j.Trust.checks...)}
}

func (j Judge) limits() ofd.Limits {
	if j.Limits == (ofd.Limits{}) {
		return ofd.DefaultLimits()
	}
	return j.Limits
}

func (j Judge) evidence(proven *time.Time) seal.Evidence {
	return seal.Evidence{At: j.At, ProvenAt: proven, Trust: j.Trust.pki}
}

// Seal judges a seal on its own (电子印章), as of the time asked.
func (j Judge) Seal(der []byte) verdict.Report {
	r := j.begin(kindSeal)
	if s, err := seal.ParseSeal(der); err == nil {
		r.Subject.ID, r.Subject.Title = s.ID, s.Name
	}
	r.Checks = append(r.Checks, seal.JudgeSeal(seal.SealInput{Seal: der, Evidence: j.evidence(nil)})...)
	r.Settle(false, j.At)
	return r
}

// SignatureValue judges a seal signature without the document it belongs to: what was signed stays unknown.
func (j Judge) SignatureValue(der []byte) verdict.Report {
	r := j.begin(kindSignature)
	s := seal.JudgeSignature(seal.SignatureInput{Value: der, Evidence: j.evidence(nil)})
	r.Signatures = []verdict.Signature{s}
	r.Settle(false, j.At)
	return r
}

// Proof judges a proof without its document: that the entry is in the log and witnessed, not what it is about.
func (j Judge) Proof(file []byte) verdict.Report {
	r := j.begin(kindProof)
	p, err := ledger.ParseProof(file)
	if err != nil {
		r.Checks = append(r.Checks, verdict.Note(ledger.CheckForm, verdict.ProofMalformed, "", err.Error()))
		r.Settle(false, j.At)
		return r
	}
	res := p.Evidence.Verify(j.Trust.ledger)
	r.Checks = append(r.Checks, res.Checks...)
	r.Checks = append(r.Checks, verdict.Check{Name: "document.digest", Result: verdict.Unknown,
		Code: verdict.DatahashUnchecked, Detail: "the document that the proof is about is not at hand"})
	r.Ledger = res.Ledger
	r.Settle(false, j.At)
	return r
}
