package license

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// MaxFields is how many fields a kind may have: a disclosure mask has 32 bits.
const MaxFields = 32

// Catalogue holds the released versions of all kinds (证照目录). It is made whole and never changes; a new release is a new
// catalogue.
type Catalogue struct {
	versions map[string][]Kind // by code, ascending by version
	numbers  map[uint32]string
	order    []string
	patterns map[string]*regexp.Regexp // every field's pattern, compiled once
}

// NewCatalogue checks every kind and refuses all of them for one mistake: a kind that is wrong would make licenses wrong.
func NewCatalogue(kinds []Kind) (*Catalogue, error) {
	c := &Catalogue{
		versions: map[string][]Kind{}, numbers: map[uint32]string{}, patterns: map[string]*regexp.Regexp{},
	}
	for _, k := range kinds {
		if err := c.add(k); err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "catalogue_kind_invalid", fmt.Sprintf("kind %q version %d of the catalogue is wrong", k.Code, k.Version))
		}
	}
	return c, nil
}

// Kinds lists the newest version of every kind in the order of the catalogue.
func (c *Catalogue) Kinds() []Kind {
	out := make([]Kind, 0, len(c.order))
	for _, code := range c.order {
		v := c.versions[code]
		out = append(out, v[len(v)-1])
	}
	return out
}

// Kind finds the newest version of a kind.
func (c *Catalogue) Kind(code string) (Kind, error) {
	v := c.versions[code]
	if len(v) == 0 {
		return Kind{}, unknownKind()
	}
	return v[len(v)-1], nil
}

// Version finds one version of a kind, as licenses refer to it.
func (c *Catalogue) Version(code string, version int) (Kind, error) {
	for _, k := range c.versions[code] {
		if k.Version == version {
			return k, nil
		}
	}
	return Kind{}, unknownKind()
}

// ByNumber finds the newest version of the kind with this number in static codes.
func (c *Catalogue) ByNumber(number uint32) (Kind, error) {
	code, ok := c.numbers[number]
	if !ok {
		return Kind{}, unknownKind()
	}
	return c.Kind(code)
}

func unknownKind() error {
	return fault.New(fault.NotFound, "kind_unknown", "the catalogue has no such license kind").
		WithHint("use a code of 21 characters from the list of kinds")
}

func (c *Catalogue) add(k Kind) error {
	v := c.versions[k.Code]
	switch {
	case !validKindCode(k.Code):
		return fmt.Errorf("the code is not a credit code and three more characters")
	case k.DefiningOffice != k.Code[:18]:
		return fmt.Errorf("the defining body differs from the code's")
	case k.Version != len(v)+1:
		return fmt.Errorf("versions must start at 1 and follow one another")
	case k.Name == "" || k.NameEN == "" || k.DefiningName == "" || k.Layout == "":
		return fmt.Errorf("a name or the layout is missing")
	case k.Number == 0 || c.numbers[k.Number] != "" && c.numbers[k.Number] != k.Code:
		return fmt.Errorf("the number is zero or another kind's")
	case len(v) > 0 && v[0].Number != k.Number:
		return fmt.Errorf("the number differs from the earlier version's")
	case k.SealRule.Type == "" || k.SealRule.Standard == "":
		return fmt.Errorf("the seal rule is incomplete")
	case k.Photo != PhotoNone && k.Photo != PhotoOptional && k.Photo != PhotoRequired:
		return fmt.Errorf("the photo rule is unknown")
	case len(k.Fields) == 0 || len(k.Fields) > MaxFields:
		return fmt.Errorf("a kind has 1 to %d fields", MaxFields)
	case len(k.RevokeReasons) == 0:
		return fmt.Errorf("there is no reason to revoke")
	}
	if err := checkRules(k); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := range k.Fields {
		f := &k.Fields[i]
		if seen[f.Code] {
			return fmt.Errorf("field %q is there twice", f.Code)
		}
		seen[f.Code] = true
		if err := c.addField(k, *f); err != nil {
			return fmt.Errorf("field %q: %w", f.Code, err)
		}
	}
	if len(v) == 0 {
		c.order = append(c.order, k.Code)
	}
	c.numbers[k.Number] = k.Code
	c.versions[k.Code] = append(v, k)
	return nil
}

func checkRules(k Kind) error {
	h := k.Holders
	if h.Min < 1 || h.Max < h.Min || h.Max > 100 || h.Guardians < 0 || h.Guardians > 10 || len(h.Types) == 0 {
		return fmt.Errorf("the holder rule is not possible")
	}
	for _, t := range h.Types {
		if _, ok := LookupHolderType(t); !ok {
			return fmt.Errorf("holder code type %q is unknown", t)
		}
	}
	switch k.Validity.Mode {
	case ValidityOpen, ValidityGiven:
		return nil
	case ValidityYears:
		if k.Validity.Years >= 1 && k.Validity.Years <= 100 {
			return nil
		}
	}
	return fmt.Errorf("the validity rule is not possible")
}

func (c *Catalogue) addField(k Kind, f FieldSpec) error {
	switch {
	case !validFieldCode(f.Code):
		return fmt.Errorf("the code is not 1 to 20 upper-case letters, digits and underscores, or it is reserved")
	case f.Name == "" || f.NameEN == "":
		return fmt.Errorf("a name is missing")
	case !slices.Contains([]DataClass{ClassPublic, ClassInternal, ClassPersonal, ClassSensitive}, f.Class):
		return fmt.Errorf("the class is unknown")
	case !slices.Contains([]FieldType{TypeText, TypeDate, TypeNumber, TypeChoice}, f.Type):
		return fmt.Errorf("the type is unknown")
	case (f.Type == TypeChoice) != (len(f.Choices) > 0):
		return fmt.Errorf("a choice has choices and nothing else has")
	case f.MaxLength < 0 || f.MaxLength > 4000:
		return fmt.Errorf("the length is not possible")
	}
	if f.Pattern != "" {
		re, err := regexp.Compile("^(?:" + f.Pattern + ")$")
		if err != nil {
			return err
		}
		c.patterns[patternKey(k, f.Code)] = re
	}
	return nil
}

func patternKey(k Kind, field string) string {
	return fmt.Sprintf("%s/%d/%s", k.Code, k.Version, field)
}

func validFieldCode(s string) bool {
	if s == "" || len(s) > 20 || reservedCode(s) {
		return false
	}
	return s[0] >= 'A' && s[0] <= 'Z' && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" // it names an XML element
}
