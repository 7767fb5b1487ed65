package face_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/license/face"
	"github.com/yinxin-trust/yinxin/ofd"
)

var out = flag.String("out", "", "folder to write the drawn samples to, to look at them")

func newDrawer(t testing.TB) *face.Drawer {
	t.Helper()
	const folder = "/usr/share/fonts/truetype/lxgw-wenkai/"
	regular, err := os.ReadFile(folder + "LXGWWenKai-Regular.ttf")
	bold, err2 := os.ReadFile(folder + "LXGWWenKai-Bold.ttf")
	if err != nil || err2 != nil {
		t.Fatal("the CJK font is missing: apt-get install fonts-lxgw-wenkai")
	}
	d, err := face.New(regular, bold, "楷体")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// drawInput is a license of a kind with the catalogue's example in every field.
func drawInput(k license.Kind, change func(*license.License)) license.DrawInput {
	l := license.License{
		ID: license.ID{0, 1, 7}, Kind: k.Code, KindName: k.Name, Office: "11990000000000001G", OfficeName: "示例市行政审批局", BusinessNo: "鄂(2026)示例市第0000001号",
		Identifier: license.Identifier{Kind: k.Code, Office: "11990000000000001G", Serial: "4KQ7ZP2M6XW3BD5NHT8A", Version: 1}.String(),
		Version:    1, ValidFrom: "2026-11-22",
	}
	switch k.Code {
	case license.SampleBusiness, license.SampleFood:
		l.Holders = []license.Holder{{Type: "001", Code: "91990000MA0000001B", Name: "示例市样本餐饮管理有限公司", Role: license.RoleHolder}}
	case license.SampleProperty:
		l.Holders = []license.Holder{
			{Type: "111", Code: "990101199001010019", Name: "周试样", Role: license.RoleHolder, Part: "1/2"},
			{Type: "111", Code: "990101199001010027", Name: "吴试样", Role: license.RoleHolder, Part: "1/2"},
		}
	default:
		l.Holders = []license.Holder{{Type: "111", Code: "99010119900101006X", Name: "冯试样", Role: license.RoleHolder}}
	}
	if k.Code == license.SampleFood {
		l.ValidTo = "2031-11-21"
	}
	for _, f := range k.Fields {
		l.Fields = append(l.Fields, license.Field{Code: f.Code, Name: f.Name, Value: f.Example})
	}
	if change != nil {
		change(&l)
	}
	printed := license.FaceOf(l, k, "2026-11-22")
	static := "HTTPS://YX.EXAMPLE/S/" + strings.Repeat("A", 256)
	return license.DrawInput{
		License: l, Kind: k, Face: printed, Metadata: license.MetadataOf(l, k, printed, static), Static: static, IssueDate: "2026-11-22",
		Seal:     license.SealInfo{SealDER: []byte{0x30, 0}, WidthMM: 42, HeightMM: 42, Provider: "yinxin", Version: "1", Company: "yinxin"},
		SignedAt: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC),
	}
}

func TestEveryValueIsInTheFile(t *testing.T) {
	t.Parallel()
	d := newDrawer(t)
	kinds := license.SampleKinds()
	other := kinds[0]
	other.Layout = "plain"
	for _, k := range append(kinds, other) {
		in := drawInput(k, nil)
		if err := d.Fits(in); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
		u, err := d.Draw(in)
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
			continue
		}
		file, err := u.Finish([]byte("a signature value"))
		if err != nil {
			t.Fatal(err)
		}
		if *out != "" {
			if err := os.WriteFile(filepath.Join(*out, k.Layout+".ofd"), file, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if len(file) > 400<<10 {
			t.Errorf("%s: %d bytes", k.Name, len(file))
		}
		pkg, checks := ofd.Open(file, ofd.DefaultLimits())
		if pkg == nil || verdict.Fold(checks) != verdict.Valid {
			t.Errorf("%s: %v", k.Name, checks)
			continue
		}
		doc := pkg.Documents()[0]
		for _, i := range in.Face {
			if got, ok := doc.Value(i.Code); !ok || license.FoldText(got) != license.FoldText(i.Text) {
				t.Errorf("%s: %s reads %q", k.Name, i.Code, got)
			}
		}
		e := pkg.Examine()
		if len(e.Signatures) != 1 || e.Signatures[0].RefsBad() != 0 || len(e.Signatures[0].Stamps) != 1 {
			t.Errorf("%s: the signature %+v", k.Name, e)
		}
		if _, declared := doc.OpenSet(); !declared {
			t.Errorf("%s: the open set is not declared", k.Name)
		}
	}
}

func TestMetadataIsAttached(t *testing.T) {
	t.Parallel()
	d := newDrawer(t)
	in := drawInput(license.SampleKinds()[2], nil)
	u, err := d.Draw(in)
	if err != nil {
		t.Fatal(err)
	}
	file, err := u.Finish([]byte("a signature value"))
	if err != nil {
		t.Fatal(err)
	}
	pkg, _ := ofd.Open(file, ofd.DefaultLimits())
	doc := pkg.Documents()[0]
	if len(doc.Attachments) != 1 {
		t.Fatalf("%d attachments", len(doc.Attachments))
	}
	data, ok := pkg.File(doc.Attachments[0].Path)
	if !ok {
		t.Fatal("the attachment is missing")
	}
	got, err := license.ParseMetadata(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in.Metadata, got); diff != "" {
		t.Errorf("metadata (-drawn +read):\n%s", diff)
	}
	salt := [16]byte{1}
	if got.Face.Digest(salt) != in.Face.Digest(salt) {
		t.Error("the face digest of the file differs from the license's")
	}
}

func TestLongTextsFit(t *testing.T) {
	t.Parallel()
	d := newDrawer(t)
	for _, k := range license.SampleKinds() {
		in := drawInput(k, func(l *license.License) {
			for i, f := range k.Fields {
				if f.Type == license.TypeText && f.Pattern == "" {
					l.Fields[i].Value = strings.Repeat("长", f.MaxLength)
				}
			}
			for i := range l.Holders {
				l.Holders[i].Name = strings.Repeat("名", 40)
			}
			l.OfficeName = strings.Repeat("局", 30)
		})
		if err := d.Fits(in); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
	// Ten co-owners.
	in := drawInput(license.SampleKinds()[2], func(l *license.License) {
		for len(l.Holders) < 10 {
			l.Holders = append(l.Holders, l.Holders[0])
		}
	})
	if err := d.Fits(in); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBePrintedIsSaid(t *testing.T) {
	t.Parallel()
	d := newDrawer(t)
	for text, code := range map[string]string{"\U0002ffff": "glyph_missing", strings.Repeat("很长", 3000): "text_overflow"} {
		err := d.Fits(drawInput(license.SampleKinds()[0], func(l *license.License) { l.Fields[1].Value = text }))
		var f *fault.Error
		if !errors.As(err, &f) || f.Code != code || f.Kind != fault.Invalid {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	d := newDrawer(t)
	in := drawInput(license.SampleKinds()[1], nil)
	a, err := d.Draw(in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := d.Draw(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a.DataHash(), b.DataHash()); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkDraw(b *testing.B) {
	d := newDrawer(b)
	in := drawInput(license.SampleKinds()[2], nil)
	b.ReportAllocs()
	for b.Loop() {
		u, err := d.Draw(in)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := u.Finish([]byte("a signature value")); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFits(b *testing.B) {
	d := newDrawer(b)
	in := drawInput(license.SampleKinds()[2], nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Fits(in); err != nil {
			b.Fatal(err)
		}
	}
}
