package license

import (
	"context"
	"slices"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// What the domain needs of others. Each interface is as small as its use; cmd/yinxin hands in what fulfils it.

// Offices is the table of organisations (机构目录) that every process holds.
type Offices interface {
	Office(uscc string) (Office, bool)
}

// Office is an organisation that issues licenses.
type Office struct {
	USCC  string
	Name  string
	Cell  uint16
	Kinds []string // 证照类型代码 of the kinds that it issues (一数一源); none: it issues nothing
}

// Issues reports whether the office is an issuer of a kind.
func (o Office) Issues(kind string) bool { return slices.Contains(o.Kinds, kind) }

// Secret seals, opens and authenticates under one named data key.
type Secret interface {
	Seal(ctx context.Context, plain, aad []byte) ([]byte, error)
	Open(ctx context.Context, sealed, aad []byte) ([]byte, error)
	MAC(ctx context.Context, data []byte) ([32]byte, error)
}

// Vault finds the data keys: one for each cell, and one for the blind indexes of the whole province.
type Vault interface {
	Cell(ctx context.Context, cell uint16) (Secret, error)
	Blind(ctx context.Context) (Secret, error)
}

// Files keeps sealed files under the SM3 of their bytes.
type Files interface {
	Put(ctx context.Context, data []byte) (gm.Digest, error)
	Get(ctx context.Context, name gm.Digest) ([]byte, error)
	Delete(ctx context.Context, name gm.Digest) error
}

// SealInfo is what drawing needs to know of an office's seal before it is used.
type SealInfo struct {
	SealDER  []byte  // the seal structure, as it stands beside the signature
	WidthMM  float64 // of its picture
	HeightMM float64
	Provider string // who makes the signature: software name, version, company
	Version  string
	Company  string
}

// SealRequest asks for an issuing seal over the digest of a signature's description.
type SealRequest struct {
	Office       string
	License      ID
	DataHash     []byte // SM3 of Signature.xml
	PropertyInfo string // its absolute path in the package
	At           time.Time
	Act          Act
}

// Sealer puts an office's seal under a digest. An error of the kind Unavailable means: try later.
type Sealer interface {
	SealFor(ctx context.Context, office string) (SealInfo, error)
	Seal(ctx context.Context, req SealRequest) (signedValue []byte, err error)
}

// DrawInput is everything that a license file shows and holds.
type DrawInput struct {
	License   License
	Kind      Kind
	Face      Face
	Metadata  Metadata
	Photo     []byte
	Static    string // the static code's URL
	IssueDate string // yyyy-mm-dd
	Seal      SealInfo
	SignedAt  time.Time // claimed time of sealing, in the signature's description
}

// Unsigned is a license file that lacks only its signature value.
type Unsigned interface {
	DataHash() []byte     // SM3 of the issuing seal's Signature.xml
	PropertyInfo() string // absolute path of that file
	Finish(signedValue []byte) ([]byte, error)
}

// Drawer draws a license as OFD.
type Drawer interface {
	// Fits tells whether everything can be printed: a character that the font lacks, or a text that is too long for its
	// place, is an Invalid error. Seal and signed time may be missing.
	Fits(in DrawInput) error
	Draw(in DrawInput) (Unsigned, error)
}

// StaticSigner signs static codes, and knows whose signature on one counts.
type StaticSigner interface {
	// StaticKey is the key that an office's new codes are signed with.
	StaticKey(ctx context.Context, office string) (*gm.PublicKey, error)
	// StaticKeys are all keys that codes in circulation may be signed with, present and past. A code is printed for years:
	// a key that has been replaced stays here.
	StaticKeys(ctx context.Context) ([]*gm.PublicKey, error)
	SignStatic(ctx context.Context, office string, e [32]byte) (der []byte, err error)
}

// StatusSigner signs status lists and evidence with the province's key for them.
type StatusSigner interface {
	StatusKey(ctx context.Context) (*gm.PublicKey, error)
	SignStatus(ctx context.Context, e [32]byte) (der []byte, err error)
}

// IssueFact is what the ledger must learn of an issue.
type IssueFact struct {
	At       time.Time
	Issuer   string
	Kind     string
	Ref      [32]byte
	Commit   [32]byte  // SM3(salt ‖ document digest ‖ face digest)
	Previous *[32]byte // ref of the license that this one supersedes
}

// StatusFact is what the ledger must learn of a change of status.
type StatusFact struct {
	At        time.Time
	Ref       [32]byte
	Status    State
	Effective time.Time
	Reason    string // reason code
}

// EntryEncoder writes ledger entries; leaf is the entry's id in the log.
type EntryEncoder interface {
	EncodeIssue(f IssueFact) (entry []byte, leaf [32]byte, err error)
	EncodeStatus(f StatusFact) (entry []byte, leaf [32]byte, err error)
}

// Inclusion knows whether the log has an entry under a checkpoint.
type Inclusion interface {
	Included(ctx context.Context, leaf [32]byte) (bool, error)
}
