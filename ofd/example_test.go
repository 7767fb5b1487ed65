package ofd_test

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ofd"
)

func ExampleBuilder() {
	ttf, err := os.ReadFile(fontPath)
	if err != nil {
		fmt.Println("install the Debian package fonts-lxgw-wenkai:", err)
		return
	}
	font, err := ofd.ParseFont(ttf) // once for all documents
	if err != nil {
		fmt.Println(err)
		return
	}
	b := ofd.NewBuilder(ofd.Info{
		DocID: "0f8fad5bd9cb469fa16570867728950e", Title: "营业执照", Creator: "印信",
		Created: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
		Custom:  []ofd.CustomData{{Name: "LicenseID", Value: "1.2.156.3005.2.X"}},
	}, ofd.Box{W: 210, H: 297})
	kai := b.Font(font, "楷体")
	red := ofd.Color{R: 200}
	art := b.Template().Layer(ofd.Background)
	art.Path(ofd.Path{Box: ofd.Box{X: 10, Y: 10, W: 190, H: 277}, Outline: new(ofd.Outline).Rect(ofd.Box{W: 190, H: 277}), Stroke: &red})

	page := b.Page().Layer(ofd.Body)
	block, err := font.Fit("某某市示例食品有限公司", 120, 12, ofd.Fitting{Size: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	name := page.Block(60, 80, kai, ofd.Color{}, block)
	b.Tag("license", "urn:yinxin:license:1", "fields").Add("holder", name)
	b.Attach("metadata", "json", "metadata.json", []byte(`{}`))

	unsigned, err := b.Prepare(ofd.Signing{
		Seal: []byte("Seal.esl, DER"), Stamps: []ofd.Stamp{{Page: 0, Box: ofd.Box{X: 140, Y: 220, W: 42, H: 42}}},
		Provider: ofd.Provider{Name: "yinxin"}, Time: time.Date(2026, 11, 22, 9, 0, 1, 0, time.UTC), OpenSet: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Package seal signs unsigned.DataHash() and unsigned.PropertyInfo().
	file, err := unsigned.Finish([]byte("SES_Signature, DER"))
	if err != nil {
		fmt.Println(err)
		return
	}

	pkg, checks := ofd.Open(file, ofd.DefaultLimits())
	exam := pkg.Examine()
	sig := exam.Signatures[0]
	holder, _ := pkg.Documents()[0].Value("holder")
	checks = append(append(append(checks, exam.Checks...), sig.Checks...), exam.Coverage(func(*ofd.SignatureEntry) bool { return true })...)
	fmt.Println(holder, sig.ID, sig.Type, sig.Path == unsigned.PropertyInfo(), bytes.Equal(sig.Raw, unsigned.SignatureXML()))
	fmt.Println(sig.RefsOK(), sig.RefsBad(), sig.Covers, verdict.Fold(checks))
	// Output:
	// 某某市示例食品有限公司 s001 Seal true true
	// 11 0 current_document valid
}

const fontPath = "/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf"
