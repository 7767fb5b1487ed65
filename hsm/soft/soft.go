// Package soft keeps keys in one sealed file and uses them in memory: the provider for development, demonstration and
// small closed deployments. It is no certified device and never calls itself one. Create makes the file, Open takes it
// into use; a second process that opens the same file is refused.
package soft

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// MinPassphrase is the shortest passphrase, in bytes, that Create accepts; MaxPassphrase the longest that anything reads.
const (
	MinPassphrase = 8
	MaxPassphrase = 1024
)

// MaxKeys is the greatest number of keys and secrets in one file.
const MaxKeys = 4096

// Options are the choices of Create. The zero value is right for production.
type Options struct {
	Cost Cost // DefaultCost when zero
}

// Provider is an open key file. It implements hsm.Provider, hsm.BatchGenerator and hsm.Inventory, and is safe for
// concurrent use: signing goes on while a new key is written.
type Provider struct {
	path string
	disk disk
	lock *os.File

	writing sync.Mutex  // held through a whole change of the file, and by Close
	head    head        // guarded by writing
	root    []byte      // the key derived from the passphrase; guarded by writing
	last    os.FileInfo // the file as we read or left it; guarded by writing

	mu      sync.RWMutex // guards what follows; held shared through each use of a key, so that Close zeroes no key in use
	entries map[hsm.Ref]*entry
	closed  bool
	stuck   error // why the file's state on disk is unknown; no key is made after that
}

var (
	_ hsm.Provider       = (*Provider)(nil)
	_ hsm.BatchGenerator = (*Provider)(nil)
	_ hsm.Inventory      = (*Provider)(nil)
)

// Create makes a new, empty key file, mode 0600, and opens it. Existing files are never overwritten (CodeExists).
func Create(path string, passphrase []byte, o Options) (*Provider, error) {
	return create(path, passphrase, o, osDisk{})
}

func create(path string, passphrase []byte, o Options, d disk) (_ *Provider, err error) {
	if o.Cost == (Cost{}) {
		o.Cost = DefaultCost()
	}
	if err := o.Cost.check(); err != nil {
		return nil, err
	}
	if len(passphrase) < MinPassphrase || len(passphrase) > MaxPassphrase {
		return nil, fault.New(fault.Invalid, CodePassphraseLength,
			fmt.Sprintf("a passphrase has %d to %d bytes", MinPassphrase, MaxPassphrase))
	}
	p, err := lockPath(path, d)
	if err != nil {
		return nil, err
	}
	defer p.unlockOnError(&err)
	if _, err := os.Lstat(p.path); err == nil {
		return nil, fault.New(fault.Conflict, CodeExists, "a key file exists at this path").
			WithHint("open it, or choose another path; a key file is never overwritten")
	} else if !os.IsNotExist(err) {
		return nil, ioFault(err, "the folder of the key file cannot be read")
	}
	if p.head, err = newHead(o.Cost); err != nil {
		return nil, err
	}
	p.root = p.head.derive(passphrase)
	if err := p.write(p.entries); err != nil {
		return nil, err
	}
	return p, nil
}

// Open takes an existing key file into use. Its errors tell a wrong passphrase (CodeWrongPassphrase) from a damaged file
// (CodeDamaged), a file of a later version (CodeVersionUnknown), one in use by somebody else (CodeLocked), one that
// others may read (CodeModeOpen), one that demands absurd work (CodeCostRefused) and one that is not there (CodeAbsent).
func Open(path string, passphrase []byte) (*Provider, error) {
	return open(path, passphrase, osDisk{})
}

func open(path string, passphrase []byte, d disk) (_ *Provider, err error) {
	if len(passphrase) > MaxPassphrase {
		return nil, fault.New(fault.Invalid, CodePassphraseLength, fmt.Sprintf("a passphrase has at most %d bytes", MaxPassphrase))
	}
	if _, err := os.Lstat(path); os.IsNotExist(err) { // before the lock, so that a mistyped path leaves no lock file
		return nil, fault.Wrap(err, fault.NotFound, CodeAbsent, "there is no key file at this path").
			WithHint("check the path, or create the key file first")
	}
	p, err := lockPath(path, d)
	if err != nil {
		return nil, err
	}
	defer p.unlockOnError(&err)
	data, info, err := readKeyFile(p.path)
	if err != nil {
		return nil, err
	}
	file, err := parseFile(data)
	if err != nil {
		return nil, err
	}
	p.head, p.last = file.head, info
	p.root = p.head.derive(passphrase)
	body, err := file.open(p.root)
	if err != nil {
		return nil, err
	}
	defer clear(body)
	entries, err := parseEntries(body)
	if err != nil {
		return nil, damaged(err)
	}
	for _, e := range entries {
		p.entries[e.ref] = e
	}
	return p, nil
}

// lockPath makes an empty provider that holds the lock of path and has swept what a killed writer left.
func lockPath(path string, d disk) (*Provider, error) {
	abs, err := filepath.Abs(path) // a later change of the working folder must not move the file
	if err != nil {
		return nil, ioFault(err, "the path of the key file cannot be used")
	}
	lock, err := takeLock(abs + ".lock")
	if err != nil {
		return nil, err
	}
	p := &Provider{path: abs, disk: d, lock: lock, entries: map[hsm.Ref]*entry{}}
	if err := d.remove(p.temporary()); err != nil && !os.IsNotExist(err) {
		p.unlockOnError(&err)
		return nil, ioFault(err, "an unfinished key file beside this one cannot be removed")
	}
	return p, nil
}

func (p *Provider) unlockOnError(err *error) {
	if *err != nil {
		p.lock.Close() // frees the lock; nothing was written through it, so there is no error worth a word
		p.wipe()
	}
}

