package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// printWords says the verdict to a person: the word first, then what is wrong or missing, then what holds.
func printWords(w io.Writer, r verdict.Report, chinese bool) error {
	var b strings.Builder
	word := map[verdict.Word][2]string{
		verdict.Valid:           {"VALID", "有效"},
		verdict.ValidAsOf:       {"VALID AS OF " + r.AsOf.Format(time.RFC3339), "截至 " + r.AsOf.Format(time.RFC3339) + " 有效"},
		verdict.CannotDetermine: {"CANNOT BE DETERMINED", "无法确定"},
		verdict.NotValid:        {"NOT VALID", "无效"},
	}[r.Verdict]
	pick := func(en, zh string) string {
		if chinese {
			return zh
		}
		return en
	}
	fmt.Fprintln(&b, pick(word[0], word[1]))
	if r.Subject.Title != "" || r.Subject.ID != "" {
		fmt.Fprintln(&b, strings.TrimSpace(r.Subject.Title+"  "+r.Subject.ID))
	}
	line := func(indent string, c verdict.Check) {
		sentence := c.Name
		if e, ok := verdict.Lookup(c.Code); ok {
			sentence = pick(e.EN, e.ZH)
		}
		fmt.Fprintf(&b, "%s%-7s %s", indent, c.Result, sentence)
		for _, more := range []string{string(c.Code), c.Where, c.Detail} {
			if more != "" {
				fmt.Fprintf(&b, " · %s", more)
			}
		}
		fmt.Fprintln(&b)
	}
	for _, c := range r.Checks {
		line("  ", c)
	}
	for _, s := range r.Signatures {
		fmt.Fprintf(&b, "  %s %s %s %s", s.Type, s.ID, s.Standard, s.Signer)
		if s.SignedAt != nil {
			fmt.Fprintf(&b, " %s", s.SignedAt.Format(time.RFC3339))
		}
		fmt.Fprintln(&b)
		for _, c := range s.Checks {
			line("    ", c)
		}
	}
	if r.Ledger.State != "unchecked" {
		fmt.Fprintf(&b, "  %s: %s %d/%d\n", pick("ledger", "账本"), r.Ledger.State, r.Ledger.Index, r.Ledger.Size)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
