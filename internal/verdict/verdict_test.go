package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

func TestFold(t *testing.T) {
	t.Parallel()
	check := func(r verdict.Result, c verdict.Code) verdict.Check { return verdict.Check{Result: r, Code: c} }
	for _, c := range []struct {
		name   string
		checks []verdict.Check
		want   verdict.Word
	}{
		{"nothing", nil, verdict.Valid},
		{"passes", []verdict.Check{verdict.OK("a", "")}, verdict.Valid},
		{"warnings never change the word", []verdict.Check{check(verdict.Warn, verdict.RevocationUnchecked), check(verdict.Skipped, verdict.ProofAbsent)}, verdict.Valid},
		{"something needed is not known", []verdict.Check{verdict.OK("a", ""), check(verdict.Unknown, verdict.StatusUnknown)}, verdict.CannotDetermine},
		{"a fatal failure outweighs doubt", []verdict.Check{check(verdict.Unknown, verdict.StatusUnknown), check(verdict.Fail, verdict.SignatureInvalid)}, verdict.NotValid},
		{"a failure whose code nobody knows is fatal", []verdict.Check{check(verdict.Fail, "NO_SUCH_CODE")}, verdict.NotValid},
	} {
		if got := verdict.Fold(c.checks); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestSettle: the worst signature counts, and evidence that was kept makes valid no more than valid as of its time.
func TestSettle(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 8, 0, 0, 5, time.FixedZone("", 3600))
	r := verdict.Report{Signatures: []verdict.Signature{{}, {Checks: []verdict.Check{verdict.Note("a", verdict.StatusUnknown, "", "")}}}}
	r.Settle(true, at)
	if r.Verdict != verdict.CannotDetermine || r.Checks == nil || r.Signatures[0].Checks == nil || r.Ledger.State != "unchecked" {
		t.Errorf("settled as %+v", r)
	}
	if r.AsOf.Location() != time.UTC || r.AsOf.Nanosecond() != 0 {
		t.Errorf("as of %v", r.AsOf)
	}
	fresh := verdict.Report{}
	fresh.Settle(true, at)
	if fresh.Verdict != verdict.ValidAsOf {
		t.Errorf("kept evidence: %s", fresh.Verdict)
	}
	fresh.Settle(false, at)
	if fresh.Verdict != verdict.Valid {
		t.Errorf("fresh evidence: %s", fresh.Verdict)
	}
}

// TestTable: every code has one row, a result that a check can have, and sentences for people in both languages.
func TestTable(t *testing.T) {
	t.Parallel()
	seen := map[verdict.Code]bool{}
	for _, e := range verdict.Table() {
		if seen[e.Code] || string(e.Code) != strings.ToUpper(string(e.Code)) {
			t.Errorf("%s stands twice or is not in capitals", e.Code)
		}
		seen[e.Code] = true
		if e.ZH == "" || e.EN == "" || e.Result == verdict.Pass {
			t.Errorf("%s: %+v", e.Code, e)
		}
		if got, ok := verdict.Lookup(e.Code); !ok || got != e {
			t.Errorf("%s is looked up as %+v", e.Code, got)
		}
	}
	if c := verdict.Note("a", "NO_SUCH_CODE", "", ""); c.Result != verdict.Fail {
		t.Errorf("a code without a row is noted as %s", c.Result)
	}
}
