package face_test

import (
	"testing"

	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/license"
)

// Everything that the sample province issues can be printed.
func TestSampleProvinceFits(t *testing.T) {
	t.Parallel()
	d := newDrawer(t)
	catalogue, err := license.NewCatalogue(license.SampleKinds())
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, o := range sample.Offices() {
		names[o.Code] = o.Name
	}
	requests := sample.Licenses("officer-1")
	if len(requests) == 0 {
		t.Fatal("the sample province issues nothing")
	}
	for _, r := range requests {
		req, k, err := catalogue.Check(r)
		if err != nil {
			t.Errorf("%s: %v", r.BusinessNo, err)
			continue
		}
		in := drawInput(k, func(l *license.License) {
			l.Office, l.OfficeName, l.BusinessNo, l.Holders, l.Fields = req.Office, names[req.Office], req.BusinessNo, req.Holders, nil
			for _, f := range k.Fields {
				l.Fields = append(l.Fields, license.Field{Code: f.Code, Name: f.Name, Value: req.Fields[f.Code]})
			}
		})
		if err := d.Fits(in); err != nil {
			t.Errorf("%s: %v", r.BusinessNo, err)
		}
	}
}
