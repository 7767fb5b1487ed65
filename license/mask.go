package license

import "strings"

// MaskName keeps of a person's name its first character and of an organisation's its first two and last four, so that
// somebody who knows the holder recognises the name and nobody else learns it.
func MaskName(name string, organisation bool) string {
	r := []rune(name)
	head, tail := 1, 0
	if organisation && len(r) > 8 {
		head, tail = 2, 4
	}
	return maskRunes(r, head, tail)
}

// MaskNumber keeps the first three and the last two characters of a number of eight or more, and the first one of a
// shorter one: neither the birth date nor the sequence of a citizen number shows.
func MaskNumber(code string) string {
	r := []rune(code)
	if len(r) < 8 {
		return maskRunes(r, 1, 0)
	}
	return maskRunes(r, 3, 2)
}

// Masked is the holder as somebody sees it who may not see it all.
func (h Holder) Masked() Holder {
	t, ok := LookupHolderType(h.Type)
	return Holder{
		Type: h.Type, Code: MaskNumber(h.Code), Name: MaskName(h.Name, ok && t.Organisation), Role: h.Role, Part: h.Part,
	}
}

func maskRunes(r []rune, head, tail int) string {
	if len(r) <= head+tail {
		head, tail = min(head, max(len(r)-1, 0)), 0
	}
	return string(r[:head]) + strings.Repeat("*", len(r)-head-tail) + string(r[len(r)-tail:])
}
