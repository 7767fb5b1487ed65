package seal

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Row is a seal in the registry of its office's cell (印章登记).
type Row struct {
	ID         string // esID, the seal's code
	Cell       uint16
	Office     string // USCC of the owner (统一社会信用代码)
	Name       string
	State      State
	Since      time.Time // when it came into this state
	KeyRef     string    // name of the signing key in the HSM
	DER        []byte    // SESeal; empty until made
	SignerCert []byte    // DER; empty until made
	MakerCert  []byte    // DER; empty until made
	Limits     Limits
	CreatedAt  time.Time
}

// Limits is the policy of one seal.
type Limits struct {
	Matters []string // 事项编码 it may be used for; empty: any
	PerDay  int      // uses in 24 hours; 0: no limit
}

// Made is what making adds to a row.
type Made struct {
	DER        []byte
	SignerCert []byte
	MakerCert  []byte
	KeyRef     string
}

// Registry keeps seals and their history. Every change goes in with its audit record in one transaction. Errors are
// *fault.Error.
type Registry interface {
	// InsertSeal adds a seal in StateRequested; seal_exists (Conflict) if its code is taken.
	InsertSeal(ctx context.Context, r Row, act Act) error
	// Seal finds a seal; seal_unknown (NotFound) if there is none.
	Seal(ctx context.Context, cell uint16, id string) (Row, error)
	// Seals lists an office's seals by code, at most 1,000.
	Seals(ctx context.Context, cell uint16, office string) ([]Row, error)
	// ChangeSeal moves a seal to its next state in one conditional statement; seal_state (Conflict) if it is not in from or
	// from cannot be followed by to. made is for the step to StateMade alone.
	ChangeSeal(ctx context.Context, cell uint16, id string, from, to State, made *Made, act Act, at time.Time) error
	// SealAt is the state at a past instant and since when it held; seal_unknown if the seal did not exist then.
	SealAt(ctx context.Context, cell uint16, id string, at time.Time) (State, time.Time, error)
}

// ErrSealExists is the refusal of a code that is taken.
func ErrSealExists() error {
	return fault.New(fault.Conflict, "seal_exists", "there is already a seal with this code")
}

// ErrSealState is the refusal of a step that the seal's state does not allow.
func ErrSealState() error {
	return fault.New(fault.Conflict, "seal_state", "the seal's state does not allow this")
}
