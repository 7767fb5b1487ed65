package ledger

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// KeyType says what a note key signs. It is part of the key's id, so that a log's key never passes for a witness's, and
// its name says SM2 and SM3, so that nobody takes it for Ed25519 or SHA-256.
type KeyType string

// The types of note keys.
const (
	LogKey     KeyType = "yinxin SM2-SM3 log/v1"         // signs the checkpoint body as it is
	WitnessKey KeyType = "yinxin SM2-SM3 cosignature/v1" // signs time and body, laid out as C2SP cosignature/v1
)

// extensionAlgorithm is the algorithm byte of C2SP signed-note for types that stand in no list.
const extensionAlgorithm = 0xff

// Key is a public key of the log or of a witness, under the name that stands in its signature lines. A log's name is its
// origin line.
type Key struct {
	Type   KeyType
	Name   string
	Public *gm.PublicKey
}

// NewKey checks the type, the name and the key.
func NewKey(t KeyType, name string, public *gm.PublicKey) (Key, error) {
	if t != LogKey && t != WitnessKey {
		return Key{}, malformed("ledger_key_malformed", "a ledger key is a log key or a witness key")
	}
	if !ValidName(name) {
		return Key{}, malformed("ledger_key_malformed", "a key name has 3 to 128 visible ASCII characters, a slash, and no plus sign")
	}
	if public == nil || !gm.IsSM2(public) {
		return Key{}, malformed("ledger_key_not_sm2", "a ledger key must be an SM2 key")
	}
	return Key{Type: t, Name: name, Public: public}, nil
}

// ValidName tells whether a name may stand in origin and signature lines: a schemaless URL, as C2SP recommends, which is
// none of the first lines that the same keys sign in other messages.
func ValidName(name string) bool {
	if len(name) < 3 || len(name) > 128 || !strings.Contains(name, "/") ||
		strings.HasPrefix(name, "cosignature/") || strings.HasPrefix(name, "yinxin-promise/") {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || c == '+' {
			return false
		}
	}
	return true
}

// ID is the first four bytes of SM3(name ‖ 0x0A ‖ 0xFF ‖ type ‖ point), where point is the uncompressed public key of 65
// bytes. It only tells keys apart and proves nothing.
func (k Key) ID() [4]byte {
	h := gm.SM3([]byte(k.Name), []byte{'\n', extensionAlgorithm}, []byte(k.Type), gm.MarshalPublicKey(k.Public))
	return [4]byte(h[:4])
}

// String is the key in one line for configuration and trust lists: name+id+base64(0xFF ‖ type ‖ point), as C2SP
// signed-note writes verifier keys.
func (k Key) String() string {
	id := k.ID()
	data := append([]byte{extensionAlgorithm}, k.Type...)
	data = append(data, gm.MarshalPublicKey(k.Public)...)
	return k.Name + "+" + hex.EncodeToString(id[:]) + "+" + base64.StdEncoding.EncodeToString(data)
}

// ParseKey reads what String writes.
func ParseKey(s string) (Key, error) {
	bad := malformed("ledger_key_malformed", "the key is not name+id+base64 of a ledger key")
	if len(s) > 512 {
		return Key{}, bad
	}
	name, rest, ok := strings.Cut(s, "+")
	id, data, ok2 := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(data)
	if !ok || !ok2 || err != nil || len(raw) < 66 || raw[0] != extensionAlgorithm {
		return Key{}, bad
	}
	public, err := gm.ParsePublicKey(raw[len(raw)-65:])
	if err != nil {
		return Key{}, bad
	}
	k, err := NewKey(KeyType(raw[1:len(raw)-65]), name, public)
	if err != nil {
		return Key{}, err
	}
	if want := k.ID(); id != hex.EncodeToString(want[:]) || k.String() != s {
		return Key{}, bad
	}
	return k, nil
}
