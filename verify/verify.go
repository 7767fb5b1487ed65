// Package verify gives the one verdict: it composes what ofd, seal, license and ledger find out about a file, a seal, a
// code or a proof. It is pure, so the service, the command yinxin-verify and the browser share it. Start with OpenTrust and
// Judge.Bytes.
package verify

import (
	"bytes"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// Judge judges as of one moment, with one trust.
type Judge struct {
	Trust Trust
	At    time.Time
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
	if bytes.HasPrefix(file, []byte("PK")) {
		return j.File(file, proof), nil
	}
	if proof != nil {
		return verdict.Report{}, fault.New(fault.Invalid, "proof_alone", "a proof belongs to an OFD file, and this is none").
			WithHint("judge the proof by itself, or name the OFD file that it came with")
	}
	switch {
	case len(file) > maxSmall:
	case len(file) > 2 && file[0] == 0x30:
		if signatureShaped(file) {
			return j.SignatureValue(file), nil
		}
		return j.Seal(file), nil
	case bytes.HasPrefix(bytes.TrimSpace(file), []byte("{")):
		return j.Proof(file), nil
	case len(file) <= 2048 && IsCode(string(file)):
		return j.Code(string(file)), nil
	}
	return verdict.Report{}, fault.New(fault.Invalid, "file_unknown", "this is no OFD file, seal, signature value, proof or code").
		WithHint("pass the file as it was received: .ofd, .esl, .dat, .proof, or the text of a code")
}

// signatureShaped tells a signature value from a seal: signed data, or a SEQUENCE whose first part is a SEQUENCE that
// begins with a version number, where a seal has its header.
func signatureShaped(der []byte) bool {
	if pki.IsSignedData(der) {
		return true
	}
	in := cryptobyte.String(der)
	var outer, first cryptobyte.String
	return in.ReadASN1(&outer, asn1.SEQUENCE) && outer.ReadASN1(&first, asn1.SEQUENCE) && first.PeekASN1Tag(asn1.INTEGER)
}

// IsCode tells whether a text is one of our codes, or was meant to be one.
func IsCode(text string) bool {
	_, _, err := license.SplitCode(text)
	text = strings.ToUpper(text)
	return err == nil || strings.Contains(text, "/P/") || strings.Contains(text, "/S/")
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

// SignatureValue judges a signature, of a seal or of GB/T 35275, without the document it belongs to: what was signed stays
// unknown.
func (j Judge) SignatureValue(der []byte) verdict.Report {
	r := j.begin(kindSignature)
	judge := seal.JudgeSignature
	if pki.IsSignedData(der) {
		judge = seal.JudgeSign
	}
	r.Signatures = []verdict.Signature{judge(seal.SignatureInput{Value: der, Evidence: j.evidence(nil)})}
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
	j.tellLedger(&r, res)
	r.Checks = append(r.Checks, verdict.Check{
		Name: "document.digest", Result: verdict.Unknown,
		Code: verdict.DatahashUnchecked, Detail: "the document that the proof is about is not at hand",
	})
	r.Settle(false, j.At)
	return r
}
