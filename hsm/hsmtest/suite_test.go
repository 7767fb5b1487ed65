package hsmtest_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"math/big"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/hsmtest"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// faulty is a good provider with one thing broken.
type faulty struct {
	hsm.Provider
	key    func(hsm.Key) hsm.Key
	secret func(hsm.Secret) hsm.Secret
	name   func(hsm.Ref) hsm.Ref
}

func (f faulty) ref(r hsm.Ref) hsm.Ref {
	if f.name == nil {
		return r
	}
	return f.name(r)
}

func (f faulty) wrapKey(ref hsm.Ref, k hsm.Key, err error) (hsm.Key, error) {
	if err != nil {
		return nil, err
	}
	k = named{k, ref}
	if f.key != nil {
		k = f.key(k)
	}
	return k, nil
}

func (f faulty) wrapSecret(s hsm.Secret, err error) (hsm.Secret, error) {
	if err == nil && f.secret != nil {
		s = f.secret(s)
	}
	return s, err
}

func (f faulty) Key(ctx context.Context, ref hsm.Ref) (hsm.Key, error) {
	k, err := f.Provider.Key(ctx, f.ref(ref))
	return f.wrapKey(ref, k, err)
}

func (f faulty) GenerateKey(ctx context.Context, ref hsm.Ref, p hsm.Policy) (hsm.Key, error) {
	k, err := f.Provider.GenerateKey(ctx, f.ref(ref), p)
	if err != nil && f.ref(ref) != ref {
		if again, found := f.Provider.Key(ctx, f.ref(ref)); found == nil {
			return f.wrapKey(ref, again, nil)
		}
	}
	return f.wrapKey(ref, k, err)
}

func (f faulty) Secret(ctx context.Context, ref hsm.Ref) (hsm.Secret, error) {
	return f.wrapSecret(f.Provider.Secret(ctx, ref))
}

func (f faulty) GenerateSecret(ctx context.Context, ref hsm.Ref, p hsm.Policy) (hsm.Secret, error) {
	return f.wrapSecret(f.Provider.GenerateSecret(ctx, ref, p))
}

type named struct {
	hsm.Key
	ref hsm.Ref
}

func (n named) Ref() hsm.Ref { return n.ref }

// signing replaces what SignDigest gives for SM2 keys.
type signing struct {
	hsm.Key
	sign func(context.Context, hsm.Key, [32]byte) ([]byte, error)
}

func (s signing) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	if s.Algorithm() != hsm.SM2 {
		return s.Key.SignDigest(ctx, e)
	}
	return s.sign(ctx, s.Key, e)
}

func signingWith(sign func(context.Context, hsm.Key, [32]byte) ([]byte, error)) func(hsm.Key) hsm.Key {
	return func(k hsm.Key) hsm.Key { return signing{k, sign} }
}

// noAAD is a secret that does not look at aad.
type noAAD struct{ hsm.Secret }

func (s noAAD) Seal(ctx context.Context, plain, _ []byte) ([]byte, error) {
	return s.Secret.Seal(ctx, plain, nil)
}

func (s noAAD) Open(ctx context.Context, sealed, _ []byte) ([]byte, error) {
	return s.Secret.Open(ctx, sealed, nil)
}

type sameMAC struct{ hsm.Secret }

func (s sameMAC) MAC(ctx context.Context, data []byte) ([32]byte, error) {
	if _, err := s.Secret.MAC(ctx, data); err != nil {
		return [32]byte{}, err
	}
	return gm.SM3(data), nil
}

type sameSealed struct {
	hsm.Secret
	mu   *sync.Mutex
	seen map[string][]byte
}

func (s sameSealed) Seal(ctx context.Context, plain, aad []byte) ([]byte, error) {
	sealed, err := s.Secret.Seal(ctx, plain, aad)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := fmt.Sprintf("%x %x", plain, aad)
	if old := s.seen[at]; old != nil {
		return old, nil
	}
	s.seen[at] = sealed
	return sealed, nil
}

// neverClosed does not close.
type neverClosed struct{ hsm.Provider }

func (neverClosed) Close() error { return nil }

