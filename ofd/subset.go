package ofd

import (
	"encoding/binary"
	"sort"
	"unicode/utf16"
)

// Subset is a font that holds only some characters of another, complete in itself: it keeps a character map, so that
// readers that draw by character and readers that draw by glyph both find what they need.
type Subset struct {
	Data   []byte // TrueType
	Glyphs int
}

// SubsetFont parses a font and subsets it once. For more than one subset parse it with ParseFont and keep it.
func SubsetFont(ttf []byte, runes []rune) (Subset, error) {
	f, err := ParseFont(ttf)
	if err != nil {
		return Subset{}, err
	}
	return f.Subset(runes)
}

const (
	maxComponents = 64 // of one composite glyph
	maxNesting    = 8  // of composites in composites
)

// Subset makes the font that holds the given characters; those that the font lacks are left out. The same characters in
// any order give the same bytes.
func (f *Font) Subset(runes []rune) (Subset, error) {
	byRune := make(map[rune]int, len(runes))
	keep := map[int]bool{0: true}
	for _, r := range runes {
		if g := f.glyph(r); g != 0 {
			byRune[r] = g
			keep[g] = true
		}
	}
	if err := f.closure(keep); err != nil {
		return Subset{}, err
	}
	order := make([]int, 0, len(keep))
	for g := range keep {
		order = append(order, g)
	}
	sort.Ints(order)
	if len(order) > 0xfffe {
		return Subset{}, fontError("too many glyphs")
	}
	renumber := make(map[int]int, len(order))
	for i, g := range order {
		renumber[g] = i
	}
	var glyf, hmtx []byte
	loca := make([]byte, 0, 4*len(order)+4)
	for _, g := range order {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		outline, err := f.outline(g)
		if err != nil {
			return Subset{}, err
		}
		start := len(glyf)
		glyf = append(glyf, outline...)
		if err := eachComponent(glyf[start:], func(at []byte) {
			binary.BigEndian.PutUint16(at, uint16(renumber[be16(at)]))
		}); err != nil {
			return Subset{}, err
		}
		for len(glyf)%4 != 0 {
			glyf = append(glyf, 0)
		}
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.units(g)))
		hmtx = binary.BigEndian.AppendUint16(hmtx, uint16(f.bearing(g)))
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	if len(glyf) == 0 {
		glyf = []byte{0} // a table of no bytes is refused by strict loaders
	}
	pairs := make([]charGlyph, 0, len(byRune))
	for r, g := range byRune {
		pairs = append(pairs, charGlyph{r, renumber[g]})
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i].r < pairs[j].r })

	head := append([]byte(nil), f.tables["head"][:54]...)
	binary.BigEndian.PutUint32(head[8:], 0)
	binary.BigEndian.PutUint16(head[50:], 1)
	hhea := append([]byte(nil), f.tables["hhea"][:36]...)
	binary.BigEndian.PutUint16(hhea[34:], uint16(len(order)))
	maxp := append([]byte(nil), f.tables["maxp"]...)
	binary.BigEndian.PutUint16(maxp[4:], uint16(len(order)))
	tables := map[string][]byte{
		"head": head, "hhea": hhea, "maxp": maxp, "hmtx": hmtx, "loca": loca, "glyf": glyf,
		"cmap": cmapTable(pairs), "post": postTable(f.tables["post"]), "name": f.nameTable(), "OS/2": f.os2Table(pairs),
	}
	for _, name := range []string{"cvt ", "fpgm", "prep", "gasp"} { // hinting programs that the glyphs call
		if t := f.tables[name]; len(t) > 0 {
			tables[name] = t
		}
	}
	return Subset{Data: assembleFont(tables), Glyphs: len(order)}, nil
}

// closure adds the parts of composite glyphs.
func (f *Font) closure(keep map[int]bool) error {
	todo := make([]int, 0, len(keep))
	for g := range keep {
		todo = append(todo, g)
	}
	for level := 0; len(todo) > 0; level++ {
		if level > maxNesting {
			return fontError("composite glyphs are nested too deep")
		}
		var next []int
		for _, g := range todo {
			outline, err := f.outline(g)
			if err != nil {
				return err
			}
			if err := eachComponent(outline, func(at []byte) {
				if part := be16(at); !keep[part] {
					keep[part] = true
					next = append(next, part)
				}
			}); err != nil {
				return err
			}
		}
		todo = next
	}
	return nil
}

