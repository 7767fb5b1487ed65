package license

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Handle names one showing of a license (一次性句柄): cell (2), day (2, days since 1970-01-01 UTC), random (16). It is used once.
type Handle [20]byte

// Cell is the cell that keeps the handle.
func (h Handle) Cell() uint16 { return binary.BigEndian.Uint16(h[:2]) }

// Day is the partition day of the handle.
func (h Handle) Day() uint16 { return binary.BigEndian.Uint16(h[2:4]) }

// String is the handle in 32 characters of Base32.
func (h Handle) String() string { return idText().EncodeToString(h[:]) }

func dayOf(t time.Time) uint16 { return uint16(t.Unix() / 86400) }

// The bytes of a dynamic code of mode R: version, mode, handle, time step, mask, tag.
const (
	dynamicVersion = 1
	dynamicModeR   = 'R'
	dynamicSigned  = 1 + 1 + 20 + 4 + 4
	dynamicSize    = dynamicSigned + 16
)

// Dynamic is a dynamic code (亮证码) of mode R.
type Dynamic struct {
	Handle Handle
	At     time.Time // the time step: whole seconds since 1970, 4 bytes
	Mask   uint32    // bit i: field i of the kind is disclosed
	tag    [16]byte
	signed []byte
}

// NewDynamic makes a code under the device key. HMAC-SHA-256, because the key of a real wallet lives in WebCrypto, which
// has no SM3 and can keep only such a key from being exported.
func NewDynamic(key []byte, h Handle, at time.Time, mask uint32) Dynamic {
	b := make([]byte, 0, dynamicSigned)
	b = append(b, dynamicVersion, dynamicModeR)
	b = append(b, h[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(at.Unix()))
	b = binary.BigEndian.AppendUint32(b, mask)
	d := Dynamic{Handle: h, At: time.Unix(at.Unix(), 0).UTC(), Mask: mask, signed: b}
	d.tag = d.compute(key)
	return d
}

// ParseDynamic reads the payload of a code.
func ParseDynamic(payload []byte) (Dynamic, error) {
	if len(payload) != dynamicSize || payload[0] != dynamicVersion || payload[1] != dynamicModeR {
		return Dynamic{}, fault.New(fault.Invalid, "code_malformed", "this is no dynamic code of a known version")
	}
	return Dynamic{
		Handle: Handle(payload[2:22]),
		At:     time.Unix(int64(binary.BigEndian.Uint32(payload[22:26])), 0).UTC(),
		Mask:   binary.BigEndian.Uint32(payload[26:30]),
		tag:    [16]byte(payload[dynamicSigned:]),
		signed: payload[:dynamicSigned:dynamicSigned],
	}, nil
}

// Payload is the code's bytes.
func (d Dynamic) Payload() []byte { return append(append([]byte(nil), d.signed...), d.tag[:]...) }

// URL is the code as a QR holds it.
func (d Dynamic) URL(base string) string { return codeURL(base, CodeDynamic, d.Payload()) }

// Verify tells whether the code was made with the device key.
func (d Dynamic) Verify(key []byte) bool {
	want := d.compute(key)
	return hmac.Equal(want[:], d.tag[:])
}

func (d Dynamic) compute(key []byte) [16]byte {
	m := hmac.New(sha256.New, key)
	m.Write(d.signed)
	return [16]byte(m.Sum(nil)[:16])
}