// deaf does not look at the context that the caller gives.
type deaf struct{ hsm.Key }

func (d deaf) SignDigest(_ context.Context, e [32]byte) ([]byte, error) {
	return d.Key.SignDigest(context.Background(), e)
}

type values struct{ R, S *big.Int }

func fixedNonceSigner() func(hsm.Key) hsm.Key {
	// A key of our own, because the fault needs the scalar: s = (1+d)^-1 (k - r d), with one k for all signatures.
	var mu sync.Mutex
	keys := map[hsm.Ref]*gm.PrivateKey{}
	return func(k hsm.Key) hsm.Key {
		mu.Lock()
		defer mu.Unlock()
		if k.Algorithm() != hsm.SM2 {
			return k
		}
		if keys[k.Ref()] == nil {
			own, err := gm.GenerateKey(rand.Reader)
			if err != nil {
				panic(err)
			}
			keys[k.Ref()] = own
		}
		return fixedNonce{k, keys[k.Ref()]}
	}
}

type fixedNonce struct {
	hsm.Key
	own *gm.PrivateKey
}

func (f fixedNonce) Public() crypto.PublicKey { return &f.own.PublicKey }

func (f fixedNonce) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	if _, err := f.Key.SignDigest(ctx, e); err != nil {
		return nil, err
	}
	n, d, one := f.own.Params().N, f.own.D, big.NewInt(1)
	nonce, err := gm.ParsePrivateKey(append(make([]byte, 31), 7))
	if err != nil {
		return nil, err
	}
	r := new(big.Int).SetBytes(e[:])
	r.Add(r, nonce.X).Mod(r, n)
	s := new(big.Int).Mul(r, d)
	s.Sub(nonce.D, s)
	s.Mul(s, new(big.Int).ModInverse(new(big.Int).Add(d, one), n)).Mod(s, n)
	return asn1.Marshal(values{r, s})
}

