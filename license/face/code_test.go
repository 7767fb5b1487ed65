package face_test

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rsc.io/qr"

	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
)

// TestStaticCode holds what is drawn against the QR code module by module: each one black once or white, with four modules
// of white around.
func TestStaticCode(t *testing.T) {
	t.Parallel()
	d := newDrawer(t)
	path := regexp.MustCompile(`Boundary="([^"]*)"[^>]*><ofd:FillColor Value="0 0 0"/><ofd:AbbreviatedData>([^<]*)<`)
	for _, k := range license.SampleKinds() {
		in := drawInput(k, nil)
		u, err := d.Draw(in)
		if err != nil {
			t.Fatal(err)
		}
		file, err := u.Finish([]byte("a signature value"))
		if err != nil {
			t.Fatal(err)
		}
		pkg, _ := ofd.Open(file, ofd.DefaultLimits())
		content, _ := pkg.File(pkg.Documents()[0].Pages[0].Path)
		m := path.FindSubmatch(content)
		if m == nil {
			t.Fatalf("%s: no static code", k.Name)
		}
		box, ok := ofd.ParseBox(string(m[1]))
		if !ok {
			t.Fatalf("%s: %s", k.Name, m[1])
		}
		want, err := qr.Encode(in.Static, qr.M)
		if err != nil {
			t.Fatal(err)
		}
		type rect struct{ x1, y1, x2, y2 float64 }
		var rects []rect
		left, right := box.W, 0.0
		for part := range strings.SplitSeq(strings.TrimSuffix(string(m[2]), " C"), " C ") {
			f := strings.Fields(part) // M x y L x y L x y L x y
			at := func(i int) float64 { v, _ := strconv.ParseFloat(f[i], 64); return v }
			r := rect{at(1), at(2), at(7), at(8)}
			rects, left, right = append(rects, r), min(left, r.x1), max(right, r.x2)
		}
		unit := (right - left) / float64(want.Size)
		if left < 4*unit-1e-6 || box.W-right < 4*unit-1e-6 || math.Abs(left-(box.W-right)) > 0.02 {
			t.Errorf("%s: modules of %.3f mm leave %.3f mm and %.3f mm of white", k.Name, unit, left, box.W-right)
		}
		for y := range want.Size {
			for x := range want.Size {
				px, py, n := left+(float64(x)+0.5)*unit, left+(float64(y)+0.5)*unit, 0
				for _, r := range rects {
					if px > r.x1 && px < r.x2 && py > r.y1 && py < r.y2 {
						n++
					}
				}
				if black := want.Black(x, y); black != (n == 1) || n > 1 {
					t.Fatalf("%s: module %d, %d is drawn %d times, black %v", k.Name, x, y, n, black)
				}
			}
		}
	}
}
