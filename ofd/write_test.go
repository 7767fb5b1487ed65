package ofd_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ofd"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestWriteThenRead(t *testing.T) {
	t.Parallel()
	data := sealed(t, true)
	p, checks := ofd.Open(data, ofd.DefaultLimits())
	if p == nil || verdict.Fold(checks) != verdict.Valid || len(codes(checks)) != 0 {
		t.Fatal(checks)
	}
	d := p.Documents()[0]
	if diff := cmp.Diff(ofd.Metadata{
		DocID: "0f8fad5bd9cb469fa16570867728950e", Title: "食品经营许可证", Author: "示例市市场监督管理局", Subject: "电子证照",
		CreationDate: "2026-11-22", Creator: "印信", CreatorVersion: "1",
		Custom: []ofd.CustomData{
			{Name: "LicenseID", Value: "1.2.156.3005.2.X"},
			{Name: "Kind", Value: `<"&'>`},
			{Name: ofd.OpenSetName, Value: "/Doc_0/Signs/Signatures.xml /Doc_0/Annots/Annotations.xml"},
		},
	}, d.Info); diff != "" {
		t.Error(diff)
	}
	want := map[string]string{
		"经营者名称": "某某市示例食品有限公司", "地址": strings.Repeat("某某省某某市示例区示例路99号 A-12 栋,", 4), "number": "JY-2026 <1> & 2",
	}
	if len(d.Values()) != len(want) {
		t.Errorf("%d values", len(d.Values()))
	}
	for name, text := range want {
		if got, ok := d.Value(name); !ok || got != text {
			t.Errorf("%s = %q, want %q", name, got, text)
		}
	}
	if d.Box != (ofd.Box{W: 297, H: 210}) || len(d.Pages) != 1 || len(d.Templates) != 1 || d.Pages[0].Templates[0] != d.Templates[0].ID {
		t.Errorf("%+v %+v", d.Pages, d.Templates)
	}
	if len(d.Attachments) != 1 || d.Attachments[0].Visible || d.Attachments[0].Path != "/Doc_0/Attachs/metadata.json" {
		t.Errorf("%+v", d.Attachments)
	}
	e := p.Examine()
	s := e.Signatures[0]
	if got := codes(e.Checks); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if s.Provider != (ofd.Provider{Name: "yinxin", Version: "1", Company: "Yinxin"}) || s.DateTime != "20261122090000Z" ||
		s.Method != "1.2.156.10197.1.501" || s.CheckMethod != "1.2.156.10197.1.401" || !bytes.Equal(s.Value, value) ||
		len(s.Stamps) != 1 || s.Stamps[0].Page != 0 || s.Stamps[0].Boundary != (ofd.Box{X: 220, Y: 140, W: 42, H: 42}) {
		t.Errorf("%+v", s)
	}
	// All but the open two and the signature's own two are referenced.
	if s.RefsOK() != len(p.Files())-4 || s.RefsBad() != 0 || s.Locked {
		t.Errorf("%d of %d files", s.RefsOK(), len(p.Files()))
	}
}

// Every ST_ID is unique and MaxUnitID is the largest; every text object has an advance for each character but the last.
func TestUnits(t *testing.T) {
	t.Parallel()
	p, _ := ofd.Open(sealed(t, true), ofd.DefaultLimits())
	seen, top := map[string]string{}, 0
	for _, f := range p.Files() {
		if !strings.HasSuffix(f, ".xml") || strings.Contains(f, "/Signs/") || strings.Contains(f, "/Attachs/") {
			continue
		}
		data, _ := p.File(f)
		if strings.Contains(f, "Document.xml") {
			data = []byte(strings.SplitN(string(data), "<ofd:Pages>", 2)[0]) // where pages and templates are named, not defined
		}
		d := xml.NewDecoder(bytes.NewReader(data))
		d.Strict = false
		for {
			tok, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				break
			}
			e, ok := tok.(xml.StartElement)
			if !ok {
				continue
			}
			attr := map[string]string{}
			for _, a := range e.Attr {
				attr[a.Name.Local] = a.Value
			}
			if id := attr["ID"]; id != "" {
				if was, twice := seen[id]; twice {
					t.Errorf("ID %s: %s and %s", id, was, f+" "+e.Name.Local)
				}
				seen[id] = f + " " + e.Name.Local
				n, err := strconv.Atoi(id)
				if err != nil {
					t.Error(err)
				}
				top = max(top, n)
			}
			if e.Name.Local == "TextCode" {
				var text string
				if tok, err = d.Token(); err == nil {
					if c, ok := tok.(xml.CharData); ok {
						text = string(c)
					}
				}
				if n := len([]rune(text)); len(strings.Fields(attr["DeltaX"])) != n-1 {
					t.Errorf("%d characters, DeltaX %q", n, attr["DeltaX"])
				}
			}
		}
	}
	if d := p.Documents()[0]; d.MaxUnitID < uint64(top) || len(seen) < 10 {
		t.Errorf("MaxUnitID %d, largest %d of %d", d.MaxUnitID, top, len(seen))
	}
}

func TestDeterminism(t *testing.T) {
	t.Parallel()
	a, b := sealed(t, true), sealed(t, true)
	if !bytes.Equal(a, b) {
		t.Error("the same document twice gives other bytes")
	}
	u, err := license(t).Prepare(signing(true))
	if err != nil {
		t.Fatal(err)
	}
	draft, err := u.Draft()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ofd.Resume(draft)
	if err != nil {
		t.Fatal(err)
	}
	c, err := again.Finish(value)
	if err != nil || !bytes.Equal(a, c) || again.DataHash() != u.DataHash() {
		t.Errorf("a document taken up again gives other bytes: %v", err)
	}
	draft[len(draft)/3] ^= 4
	if _, err := ofd.Resume(draft); err == nil {
		t.Error("a damaged draft was taken up")
	}
}

