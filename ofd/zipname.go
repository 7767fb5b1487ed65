package ofd

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/unicode/norm"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// name decodes and judges an entry's name; false leaves the entry out of the package.
func (c *container) name(m *member, lim Limits) bool {
	if len(m.raw) == 0 || len(m.raw) > lim.Name {
		c.fail(verdict.PkgUnsafePath, "", "an entry's name is empty or too long")
		return false
	}
	name, ok := decodeName(m.raw, m.flags&flagUTF8 != 0)
	if !ok {
		c.fail(verdict.PkgUnsafePath, "", "an entry's name is in no known encoding")
		return false
	}
	if strings.Contains(name, `\`) {
		// Some packers of one operating system wrote these; readers disagree on whether it is a folder.
		c.fail(verdict.PkgUnsafePath, "/"+name, "a backslash in a name")
		name = strings.ReplaceAll(name, `\`, "/")
	}
	m.dir = strings.HasSuffix(name, "/")
	m.name = strings.TrimSuffix(name, "/")
	if !safeName(m.name) || folders(m.name) > lim.PathDepth {
		c.fail(verdict.PkgUnsafePath, "/"+m.name, "the name leaves the package or is not plain")
		return false
	}
	return true
}

// decodeName reads a name as UTF-8 where it is and as GB 18030 where it is not: Windows packers of the field write the
// latter without saying so.
func decodeName(raw []byte, utf bool) (string, bool) {
	if utf8.Valid(raw) {
		return string(raw), true
	}
	if utf {
		return "", false
	}
	s, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw)
	if err != nil || !utf8.Valid(s) || strings.ContainsRune(string(s), utf8.RuneError) {
		return "", false
	}
	return string(s), true
}

// safeName says whether a path inside the package is relative, normal and plain.
func safeName(name string) bool {
	if name == "" || strings.HasPrefix(name, "/") || strings.ContainsAny(name, ":\\") {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return false
		}
	}
	return true
}

// duplicates refuses names that are equal, or equal to a reader that ignores case or Unicode form, and a name that is a
// file and a folder at once.
func (c *container) duplicates() bool {
	fold := cases.Fold()
	key := func(s string) string { return fold.String(norm.NFC.String(s)) }
	seen := make(map[string]*member, len(c.members))
	kept := c.members[:0]
	for _, m := range c.members {
		k := key(m.name)
		if _, dup := seen[k]; dup {
			c.fail(verdict.PkgDuplicateEntry, "/"+m.name, "")
			if m.dir {
				continue
			}
			return false
		}
		seen[k] = m
		kept = append(kept, m)
	}
	c.members = kept
	for _, m := range c.members {
		k := key(m.name)
		for i := len(k) - 1; i > 0; i-- {
			if k[i] != '/' {
				continue
			}
			if up, ok := seen[k[:i]]; ok && !up.dir {
				c.fail(verdict.PkgDuplicateEntry, "/"+up.name, "the name is a file and a folder")
				return false
			}
		}
	}
	return true
}
