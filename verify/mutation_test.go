package verify_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/verify"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

// mutant makes a file that is not the license: from the license's file, or from its entries, with another license at hand.
type mutant struct {
	name    string
	file    func(r *rand.Rand, file []byte) []byte
	entries func(t testing.TB, r *rand.Rand, e, other []entry) []entry
}

func pick(r *rand.Rand, e []entry) *entry { return &e[r.IntN(len(e))] }

func flip(r *rand.Rand, b []byte) { b[r.IntN(len(b))] ^= 1 << r.IntN(8) }

// directory is where the central directory begins.
func directory(file []byte) int { return bytes.Index(file, []byte("PK\x01\x02")) }

// headers are the places of all local headers.
func headers(file []byte) []int {
	var out []int
	for i := 0; i < directory(file); {
		at := bytes.Index(file[i:], []byte("PK\x03\x04"))
		if at < 0 {
			break
		}
		out = append(out, i+at)
		i += at + 4
	}
	return out
}

func xmlEntries(e []entry) []*entry {
	var out []*entry
	for i := range e {
		if strings.HasSuffix(e[i].name, ".xml") {
			out = append(out, &e[i])
		}
	}
	return out
}

const declaration = `<?xml version="1.0" encoding="UTF-8"?>`

//nolint:gochecknoglobals // the table of the test below
var mutants = []mutant{
	{name: "bit in an entry", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		flip(r, pick(r, e).data)
		return e
	}},
	{name: "bit in the signature value", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		flip(r, at(t, e, signedValue).data)
		return e
	}},
	{name: "bit in the seal, the description, the list or the annotation index", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		flip(r, at(t, e, []string{sealFile, signXML, listXML, annotsXML}[r.IntN(4)]).data)
		return e
	}},
	{name: "bit in the seal both times", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		seal, value := at(t, e, sealFile), at(t, e, signedValue)
		i := bytes.Index(value.data, seal.data)
		k, bit := r.IntN(len(seal.data)), byte(1)<<r.IntN(8)
		seal.data[k] ^= bit
		value.data[i+k] ^= bit
		redigest(t, e)
		return e
	}},
	{name: "bit anywhere in the file", file: func(r *rand.Rand, f []byte) []byte {
		flip(r, f)
		return f
	}},
	{name: "bit in a local header", file: func(r *rand.Rand, f []byte) []byte {
		h := headers(f)
		i := h[r.IntN(len(h))]
		flip(r, f[i:i+30])
		return f
	}},
	{name: "bit in the directory", file: func(r *rand.Rand, f []byte) []byte {
		flip(r, f[directory(f):])
		return f
	}},
	{name: "file cut", file: func(r *rand.Rand, f []byte) []byte { return f[:r.IntN(len(f))] }},
	{name: "file cut in front", file: func(r *rand.Rand, f []byte) []byte { return f[1+r.IntN(len(f)-1):] }},
	{name: "bytes behind", file: func(r *rand.Rand, f []byte) []byte { return append(f, make([]byte, 1+r.IntN(64))...) }},
	{name: "bytes in front", file: func(r *rand.Rand, f []byte) []byte {
		return append([]byte("PK\x03\x04junk"[:4+r.IntN(5)]), f...)
	}},
	{name: "a comment of the container", file: func(_ *rand.Rand, f []byte) []byte {
		f[len(f)-2] = 3
		return append(f, "yes"...)
	}},
	{name: "two packages behind one another", file: func(_ *rand.Rand, f []byte) []byte { return append(f, f...) }},
	{name: "entry cut", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := pick(r, e)
		x.data = x.data[:r.IntN(len(x.data))]
		return e
	}},
	{name: "entry grown", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := pick(r, e)
		x.data = append(x.data, "\n "[r.IntN(2)])
		return e
	}},
	{name: "entry dropped", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		k := r.IntN(len(e))
		return append(e[:k], e[k+1:]...)
	}},
	{name: "two entries swapped", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		a := r.IntN(len(e))
		b := (a + 1 + r.IntN(len(e)-1)) % len(e)
		e[a].data, e[b].data = e[b].data, e[a].data
		return e
	}},
	{name: "entry twice, the same", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry { return append(e, *pick(r, e)) }},
	{name: "entry twice, not the same", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := *pick(r, e)
		x.data = bytes.Clone(x.data)
		flip(r, x.data)
		if r.IntN(2) == 0 {
			return append([]entry{x}, e...)
		}
		return append(e, x)
	}},
	{name: "entry twice, in another case", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := *pick(r, e)
		x.name = strings.ToUpper(x.name)
		x.data = append(bytes.Clone(x.data), ' ')
		if x.name == ofdXML {
			x.name = "ofd.xml"
		}
		return append(e, x)
	}},
	{name: "path trick", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := pick(r, e)
		trick := []string{"../", "/", "./", "Doc_0/../", `\`, "Doc_0//", "C:/", "Doc_0/\x00"}[r.IntN(8)]
		if r.IntN(2) == 0 {
			return append(e, entry{name: trick + x.name, data: x.data})
		}
		x.name = trick + x.name
		return e
	}},
	{name: "two names for one entry", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		pick(r, e).local = "Doc_0/other.xml"
		return e
	}},
	{name: "symbolic link", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		return append(e, entry{name: "Doc_0/Res/link", data: []byte("/etc/passwd"), external: 0o120777 << 16})
	}},
	{name: "file added", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		name := []string{"Doc_0/Res/x.png", "x", "Doc_0/Annots/Page_0/Annotation.xml", "Doc_0/Signs/Sign_1/Signature.xml", "META-INF/x", "Doc_1/Document.xml"}[r.IntN(6)]
		return append(e, entry{name: name, data: []byte("<x/>")})
	}},
	{name: "entities", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := xmlEntries(e)[r.IntN(len(xmlEntries(e)))]
		dtd := `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">`
		for i := range 8 {
			dtd += fmt.Sprintf(`<!ENTITY %c "%s">`, 'b'+i, strings.Repeat(fmt.Sprintf("&%c;", 'a'+i), 10))
		}
		body := bytes.TrimPrefix(x.data, []byte(declaration))
		x.data = append([]byte(declaration+dtd+"]>"), bytes.Replace(body, []byte("</"), []byte("&i;</"), 1)...)
		return e
	}},
	{name: "deep XML", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := xmlEntries(e)[r.IntN(len(xmlEntries(e)))]
		x.data = []byte(declaration + strings.Repeat("<a>", 20000) + strings.Repeat("</a>", 20000))
		return e
	}},
	{name: "zip bomb", entries: func(_ testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := pick(r, e)
		switch r.IntN(3) {
		case 0:
			return append(e, entry{name: "Doc_0/Res/bomb", data: make([]byte, 2<<20)})
		case 1:
			x.data = make([]byte, 2<<20)
		default:
			x.size = 0xfffffff0
		}
		return e
	}},
	{name: "signature list emptied", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := at(t, e, listXML)
		x.data = [][]byte{
			nil, []byte(declaration + `<ofd:Signatures xmlns:ofd="http://www.ofdspec.org/2016"/>`),
			[]byte(declaration + `<ofd:Signatures xmlns:ofd="http://www.ofdspec.org/2016"><ofd:MaxSignId>s002</ofd:MaxSignId></ofd:Signatures>`),
		}[r.IntN(3)]
		return e
	}},
	{name: "signatures unnamed", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := at(t, e, ofdXML)
		a, b := bytes.Index(x.data, []byte("<ofd:Signatures>")), bytes.Index(x.data, []byte("</ofd:Signatures>"))
		x.data = append(x.data[:a:a], x.data[b+len("</ofd:Signatures>"):]...)
		if r.IntN(2) == 0 {
			redigest(t, e)
		}
		return e
	}},
	{name: "signature list reworded", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := at(t, e, listXML)
		s := string(x.data)
		x.data = []byte([]string{
			strings.Replace(s, "/>", " />", 1), strings.Replace(s, "s002", "s009", 1), s + "\n", s + "<!-- -->",
			strings.Replace(s, `Type="Seal" `, "", 1), strings.Replace(s, "s001", "s01", 1), strings.Replace(s, "<ofd:MaxSignId>s002</ofd:MaxSignId>", "", 1),
			strings.Replace(s, `ID="s001" Type="Seal"`, `Type="Seal" ID="s001"`, 1), strings.Replace(s, "/Doc_0/Signs/", "", 1), strings.Replace(s, "UTF-8", "utf-8", 1),
		}[r.IntN(10)])
		return e
	}},
	{name: "annotation index used", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := at(t, e, annotsXML)
		const ns = `<ofd:Annotations xmlns:ofd="http://www.ofdspec.org/2016">`
		x.data = []byte(declaration + "\n" + []string{
			ns + "</ofd:Annotations>\n", ns + `<ofd:Page PageID="1"><ofd:FileLoc>Page_0/Annotation.xml</ofd:FileLoc></ofd:Page></ofd:Annotations>`, ns + "<!-- --></ofd:Annotations>", ns + "</ofd:Annotations><x/>",
		}[r.IntN(4)])
		if r.IntN(2) == 0 {
			e = append(e, entry{name: "Doc_0/Annots/Page_0/Annotation.xml", data: []byte(declaration + `<ofd:PageAnnot xmlns:ofd="http://www.ofdspec.org/2016"/>`)})
		}
		return e
	}},
	{name: "signed file of another license", entries: func(t testing.TB, r *rand.Rand, e, other []entry) []entry {
		name := []string{signXML, signedValue, pageXML, ofdXML}[r.IntN(4)]
		at(t, e, name).data = at(t, other, name).data
		return e
	}},
	{name: "whole signature of another license", entries: func(t testing.TB, r *rand.Rand, e, other []entry) []entry {
		for _, name := range []string{signXML, signedValue, sealFile} {
			at(t, e, name).data = at(t, other, name).data
		}
		if r.IntN(2) == 0 {
			redigest(t, e)
		}
		return e
	}},
	{name: "all but the signature of another license", entries: func(t testing.TB, _ *rand.Rand, e, other []entry) []entry {
		for _, name := range []string{signXML, signedValue} {
			at(t, other, name).data = at(t, e, name).data
		}
		return other
	}},
	{name: "text changed and digests made anew", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := at(t, e, pageXML)
		x.data = bytes.Replace(x.data, []byte("示例"), []byte([]string{"伪造", "虚假"}[r.IntN(2)]), 1+r.IntN(3))
		redigest(t, e)
		return e
	}},
	{name: "reference struck out", entries: func(t testing.TB, r *rand.Rand, e, _ []entry) []entry {
		x := at(t, e, signXML)
		all := reference.FindAllIndex(x.data, -1)
		cut := all[r.IntN(len(all))]
		a := bytes.LastIndex(x.data[:cut[0]+1], []byte("<ofd:Reference "))
		b := cut[0] + bytes.Index(x.data[cut[0]:], []byte("</ofd:Reference>")) + len("</ofd:Reference>")
		x.data = append(x.data[:a:a], x.data[b:]...)
		return e
	}},
}

