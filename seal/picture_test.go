package seal_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/seal"
)

// font is a Chinese font of the machine.
func font(t testing.TB) []byte {
	t.Helper()
	found, err := filepath.Glob("/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Bold.ttf")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		out, err := exec.CommandContext(t.Context(), "fc-match", "-f", "%{file}", "sans:lang=zh-cn").Output()
		if err != nil || !strings.HasPrefix(string(out), "/") {
			t.Fatal("there is no Chinese font on this machine: apt-get install fonts-lxgw-wenkai")
		}
		found = []string{string(out)}
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestPicture(t *testing.T) {
	t.Parallel()
	ttf := font(t)
	for _, name := range []string{"鄂", "鄂州市市场监督管理局", strings.Repeat("章", 40)} {
		p, err := seal.DrawPicture(name, "4299010000123", ttf)
		if err != nil {
			t.Fatal(err)
		}
		again, err := seal.DrawPicture(name, "4299010000123", ttf)
		if err != nil || !bytes.Equal(p.Data, again.Data) {
			t.Errorf("%s: drawn twice, differs (%v)", name, err)
		}
		img, err := png.Decode(bytes.NewReader(p.Data))
		if err != nil {
			t.Fatal(err)
		}
		if img.Bounds() != image.Rect(0, 0, 630, 630) || p.Width != 42 || p.Height != 42 || p.Type != "PNG" {
			t.Errorf("%s: %v, %d mm", name, img.Bounds(), p.Width)
		}
		ink := func(x, y float64) bool { // millimetres from the centre
			r, g, _, a := img.At(int((21+x)*15), int((21+y)*15)).RGBA()
			return a > 0x8000 && r > 0x8000 && g < 0x4000
		}
		ring := 0
		for i := range 360 {
			a := float64(i) * math.Pi / 180
			if ink(20.2*math.Cos(a), 20.2*math.Sin(a)) {
				ring++
			}
			if ink(19.2*math.Cos(a), 19.2*math.Sin(a)) {
				t.Errorf("%s: ink between ring and text at %d degrees", name, i)
			}
		}
		upper, lower, serial := 0, 0, 0
		for y := -18.6; y < 18.6; y += 0.1 {
			for x := -18.6; x < 18.6; x += 0.1 {
				r := math.Hypot(x, y)
				switch {
				case !ink(x, y) || r > 18.9:
				case r > 12 && y < -8:
					upper++
				case r > 16 && y > 13:
					serial++
				case r > 8 && r < 15 && y > 6 && math.Abs(x) < 5:
					lower++
				}
			}
		}
		if ring != 360 || !ink(0, 0) || !ink(0, -6.5) || ink(0, 6.5) || upper < 100 || serial < 100 || lower != 0 {
			t.Errorf("%s: ring %d, name %d, serial %d, stray %d", name, ring, upper, serial, lower)
		}
	}
	for _, c := range []struct{ name, serial, code string }{
		{"", "1", "picture_name"},
		{strings.Repeat("章", 41), "1", "picture_name"},
		{"章", strings.Repeat("1", 25), "picture_serial"},
		{"章\U0010FFFD", "1", "picture_glyph"},
	} {
		if _, err := seal.DrawPicture(c.name, c.serial, ttf); fault.CodeOf(err) != c.code {
			t.Errorf("%q: %v, want %s", c.name, err, c.code)
		}
	}
	if _, err := seal.DrawPicture("章", "1", []byte("no font")); fault.CodeOf(err) != "picture_font" {
		t.Errorf("no font: %v", err)
	}
}

func BenchmarkDrawPicture(b *testing.B) {
	ttf := font(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := seal.DrawPicture("鄂州市市场监督管理局", "4299010000123", ttf); err != nil {
			b.Fatal(err)
		}
	}
}
