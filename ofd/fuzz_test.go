package ofd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ofd"
)

// tight are limits under which even an accepted file is small.
func tight() ofd.Limits {
	l := ofd.DefaultLimits()
	l.Total, l.Entry, l.RatioFloor, l.XMLNodes, l.TotalNodes = 4<<20, 2<<20, 64<<10, 20_000, 40_000
	return l
}

// FuzzOpen reads whole packages: the gate, the structure, the signatures.
func FuzzOpen(f *testing.F) {
	f.Add(small(f))
	f.Add(container(f, copied(f, true)))
	if dir := os.Getenv("YINXIN_CORPUS"); dir != "" {
		files, _ := filepath.Glob(filepath.Join(dir, "ofd-*", "*.ofd"))
		for _, path := range files {
			if data, err := os.ReadFile(path); err == nil {
				f.Add(data)
			}
		}
	}
	good := raws(f, small(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, checks := ofd.Open(data, tight())
		if p == nil {
			if verdict.Fold(checks) != verdict.NotValid {
				t.Fatalf("refused without a reason: %v", checks)
			}
			return
		}
		e := p.Examine()
		checks = append(checks, e.Checks...)
		for _, s := range e.Signatures {
			checks = append(checks, s.Checks...)
		}
		checks = append(checks, e.Coverage(func(*ofd.SignatureEntry) bool { return true })...)
		for _, d := range p.Documents() {
			_, _ = d.Values(), d.Visible()
		}
		// Whatever carries the description of our small document and passes is that document.
		raw, ok := p.File("/" + sign)
		if !ok || !bytes.Equal(raw, good[sign]) || verdict.Fold(checks) == verdict.NotValid {
			return
		}
		if s := e.Signatures; len(s) != 1 || s[0].Path != "/"+sign {
			return
		}
		for name, want := range good {
			if got, _ := p.File("/" + name); name != signedValue && !bytes.Equal(got, want) {
				t.Fatalf("%s differs and nothing was said", name)
			}
		}
	})
}

// FuzzXML puts arbitrary bytes in the place of each kind of XML file.
func FuzzXML(f *testing.F) {
	places := []string{"OFD.xml", "Doc_0/Document.xml", page, annot, "Doc_0/Tags/tag_1.xml", list, sign}
	base := unpack(f, small(f))
	for i, name := range places {
		f.Add(uint8(i), find(f, base, name).data)
	}
	f.Add(uint8(2), []byte(`<?xml version="1.0" encoding="GB18030"?><Page><Content><TextObject ID="1"><TextCode>\0041\u</TextCode></TextObject></Content></Page>`))
	f.Add(uint8(0), []byte(`<!DOCTYPE a [<!ENTITY b "c">]><OFD>&b;</OFD>`))
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		name := places[int(which)%len(places)]
		var entries []raw
		for _, r := range base {
			if r.name == name {
				r.data = data
			}
			r.store = true
			entries = append(entries, r)
		}
		p, checks := ofd.Open(container(t, entries), tight())
		if p == nil {
			t.Fatal(checks)
		}
		e := p.Examine()
		checks = append(checks, e.Checks...)
		for _, s := range e.Signatures {
			checks = append(checks, s.Checks...)
		}
		checks = append(checks, e.Coverage(func(*ofd.SignatureEntry) bool { return true })...)
		if name != sign && verdict.Fold(checks) != verdict.NotValid && !bytes.Equal(data, find(t, base, name).data) {
			t.Fatalf("%s was changed and nothing was said", name)
		}
	})
}

// FuzzParseFont reads fonts and subsets what it could read.
func FuzzParseFont(f *testing.F) {
	sub, err := font(f).Subset([]rune("中é"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sub.Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		fnt, err := ofd.ParseFont(data)
		if err != nil {
			return
		}
		text := "中é A\U00020000"
		_ = fnt.Measure(text, 3)
		_ = fnt.Missing(text)
		if s, err := fnt.Subset([]rune(text)); err == nil {
			if _, err := ofd.ParseFont(s.Data); err != nil {
				t.Fatalf("the subset cannot be read: %v", err)
			}
		}
		_, _ = fnt.Fit(text, 10, 10, ofd.Fitting{Size: 3})
	})
}

// FuzzBox reads boxes; what is accepted can be written and read again.
func FuzzBox(f *testing.F) {
	for _, s := range []string{"0 0 210 297", "1e3 -2 .5 7", "NaN 0 1 1", "0x1p3 0 1 1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, ok := ofd.ParseBox(s)
		if !ok || b.W < 0.001 || b.H < 0.001 {
			return
		}
		if _, ok := ofd.ParseBox(b.String()); !ok {
			t.Fatalf("%q became %q", s, b.String())
		}
	})
}
