package ofd_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ofd"
)

const (
	page  = "Doc_0/Pages/Page_0/Content.xml"
	list  = "Doc_0/Signs/Signatures.xml"
	sign  = "Doc_0/Signs/Sign_0/Signature.xml"
	annot = "Doc_0/Annots/Annotations.xml"
)

// TestAttacks plants one attack at a time and demands its code and a verdict that is not valid.
func TestAttacks(t *testing.T) {
	t.Parallel()
	evil := []byte(`<?xml version="1.0" encoding="UTF-8"?><ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"/>`)
	replace := func(name, old, now string) func(testing.TB, []raw) []raw {
		return func(t testing.TB, e []raw) []raw {
			f := find(t, e, name)
			if !bytes.Contains(f.data, []byte(old)) {
				t.Fatalf("%s holds no %s", name, old)
			}
			f.data = bytes.Replace(f.data, []byte(old), []byte(now), 1)
			return e
		}
	}
	set := func(name string, change func(*raw)) func(testing.TB, []raw) []raw {
		return func(t testing.TB, e []raw) []raw {
			change(find(t, e, name))
			return e
		}
	}
	add := func(more ...raw) func(testing.TB, []raw) []raw {
		return func(_ testing.TB, e []raw) []raw { return append(e, more...) }
	}
	drop := func(names ...string) func(testing.TB, []raw) []raw {
		return func(_ testing.TB, e []raw) []raw {
			return slices.DeleteFunc(e, func(r raw) bool { return slices.Contains(names, r.name) })
		}
	}
	wide := append([]byte{0x75, 0x70, 9, 0, 1, 0, 0, 0, 0}, "evil"...)
	for _, c := range []struct {
		name   string
		change func(testing.TB, []raw) []raw
		code   verdict.Code
	}{
		{"duplicate entry", add(raw{name: page, data: evil}), verdict.PkgDuplicateEntry},
		{"duplicate but for case", add(raw{name: strings.ToUpper(page), data: evil}), verdict.PkgDuplicateEntry},
		{"file and folder", add(raw{name: page + "/x", data: evil}), verdict.PkgDuplicateEntry},
		{"two names", set(page, func(r *raw) { r.local = "Doc_0/Pages/Page_1/Content.xml" }), verdict.PkgHeaderMismatch},
		{"two check sums", set(page, func(r *raw) { r.localCRC = 1 }), verdict.PkgHeaderMismatch},
		{"wrong check sum", set(page, func(r *raw) { r.crc = 1 }), verdict.PkgDamaged},
		{"two sizes", set(page, func(r *raw) { r.localSize = 1 }), verdict.PkgHeaderMismatch},
		{"second name in an extra field", set(page, func(r *raw) { r.extra = wide }), verdict.PkgHeaderMismatch},
		{"longer than it says", set(page, func(r *raw) { r.usize = uint32(len(r.data)) - 1 }), verdict.PkgHeaderMismatch},
		{"shorter than it says", set(page, func(r *raw) { r.usize = uint32(len(r.data)) + 1 }), verdict.PkgDamaged},
		{"hidden bytes", set(page, func(r *raw) { r.after = []byte("hidden") }), verdict.PkgTrailingData},
		{"encrypted", set(page, func(r *raw) { r.flags |= 1 }), verdict.PkgDamaged},
		{"method", set(page, func(r *raw) { r.method = 12 }), verdict.PkgDamaged},
		{"parent path", add(raw{name: "../x", data: evil}), verdict.PkgUnsafePath},
		{"absolute path", add(raw{name: "/x", data: evil}), verdict.PkgUnsafePath},
		{"dot path", add(raw{name: "Doc_0/./x", data: evil}), verdict.PkgUnsafePath},
		{"backslash", add(raw{name: `Doc_0\x`, data: evil}), verdict.PkgUnsafePath},
		{"drive", add(raw{name: `C:/x`, data: evil}), verdict.PkgUnsafePath},
		{"control character", add(raw{name: "Doc_0/x\x00y", data: evil}), verdict.PkgUnsafePath},
		{"direction override", add(raw{name: "Doc_0/x\u202ey", data: evil, flags: 0x800}), verdict.PkgUnsafePath},
		{"false UTF-8", add(raw{name: "Doc_0/\xff\xfe", data: evil, flags: 0x800}), verdict.PkgUnsafePath},
		{"link", set(page, func(r *raw) { r.madeBy, r.external = 3<<8|20, 0o120777<<16 }), verdict.PkgUnsafePath},
		{"bomb", add(raw{name: "bomb", data: make([]byte, 32<<20)}), verdict.PkgBomb},
		{"claimed bomb", add(raw{name: "bomb", data: []byte("x"), usize: 0x7fffffff}), verdict.PkgBomb},
		{"no OFD.xml", drop("OFD.xml"), verdict.PkgMissingOFDXML},
		{"added file", add(raw{name: "Doc_0/evil.xml", data: evil}), verdict.OpenSetAltered},
		{"added folder", add(raw{name: "evil/"}), verdict.PkgHeaderMismatch},
		{"extra field", set(page, func(r *raw) { r.extra = []byte{1, 2, 0, 0} }), verdict.PkgHeaderMismatch},
		{"entry comment", set(page, func(r *raw) { r.comment = "x" }), verdict.PkgHeaderMismatch},
		{"two times", set(page, func(r *raw) { r.localTime = 9 }), verdict.PkgHeaderMismatch},
		{"changed page", replace(page, "Boundary", "boundary"), verdict.RefDigestMismatch},
		{"page gone", drop(page), verdict.RefFileMissing},
		{"seal file gone", drop("Doc_0/Signs/Sign_0/Seal.esl"), verdict.RefFileMissing},
		{"value gone", drop("Doc_0/Signs/Sign_0/SignedValue.dat"), verdict.SVMissing},
		{"description gone", drop(sign), verdict.SigFileMissing},
		{"list gone", drop(list), verdict.SigListMissingFile},
		{"list emptied", set(list, func(r *raw) {
			r.data = []byte(`<ofd:Signatures xmlns:ofd="http://www.ofdspec.org/2016"/>`)
		}), verdict.SigListEmpty},
		{"taken out of the list", set(list, func(r *raw) {
			r.data = []byte(`<ofd:Signatures xmlns:ofd="http://www.ofdspec.org/2016"/>`)
		}), verdict.SigUnlisted},
		{"list no XML", replace(list, "<ofd:MaxSignId>", "<ofd:MaxSignId"), verdict.SigListXMLError},
		{"other ID", replace(list, "s001", "s007"), verdict.OpenSetAltered},
		{"other highest ID", replace(list, "s002", "s003"), verdict.OpenSetAltered},
		{"type", replace(list, "Seal", "Sign"), verdict.OpenSetAltered},
		{"unknown type", replace(list, "Seal", "Soul"), verdict.SigTypeUnknown},
		{"list reworded", replace(list, "/>", " />"), verdict.OpenSetAltered},
		{"index reworded", replace(annot, "/>", " />"), verdict.OpenSetAltered},
		{"twice in the list", replace(list, "<ofd:Signature ", `<ofd:Signature ID="s001" Type="Seal" BaseLoc="/Doc_0/Signs/Sign_0/Signature.xml"/><ofd:Signature `), verdict.SigIDDuplicate},
		{"list with a DTD", replace(list, "<ofd:Signatures", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><ofd:Signatures`), verdict.SigListXMLError},
		{"no references", set(sign, func(r *raw) {
			a, b := bytes.Index(r.data, []byte("<ofd:Reference ")), bytes.Index(r.data, []byte("</ofd:References>"))
			r.data = append(bytes.Clone(r.data[:a]), r.data[b:]...)
		}), verdict.RefsEmpty},
		{"MD5", replace(sign, "1.2.156.10197.1.401", "MD5"), verdict.DigestMethodWeak},
		{"no method", replace(sign, ` CheckMethod="1.2.156.10197.1.401"`, ""), verdict.DigestMethodWeak},
		{"SHA-256", replace(sign, "1.2.156.10197.1.401", "SHA256"), verdict.DigestMethodUnsupported},
		{"digest not base64", replace(sign, "<ofd:CheckValue>", "<ofd:CheckValue>!"), verdict.RefValueNotBase64},
		{"twice referenced", replace(sign, "<ofd:Reference ", `<ofd:Reference FileRef="/OFD.xml"><ofd:CheckValue/></ofd:Reference><ofd:Reference `), verdict.RefDuplicate},
		{"stamp on no page", replace(sign, `PageRef="`, `PageRef="9`), verdict.StampPageMissing},
		{"stamp without size", replace(sign, `220 140 42 42`, `220 140 0 42`), verdict.StampBoundaryInvalid},
		{"stamp beside the page", replace(sign, `220 140 42 42`, `320 140 42 42`), verdict.StampOutOfPage},
		{"page not covered", set(sign, func(r *raw) {
			a := bytes.Index(r.data, []byte(`<ofd:Reference FileRef="/`+page))
			b := a + bytes.Index(r.data[a:], []byte("</ofd:Reference>")) + len("</ofd:Reference>")
			r.data = append(bytes.Clone(r.data[:a]), r.data[b:]...)
		}), verdict.CoverageGap},
		{"unlisted signature", add(raw{name: "Doc_0/Signs/Sign_1/Signature.xml", data: []byte(`<Signature><SignedInfo/></Signature>`)},
			raw{name: "Doc_0/Signs/Sign_1/SignedValue.dat", data: value}), verdict.SigUnlisted},
		{"second body, dead list", replace("OFD.xml", "</ofd:DocBody>",
			`</ofd:DocBody><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot><ofd:Signatures>/x.xml</ofd:Signatures></ofd:DocBody>`), verdict.SigListMissingFile},
		{"second body, unsigned", replace("OFD.xml", "</ofd:DocBody>",
			`</ofd:DocBody><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>`), verdict.SigListAbsent},
		{"two roots", replace("OFD.xml", "<ofd:DocRoot>", `<ofd:DocRoot>x</ofd:DocRoot><ofd:DocRoot>`), verdict.DocXMLError},
		{"root split by a comment", replace("OFD.xml", "Document.xml", `Docu<!-- -->ment.xml`), verdict.DocXMLError},
		{"declaration gone", replace("OFD.xml", ofd.OpenSetName, "YinxinOpenSat"), verdict.RefDigestMismatch},
		{"entity expansion", set(page, func(r *raw) {
			r.data = []byte(`<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Page>&b;</Page>`)
		}), verdict.DocXMLError},
		{"deep nesting", set(page, func(r *raw) {
			r.data = []byte("<Page>" + strings.Repeat("<a>", 100_000) + strings.Repeat("</a>", 100_000) + "</Page>")
		}), verdict.PkgBomb},
		{"many elements", set(page, func(r *raw) {
			r.data = []byte("<Page>" + strings.Repeat("<a/>", 400_000) + "</Page>")
		}), verdict.PkgBomb},
		{"many attributes", set(page, func(r *raw) {
			r.data = []byte("<Page" + strings.Repeat(` a="1"`, 1000) + "/>")
		}), verdict.DocXMLError},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			data := container(t, c.change(t, unpack(t, sealed(t, true))))
			word, checks := judge(data)
			if !slices.Contains(codes(checks), c.code) {
				t.Errorf("want %s, got %v", c.code, codes(checks))
			}
			if e, _ := verdict.Lookup(c.code); e.Fatal && word != verdict.NotValid {
				t.Errorf("judged %s", word)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		if word, checks := judge(container(t, unpack(t, sealed(t, true)))); word != verdict.Valid {
			t.Errorf("packed again by another tool, judged %s: %v", word, codes(checks))
		}
		again := unpack(t, sealed(t, true))
		for i := range again {
			again[i].descriptor = true
		}
		if word, checks := judge(container(t, again)); word != verdict.Valid {
			t.Errorf("packed again with descriptors, judged %s: %v", word, codes(checks))
		}
	})
}

