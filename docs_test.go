package yinxin_test

import (
	"flag"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated parts of documents again") //nolint:gochecknoglobals // a flag

const (
	foldersBegin = "<!-- folders:begin: the sentences are those of the package comments; a test compares them -->\n"
	foldersEnd   = "<!-- folders:end -->"
)

// TestFolderMap keeps the README's map of folders equal to the first sentence of each package comment.
func TestFolderMap(t *testing.T) {
	dirs, err := packageDirs()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| folder | what it is |\n|---|---|\n")
	for _, dir := range dirs {
		sentence, err := firstSentence(dir)
		if err != nil {
			t.Error(err)
			continue
		}
		fmt.Fprintf(&b, "| %s | %s |\n", dir, sentence)
	}
	raw, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), foldersBegin)
	have, after, ok2 := strings.Cut(rest, foldersEnd)
	if !ok || !ok2 {
		t.Fatal("README.md has lost the marks of its folder map")
	}
	if have == b.String() {
		return
	}
	if !*update {
		t.Fatal("README.md's folder map differs from the package comments; run: go test . -run TestFolderMap -update")
	}
	if err := os.WriteFile("README.md", []byte(before+foldersBegin+b.String()+foldersEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// packageDirs are the folders that hold Go packages of the product, in order.
func packageDirs() ([]string, error) {
	pkgs, err := load(os.DirFS("."))
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, top := range []string{"cmd", "identity", "seal", "license", "ledger", "hsm", "ofd", "verify", "internal", "tools"} {
		var under []string
		for dir := range pkgs {
			if within(dir, top) {
				under = append(under, dir)
			}
		}
		slices.Sort(under)
		dirs = append(dirs, under...)
	}
	return dirs, nil
}

// firstSentence is the first sentence of a package's comment, without "Package x" or "Command x".
func firstSentence(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			return "", err
		}
		if parsed.Doc == nil {
			continue
		}
		text := strings.Join(strings.Fields(parsed.Doc.Text()), " ")
		if i := strings.Index(text, ". "); i >= 0 {
			text = text[:i+1]
		}
		words := strings.SplitN(text, " ", 3)
		if len(words) == 3 && (words[0] == "Package" || words[0] == "Command") {
			return words[2], nil
		}
		return "", fmt.Errorf("%s: the package comment begins with %q", dir, words[0])
	}
	return "", fmt.Errorf("%s has no package comment", dir)
}
