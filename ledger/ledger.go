// Package ledger is the province's append-only log (存证日志): what an entry says, how entries become one SM3 Merkle tree,
// what a checkpoint, a cosignature, a promise and a proof look like to the byte, and how each is checked by someone who
// has nothing but public keys. It learns no name and no ID number.
//
// Engines (ledger/tile, ledger/fabric) implement Engine; a reader needs only ParseProof and Proof.Verify.
package ledger

import (
	"context"
	"crypto"
	"encoding/base64"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// Hash is an SM3 value: of a leaf, of a node, of a root, or a commitment.
type Hash = gm.Digest

// Limits for bytes that come from strangers, and for what an engine takes.
const (
	MaxEntry      = 4 << 10  // bytes of one entry
	MaxBatch      = 4096     // entries of one Append
	MaxCheckpoint = 16 << 10 // bytes of a checkpoint with all its cosignatures
	MaxProofFile  = 64 << 10 // bytes of a .proof file
	MaxSize       = 1 << 40  // leaves of one log
	MaxPath       = 63       // hashes of one inclusion or consistency proof (C2SP tlog-witness)
)

// Signer is the part of a key that the ledger uses; hsm.Key fits it. Public is an SM2 key and SignDigest gives strict DER.
type Signer interface {
	Public() crypto.PublicKey
	SignDigest(ctx context.Context, e [32]byte) ([]byte, error)
}

// publicKey is the SM2 key of a signer.
func publicKey(s Signer) (*gm.PublicKey, error) {
	pub, ok := s.Public().(*gm.PublicKey)
	if !ok || !gm.IsSM2(pub) {
		return nil, fault.New(fault.Invalid, "ledger_key_not_sm2", "a ledger key must be an SM2 key")
	}
	return pub, nil
}

func malformed(code, message string) error { return fault.New(fault.Invalid, code, message) }

func encodeHash(h Hash) string { return base64.StdEncoding.EncodeToString(h[:]) }

// decodeHash reads the one base64 spelling of a hash: the decoder alone would also take line breaks inside.
func decodeHash(s string) (Hash, bool) {
	var h Hash
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(h) || len(s) != base64.StdEncoding.EncodedLen(len(h)) {
		return h, false
	}
	copy(h[:], b)
	return h, true
}