// small is a document without fonts or images, whose every byte is reviewed in its golden file.
func small(t testing.TB) []byte {
	t.Helper()
	b := ofd.NewBuilder(ofd.Info{DocID: strings.Repeat("0", 32), Title: "样例", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, ofd.Box{W: 100, H: 60.5})
	blue := ofd.Color{B: 255}
	o := b.Page().Layer(ofd.Body).Path(ofd.Path{
		Box: ofd.Box{X: 1, Y: 2, W: 3, H: 4}, Outline: new(ofd.Outline).Move(0, 0).Quad(1, 0, 1, 1.23456).Line(0, 1).Close(), Stroke: &blue, Dash: []float64{1, 2},
	})
	b.Tag("t", "urn:t", "root").Add("框", o)
	u, err := b.Prepare(ofd.Signing{
		Seal: []byte("seal"), Provider: ofd.Provider{Name: "p"}, Time: time.Date(2026, 1, 2, 11, 4, 5, 0, time.FixedZone("CST", 8*3600)), OpenSet: true,
		Stamps: []ofd.Stamp{{Box: ofd.Box{X: 80, Y: 10, W: 40, H: 40}, Clip: &ofd.Box{W: 20, H: 40}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := u.Finish([]byte("value"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestGolden(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, r := range unpack(t, small(t)) {
		fmt.Fprintf(&b, "== %s %x\n%s\n", r.name, gm.SM3(r.data), r.data)
	}
	path := filepath.Join("testdata", "small.txt")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Error(diff)
	}
	if word, checks := judge(small(t)); word != verdict.Valid || len(codes(checks)) != 0 {
		t.Errorf("%s %v", word, codes(checks))
	}
}

// What a caller may get wrong is told when the document is asked for.
func TestMistakes(t *testing.T) {
	t.Parallel()
	f := font(t)
	id, box := strings.Repeat("a", 32), ofd.Box{W: 10, H: 10}
	for _, c := range []struct {
		code  string
		build func() *ofd.Builder
	}{
		{"ofd_doc_id", func() *ofd.Builder { return ofd.NewBuilder(ofd.Info{DocID: "x"}, box) }},
		{"ofd_page_size", func() *ofd.Builder { return ofd.NewBuilder(ofd.Info{DocID: id}, ofd.Box{}) }},
		{"ofd_page_size", func() *ofd.Builder { return ofd.NewBuilder(ofd.Info{DocID: id}, ofd.Box{W: math.NaN(), H: 1}) }},
		{"ofd_text", func() *ofd.Builder { return ofd.NewBuilder(ofd.Info{DocID: id, Title: "a\x01"}, box) }},
		{"ofd_custom_data", func() *ofd.Builder {
			return ofd.NewBuilder(ofd.Info{DocID: id, Custom: []ofd.CustomData{{Name: ofd.OpenSetName, Value: "/x"}}}, box)
		}},
		{"ofd_pages", func() *ofd.Builder { return ofd.NewBuilder(ofd.Info{DocID: id}, box) }},
		{"ofd_image", func() *ofd.Builder {
			b := ofd.NewBuilder(ofd.Info{DocID: id}, box)
			b.Page().Layer(ofd.Body).Picture(ofd.Picture{Box: box, Image: b.Image([]byte("no image"))})
			return b
		}},
		{"ofd_boundary", func() *ofd.Builder {
			b := ofd.NewBuilder(ofd.Info{DocID: id}, box)
			b.Page().Layer(ofd.Body).Picture(ofd.Picture{Image: b.Image(photo(t))})
			return b
		}},
		{"glyph_missing", func() *ofd.Builder {
			b := ofd.NewBuilder(ofd.Info{DocID: id}, box)
			b.Page().Layer(ofd.Body).Text(ofd.Text{Box: box, Font: b.Font(f, "楷体"), Size: 3, Lines: []ofd.Line{{Text: "\U0001F600"}}})
			return b
		}},
		{"ofd_tag", func() *ofd.Builder {
			b := ofd.NewBuilder(ofd.Info{DocID: id}, box)
			b.Page()
			b.Tag("t", "urn:t", "no name")
			return b
		}},
		{"ofd_attachment", func() *ofd.Builder {
			b := ofd.NewBuilder(ofd.Info{DocID: id}, box)
			b.Page()
			b.Attach("a", "xml", "../a.xml", nil)
			return b
		}},
		{"ofd_path", func() *ofd.Builder {
			b := ofd.NewBuilder(ofd.Info{DocID: id}, box)
			b.Page().Layer(ofd.Body).Path(ofd.Path{Box: box})
			return b
		}},
	} {
		if _, err := c.build().Bytes(); fault.CodeOf(err) != c.code || fault.KindOf(err) != fault.Invalid {
			t.Errorf("want %s, got %v", c.code, err)
		}
	}
	bad := signing(true)
	bad.Stamps[0].Page = 1
	if _, err := license(t).Prepare(bad); fault.CodeOf(err) != "ofd_stamp" {
		t.Errorf("a stamp on no page: %v", err)
	}
	if _, err := license(t).Prepare(ofd.Signing{}); fault.CodeOf(err) != "ofd_signing" {
		t.Errorf("no seal: %v", err)
	}
}
