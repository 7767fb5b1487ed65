package seal

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Act says who does something, for whom, under which matter and why. It travels with every command.
type Act struct {
	Actor      string // account or client that acts
	OnBehalfOf string // whom it acts for, where that is another
	Office     string // the actor's office
	Matter     string // 事项编码
	CaseNo     string // 办件编号
	Reason     string
	LegalBasis string
}

// DraftID names a draft: its cell in two bytes, then 16 random ones.
type DraftID [18]byte

// Cell is the cell that keeps the draft.
func (id DraftID) Cell() uint16 { return binary.BigEndian.Uint16(id[:2]) }

func (id DraftID) String() string { return hex.EncodeToString(id[:]) }

// ParseDraftID reads what String writes.
func ParseDraftID(s string) (DraftID, error) {
	var id DraftID
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(id) {
		return id, fault.New(fault.Invalid, "draft_id", "a draft's number is 36 hex digits")
	}
	return DraftID(raw), nil
}

// DraftState is where a draft stands.
type DraftState string

// The states of a draft. A draft that was not redeemed in time stays prepared and is refused by its expiry.
const (
	DraftPrepared DraftState = "prepared"
	DraftRedeemed DraftState = "redeemed" // taken by one Apply; the key is being used
	DraftApplied  DraftState = "applied"
	DraftFailed   DraftState = "failed" // the key or the output was not good; prepare anew
)

// DraftStates lists all states of a draft. The CHECK constraint seal_draft_state_known names the same.
func DraftStates() []DraftState {
	return []DraftState{DraftPrepared, DraftRedeemed, DraftApplied, DraftFailed}
}

// Can reports whether next may follow s.
func (s DraftState) Can(next DraftState) bool {
	return s == DraftPrepared && next == DraftRedeemed || s == DraftRedeemed && (next == DraftApplied || next == DraftFailed)
}

// Draft is one sealing that was decided and not yet done: the exact bytes to be signed, stored before the key is
// touched, good for one use and a short time.
type Draft struct {
	ID        DraftID
	SealID    string
	TBS       []byte   // TBS_Sign, DER; emptied once the draft is applied or failed
	Digest    [32]byte // e = SM3(Z ‖ TBS): what the key signs
	CreatedAt time.Time
	ExpiresAt time.Time
	State     DraftState
	Act       Act
}

// DraftStore keeps seals' rows and drafts, each in its cell. Errors are *fault.Error.
type DraftStore interface {
	// Seal finds a seal; seal_unknown (NotFound) if there is none.
	Seal(ctx context.Context, cell uint16, id string) (Row, error)
	// CountDrafts counts the seal's drafts made since a time.
	CountDrafts(ctx context.Context, cell uint16, sealID string, since time.Time) (int, error)
	// InsertDraft stores a prepared draft with its audit record in one transaction.
	InsertDraft(ctx context.Context, d Draft) error
	// RedeemDraft takes a prepared, unexpired draft in one conditional statement: of many callers one gets it, the others
	// get draft_redeemed (Conflict). draft_expired (Conflict) and draft_unknown (NotFound) say the rest.
	RedeemDraft(ctx context.Context, id DraftID, now time.Time) (Draft, error)
	// FinishDraft marks a redeemed draft applied or failed, and empties its TBS.
	FinishDraft(ctx context.Context, id DraftID, s DraftState, now time.Time) error
}

// The refusals of RedeemDraft, so that every store says the same.
func ErrDraftRedeemed() error {
	return fault.New(fault.Conflict, "draft_redeemed", "this draft has been used").WithHint("prepare a new one")
}

// ErrDraftExpired is the refusal of a draft whose time is over.
func ErrDraftExpired() error {
	return fault.New(fault.Conflict, "draft_expired", "this draft's time is over").WithHint("prepare a new one")
}

// ErrDraftUnknown is the refusal of a number that names no draft.
func ErrDraftUnknown() error {
	return fault.New(fault.NotFound, "draft_unknown", "there is no such draft")
}

// ErrSealUnknown is the refusal of a code that names no seal.
func ErrSealUnknown() error {
	return fault.New(fault.NotFound, "seal_unknown", "there is no such seal")
}
