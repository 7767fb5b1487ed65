package seal

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"unicode/utf8"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// The measures of a round official seal (圆形公章), in millimetres.
const (
	PictureSize = 42 // width and height, and the diameter over the ring

	pixelsPerMM = 15
	centre      = PictureSize / 2.0
	ringOuter   = 20.85
	ringWidth   = 1.2
	starRadius  = 6.9
	nameTop     = 18.7 // the outer edge of the name
	nameHeight  = 6.6  // of a character's box, for names that fit
	serialBase  = 18.6 // the foot of the serial's digits
	serialSize  = 2.3

	maxNameRunes   = 40
	maxSerialRunes = 24
)

// DrawPicture draws a round official seal: a red ring, the five-pointed star, the name along the upper arc, the serial
// curved at the foot. It is a PNG of 630 by 630 pixels for 42 by 42 mm, transparent around the ink, equal for equal
// input. font is a TrueType or OpenType file, or a collection, that holds every character. Long names are squeezed.
func DrawPicture(name, serial string, font []byte) (Picture, error) {
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > maxNameRunes || !utf8.ValidString(name):
		return Picture{}, fault.New(fault.Invalid, "picture_name", "the name on a seal has 1 to 40 characters")
	case utf8.RuneCountInString(serial) > maxSerialRunes:
		return Picture{}, fault.New(fault.Invalid, "picture_serial", "the serial on a seal has at most 24 characters")
	}
	face, err := openFace(font)
	if err != nil {
		return Picture{}, err
	}
	const size = PictureSize * pixelsPerMM
	p := &press{ink: image.NewAlpha(image.Rect(0, 0, size, size)), raster: vector.NewRasterizer(size, size)}
	p.ring()
	p.star()
	// The text is inked several times around its place, which thickens its strokes and keeps their edges smooth.
	const copies = 8
	for i := range copies {
		p.nudge.y, p.nudge.x = math.Sincos(float64(i) * 2 * math.Pi / copies)
		if err := p.name([]rune(name), face); err != nil {
			return Picture{}, err
		}
		if err := p.serial([]rune(serial), face); err != nil {
			return Picture{}, err
		}
		p.stamp()
	}
	data, err := p.png()
	if err != nil {
		return Picture{}, err
	}
	return Picture{Type: "PNG", Data: data, Width: PictureSize, Height: PictureSize}, nil
}

// press puts shapes onto a sheet of ink. Shapes are given in millimetres, y downwards.
type press struct {
	ink    *image.Alpha
	raster *vector.Rasterizer
	nudge  point // direction in which text is moved to thicken it
}

type point struct{ x, y float64 }

func (p *press) move(a point) { p.raster.MoveTo(float32(a.x*pixelsPerMM), float32(a.y*pixelsPerMM)) }
func (p *press) line(a point) { p.raster.LineTo(float32(a.x*pixelsPerMM), float32(a.y*pixelsPerMM)) }

func (p *press) quad(a, b point) {
	p.raster.QuadTo(float32(a.x*pixelsPerMM), float32(a.y*pixelsPerMM), float32(b.x*pixelsPerMM), float32(b.y*pixelsPerMM))
}

func (p *press) cube(a, b, c point) {
	p.raster.CubeTo(float32(a.x*pixelsPerMM), float32(a.y*pixelsPerMM), float32(b.x*pixelsPerMM), float32(b.y*pixelsPerMM),
		float32(c.x*pixelsPerMM), float32(c.y*pixelsPerMM))
}

// stamp inks the shape drawn since the last stamp.
func (p *press) stamp() {
	p.raster.ClosePath()
	p.raster.Draw(p.ink, p.ink.Bounds(), image.Opaque, image.Point{})
	p.raster.Reset(p.ink.Bounds().Dx(), p.ink.Bounds().Dy())
}

// ring is two circles; the inner one runs the other way round and cuts the hole.
func (p *press) ring() {
	p.circle(ringOuter, 1)
	p.circle(ringOuter-ringWidth, -1)
	p.stamp()
}

func (p *press) circle(r, sense float64) {
	const steps = 720
	for i := range steps {
		a := sense * float64(i) * 2 * math.Pi / steps
		at := point{centre + r*math.Cos(a), centre + r*math.Sin(a)}
		if i == 0 {
			p.move(at)
		} else {
			p.line(at)
		}
	}
	p.raster.ClosePath()
}

func (p *press) star() {
	inner := starRadius * math.Sin(math.Pi/10) / math.Sin(3*math.Pi/10) // the five sides lie on straight lines
	for i := range 10 {
		r := starRadius
		if i%2 == 1 {
			r = inner
		}
		a := float64(i) * math.Pi / 5
		at := point{centre + r*math.Sin(a), centre - r*math.Cos(a)}
		if i == 0 {
			p.move(at)
		} else {
			p.line(at)
		}
	}
	p.stamp()
}

