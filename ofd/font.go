package ofd

import (
	"encoding/binary"
	"sort"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Font is a TrueType font with outlines in glyf. Parse it once; it is read only afterwards and any number of goroutines
// may measure and subset with it.
type Font struct {
	tables  map[string][]byte
	upem    int
	glyphs  int
	long    bool // offsets in loca are 32 bits wide
	metrics int  // entries of hmtx that have an advance of their own
	ascent  int
	descent int // positive, below the baseline
	format  int
	cmap    []byte // the subtable in use
}

func fontError(why string) error {
	return fault.New(fault.Invalid, "font_unreadable", "the font cannot be read: "+why)
}

const maxFont = 128 << 20

// ParseFont reads a TrueType font. The bytes must not change while the Font lives.
func ParseFont(ttf []byte) (*Font, error) {
	if len(ttf) < 12 || len(ttf) > maxFont {
		return nil, fontError("its size is not possible")
	}
	if v := be32(ttf); v != 0x00010000 && v != 0x74727565 {
		return nil, fontError("it has no TrueType outlines")
	}
	count := be16(ttf[4:])
	if count > 64 || len(ttf) < 12+16*count {
		return nil, fontError("its directory is damaged")
	}
	f := &Font{tables: make(map[string][]byte, count)}
	for i := range count {
		e := ttf[12+16*i:]
		off, n := int(be32(e[8:])), int(be32(e[12:]))
		if off > len(ttf) || n > len(ttf)-off {
			return nil, fontError("a table lies outside the file")
		}
		f.tables[string(e[:4])] = ttf[off : off+n : off+n]
	}
	for _, t := range []struct {
		name string
		size int
	}{{"head", 54}, {"hhea", 36}, {"maxp", 6}, {"hmtx", 4}, {"loca", 4}, {"glyf", 1}, {"cmap", 4}} {
		if len(f.tables[t.name]) < t.size {
			return nil, fontError("the table " + t.name + " is missing or short")
		}
	}
	head, hhea := f.tables["head"], f.tables["hhea"]
	f.upem, f.long = be16(head[18:]), be16(head[50:]) == 1
	f.ascent, f.descent = int(int16(be16(hhea[4:]))), -int(int16(be16(hhea[6:])))
	f.glyphs, f.metrics = be16(f.tables["maxp"][4:]), be16(hhea[34:])
	width := 2
	if f.long {
		width = 4
	}
	switch {
	case f.upem < 16 || f.upem > 16384:
		return nil, fontError("its unit is not possible")
	case f.glyphs == 0 || len(f.tables["loca"]) < width*(f.glyphs+1):
		return nil, fontError("the table loca is short")
	case f.metrics == 0 || f.metrics > f.glyphs || len(f.tables["hmtx"]) < 4*f.metrics+2*(f.glyphs-f.metrics):
		return nil, fontError("the table hmtx is short")
	}
	if f.ascent <= 0 || f.descent < 0 || f.ascent+f.descent > 4*f.upem {
		f.ascent, f.descent = f.upem*88/100, f.upem*12/100
	}
	if err := f.chooseCmap(); err != nil {
		return nil, err
	}
	return f, nil
}

// chooseCmap takes the widest Unicode table: format 12, else format 4.
func (f *Font) chooseCmap() error {
	c := f.tables["cmap"]
	n := be16(c[2:])
	if len(c) < 4+8*n {
		return fontError("the table cmap is short")
	}
	for i := range n {
		e := c[4+8*i:]
		platform, encoding, off := be16(e), be16(e[2:]), int(be32(e[4:]))
		if off > len(c)-8 || !(platform == 0 || platform == 3 && (encoding == 1 || encoding == 10)) {
			continue
		}
		t := c[off:]
		switch format := be16(t); {
		case format == 12 && len(t) >= 16 && f.format != 12:
			groups := int(be32(t[12:]))
			if groups <= (len(t)-16)/12 {
				f.format, f.cmap = 12, t[16:16+12*groups]
			}
		case format == 4 && f.format == 0 && len(t) >= 16:
			if size := be16(t[2:]); size <= len(t) && 16+8*(be16(t[6:])/2) <= size {
				f.format, f.cmap = 4, t[:size]
			}
		}
	}
	if f.format == 0 {
		return fontError("it maps no Unicode characters")
	}
	return nil
}

// glyph is the glyph of a character, 0 when the font has none.
func (f *Font) glyph(r rune) int {
	g := 0
	switch f.format {
	case 12:
		n := len(f.cmap) / 12
		i := sort.Search(n, func(i int) bool { return be32(f.cmap[12*i+4:]) >= uint32(r) })
		if i < n {
			if e := f.cmap[12*i:]; be32(e) <= uint32(r) {
				if v := uint64(be32(e[8:])) + uint64(uint32(r)-be32(e)); v < uint64(f.glyphs) {
					g = int(v)
				}
			}
		}
	case 4:
		g = f.glyph4(r)
	}
	if g >= f.glyphs {
		return 0
	}
	return g
}

func (f *Font) glyph4(r rune) int {
	if r > 0xffff || r < 0 {
		return 0
	}
	t, c := f.cmap, int(r)
	n := be16(t[6:]) / 2
	ends, starts := t[14:], t[16+2*n:]
	deltas, ranges := t[16+4*n:], t[16+6*n:]
	i := sort.Search(n, func(i int) bool { return be16(ends[2*i:]) >= c })
	if i == n || be16(starts[2*i:]) > c {
		return 0
	}
	delta, off := be16(deltas[2*i:]), be16(ranges[2*i:])
	if off == 0 {
		return (c + delta) & 0xffff
	}
	at := 2*i + off + 2*(c-be16(starts[2*i:]))
	if at+2 > len(ranges) {
		return 0
	}
	if g := be16(ranges[at:]); g != 0 {
		return (g + delta) & 0xffff
	}
	return 0
}

// Missing are the characters of the text that the font lacks, each once.
func (f *Font) Missing(text string) []rune {
	var out []rune
	for _, r := range text {
		if r != '\n' && r != '\r' && r != '\t' && f.glyph(r) == 0 && !strings.ContainsRune(string(out), r) {
			out = append(out, r)
		}
	}
	return out
}

// units is a glyph's advance in font units.
func (f *Font) units(g int) int {
	return be16(f.tables["hmtx"][4*min(g, f.metrics-1):])
}

// advance is the width of a character at a size, in mm.
func (f *Font) advance(r rune, size float64) float64 {
	return float64(f.units(f.glyph(r))) * size / float64(f.upem)
}

// Measure is the width in mm of the text on one line at a size in mm.
func (f *Font) Measure(text string, size float64) float64 {
	w := 0.0
	for _, r := range text {
		w += f.advance(r, size)
	}
	return w
}

// deltas are the n−1 advances between the n characters of a line, as DeltaX writes them.
func (f *Font) deltas(text string, size float64) string {
	var b strings.Builder
	last := rune(-1)
	for _, r := range text {
		if last >= 0 {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(num(f.advance(last, size)))
		}
		last = r
	}
	return b.String()
}

func (u *fontUse) used() []rune {
	out := make([]rune, 0, len(u.runes))
	for r := range u.runes {
		out = append(out, r)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

func be16(b []byte) int    { return int(binary.BigEndian.Uint16(b)) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
