package ofd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ofd"
)

// corpus is the folder of foreign files, or "" when none was named.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("YINXIN_CORPUS")
	if dir == "" {
		t.Log("YINXIN_CORPUS is not set: no foreign files were read")
	}
	return dir
}

func codes(checks []verdict.Check) []verdict.Code {
	var out []verdict.Code
	for _, c := range checks {
		if c.Result != verdict.Pass {
			out = append(out, c.Code)
		}
	}
	return out
}

// judge folds everything that this package can say, the values of the signatures taken to hold.
func judge(data []byte) (verdict.Word, []verdict.Check) {
	p, checks := ofd.Open(data, ofd.DefaultLimits())
	if p == nil {
		return verdict.Fold(checks), checks
	}
	e := p.Examine()
	checks = append(checks, e.Checks...)
	for _, s := range e.Signatures {
		checks = append(checks, s.Checks...)
	}
	checks = append(checks, e.Coverage(func(s *ofd.SignatureEntry) bool { return verdict.Fold(s.Checks) != verdict.NotValid })...)
	return verdict.Fold(checks), checks
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	dir := corpus(t)
	if dir == "" {
		return
	}
	raw, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Files map[string]struct {
			Signatures []struct {
				ID, Type string
				OK       int `json:"references_ok"`
				Bad      int `json:"references_bad"`
			}
		}
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "ofd-*", "*.ofd"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		name, _ := filepath.Rel(dir, path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p, checks := ofd.Open(data, ofd.DefaultLimits())
			if p == nil {
				t.Fatalf("not opened: %v", checks)
			}
			if w := verdict.Fold(checks); w != verdict.Valid {
				t.Errorf("the container or the document is %s: %v", w, checks)
			}
			t.Log(codes(checks))
			for _, d := range p.Documents() {
				if d.Root == "" || len(d.Pages) == 0 {
					t.Errorf("document %d: root %q, %d pages", d.Index, d.Root, len(d.Pages))
				}
				t.Logf("%+v values %v", d.Visible(), d.Values())
			}
			e := p.Examine()
			expect := want.Files[name]
			if len(expect.Signatures) == 0 {
				if !slices.Contains(codes(e.Checks), verdict.SigListAbsent) {
					t.Errorf("unsigned, and yet %v", e.Checks)
				}
				return
			}
			word, all := judge(data)
			t.Log(word, codes(all))
			if word != verdict.Valid {
				t.Errorf("judged %s: %v", word, all)
			}
			if len(e.Signatures) != len(expect.Signatures) {
				t.Fatalf("%d signatures, want %d", len(e.Signatures), len(expect.Signatures))
			}
			for i, s := range e.Signatures {
				w := expect.Signatures[i]
				if s.ID != w.ID || s.Type != w.Type || s.RefsOK() != w.OK || s.RefsBad() != w.Bad || s.Covers != verdict.CoversCurrent {
					t.Errorf("got %s %s %d/%d %s, want %+v: %v", s.ID, s.Type, s.RefsOK(), s.RefsBad(), s.Covers, w, s.Checks)
				}
				if len(s.Raw) == 0 || len(s.Value) == 0 || !strings.HasPrefix(s.Path, "/") || (s.Type == ofd.TypeSeal) != (len(s.SealFile) > 0) {
					t.Errorf("parts are missing: %s raw %d value %d seal %d", s.Path, len(s.Raw), len(s.Value), len(s.SealFile))
				}
			}
		})
	}
}
