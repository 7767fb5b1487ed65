package license

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Problem is one thing wrong with a request, at a place that a form or a table row can show.
type Problem struct {
	Place   string `json:"place"` // "kind", "holders[1].code", "fields.JYFW", …
	Code    string `json:"code"`  // snake_case, the key of translations
	Message string `json:"message"`
}

// Problems is everything wrong with a request. It is the cause of the fault with the code "license_request_invalid".
type Problems []Problem

func (p Problems) Error() string {
	parts := make([]string, len(p))
	for i, v := range p {
		parts[i] = v.Place + ": " + v.Message
	}
	return strings.Join(parts, "; ")
}

func (p *Problems) add(place, code, message string) {
	*p = append(*p, Problem{place, code, message})
}

// maxPhoto is how large a portrait may be.
const maxPhoto = 200 << 10

// Check validates a request against the catalogue and gives it in normal form: codes upper case, texts NFC, version 1 for
// none. Every mistake is told at once; none of the messages repeats what was entered.
func (c *Catalogue) Check(req IssueRequest) (IssueRequest, Kind, error) {
	var p Problems
	k, err := c.Kind(strings.TrimSpace(req.Kind))
	if err != nil {
		p.add("kind", "kind_unknown", "the catalogue has no such license kind")
		return req, Kind{}, p.fault()
	}
	req.Kind = k.Code
	if req.Office = NormalizeCode(req.Office); !ValidUSCC(req.Office) {
		p.add("office", "uscc_invalid", "this is not a unified social credit code")
	}
	req.BusinessNo = norm.NFC.String(strings.TrimSpace(req.BusinessNo))
	if n := utf8.RuneCountInString(req.BusinessNo); n < 1 || n > 64 || !plainText(req.BusinessNo, false) {
		p.add("business_no", "number_invalid", "a license number has 1 to 64 characters")
	}
	if req.Version == 0 {
		req.Version = 1
	}
	if req.Version < 1 || req.Version > 999 {
		p.add("version", "version_invalid", "a version is 1 to 999")
	}
	req.Holders = checkHolders(&p, k, req.Holders)
	req.Fields = c.checkFields(&p, k, req.Fields)
	checkDates(&p, k, &req)
	checkPhoto(&p, k, req.Photo)
	return req, k, p.fault()
}

func (p Problems) fault() error {
	if len(p) == 0 {
		return nil
	}
	message := p.Error()
	if len(message) > 600 {
		message = fmt.Sprintf("%s: %s; and %d more mistakes", p[0].Place, p[0].Message, len(p)-1)
	}
	f := fault.New(fault.Invalid, "license_request_invalid", message)
	f.Err = p
	return f
}

func checkHolders(p *Problems, k Kind, holders []Holder) []Holder {
	rule := k.Holders
	out := make([]Holder, 0, min(len(holders), rule.Max+rule.Guardians))
	count, guardians := 0, 0
	seen := map[string]bool{}
	if len(holders) > rule.Max+rule.Guardians {
		p.add("holders", "holders_too_many", fmt.Sprintf("at most %d holders and %d guardians", rule.Max, rule.Guardians))
		return nil
	}
	for i, h := range holders {
		h, place := h.Normal(), fmt.Sprintf("holders[%d]", i)
		out = append(out, h)
		t, ok := LookupHolderType(h.Type)
		switch {
		case !ok:
			p.add(place+".type", "holder_type_unknown", "this holder code type is not known")
		case h.Role == RoleHolder && !slices.Contains(rule.Types, h.Type):
			p.add(place+".type", "holder_type_refused", "this kind is not issued to such a holder")
		case h.Role == RoleGuardian && t.Organisation:
			p.add(place+".type", "guardian_type_refused", "a guardian is a person")
		case !t.Valid(h.Code):
			p.add(place+".code", "holder_code_invalid", "the number or its check digit is wrong")
		}
		if n := utf8.RuneCountInString(h.Name); n < 1 || n > 100 || !plainText(h.Name, false) {
			p.add(place+".name", "name_invalid", "a name has 1 to 100 characters")
		}
		if utf8.RuneCountInString(h.Part) > 20 || !plainText(h.Part, false) || h.Part != "" && !rule.Parts {
			p.add(place+".part", "part_invalid", "a share has at most 20 characters, and only where the kind has shares")
		}
		switch h.Role {
		case RoleHolder:
			count++
		case RoleGuardian:
			guardians++
		default:
			p.add(place+".role", "role_unknown", "a role is holder or guardian")
		}
		if key := h.Type + "/" + h.Code; seen[key] {
			p.add(place, "holder_twice", "the same holder stands there twice")
		} else {
			seen[key] = true
		}
	}
	if count < rule.Min || count > rule.Max {
		p.add("holders", "holder_count", fmt.Sprintf("this kind has %d to %d holders", rule.Min, rule.Max))
	}
	if guardians > rule.Guardians {
		p.add("holders", "guardian_count", fmt.Sprintf("this kind has at most %d guardians", rule.Guardians))
	}
	return out
}

