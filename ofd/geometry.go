package ofd

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// Box is a rectangle in millimetres, ST_Box (GB/T 33190-2016 table 2): origin top left, y downwards.
type Box struct{ X, Y, W, H float64 }

// ParseBox reads an ST_Box. It is false for anything that is no box of positive, finite size.
func ParseBox(s string) (Box, bool) {
	f := strings.Fields(strings.ReplaceAll(s, ",", " "))
	if len(f) != 4 {
		return Box{}, false
	}
	var v [4]float64
	for i := range f {
		x, err := strconv.ParseFloat(f[i], 64)
		if err != nil || math.IsNaN(x) || math.Abs(x) > 1e6 {
			return Box{}, false
		}
		v[i] = x
	}
	b := Box{v[0], v[1], v[2], v[3]}
	return b, b.W > 0 && b.H > 0
}

// String writes an ST_Box.
func (b Box) String() string {
	return num(b.X) + " " + num(b.Y) + " " + num(b.W) + " " + num(b.H)
}

// inside says whether b lies in o, give or take a hundredth of a millimetre.
func (b Box) inside(o Box) bool {
	const e = 0.01
	return b.X >= o.X-e && b.Y >= o.Y-e && b.X+b.W <= o.X+o.W+e && b.Y+b.H <= o.Y+o.H+e
}

// valid says whether the box can be written: finite and of positive size.
func (b Box) valid() bool {
	for _, v := range []float64{b.X, b.Y, b.W, b.H} {
		if math.IsNaN(v) || math.Abs(v) > 1e5 {
			return false
		}
	}
	return b.W > 0 && b.H > 0
}

// num writes a length with at most four decimals (a tenth of a micrometre), never with an exponent.
func num(v float64) string {
	return string(appendNum(make([]byte, 0, 24), v))
}

// appendNum is num at the end of b. A license is ten thousand numbers; as integers they cost a fifth.
func appendNum(b []byte, v float64) []byte {
	const unit = 1e4
	scaled := math.Round(v * unit)
	if !(math.Abs(scaled) < 1<<53) {
		return strconv.AppendFloat(b, v, 'f', -1, 64) // no length on a page; it stands as it is
	}
	n := int64(scaled)
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/unit, 10)
	if n %= unit; n == 0 {
		return b
	}
	b = append(b, '.', byte('0'+n/1000), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
	return bytes.TrimRight(b, "0")
}

// Color is red, green, blue, 0 to 255.
type Color struct{ R, G, B uint8 }

// String is the color as CT_Color/@Value writes it.
func (c Color) String() string {
	return strconv.Itoa(int(c.R)) + " " + strconv.Itoa(int(c.G)) + " " + strconv.Itoa(int(c.B))
}
