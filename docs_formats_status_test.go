package yinxin_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/license"
)

type statusVectors struct {
	Values   map[uint32]uint8 `json:"values"` // of a list of 16; the others are 0
	Bits     octets           `json:"bits"`
	Packed   octets           `json:"packed"` // ZLIB: other compressors give other bytes
	Foreign  string           `json:"foreign_packed"`
	Bare     octets           `json:"foreign_bits"`
	Private  octets           `json:"private_key"`
	Public   octets           `json:"public_key"`
	KeyID    string           `json:"key_id"`
	Evidence signedVector     `json:"evidence"`
	Snapshot signedVector     `json:"snapshot"`
}

type signedVector struct {
	Message octets          `json:"message"` // what is signed, CBOR
	JSON    json.RawMessage `json:"json"`    // holds the random signature
}

// TestFormatsStatus: lists, evidence and snapshots.
func TestFormatsStatus(t *testing.T) {
	k, sign := scalar(t, 8)
	issued := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	bits := license.NewStatusBits(16)
	values := map[uint32]uint8{0: 1, 5: 2, 6: 3, 15: 1}
	for i, x := range values {
		bits.Set(i, x)
	}
	packed, err := bits.Compress()
	if err != nil {
		t.Fatal(err)
	}
	id := license.KeyID(&k.PublicKey)
	fresh := statusVectors{
		// The example of the IETF Token Status List for two bits, in its own words eNo76fITAAPfAgc.
		Values: values, Bits: octets(bits), Packed: packed, Foreign: "eNo76fITAAPfAgc", Bare: []byte{0xc9, 0x44, 0xf9},
		Private: gm.MarshalPrivateKey(k), Public: gm.MarshalPublicKey(&k.PublicKey), KeyID: base32Text(id[:]),
	}
	e := license.StatusEvidence{List: 5 << 16, Index: 77, Value: 0, IssuedAt: issued, NextUpdate: issued.Add(license.StatusLife)}
	if err := e.Sign(t.Context(), &k.PublicKey, sign); err != nil {
		t.Fatal(err)
	}
	if fresh.Evidence.JSON, err = e.Marshal(); err != nil {
		t.Fatal(err)
	}
	seconds := []uint64{uint64(issued.Unix()), uint64(issued.Add(license.StatusLife).Unix())}
	fresh.Evidence.Message = core(t, []any{"yinxin status 1", uint64(5 << 16), uint64(77), uint64(0), seconds[0], seconds[1], fresh.KeyID})
	s := license.StatusSnapshot{List: 5 << 16, IssuedAt: issued, NextUpdate: issued.Add(license.StatusLife), Bits: packed}
	if err := s.Sign(t.Context(), &k.PublicKey, sign); err != nil {
		t.Fatal(err)
	}
	if fresh.Snapshot.JSON, err = json.Marshal(s); err != nil {
		t.Fatal(err)
	}
	sum := gm.SM3(packed)
	fresh.Snapshot.Message = core(t, []any{"yinxin status list 1", uint64(5 << 16), seconds[0], seconds[1], sum[:], fresh.KeyID})
	v := vector(t, "status.json", fresh, func(v *statusVectors) {
		v.Packed, v.Evidence.JSON, v.Snapshot = nil, nil, signedVector{}
	})

	for i := range uint32(16) {
		if got := v.Bits[i/4] >> (2 * (i % 4)) & 3; got != v.Values[i] {
			t.Errorf("index %d has %d, want %d", i, got, v.Values[i])
		}
	}
	foreign, err := base64.RawURLEncoding.DecodeString(v.Foreign)
	if err != nil {
		t.Fatal(err)
	}
	for packed, want := range map[string][]byte{string(v.Packed): v.Bits, string(foreign): v.Bare} {
		if got, err := license.DecompressStatus([]byte(packed)); err != nil || string(got) != string(want) {
			t.Errorf("unpacked %x (%v), want %x", []byte(got), err, want)
		}
	}
	var stored struct {
		Signature []byte `json:"signature"`
	}
	for what, s := range map[string]signedVector{"evidence": v.Evidence, "snapshot": v.Snapshot} {
		if err := json.Unmarshal(s.JSON, &stored); err != nil {
			t.Fatal(err)
		}
		verified(t, what, v.Public, s.Message, stored.Signature)
	}
	var compact strings.Builder
	enc := json.NewEncoder(&compact)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v.Evidence.JSON); err != nil {
		t.Fatal(err)
	}
	parsed, err := license.ParseStatusEvidence([]byte(strings.TrimSpace(compact.String())))
	if err != nil || !parsed.Verify(&k.PublicKey) || parsed.Index != 77 {
		t.Errorf("the code refuses the stored evidence: %v", err)
	}
}
