package ofd_test

import (
	"bytes"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ofd"
)

const sample = "营业执照食品经营许可证，。（）ABCxyz0189 éüñ中华人民共和国㎡"

// The subset, read by a parser nobody here wrote, draws each character as the whole font does.
func TestSubset(t *testing.T) {
	t.Parallel()
	f := font(t)
	if m := f.Missing(sample + "\n"); len(m) != 0 {
		t.Fatalf("the font lacks %q", m)
	}
	sub, err := f.Subset([]rune(sample))
	if err != nil {
		t.Fatal(err)
	}
	runes := []rune(sample)
	slices.Reverse(runes)
	if again, err := f.Subset(runes); err != nil || !bytes.Equal(again.Data, sub.Data) {
		t.Errorf("another order gives other bytes: %v", err)
	}
	ttf, err := os.ReadFile(fontPath)
	if err != nil {
		t.Fatal(err)
	}
	if once, err := ofd.SubsetFont(ttf, []rune(sample)); err != nil || !bytes.Equal(once.Data, sub.Data) {
		t.Errorf("SubsetFont differs: %v", err)
	}
	if len(sub.Data) > 60<<10 || sub.Glyphs < 36 {
		t.Errorf("%d bytes, %d glyphs", len(sub.Data), sub.Glyphs)
	}
	whole, err := sfnt.Parse(ttf)
	if err != nil {
		t.Fatal(err)
	}
	part, err := sfnt.Parse(sub.Data)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	const size = 1000
	ppem := fixed.I(size)
	for _, r := range sample {
		a, errA := whole.GlyphIndex(&buf, r)
		b, errB := part.GlyphIndex(&buf, r)
		if errA != nil || errB != nil || b == 0 {
			t.Fatalf("%q: %d %v, %d %v", r, a, errA, b, errB)
		}
		sa, errA := whole.LoadGlyph(&buf, a, ppem, nil)
		copied := slices.Clone(sa)
		sb, errB := part.LoadGlyph(&buf, b, ppem, nil)
		if errA != nil || errB != nil || !slices.Equal(copied, sb) {
			t.Errorf("%q is drawn otherwise: %v %v", r, errA, errB)
		}
		wa, _ := whole.GlyphAdvance(&buf, a, ppem, 0)
		wb, _ := part.GlyphAdvance(&buf, b, ppem, 0)
		if wa != wb || math.Abs(f.Measure(string(r), size)-float64(wa)/64) > 1 {
			t.Errorf("%q advances %v, %v, measured %v", r, wa, wb, f.Measure(string(r), size))
		}
	}
	if g, err := part.GlyphIndex(&buf, '龘'); err != nil || g != 0 {
		t.Errorf("a character that was not asked for: %d %v", g, err)
	}
	if name, err := part.Name(&buf, sfnt.NameIDCopyright); err != nil || name == "" {
		t.Errorf("the copyright was lost: %v", err)
	}
}

// A subset of a subset is one too: the parser reads what the writer writes, format 4 and 12.
func TestSubsetAgain(t *testing.T) {
	t.Parallel()
	text := "中文abc"
	if len(font(t).Missing("𠮷")) == 0 {
		text += "𠮷"
	}
	sub, err := font(t).Subset([]rune(text))
	if err != nil {
		t.Fatal(err)
	}
	f, err := ofd.ParseFont(sub.Data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Subset([]rune(text))
	if err != nil || !bytes.Equal(again.Data, sub.Data) || len(f.Missing(text)) != 0 || len(f.Missing("x")) != 1 {
		t.Errorf("%v, missing %q, %d and %d bytes", err, f.Missing(text), len(sub.Data), len(again.Data))
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	f := font(t)
	long := "湖北省某某市示例区示例大道一百二十八号(示例科技园A-12栋)3层301室、302室,Building-12 of the Example Park"
	for _, c := range []struct {
		name, text string
		w, h       float64
		fit        ofd.Fitting
		lines      int
	}{
		{"one line", "营业执照", 50, 10, ofd.Fitting{Size: 5}, 1},
		{"broken", long, 80, 60, ofd.Fitting{Size: 5}, 4},
		{"shrunk", long, 80, 20, ofd.Fitting{Size: 5, MinSize: 2}, 0},
		{"paragraphs", "甲\n乙\n\n丙", 80, 60, ofd.Fitting{Size: 5}, 4},
		{"empty", "", 10, 10, ofd.Fitting{Size: 5}, 1},
	} {
		b, err := f.Fit(c.text, c.w, c.h, c.fit)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var all strings.Builder
		for i, l := range b.Lines {
			all.WriteString(l.Text)
			if w := f.Measure(strings.TrimRight(l.Text, " "), b.Size); w > c.w+1e-6 {
				t.Errorf("%s: line %d is %v wide", c.name, i, w)
			}
			if r := []rune(l.Text); i > 0 && len(r) > 0 && strings.ContainsRune("，。、；：）,", r[0]) {
				t.Errorf("%s: a line begins with %q", c.name, r[0])
			}
			if l.Y <= 0 || l.Y > c.h {
				t.Errorf("%s: a baseline at %v", c.name, l.Y)
			}
		}
		if got := all.String(); got != c.text && c.name != "paragraphs" {
			t.Errorf("%s: read back %q", c.name, got)
		}
		if c.lines > 0 && len(b.Lines) != c.lines || b.Size < c.fit.MinSize || b.Size > c.fit.Size {
			t.Errorf("%s: %d lines at %v", c.name, len(b.Lines), b.Size)
		}
	}
	if _, err := f.Fit(long, 20, 5, ofd.Fitting{Size: 5}); fault.CodeOf(err) != "text_overflow" {
		t.Errorf("no room: %v", err)
	}
	right, err := f.Fit("甲乙", 50, 10, ofd.Fitting{Size: 5, Align: ofd.Right, Vertical: ofd.Right})
	if err != nil || math.Abs(right.Lines[0].X-40) > 0.01 || right.Lines[0].Y < 8 {
		t.Errorf("%+v %v", right, err)
	}
}

func TestParseFontRefuses(t *testing.T) {
	t.Parallel()
	sub, err := font(t).Subset([]rune("中A"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range sub.Data {
		if f, err := ofd.ParseFont(sub.Data[:n]); err == nil {
			_, _ = f.Subset([]rune("中A")) // whatever was cut must not panic
		} else if fault.CodeOf(err) != "font_unreadable" {
			t.Fatal(err)
		}
	}
	for _, bad := range [][]byte{nil, []byte("OTTO00000000"), bytes.Repeat([]byte{0xff}, 4096)} {
		if _, err := ofd.ParseFont(bad); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v", err)
		}
	}
}
