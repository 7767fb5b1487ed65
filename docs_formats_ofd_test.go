package yinxin_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/license/face"
)

// entryWords say what each entry of a license file is; a pattern ends with "*".
func entryWords() [][2]string {
	return [][2]string{
		{"OFD.xml", "entry point: DocInfo with the CustomData below, DocRoot, Signatures"},
		{"Doc_0/Document.xml", "page area, template, pages, links to all that follows"},
		{"Doc_0/PublicRes.xml", "fonts"},
		{"Doc_0/Res/font_*", "TrueType subset of the characters used, with its character map"},
		{"Doc_0/DocumentRes.xml", "images"},
		{"Doc_0/Res/image_*", "PNG; a JPEG portrait is converted"},
		{"Doc_0/Tpls/Tpl_0/Content.xml", "template page: artwork as paths, labels"},
		{"Doc_0/Pages/Page_0/Content.xml", "value page: one TextObject for each value, portrait, static code as one path"},
		{"Doc_0/Annots/Annotations.xml", "annotation index, empty at issue: **open**"},
		{"Doc_0/Tags/CustomTags.xml", "index of custom tags: TypeID `license`, NameSpace `urn:yinxin:license:1`"},
		{"Doc_0/Tags/tag_*", "root `Fields`; one element for each face code, with ObjectRefs to its objects"},
		{"Doc_0/Attachs/Attachments.xml", "index of attachments, Visible=false"},
		{"Doc_0/Attachs/license.xml", "metadata (below)"},
		{"Doc_0/Attachs/*", "metadata (below)"},
		{"Doc_0/Signs/Signatures.xml", "signature list: MaxSignId, one Signature `s001` of type Seal: **open**"},
		{"Doc_0/Signs/Sign_0/Seal.esl", "the seal, byte for byte the one inside the signature"},
		{"Doc_0/Signs/Sign_0/Signature.xml", "SM3 of every sealed entry, the stamp `s002`, the links; its SM3 is the document digest"},
		{"Doc_0/Signs/Sign_0/SignedValue.dat", "SES_Signature over the SM3 of Signature.xml"},
	}
}

// TestFormatsLicenseFile keeps the tables of docs/formats.md about license files equal to what the writer makes: entries
// in order, which of them the seal covers, and the CustomData.
func TestFormatsLicenseFile(t *testing.T) {
	file := drawn(t)
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	content := map[string][]byte{}
	var names []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		content[f.Name], names = b, append(names, f.Name)
	}
	var sig struct {
		Info struct {
			References struct {
				List []struct {
					FileRef string `xml:"FileRef,attr"`
				} `xml:"Reference"`
			} `xml:"References"`
		} `xml:"SignedInfo"`
	}
	if err := xml.Unmarshal(content["Doc_0/Signs/Sign_0/Signature.xml"], &sig); err != nil {
		t.Fatal(err)
	}
	var sealed []string
	for _, r := range sig.Info.References.List {
		sealed = append(sealed, strings.TrimPrefix(r.FileRef, "/"))
	}
	var b strings.Builder
	b.WriteString("| entry | under the seal | what |\n|---|---|---|\n")
	for _, name := range names {
		under := "no"
		if slices.Contains(sealed, name) {
			under = "yes"
		}
		if strings.HasSuffix(name, "Signature.xml") {
			under = "it is what is sealed"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, under, word(t, name))
	}
	generated(t, "docs/formats.md", "entries", b.String())

	var entry struct {
		Custom []struct {
			Name  string `xml:"Name,attr"`
			Value string `xml:",chardata"`
		} `xml:"DocBody>DocInfo>CustomDatas>CustomData"`
	}
	if err := xml.Unmarshal(content["OFD.xml"], &entry); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	b.WriteString("| CustomData | in a sample |\n|---|---|\n")
	for _, c := range entry.Custom {
		if len(c.Value) > 90 {
			c.Value = c.Value[:40] + "…"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.Name, c.Value)
	}
	generated(t, "docs/formats.md", "customdata", b.String())
}

func word(t *testing.T, name string) string {
	t.Helper()
	for _, w := range entryWords() {
		if prefix, pattern := strings.CutSuffix(w[0], "*"); w[0] == name || pattern && strings.HasPrefix(name, prefix) {
			return w[1]
		}
	}
	t.Fatalf("the writer makes an entry that the document does not explain: %s", name)
	return ""
}

// drawn is a sample license as a finished file, with a seal and a value that nobody judges here.
func drawn(t *testing.T) []byte {
	t.Helper()
	font := func(name string) []byte {
		b, err := os.ReadFile("/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-" + name + ".ttf")
		if err != nil {
			t.Fatalf("install the Debian package fonts-lxgw-wenkai: %v", err)
		}
		return b
	}
	drawer, err := face.New(font("Regular"), font("Bold"), "楷体")
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := license.NewCatalogue(license.SampleKinds())
	if err != nil {
		t.Fatal(err)
	}
	req, kind, err := catalogue.Check(sample.BusinessLicense(sample.EnterpriseAt(0), "JY19905000001", "officer"))
	if err != nil {
		t.Fatal(err)
	}
	l := license.License{
		ID:         license.ID{0, 5, 1},
		Identifier: license.Identifier{Kind: kind.Code, Office: req.Office, Serial: "2026000001", Version: 1}.String(),
		Kind:       kind.Code, KindName: kind.Name, KindVersion: 1, Office: req.Office, OfficeName: "示例市市场监督管理局",
		BusinessNo: req.BusinessNo, Version: 1, Holders: req.Holders, ValidFrom: "2026-11-22",
	}
	for _, f := range kind.Fields {
		if v, ok := req.Fields[f.Code]; ok {
			l.Fields = append(l.Fields, license.Field{Code: f.Code, Name: f.Name, Value: v})
		}
	}
	printed := license.FaceOf(l, kind, "2026-11-22")
	const code = "HTTPS://YX.EXAMPLE/S/AEAAKAIC"
	u, err := drawer.Draw(license.DrawInput{
		License: l, Kind: kind, Face: printed, Metadata: license.MetadataOf(l, kind, printed, code), Static: code, IssueDate: "2026-11-22",
		Seal:     license.SealInfo{SealDER: []byte("a seal"), WidthMM: 42, HeightMM: 42, Provider: "Yinxin", Version: "1.0", Company: "x"},
		SignedAt: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := u.Finish([]byte("a value"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}
