package license

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// StatusEvidence is the signed status of one license at one moment (状态证据), as a proof file carries it. It names a place
// in a list; the static code of the file says whose place that is.
type StatusEvidence struct {
	List       uint32
	Index      uint32
	Value      uint8
	IssuedAt   time.Time // whole seconds, UTC
	NextUpdate time.Time
	KeyID      string
	Signature  []byte // strict DER
}

type evidenceJSON struct {
	List       *uint32 `json:"list"`
	Index      *uint32 `json:"index"`
	Value      *uint8  `json:"value"`
	IssuedAt   string  `json:"issued_at"`
	NextUpdate string  `json:"next_update"`
	KeyID      string  `json:"key_id"`
	Signature  string  `json:"signature"`
}

// Sign signs the evidence. The message is the deterministic CBOR array ["yinxin status 1", list, index, value, issued_at,
// next_update, key_id], times in whole seconds since 1970.
func (e *StatusEvidence) Sign(ctx context.Context, pub *gm.PublicKey, sign DigestSigner) error {
	e.IssuedAt, e.NextUpdate = e.IssuedAt.UTC().Truncate(time.Second), e.NextUpdate.UTC().Truncate(time.Second)
	e.KeyID = keyIDText(pub)
	sig, err := signMessage(ctx, pub, sign, e.message())
	e.Signature = sig
	return err
}

// Verify tells whether the evidence was signed with the key.
func (e StatusEvidence) Verify(pub *gm.PublicKey) bool {
	return e.KeyID == keyIDText(pub) && gm.Verify(pub, e.message(), e.Signature)
}

// Marshal is the evidence as a JSON object.
func (e StatusEvidence) Marshal() ([]byte, error) {
	return json.Marshal(evidenceJSON{
		List: &e.List, Index: &e.Index, Value: &e.Value,
		IssuedAt: e.IssuedAt.UTC().Format(time.RFC3339), NextUpdate: e.NextUpdate.UTC().Format(time.RFC3339),
		KeyID: e.KeyID, Signature: base64.StdEncoding.EncodeToString(e.Signature),
	})
}

// ParseStatusEvidence reads what Marshal writes, strictly. It does not check the signature: see Verify.
func ParseStatusEvidence(b []byte) (StatusEvidence, error) {
	bad := fault.New(fault.Invalid, "status_malformed", "the status evidence cannot be read")
	if len(b) > 4096 {
		return StatusEvidence{}, bad
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var j evidenceJSON
	if err := d.Decode(&j); err != nil || j.List == nil || j.Index == nil || j.Value == nil {
		return StatusEvidence{}, bad
	}
	if _, err := d.Token(); err != io.EOF {
		return StatusEvidence{}, bad
	}
	issued, err := evidenceTime(j.IssuedAt)
	if err != nil {
		return StatusEvidence{}, bad
	}
	next, err := evidenceTime(j.NextUpdate)
	if err != nil || !next.After(issued) {
		return StatusEvidence{}, bad
	}
	sig, err := base64.StdEncoding.Strict().DecodeString(j.Signature)
	if err != nil || *j.Index >= StatusListSize || *j.Value > 3 || len(j.KeyID) != 13 {
		return StatusEvidence{}, bad
	}
	return StatusEvidence{
		List: *j.List, Index: *j.Index, Value: *j.Value, IssuedAt: issued, NextUpdate: next, KeyID: j.KeyID, Signature: sig,
	}, nil
}

// evidenceTime reads whole seconds in UTC and nothing else, so that what is signed has one text.
func evidenceTime(s string) (time.Time, error) {
	t, err := time.Parse("2006-01-02T15:04:05Z", s)
	if err != nil {
		return time.Time{}, err
	}
	if t.Unix() < 0 || t.Format(time.RFC3339) != s {
		return time.Time{}, fault.New(fault.Invalid, "status_malformed", "the time is not in whole seconds of UTC")
	}
	return t, nil
}

func (e StatusEvidence) message() []byte {
	b := cborArray(nil, 7)
	b = cborText(b, "yinxin status 1")
	b = cborUint(b, uint64(e.List))
	b = cborUint(b, uint64(e.Index))
	b = cborUint(b, uint64(e.Value))
	b = cborUint(b, uint64(e.IssuedAt.Unix()))
	b = cborUint(b, uint64(e.NextUpdate.Unix()))
	return cborText(b, e.KeyID)
}
