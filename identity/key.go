package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// Day is the number of days since 1970-01-01 UTC. Rows that end stand in tables cut by the day of their end, and the
// tokens that find them carry that day, so that a look-up touches one partition.
type Day uint16

// DayOf is the day of an instant.
func DayOf(t time.Time) Day { return Day(t.Unix() / 86400) }

// Time is the first instant of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Key finds a row by a bearer's token without holding the token: the day on which the row ends, and a digest.
type Key struct {
	Day  Day
	Hash [32]byte
}

// handleSize is two bytes of day and 256 random bits.
const handleSize = 2 + 32

func handleText() *base64.Encoding { return base64.RawURLEncoding.Strict() }

// NewHandle draws a bearer handle of 256 random bits for a row that ends on the given day, with the key under which the
// row is stored.
func NewHandle(rand io.Reader, day Day) (string, Key, error) {
	var b [handleSize]byte
	binary.BigEndian.PutUint16(b[:2], uint16(day))
	if _, err := io.ReadFull(rand, b[2:]); err != nil {
		return "", Key{}, err
	}
	return handleText().EncodeToString(b[:]), Key{Day: day, Hash: sha256.Sum256(b[:])}, nil
}

// ErrHandle is the one answer for text that NewHandle did not write.
var ErrHandle = errors.New("identity: malformed handle")

// ParseHandle gives the key of a handle that NewHandle wrote. Whether its row exists is for the store to say.
func ParseHandle(text string) (Key, error) {
	if len(text) != handleText().EncodedLen(handleSize) {
		return Key{}, ErrHandle
	}
	b, err := handleText().DecodeString(text)
	if err != nil || len(b) != handleSize {
		return Key{}, ErrHandle
	}
	return Key{Day: Day(binary.BigEndian.Uint16(b[:2])), Hash: sha256.Sum256(b)}, nil
}
