package license

import (
	"bytes"
	"compress/zlib"
	"context"
	"io"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// StatusListSize is how many indices one list (shard) has.
const StatusListSize = 1 << 20

// StatusLife is how long a status statement is good for; the next one comes well before.
const StatusLife = 24 * time.Hour

// The values of a status list: two bits for each license, as in the IETF Token Status List.
const (
	StatusInForce   uint8 = 0
	StatusNot       uint8 = 1 // revoked, cancelled, superseded, …: out of force for good
	StatusSuspended uint8 = 2
	StatusOurs      uint8 = 3 // accepted and not yet issued
)

// StatusValue is what a state says in a status list.
func StatusValue(s State) uint8 {
	switch s {
	case Issued:
		return StatusInForce
	case Suspended:
		return StatusSuspended
	case Draft, Accepted:
		return StatusOurs
	case Revoked, Expired, Superseded, Cancelled, Archived:
		return StatusNot
	}
	return StatusNot
}

// StatusBits is an uncompressed list: index i stands in byte i/4 at shift 2·(i mod 4), least significant bit first.
type StatusBits []byte

// NewStatusBits makes a list for n indices, all in force.
func NewStatusBits(n int) StatusBits { return make(StatusBits, (n+3)/4) }

// Set writes a value.
func (b StatusBits) Set(i uint32, v uint8) {
	shift := 2 * (i % 4)
	b[i/4] = b[i/4]&^(3<<shift) | v&3<<shift
}

// Get reads a value; an index out of range is not ok and must be refused.
func (b StatusBits) Get(i uint32) (v uint8, ok bool) {
	if uint64(i/4) >= uint64(len(b)) {
		return 0, false
	}
	return b[i/4] >> (2 * (i % 4)) & 3, true
}

// Compress packs the list with DEFLATE in ZLIB at the best level, the very bytes that a Token Status List carries.
func (b StatusBits) Compress() ([]byte, error) {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "status_compress", "the status list cannot be packed")
	}
	if _, err := w.Write(b); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "status_compress", "the status list cannot be packed")
	}
	if err := w.Close(); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "status_compress", "the status list cannot be packed")
	}
	return out.Bytes(), nil
}

// DecompressStatus unpacks a list of at most one shard.
func DecompressStatus(packed []byte) (StatusBits, error) {
	bad := fault.New(fault.Invalid, "status_malformed", "the status list cannot be read")
	in := bytes.NewReader(packed)
	r, err := zlib.NewReader(in)
	if err != nil {
		return nil, bad
	}
	b, err := io.ReadAll(io.LimitReader(r, StatusListSize/4+1))
	if err != nil || len(b) > StatusListSize/4 || in.Len() != 0 {
		return nil, bad
	}
	return b, nil
}

// StatusSnapshot is a whole list at one moment (状态快照), signed by the status-list key.
type StatusSnapshot struct {
	List       uint32    `json:"list"` // cell ‖ shard
	IssuedAt   time.Time `json:"issued_at"`
	NextUpdate time.Time `json:"next_update"`
	Bits       []byte    `json:"bits"` // ZLIB
	KeyID      string    `json:"key_id"`
	Signature  []byte    `json:"signature"` // strict DER
}

// Sign signs the snapshot. The message is the deterministic CBOR array ["yinxin status list 1", list, issued_at,
// next_update, SM3(bits), key_id], times in whole seconds since 1970.
func (s *StatusSnapshot) Sign(ctx context.Context, pub *gm.PublicKey, sign DigestSigner) error {
	s.KeyID = keyIDText(pub)
	sig, err := signMessage(ctx, pub, sign, s.message())
	s.Signature = sig
	return err
}

// Verify tells whether the snapshot was signed with the key.
func (s StatusSnapshot) Verify(pub *gm.PublicKey) bool {
	return s.KeyID == keyIDText(pub) && gm.Verify(pub, s.message(), s.Signature)
}

func (s StatusSnapshot) message() []byte {
	d := gm.SM3(s.Bits)
	b := cborArray(nil, 6)
	b = cborText(b, "yinxin status list 1")
	b = cborUint(b, uint64(s.List))
	b = cborUint(b, uint64(s.IssuedAt.Unix()))
	b = cborUint(b, uint64(s.NextUpdate.Unix()))
	b = cborBytes(b, d[:])
	return cborText(b, s.KeyID)
}

func keyIDText(pub *gm.PublicKey) string {
	id := KeyID(pub)
	return idText().EncodeToString(id[:])
}

func signMessage(ctx context.Context, pub *gm.PublicKey, sign DigestSigner, message []byte) ([]byte, error) {
	e, err := gm.SignatureDigest(pub, message)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "status_key", "the key for status lists is no SM2 key")
	}
	sig, err := sign(ctx, e)
	if err != nil {
		return nil, err
	}
	if !gm.VerifyDigest(pub, e, sig) {
		return nil, fault.New(fault.Internal, "status_signature", "the status statement's own signature does not verify")
	}
	return sig, nil
}
