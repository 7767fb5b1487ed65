package license

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// IdentifierRoot is the object identifier under which every license identifier stands (GB/T 36904).
const IdentifierRoot = "1.2.156.3005.2"

// Identifier is a license identifier (电子证照标识, GB/T 36904): root.kind.office.serial.version.check.
type Identifier struct {
	Kind    string // 证照类型代码, 21 characters: USCC of the defining body and three more
	Office  string // 证照颁发机构代码: USCC; some deployments put a region code of 6 digits
	Serial  string // 流水号: 1 to 32 upper-case letters and digits
	Version int    // 版本号, 1 to 999
}

// String writes the identifier with its check character.
func (i Identifier) String() string {
	body := i.Kind + i.Office + i.Serial + fmt.Sprintf("%03d", i.Version)
	c, _ := CheckCharacter(body)
	return fmt.Sprintf("%s.%s.%s.%s.%03d.%c", IdentifierRoot, i.Kind, i.Office, i.Serial, i.Version, c)
}

// ParseIdentifier reads an identifier strictly: seven fields after one another, the check digits of both credit codes where
// they are credit codes, and the check character.
func ParseIdentifier(s string) (Identifier, error) {
	bad := fault.New(fault.Invalid, "identifier_malformed", "this is not a license identifier").
		WithHint("an identifier starts with 1.2.156.3005.2 and ends with a check character")
	if len(s) > 128 {
		return Identifier{}, bad
	}
	rest, ok := strings.CutPrefix(s, IdentifierRoot+".")
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 5 {
		return Identifier{}, bad
	}
	version, err := strconv.Atoi(parts[3])
	if err != nil || len(parts[3]) != 3 || version < 1 || len(parts[4]) != 1 || !validKindCode(parts[0]) ||
		!validIssuerCode(parts[1]) || !validSerial(parts[2]) {
		return Identifier{}, bad
	}
	c, ok := CheckCharacter(strings.Join(parts[:4], ""))
	if !ok || parts[4][0] != c {
		return Identifier{}, fault.New(fault.Invalid, "identifier_check", "the identifier's check character does not fit").
			WithHint("one character is probably mistyped")
	}
	return Identifier{Kind: parts[0], Office: parts[1], Serial: parts[2], Version: version}, nil
}

// CheckCharacter computes the check character of ISO/IEC 7064 MOD 37,36 over digits and upper-case letters; ok is false
// for anything else and for nothing at all.
func CheckCharacter(body string) (c byte, ok bool) {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if body == "" {
		return 0, false
	}
	p := 36
	for i := range len(body) {
		a := strings.IndexByte(alphabet, body[i])
		if a < 0 {
			return 0, false
		}
		s := (p + a) % 36
		if s == 0 {
			s = 36
		}
		p = 2 * s % 37
	}
	return alphabet[(37-p)%36], true
}

func validKindCode(s string) bool {
	return len(s) == 21 && ValidUSCC(s[:18]) && validSerial(s[18:])
}

func validIssuerCode(s string) bool {
	if len(s) == 6 {
		_, err := strconv.ParseUint(s, 10, 32)
		return err == nil
	}
	return ValidUSCC(s)
}

func validSerial(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