// TestContainerFrame attacks what lies around the entries.
func TestContainerFrame(t *testing.T) {
	t.Parallel()
	good := sealed(t, true)
	end := len(good) - 22
	with := func(change func([]byte) []byte) []byte { return change(bytes.Clone(good)) }
	for _, c := range []struct {
		name string
		data []byte
		code verdict.Code
	}{
		{"empty", nil, verdict.PkgNotZip},
		{"text", []byte("hello"), verdict.PkgNotZip},
		{"trailing", append(bytes.Clone(good), 'x'), verdict.PkgTrailingData},
		{"prepended", append([]byte("x"), good...), verdict.PkgTrailingData},
		{"prepended, offsets shifted", with(func(b []byte) []byte {
			b = append([]byte("xxxx"), b...)
			at := binary.LittleEndian.Uint32(b[end+4+16:])
			binary.LittleEndian.PutUint32(b[end+4+16:], at+4)
			return b
		}), verdict.PkgHeaderMismatch},
		{"comment", with(func(b []byte) []byte { b[len(b)-2] = 3; return append(b, "abc"...) }), verdict.PkgHeaderMismatch},
		{"second end in a comment", with(func(b []byte) []byte {
			b[len(b)-2] = 22
			return append(b, good[end:]...)
		}), verdict.PkgHeaderMismatch},
		{"cut", good[:len(good)-30], verdict.PkgNotZip},
		{"count", with(func(b []byte) []byte { b[end+8]--; b[end+10]--; return b }), verdict.PkgHeaderMismatch},
		{"disks", with(func(b []byte) []byte { b[end+4] = 1; return b }), verdict.PkgHeaderMismatch},
		{"64-bit", with(func(b []byte) []byte { copy(b[end+12:], "\xff\xff\xff\xff"); return b }), verdict.PkgHeaderMismatch},
		{"overlap", with(func(b []byte) []byte {
			at := int(binary.LittleEndian.Uint32(b[end+16:]))
			binary.LittleEndian.PutUint32(b[at+46+len("OFD.xml")+42:], 0)
			return b
		}), verdict.PkgHeaderMismatch},
		{"twice", append(bytes.Clone(good), good...), verdict.PkgTrailingData},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			word, checks := judge(c.data)
			if word != verdict.NotValid || !slices.Contains(codes(checks), c.code) {
				t.Errorf("judged %s, want %s among %v", word, c.code, codes(checks))
			}
		})
	}
	lim := ofd.DefaultLimits()
	lim.Entries, lim.Package = 3, 1<<20
	if p, checks := ofd.Open(good, lim); p != nil || !slices.Contains(codes(checks), verdict.PkgBomb) {
		t.Errorf("more entries than allowed: %v", codes(checks))
	}
	lim.Package = 10
	if p, checks := ofd.Open(good, lim); p != nil || !slices.Contains(codes(checks), verdict.PkgBomb) {
		t.Errorf("larger than allowed: %v", codes(checks))
	}
}
