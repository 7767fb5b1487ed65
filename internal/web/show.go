package web

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
	"rsc.io/qr"
)

// showData is the page on which a holder shows a license (亮证).
type showData struct {
	License  *license.License
	Fields   []fieldLine
	Purposes []string // keys of the catalogue: "purpose.<code>"
	Purpose  string
	Mask     uint32
	Shown    *license.Shown
	QR       template.HTML
	Seconds  int // that the code has left
	Life     int
	Expires  time.Time
	Holders  []holderLine
}

// purposes are the reasons for showing that the page offers; the code stands in the holder's log.
func purposes() []string { return []string{"counter", "inspection", "contract", "travel", "other"} }

// showable fetches the license and says why it cannot be shown.
func (s *server) showable(q *request) (*viewer, *license.License, license.Kind, error) {
	v, err := q.need()
	if err != nil {
		return nil, nil, license.Kind{}, err
	}
	l, err := s.theirs(q, v)
	if err != nil {
		return nil, nil, license.Kind{}, err
	}
	if !holds(holders(&v.account), l) {
		return nil, nil, license.Kind{}, errNoLicense // an officer issues it and does not show it
	}
	k, err := s.kind(q, l.Kind)
	return v, l, k, err
}

// show asks for purpose and fields, least first.
func (s *server) show(q *request) error {
	_, l, k, err := s.showable(q)
	if err != nil {
		return err
	}
	return s.render(q, http.StatusOK, "show", showData{
		License: l, Fields: fieldLines(k, l.Fields), Purposes: purposes(),
		Purpose: "counter", Mask: k.DefaultMask(), Holders: holderLines(l.Holders),
	})
}

// showCode mints a code and draws it. Each visit makes a new one; none is ever part of an address.
func (s *server) showCode(q *request) error {
	v, l, k, err := s.showable(q)
	if err != nil {
		return err
	}
	if err := q.form(); err != nil {
		return err
	}
	purpose, err := readPurpose(q.PostForm.Get("purpose"))
	if err != nil {
		return err
	}
	var mask uint32
	for _, f := range q.PostForm["field"] {
		bit, err := strconv.Atoi(f)
		if err != nil || bit < 0 || bit >= len(k.Fields) {
			return fault.New(fault.Invalid, "field_unknown", "the form named a field that the license does not have")
		}
		mask |= 1 << bit
	}
	shown, err := s.Licenses.Show(q.Context(), license.ShowRequest{
		License: l.ID, Viewer: holders(&v.account), Mask: mask,
		Purpose: purpose, Act: actOf(v.principal()),
	})
	if err != nil {
		return err
	}
	drawn, err := drawQR(shown.Code)
	if err != nil {
		return err
	}
	left := int(shown.ExpiresAt.Sub(s.Now()).Round(time.Second) / time.Second)
	return s.render(q, http.StatusOK, "code", showData{
		License: l, Fields: fieldLines(k, shown.Fields), Purpose: purpose, Mask: mask,
		Shown: &shown, QR: drawn, Seconds: max(left, 0), Life: max(left, 1), Expires: shown.ExpiresAt, Holders: holderLines(l.Holders),
	})
}

// readPurpose accepts only the purposes that the page offers.
func readPurpose(p string) (string, error) {
	for _, known := range purposes() {
		if p == known {
			return p, nil
		}
	}
	return "", fault.New(fault.Invalid, "purpose_unknown", "choose what you show the license for")
}

// Has says whether a field's bit is chosen; a field without a bit never is.
func (d showData) Has(bit int) bool { return bit >= 0 && d.Mask&(1<<bit) != 0 }

// drawQR draws a code as SVG, level M, with the quiet zone of four modules that readers want.
func drawQR(text string) (template.HTML, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "qr", "the code could not be drawn")
	}
	const quiet = 4
	var b strings.Builder
	side := strconv.Itoa(c.Size + 2*quiet)
	b.WriteString(`<svg class="qr" viewBox="0 0 ` + side + " " + side + `" shape-rendering="crispEdges" role="img" aria-labelledby="qr-title">`)
	b.WriteString(`<rect width="` + side + `" height="` + side + `" fill="#fff"/><path fill="#000" d="`)
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			if !c.Black(x, y) {
				continue
			}
			run := x
			for run < c.Size && c.Black(run, y) {
				run++
			}
			// One rectangle for each run of black modules in a row keeps the page small.
			b.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h" + strconv.Itoa(run-x) + "v1h-" + strconv.Itoa(run-x) + "z")
			x = run
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()), nil //nolint:gosec // made of numbers alone
}

// actOf is the act of a principal, without what a request adds to it.
func actOf(p *identity.Principal) license.Act {
	a := license.Act{Office: p.Office, Actor: p.Client}
	if p.Account != nil {
		a.Actor = p.Account.ID
	}
	return a
}
