package ofd_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/ofd"
)

var readFont = sync.OnceValues(func() (*ofd.Font, error) {
	ttf, err := os.ReadFile(fontPath)
	if err != nil {
		return nil, err
	}
	return ofd.ParseFont(ttf)
})

func font(t testing.TB) *ofd.Font {
	t.Helper()
	f, err := readFont()
	if err != nil {
		t.Fatalf("install the Debian package fonts-lxgw-wenkai: %v", err)
	}
	return f
}

func photo(t testing.TB) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 25, 35))
	for x := range 25 {
		for y := range 35 {
			img.Set(x, y, color.RGBA{uint8(x * 10), uint8(y * 7), 90, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var issued = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// license is a document with every part that a license of ours has.
func license(t testing.TB) *ofd.Builder {
	t.Helper()
	f := font(t)
	b := ofd.NewBuilder(ofd.Info{
		DocID: "0f8fad5bd9cb469fa16570867728950e", Title: "食品经营许可证", Author: "示例市市场监督管理局", Subject: "电子证照",
		Created: issued, Creator: "印信", CreatorVersion: "1",
		Custom: []ofd.CustomData{{Name: "LicenseID", Value: "1.2.156.3005.2.X"}, {Name: "Kind", Value: `<"&'>`}},
	}, ofd.Box{W: 297, H: 210})
	kai := b.Font(f, "楷体")
	red := ofd.Color{R: 190, G: 20, B: 20}
	art := b.Template().Layer(ofd.Background)
	art.Path(ofd.Path{Box: ofd.Box{X: 8, Y: 8, W: 281, H: 194}, Outline: new(ofd.Outline).Rect(ofd.Box{W: 281, H: 194}), Stroke: &red, LineWidth: 0.8})
	art.Path(ofd.Path{Box: ofd.Box{X: 138, Y: 14, W: 20, H: 20}, Outline: new(ofd.Outline).Circle(10, 10, 9), Fill: &red, EvenOdd: true})
	title, err := f.Fit("食品经营许可证", 200, 20, ofd.Fitting{Size: 14, Align: ofd.Center})
	if err != nil {
		t.Fatal(err)
	}
	art.Block(48, 38, kai, red, title)
	page := b.Page().Layer(ofd.Body)
	tag := b.Tag("license", "urn:yinxin:license:1", "fields")
	for i, v := range [][2]string{
		{"经营者名称", "某某市示例食品有限公司"}, {"地址", strings.Repeat("某某省某某市示例区示例路99号 A-12 栋,", 4)}, {"number", "JY-2026 <1> & 2"},
	} {
		block, err := f.Fit(v[1], 150, 14, ofd.Fitting{Size: 5, MinSize: 3})
		if err != nil {
			t.Fatal(err)
		}
		tag.Add(v[0], page.Block(60, 70+20*float64(i), kai, ofd.Color{}, block))
	}
	page.Picture(ofd.Picture{Box: ofd.Box{X: 240, Y: 60, W: 25, H: 35}, Image: b.Image(photo(t))})
	b.Attach("metadata", "json", "metadata.json", []byte(`{"kind":"food"}`))
	return b
}

func signing(openSet bool) ofd.Signing {
	return ofd.Signing{
		Seal: bytes.Repeat([]byte("Seal.esl"), 100), Provider: ofd.Provider{Name: "yinxin", Version: "1", Company: "Yinxin"},
		Stamps: []ofd.Stamp{{Box: ofd.Box{X: 220, Y: 140, W: 42, H: 42}}}, Time: issued, OpenSet: openSet,
	}
}

var value = bytes.Repeat([]byte{0x30, 0x82, 7, 0xfe, 0x99}, 300)

// sealed is the license as it leaves, with a value that nobody judges here.
func sealed(t testing.TB, openSet bool) []byte {
	t.Helper()
	u, err := license(t).Prepare(signing(openSet))
	if err != nil {
		t.Fatal(err)
	}
	data, err := u.Finish(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
