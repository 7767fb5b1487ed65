package yinxin_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/yinxin-trust/yinxin"

// The import law. It reads the files in this process: a test that asks `go list` is cached by the test runner, which does
// not see that other packages changed, and passes wrongly.
//
//  0. Ground (internal/fault, internal/gm, internal/verdict) imports only ground; all may import it.
//  1. Domain packages import no adapter and nothing that touches the world.
//  2. identity, license and seal never import one another; among domain packages only verify imports several.
//  3. Adapters never import one another. web sees no storage, no device and no ledger engine.
//  4. A heavy dependency has one importer.
//  5. cmd/yinxin-verify has no network, no database and no cgo in its closure.
//
// Test files and test suites (*test, internal/testenv) are not governed.
var (
	ground = []string{"internal/fault", "internal/gm", "internal/verdict"}
	domain = []string{"hsm", "identity", "ledger", "license", "ofd", "seal", "seal/pki", "verify"}
	// world is what a domain package may not touch: time, randomness and files arrive as arguments.
	world = []string{"net", "net/http", "os", "os/exec", "database/sql", "log/slog"}
	// heavy maps the prefix of a dependency to the only folder that imports it.
	heavy = map[string]string{
		"github.com/jackc/pgx":               "internal/postgres",
		"github.com/ory/fosite":              "identity/oauth",
		"github.com/go-webauthn/":            "identity/passkey",
		"github.com/miekg/pkcs11":            "hsm/pkcs11",
		"github.com/hyperledger/":            "ledger/fabric",
		"google.golang.org/grpc":             "ledger/fabric",
		"github.com/emmansun/gmsm":           "internal/gm",
		"go.etcd.io/bbolt":                   "ledger/tile",
		"github.com/coreos/go-oidc":          "cmd/yinxin-story",
		"github.com/chromedp/":               "cmd/yinxin-story",
		"github.com/evanw/esbuild":           "tools/assets",
		"github.com/tjfoc/gmsm":              "-", // tests only
		"github.com/rogpeppe/go-internal":    "-", // tests only
		"github.com/google/go-cmp":           "-", // tests only
		"github.com/transparency-dev/merkle": "ledger",
	}
)

// pkg is one folder of Go files with what its files import; paths of ours are relative to the module.
type pkg struct {
	dir     string
	imports map[string]string // import → a file that has it
	faults  []string          // init functions and cgo, found while parsing
}

func TestImportLaw(t *testing.T) {
	pkgs, err := load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) < 10 {
		t.Fatalf("only %d packages were read", len(pkgs))
	}
	for _, v := range judge(pkgs) {
		t.Error(v)
	}
}