func (p *Provider) temporary() string { return p.path + ".new" }

// Key gives the named key.
func (p *Provider) Key(ctx context.Context, ref hsm.Ref) (hsm.Key, error) {
	e, err := p.find(ctx, ref)
	if err != nil {
		return nil, err
	}
	if !e.policy.Algorithm.Signs() {
		return nil, hsm.WrongAlgorithm(e.policy.Algorithm, "a key that signs")
	}
	return &key{p: p, e: e}, nil
}

// Secret gives the named secret.
func (p *Provider) Secret(ctx context.Context, ref hsm.Ref) (hsm.Secret, error) {
	e, err := p.find(ctx, ref)
	if err != nil {
		return nil, err
	}
	if !e.policy.Algorithm.Seals() {
		return nil, hsm.WrongAlgorithm(e.policy.Algorithm, "a secret that seals")
	}
	return &secret{p: p, e: e}, nil
}

// GenerateKey makes a key and returns once it is durable.
func (p *Provider) GenerateKey(ctx context.Context, ref hsm.Ref, policy hsm.Policy) (hsm.Key, error) {
	if err := policy.CheckKey(); err != nil {
		return nil, err
	}
	if err := p.GenerateKeys(ctx, []hsm.KeyRequest{{Ref: ref, Policy: policy}}); err != nil {
		return nil, err
	}
	return p.Key(ctx, ref)
}

// GenerateSecret makes a secret and returns once it is durable.
func (p *Provider) GenerateSecret(ctx context.Context, ref hsm.Ref, policy hsm.Policy) (hsm.Secret, error) {
	if err := policy.CheckSecret(); err != nil {
		return nil, err
	}
	if err := p.GenerateKeys(ctx, []hsm.KeyRequest{{Ref: ref, Policy: policy}}); err != nil {
		return nil, err
	}
	return p.Secret(ctx, ref)
}

// GenerateKeys makes all the keys and secrets asked for with one write of the file, or none.
func (p *Provider) GenerateKeys(ctx context.Context, requests []hsm.KeyRequest) error {
	asked := make(map[hsm.Ref]bool, len(requests))
	for _, r := range requests {
		if err := r.Ref.Check(); err != nil {
			return err
		}
		if err := r.Policy.Check(); err != nil {
			return err
		}
		if asked[r.Ref] {
			return hsm.KeyExists(r.Ref)
		}
		asked[r.Ref] = true
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	next, err := p.copyEntries(ctx)
	if err != nil {
		return err
	}
	for _, r := range requests {
		if next[r.Ref] != nil {
			return hsm.KeyExists(r.Ref)
		}
	}
	if len(next)+len(requests) > MaxKeys {
		return fault.New(fault.TooLarge, CodeFull, fmt.Sprintf("a key file holds at most %d keys", MaxKeys)).
			WithHint("a deployment with more keys needs a device")
	}
	if len(requests) == 0 {
		return nil
	}
	for _, r := range requests {
		if err := hsm.CheckContext(ctx); err != nil { // RSA takes its time
			return err
		}
		if next[r.Ref], err = newEntry(r.Ref, r.Policy); err != nil {
			return err
		}
	}
	if err := p.write(next); err != nil {
		return err
	}
	p.mu.Lock()
	p.entries = next
	p.mu.Unlock()
	return nil
}

// copyEntries gives what a writer starts from; the caller holds writing.
func (p *Provider) copyEntries(ctx context.Context) (map[hsm.Ref]*entry, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if err := p.usable(ctx); err != nil {
		return nil, err
	}
	if p.stuck != nil {
		return nil, stuck(p.stuck)
	}
	return maps.Clone(p.entries), nil
}

// Refs lists the names of all keys and secrets in ascending order.
func (p *Provider) Refs(ctx context.Context) ([]hsm.Ref, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if err := p.usable(ctx); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(p.entries)), nil
}

// Policy says what the named key or secret is for.
func (p *Provider) Policy(ctx context.Context, ref hsm.Ref) (hsm.Policy, error) {
	e, err := p.find(ctx, ref)
	if err != nil {
		return hsm.Policy{}, err
	}
	return e.policy, nil
}

// Health is nil while the provider is open and its file is the one that it wrote.
func (p *Provider) Health(ctx context.Context) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.RLock()
	defer p.mu.RUnlock()
	if err := p.usable(ctx); err != nil {
		return err
	}
	if p.stuck != nil {
		return stuck(p.stuck)
	}
	return p.unchanged()
}

// Close frees the lock and zeroes the key bytes that this package holds. What the libraries keep inside their keys for
// speed, and pages that the system swapped out, cannot be reached. Closing twice is no error.
func (p *Provider) Close() error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	p.wipe()
	if err := p.lock.Close(); err != nil {
		return ioFault(err, "the lock of the key file cannot be freed")
	}
	return nil
}

func (p *Provider) wipe() {
	clear(p.root)
	for _, e := range p.entries {
		e.wipe()
	}
	p.entries = nil
}

func (p *Provider) find(ctx context.Context, ref hsm.Ref) (*entry, error) {
	if err := ref.Check(); err != nil {
		return nil, err
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	if err := p.usable(ctx); err != nil {
		return nil, err
	}
	e := p.entries[ref]
	if e == nil {
		return nil, hsm.KeyUnknown(ref)
	}
	return e, nil
}

// usable is nil while the provider is open and ctx lives; the caller holds mu.
func (p *Provider) usable(ctx context.Context) error {
	if p.closed {
		return hsm.Unavailable(os.ErrClosed)
	}
	return hsm.CheckContext(ctx)
}
