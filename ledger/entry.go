package ledger

import (
	"time"
)

// EntryVersion is the version of the entry format that this package writes.
const EntryVersion = 1

// Type says what an entry records.
type Type uint8

// The types of entries. Numbers are for life.
const (
	TypeIssue     Type = 1 // 签发
	TypeRenew     Type = 2 // 延续
	TypeSupersede Type = 3 // 换发
	TypeCorrect   Type = 4 // 更正

	TypeStatus Type = 16 // 状态变更

	TypeStatusListEpoch Type = 32 // 状态列表期次
	TypeSealLifeCycle   Type = 33 // 印章生命周期
	TypeSealPolicy      Type = 34 // 用印策略
	TypeTrustList       Type = 35 // 信任列表
	TypeCatalogue       Type = 36 // 证照目录版本
	TypeKeyRotation     Type = 37 // 密钥更换
	TypeReceiptsRoot    Type = 38 // 核验回执汇总根
	TypeSealUseRoot     Type = 39 // 用印记录汇总根
	TypeAccessLogRoot   Type = 40 // 访问日志汇总根
)

// String is the stable name of the type.
func (t Type) String() string {
	switch t {
	case TypeIssue:
		return "issue"
	case TypeRenew:
		return "renew"
	case TypeSupersede:
		return "supersede"
	case TypeCorrect:
		return "correct"
	case TypeStatus:
		return "status"
	case TypeStatusListEpoch:
		return "status_list_epoch"
	case TypeSealLifeCycle:
		return "seal_life_cycle"
	case TypeSealPolicy:
		return "seal_policy"
	case TypeTrustList:
		return "trust_list"
	case TypeCatalogue:
		return "catalogue"
	case TypeKeyRotation:
		return "key_rotation"
	case TypeReceiptsRoot:
		return "receipts_root"
	case TypeSealUseRoot:
		return "seal_use_root"
	case TypeAccessLogRoot:
		return "access_log_root"
	}
	return "unknown"
}

// Entry is one of Issue, StatusChange and DigestEntry. Its bytes are deterministic CBOR (RFC 8949 §4.2.1): one entry has
// one encoding, and the SM3 of it, LeafHash, is its id.
type Entry interface {
	EntryType() Type
	// Marshal checks the entry and gives its bytes.
	Marshal() ([]byte, error)
}

// Issue (签发) records that a license came to be. Nothing in it can be guessed or enumerated: Ref is random and Commit
// holds a random salt.
type Issue struct {
	Type     Type      // TypeIssue, TypeRenew, TypeSupersede or TypeCorrect
	Time     time.Time // of the act; kept to the millisecond, UTC
	Issuer   string    // code of the issuing office, 1 to 64 of A-Z a-z 0-9 . _ : / -
	Kind     string    // code of the license kind, the same
	Ref      Hash      // 32 random bytes that stand for the license
	Commit   Hash      // Opening.Commit
	Previous *Hash     // Ref of the license that this one follows; never with TypeIssue
}

// EntryType is the entry's type.
func (e Issue) EntryType() Type { return e.Type }

// StatusChange (状态变更) records that a license's status changed.
type StatusChange struct {
	Time      time.Time // when it was decided; to the millisecond
	Ref       Hash      // the license's
	Status    string    // the new status, 1 to 64 of the same characters, such as "revoked"
	Effective time.Time // from when on it holds; to the millisecond
	Reason    string    // the class of the reason, never its text
}

// EntryType is TypeStatus.
func (e StatusChange) EntryType() Type { return TypeStatus }

// DigestEntry (摘要存证) records a version of something that is published or kept elsewhere: a status list, a seal, a policy,
// the trust list, the catalogue, a key, or the root of a batch of receipts.
type DigestEntry struct {
	Type    Type      // from TypeStatusListEpoch on
	Time    time.Time // to the millisecond
	Subject string    // which one, 1 to 128 of A-Z a-z 0-9 . _ : / -
	Digest  Hash      // SM3 of the thing
	Version uint64    // its version, epoch or sequence number, from 1 on
}

// EntryType is the entry's type.
func (e DigestEntry) EntryType() Type { return e.Type }
