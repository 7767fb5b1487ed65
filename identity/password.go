package identity

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Parameters of argon2id (RFC 9106): 19 MiB, two passes, one lane. They stand in each stored factor, so that a later
// version can raise them and still read the old.
const (
	argonMemory = 19 * 1024 // KiB
	argonPasses = 2
	argonLanes  = 1
	maxMemory   = 256 * 1024
	maxPasses   = 16
	saltSize    = 16
	// MaxPassword bounds what a stranger may have hashed, in bytes.
	MaxPassword = 256
	minPassword = 8
)

// PasswordCost is the work of one guess at a password: 19 MiB in two passes when zero. It holds for passwords that are set
// from now on; each stored one keeps its own.
type PasswordCost struct {
	MemoryKiB uint32
	Passes    uint32
}

// argon is the parameters of one stored password.
type argon struct {
	memory, passes uint32
	lanes          uint8
	salt           []byte
}

func newArgon(rand io.Reader, cost PasswordCost) (argon, error) {
	p := argon{memory: cost.MemoryKiB, passes: cost.Passes, lanes: argonLanes, salt: make([]byte, saltSize)}
	if _, err := io.ReadFull(rand, p.salt); err != nil {
		return argon{}, fmt.Errorf("salt: %w", err)
	}
	return p, nil
}

// String is the parameters as they are stored: the PHC form without the hash.
func (p argon) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s", argon2.Version, p.memory, p.passes, p.lanes,
		base64.RawStdEncoding.EncodeToString(p.salt))
}

// parseArgon reads what String writes and refuses what would cost more than we ever wrote.
func parseArgon(text string) (argon, error) {
	var p argon
	var version int
	head, salt, ok := cutLast(text, "$")
	if !ok {
		return argon{}, fmt.Errorf("password parameters are malformed")
	}
	if _, err := fmt.Sscanf(head, "$argon2id$v=%d$m=%d,t=%d,p=%d", &version, &p.memory, &p.passes, &p.lanes); err != nil {
		return argon{}, fmt.Errorf("password parameters: %w", err)
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(salt); err != nil {
		return argon{}, fmt.Errorf("password salt: %w", err)
	}
	if version != argon2.Version || p.memory < 8 || p.memory > maxMemory || p.passes < 1 || p.passes > maxPasses || p.lanes < 1 || len(p.salt) < 8 {
		return argon{}, fmt.Errorf("password parameters are out of bounds")
	}
	return p, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// passwordTag is what is stored of a password: HMAC-SM3, under a key that the database does not hold, over argon2id's
// result. A copy of the database alone can not be searched for passwords. The account's ID binds the tag to its row.
func (s *Service) passwordTag(ctx context.Context, account, password string, p argon) ([32]byte, error) {
	var hash []byte
	err := s.hashers.do(ctx, func() {
		hash = argon2.IDKey([]byte(norm.NFC.String(password)), p.salt, p.passes, p.memory, p.lanes, 32)
	})
	if err != nil {
		return [32]byte{}, err
	}
	tag, err := s.opts.Pepper.MAC(ctx, label("password/v1", []byte(account), hash))
	if err != nil {
		return [32]byte{}, unavailableKeys(err)
	}
	return tag, nil
}

// newPassword makes the factor of a password.
func (s *Service) newPassword(ctx context.Context, account, password string) (Factor, error) {
	if len(password) < minPassword || len(password) > MaxPassword {
		return Factor{}, fault.New(fault.Invalid, "password_length", fmt.Sprintf("a password has %d to %d bytes", minPassword, MaxPassword))
	}
	p, err := newArgon(s.opts.Rand, s.opts.Cost)
	if err != nil {
		return Factor{}, err
	}
	tag, err := s.passwordTag(ctx, account, password, p)
	if err != nil {
		return Factor{}, err
	}
	return Factor{Account: account, ID: []byte("password"), Kind: FactorPassword, Params: p.String(), Secret: tag[:], CreatedAt: s.opts.Now()}, nil
}

// checkPassword compares a password with a factor. Without one (an unknown login, an account without a password) it
// takes the same steps over the decoy, and the answer is no.
func (s *Service) checkPassword(ctx context.Context, f *Factor, password string) (bool, error) {
	decoy := f == nil
	if decoy {
		f = &s.decoy
	}
	p, err := parseArgon(f.Params)
	if err != nil {
		return false, fault.Wrap(err, fault.Internal, "password_record", "the password record is damaged")
	}
	tag, err := s.passwordTag(ctx, f.Account, password, p)
	if err != nil {
		return false, err
	}
	same := subtle.ConstantTimeCompare(tag[:], f.Secret) == 1
	return same && !decoy, nil
}