// TestMutations: whatever is done to a license's file, however its proof and the trust list speak for it, it is not judged
// valid, and nothing falls over.
func TestMutations(t *testing.T) {
	t.Parallel()
	const count = 500
	w := verifytest.New(t)
	var all []*verifytest.License
	for i, k := range license.SampleKinds() {
		all = append(all, w.Issue(t, verifytest.Plan{Kind: k, Serial: i + 1}))
	}
	second := w.Issue(t, verifytest.Plan{Kind: verifytest.Kind(t, license.SampleProperty), Serial: 7, Issuer: w.Second})
	trust, _, err := verify.OpenTrust(w.Trust(t), nil, false, verifytest.Now())
	if err != nil {
		t.Fatal(err)
	}
	judge := verify.Judge{Trust: trust, At: verifytest.Now()}
	var proofs [][]byte
	for i, l := range all {
		proofs = append(proofs, w.Proof(t, l))
		if r, err := judge.Bytes(l.File, proofs[i]); err != nil || r.Verdict != verdict.ValidAsOf {
			t.Fatalf("before anything was done to it: %s %v\n%s", r.Verdict, err, findings(r))
		}
		// The same entries, packed by another tool: the same document.
		if r, err := judge.Bytes(pack(t, unpack(l.File)), proofs[i]); err != nil || r.Verdict != verdict.ValidAsOf {
			t.Errorf("packed again: %s %v\n%s", r.Verdict, err, findings(r))
		}
	}
	done := 0
	for i := range count {
		m := mutants[i%len(mutants)]
		r := rand.New(rand.NewPCG(20260312, uint64(i)))
		k := r.IntN(len(all))
		var bad []byte
		if m.file != nil {
			bad = m.file(r, bytes.Clone(all[k].File))
		} else {
			other := second.File
			if r.IntN(2) == 0 {
				other = all[(k+1)%len(all)].File
			}
			e := unpack(all[k].File)
			for j := range e {
				e[j].stored = len(e[j].data) < 4096 || r.IntN(2) == 0
			}
			if strings.HasPrefix(m.name, "zip bomb") {
				for j := range e {
					e[j].stored = false
				}
			}
			bad = pack(t, m.entries(t, r, e, unpack(other)))
		}
		if bytes.Equal(bad, all[k].File) || same(unpack(bad), unpack(all[k].File)) && m.file == nil && m.name != "two names for one entry" {
			t.Errorf("%d, %s: nothing was changed", i, m.name)
			continue
		}
		got, err := judge.Bytes(bad, proofs[k])
		if err != nil {
			done++
			continue // no file that anybody would call a license
		}
		if got.Verdict == verdict.Valid || got.Verdict == verdict.ValidAsOf {
			t.Errorf("%d, %s of kind %d: %s\n%s", i, m.name, k, got.Verdict, findings(got))
		}
		done++
	}
	if done < count {
		t.Errorf("%d of %d mutations were judged", done, count)
	}
}

