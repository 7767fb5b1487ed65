package license

import (
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// ShowRequest asks for a dynamic code (亮证码, mode R) for one license of a holder.
type ShowRequest struct {
	License ID
	Viewer  []Holder // the holder identities that the signed-in person may use; one of them must be on the license
	Mask    uint32   // bit i set: field i of the kind may be disclosed; 0 means the kind's default preset
	Purpose string   // shown in the holder's log
	Act     Act
}

// Shown is a minted code.
type Shown struct {
	Code      string // HTTPS://HOST/P/…
	Handle    string // Base32 of the handle, for the log
	ExpiresAt time.Time
	Fields    []Field // what the code discloses
}

// Verifier is who checks a code. Only one with an account or client consumes it.
type Verifier struct {
	Authenticated bool   // false: an ordinary camera; nothing is disclosed and nothing consumed
	Audience      string // organisation code of the verifier
	Act           Act
}

// Outcome is what a verifier gets for a code.
type Outcome struct {
	Report      verdict.Report
	Face        []Field   // disclosed fields, only for an authenticated verifier and an accepted code
	Holders     []Holder  // masked names and numbers
	KindName    string    // also for anybody
	OfficeName  string    // also for anybody
	State       State     // also for anybody
	EndedAt     time.Time // when not in force any more
	EndReason   string
	EndOffice   string
	Receipt     string    // receipt number of an accepted code
	FirstUsedAt time.Time // when the code was consumed before
}

// RevokeRequest ends a license (撤销).
type RevokeRequest struct {
	License ID
	Reason  string // reason code of the catalogue, such as "issued_in_error", "law_violation", "applicant_request"
	Act     Act
}
