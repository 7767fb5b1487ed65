package license

// Kind is one version of a license kind as the catalogue releases it (证照类型). A license keeps the version it was issued
// under for ever.
type Kind struct {
	Code           string // 证照类型代码: USCC of the defining body and three serial characters, 21 in all
	Number         uint32 // the kind's number in the static code, unique in the catalogue
	Version        int    // of the kind, from 1
	Name           string // 证照类型名称, as printed
	NameEN         string
	DefiningOffice string // USCC of the defining body (证照定义机构)
	DefiningName   string
	Layout         string // name of the layout that draws it
	SealRule       SealRule
	Holders        HolderRule
	Photo          PhotoRule
	Validity       ValidityRule
	Fields         []FieldSpec // in printed order; bit i of a disclosure mask is field i; at most 32
	RevokeReasons  []Reason
}

// Field finds the specification of a field code.
func (k Kind) Field(code string) (FieldSpec, bool) {
	for _, f := range k.Fields {
		if f.Code == code {
			return f, true
		}
	}
	return FieldSpec{}, false
}

// DefaultMask is the disclosure preset of the kind: the fields whose Disclose is set.
func (k Kind) DefaultMask() uint32 {
	var m uint32
	for i, f := range k.Fields {
		if f.Disclose {
			m |= 1 << i
		}
	}
	return m
}

// AllMask has a bit for every field of the kind.
func (k Kind) AllMask() uint32 { return uint32(uint64(1)<<len(k.Fields) - 1) }

// FieldSpec is what the catalogue says of one field (照面信息项).
type FieldSpec struct {
	Code      string    // upper-case letters, digits and '_', as in 扩展照面信息: "ZS", "JYFW"
	Name      string    // as printed
	NameEN    string    // for the English face of the product
	Class     DataClass // what protection it needs
	Type      FieldType // text, date, number or choice
	Required  bool      //
	MaxLength int       // in characters; 0 means 200
	Pattern   string    // anchored RE2 expression that the whole value must match; empty: none
	Choices   []string  // of a choice
	Multiline bool      // may hold line breaks
	Disclose  bool      // shown by default when the holder shows the license
	OnFace    bool      // one of the canonical face fields that the static code binds
	Example   string    // for forms and tests; synthetic
}

// DataClass is the protection that a field needs.
type DataClass string

// The classes, from open to most sensitive (PIPL 敏感个人信息).
const (
	ClassPublic    DataClass = "public"    // public by law, such as an enterprise's business scope
	ClassInternal  DataClass = "internal"  // about a thing or an organisation, not published
	ClassPersonal  DataClass = "personal"  // 个人信息
	ClassSensitive DataClass = "sensitive" // 敏感个人信息
)

// FieldType is the form of a field's value.
type FieldType string

// The forms. All values are text; dates are yyyy-mm-dd.
const (
	TypeText   FieldType = "text"
	TypeDate   FieldType = "date"
	TypeNumber FieldType = "number"
	TypeChoice FieldType = "choice"
)

// SealRule says how a kind is sealed.
type SealRule struct {
	Type     string // seal type code of the issuing office's seal: "official" (公章) or "license" (证照专用章)
	Standard string // "GB/T 38540-2020" unless policy says otherwise
}

// HolderRule says who may hold a kind.
type HolderRule struct {
	Min, Max  int      // number of holders, without guardians
	Types     []string // 持证主体代码类型 that may hold it
	Guardians int      // at most so many guardians; 0: none allowed
	Parts     bool     // shares are printed and wanted when there are several holders
}

// PhotoRule says whether a kind has a portrait.
type PhotoRule string

// The rules for photos.
const (
	PhotoNone     PhotoRule = "none"
	PhotoOptional PhotoRule = "optional"
	PhotoRequired PhotoRule = "required"
)

// ValidityRule says how long a kind is in force (有效期).
type ValidityRule struct {
	Mode  string // ValidityOpen, ValidityYears or ValidityGiven
	Years int    // for ValidityYears: the end when the request names none; also the longest that it may name
}

// The modes of a ValidityRule.
const (
	ValidityOpen  = "open"  // 长期: no end may be given
	ValidityYears = "years" // a term of Years
	ValidityGiven = "given" // the request may name an end
)

// Reason is a coded reason with its words.
type Reason struct {
	Code string
	Name string // zh-CN
	EN   string
}
