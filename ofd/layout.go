package ofd

import (
	"math"
	"strings"
	"unicode"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Align is where lines stand in their block.
type Align uint8

// The alignments.
const (
	Left Align = iota
	Center
	Right
)

// Fitting says how text is laid into a place.
type Fitting struct {
	Size     float64 // mm, wanted
	MinSize  float64 // mm, allowed when the text is long; 0 for three fifths of Size
	Leading  float64 // distance of baselines as a multiple of the size; 0 for 1.35
	Align    Align
	Vertical Align // Left is the top, Center the middle, Right the bottom
	MaxLines int   // 0 for as many as there is room for
}

// Block is text laid out: lines in a box of W by H.
type Block struct {
	W, H  float64
	Size  float64
	Lines []Line
	Width float64 // of the longest line
}

// Fit lays text into a place of w by h mm: it breaks lines as Chinese typesetting does and shrinks the type, in small
// steps down to Fitting.MinSize, until all of it has room. Read one after another, the lines are the text.
func (f *Font) Fit(text string, w, h float64, fit Fitting) (Block, error) {
	if fit.MinSize <= 0 || fit.MinSize > fit.Size {
		fit.MinSize = fit.Size * 0.6
	}
	if fit.Leading <= 0 {
		fit.Leading = 1.35
	}
	if !(w > 0 && h > 0 && fit.Size > 0) || len(text) > 64<<10 {
		return Block{}, fault.New(fault.Invalid, "text_place", "the place for the text is not possible")
	}
	const step = 0.96
	for size := fit.Size; ; size *= step {
		last := size <= fit.MinSize
		if last {
			size = fit.MinSize
		}
		size = math.Round(size*1e4) / 1e4
		lines, ok := f.wrap(text, w, size)
		height := size * (1 + fit.Leading*float64(len(lines)-1))
		if ok && height <= h+1e-6 && (fit.MaxLines == 0 || len(lines) <= fit.MaxLines) {
			return f.place(lines, w, h, size, fit), nil
		}
		if last {
			return Block{}, fault.New(fault.Invalid, "text_overflow", "the text is too long for its place on the license").
				WithHint("shorten the text, or give it more room in the layout")
		}
	}
}

// place gives the lines their origins.
func (f *Font) place(lines []string, w, h, size float64, fit Fitting) Block {
	b := Block{W: w, H: h, Size: size}
	height := size * (1 + fit.Leading*float64(len(lines)-1))
	top := 0.0
	switch fit.Vertical {
	case Center:
		top = (h - height) / 2
	case Right:
		top = h - height
	case Left:
	}
	// The first baseline: ascent and descent share the em square.
	base := top + size*float64(f.ascent)/float64(f.ascent+f.descent)
	for i, s := range lines {
		width := f.Measure(strings.TrimRight(s, " "), size)
		x := 0.0
		switch fit.Align {
		case Center:
			x = (w - width) / 2
		case Right:
			x = w - width
		case Left:
		}
		b.Width = math.Max(b.Width, width)
		b.Lines = append(b.Lines, Line{X: x, Y: base + float64(i)*size*fit.Leading, Text: s})
	}
	return b
}

// wrap breaks text into lines of at most w. It is false when even one character does not fit.
func (f *Font) wrap(text string, w, size float64) ([]string, bool) {
	var lines []string
	paragraphs := strings.Split(strings.ReplaceAll(strings.TrimRight(text, "\r\n"), "\r\n", "\n"), "\n")
	for i, p := range paragraphs {
		rs := []rune(strings.ReplaceAll(p, "\t", " "))
		for {
			n, ok := f.lineEnd(rs, w, size)
			if !ok {
				return nil, false
			}
			line := string(rs[:n])
			rs = rs[n:]
			if len(rs) == 0 && i+1 < len(paragraphs) {
				line += " " // keeps words apart when the lines are read as one text
			}
			lines = append(lines, line)
			if len(rs) == 0 {
				break
			}
		}
	}
	return lines, true
}

// lineEnd says how many characters of rs go on one line: as many as fit, less what must not be torn apart.
func (f *Font) lineEnd(rs []rune, w, size float64) (int, bool) {
	width, n := 0.0, 0
	for n < len(rs) {
		width += f.advance(rs[n], size)
		if width > w+1e-6 && rs[n] != ' ' {
			break
		}
		n++
	}
	if n == len(rs) {
		return n, true
	}
	if n == 0 {
		return 0, false
	}
	for k := n; k > 0; k-- {
		if breakable(rs[k-1], rs[k]) {
			return k, true
		}
	}
	return n, true // one long word: tear it
}

const (
	neverFirst = "，。、；：？！）》」』】〉〕”’…—·％％,.;:?!)]}%°℃々ー"
	neverLast  = "（《「『【〈〔“‘([{￥¥$№#"
)

// breakable says whether a line may end between two characters (避头尾).
func breakable(before, after rune) bool {
	if strings.ContainsRune(neverFirst, after) || strings.ContainsRune(neverLast, before) || after == ' ' {
		return false
	}
	if before == ' ' {
		return true
	}
	return !(word(before) && word(after))
}

// word says that a character belongs to its neighbours: Latin letters, digits and what joins them.
func word(r rune) bool {
	return r < 0x2e80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_/.,@&'+", r))
}
