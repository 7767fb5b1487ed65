package ofd

import (
	"math"
	"strings"
)

// LayerType is where a layer lies among the others (GB/T 33190-2016 table 16).
type LayerType string

// The layers, from back to front.
const (
	Background LayerType = "Background"
	Body       LayerType = "Body"
	Foreground LayerType = "Foreground"
)

// NewPage is a page, or the template page, of a document that is being written.
type NewPage struct {
	b      *Builder
	layers []*Layer
	id     int
}

// Layer adds a layer to the page. Later layers of one type lie above earlier ones.
//
// Readers of the field that order objects by their ID alone show the order of calls, template first.
func (p *NewPage) Layer(t LayerType) *Layer {
	if t != Background && t != Body && t != Foreground {
		p.b.mistake("ofd_layer", "no such type of layer")
	}
	l := &Layer{page: p, kind: t}
	p.layers = append(p.layers, l)
	return l
}

// Layer is a layer being written.
type Layer struct {
	page    *NewPage
	kind    LayerType
	objects []*object
	id      int
}

// Object is a drawn object, for tags to refer to.
type Object struct{ o *object }

type object struct {
	page  *NewPage
	text  *Text
	path  *Path
	image *Picture
	id    int
}

func (l *Layer) add(o *object, box Box) Object {
	if !box.valid() {
		l.page.b.mistake("ofd_boundary", "an object's place on the page is not possible")
	}
	o.page = l.page
	l.objects = append(l.objects, o)
	return Object{o}
}

// Line is one run of text. X and Y are the origin of its first character on the baseline, in the object's box.
type Line struct {
	X, Y float64
	Text string
}

// Text is a text object, 文字对象 (clause 11): one or more lines in one font, size and colour.
type Text struct {
	Box   Box // on the page; what lies outside is clipped by readers
	Font  FontRef
	Size  float64 // mm
	Color Color
	Lines []Line
}

// Text draws text. Every character must be in the font (Font.Missing tells beforehand).
func (l *Layer) Text(t Text) Object {
	b := l.page.b
	if t.Font.use == nil || t.Size <= 0 || t.Size > 1000 || math.IsNaN(t.Size) {
		b.mistake("ofd_text", "text needs a font and a size")
		return Object{&object{page: l.page, text: &t}}
	}
	t.Lines = append([]Line(nil), t.Lines...)
	for i := range t.Lines {
		// Control characters have no glyph; a layout has already turned line breaks into lines.
		t.Lines[i].Text = strings.NewReplacer("\t", " ", "\n", " ", "\r", "").Replace(t.Lines[i].Text)
		b.text(t.Lines[i].Text)
		for _, r := range t.Lines[i].Text {
			if t.Font.use.font.glyph(r) == 0 {
				b.mistake("glyph_missing", "the font lacks a character of the text")
			}
			t.Font.use.runes[r] = true
		}
	}
	return l.add(&object{text: &t}, t.Box)
}

// Block draws a laid-out block of text with its top left corner at x, y of the page.
func (l *Layer) Block(x, y float64, f FontRef, c Color, block Block) Object {
	return l.Text(Text{
		Box: Box{x, y, math.Max(block.W, 0.1), math.Max(block.H, 0.1)}, Font: f, Size: block.Size, Color: c, Lines: block.Lines,
	})
}

// Path is a path object, 图形对象 (clause 9). Nil colours are not drawn.
type Path struct {
	Box       Box
	Outline   *Outline // in the box's space
	LineWidth float64  // mm, 0 for the standard's 0.353
	Stroke    *Color
	Fill      *Color
	EvenOdd   bool
	Dash      []float64
}

// Path draws lines and areas. A filled area under a seal hides the seal in readers that order by ID: leave the place of
// a stamp unfilled.
func (l *Layer) Path(p Path) Object {
	if p.Outline == nil || len(p.Outline.buf) == 0 || p.Stroke == nil && p.Fill == nil {
		l.page.b.mistake("ofd_path", "a path needs an outline and a colour")
		p.Outline = &Outline{}
	}
	return l.add(&object{path: &p}, p.Box)
}

// Picture is an image object, 图像对象 (clause 10), that fills its box.
type Picture struct {
	Box   Box
	Image ImageRef
}

// Picture draws an image.
func (l *Layer) Picture(p Picture) Object {
	if p.Image.index < 0 || p.Image.index >= len(l.page.b.images) {
		l.page.b.mistake("ofd_image", "no such image")
	}
	return l.add(&object{image: &p}, p.Box)
}

// Outline collects AbbreviatedData, 图形轮廓数据 (table 36): absolute coordinates in the object's space.
type Outline struct{ buf []byte }

func (o *Outline) op(name byte, v ...float64) *Outline {
	if len(o.buf) > 0 {
		o.buf = append(o.buf, ' ')
	}
	o.buf = append(o.buf, name)
	for _, x := range v {
		o.buf = appendNum(append(o.buf, ' '), x)
	}
	return o
}

// Move begins a sub-path.
func (o *Outline) Move(x, y float64) *Outline { return o.op('M', x, y) }

// Line draws a straight line.
func (o *Outline) Line(x, y float64) *Outline { return o.op('L', x, y) }

// Quad draws a quadratic Bézier curve.
func (o *Outline) Quad(x1, y1, x, y float64) *Outline { return o.op('Q', x1, y1, x, y) }

// Cubic draws a cubic Bézier curve.
func (o *Outline) Cubic(x1, y1, x2, y2, x, y float64) *Outline {
	return o.op('B', x1, y1, x2, y2, x, y)
}

// Close closes the sub-path.
func (o *Outline) Close() *Outline { return o.op('C') }

// Rect adds a rectangle.
func (o *Outline) Rect(b Box) *Outline {
	return o.Move(b.X, b.Y).Line(b.X+b.W, b.Y).Line(b.X+b.W, b.Y+b.H).Line(b.X, b.Y+b.H).Close()
}

// Circle adds a circle as four curves.
func (o *Outline) Circle(x, y, r float64) *Outline {
	const k = 0.5522847498 // the control distance at which a cubic is nearest to a quarter circle
	return o.Move(x+r, y).
		Cubic(x+r, y+k*r, x+k*r, y+r, x, y+r).Cubic(x-k*r, y+r, x-r, y+k*r, x-r, y).
		Cubic(x-r, y-k*r, x-k*r, y-r, x, y-r).Cubic(x+k*r, y-r, x+r, y-k*r, x+r, y).Close()
}
