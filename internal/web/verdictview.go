package web

import (
	"regexp"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

// verdictView is a verdict as a person reads it: one word, one colour, one icon, and for each reason what to do next.
type verdictView struct {
	Word     verdict.Word
	Icon     string
	AsOf     time.Time
	Reasons  []reason // what decides the word
	Remarks  []reason // worth knowing, decides nothing
	Passed   int
	Checks   []checkLine
	Signed   []verdict.Signature
	Subject  verdict.Subject
	Ledger   verdict.Ledger
	Outcome  *license.Outcome // of a code; nil for a file
	Face     []fieldLine
	Holders  []license.Holder
	State    license.State
	Aside    string // key of the words that tell the state in passing, where the verdict is not as good as the state
	Consumed bool
}

// aside keeps a license in force from looking like a good verdict: a code that was used or has expired, or one that failed
// otherwise, must not stand beside a green "valid".
func (v *verdictView) aside() {
	if v.State != license.Issued {
		return
	}
	switch v.Word {
	case verdict.Valid, verdict.ValidAsOf:
	case verdict.CannotDetermine:
		v.Aside = "verdict.state.unknown"
	case verdict.NotValid:
		v.Aside = "verdict.state.failed"
		for _, r := range v.Reasons {
			if r.Code == verdict.CodeUsed || r.Code == verdict.CodeExpired {
				v.Aside = "verdict.state.spent"
			}
		}
	}
}

// reason is a finding and what to do about it.
type reason struct {
	Code verdict.Code
	Text string
	Next string
	When time.Time
}

// checkLine is one check in the list of all checks.
type checkLine struct {
	Name   string
	Result verdict.Result
	Text   string
	Where  string
}

// wordIcon is the icon of a word; shape differs as well as colour, for those who see no red.
func wordIcon(w verdict.Word) string {
	switch w {
	case verdict.Valid:
		return "check"
	case verdict.ValidAsOf:
		return "clock"
	case verdict.CannotDetermine:
		return "question"
	case verdict.NotValid:
		return "cross"
	}
	return "question"
}

// viewReport puts a report into words.
func (s *server) viewReport(q *request, r *verdict.Report) *verdictView {
	v := &verdictView{
		Word: r.Verdict, Icon: wordIcon(r.Verdict), AsOf: r.AsOf, Signed: r.Signatures, Subject: r.Subject, Ledger: r.Ledger,
		State: license.State(r.Subject.Status),
	}
	if !v.State.Known() {
		v.State = ""
	}
	seen := make(map[verdict.Code]bool)
	add := func(c verdict.Check) {
		line := checkLine{Name: c.Name, Result: c.Result, Where: c.Where, Text: s.sentence(q.lang, c.Code)}
		v.Checks = append(v.Checks, line)
		switch c.Result {
		case verdict.Pass:
			v.Passed++
		case verdict.Fail, verdict.Unknown:
			if !seen[c.Code] {
				seen[c.Code] = true
				v.Reasons = append(v.Reasons, reason{Code: c.Code, Text: line.Text, Next: s.next(q.lang, c)})
			}
		case verdict.Warn:
			if !seen[c.Code] {
				seen[c.Code] = true
				v.Remarks = append(v.Remarks, reason{Code: c.Code, Text: line.Text, Next: s.next(q.lang, c)})
			}
		case verdict.Skipped:
		}
	}
	for _, c := range r.Checks {
		add(c)
	}
	for _, sig := range r.Signatures {
		for _, c := range sig.Checks {
			add(c)
		}
	}
	v.aside()
	return v
}

// viewOutcome puts the outcome of a code into words.
func (s *server) viewOutcome(q *request, o *license.Outcome) *verdictView {
	v := s.viewReport(q, &o.Report)
	v.Outcome, v.Holders, v.Consumed = o, o.Holders, o.Receipt != ""
	if o.State != "" {
		v.State = o.State
	}
	v.aside()
	for _, f := range o.Face {
		v.Face = append(v.Face, fieldLine{Name: f.Name, NameEN: s.fieldNameEN(q, f), Value: f.Value})
	}
	for i := range v.Reasons {
		switch v.Reasons[i].Code {
		case verdict.CodeUsed:
			v.Reasons[i].When = o.FirstUsedAt
		case verdict.StatusRevoked, verdict.StatusSuspended, verdict.StatusExpired, verdict.StatusSuperseded, verdict.StatusCancelled:
			v.Reasons[i].When = o.EndedAt
		}
	}
	return v
}

// fieldNameEN finds a field's English name in the catalogue; the printed name serves where there is none.
func (s *server) fieldNameEN(q *request, f license.Field) string {
	if q.lang != langEN {
		return f.Name
	}
	kinds, err := s.Licenses.Kinds(q.Context())
	if err != nil {
		return f.Name // a verdict must not fail for a translation
	}
	for _, k := range kinds {
		if spec, ok := k.Field(f.Code); ok && spec.Name == f.Name && spec.NameEN != "" {
			return spec.NameEN
		}
	}
	return f.Name
}

// sentence is the sentence of a code for a person, from the table of codes.
func (s *server) sentence(lang string, code verdict.Code) string {
	e, ok := verdict.Lookup(code)
	switch {
	case !ok:
		return string(code)
	case lang == langEN:
		return e.EN
	}
	return e.ZH
}

// next says what to do about a finding: words of its own where it has them, else those of its family or result.
func (s *server) next(lang string, c verdict.Check) string {
	for _, key := range []string{"next." + string(c.Code), "next." + family(string(c.Code)), "next.result." + string(c.Result)} {
		if s.words.has(key) {
			return s.words.say(lang, key)
		}
	}
	return ""
}

// sealNumber is the form of a seal's code (印章编码), which stands in its certificate as the name: 14 digits.
var sealNumber = regexp.MustCompile(`^[0-9]{14}$`)

// SealCode says whether what a signature names as its signer is the code of a seal and not the name of an office.
func (p *sheet) SealCode(signer string) bool { return sealNumber.MatchString(signer) }

// family is the first word of a code: PKG, SIG, CERT, …
func family(code string) string {
	for i, r := range code {
		if r == '_' {
			return code[:i]
		}
	}
	return code
}
