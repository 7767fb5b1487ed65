// Package verdict is the one shape of every answer to "is this genuine and in force": checks that were made, signatures
// that were found, and the word they fold into. Whatever judges (ofd, seal, license, ledger, verify) speaks in it.
package verdict

import "time"

// Word is the verdict in one word.
type Word string

// The four verdicts, best first.
const (
	Valid           Word = "valid"
	ValidAsOf       Word = "valid_as_of"      // valid by evidence of an earlier time that policy accepts; AsOf names it
	CannotDetermine Word = "cannot_determine" // nothing is wrong, but something needed is not known
	NotValid        Word = "not_valid"
)

// Result is the outcome of one check.
type Result string

// The results of a check.
const (
	Pass    Result = "pass"
	Warn    Result = "warn"    // worth saying; never changes the word
	Fail    Result = "fail"    // fatal if its code is (Lookup)
	Unknown Result = "unknown" // needed and not known: the word is at best cannot_determine
	Skipped Result = "skipped" // not asked for or not applicable
)

// Code names a finding for machines; the table in codes.go holds its default result and its sentences.
type Code string

// Check is one thing looked at.
type Check struct {
	Name   string `json:"name"` // dotted, lower case: "seal.signature"
	Result Result `json:"result"`
	Code   Code   `json:"code,omitempty"`   // empty for a pass
	Detail string `json:"detail,omitempty"` // English, short, nothing personal
	Where  string `json:"where,omitempty"`  // absolute package path, or field
}

// Signature is what one signature in a document says and how it was judged.
type Signature struct {
	ID       string     `json:"id"`
	Type     string     `json:"type"`     // "Seal" or "Sign"
	Standard string     `json:"standard"` // such as "GB/T 38540-2020"
	Signer   string     `json:"signer,omitempty"`
	SignedAt *time.Time `json:"signed_at,omitempty"` // claimed, UTC
	ProvenAt *time.Time `json:"proven_at,omitempty"` // the latest moment by which it is proven to have existed, UTC
	Covers   string     `json:"covers,omitempty"`    // CoversCurrent, CoversEarlier
	Checks   []Check    `json:"checks"`
}

// What a signature covers.
const (
	CoversCurrent = "current_document"
	CoversEarlier = "earlier_revision"
)

// Subject is what was judged.
type Subject struct {
	Kind   string `json:"kind"` // "license", "document", "seal", "signature_value", "code", "proof"
	ID     string `json:"id,omitempty"`
	Title  string `json:"title,omitempty"`
	Status string `json:"status,omitempty"` // license state where known: "issued", "revoked", …
}

// Ledger says what the province's log has to do with it.
type Ledger struct {
	State string `json:"state"` // "included", "promised", "absent", "unchecked"
	Size  uint64 `json:"size"`
	Index uint64 `json:"index"`
	Root  string `json:"root,omitempty"` // base64 of the root that was proven against
}

// Report is the whole verdict, in the form that is printed and sent.
type Report struct {
	Verdict    Word        `json:"verdict"`
	AsOf       time.Time   `json:"as_of"` // the time the verdict speaks of, UTC
	Subject    Subject     `json:"subject"`
	Checks     []Check     `json:"checks"`
	Signatures []Signature `json:"signatures"`
	Ledger     Ledger      `json:"ledger"`
}

// Note makes a check of a code with the code's default result.
func Note(name string, code Code, where, detail string) Check {
	e, ok := Lookup(code)
	if !ok {
		// A code without a row is our mistake; judge it as the worst.
		return Check{Name: name, Result: Fail, Code: code, Detail: detail, Where: where}
	}
	return Check{Name: name, Result: e.Result, Code: code, Detail: detail, Where: where}
}

// OK makes a passed check.
func OK(name, where string) Check { return Check{Name: name, Result: Pass, Where: where} }

// Fold gives the word for the checks alone: a fatal fail is not_valid, else an unknown is cannot_determine, else valid.
func Fold(checks []Check) Word {
	word := Valid
	for _, c := range checks {
		switch c.Result {
		case Fail:
			e, known := Lookup(c.Code)
			if !known || e.Fatal {
				return NotValid
			}
		case Unknown:
			word = CannotDetermine
		case Pass, Warn, Skipped:
		}
	}
	return word
}

// Settle folds the report's own checks and those of all its signatures into its word; the worst counts. stale says that
// the evidence is older than now but within policy, which turns valid into valid_as_of; asOf is the time to name.
func (r *Report) Settle(stale bool, asOf time.Time) {
	word := Fold(r.Checks)
	for _, s := range r.Signatures {
		word = worse(word, Fold(s.Checks))
	}
	if word == Valid && stale {
		word = ValidAsOf
	}
	r.Verdict, r.AsOf = word, asOf.UTC().Truncate(time.Second)
	if r.Checks == nil {
		r.Checks = []Check{}
	}
	if r.Signatures == nil {
		r.Signatures = []Signature{}
	}
	for i := range r.Signatures {
		if r.Signatures[i].Checks == nil {
			r.Signatures[i].Checks = []Check{}
		}
	}
	if r.Ledger.State == "" {
		r.Ledger.State = "unchecked"
	}
}

func worse(a, b Word) Word {
	rank := func(w Word) int {
		switch w {
		case Valid:
			return 0
		case ValidAsOf:
			return 1
		case CannotDetermine:
			return 2
		case NotValid:
			return 3
		}
		return 3
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
