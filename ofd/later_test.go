package ofd_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ofd"
)

// copied is a copy for one use (加注件): an annotation and a second signature over the whole, added to the open set.
func copied(t testing.TB, lock bool, leave ...string) []raw {
	t.Helper()
	e := unpack(t, sealed(t, true))
	const note = "Doc_0/Annots/Page_0/Annotation.xml"
	const second = "/Doc_0/Signs/Sign_1/"
	find(t, e, annot).data = []byte(`<?xml version="1.0" encoding="UTF-8"?><ofd:Annotations xmlns:ofd="http://www.ofdspec.org/2016">` +
		`<ofd:Page PageID="6"><ofd:FileLoc>Page_0/Annotation.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>`)
	e = append(e, raw{name: note, data: []byte(`<ofd:PageAnnot xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Annot ID="90" Type="Watermark" Creator="x"` +
		` LastModDate="2026-11-22"><ofd:Appearance Boundary="0 0 10 10"/></ofd:Annot></ofd:PageAnnot>`)})
	find(t, e, list).data = []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<ofd:Signatures xmlns:ofd="http://www.ofdspec.org/2016"><ofd:MaxSignId>s003</ofd:MaxSignId>` +
		`<ofd:Signature ID="s001" Type="Seal" BaseLoc="/Doc_0/Signs/Sign_0/Signature.xml"/>` +
		`<ofd:Signature ID="s003" Type="Sign" Relative="s001" BaseLoc="` + second + `Signature.xml"/></ofd:Signatures>`)
	var refs strings.Builder
	for _, r := range e {
		if r.name == list && !lock || slices.Contains(leave, r.name) {
			continue
		}
		d := gm.SM3(r.data)
		fmt.Fprintf(&refs, `<ofd:Reference FileRef="/%s"><ofd:CheckValue>%s</ofd:CheckValue></ofd:Reference>`, r.name, base64.StdEncoding.EncodeToString(d[:]))
	}
	return append(e,
		raw{name: second[1:] + "Signature.xml", data: []byte(`<ofd:Signature xmlns:ofd="http://www.ofdspec.org/2016"><ofd:SignedInfo>` +
			`<ofd:Provider ProviderName="yinxin"/><ofd:References CheckMethod="SM3">` + refs.String() + `</ofd:References></ofd:SignedInfo>` +
			`<ofd:SignedValue>` + second + `SignedValue.dat</ofd:SignedValue></ofd:Signature>`)},
		raw{name: second[1:] + "SignedValue.dat", data: value})
}

func TestLaterSignature(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		data  []raw
		holds string // IDs of the signatures that hold
		code  verdict.Code
	}{
		{"both hold", copied(t, false), "s001 s003", ""},
		{"both hold, locked", copied(t, true), "s001 s003", ""},
		{"the later does not hold", copied(t, false), "s001", verdict.OpenSetAltered},
		{"the issuing seal does not hold", copied(t, false), "s003", verdict.BaseSignatureInvalid},
		{"the annotation is not covered", copied(t, false, "Doc_0/Annots/Page_0/Annotation.xml"), "s001 s003", verdict.OpenSetAltered},
		{"the index is not covered", copied(t, false, annot), "s001 s003", verdict.OpenSetAltered},
		{"a file came after", append(copied(t, false), raw{name: "Doc_0/later.xml", data: []byte("<x/>")}), "s001 s003", verdict.OpenSetAltered},
		{"the list was reworded", func() []raw {
			e := copied(t, false)
			l := find(t, e, list)
			l.data = bytes.Replace(l.data, []byte("/>"), []byte(" />"), 1)
			return e
		}(), "s001 s003", verdict.OpenSetAltered},
		{"changed after the lock", func() []raw {
			e := copied(t, true)
			l := find(t, e, list)
			l.data = bytes.Replace(l.data, []byte("/>"), []byte(" />"), 1)
			return e
		}(), "s001 s003", verdict.ModifiedAfterLock},
		{"the later taken out", func() []raw {
			e := copied(t, false)
			find(t, e, list).data = find(t, unpack(t, sealed(t, true)), list).data
			return e
		}(), "s001", verdict.SigUnlisted},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, checks := ofd.Open(container(t, c.data), ofd.DefaultLimits())
			if p == nil {
				t.Fatal(checks)
			}
			e := p.Examine()
			checks = append(checks, e.Checks...)
			for _, s := range e.Signatures {
				checks = append(checks, s.Checks...)
			}
			checks = append(checks, e.Coverage(func(s *ofd.SignatureEntry) bool { return strings.Contains(c.holds, s.ID) })...)
			got := codes(checks)
			if c.code == "" {
				if verdict.Fold(checks) != verdict.Valid {
					t.Errorf("not valid: %v", checks)
				}
				if a, b := e.Signatures[0].Covers, e.Signatures[1].Covers; a != verdict.CoversEarlier || b != verdict.CoversCurrent {
					t.Errorf("covers: %s, %s", a, b)
				}
				return
			}
			if !slices.Contains(got, c.code) || verdict.Fold(checks) != verdict.NotValid {
				t.Errorf("want %s, got %v", c.code, got)
			}
		})
	}
}

// A locked document admits nothing after its seal, and says so.
func TestLocked(t *testing.T) {
	t.Parallel()
	good := sealed(t, false)
	if word, checks := judge(good); word != verdict.Valid {
		t.Fatalf("%s %v", word, checks)
	}
	p, _ := ofd.Open(good, ofd.DefaultLimits())
	if s := p.Examine().Signatures[0]; !s.Locked || !s.Protects("/"+annot) || !s.Protects("/"+list) {
		t.Error("the list and the annotation index are not protected")
	}
	e := unpack(t, good)
	l := find(t, e, list)
	l.data = bytes.Replace(l.data, []byte("</ofd:Signatures>"), []byte(`<ofd:Signature ID="s009" BaseLoc="/x"/></ofd:Signatures>`), 1)
	word, checks := judge(container(t, e))
	for _, want := range []verdict.Code{verdict.ModifiedAfterLock, verdict.RefDigestMismatch, verdict.SigFileMissing} {
		if word != verdict.NotValid || !slices.Contains(codes(checks), want) {
			t.Errorf("%s: want %s among %v", word, want, codes(checks))
		}
	}
}
