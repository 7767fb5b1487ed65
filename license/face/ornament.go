package face

import (
	"math"

	"github.com/yinxin-trust/yinxin/ofd"
)

// fine rounds a length to a hundredth of a millimetre: finer than any press, and a third less to write, seal and read.
func fine(v float64) float64 { return math.Round(v*100) / 100 }

// frame draws the border of a certificate: two bands with a fret (回纹) between them and a rosette in each corner.
func (c *canvas) frame(inset, band float64) {
	p := c.lay.palette
	w, h := c.lay.w, c.lay.h
	rect := func(d, width float64, color ofd.Color) {
		box := ofd.Box{X: d, Y: d, W: w - 2*d, H: h - 2*d}
		c.stroke(ofd.Path{Box: box, Outline: new(ofd.Outline).Rect(ofd.Box{W: box.W, H: box.H}), LineWidth: width, Stroke: &color})
	}
	rect(inset, 1.1, p.frame)
	rect(inset+1.2, 0.25, p.accent)
	rect(inset+band, 0.25, p.accent)
	rect(inset+band+1, 0.7, p.frame)

	// The fret runs inside the band, a whole number of units on each side, and leaves the corners to the rosettes.
	unit := band - 3.2
	corner := band + 3
	fret := new(ofd.Outline)
	run := func(length float64, at func(s, t float64) (x, y float64)) {
		n := math.Floor(length / (unit * 1.25))
		step := length / n
		for i := range int(n) {
			s := float64(i) * step
			for j, q := range [][2]float64{{0, 1}, {0, 0}, {0.8, 0}, {0.8, 0.75}, {0.3, 0.75}, {0.3, 0.4}, {0.55, 0.4}} {
				x, y := at(s+step*0.1+q[0]*step, q[1]*unit)
				if j == 0 {
					fret.Move(fine(x), fine(y))
				} else {
					fret.Line(fine(x), fine(y))
				}
			}
		}
	}
	in := inset + 2.1
	run(w-2*(inset+corner), func(s, t float64) (float64, float64) { return inset + corner + s, in + t })
	run(w-2*(inset+corner), func(s, t float64) (float64, float64) { return w - inset - corner - s, h - in - t })
	run(h-2*(inset+corner), func(s, t float64) (float64, float64) { return w - in - t, inset + corner + s })
	run(h-2*(inset+corner), func(s, t float64) (float64, float64) { return in + t, h - inset - corner - s })
	c.stroke(ofd.Path{Box: ofd.Box{W: w, H: h}, Outline: fret, LineWidth: 0.38, Stroke: &p.accent})

	r := band/2 + 1.6
	for _, at := range [][2]float64{{inset + band/2, inset + band/2}, {w - inset - band/2, inset + band/2}, {inset + band/2, h - inset - band/2}, {w - inset - band/2, h - inset - band/2}} {
		c.rosette(at[0], at[1], r)
	}
}

// rosette draws a flower of eight petals in a disc.
func (c *canvas) rosette(x, y, r float64) {
	p := c.lay.palette
	box := ofd.Box{X: x - r, Y: y - r, W: 2 * r, H: 2 * r}
	white := ofd.Color{R: 255, G: 255, B: 255}
	c.stroke(ofd.Path{Box: box, Outline: new(ofd.Outline).Circle(r, r, r*0.94), LineWidth: 0.6, Stroke: &p.frame, Fill: &white})
	petals := new(ofd.Outline)
	for i := range 8 {
		a := float64(i) * math.Pi / 4
		tip := func(d, turn float64) (float64, float64) {
			return r + d*r*math.Cos(a+turn), r + d*r*math.Sin(a+turn)
		}
		x1, y1 := tip(0.55, -0.45)
		x2, y2 := tip(0.82, 0)
		x3, y3 := tip(0.55, 0.45)
		petals.Move(r, r).Quad(x1, y1, x2, y2).Quad(x3, y3, r, r).Close()
	}
	c.stroke(ofd.Path{Box: box, Outline: petals, LineWidth: 0.2, Stroke: &p.frame, Fill: &p.accent})
	c.stroke(ofd.Path{Box: box, Outline: new(ofd.Outline).Circle(r, r, r*0.2), Fill: &p.frame})
}