// name runs clockwise over the top, feet towards the star. Characters are taller than wide, as engraved ones are; the more
// there are, the narrower and closer they stand, and beyond what narrowness bears, the lower.
func (p *press) name(text []rune, face *face) error {
	const (
		widestStep = 27.0 * math.Pi / 180
		longestArc = 248.0 * math.Pi / 180
	)
	n := float64(len(text))
	step := min(widestStep, longestArc/max(n-1, 1))
	height := nameHeight
	middle := nameTop - height/2
	width := min(0.74*height, 0.97*step*middle)
	if narrowest := 0.46 * height; width < narrowest {
		height *= max(0.62, width/narrowest)
	}
	foot := nameTop - height
	for i, r := range text {
		angle := (float64(i) - (n-1)/2) * step
		sin, cos := math.Sincos(angle)
		place := func(x, y float64) point {
			x, y = (x-0.5)*width, foot+y*height
			return point{centre + x*cos + y*sin, centre - y*cos + x*sin}
		}
		if err := p.glyph(face, r, place, boldName*max(0.3, width/(0.74*nameHeight))); err != nil {
			return err
		}
	}
	return nil
}

// serial runs counter-clockwise along the foot, read upright from left to right.
func (p *press) serial(text []rune, face *face) error {
	const widestStep = 5.4 * math.Pi / 180
	n := float64(len(text))
	step := min(widestStep, 78.0*math.Pi/180/max(n-1, 1))
	width := min(0.78*serialSize, 1.25*step*serialBase)
	for i, r := range text {
		angle := (float64(i) - (n-1)/2) * step
		sin, cos := math.Sincos(angle)
		place := func(x, y float64) point {
			x, y = (x-0.5)*width, serialBase-y*serialSize
			return point{centre + x*cos + y*sin, centre + y*cos - x*sin}
		}
		if err := p.glyph(face, r, place, boldSerial); err != nil {
			return err
		}
	}
	return nil
}

// How far strokes are thickened on each side, in millimetres: text fonts are too thin for a seal. Squeezed names get less.
const (
	boldName   = 0.11
	boldSerial = 0.035
)

// glyph draws one character, moved by bold millimetres.
func (p *press) glyph(face *face, r rune, place func(x, y float64) point, bold float64) error {
	segments, err := face.outline(r)
	if err != nil {
		return err
	}
	at := func(f fixed.Point26_6) point {
		x, y := face.unit(f)
		q := place(x, y)
		return point{q.x + bold*p.nudge.x, q.y + bold*p.nudge.y}
	}
	for _, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			p.raster.ClosePath()
			p.move(at(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			p.line(at(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			p.quad(at(s.Args[0]), at(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			p.cube(at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))
		}
	}
	return nil
}

// png writes one red in sixteen strengths, which keeps the seal and every signature that carries it small.
func (p *press) png() ([]byte, error) {
	const levels = 16
	palette := make(color.Palette, levels)
	for i := range palette {
		palette[i] = color.NRGBA{R: 0xd9, G: 0x14, B: 0x16, A: uint8(i * 255 / (levels - 1))}
	}
	out := image.NewPaletted(p.ink.Bounds(), palette)
	for i, a := range p.ink.Pix {
		out.Pix[i] = uint8((int(a)*(levels-1) + 127) / 255)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// face reads outlines from a font, scaled so that a character's box is the unit square, y upwards.
type face struct {
	font    *sfnt.Font
	buffer  sfnt.Buffer
	advance float64
}

const em = 1024 // pixels per em while outlines are read

func openFace(data []byte) (*face, error) {
	bad := func(err error) error {
		return fault.Wrap(err, fault.Invalid, "picture_font", "the font cannot be read")
	}
	var font *sfnt.Font
	if bytes.HasPrefix(data, []byte("ttcf")) {
		all, err := sfnt.ParseCollection(data)
		if err != nil {
			return nil, bad(err)
		}
		if font, err = all.Font(0); err != nil {
			return nil, bad(err)
		}
	} else {
		var err error
		if font, err = sfnt.Parse(data); err != nil {
			return nil, bad(err)
		}
	}
	return &face{font: font}, nil
}

func (f *face) outline(r rune) (sfnt.Segments, error) {
	index, err := f.font.GlyphIndex(&f.buffer, r)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "picture_font", "the font cannot be read")
	}
	if index == 0 {
		return nil, fault.New(fault.Invalid, "picture_glyph", "the font lacks a character of the seal's name").
			WithHint("install a font with all Chinese characters")
	}
	advance, err := f.font.GlyphAdvance(&f.buffer, index, fixed.I(em), 0)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "picture_font", "the font cannot be read")
	}
	f.advance = max(1, float64(advance)/64)
	segments, err := f.font.LoadGlyph(&f.buffer, index, fixed.I(em), nil)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "picture_font", "the font cannot be read")
	}
	return segments, nil
}

// unit maps a point of the outline last read (y downwards, baseline at 0) into the box: ideographs stand 0.12 em below
// the baseline and 0.88 em above it.
func (f *face) unit(p fixed.Point26_6) (x, y float64) {
	return float64(p.X) / 64 / f.advance, 0.12 - float64(p.Y)/64/em
}
