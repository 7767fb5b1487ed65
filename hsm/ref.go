package hsm

import (
	"fmt"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// MaxRef is the longest name of a key in bytes.
const MaxRef = 120

// ParseRef reads a name that came from outside (a configuration, a command line, a request). A malformed one is Invalid
// with the code CodeRefInvalid.
func ParseRef(s string) (Ref, error) {
	r := Ref(s)
	if err := r.Check(); err != nil {
		return "", err
	}
	return r, nil
}

// Valid reports whether r follows the rule of Ref.
func (r Ref) Valid() bool { return r.problem() == "" }

// Check is nil for a valid name, else an Invalid fault that says which part of the rule is broken.
func (r Ref) Check() error {
	p := r.problem()
	if p == "" {
		return nil
	}
	return fault.Wrap(fmt.Errorf("ref %.140q: %s", string(r), p), fault.Invalid, CodeRefInvalid, "the name of the key is malformed").
		WithHint("a key's name is segments of a-z, 0-9, '-' and '.', each starting with a letter or digit, joined by '/', at most 120 bytes")
}

// problem is empty for a valid name. A segment starts with a letter or digit, so that no name is a relative path ("..")
// or looks like an option ("-rf") where a device or a tool uses it as one.
func (r Ref) problem() string {
	if r == "" {
		return "empty"
	}
	if len(r) > MaxRef {
		return "longer than 120 bytes"
	}
	for segment := range strings.SplitSeq(string(r), "/") {
		if segment == "" {
			return "an empty segment"
		}
		if segment[0] == '.' || segment[0] == '-' {
			return "a segment that starts with '.' or '-'"
		}
		for i := range len(segment) {
			c := segment[i]
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
				return "a character outside a-z, 0-9, '-', '.' and '/'"
			}
		}
	}
	return ""
}