// waves covers a box with the fine lines of a guilloche ground (底纹). Lines, not areas: a seal drawn over them stays visible.
func (c *canvas) waves(box ofd.Box, lines int, amplitude, length float64) {
	o := new(ofd.Outline)
	for i := range lines {
		y0 := box.H * (float64(i) + 0.5) / float64(lines)
		phase := float64(i) * 0.55
		swell := amplitude * (0.6 + 0.4*math.Cos(float64(i)*0.3))
		y := func(x float64) float64 { return y0 + swell*math.Sin(2*math.Pi*x/length+phase) }
		slope := func(x float64) float64 {
			return swell * 2 * math.Pi / length * math.Cos(2*math.Pi*x/length+phase)
		}
		n := max(int(box.W/(length/3)), 1) // three curves a wave miss it by a twentieth of its height at most
		step := box.W / float64(n)
		o.Move(0, fine(y(0)))
		for j := range n {
			a, b := float64(j)*step, float64(j+1)*step
			o.Cubic(fine(a+step/3), fine(y(a)+slope(a)*step/3), fine(b-step/3), fine(y(b)-slope(b)*step/3), fine(b), fine(y(b)))
		}
	}
	c.stroke(ofd.Path{Box: box, Outline: o, LineWidth: 0.12, Stroke: &c.lay.palette.wash})
}

// medallion draws a star in a ring of rays above a title.
func (c *canvas) medallion(x, y, r float64) {
	p := c.lay.palette
	box := ofd.Box{X: x - r, Y: y - r, W: 2 * r, H: 2 * r}
	rays := new(ofd.Outline)
	for i := range 48 {
		a := float64(i) * math.Pi / 24
		inner := 0.84
		if i%2 == 0 {
			inner = 0.79
		}
		rays.Move(r+inner*r*math.Cos(a), r+inner*r*math.Sin(a)).Line(r+0.97*r*math.Cos(a), r+0.97*r*math.Sin(a))
	}
	c.stroke(ofd.Path{Box: box, Outline: rays, LineWidth: 0.3, Stroke: &p.accent})
	c.stroke(ofd.Path{Box: box, Outline: new(ofd.Outline).Circle(r, r, r*0.74), LineWidth: 0.7, Stroke: &p.frame})
	c.stroke(ofd.Path{Box: box, Outline: new(ofd.Outline).Circle(r, r, r*0.68), LineWidth: 0.2, Stroke: &p.accent})
	star := new(ofd.Outline)
	for i := range 10 {
		a := float64(i)*math.Pi/5 - math.Pi/2
		d := 0.58 * r
		if i%2 == 1 {
			d *= 0.382
		}
		if px, py := r+d*math.Cos(a), r+d*math.Sin(a); i == 0 {
			star.Move(px, py)
		} else {
			star.Line(px, py)
		}
	}
	c.stroke(ofd.Path{Box: box, Outline: star.Close(), Fill: &p.frame})
}

// rule draws a thin line with a lozenge in its middle under a title.
func (c *canvas) rule(x, y, w float64) {
	p := c.lay.palette
	const h = 1.6
	box := ofd.Box{X: x, Y: y - h/2, W: w, H: h}
	c.stroke(ofd.Path{Box: box, Outline: new(ofd.Outline).Move(0, h/2).Line(w/2-3, h/2).Move(w/2+3, h/2).Line(w, h/2), LineWidth: 0.3, Stroke: &p.accent})
	c.stroke(ofd.Path{Box: box, Outline: new(ofd.Outline).Move(w/2, 0).Line(w/2+2.2, h/2).Line(w/2, h).Line(w/2-2.2, h/2).Close(), Fill: &p.frame})
}

// grid draws the lines of a table; the outer one is thicker.
func (c *canvas) grid(box ofd.Box, rows []float64, labelW float64) {
	p := c.lay.palette
	o := new(ofd.Outline)
	y := 0.0
	for i, h := range rows {
		if i > 0 {
			o.Move(0, y).Line(box.W, y)
		}
		o.Move(labelW, y).Line(labelW, y+h)
		y += h
	}
	c.stroke(ofd.Path{Box: box, Outline: o, LineWidth: 0.2, Stroke: &p.frame})
	c.stroke(ofd.Path{Box: box, Outline: new(ofd.Outline).Rect(ofd.Box{W: box.W, H: y}), LineWidth: 0.5, Stroke: &p.frame})
}
