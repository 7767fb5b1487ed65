package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// speaker says a verdict to a person, in one of two languages.
type speaker struct {
	strings.Builder
	chinese bool
}

func (s *speaker) pick(en, zh string) string {
	if s.chinese {
		return zh
	}
	return en
}

func (s *speaker) line(indent string, parts ...string) {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	s.WriteString(indent + strings.Join(said, " · ") + "\n")
}

// printWords says the verdict: the word first, then what it is about, then what is wrong or missing, then how much holds.
func printWords(w io.Writer, r verdict.Report, chinese bool) error {
	s := &speaker{chinese: chinese}
	asOf := r.AsOf.Format(time.RFC3339)
	switch r.Verdict {
	case verdict.Valid:
		s.line("", s.pick("VALID", "有效"))
	case verdict.ValidAsOf:
		s.line("", s.pick("VALID AS OF "+asOf, "截至 "+asOf+" 有效"))
	case verdict.CannotDetermine:
		s.line("", s.pick("CANNOT BE DETERMINED", "无法确定"))
	case verdict.NotValid:
		s.line("", s.pick("NOT VALID", "无效"))
	}
	if r.Subject.Title != "" || r.Subject.ID != "" {
		s.line("", r.Subject.Title, r.Subject.ID)
	}
	held := s.findings("  ", r.Checks)
	for _, g := range r.Signatures {
		kind, when, proven := s.pick("signature", "签名"), "", ""
		if g.Type == "Seal" {
			kind = s.pick("seal", "签章")
		}
		if g.SignedAt != nil {
			when = g.SignedAt.Format(time.RFC3339)
		}
		if g.ProvenAt != nil {
			proven = s.pick("proven by ", "最迟于此时已存在: ") + g.ProvenAt.Format(time.RFC3339)
		}
		s.line("  ", strings.TrimSpace(kind+" "+g.ID), g.Standard, g.Signer, when, proven)
		held += s.findings("    ", g.Checks)
	}
	if r.Ledger.State != "unchecked" {
		s.line("  ", s.pick("ledger: ", "账本: ")+s.ledger(r.Ledger))
	}
	s.line("  ", fmt.Sprintf(s.pick("%d checks passed", "通过 %d 项检查"), held))
	_, err := io.WriteString(w, s.String())
	return err
}

// findings says what did not simply pass, worst first, and counts what did.
func (s *speaker) findings(indent string, checks []verdict.Check) (held int) {
	for _, level := range []struct {
		result verdict.Result
		word   string
	}{
		{verdict.Fail, s.pick("wrong", "错误")},
		{verdict.Unknown, s.pick("not known", "未知")},
		{verdict.Warn, s.pick("note", "注意")},
		{verdict.Skipped, s.pick("not checked", "未查")},
	} {
		said := map[verdict.Check]bool{}
		for _, c := range checks {
			alike := verdict.Check{Code: c.Code, Where: c.Where, Detail: c.Detail}
			if c.Result != level.result || c.Code != "" && said[alike] {
				continue
			}
			said[alike] = true
			sentence := c.Name
			if e, ok := verdict.Lookup(c.Code); ok {
				sentence = s.pick(e.EN, e.ZH)
			}
			s.line(indent, level.word+": "+sentence, string(c.Code), c.Where, c.Detail)
		}
	}
	for _, c := range checks {
		if c.Result == verdict.Pass {
			held++
		}
	}
	return held
}

func (s *speaker) ledger(l verdict.Ledger) string {
	switch l.State {
	case "included":
		return fmt.Sprintf(s.pick("entry %d of %d", "第 %d 条,共 %d 条"), l.Index+1, l.Size)
	case "promised":
		return s.pick("promised", "已承诺记入")
	}
	return s.pick("not shown to be there", "未能证明已记入")
}
