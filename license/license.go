// Package license decides that a license exists and in which state: catalogue, issuing, revoking, presentations, status
// lists and verdicts. It signs nothing itself and speaks to no network; what it needs from others it states as small
// interfaces.
package license

import (
	"encoding/base32"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// ID is a key of our own making: two bytes of cell code, big-endian, then 16 random bytes. Licenses, receipts, code
// handles' stems and static codes use it; it says where a thing lives and nothing else.
type ID [18]byte

// idText is RFC 4648 Base32 without padding, upper case, as in QR alphanumeric mode.
func idText() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }

// String is the ID in 29 characters of Base32.
func (id ID) String() string { return idText().EncodeToString(id[:]) }

// Cell is the code of the cell in which the thing lives.
func (id ID) Cell() uint16 { return uint16(id[0])<<8 | uint16(id[1]) }

// ParseID reads what String writes.
func ParseID(s string) (ID, error) {
	b, err := idText().DecodeString(s)
	if err != nil || len(b) != len(ID{}) || idText().EncodeToString(b) != s {
		return ID{}, fault.New(fault.Invalid, "license_id_malformed", "this is not a license ID").
			WithHint("a license ID has 29 letters and digits, such as the API and the wallet show it")
	}
	return ID(b), nil
}

// Act says who acts, for whom, where and why; it travels with every command, audit record and event.
type Act struct {
	Actor      string // account or client ID of our own, never a name or number
	OnBehalfOf string // account ID or organisation code (USCC) for whom the actor acts
	Office     string // organisation code (USCC) of the office that acts
	Matter     string // 事项编码
	CaseNo     string // 办件编号
	Reason     string // reason code or words; no personal data
	LegalBasis string // 法律依据
}

// Holder is a person or organisation that a license is about (持证主体), or a guardian who may use it.
type Holder struct {
	Type string `json:"type"`           // 持证主体代码类型 of GB/T 36903: "111" citizen number, "001" USCC, …
	Code string `json:"code"`           // the number, normalised, check digit verified for types 111 and 001
	Name string `json:"name"`           // as printed
	Role string `json:"role,omitempty"` // RoleHolder (also when empty) or RoleGuardian
	Part string `json:"part,omitempty"` // share of a co-owner, as printed: "1/2", "共同共有"
}

// The roles of a Holder row.
const (
	RoleHolder   = "holder"
	RoleGuardian = "guardian" // may see and show it, is not printed as holder
)

// State of a license (证照状态). Names are those of CHECK constraints and of the API.
type State string

// The states; see docs/architecture.md for the diagram.
const (
	Draft      State = "draft"
	Accepted   State = "accepted" // promised to the applicant, sealing pending; never valid to a verifier
	Issued     State = "issued"
	Suspended  State = "suspended"
	Revoked    State = "revoked"
	Expired    State = "expired"
	Superseded State = "superseded"
	Cancelled  State = "cancelled"
	Archived   State = "archived"
)

// IssueRequest asks for one license. (Office, Kind, BusinessNo, Version) identifies it: the same request again gives the
// same license, the same numbers with other content are a Conflict "business_number_conflict".
type IssueRequest struct {
	Kind       string // catalogue code of the kind (证照类型代码, 21 characters)
	Office     string // USCC of the issuing office (证照颁发机构代码)
	BusinessNo string // 证照编号 as printed, unique for office, kind and version
	Version    int    // 证照版本号, 1 to 999; 0 means 1
	Holders    []Holder
	Fields     map[string]string // field code of the kind → value
	ValidFrom  string            // yyyy-mm-dd, empty: the day of issue
	ValidTo    string            // yyyy-mm-dd, empty: no end
	Photo      []byte            // PNG or JPEG, at most 200 KB, where the kind has one
	Act        Act
}

// Field is one value of a license with its name as printed.
type Field struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// License is a license with everything opened. Only the issuer's officers, its holders and guardians get to see one.
type License struct {
	ID             ID
	Identifier     string // 证照标识, GB/T 36904
	Kind           string
	KindName       string
	KindVersion    int
	Office         string
	OfficeName     string
	BusinessNo     string
	Version        int
	State          State
	Holders        []Holder
	Fields         []Field
	ValidFrom      string
	ValidTo        string
	AcceptedAt     time.Time
	IssuedAt       time.Time // zero until issued
	EndedAt        time.Time // zero while in force
	EndReason      string
	StatusList     uint32 // cell ‖ shard
	StatusIndex    uint32
	DocumentDigest []byte // SM3 of the issuing seal's Signature.xml; empty until issued
	LedgerState    string // "none", "queued", "promised", "included"
}

// Card is a license as a wallet lists it, from the directory alone: nothing on it needs the license's cell.
type Card struct {
	ID         ID
	Kind       string
	KindName   string
	Office     string
	OfficeName string
	State      State
	Role       string // of the holder who asked
	ValidTo    string
	UpdatedAt  time.Time
	Grade      string // "" for born here; A, B, C for imported
}
