package license

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// HolderType is a row of the table of holder code types (持证主体代码类型, GB/T 36903 annex A, with later additions).
type HolderType struct {
	Code         string
	Name         string
	Organisation bool
	check        func(string) bool // nil: only form
}

// The types that the product treats by name.
const (
	TypeUSCC    = "001" // 统一社会信用代码
	TypeCitizen = "111" // 公民身份号码
)

// HolderTypes is the table, in the order of the codes.
func HolderTypes() []HolderType {
	return []HolderType{
		{Code: TypeUSCC, Name: "统一社会信用代码", Organisation: true, check: ValidUSCC},
		{Code: "099", Name: "其他法人或其他组织有效证件代码", Organisation: true},
		{Code: TypeCitizen, Name: "公民身份号码", check: ValidCitizenNumber},
		{Code: "114", Name: "解放军军官证"},
		{Code: "115", Name: "武警警官证"},
		{Code: "118", Name: "解放军士兵证"},
		{Code: "119", Name: "武警士兵证"},
		{Code: "120", Name: "解放军文职人员证"},
		{Code: "122", Name: "武警文职人员证"},
		{Code: "400", Name: "护照"},
		{Code: "411", Name: "外交护照"},
		{Code: "412", Name: "公务护照"},
		{Code: "413", Name: "公务普通护照"},
		{Code: "414", Name: "普通护照"},
		{Code: "511", Name: "台湾居民来往大陆通行证"},
		{Code: "516", Name: "港澳居民来往内地通行证"},
		{Code: "551", Name: "港澳居民居住证"},
		{Code: "552", Name: "台湾居民居住证"},
		{Code: "999", Name: "其他自然人有效证件"},
	}
}

// LookupHolderType finds a type by its code.
func LookupHolderType(code string) (HolderType, bool) {
	for _, t := range HolderTypes() {
		if t.Code == code {
			return t, true
		}
	}
	return HolderType{}, false
}

// Valid checks a code, in normal form, by the rules of its type.
func (t HolderType) Valid(code string) bool {
	if t.check != nil {
		return t.check(code)
	}
	if len(code) < 2 || len(code) > 64 {
		return false
	}
	return !strings.ContainsFunc(code, func(r rune) bool { return r < ' ' || r == '\u007f' || r == utf8.RuneError })
}

// Normal is the holder in the form in which it is kept and indexed: code upper case, name NFC, role named.
func (h Holder) Normal() Holder {
	h.Type = strings.TrimSpace(h.Type)
	h.Code = NormalizeCode(h.Code)
	h.Name = norm.NFC.String(strings.TrimSpace(h.Name))
	h.Part = norm.NFC.String(strings.TrimSpace(h.Part))
	if h.Role == "" {
		h.Role = RoleHolder
	}
	return h
}