// TestImportLawCatches plants one violation of each rule and wants to hear of it.
func TestImportLawCatches(t *testing.T) {
	plant := func(name, imports string) fs.FS {
		src := "package x\n"
		for imp := range strings.FieldsSeq(imports) {
			src += "import _ " + strconv.Quote(imp) + "\n"
		}
		return fstest.MapFS{name: {Data: []byte(src)}}
	}
	m := module + "/"
	for _, c := range []struct{ name, file, imports, want string }{
		{"ground imports ours", "internal/gm/a.go", m + "ofd", "ground"},
		{"domain touches the world", "license/a.go", "net/http", "touches"},
		{"domain imports adapter", "ledger/a.go", m + "ledger/tile", "adapter"},
		{"peers", "license/a.go", m + "seal", "never import one another"},
		{"several domains", "ofd/a.go", m + "hsm " + m + "ledger", "only verify"},
		{"adapters", "internal/web/a.go", m + "internal/postgres", "adapters"},
		{"adapters below domains", "hsm/soft/a.go", m + "internal/blob", "adapters"},
		{"heavy", "internal/web/a.go", "github.com/jackc/pgx/v5", "only internal/postgres"},
		{"tests only", "ledger/a.go", "github.com/google/go-cmp/cmp", "tests only"},
		{"suite in product", "internal/web/a.go", m + "internal/testenv", "tests only"},
		{"cgo", "internal/web/a.go", "C", "cgo"},
		{"command", "internal/web/a.go", m + "cmd/yinxin", "command"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pkgs, err := load(plant(c.file, c.imports))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(judge(pkgs), "\n")
			if !strings.Contains(got, c.want) {
				t.Errorf("planted %s importing %s: got %q, want something with %q", c.file, c.imports, got, c.want)
			}
		})
	}
	t.Run("init", func(t *testing.T) {
		pkgs, err := load(fstest.MapFS{"ofd/a.go": {Data: []byte("package ofd\nfunc init() {}\n")}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(judge(pkgs), "\n"); !strings.Contains(got, "init") {
			t.Errorf("a planted init was not seen: %q", got)
		}
	})
	t.Run("closure", func(t *testing.T) {
		pkgs, err := load(fstest.MapFS{
			"cmd/yinxin-verify/a.go": {Data: []byte("package main\nimport _ \"" + m + "verify\"\n")},
			"verify/a.go":            {Data: []byte("package verify\nimport _ \"" + m + "ofd\"\n")},
			"ofd/a.go":               {Data: []byte("package ofd\nimport _ \"net/http\"\n")},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(judge(pkgs), "\n"); !strings.Contains(got, "cmd/yinxin-verify reaches net/http") {
			t.Errorf("a planted net/http below the verifier was not seen: %q", got)
		}
	})
}

// load reads every non-test Go file of the tree.
func load(tree fs.FS) (map[string]*pkg, error) {
	pkgs := map[string]*pkg{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "bin" || base == "interop") {
				return fs.SkipDir
			}
			if _, err := fs.Stat(tree, path.Join(name, "go.mod")); err == nil && name != "." {
				return fs.SkipDir // a module of its own has a law of its own
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		p := pkgs[dir]
		if p == nil {
			p = &pkg{dir: dir, imports: map[string]string{}}
			pkgs[dir] = p
		}
		for _, spec := range file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			p.imports[strings.TrimPrefix(imp, module+"/")] = name
			if imp == "C" {
				p.faults = append(p.faults, fmt.Sprintf("%s: cgo belongs to cmd/yinxin-signd and hsm/pkcs11", name))
			}
		}
		for _, decl := range file.Decls {
			if isInit(decl) {
				p.faults = append(p.faults, fmt.Sprintf("%s: init functions hide order and state", name))
			}
		}
		return nil
	})
	return pkgs, err
}

// judge gives every breach of the law in a loaded tree.
func judge(pkgs map[string]*pkg) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for dir, p := range pkgs {
		for _, f := range p.faults {
			if !strings.Contains(f, "cgo") || (dir != "cmd/yinxin-signd" && dir != "hsm/pkcs11") {
				say("%s", f)
			}
		}
		domains := []string{}
		for imp, file := range p.imports {
			for prefix, only := range heavy {
				if strings.HasPrefix(imp, prefix) && !within(dir, only) && !isSuite(dir) {
					if only == "-" {
						say("%s: %s is for tests only", file, imp)
					} else {
						say("%s: only %s imports %s", file, only, imp)
					}
				}
			}
			if isOurs(pkgs, imp) && isSuite(imp) && !isSuite(dir) {
				say("%s: %s is a test suite, for tests only", file, imp)
			}
			if strings.HasPrefix(imp, "cmd/") && !strings.HasPrefix(dir, "cmd/") {
				say("%s: a package does not import the command %s", file, imp)
			}
			if slices.Contains(ground, dir) && isOurs(pkgs, imp) && !slices.Contains(ground, imp) {
				say("%s: ground imports %s", file, imp)
			}
			if slices.Contains(domain, imp) && imp != dir {
				domains = append(domains, imp)
			}
			if slices.Contains(domain, dir) {
				if slices.Contains(world, imp) {
					say("%s: a domain package touches %s; hand it in as an argument", file, imp)
				}
				if isAdapter(imp) {
					say("%s: a domain package imports the adapter %s", file, imp)
				}
			}
			if isAdapter(dir) && isAdapter(imp) && !within(imp, dir) && !within(dir, imp) && !isSuite(dir) && !isSuite(imp) {
				say("%s: adapters never import one another (%s)", file, imp)
			}
		}
		if slices.Contains(domain, dir) && dir != "verify" {
			own := strings.Split(dir, "/")[0]
			var foreign []string
			for _, d := range domains {
				if strings.Split(d, "/")[0] != own {
					foreign = append(foreign, d)
				}
			}
			peers := []string{"identity", "license", "seal"}
			for _, d := range foreign {
				if slices.Contains(peers, own) && slices.Contains(peers, strings.Split(d, "/")[0]) {
					say("%s imports %s: identity, license and seal never import one another", dir, d)
				}
			}
			if len(foreign) > 1 {
				slices.Sort(foreign)
				say("%s imports %v: only verify imports several domain packages", dir, foreign)
			}
		}
	}
	for _, bad := range closure(pkgs, "cmd/yinxin-verify", []string{"net", "net/http", "database/sql", "os/exec", "C"}) {
		say("%s", bad)
	}
	slices.Sort(out)
	return out
}

// closure walks what a command of ours reaches through our own packages.
func closure(pkgs map[string]*pkg, root string, forbidden []string) []string {
	var out []string
	seen := map[string]bool{}
	var walk func(dir string)
	walk = func(dir string) {
		p := pkgs[dir]
		if p == nil || seen[dir] {
			return
		}
		seen[dir] = true
		for imp, file := range p.imports {
			if slices.Contains(forbidden, imp) {
				out = append(out, fmt.Sprintf("%s reaches %s through %s", root, imp, file))
			}
			walk(imp)
		}
	}
	walk(root)
	return out
}

func isOurs(pkgs map[string]*pkg, imp string) bool {
	if pkgs[imp] != nil {
		return true
	}
	top, _, _ := strings.Cut(imp, "/")
	return slices.Contains([]string{"cmd", "identity", "seal", "license", "ledger", "hsm", "ofd", "verify", "internal", "tools"}, top) &&
		!strings.Contains(top, ".")
}

// isAdapter: every subfolder of a domain folder that is no domain package, and internal/* that is no ground.
func isAdapter(dir string) bool {
	if slices.Contains(domain, dir) || slices.Contains(ground, dir) {
		return false
	}
	top, rest, _ := strings.Cut(dir, "/")
	return rest != "" && (top == "internal" || slices.Contains(domain, top))
}

func isSuite(dir string) bool {
	base := filepath.Base(dir)
	return strings.HasSuffix(base, "test") || base == "testenv"
}

func within(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

func isInit(decl ast.Decl) bool {
	f, ok := decl.(*ast.FuncDecl)
	return ok && f.Recv == nil && f.Name.Name == "init"
}