func TestSuiteCatches(t *testing.T) {
	t.Parallel()
	const (
		sm2      = "SM2 signatures verify with two implementations"
		nonce    = "SM2 signatures never repeat their nonce"
		distinct = "keys are distinct and come back by name"
		sealing  = "a secret opens what it sealed"
	)
	tests := []struct {
		name   string
		breaks func(hsm.Provider) hsm.Provider
		want   []string // checks that must fail; no others may
	}{
		{"nothing", func(p hsm.Provider) hsm.Provider { return faulty{Provider: p} }, nil},
		{"signature over another digest", func(p hsm.Provider) hsm.Provider {
			return faulty{Provider: p, key: signingWith(func(ctx context.Context, k hsm.Key, e [32]byte) ([]byte, error) {
				e[0] ^= 1
				return k.SignDigest(ctx, e)
			})}
		}, []string{sm2, distinct, "keys serve goroutines"}},
		{"a signature damaged once in thirty and not verified", func(p hsm.Provider) hsm.Provider {
			var mu sync.Mutex
			count := 0
			return faulty{Provider: p, key: signingWith(func(ctx context.Context, k hsm.Key, e [32]byte) ([]byte, error) {
				sig, err := k.SignDigest(ctx, e)
				mu.Lock()
				defer mu.Unlock()
				if count++; err == nil && count%30 == 0 {
					sig[len(sig)-1] ^= 1
				}
				return sig, err
			})}
		}, []string{sm2, "keys serve goroutines"}},
		{"raw r and s", func(p hsm.Provider) hsm.Provider {
			return faulty{Provider: p, key: signingWith(func(ctx context.Context, k hsm.Key, e [32]byte) ([]byte, error) {
				sig, err := k.SignDigest(ctx, e)
				if err != nil {
					return nil, err
				}
				var v values
				if _, err := asn1.Unmarshal(sig, &v); err != nil {
					return nil, err
				}
				return append(v.R.FillBytes(make([]byte, 32)), v.S.FillBytes(make([]byte, 32))...), nil
			})}
		}, []string{sm2, nonce, distinct, "keys serve goroutines"}},
		{"bytes after the signature", func(p hsm.Provider) hsm.Provider {
			return faulty{Provider: p, key: signingWith(func(ctx context.Context, k hsm.Key, e [32]byte) ([]byte, error) {
				sig, err := k.SignDigest(ctx, e)
				if err != nil {
					return nil, err
				}
				return append(sig, 0), nil
			})}
		}, []string{sm2, nonce, distinct, "keys serve goroutines"}},
		{"one nonce for all", func(p hsm.Provider) hsm.Provider {
			return faulty{Provider: p, key: fixedNonceSigner()}
		}, []string{nonce}},
		{"two names for one key", func(p hsm.Provider) hsm.Provider {
			return faulty{Provider: p, name: func(r hsm.Ref) hsm.Ref {
				if r == "conformance/b" {
					return "conformance/a"
				}
				return r
			}}
		}, []string{distinct, "batches are all or nothing"}},
		{"a key for one scheme given for another", func(p hsm.Provider) hsm.Provider {
			return otherScheme{faulty{Provider: p}}
		}, []string{"ES256 signatures verify and never repeat their nonce", distinct, "batches are all or nothing"}},
		{"aad ignored", func(p hsm.Provider) hsm.Provider {
			return faulty{Provider: p, secret: func(s hsm.Secret) hsm.Secret { return noAAD{s} }}
		}, []string{"a secret binds aad and place", "sizes are bounded"}},
		{"MAC without a key", func(p hsm.Provider) hsm.Provider {
			return faulty{Provider: p, secret: func(s hsm.Secret) hsm.Secret { return sameMAC{s} }}
		}, []string{"a MAC is stable and its own"}},
		{"sealing is deterministic", func(p hsm.Provider) hsm.Provider {
			same := sameSealed{mu: new(sync.Mutex), seen: map[string][]byte{}}
			return faulty{Provider: p, secret: func(s hsm.Secret) hsm.Secret { same.Secret = s; return same }}
		}, []string{sealing}},
		{"Close does nothing", func(p hsm.Provider) hsm.Provider {
			return neverClosed{p}
		}, []string{"after Close all is Unavailable"}},
		{"context ignored", func(p hsm.Provider) hsm.Provider {
			return faulty{Provider: p, key: func(k hsm.Key) hsm.Key { return deaf{k} }}
		}, []string{"a cancelled context is Unavailable"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var failed []string
			for _, c := range hsmtest.Checks() {
				if c.Name == "RS256 signatures verify" { // slow, and nothing here breaks it
					continue
				}
				r := &recorder{ctx: t.Context()}
				r.run(c, test.breaks(newSoft(t)))
				if len(r.errors) > 0 {
					failed = append(failed, c.Name)
					t.Logf("%s: %s", c.Name, strings.Join(r.errors, "; "))
				}
			}
			for _, name := range test.want {
				if !slices.Contains(failed, name) {
					t.Errorf("the suite did not catch it: %q passed", name)
				}
			}
			for _, name := range failed {
				if !slices.Contains(test.want, name) {
					t.Errorf("%q failed for no reason", name)
				}
			}
		})
	}
}

// otherScheme answers a request for ES256 with an SM2 key.
type otherScheme struct{ faulty }

func (o otherScheme) GenerateKey(ctx context.Context, ref hsm.Ref, p hsm.Policy) (hsm.Key, error) {
	if p.Algorithm == hsm.ES256 {
		p.Algorithm = hsm.SM2
		k, err := o.Provider.GenerateKey(ctx, ref, p)
		if err != nil {
			return nil, err
		}
		return says{k}, nil
	}
	return o.faulty.GenerateKey(ctx, ref, p)
}

type says struct{ hsm.Key }

func (says) Algorithm() hsm.Algorithm { return hsm.ES256 }

// recorder is a T that remembers.
type recorder struct {
	ctx    context.Context
	mu     sync.Mutex
	errors []string
}

func (r *recorder) Helper()                  {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) run(c hsmtest.Check, p hsm.Provider) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(r, p)
	}()
	<-done
}

func newSoft(t *testing.T) hsm.Provider {
	t.Helper()
	p, err := soft.Create(filepath.Join(t.TempDir(), "keys"), []byte("a test passphrase"),
		soft.Options{Cost: soft.Cost{Passes: 1, MemoryKiB: 8, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}
