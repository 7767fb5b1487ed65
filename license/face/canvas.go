package face

import (
	"math"
	"strings"

	"rsc.io/qr"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
)

// canvas draws places. It keeps the first mistake.
type canvas struct {
	d     *Drawer
	face  license.Face
	lay   layout
	font  ofd.FontRef
	title ofd.FontRef
	art   *ofd.Layer // template: artwork and labels
	page  *ofd.Layer // values
	tag   *ofd.Tag
	drawn map[string]bool
	paths []ofd.Path // artwork, drawn so far
	err   error
}

func (c *canvas) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *canvas) stroke(p ofd.Path) { c.paths = append(c.paths, p) }

// has tells whether the license has anything to print for a code.
func (c *canvas) has(code string) bool { return c.face.Text(code) != "" }

// place draws a labelled value, where the license has one. A table keeps the labels of what is empty.
func (c *canvas) place(p place) {
	if p.code != "" && !c.has(p.code) && !p.always {
		return
	}
	if p.label != "" {
		at := p.labelBox
		if at.W == 0 {
			at = ofd.Box{X: p.box.X - p.labelW, Y: p.box.Y, W: p.labelW, H: p.box.H}
		}
		c.text(c.art, p.label, at, ofd.Fitting{Size: p.labelSize(), MinSize: 1.6, Align: p.labelAlign, Vertical: p.vertical}, c.lay.palette.label)
	}
	if p.code == "" || !c.has(p.code) {
		return
	}
	text := c.face.Text(p.code)
	var o ofd.Object
	if p.spread {
		o = c.spread(text, p)
	} else {
		fit := ofd.Fitting{Size: p.size, MinSize: min(p.size, 1.9), Align: p.align, Vertical: p.vertical}
		o = c.text(c.page, text, p.box, fit, p.ink(c.lay.palette))
	}
	if c.err == nil {
		c.tag.Add(p.code, o)
		c.drawn[p.code] = true
	}
}

func (c *canvas) text(l *ofd.Layer, text string, at ofd.Box, fit ofd.Fitting, color ofd.Color) ofd.Object {
	if c.lacks(c.d.font, text) {
		return ofd.Object{}
	}
	block, err := c.d.font.Fit(text, at.W, at.H, fit)
	if err != nil {
		c.fail(err)
		return ofd.Object{}
	}
	return l.Block(at.X, at.Y, c.font, color, block)
}

// spread sets a title with its characters spread over the width of its box, as certificates do.
func (c *canvas) spread(text string, p place) ofd.Object {
	if c.lacks(c.d.bold, text) {
		return ofd.Object{}
	}
	rs := []rune(text)
	size := p.size
	for c.d.bold.Measure(text, size)*1.05 > p.box.W && size > 4 {
		size *= 0.95
	}
	gap := min((p.box.W-c.d.bold.Measure(text, size))/float64(max(len(rs)-1, 1)), size*1.1)
	width := c.d.bold.Measure(text, size) + gap*float64(len(rs)-1)
	x := (p.box.W - width) / 2
	lines := make([]ofd.Line, len(rs))
	for i, r := range rs {
		lines[i] = ofd.Line{X: x, Y: p.box.H/2 + size*0.37, Text: string(r)}
		x += c.d.bold.Measure(string(r), size) + gap
	}
	return c.page.Text(ofd.Text{Box: p.box, Font: c.title, Size: size, Color: p.ink(c.lay.palette), Lines: lines})
}

func (c *canvas) lacks(f *ofd.Font, text string) bool {
	// What layout turns into lines or spaces needs no glyph.
	if len(f.Missing(strings.NewReplacer("\n", " ", "\t", " ").Replace(text))) == 0 {
		return false
	}
	c.fail(fault.New(fault.Invalid, "glyph_missing", "a character of the license cannot be printed").
		WithHint("the font of license files lacks it; use the registered substitute form"))
	return true
}

// finish draws the static code and makes sure that nothing of the face was left out.
func (c *canvas) finish(in license.DrawInput) error {
	if in.Static != "" {
		c.code(in.Static)
	}
	if c.err != nil {
		return c.err
	}
	for _, i := range c.face {
		if i.Text != "" && !c.drawn[i.Code] {
			return fault.New(fault.Internal, "face_incomplete", "the layout has no place for "+i.Code)
		}
	}
	return nil
}

// code draws the QR of the static code as one path: modules run together along rows and downwards, so that no reader leaves
// hairlines.
func (c *canvas) code(text string) {
	m, err := qr.Encode(text, qr.M)
	if err != nil {
		c.fail(fault.Wrap(err, fault.Internal, "face_code", "the static code does not fit a QR code"))
		return
	}
	side := c.lay.code.W
	unit := math.Floor(side/float64(m.Size+8)*100) / 100 // four modules of quiet zone all around, and short numbers
	margin := fine((side - unit*float64(m.Size)) / 2)
	drawn := make([]bool, m.Size*m.Size)
	free := func(x, y int) bool { return x < m.Size && y < m.Size && m.Black(x, y) && !drawn[y*m.Size+x] }
	o := new(ofd.Outline)
	for y := range m.Size {
		for x := 0; x < m.Size; x++ {
			w, h := 0, 0
			for free(x+w, y) {
				w++
			}
			for row := w > 0; row; {
				for i := range w {
					drawn[(y+h)*m.Size+x+i] = true
				}
				h++
				for i := range w {
					row = row && free(x+i, y+h)
				}
			}
			if w > 0 {
				o.Rect(ofd.Box{X: margin + float64(x)*unit, Y: margin + float64(y)*unit, W: float64(w) * unit, H: float64(h) * unit})
			}
		}
	}
	white, black := ofd.Color{R: 255, G: 255, B: 255}, ofd.Color{}
	c.page.Path(ofd.Path{Box: c.lay.code, Outline: new(ofd.Outline).Rect(ofd.Box{W: side, H: side}), Fill: &white})
	c.page.Path(ofd.Path{Box: c.lay.code, Outline: o, Fill: &black})
	below := ofd.Box{X: c.lay.code.X - 6, Y: c.lay.code.Y + side + 0.6, W: side + 12, H: 3}
	c.text(c.page, "扫码核验证照信息", below, ofd.Fitting{Size: 2.6, Align: ofd.Center}, c.lay.palette.label)
}
