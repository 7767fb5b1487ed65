package identity

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// MAC computes a keyed digest under a key that nobody can export; hsm.Secret is one.
type MAC interface {
	MAC(ctx context.Context, data []byte) ([32]byte, error)
}

// Vault seals and opens what is personal, and makes blind indexes (盲索引); hsm.Secret is one. aad binds sealed bytes to
// their row.
type Vault interface {
	MAC
	Seal(ctx context.Context, plain, aad []byte) ([]byte, error)
	Open(ctx context.Context, sealed, aad []byte) ([]byte, error)
}

// Options of a Service. Store, Vault, Pepper, Pairwise and Rand are needed; the rest has defaults.
type Options struct {
	Store    Store
	Vault    Vault // seals profiles, indexes logins and subjects
	Pepper   MAC   // over password hashes
	Pairwise MAC   // makes the sub of each department
	Rand     io.Reader
	Now      func() time.Time // time.Now

	Workers int // password hashes at once; the number of cores
	Queue   int // that may wait for one: 16 for each worker
	Cost    PasswordCost

	SessionLife time.Duration // 12 hours

	// Limits of wrong tries. Nobody is locked out: PerPair binds one address trying one login, so a stranger's tries
	// hardly touch the owner, who comes from elsewhere; PerLogin bounds many addresses together; PerAddress is wide,
	// because a whole hall may share one. Right passwords use nothing up, in parallel either: see Patience.
	PerPair    Limit // 10, one more each 10 s
	PerLogin   Limit // 100, one more each 2 s
	PerAddress Limit // 100, one more each 500 ms
	MaxBuckets int   // remembered for each kind; 65536
	// Patience is how long a sign-in waits for others under way that may spend what a limit still allows, before it is
	// told to come back: 3 s.
	Patience time.Duration
}

// Service says who signs in, and who is signed in.
type Service struct {
	opts    Options
	hashers *hashers
	gate    *gate
	decoy   Factor // stands in for the factor of an unknown login
}

// New makes a Service.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.Vault == nil || o.Pepper == nil || o.Pairwise == nil || o.Rand == nil {
		return nil, errors.New("identity: store, vault, pepper, pairwise and rand are needed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Workers <= 0 {
		o.Workers = runtime.NumCPU()
	}
	if o.Queue <= 0 {
		o.Queue = 16 * o.Workers
	}
	if o.Cost == (PasswordCost{}) {
		o.Cost = PasswordCost{MemoryKiB: argonMemory, Passes: argonPasses}
	}
	if o.Cost.MemoryKiB < 8 || o.Cost.MemoryKiB > maxMemory || o.Cost.Passes < 1 || o.Cost.Passes > maxPasses {
		return nil, errors.New("identity: the password cost is out of bounds")
	}
	if o.SessionLife <= 0 {
		o.SessionLife = 12 * time.Hour
	}
	pick := func(l *Limit, burst int, every time.Duration) {
		if l.Burst <= 0 || l.Every <= 0 {
			*l = Limit{Burst: burst, Every: every}
		}
	}
	pick(&o.PerPair, 10, 10*time.Second)
	pick(&o.PerLogin, 100, 2*time.Second)
	pick(&o.PerAddress, 100, 500*time.Millisecond)
	if o.MaxBuckets <= 0 {
		o.MaxBuckets = 65536
	}
	if o.Patience <= 0 {
		o.Patience = 3 * time.Second
	}
	s := &Service{
		opts: o, hashers: newHashers(o.Workers, o.Queue),
		gate: newGate(o.Now, o.Patience,
			newLimiter(o.PerPair, o.MaxBuckets), newLimiter(o.PerAddress, o.MaxBuckets), newLimiter(o.PerLogin, o.MaxBuckets)),
	}
	p, err := newArgon(o.Rand, o.Cost)
	if err != nil {
		return nil, err
	}
	// 32 zero bytes are never the tag of anything: checkPassword says no for the decoy whatever the comparison finds.
	s.decoy = Factor{Account: "00000000000000000000000000000000", Kind: FactorPassword, Params: p.String(), Secret: make([]byte, 32)}
	return s, nil
}

// PairwiseSub is the sub (成对标识) by which the applications of one sector know an account: the same for all of them, and
// useless to any other (OpenID Connect Core 1.0 §8.1).
func (s *Service) PairwiseSub(ctx context.Context, sector, account string) (string, error) {
	sum, err := s.opts.Pairwise.MAC(ctx, label("pairwise/v1", []byte(sector), []byte(account)))
	if err != nil {
		return "", unavailableKeys(err)
	}
	return hex.EncodeToString(sum[:]), nil
}

// label makes one MAC input of a purpose and its parts, each with its length in front, so that no two lists of parts give
// the same bytes.
func label(purpose string, parts ...[]byte) []byte {
	out := append([]byte("yinxin/identity/"), purpose...)
	out = append(out, 0)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

// random draws n bytes as hex digits.
func (s *Service) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.opts.Rand, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

func unavailableKeys(err error) error {
	if fault.KindOf(err) == fault.Unavailable {
		return err
	}
	return fault.Wrap(err, fault.Internal, "identity_key", "a key of the identity service cannot be used")
}
