package verify_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/verify"
)

// expectation is the form of the corpus's expected.json.
type expectation struct {
	Runs map[string]struct {
		Anchors []string  `json:"anchors"`
		At      time.Time `json:"at"`
	} `json:"runs"`
	Files map[string]struct {
		Signatures []struct {
			ID       string    `json:"id"`
			Type     string    `json:"type"`
			Standard string    `json:"standard"`
			Claimed  time.Time `json:"claimed_signing_time"`
		} `json:"signatures"`
		Verdict map[string]verdict.Word   `json:"verdict"`
		Codes   map[string][]verdict.Code `json:"codes_among_the_checks"`
	} `json:"files"`
}

// TestCorpus judges files that others made, in the runs that the corpus asks for.
func TestCorpus(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("YINXIN_CORPUS")
	if corpus == "" {
		t.Log("left out: the foreign files; YINXIN_CORPUS names no folder")
		return
	}
	raw, err := os.ReadFile(filepath.Join(corpus, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want expectation
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	judged := 0
	for name, w := range want.Files {
		for run, word := range w.Verdict {
			spec, ok := want.Runs[run]
			if !ok {
				t.Fatalf("%s: unknown run %s", name, run)
			}
			judge := verify.Judge{At: spec.At}
			if len(spec.Anchors) > 0 {
				judge.Trust = anchors(t, corpus, spec.Anchors, spec.At)
			}
			file, err := os.ReadFile(filepath.Join(corpus, name))
			if err != nil {
				t.Fatal(err)
			}
			r, err := judge.Bytes(file, nil)
			if err != nil {
				t.Errorf("%s, %s: %v", name, run, err)
				continue
			}
			judged++
			if r.Verdict != word {
				t.Errorf("%s, %s: %s, want %s\n%s", name, run, r.Verdict, word, findings(r))
			}
			got := codes(r)
			for _, c := range w.Codes[run] {
				if !slices.Contains(got, c) {
					t.Errorf("%s, %s: no %s among the checks\n%s", name, run, c, findings(r))
				}
			}
			if len(w.Signatures) != len(r.Signatures) && strings.HasSuffix(name, ".ofd") {
				t.Errorf("%s: %d signatures, want %d", name, len(r.Signatures), len(w.Signatures))
				continue
			}
			for i, s := range w.Signatures {
				g := r.Signatures[i]
				if g.ID != s.ID || g.Type != s.Type || !s.Claimed.IsZero() && (g.Standard != s.Standard || g.SignedAt == nil || !g.SignedAt.Equal(s.Claimed)) {
					t.Errorf("%s: signature %d is %s %s %s %v, want %+v", name, i, g.ID, g.Type, g.Standard, g.SignedAt, s)
				}
			}
		}
	}
	if judged < 30 {
		t.Errorf("only %d files were judged", judged)
	}
}

func anchors(t *testing.T, corpus string, names []string, at time.Time) verify.Trust {
	t.Helper()
	var pem []byte
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join(corpus, n))
		if err != nil {
			t.Fatal(err)
		}
		pem = append(pem, b...)
	}
	trust, _, err := verify.OpenTrust(pem, nil, false, at)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

func each(r verdict.Report, f func(verdict.Check)) {
	for _, c := range r.Checks {
		f(c)
	}
	for _, s := range r.Signatures {
		for _, c := range s.Checks {
			f(c)
		}
	}
}

func codes(r verdict.Report) []verdict.Code {
	var out []verdict.Code
	each(r, func(c verdict.Check) {
		if c.Code != "" {
			out = append(out, c.Code)
		}
	})
	return out
}

func findings(r verdict.Report) string {
	var b strings.Builder
	each(r, func(c verdict.Check) {
		if c.Result != verdict.Pass {
			b.WriteString("  " + c.Name + " " + string(c.Result) + " " + string(c.Code) + " " + c.Where + " " + c.Detail + "\n")
		}
	})
	return b.String()
}
