package license

import (
	"context"
	"time"
)

// Row is a license as it is stored: nothing personal in plain.
type Row struct {
	ID             ID
	Identifier     string
	Kind           string
	KindVersion    int
	Office         string
	Version        int
	State          State
	Revision       int64 // raised by every change of state
	AcceptedAt     time.Time
	IssueDate      string // yyyy-mm-dd, as printed
	IssuedAt       time.Time
	EndedAt        time.Time
	EndReason      string
	ValidFrom      string
	ValidTo        string
	StatusList     uint32
	StatusIndex    uint32
	Grade          string
	Sealed         []byte // sealedBody under the cell's data key
	PhotoBlob      []byte // name of the sealed photo; empty: none
	PhotoKey       []byte // its wrapped key
	FileBlob       []byte // name of the sealed file
	FileKey        []byte // its wrapped key
	DocumentDigest []byte
	FaceDigest     []byte
	StaticSealed   []byte // the static code's record under the cell's data key
	Ref            []byte
	Salt           []byte
	IssueLeaf      []byte // id of the issue's ledger entry
	EndLeaf        []byte // id of the latest status change's ledger entry
	LedgerState    string // of the latest entry: "none", "queued", "promised"
	Holders        []HolderRow
}

// HolderRow is a holder as stored.
type HolderRow struct {
	Role   string
	Index  []byte // blind index of type and code
	Sealed []byte // JSON of the Holder under the cell's data key
}

// Record is one act for the audit of a license.
type Record struct {
	At     time.Time
	Act    EventAct
	By     ActorKind
	Who    Act
	State  State
	Fields []string
	Code   string // receipt of an accepted code, Base32
}

// Outgoing is what goes into the outbox with a fact.
type Outgoing struct {
	Entry     []byte // ledger entry; empty: none
	Leaf      []byte // its key
	Directory []byte // DirectoryEntry as JSON; its key is made of license and revision
}

// AcceptRow is everything that accepting a request writes, in one transaction.
type AcceptRow struct {
	Row        Row
	Number     []byte   // blind index of the business number
	Content    []byte   // digest of the request's content
	Candidates []uint32 // random status indices to choose from
	Record     Record
	Out        Outgoing
}

// NumberKey is the idempotency key of a request.
type NumberKey struct {
	Office  string
	Kind    string
	Number  []byte
	Version int
}

// Taken says which license has a number.
type Taken struct {
	License ID
	Content []byte
}

// AcceptResult says which status index a new license got, or that its number is taken.
type AcceptResult struct {
	Taken *Taken // nil: accepted
	List  uint32
	Index uint32
}

// Licenses stores licenses. All methods speak to the one cell that their ID or code names; an ID of no known cell is
// NotFound, a cell that does not answer is Unavailable.
type Licenses interface {
	// Accept stores a new license with State Accepted and a free status index. When the number is taken already it changes
	// nothing and says by whom. An error with fault code "commit_unknown" means that it may or may not have happened.
	Accept(ctx context.Context, cell uint16, a AcceptRow) (AcceptResult, error)
	ByNumber(ctx context.Context, cell uint16, k NumberKey) (*Taken, error) // nil: free
	License(ctx context.Context, id ID) (Row, error)
	ByOffice(ctx context.Context, cell uint16, office string, max int) ([]Row, error) // newest first
	// End moves a license from Issued or Suspended to row.State; false: it was in none of them.
	End(ctx context.Context, e EndRow) (bool, error)
	Record(ctx context.Context, id ID, r Record) error
	Records(ctx context.Context, id ID, max int) ([]Record, error) // newest first
}

// EndRow ends a license.
type EndRow struct {
	ID       ID
	State    State
	Revision int64 // that the license has now; the new one is greater by one
	At       time.Time
	Reason   string
	Record   Record
	Out      Outgoing
}

// Claim is a license that one sealing worker has for a while.
type Claim struct {
	Row      Row
	Attempts int // this one included
}

// IssuedRow is everything that issuing writes.
type IssuedRow struct {
	Row    Row // ID, Revision as claimed, IssuedAt, FileBlob, FileKey, digests, StaticSealed, Ref, Salt, IssueLeaf
	Record Record
	Out    Outgoing
}

// SealQueue keeps the licenses that wait for their seal.
type SealQueue interface {
	// Claim takes at most max licenses whose time has come, for the length of the lease.
	Claim(ctx context.Context, cell uint16, now time.Time, lease time.Duration, max int) ([]Claim, error)
	// Postpone gives a claimed license back; code says why, for operators.
	Postpone(ctx context.Context, id ID, until time.Time, code string) error
	// Issue moves a license from Accepted to Issued; false: it was not accepted any more.
	Issue(ctx context.Context, i IssuedRow) (bool, error)
}

// HandleRow is a code handle with what is needed to judge it.
type HandleRow struct {
	Handle    Handle
	Holder    []byte // blind index of who showed it
	Device    []byte // sealed device key
	MintedAt  time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
	UsedBy    string // organisation code
	Receipt   []byte // of the use
	License   Row    // with State, dates, Sealed and Holders
}

// Codes stores handles of dynamic codes and test-wallet device keys.
type Codes interface {
	// Mint stores a fresh handle. device is a sealed key for the case that this license and holder have none yet; the one
	// that holds is returned.
	Mint(ctx context.Context, h HandleRow, device []byte, r Record) (sealed []byte, err error)
	Handle(ctx context.Context, h Handle) (HandleRow, error)
	// Consume uses a handle up, once, if the license still has the revision; false: it was used or the license changed.
	Consume(ctx context.Context, h Handle, license ID, revision int64, at time.Time, by string, receipt ID, r Record) (bool, error)
}

// Slot is a place in a status list with the state of its license.
type Slot struct {
	Index uint32
	State State
}

// StatusLists reads what the status lists are made of.
type StatusLists interface {
	Lists(ctx context.Context, cell uint16) ([]uint32, error)
	NotIssued(ctx context.Context, list uint32) ([]Slot, error) // every slot whose license is not Issued
}

// DirectoryMessage is an unsettled message of a cell's outbox.
type DirectoryMessage struct {
	ID      int64
	Payload []byte
}

// DirectoryRow is one holder's line in the province's directory (证照目录).
type DirectoryRow struct {
	Holder    []byte
	License   ID
	Kind      string
	Office    string
	State     State
	Role      string
	ValidFrom string
	ValidTo   string
	Grade     string
	Revision  int64
	UpdatedAt time.Time
}

// Directory is who holds what in the whole province, filled from the cells' outboxes.
type Directory interface {
	PendingDirectory(ctx context.Context, cell uint16, max int) ([]DirectoryMessage, error)
	DoneDirectory(ctx context.Context, cell uint16, ids []int64) error
	// PutDirectory inserts rows and raises older ones; a row with the same or a greater revision stays.
	PutDirectory(ctx context.Context, rows []DirectoryRow) error
	ByHolder(ctx context.Context, holder []byte, max int) ([]DirectoryRow, error) // newest first
	// RecordFound records one search for every license that it listed, in the province.
	RecordFound(ctx context.Context, licenses []ID, r Record) error
	FoundRecords(ctx context.Context, license ID, max int) ([]Record, error) // newest first
}

// Store is all of the storage.
type Store interface {
	Licenses
	SealQueue
	Codes
	StatusLists
	Directory
}
