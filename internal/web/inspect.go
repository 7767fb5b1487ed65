package web

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/yinxin-trust/yinxin/license"
)

// inspect finds what the form must say before it is worth asking the domain, field by field, so that every mistake stands
// beside its input. The domain checks again and has the last word.
func (s *server) inspect(q *request, d *issueData) map[string]string {
	problems := make(map[string]string)
	say := func(input, key string, args ...any) {
		if _, already := problems[input]; !already {
			problems[input] = s.words.say(q.lang, key, args...)
		}
	}
	if d.Draft.BusinessNo == "" {
		say("business_no", "input.required")
	}
	if d.Draft.Version == "" {
		d.Draft.Version = "1"
	}
	if v, err := strconv.Atoi(d.Draft.Version); err != nil || v < 1 || v > 999 {
		say("version", "input.version")
	}
	for input, value := range map[string]string{"valid_from": d.Draft.ValidFrom, "valid_to": d.Draft.ValidTo} {
		if value != "" && !isDate(value) {
			say(input, "input.date")
		}
	}
	if d.Draft.ValidFrom != "" && d.Draft.ValidTo != "" && d.Draft.ValidTo < d.Draft.ValidFrom {
		say("valid_to", "input.date_order")
	}
	s.inspectAct(d.Draft.Matter, d.Draft.CaseNo, d.Draft.LegalBasis, say)
	for _, f := range d.Kind.Fields {
		inspectField(f, d.Draft.Fields[f.Code], func(key string, args ...any) { say("f."+f.Code, key, args...) })
	}
	s.inspectHolders(d, say)
	if d.Kind.Photo == license.PhotoRequired && d.Draft.Photo == "" {
		say("photo_file", "input.photo")
	}
	if len(d.Draft.Photo) > 200<<10*4/3+4 {
		say("photo_file", "input.photo_size")
		d.Draft.Photo = ""
	}
	return problems
}

// inspectAct holds what a form says about the act against the schemas that the API publishes.
func (s *server) inspectAct(matter, caseNo, legalBasis string, say func(input, key string, args ...any)) {
	schema := actSchemas()
	if s.schemas.check(schema["matter"], matter) != nil {
		say("matter", "input.code")
	}
	if s.schemas.check(schema["case_no"], caseNo) != nil {
		say("case_no", "input.case")
	}
	if s.schemas.check(schema["legal_basis"], legalBasis) != nil {
		say("legal_basis", "input.basis")
	}
}

// inspectField holds one value against the catalogue.
func inspectField(f license.FieldSpec, value string, say func(key string, args ...any)) {
	if value == "" {
		if f.Required {
			say("input.required")
		}
		return
	}
	limit := f.MaxLength
	if limit == 0 {
		limit = 200
	}
	if utf8.RuneCountInString(value) > limit {
		say("input.length", limit)
	}
	if f.Type == license.TypeDate && !isDate(value) {
		say("input.date")
	}
	if f.Type == license.TypeChoice {
		found := false
		for _, c := range f.Choices {
			found = found || c == value
		}
		if !found {
			say("input.choice")
		}
	}
	if f.Pattern != "" {
		if re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`); err == nil && !re.MatchString(value) {
			say("input.pattern", f.Example)
		}
	}
}

// inspectHolders checks numbers and counts.
func (s *server) inspectHolders(d *issueData, say func(input, key string, args ...any)) {
	count, guardians := 0, 0
	for _, row := range d.Rows {
		p := "h." + strconv.Itoa(row.N) + "."
		if row.Role == license.RoleGuardian {
			guardians++
		} else {
			count++
		}
		if row.Name == "" {
			say(p+"name", "input.required")
		}
		t, ok := license.LookupHolderType(row.Type)
		switch {
		case row.Code == "":
			say(p+"code", "input.required")
		case !ok:
			say(p+"type", "input.choice")
		case !t.Valid(license.NormalizeCode(row.Code)):
			say(p+"code", "input.number")
		}
		if d.Kind.Holders.Parts && count > 1 && row.Part == "" && row.Role != license.RoleGuardian {
			say(p+"part", "input.required")
		}
	}
	if count < d.Kind.Holders.Min || (d.Kind.Holders.Max > 0 && count > d.Kind.Holders.Max) {
		say("holders", "input.holders", d.Kind.Holders.Min, d.Kind.Holders.Max)
	}
	if guardians > d.Kind.Holders.Guardians {
		say("holders", "input.guardians", d.Kind.Holders.Guardians)
	}
}

// isDate says whether a value is a day of the calendar, yyyy-mm-dd.
func isDate(v string) bool {
	_, err := time.Parse(time.DateOnly, v)
	return err == nil
}

// placeInput is the name of the input that shows a problem the domain found: "holders[1].code" → "h.1.code".
func placeInput(place string) string {
	if code, ok := strings.CutPrefix(place, "fields."); ok {
		return "f." + code
	}
	if rest, ok := strings.CutPrefix(place, "holders["); ok {
		n, field, ok := strings.Cut(rest, "].")
		if _, err := strconv.Atoi(n); err == nil && ok {
			return "h." + n + "." + field
		}
	}
	if place == "photo" {
		return "photo_file"
	}
	return place
}

// domainProblems puts what the domain found wrong beside the inputs, in the reader's language.
func (s *server) domainProblems(lang string, err error) map[string]string {
	var found license.Problems
	if !errors.As(err, &found) {
		return nil
	}
	problems := make(map[string]string, len(found))
	for _, p := range found {
		problems[placeInput(p.Place)] = s.problemText(lang, p)
	}
	return problems
}

// problemText is one problem in the reader's language.
func (s *server) problemText(lang string, p license.Problem) string {
	if key := "problem." + p.Code; lang != langEN && s.words.has(key) {
		return s.words.say(lang, key)
	}
	return p.Message
}
