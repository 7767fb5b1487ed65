package web_test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/internal/web"
	"github.com/yinxin-trust/yinxin/license"
)

// TestWordsAreComplete holds both catalogues against each other: every key has words in both languages, Chinese ones are
// Chinese, English ones are not, and both name the same arguments.
func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	argument := regexp.MustCompile(`\{[0-9]\}`)
	for key, pair := range web.Words() {
		if strings.TrimSpace(pair[0]) == "" || strings.TrimSpace(pair[1]) == "" {
			t.Errorf("%s is not told in both languages", key)
		}
		for _, r := range pair[1] {
			if unicode.Is(unicode.Han, r) {
				t.Errorf("%s: the English words hold Chinese", key)
				break
			}
		}
		zh, en := argument.FindAllString(pair[0], -1), argument.FindAllString(pair[1], -1)
		for _, a := range en {
			if !strings.Contains(pair[0], a) {
				t.Errorf("%s: %s stands only in English", key, a)
			}
		}
		for _, a := range zh {
			if !strings.Contains(pair[1], a) {
				t.Errorf("%s: %s stands only in Chinese", key, a)
			}
		}
	}
}

// TestWordsExist finds every key that a template or a handler names.
func TestWordsExist(t *testing.T) {
	t.Parallel()
	words := web.Words()
	used := regexp.MustCompile(`\.T "([a-z0-9._A-Z]+)"|say\((?:q\.lang|lang), "([a-z0-9._]+)"|say\("[a-z_.]+", "([a-z0-9._]+)"|say\("(input\.[a-z_]+)"`)
	found := 0
	look := func(name, text string) {
		for _, m := range used.FindAllStringSubmatch(text, -1) {
			for _, key := range m[1:] {
				if key == "" || strings.HasSuffix(key, ".") {
					continue // a family whose values TestWordsForEveryValue knows
				}
				found++
				if _, ok := words[key]; !ok {
					t.Errorf("%s: no words for %q", name, key)
				}
			}
		}
	}
	templates, err := fs.Glob(web.Files(), "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range templates {
		b, err := fs.ReadFile(web.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		look(name, string(b))
	}
	sources, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		look(name, string(b))
	}
	if found < 200 {
		t.Fatalf("only %d uses were found; the search is broken", found)
	}
}

// TestWordsForEveryValue finds words for every value of the domain that a page prints.
func TestWordsForEveryValue(t *testing.T) {
	t.Parallel()
	words := web.Words()
	need := func(key string) {
		if _, ok := words[key]; !ok {
			t.Errorf("no words for %q", key)
		}
	}
	for _, s := range license.States() {
		need("state." + string(s))
	}
	for _, w := range []verdict.Word{verdict.Valid, verdict.ValidAsOf, verdict.CannotDetermine, verdict.NotValid} {
		need("word." + string(w))
		need("word." + string(w) + ".text")
	}
	for _, r := range []verdict.Result{verdict.Pass, verdict.Warn, verdict.Fail, verdict.Unknown, verdict.Skipped} {
		need("result." + string(r))
	}
	for _, a := range []license.EventAct{license.ActAccepted, license.ActIssued, license.ActRevoked, license.ActShown, license.ActPresented, license.ActRefused, license.ActFetched} {
		need("act." + string(a))
	}
	for _, a := range []license.ActorKind{license.ActorHolder, license.ActorOfficer, license.ActorVerifier, license.ActorService} {
		need("actor." + string(a))
	}
	for _, s := range []string{"spent", "failed", "unknown"} {
		need("verdict.state." + s)
	}
	for _, s := range append(identity.APIScopes(), identity.OpenIDScopes()...) {
		need("scope." + s)
	}
	for _, s := range []string{"", "none", "queued", "promised", "included", "absent", "unchecked"} {
		need("ledgerstate." + s)
	}
	for _, r := range []string{"self", "representative", "guardian"} {
		need("relation." + r)
	}
}

// TestFaultsAreTranslated finds the codes of faults that the parts behind web raise towards people, and their Chinese words.
func TestFaultsAreTranslated(t *testing.T) {
	t.Parallel()
	words := web.Words()
	raised := regexp.MustCompile(`fault\.(?:New|Wrap)\((?:err, )?fault\.(Invalid|Unauthenticated|Forbidden|NotFound|Conflict|TooLarge|TooMany), "([a-z_0-9]+)"`)
	general := map[string]bool{"body_broken": true, "gone": true}
	sources, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range raised.FindAllStringSubmatch(string(b), -1) {
			if _, ok := words["fault."+m[2]]; !ok && !general[m[2]] {
				t.Errorf("%s raises %s, which has no Chinese words", name, m[2])
			}
		}
	}
}
