package face

import (
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
)

// layout is how one kind looks: the page, its colours, its places and its artwork. All lengths are millimetres.
type layout struct {
	w, h     float64
	palette  palette
	places   []place
	code     ofd.Box    // square of the static code
	seal     [2]float64 // middle of the issuing seal
	photo    ofd.Box
	ornament func(*canvas)
	art      []ofd.Path // what ornament draws, once it has been drawn
}

// palette is the colours of a layout.
type palette struct {
	frame  ofd.Color // border, star
	accent ofd.Color // gold
	wash   ofd.Color // ground lines
	title  ofd.Color
	label  ofd.Color
	text   ofd.Color
}

// place is where a value stands, and its label.
type place struct {
	code       string // of the face item; empty: only a label
	label      string
	box        ofd.Box // of the value
	labelW     float64 // the label stands so wide to the left of the value, unless
	labelBox   ofd.Box // it has a place of its own
	labelAlign ofd.Align
	size       float64
	align      ofd.Align
	vertical   ofd.Align
	spread     bool // a title, spread over its box
	titled     bool // in the colour of titles
	always     bool // the label stands there without a value too
}

func (p place) labelSize() float64 { return min(p.size, 4) }

func (p place) ink(c palette) ofd.Color {
	if p.titled {
		return c.title
	}
	return c.text
}

// stamp is the box of the seal's picture.
func (l layout) stamp(s license.SealInfo) ofd.Box {
	w, h := s.WidthMM, s.HeightMM
	if w <= 0 || h <= 0 {
		w, h = 42, 42
	}
	return ofd.Box{X: l.seal[0] - w/2, Y: l.seal[1] - h/2, W: w, H: h}
}

// drawn is the layout with its artwork.
func (l layout) drawn() layout {
	if l.art == nil {
		c := &canvas{lay: l}
		l.ornament(c)
		l.art = c.paths
	}
	return l
}

// layout finds the layout that a kind names.
func (d *Drawer) layout(k license.Kind) (layout, error) {
	if l, ok := d.laid[k.Layout]; ok {
		return l, nil
	}
	if k.Layout == "plain" {
		return plain(k), nil
	}
	return layout{}, fault.New(fault.Internal, "layout_unknown", "the kind's layout is not known").
		WithHint("layouts are business, food, property, birth and plain")
}

// column stacks labelled places below one another and gives the y where it ends.
func column(x, y, labelW, w float64, rows ...row) ([]place, float64) {
	var out []place
	for _, r := range rows {
		p := place{
			code: r.code, label: r.label, box: ofd.Box{X: x + labelW, Y: y, W: w - labelW, H: r.h}, labelW: labelW, size: r.size,
			vertical: ofd.Center,
		}
		if r.size == 0 {
			p.size = 4
		}
		if r.top {
			p.box.Y, p.box.H, p.vertical = y+2.4, r.h-2.4, ofd.Left
		}
		out = append(out, p)
		y += r.h
	}
	return out, y
}

type row struct {
	code  string
	label string
	h     float64
	size  float64
	top   bool
}

// term is the two dates of validity on one line.
func term(label string, x, y, labelW, dateW, size float64) []place {
	h := size * 1.6
	return []place{
		{code: license.FaceValidFrom, label: label, box: ofd.Box{X: x + labelW, Y: y, W: dateW, H: h}, labelW: labelW, size: size, vertical: ofd.Center},
		{label: "至", labelBox: ofd.Box{X: x + labelW + dateW, Y: y, W: size * 1.4, H: h}, labelAlign: ofd.Center, size: size, vertical: ofd.Center},
		{code: license.FaceValidTo, box: ofd.Box{X: x + labelW + dateW + size*1.6, Y: y, W: dateW, H: h}, size: size, vertical: ofd.Center},
	}
}

// footer is the identifier along the lower edge.
func footer(x, y float64) place {
	return place{
		code: license.FaceIdentifier, label: "证照标识", box: ofd.Box{X: x + 13, Y: y, W: 130, H: 4}, labelBox: ofd.Box{X: x, Y: y, W: 12, H: 4},
		size: 2.7, vertical: ofd.Center,
	}
}

// table makes the places of a two-column table and its row heights.
func table(box ofd.Box, labelW float64, rows ...row) ([]place, []float64) {
	var out []place
	var heights []float64
	y := box.Y
	for _, r := range rows {
		p := place{
			code: r.code, label: r.label, size: r.size, vertical: ofd.Center, labelAlign: ofd.Center, always: true,
			box:      ofd.Box{X: box.X + labelW + 2.5, Y: y + 0.8, W: box.W - labelW - 5, H: r.h - 1.6},
			labelBox: ofd.Box{X: box.X + 1.5, Y: y + 0.8, W: labelW - 3, H: r.h - 1.6},
		}
		if r.size == 0 {
			p.size = 4.2
		}
		if r.top {
			p.box.Y, p.box.H, p.vertical = y+2, r.h-4, ofd.Left
			p.labelBox.Y, p.labelBox.H = y+2, r.h-4
		}
		out, heights, y = append(out, p), append(heights, r.h), y+r.h
	}
	return out, heights
}