// outline is the glyph's entry in glyf, empty for a blank.
func (f *Font) outline(g int) ([]byte, error) {
	if g < 0 || g >= f.glyphs {
		return nil, fontError("a glyph is missing")
	}
	loca, glyf := f.tables["loca"], f.tables["glyf"]
	var a, b int
	if f.long {
		a, b = int(be32(loca[4*g:])), int(be32(loca[4*g+4:]))
	} else {
		a, b = 2*be16(loca[2*g:]), 2*be16(loca[2*g+2:])
	}
	if a > b || b > len(glyf) || b-a > 0 && b-a < 10 {
		return nil, fontError("a glyph lies outside its table")
	}
	return glyf[a:b], nil
}

// eachComponent visits the place of each component's glyph number in a composite glyph.
func eachComponent(outline []byte, visit func(at []byte)) error {
	if len(outline) < 10 || int16(be16(outline)) >= 0 {
		return nil
	}
	const (
		words, scale, more, twoScales, matrix = 1, 8, 0x20, 0x40, 0x80
	)
	p := 10
	for range maxComponents {
		if len(outline) < p+4 {
			return fontError("a composite glyph is damaged")
		}
		flags := be16(outline[p:])
		visit(outline[p+2 : p+4])
		p += 6
		if flags&words != 0 {
			p += 2
		}
		switch {
		case flags&scale != 0:
			p += 2
		case flags&twoScales != 0:
			p += 4
		case flags&matrix != 0:
			p += 8
		}
		if flags&more == 0 {
			if p > len(outline) {
				return fontError("a composite glyph is damaged")
			}
			return nil
		}
	}
	return fontError("a composite glyph has too many parts")
}

func (f *Font) bearing(g int) int {
	t := f.tables["hmtx"]
	if g < f.metrics {
		return be16(t[4*g+2:])
	}
	return be16(t[4*f.metrics+2*(g-f.metrics):])
}

type charGlyph struct {
	r rune
	g int
}

// cmapTable writes format 4 for the basic plane and, where there is more, format 12 for all.
func cmapTable(pairs []charGlyph) []byte {
	basic := 0
	for basic < len(pairs) && pairs[basic].r < 0xffff {
		basic++
	}
	four := cmap4(pairs[:basic])
	wide := basic < len(pairs)
	n := 1
	if wide {
		n = 2
	}
	out := u16(nil, 0, n, 3, 1)
	out = binary.BigEndian.AppendUint32(out, uint32(4+8*n))
	if wide {
		out = u16(out, 3, 10)
		out = binary.BigEndian.AppendUint32(out, uint32(4+8*n+len(four)))
	}
	out = append(out, four...)
	if wide {
		out = append(out, cmap12(pairs)...)
	}
	return out
}

// cmap4 writes one segment for each run of characters whose glyphs run along.
func cmap4(pairs []charGlyph) []byte {
	type segment struct{ first, last, delta int }
	var segs []segment
	for _, p := range pairs {
		delta := (p.g - int(p.r)) & 0xffff
		if n := len(segs) - 1; n >= 0 && segs[n].last+1 == int(p.r) && segs[n].delta == delta {
			segs[n].last++
			continue
		}
		segs = append(segs, segment{int(p.r), int(p.r), delta})
	}
	segs = append(segs, segment{0xffff, 0xffff, 1})
	n, power, log := len(segs), 1, 0
	for power*2 <= n {
		power, log = power*2, log+1
	}
	out := u16(nil, 4, 16+8*n, 0, 2*n, 2*power, log, 2*(n-power))
	for _, s := range segs {
		out = u16(out, s.last)
	}
	out = u16(out, 0)
	for _, s := range segs {
		out = u16(out, s.first)
	}
	for _, s := range segs {
		out = u16(out, s.delta)
	}
	return append(out, make([]byte, 2*n)...)
}

func cmap12(pairs []charGlyph) []byte {
	out := u16(nil, 12, 0)
	for _, v := range []int{16 + 12*len(pairs), 0, len(pairs)} {
		out = binary.BigEndian.AppendUint32(out, uint32(v))
	}
	for _, p := range pairs {
		out = binary.BigEndian.AppendUint32(out, uint32(p.r))
		out = binary.BigEndian.AppendUint32(out, uint32(p.r))
		out = binary.BigEndian.AppendUint32(out, uint32(p.g))
	}
	return out
}