// same says that two packages hold the same files, so that they are one document however they are packed.
func same(a, b []entry) bool {
	if len(a) != len(b) {
		return false
	}
	have := map[string][]byte{}
	for _, e := range a {
		have[e.name] = e.data
	}
	for _, e := range b {
		if d, ok := have[e.name]; !ok || !bytes.Equal(d, e.data) {
			return false
		}
	}
	return true
}

// TestEveryPart: a byte changed anywhere in a visible page, in the seal or in the signature is not valid, and not merely in
// doubt.
func TestEveryPart(t *testing.T) {
	t.Parallel()
	s := good(t)
	trust, _, err := verify.OpenTrust(s.trust, nil, false, s.at)
	if err != nil {
		t.Fatal(err)
	}
	judge := verify.Judge{Trust: trust, At: s.at}
	const places = 30
	for _, name := range []string{pageXML, "Doc_0/Tpls/Tpl_0/Content.xml", sealFile, signXML, signedValue} {
		size := len(at(t, unpack(s.file), name).data)
		for i := range places {
			e := unpack(s.file)
			for k := range e {
				e[k].stored = true
			}
			place := i * (size - 1) / (places - 1)
			at(t, e, name).data[place] ^= 1 << (i % 8)
			if r := judge.File(pack(t, e), s.proof); r.Verdict != verdict.NotValid {
				t.Errorf("byte %d of %d of %s: %s\n%s", place, size, name, r.Verdict, findings(r))
			}
		}
	}
}
