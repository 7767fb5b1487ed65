package identity

import (
	"fmt"
	"slices"
)

// ACR names how strongly a sign-in was proved, on two axes:
//
//	urn:yinxin:acr:ial{2..5}:aal{1..2}
//
// ial is the level of real-name proofing (实名等级): how well we know the person behind the account. aal is the strength
// of the authenticators (鉴别器等级) that this session saw: 1 for a password alone, 2 with a device key or a second
// factor. It is computed from the account and the session, never copied from a request.
func ACR(level int, amr []string) string {
	return fmt.Sprintf("urn:yinxin:acr:ial%d:aal%d", level, authenticatorLevel(amr))
}

// ACRs lists the values that sign-ins of this version can reach, for acr_values_supported.
func ACRs() []string {
	out := make([]string, 0, MaxLevel-MinLevel+1)
	for level := MinLevel; level <= MaxLevel; level++ {
		out = append(out, ACR(level, []string{AMRPassword}))
	}
	return out
}

// The lowest and highest real-name level (实名等级).
const (
	MinLevel = 2
	MaxLevel = 5
)

// Authentication methods of RFC 8176 as they stand in amr.
const (
	AMRPassword = "pwd"
	AMRHardware = "hwk"
	AMROneTime  = "otp"
)

func authenticatorLevel(amr []string) int {
	if slices.Contains(amr, AMRHardware) || slices.Contains(amr, AMROneTime) {
		return 2
	}
	return 1
}
