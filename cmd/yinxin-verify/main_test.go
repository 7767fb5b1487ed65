package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/seal/pki"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

var update = flag.Bool("update", false, "write what the command prints into the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"yinxin-verify": main})
}

// TestScripts plays the scripts in testdata; they read as a manual of the command.
func TestScripts(t *testing.T) {
	t.Parallel()
	files := province(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata", UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			for name, data := range files {
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), data, 0o600); err != nil {
					return err
				}
			}
			env.Setenv("NOW", verifytest.Now().Format(time.RFC3339))
			env.Setenv("LANG", "en_US.UTF-8")
			env.Setenv("CODE", strings.TrimSpace(string(files["code.txt"])))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "fixed": fixed},
	})
}

// exits runs a command and holds it to an exit status: exits 2 yinxin-verify license.ofd.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

var root = regexp.MustCompile(`"root": "[^"]*"`)

// fixed writes what was printed last into a file, without the ledger's root: it is another one whenever a layout changes.
func fixed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fixed FILE")
	}
	out := root.ReplaceAllString(ts.ReadFile("stdout"), `"root": "…"`)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(out), 0o600))
}

// province are the files that the scripts work with.
func province(t testing.TB) map[string][]byte {
	t.Helper()
	w := verifytest.New(t)
	l := w.Property(t, 1)
	other := w.Property(t, 2)
	changed := bytes.Clone(l.File)
	changed[len(changed)/2] ^= 1
	revoked := w.StatusOf(t, l, func(e *license.StatusEvidence) { e.Value = license.StatusNot })
	suspended := w.StatusOf(t, l, func(e *license.StatusEvidence) { e.Value = license.StatusSuspended })
	with := func(s license.StatusEvidence) []byte {
		return w.Proof(t, l, func(p *ledger.Proof) { p.Status = verifytest.MarshalStatus(t, s) })
	}
	return map[string][]byte{
		"license.ofd": l.File, "license.proof": w.Proof(t, l), "other.proof": w.Proof(t, other), "changed.ofd": changed,
		"revoked.proof": with(revoked), "suspended.proof": with(suspended),
		"promised.proof": w.Proof(t, l, func(p *ledger.Proof) { p.Evidence = ledger.Evidence{Entry: l.Entry, Promise: l.Promise} }),
		"trust.json":     w.Trust(t), "trust-2.json": w.Trust(t, func(l *pki.List) { l.Version = 2 }),
		"trust-4.json":      w.Trust(t, func(l *pki.List) { l.Version = 4 }),
		"trust-forged.json": bytes.Replace(w.Trust(t), []byte(`"list":"e`), []byte(`"list":"f`), 1), "roots.pem": w.PEM(),
		"seal.esl": w.First.SealDER, "code.txt": []byte(l.URL + "\n"), "forged.txt": []byte(l.URL[:len(l.URL)-4] + "AAAA"),
		"picture.png": []byte("\x89PNG\r\n\x1a\n"), "bare.zip": []byte("PK\x05\x06" + strings.Repeat("\x00", 18)),
	}
}

// TestShape holds --json to the members that the design names, in their order, and no others.
func TestShape(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
	full := verdict.Report{
		Verdict: verdict.ValidAsOf, AsOf: at, Subject: verdict.Subject{Kind: "license", ID: "i", Title: "t", Status: "issued"},
		Checks:     []verdict.Check{{Name: "n", Result: verdict.Fail, Code: "C", Detail: "d", Where: "w"}},
		Signatures: []verdict.Signature{{ID: "s001", Type: "Seal", Standard: "x", Signer: "y", SignedAt: &at, Covers: verdict.CoversCurrent, Checks: []verdict.Check{}}},
		Ledger:     verdict.Ledger{State: "included", Size: 1, Index: 0, Root: "r"},
	}
	var out bytes.Buffer
	if err := printJSON(&out, full); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"verdict", "as_of", "subject", "kind", "id", "title", "status", "checks", "name", "result", "code", "detail", "where",
		"signatures", "id", "type", "standard", "signer", "signed_at", "covers", "checks", "ledger", "state", "size", "index", "root",
	}
	var got []string
	for _, m := range regexp.MustCompile(`"([a-z_]+)":`).FindAllSubmatch(out.Bytes(), -1) {
		got = append(got, string(m[1]))
	}
	if !slices.Equal(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
	// Nothing found is an empty list, not null.
	var empty verdict.Report
	empty.Settle(false, at)
	b, err := json.Marshal(empty)
	if err != nil || bytes.Contains(b, []byte("null")) {
		t.Errorf("%s %v", b, err)
	}
}

// TestNow: without --at the clock decides.
func TestNow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, data := range province(t) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	args := []string{"-zh=false", "--trust", in("trust.json"), "--proof", in("license.proof"), in("license.ofd")}
	for at, want := range map[time.Time]int{verifytest.Now(): exitValid, verifytest.Now().Add(48 * time.Hour): exitUnknown} {
		var out, talk bytes.Buffer
		if got := run(args, strings.NewReader(""), &out, &talk, func() time.Time { return at }); got != want {
			t.Errorf("at %s: exit status %d, want %d\n%s%s", at, got, want, &out, &talk)
		}
	}
}