func (c *Catalogue) checkFields(p *Problems, k Kind, fields map[string]string) map[string]string {
	out := make(map[string]string, len(k.Fields))
	for _, f := range k.Fields {
		value := norm.NFC.String(strings.TrimSpace(strings.ReplaceAll(fields[f.Code], "\r\n", "\n")))
		place := "fields." + f.Code
		if value == "" {
			if f.Required {
				p.add(place, "field_missing", "this field must be filled")
			}
			continue
		}
		out[f.Code] = value
		limit := f.MaxLength
		if limit == 0 {
			limit = 200
		}
		switch {
		case utf8.RuneCountInString(value) > limit:
			p.add(place, "field_too_long", fmt.Sprintf("at most %d characters", limit))
		case !plainText(value, f.Multiline):
			p.add(place, "field_characters", "control characters and line breaks are not allowed here")
		case f.Type == TypeDate && !validDate(value):
			p.add(place, "field_date", "a date is yyyy-mm-dd")
		case f.Type == TypeNumber && !validNumber(value):
			p.add(place, "field_number", "this must be a number")
		case f.Type == TypeChoice && !slices.Contains(f.Choices, value):
			p.add(place, "field_choice", "this is none of the choices")
		default:
			if re := c.patterns[patternKey(k, f.Code)]; re != nil && !re.MatchString(value) {
				p.add(place, "field_pattern", "this does not have the form of the field")
			}
		}
	}
	unknown := 0
	for code := range fields {
		if _, ok := k.Field(code); !ok {
			unknown++
		}
	}
	if unknown > 0 { // their names are the caller's words, which are not repeated
		p.add("fields", "field_unknown", strconv.Itoa(unknown)+" fields are not of this kind")
	}
	return out
}

func checkDates(p *Problems, k Kind, req *IssueRequest) {
	req.ValidFrom, req.ValidTo = strings.TrimSpace(req.ValidFrom), strings.TrimSpace(req.ValidTo)
	if req.ValidFrom != "" && !validDate(req.ValidFrom) {
		p.add("valid_from", "field_date", "a date is yyyy-mm-dd")
	}
	if req.ValidTo != "" && !validDate(req.ValidTo) {
		p.add("valid_to", "field_date", "a date is yyyy-mm-dd")
	}
	if req.ValidTo != "" && k.Validity.Mode == ValidityOpen {
		p.add("valid_to", "validity_open", "this kind has no end of validity")
	}
	if req.ValidTo != "" && req.ValidFrom != "" && req.ValidTo < req.ValidFrom {
		p.add("valid_to", "validity_order", "the end lies before the beginning")
	}
}

// term fills the dates that the request left to the kind; today is the day of acceptance.
func term(k Kind, req IssueRequest, today string) (from, to string, err error) {
	from, to = req.ValidFrom, req.ValidTo
	if from == "" {
		from = today
	}
	var p Problems
	if k.Validity.Mode == ValidityYears {
		start, err := time.Parse(time.DateOnly, from)
		if err != nil {
			return "", "", fault.Wrap(err, fault.Internal, "date", "a date that was checked does not parse")
		}
		// A term of five years from 2 March ends on 1 March.
		longest := start.AddDate(k.Validity.Years, 0, -1).Format(time.DateOnly)
		if to == "" {
			to = longest
		}
		if to > longest {
			p.add("valid_to", "validity_too_long", fmt.Sprintf("this kind is in force for at most %d years", k.Validity.Years))
		}
	}
	if to != "" && to < from {
		p.add("valid_to", "validity_order", "the end lies before the beginning")
	}
	return from, to, p.fault()
}

func checkPhoto(p *Problems, k Kind, photo []byte) {
	switch {
	case len(photo) == 0:
		if k.Photo == PhotoRequired {
			p.add("photo", "photo_missing", "this kind needs a photo")
		}
	case k.Photo == PhotoNone:
		p.add("photo", "photo_refused", "this kind has no photo")
	case len(photo) > maxPhoto:
		p.add("photo", "photo_too_large", "a photo has at most 200 KB")
	case !isPNG(photo) && !isJPEG(photo):
		p.add("photo", "photo_format", "a photo is PNG or JPEG")
	}
}

func isPNG(b []byte) bool  { return len(b) > 8 && string(b[:8]) == "\x89PNG\r\n\x1a\n" }
func isJPEG(b []byte) bool { return len(b) > 3 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff }

func validDate(s string) bool {
	t, err := time.Parse(time.DateOnly, s)
	return err == nil && t.Year() >= 1800 && t.Year() <= 9998
}

func validNumber(s string) bool {
	whole, fraction, dot := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!dot || digits(fraction))
}

// plainText refuses what could change how a face is read: control characters, and the invisible ones that turn or join text.
func plainText(s string, lines bool) bool {
	if !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case r == '\n':
			return !lines
		case r < ' ', r >= 0x7f && r <= 0x9f, r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f,
			r == 0xfeff, r >= 0xe000 && r <= 0xf8ff, r >= 0xfff0 && r <= 0xffff:
			return true
		}
		return false
	})
}
