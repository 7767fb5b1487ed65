package license_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

func catalogue(t testing.TB) *license.Catalogue {
	t.Helper()
	c, err := license.NewCatalogue(license.SampleKinds())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSampleKinds(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	var names []string
	for _, k := range c.Kinds() {
		names = append(names, k.Name)
		if k.DefaultMask() == 0 || k.DefaultMask()&^k.AllMask() != 0 {
			t.Errorf("%s discloses %b of %b", k.Name, k.DefaultMask(), k.AllMask())
		}
		if byNumber, err := c.ByNumber(k.Number); err != nil || byNumber.Code != k.Code {
			t.Errorf("%s has the number of %s: %v", k.Name, byNumber.Name, err)
		}
		for _, f := range k.Fields {
			if f.Class == license.ClassSensitive && k.Code != license.SampleBirth {
				t.Errorf("%s: %s is sensitive", k.Name, f.Name)
			}
		}
	}
	if diff := cmp.Diff([]string{"营业执照", "食品经营许可证", "不动产权证书", "出生医学证明"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestCatalogueRefusesWrongKinds(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*license.Kind){
		"check digit of the definer": func(k *license.Kind) { k.Code = "11990000000000002G001"; k.DefiningOffice = k.Code[:18] },
		"another definer":            func(k *license.Kind) { k.DefiningOffice = "12990000400000002X" },
		"version 2 first":            func(k *license.Kind) { k.Version = 2 },
		"no number":                  func(k *license.Kind) { k.Number = 0 },
		"no reasons":                 func(k *license.Kind) { k.RevokeReasons = nil },
		"holder type":                func(k *license.Kind) { k.Holders.Types = []string{"777"} },
		"field twice":                func(k *license.Kind) { k.Fields = append(k.Fields[:1:1], k.Fields[0]) },
		"reserved field": func(k *license.Kind) {
			k.Fields = []license.FieldSpec{k.Fields[0]}
			k.Fields[0].Code = license.FaceHolder
		},
		"choice without choices": func(k *license.Kind) { k.Fields = []license.FieldSpec{k.Fields[0]}; k.Fields[0].Choices = nil },
		"pattern": func(k *license.Kind) {
			k.Fields = []license.FieldSpec{k.Fields[1]}
			k.Fields[0].Pattern = "("
		},
		"years": func(k *license.Kind) { k.Validity = license.ValidityRule{Mode: license.ValidityYears} },
	} {
		k := license.SampleKinds()[0]
		change(&k)
		if _, err := license.NewCatalogue([]license.Kind{k}); fault.CodeOf(err) != "catalogue_kind_invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	two := license.SampleKinds()[:2]
	two[1].Number = two[0].Number
	if _, err := license.NewCatalogue(two); err == nil {
		t.Error("two kinds share a number")
	}
}

func birthRequest() license.IssueRequest {
	return license.IssueRequest{
		Kind: license.SampleBirth, Office: " 11990000000000001g", BusinessNo: "Z990000001",
		Holders: []license.Holder{
			{Type: "111", Code: "99010119900101006x", Name: " 冯试样 "},
			{Type: "111", Code: "990101199001010027", Name: "吴试样", Role: license.RoleGuardian},
		},
		Fields: map[string]string{
			"XB": "女", "CSRQ": "2026-05-20", "CSSJ": "08:30", "CSYZ": "39", "CSTZ": "3200", "CSSC": "50", "CSDD": "示例市",
			"JSJG": "示例市妇幼保健院", "MQXM": "吴试样", "MQZJHM": "990101199001010027",
		},
	}
}

func TestRequestIsNormalised(t *testing.T) {
	t.Parallel()
	got, _, err := catalogue(t).Check(birthRequest())
	if err != nil {
		t.Fatal(err)
	}
	if got.Office != "11990000000000001G" || got.Holders[0].Code != "99010119900101006X" || got.Holders[0].Name != "冯试样" ||
		got.Holders[0].Role != license.RoleHolder || got.Version != 1 {
		t.Errorf("%+v", got)
	}
}

func TestRequestProblems(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	for _, v := range []struct {
		place, code string
		change      func(*license.IssueRequest)
	}{
		{"kind", "kind_unknown", func(r *license.IssueRequest) { r.Kind = "11990000000000001G999" }},
		{"office", "uscc_invalid", func(r *license.IssueRequest) { r.Office = "11990000000000001H" }},
		{"business_no", "number_invalid", func(r *license.IssueRequest) { r.BusinessNo = "" }},
		{"version", "version_invalid", func(r *license.IssueRequest) { r.Version = 1000 }},
		{"holders", "holder_count", func(r *license.IssueRequest) { r.Holders = r.Holders[1:] }},
		{"holders[0].code", "holder_code_invalid", func(r *license.IssueRequest) { r.Holders[0].Code = "990101199001010061" }},
		{"holders[0].type", "holder_type_refused", func(r *license.IssueRequest) { r.Holders[0].Type, r.Holders[0].Code = "001", "91990000MA0000001B" }},
		{"holders[0].type", "holder_type_unknown", func(r *license.IssueRequest) { r.Holders[0].Type = "1" }},
		{"holders[1].type", "guardian_type_refused", func(r *license.IssueRequest) { r.Holders[1].Type, r.Holders[1].Code = "001", "91990000MA0000001B" }},
		{"holders[1].role", "role_unknown", func(r *license.IssueRequest) { r.Holders[1].Role = "friend" }},
		{"holders[1]", "holder_twice", func(r *license.IssueRequest) { r.Holders[1].Code = r.Holders[0].Code }},
		{"holders[0].part", "part_invalid", func(r *license.IssueRequest) { r.Holders[0].Part = "1/2" }},
		{"holders[0].name", "name_invalid", func(r *license.IssueRequest) { r.Holders[0].Name = "冯\u202e样" }},
		{"fields.XB", "field_missing", func(r *license.IssueRequest) { delete(r.Fields, "XB") }},
		{"fields.XB", "field_choice", func(r *license.IssueRequest) { r.Fields["XB"] = "X" }},
		{"fields.CSRQ", "field_date", func(r *license.IssueRequest) { r.Fields["CSRQ"] = "2026-02-30" }},
		{"fields.CSTZ", "field_number", func(r *license.IssueRequest) { r.Fields["CSTZ"] = "3.k" }},
		{"fields.CSSJ", "field_pattern", func(r *license.IssueRequest) { r.Fields["CSSJ"] = "25:00" }},
		{"fields.CSDD", "field_too_long", func(r *license.IssueRequest) { r.Fields["CSDD"] = strings.Repeat("长", 81) }},
		{"fields.CSDD", "field_characters", func(r *license.IssueRequest) { r.Fields["CSDD"] = "一\n二" }},
		{"fields", "field_unknown", func(r *license.IssueRequest) { r.Fields["NAME_OF_SOMEBODY"] = "x" }},
		{"valid_to", "validity_open", func(r *license.IssueRequest) { r.ValidTo = "2030-01-01" }},
		{"photo", "photo_refused", func(r *license.IssueRequest) { r.Photo = []byte("x") }},
	} {
		r := birthRequest()
		v.change(&r)
		_, _, err := c.Check(r)
		var problems license.Problems
		if fault.KindOf(err) != fault.Invalid || !errors.As(err, &problems) {
			t.Errorf("%s %s: %v", v.place, v.code, err)
			continue
		}
		found := false
		for _, p := range problems {
			found = found || p.Place == v.place && p.Code == v.code
		}
		if !found || strings.Contains(err.Error(), "SOMEBODY") || strings.Contains(err.Error(), "试样") {
			t.Errorf("%s %s: %v", v.place, v.code, err)
		}
	}
}

func TestMetadataReadsBack(t *testing.T) {
	t.Parallel()
	m := license.Metadata{
		Face:   license.Face{{Code: "ZZMC", Name: "证照名称", Text: "营业执照"}, {Code: "JYFW", Name: "经营范围", Text: "一 <二> & \"三\"\n四"}},
		More:   license.Face{{Code: "ZZLXDM", Name: "证照类型代码", Text: license.SampleBusiness}},
		Static: "HTTPS://YX.EXAMPLE/S/AB",
	}
	b, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := license.ParseMetadata(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	if _, err := license.ParseMetadata(append(b, "<x/>"...)); err == nil {
		t.Error("a second root was read")
	}
	if _, err := license.ParseMetadata([]byte(`<!DOCTYPE x [<!ENTITY a "b">]>` + string(b))); err == nil {
		t.Error("a document type was read")
	}
	twice := m
	twice.More = m.Face
	if b, err = twice.Marshal(); err != nil {
		t.Fatal(err)
	}
	if _, err := license.ParseMetadata(b); err == nil {
		t.Error("one code with two values was read")
	}
}

func FuzzParseMetadata(f *testing.F) {
	b, err := license.Metadata{Face: license.Face{{Code: "ZZMC", Name: "证照名称", Text: "营业执照"}}, Static: "X"}.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := license.ParseMetadata(b)
		if err != nil {
			return
		}
		again, err := m.Marshal()
		if err != nil {
			t.Skip() // a text that XML cannot hold
		}
		if n, err := license.ParseMetadata(again); err != nil || n.Face.Digest([16]byte{}) != m.Face.Digest([16]byte{}) {
			t.Errorf("%+v became %+v: %v", m, n, err)
		}
	})
}

func FuzzParseIdentifier(f *testing.F) {
	f.Add("1.2.156.3005.2.11990000000000001G001.11990000000000001G.2026000001.001.R")
	f.Fuzz(func(t *testing.T, s string) {
		if i, err := license.ParseIdentifier(s); err == nil && i.String() != s {
			t.Errorf("%q became %q", s, i)
		}
	})
}
