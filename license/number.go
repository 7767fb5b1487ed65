package license

import (
	"strings"
	"time"
)

// NormalizeCode removes the white space around a number and raises its letters, as holders' codes are compared and
// indexed: 11010519491231002x and 11010519491231002X are one citizen.
func NormalizeCode(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// ValidCitizenNumber checks a citizen number (公民身份号码, GB 11643): six digits of region, a birth date that exists, three of
// sequence, and the check character of ISO 7064 MOD 11-2. It wants the normal form.
func ValidCitizenNumber(s string) bool {
	if len(s) != 18 {
		return false
	}
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		d := s[i]
		if d < '0' || d > '9' {
			return false
		}
		sum += int(d-'0') * w
	}
	if _, err := time.Parse("20060102", s[6:14]); err != nil {
		return false
	}
	return s[17] == "10X98765432"[sum%11]
}

// ValidUSCC checks a unified social credit code (统一社会信用代码, GB 32100): 18 characters of an alphabet without I, O, S, V, Z,
// the last a check character over the others. It wants the normal form.
func ValidUSCC(s string) bool {
	if len(s) != 18 {
		return false
	}
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	weights := [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	sum := 0
	for i, w := range weights {
		v := strings.IndexByte(alphabet, s[i])
		if v < 0 {
			return false
		}
		sum += v * w
	}
	for _, c := range s[2:8] { // the region is digits
		if c < '0' || c > '9' {
			return false
		}
	}
	return s[17] == alphabet[(31-sum%31)%31]
}
