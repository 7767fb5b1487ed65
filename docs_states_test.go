package yinxin_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/seal"
)

// machine is a state machine as the Go type has it.
type machine struct {
	mark    string // of its diagram in docs/architecture.md
	states  []string
	initial string
	next    func(string) []string
	checks  []string // names of the CHECK constraints that list its states
}

func machines() []machine {
	return []machine{
		{
			mark: "states-license", states: texts(license.States()), initial: string(license.Draft),
			next:   func(s string) []string { return texts(license.State(s).Next()) },
			checks: []string{"license_state_known", "directory_state_known"},
		},
		{
			mark: "states-seal", states: texts(seal.States()), initial: string(seal.StateRequested),
			next:   func(s string) []string { return texts(seal.State(s).Next()) },
			checks: []string{"seal_state_known"},
		},
		{
			mark: "states-draft", states: texts(seal.DraftStates()), initial: string(seal.DraftPrepared),
			next: func(s string) []string {
				var out []string
				for _, n := range seal.DraftStates() {
					if seal.DraftState(s).Can(n) {
						out = append(out, string(n))
					}
				}
				return out
			},
			checks: []string{"seal_draft_state_known"},
		},
	}
}

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, v := range in {
		out[i] = string(v)
	}
	return out
}

// TestStateMachines holds three things together: the Go types, the CHECK constraints of the migrations, and the diagrams
// of docs/architecture.md.
func TestStateMachines(t *testing.T) {
	sql := migrations(t)
	for _, m := range machines() {
		t.Run(m.mark, func(t *testing.T) {
			var b strings.Builder
			b.WriteString("```mermaid\nstateDiagram-v2\n")
			fmt.Fprintf(&b, "    [*] --> %s\n", m.initial)
			for _, s := range m.states {
				next := m.next(s)
				for _, n := range next {
					if !slices.Contains(m.states, n) {
						t.Errorf("%s leads to the unknown state %s", s, n)
					}
					fmt.Fprintf(&b, "    %s --> %s\n", s, n)
				}
				if len(next) == 0 {
					fmt.Fprintf(&b, "    %s --> [*]\n", s)
				}
			}
			b.WriteString("```\n")
			generated(t, "docs/architecture.md", m.mark, b.String())
			for _, name := range m.checks {
				if have := listed(t, sql, name); !slices.Equal(have, m.states) {
					t.Errorf("the constraint %s lists %v, the Go type %v", name, have, m.states)
				}
			}
		})
	}
}

// migrations is the text of all migrations.
func migrations(t *testing.T) string {
	t.Helper()
	names, err := filepath.Glob("internal/postgres/migrations/*/*.sql")
	if err != nil || len(names) < 6 {
		t.Fatalf("%d migrations: %v", len(names), err)
	}
	var b strings.Builder
	for _, name := range names {
		b.WriteString(read(t, name))
	}
	return b.String()
}

// listed is what a constraint CHECK (column IN ('a', 'b')) lists.
func listed(t *testing.T, sql, name string) []string {
	t.Helper()
	m := regexp.MustCompile(`CONSTRAINT ` + name + ` CHECK \([a-z_]+ IN \(([^)]*)\)\)`).FindStringSubmatch(sql)
	if m == nil {
		t.Fatalf("there is no constraint %s that lists its states", name)
	}
	var out []string
	for item := range strings.SplitSeq(m[1], ",") {
		out = append(out, strings.Trim(item, " '"))
	}
	return out
}

// TestKeysInDocument: docs/architecture.md has a row for every key that the service uses, by the name in the code.
func TestKeysInDocument(t *testing.T) {
	text := read(t, "docs/architecture.md")
	count := 0
	for _, file := range productFiles(t, "cmd/yinxin") {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			kind, ok := spec.Type.(*ast.SelectorExpr)
			lit, isLit := spec.Values[0].(*ast.BasicLit)
			if !ok || !isLit || lit.Kind != token.STRING || kind.Sel.Name != "Ref" {
				return true
			}
			name, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			count++
			if !strings.Contains(text, "| `"+name+"` |") {
				t.Errorf("docs/architecture.md has no row for the key %s", name)
			}
			return true
		})
	}
	if count < 10 {
		t.Errorf("only %d keys were found in cmd/yinxin", count)
	}
}

// TestDocumentLinks: what a document points to is there.
func TestDocumentLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, doc := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, doc), -1) {
			if strings.HasSuffix(m[1], ".png") { // pictures are taken from a running product
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s points to %s, which is not there", doc, m[1])
			}
		}
	}
}

// TestDocumentsNameFiles: a Go file that a document names in full exists.
func TestDocumentsNameFiles(t *testing.T) {
	name := regexp.MustCompile(`\b[a-z0-9]+(?:[/-][a-z0-9_]+)*/[a-z0-9_]+\.(?:go|sql|json)\b`)
	for _, doc := range documents(t) {
		for _, m := range name.FindAllString(read(t, doc), -1) {
			if strings.HasPrefix(m, "data/") || strings.HasPrefix(m, "api/") { // folders of a running product
				continue
			}
			if _, err := os.Stat(m); err != nil {
				t.Errorf("%s names %s, which is not there", doc, m)
			}
		}
	}
}
