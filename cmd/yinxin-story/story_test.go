package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStory tells the whole story with commands built from this tree, then judges what it left, offline.
func TestStory(t *testing.T) {
	s := onStage(t)
	out, talk, status := s.command(t, "yinxin-story", "-out", s.folder)
	t.Logf("%s", out)
	if status != 0 {
		words, err := os.ReadFile(filepath.Join(s.folder, "demo.log"))
		t.Fatalf("the story ends with %d: %s\nthe demonstration said (%v): %s", status, talk, err, words)
	}
	in := func(name string) string { return filepath.Join(s.folder, name) }
	for _, name := range []string{"verdict.json", "checkpoint", "code.txt", "data/demo.json"} {
		if info, err := os.Stat(in(name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing or empty: %v", name, err)
		}
	}
	for _, name := range []string{"sign-in", "consent", "wallet", "wallet-elder", "wallet-dark", "show", "verdict", "verdict-revoked", "department-issue", "department-detail"} {
		checkPicture(t, in("screenshots/"+name+".png"))
	}

	trust := "--trust=" + in("trust.json")
	judge := func(t *testing.T, wantStatus int, wantVerdict, wantCode string, args ...string) judged {
		t.Helper()
		out, talk, status := s.command(t, "yinxin-verify", append([]string{trust, "--json"}, args...)...)
		var j judged
		if err := json.Unmarshal(out, &j); err != nil {
			t.Fatalf("status %d, no report: %v %s", status, err, talk)
		}
		if status != wantStatus || j.Verdict != wantVerdict || wantCode != "" && !strings.Contains(string(out), `"`+wantCode+`"`) {
			t.Errorf("status %d, %s; want %d, %s, code %q\n%s", status, j.Verdict, wantStatus, wantVerdict, wantCode, out)
		}
		return j
	}
	t.Run("own proof", func(t *testing.T) {
		j := judge(t, 0, "valid_as_of", "", "--proof", in("license.proof"), in("license.ofd"))
		if at := statusTime(t, in("license.proof")); j.AsOf != at || at == "" {
			t.Errorf("as of %s, the status evidence is of %s", j.AsOf, at)
		}
	})
	t.Run("no proof", func(t *testing.T) { judge(t, 2, "cannot_determine", "STATUS_UNKNOWN", in("license.ofd")) })
	t.Run("another license's proof", func(t *testing.T) {
		for _, name := range []string{"food", "birth"} {
			judge(t, 1, "not_valid", "PROOF_WRONG_SUBJECT", "--proof", in("more/"+name+".proof"), in("license.ofd"))
		}
	})
	t.Run("revoked", func(t *testing.T) {
		judge(t, 1, "not_valid", "STATUS_NOT_IN_FORCE", "--proof", in("more/food.proof"), in("more/food.ofd"))
	})
	t.Run("revocation in the ledger", func(t *testing.T) {
		// A proof by itself says nothing of a document; what it says of the log must hold.
		if j := judge(t, 2, "cannot_determine", "", in("more/food.status.proof")); j.Ledger.State != "included" {
			t.Errorf("the ledger is said to be %q", j.Ledger.State)
		}
	})
	t.Run("birth certificate", func(t *testing.T) {
		judge(t, 0, "valid_as_of", "", "--proof", in("more/birth.proof"), in("more/birth.ofd"))
	})
	t.Run("changed", func(t *testing.T) { judgeChanged(t, in("license.ofd"), in("license.proof"), judge) })
}

type judged struct {
	Verdict string `json:"verdict"`
	AsOf    string `json:"as_of"`
	Ledger  struct {
		State string `json:"state"`
	} `json:"ledger"`
}

// statusTime is the time of the status evidence in a proof.
func statusTime(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var proof struct {
		Status struct {
			IssuedAt string `json:"issued_at"`
		} `json:"status"`
	}
	if err := json.Unmarshal(b, &proof); err != nil {
		t.Fatal(err)
	}
	return proof.Status.IssuedAt
}

func checkPicture(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}()
	if c, err := png.DecodeConfig(f); err != nil || c.Width < 300 || c.Height < 500 {
		t.Errorf("%s is no picture of a page: %v, %d×%d", filepath.Base(path), err, c.Width, c.Height)
	}
}

// judgeChanged flips bytes in each entry that people see or that seals, one at a time, and zips anew.
func judgeChanged(t *testing.T, file, proof string, judge func(*testing.T, int, string, string, ...string) judged) {
	original, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	entries := unzip(t, original)
	changed := filepath.Join(t.TempDir(), "changed.ofd")
	seen := map[string]int{}
	for i, e := range entries {
		what := ""
		switch lower := strings.ToLower(e.name); {
		case strings.Contains(lower, "/pages/"), strings.Contains(lower, "/tpls/"), strings.Contains(lower, "/temps/"), strings.Contains(lower, "/template"):
			what = "page"
		case strings.HasSuffix(lower, "signedvalue.dat"):
			what = "signature value"
		case strings.HasSuffix(lower, ".esl"):
			what = "seal"
		case strings.HasSuffix(lower, "/signature.xml"):
			what = "signature"
		case strings.Contains(lower, "/res/"):
			what = "picture or font"
		}
		if what == "" || len(e.content) == 0 {
			continue
		}
		seen[what]++
		const positions = 6
		for p := range positions {
			at := p * (len(e.content) - 1) / (positions - 1)
			content := bytes.Clone(e.content)
			content[at] ^= 1 << (p % 8)
			if err := os.WriteFile(changed, rezip(t, entries, i, content), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Run(fmt.Sprintf("%s byte %d", e.name, at), func(t *testing.T) { judge(t, 1, "not_valid", "", "--proof", proof, changed) })
		}
	}
	for _, what := range []string{"page", "signature value", "signature"} {
		if seen[what] == 0 {
			t.Errorf("the package has no %s among its entries: %v", what, seen)
		}
	}
	// The same package with nothing changed, zipped anew, must still hold: else the loop above would prove nothing.
	if err := os.WriteFile(changed, rezip(t, entries, -1, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	judge(t, 0, "valid_as_of", "", "--proof", proof, changed)
	t.Logf("%v entries were changed", seen)
}

type entry struct {
	name    string
	method  uint16
	content []byte
}

func unzip(t *testing.T, file []byte) []entry {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, entry{f.Name, f.Method, content})
	}
	return entries
}

// rezip packs entries with the content of one of them replaced.
func rezip(t *testing.T, entries []entry, replace int, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, e := range entries {
		if i == replace {
			e.content = content
		}
		out, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: e.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
