package postgres_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/testenv"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

// A code is judged by the policy's times, to the second on both sides of each.
func TestCodeTimesAreThePolicys(t *testing.T) {
	t.Parallel()
	env, ctx := testenv.Postgres(t, 1, 2), background(t)
	for i, p := range []struct {
		name         string
		given, holds license.Policy
	}{
		{"standard", license.Policy{}, license.Policy{CodeLife: 60 * time.Second, SkewWarning: 30 * time.Second, SkewLimit: 300 * time.Second}},
		{
			"a province's own",
			license.Policy{CodeLife: 20 * time.Second, SkewWarning: 5 * time.Second, SkewLimit: 10 * time.Second},
			license.Policy{CodeLife: 20 * time.Second, SkewWarning: 5 * time.Second, SkewLimit: 10 * time.Second},
		},
	} {
		w := worldOn(t, env, env.Cells, func(c *license.Config) { c.Policy = p.given })
		l, at := w.issued(t, number(i)), w.now()
		cases := []struct {
			name string
			late time.Duration // of the verifier's clock against the code's time
			word verdict.Word
			code []string
		}{
			{"at the end of its life", p.holds.CodeLife, verdict.Valid, nil},
			{"past its life", p.holds.CodeLife + time.Second, verdict.NotValid, []string{"CODE_EXPIRED"}},
			{"as far ahead as is fine", -p.holds.SkewWarning, verdict.Valid, nil},
			{"further ahead", -p.holds.SkewWarning - time.Second, verdict.Valid, []string{"CODE_NOT_YET_VALID"}},
			{"as far ahead as is accepted", -p.holds.SkewLimit, verdict.Valid, []string{"CODE_NOT_YET_VALID"}},
			{"too far ahead", -p.holds.SkewLimit - time.Second, verdict.NotValid, []string{"CODE_NOT_YET_VALID"}},
		}
		for _, c := range cases {
			w.clock.Store(at.UnixNano())
			shown := w.show(t, l.ID)
			if !shown.ExpiresAt.Equal(at.Add(p.holds.CodeLife)) {
				t.Errorf("%s: the wallet is told that the code ends at %s", p.name, shown.ExpiresAt)
			}
			w.pass(c.late)
			o, err := w.CheckCode(ctx, shown.Code, clerk())
			if err != nil || o.Report.Verdict != c.word || !cmp.Equal(codes(o), c.code) {
				t.Errorf("%s, %s: %v %v, want %v %v: %v", p.name, c.name, o.Report.Verdict, codes(o), c.word, c.code, err)
			}
		}
	}
}

func TestPolicyThatContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	config := worldOn(t, env, env.Cells).Config
	for name, p := range map[string]license.Policy{
		"a life of nothing":           {CodeLife: -1},
		"a life beyond its handle's":  {CodeLife: license.HandleLife + 1},
		"a refusal before a warning":  {SkewWarning: time.Minute, SkewLimit: time.Second},
		"a warning before the moment": {SkewWarning: -time.Second},
		"a refusal beyond a day":      {SkewLimit: 25 * time.Hour},
	} {
		config.Policy = p
		if _, err := license.NewService(config); fault.CodeOf(err) != "license_config" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
