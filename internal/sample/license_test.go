package sample_test

import (
	"testing"

	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/license"
)

func TestLicensesPassTheCatalogue(t *testing.T) {
	t.Parallel()
	catalogue, err := license.NewCatalogue(license.SampleKinds())
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, r := range sample.Licenses("demo") {
		if _, _, err := catalogue.Check(r); err != nil {
			t.Errorf("%s %s: %v", r.Kind, r.BusinessNo, err)
		}
		kinds[r.Kind] = true
	}
	if len(kinds) != len(license.SampleKinds()) {
		t.Errorf("the sample licenses are of %d kinds, the catalogue has %d", len(kinds), len(license.SampleKinds()))
	}
}