// postTable keeps the header and drops the glyph names (version 3).
func postTable(old []byte) []byte {
	out := make([]byte, 32)
	copy(out, old)
	binary.BigEndian.PutUint32(out, 0x00030000)
	return out
}

// os2Table keeps the old table with the new range of characters; without one it writes a plain one.
func (f *Font) os2Table(pairs []charGlyph) []byte {
	out := append([]byte(nil), f.tables["OS/2"]...)
	if len(out) < 78 {
		out = make([]byte, 78)
		binary.BigEndian.PutUint16(out[4:], 400)
		binary.BigEndian.PutUint16(out[6:], 5)
		for _, at := range []int{68, 74} {
			binary.BigEndian.PutUint16(out[at:], uint16(f.ascent))
		}
		binary.BigEndian.PutUint16(out[70:], uint16(-f.descent))
		binary.BigEndian.PutUint16(out[76:], uint16(f.descent))
	}
	first, last := 0xffff, 0
	for _, p := range pairs {
		first, last = min(first, int(p.r)), max(last, min(int(p.r), 0xffff))
	}
	binary.BigEndian.PutUint16(out[64:], uint16(first))
	binary.BigEndian.PutUint16(out[66:], uint16(last))
	return out
}

// nameTable names the subset and carries the copyright and license of the font it was taken from.
func (f *Font) nameTable() []byte {
	const windows, unicodeBMP, english = 3, 1, 0x409
	kept := map[int][]byte{}
	if t := f.tables["name"]; len(t) >= 6 {
		count, strings := be16(t[2:]), be16(t[4:])
		for i := range count {
			if len(t) < 6+12*(i+1) {
				break
			}
			e := t[6+12*i:]
			id, n, off := be16(e[6:]), be16(e[8:]), strings+be16(e[10:])
			if be16(e) == windows && be16(e[2:]) == unicodeBMP && be16(e[4:]) == english && off+n <= len(t) && n <= 1024 {
				switch id {
				case 0, 13, 14: // copyright, license, where the license stands
					kept[id] = t[off : off+n]
				}
			}
		}
	}
	for id, s := range map[int]string{1: "Yinxin Subset", 2: "Regular", 3: "Yinxin Subset", 4: "Yinxin Subset", 6: "YinxinSubset"} {
		kept[id] = nil
		for _, u := range utf16.Encode([]rune(s)) {
			kept[id] = u16(kept[id], int(u))
		}
	}
	ids := make([]int, 0, len(kept))
	for id := range kept {
		ids = append(ids, id)
	}
	sort.Ints(ids)
	out := u16(nil, 0, len(ids), 6+12*len(ids))
	var text []byte
	for _, id := range ids {
		out = u16(out, windows, unicodeBMP, english, id, len(kept[id]), len(text))
		text = append(text, kept[id]...)
	}
	return append(out, text...)
}

// assembleFont writes the tables in order of name, padded, with their check sums.
func assembleFont(tables map[string][]byte) []byte {
	names := make([]string, 0, len(tables))
	for n := range tables {
		names = append(names, n)
	}
	sort.Strings(names)
	power, log := 1, 0
	for power*2 <= len(names) {
		power, log = power*2, log+1
	}
	out := binary.BigEndian.AppendUint32(nil, 0x00010000)
	out = u16(out, len(names), 16*power, log, 16*(len(names)-power))
	at := 12 + 16*len(names)
	headAt := 0
	var body []byte
	for _, n := range names {
		t := tables[n]
		if n == "head" {
			headAt = at + len(body)
		}
		out = append(out, n...)
		out = binary.BigEndian.AppendUint32(out, checkSum(t))
		out = binary.BigEndian.AppendUint32(out, uint32(at+len(body)))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t)))
		body = append(body, t...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	out = append(out, body...)
	binary.BigEndian.PutUint32(out[headAt+8:], 0xb1b0afba-checkSum(out))
	return out
}

func checkSum(t []byte) uint32 {
	var sum uint32
	for len(t) >= 4 {
		sum += be32(t)
		t = t[4:]
	}
	var last [4]byte
	copy(last[:], t)
	return sum + be32(last[:])
}

func u16(b []byte, v ...int) []byte {
	for _, x := range v {
		b = binary.BigEndian.AppendUint16(b, uint16(x))
	}
	return b
}
