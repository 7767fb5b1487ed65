package yinxin_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// TestVerdictCodes keeps the table of docs/verdicts.md equal to the one in the code, with the packages that make each
// finding. A code that nobody makes says so.
func TestVerdictCodes(t *testing.T) {
	names := codeNames(t)
	makers := codeMakers(t, names)
	var b strings.Builder
	b.WriteString("| code | usual result | fatal | found by | 中文 | English |\n|---|---|---|---|---|---|\n")
	for _, e := range verdict.Table() {
		fatal, by := "no", strings.Join(makers[e.Code], ", ")
		if e.Fatal {
			fatal = "yes"
		}
		if by == "" {
			by = "nothing yet"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", e.Code, e.Result, fatal, by, e.ZH, e.EN)
	}
	generated(t, "docs/verdicts.md", "codes", b.String())
}

// TestVerdictTable holds the table's own rules: every code that is declared has one row, every row has both sentences, and
// a finding that may fail is fatal, since a fail that is not would change no verdict.
func TestVerdictTable(t *testing.T) {
	names, seen := codeNames(t), map[verdict.Code]bool{}
	for _, e := range verdict.Table() {
		if seen[e.Code] {
			t.Errorf("%s stands in the table twice", e.Code)
		}
		seen[e.Code] = true
		if e.ZH == "" || e.EN == "" {
			t.Errorf("%s lacks a sentence", e.Code)
		}
		if e.Result == verdict.Fail && !e.Fatal {
			t.Errorf("%s fails and is not fatal", e.Code)
		}
	}
	for name, code := range names {
		if !seen[code] {
			t.Errorf("%s (%s) has no row in the table", code, name)
		}
	}
	if len(names) != len(seen) || len(seen) < 100 {
		t.Errorf("%d codes are declared, %d have rows", len(names), len(seen))
	}
}

// TestVerdictCodesInDocuments: what looks like a verdict code in a document is one.
func TestVerdictCodesInDocuments(t *testing.T) {
	prefix := map[string]bool{}
	known := map[string]bool{}
	for _, e := range verdict.Table() {
		known[string(e.Code)] = true
		head, _, _ := strings.Cut(string(e.Code), "_")
		prefix[head] = true
	}
	for _, doc := range documents(t) {
		text := read(t, doc)
		for _, m := range regexp.MustCompile("`([A-Z][A-Z0-9]*)(_[A-Z0-9]+)+`").FindAllString(text, -1) {
			code := strings.Trim(m, "`")
			head, _, _ := strings.Cut(code, "_")
			if prefix[head] && !known[code] {
				t.Errorf("%s names %s, which is no code of the table", doc, code)
			}
		}
	}
}

// codeNames maps the Go name of each declared code to the code.
func codeNames(t *testing.T) map[string]verdict.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "internal/verdict/codes.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]verdict.Code{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 {
			return true
		}
		kind, typed := spec.Type.(*ast.Ident)
		value, literal := spec.Values[0].(*ast.BasicLit)
		if !typed || kind.Name != "Code" || !literal {
			return true
		}
		text, err := strconv.Unquote(value.Value)
		if err != nil {
			t.Fatal(err)
		}
		names[spec.Names[0].Name] = verdict.Code(text)
		return true
	})
	return names
}

// codeMakers lists the packages whose product files name a code.
func codeMakers(t *testing.T, names map[string]verdict.Code) map[verdict.Code][]string {
	t.Helper()
	dirs, err := packageDirs()
	if err != nil {
		t.Fatal(err)
	}
	makers := map[verdict.Code][]string{}
	for _, dir := range dirs {
		if isSuite(dir) || dir == "internal/verdict" {
			continue
		}
		for _, file := range productFiles(t, dir) {
			ast.Inspect(file, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, ok := sel.X.(*ast.Ident)
				code, isCode := names[sel.Sel.Name]
				if ok && isCode && pkg.Name == "verdict" && !slices.Contains(makers[code], dir) {
					makers[code] = append(makers[code], dir)
				}
				return true
			})
		}
	}
	return makers
}

// productFiles parses the files of a folder that are no tests.
func productFiles(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// documents are the texts that people read.
func documents(t *testing.T) []string {
	t.Helper()
	out := []string{"README.md", "CHANGELOG.md"}
	for _, pattern := range []string{"docs/*.md", "docs/adr/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, names...)
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// generated holds the part of a document between two marks against what the code says, and writes it with -update.
func generated(t *testing.T, doc, mark, want string) {
	t.Helper()
	begin, end := "<!-- "+mark+":begin -->\n", "<!-- "+mark+":end -->"
	text := read(t, doc)
	before, rest, ok := strings.Cut(text, begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks of %s", doc, mark)
	}
	if have == want {
		return
	}
	if !*update {
		t.Fatalf("the part %q of %s differs from the code; run: go test . -run %s -update\n%s", mark, doc, t.Name(), firstDifference(have, want))
	}
	if err := os.WriteFile(doc, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// firstDifference is the first line in which two texts differ.
func firstDifference(have, want string) string {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range max(len(h), len(w)) {
		a, b := "(nothing)", "(nothing)"
		if i < len(h) {
			a = h[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return "document: " + a + "\ncode:     " + b
		}
	}
	return ""
}
