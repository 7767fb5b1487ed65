package ledger

import "github.com/yinxin-trust/yinxin/internal/gm"

// Opening (承诺的开启值) is what ties a license file to its entry. It is kept with the license and travels in the proof
// file; once Ref and Salt are destroyed, nothing connects what stays in the log with anybody.
type Opening struct {
	Ref            Hash // the entry's
	Salt           Hash // 32 random bytes
	DocumentDigest Hash // SM3 of the issuing seal's Signature.xml (the seal's dataHash)
	FaceDigest     Hash // the one in the static code
}

// Commit is SM3(salt ‖ document digest ‖ face digest).
func (o Opening) Commit() Hash { return gm.SM3(o.Salt[:], o.DocumentDigest[:], o.FaceDigest[:]) }
