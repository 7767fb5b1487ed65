package web

import "github.com/yinxin-trust/yinxin/license"

// pair hands a template both the page and the thing it draws.
type pair struct {
	Sheet *sheet
	Of    any
}

// input is one input of a form with its label, its value and what is wrong with it.
type input struct {
	Sheet    *sheet
	Name     string
	Label    string
	Value    string
	Type     string // text, number, date, choice, lines or holdercode
	Required bool
	Max      int
	Choices  []string
	Example  string
	Help     string
	Problem  string
}

// HTMLType is the type attribute.
func (i input) HTMLType() string {
	switch i.Type {
	case "date", "number":
		return i.Type
	}
	return "text"
}

// Wide says whether the input takes a row for itself.
func (i input) Wide() bool { return i.Type == "lines" || (i.Max > 100 && i.Type != "choice") }

// newInput makes an input of the form's own fields.
func newInput(p *sheet, name, label, value, kind string, required bool) input {
	i := input{Sheet: p, Name: name, Label: label, Value: value, Type: kind, Required: required}
	if kind == "text" || kind == "holdercode" {
		i.Max = 100
	}
	switch d := p.Data.(type) {
	case issueData:
		i.Problem = d.Problems[name]
	case revokeData:
		i.Problem = d.Wrong[name]
	}
	return i
}

// actInput makes an input of what a form says about the act; its limit is that of the schema that the API publishes.
func actInput(p *sheet, name, label, value string) input {
	i := newInput(p, name, label, value, "text", false)
	i.Max = p.s.schemas.longest(actSchemas()[name])
	switch name {
	case "case_no":
		i.Help = p.T("issue.case.help")
	case "legal_basis":
		i.Help = p.T("issue.basis.help")
	}
	return i
}

// actSchemas names the schemas of what a form says about the act. The words of an act stand in plain in the audit trail, so
// the forms take no more than the API does.
func actSchemas() map[string]string {
	return map[string]string{"matter": "Token", "case_no": "CaseNo", "legal_basis": "LegalBasis"}
}

// specInput makes an input of a field of the catalogue.
func specInput(p *sheet, f license.FieldSpec, value string) input {
	i := newInput(p, "f."+f.Code, p.In(f.Name, f.NameEN), value, string(f.Type), f.Required)
	i.Choices, i.Example, i.Max = f.Choices, f.Example, f.MaxLength
	if i.Max == 0 {
		i.Max = 200
	}
	switch {
	case f.Multiline:
		i.Type = "lines"
	case f.Type == license.TypeDate:
		i.Max, i.Example = 0, ""
	case f.Type == license.TypeNumber:
		i.Type = "text" // decimals as printed; a number input would rewrite them
	}
	return i
}
