package oauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/yinxin-trust/yinxin/identity"
)

// Tokens are opaque. Each carries the day on which its row ends, so that a look-up touches one partition, and bytes that
// nobody can guess; the store holds digests only.
//
//	code     yxc_ day(2) ‖ random(32)
//	refresh  yxr_ day(2) ‖ seed(32) ‖ generation(4) ‖ tag(32)
//	access   yxa_ day(2) ‖ random(16) ‖ tag(16)
//
// seed = HMAC(key, day ‖ random of the code); a grant's row is found by SHA-256(seed). So the code leads to the refresh
// tokens of its grant but no refresh token leads back, the store alone leads to neither, and the next refresh token is
// derived rather than drawn: parallel refreshes get the same one.
const (
	prefixCode    = "yxc_"
	prefixRefresh = "yxr_"
	prefixAccess  = "yxa_"

	sizeCode    = 2 + 32
	sizeRefresh = 2 + 32 + 4 + 32
	sizeAccess  = 2 + 16 + 16
)

func tokenText() *base64.Encoding { return base64.RawURLEncoding.Strict() }

// decodeToken gives the bytes of a token of one kind.
func decodeToken(text, prefix string, size int) ([]byte, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	if !ok || len(rest) != tokenText().EncodedLen(size) {
		return nil, false
	}
	b, err := tokenText().DecodeString(rest)
	return b, err == nil && len(b) == size
}

// seed is what the tokens of one grant have in common.
type seed struct {
	day   identity.Day
	bytes [32]byte
}

// key finds the grant's row.
func (s seed) key() identity.Key { return identity.Key{Day: s.day, Hash: sha256.Sum256(s.bytes[:])} }

// newCode draws an authorization code for a grant that ends on a day.
func (p *Provider) newCode(day identity.Day) (string, seed, error) {
	var b [sizeCode]byte
	binary.BigEndian.PutUint16(b[:2], uint16(day))
	if _, err := io.ReadFull(p.opts.Rand, b[2:]); err != nil {
		return "", seed{}, fmt.Errorf("code: %w", err)
	}
	return prefixCode + tokenText().EncodeToString(b[:]), seed{day: day, bytes: p.mac("seed", b[:])}, nil
}

// parseCode gives the seed of a code.
func (p *Provider) parseCode(code string) (seed, bool) {
	b, ok := decodeToken(code, prefixCode, sizeCode)
	if !ok {
		return seed{}, false
	}
	return seed{day: identity.Day(binary.BigEndian.Uint16(b)), bytes: p.mac("seed", b)}, true
}

// refreshToken is the one refresh token of a generation.
func (p *Provider) refreshToken(s seed, generation int64) string {
	b := make([]byte, 0, sizeRefresh)
	b = binary.BigEndian.AppendUint16(b, uint16(s.day))
	b = append(b, s.bytes[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(generation))
	tag := p.mac("refresh", b)
	return prefixRefresh + tokenText().EncodeToString(append(b, tag[:]...))
}

// parseRefresh gives seed and generation of a refresh token that we made.
func (p *Provider) parseRefresh(token string) (seed, int64, bool) {
	b, ok := decodeToken(token, prefixRefresh, sizeRefresh)
	if !ok {
		return seed{}, 0, false
	}
	tag := p.mac("refresh", b[:sizeRefresh-32])
	if !hmac.Equal(tag[:], b[sizeRefresh-32:]) {
		return seed{}, 0, false
	}
	return seed{day: identity.Day(binary.BigEndian.Uint16(b)), bytes: [32]byte(b[2:34])}, int64(binary.BigEndian.Uint32(b[34:38])), true
}

// newAccess draws an access token that ends on a day.
func (p *Provider) newAccess(day identity.Day) (string, identity.Key, error) {
	b := make([]byte, 18, sizeAccess)
	binary.BigEndian.PutUint16(b, uint16(day))
	if _, err := io.ReadFull(p.opts.Rand, b[2:]); err != nil {
		return "", identity.Key{}, fmt.Errorf("access token: %w", err)
	}
	tag := p.mac("access", b)
	b = append(b, tag[:16]...)
	return prefixAccess + tokenText().EncodeToString(b), identity.Key{Day: day, Hash: sha256.Sum256(b)}, nil
}

// parseAccess gives the key of an access token that we made; others never reach the store.
func (p *Provider) parseAccess(token string) (identity.Key, bool) {
	b, ok := decodeToken(token, prefixAccess, sizeAccess)
	if !ok {
		return identity.Key{}, false
	}
	tag := p.mac("access", b[:18])
	if !hmac.Equal(tag[:16], b[18:]) {
		return identity.Key{}, false
	}
	return identity.Key{Day: identity.Day(binary.BigEndian.Uint16(b)), Hash: sha256.Sum256(b)}, true
}
