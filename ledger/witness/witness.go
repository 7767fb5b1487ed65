// Package witness is the office that watches the log (见证): it remembers the last checkpoint it saw of each log and cosigns
// a checkpoint only if it extends that one, with a key of its own and its own clock. Client is how a log reaches it.
//
// Its folder is trusted: who puts an older state back can make it cosign a fork. Its key and its folder therefore belong
// to another office than the log's.
package witness

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/ledger"
)

// Options say what Open needs.
type Options struct {
	Dir    string        // the witness's folder; made if it is not there
	Name   string        // under which it cosigns, such as "witness.example/wuhan"
	Signer ledger.Signer // its key
	Logs   []ledger.Key  // the logs it watches; several keys of one origin while a key is being replaced
	Now    func() time.Time
}

// Witness watches logs. Its methods may be called from many goroutines.
type Witness struct {
	opt  Options
	key  ledger.Key
	lock *os.File

	mu     sync.Mutex
	closed bool
	logs   map[string]*watched // by origin; never changes
}

// watched is one log: what may sign for it and what it last showed.
type watched struct {
	mu    sync.Mutex // from the check of the old size to the durable new one
	trust ledger.Trust
	last  ledger.SignedCheckpoint // with the witness's own cosignature; no text before the first
}

// The codes of Add's refusals.
const (
	CodeUnknownLog = "witness_unknown_log" // Forbidden: not a log that is watched, or not signed by its key
	CodeBadProof   = "witness_proof"       // Invalid: the checkpoint does not extend the last one as claimed
	CodeFork       = "witness_fork"        // Conflict: another root at the size that was cosigned
	CodeMalformed  = "witness_malformed"   // Invalid: the request cannot be read
)

const (
	codeState    = "witness_state"        // Conflict: the folder must not be used
	codeUnusable = "witness_unavailable"  // Unavailable: the folder cannot be written
	codeOptions  = "witness_options"      // Invalid
	codeLocked   = "witness_locked"       // Conflict: another process holds the folder
	codeNoneYet  = "witness_nothing_seen" // NotFound: nothing was cosigned yet
)

// Open reads the witness's state. It refuses a folder that another process holds, and a state that is not a checkpoint
// which it cosigned itself.
func Open(opt Options) (*Witness, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Dir == "" || opt.Signer == nil {
		return nil, fault.New(fault.Invalid, codeOptions, "a witness needs a folder and a key")
	}
	pub, ok := opt.Signer.Public().(*gm.PublicKey)
	if !ok {
		return nil, fault.New(fault.Invalid, codeOptions, "a witness key must be an SM2 key")
	}
	key, err := ledger.NewKey(ledger.WitnessKey, opt.Name, pub)
	if err != nil {
		return nil, err
	}
	w := &Witness{opt: opt, key: key, logs: map[string]*watched{}}
	for _, k := range opt.Logs {
		l := w.logs[k.Name]
		if l == nil {
			l = &watched{trust: ledger.Trust{WitnessKeys: []ledger.Key{key}, Quorum: 1}}
			w.logs[k.Name] = l
		}
		l.trust.LogKeys = append(l.trust.LogKeys, k)
		if err := l.trust.Check(); err != nil {
			return nil, err
		}
	}
	if err := w.load(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Key is the public key under which the witness cosigns.
func (w *Witness) Key() ledger.Key { return w.key }

// Close lets go of the folder. What was cosigned is durable already.
func (w *Witness) Close() error {
	w.mu.Lock()
	done := w.closed || w.lock == nil
	w.closed = true
	w.mu.Unlock()
	if done {
		return nil
	}
	for _, l := range w.logs { // an Add that is under way ends first; later ones see that it is closed
		l.mu.Lock()
		defer l.mu.Unlock()
	}
	return w.lock.Close()
}

func (w *Witness) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// Add cosigns a checkpoint that extends the last one of its log, which has size old, and returns the signature line. The
// new state is durable before anybody sees the signature. It answers with a *ledger.StaleError if the last one has
// another size, and with one of the faults above.
func (w *Witness) Add(ctx context.Context, old uint64, proof []ledger.Hash, text []byte) ([]byte, error) {
	cp, err := ledger.ParseCheckpoint(text)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, CodeMalformed, "the checkpoint cannot be read")
	}
	if old > cp.Size {
		return nil, fault.New(fault.Invalid, CodeMalformed, "the old size is larger than the checkpoint's")
	}
	l := w.logs[cp.Origin]
	if l == nil {
		return nil, fault.New(fault.Forbidden, CodeUnknownLog, "this witness does not watch that log")
	}
	// Only the log's own lines are kept: what others wrote under it is no business of this witness.
	r, err := ledger.Trust{LogKeys: l.trust.LogKeys}.Verify(text)
	if err != nil || !r.LogSigned || len(r.Wrong) > 0 {
		return nil, fault.New(fault.Forbidden, CodeUnknownLog, "the checkpoint is not signed by the log's key")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.isClosed() {
		return nil, fault.New(fault.Unavailable, codeUnusable, "the witness is closed")
	}
	return w.extend(ctx, l, old, proof, cp)
}

func (w *Witness) extend(ctx context.Context, l *watched, old uint64, proof []ledger.Hash, cp ledger.SignedCheckpoint) ([]byte, error) {
	size, root := uint64(0), ledger.EmptyRoot()
	if l.last.Text != nil {
		size, root = l.last.Size, l.last.Root
	}
	if old != size {
		return nil, &ledger.StaleError{Size: size}
	}
	if cp.Size == size && cp.Root != root {
		return nil, fault.New(fault.Conflict, CodeFork, "the log showed another root at this size before")
	}
	if !ledger.VerifyConsistency(size, cp.Size, proof, root, cp.Root) {
		return nil, fault.New(fault.Invalid, CodeBadProof, "the checkpoint does not extend the last one")
	}
	line, err := ledger.Cosign(ctx, cp.Checkpoint, w.opt.Name, w.opt.Signer, w.opt.Now())
	if err != nil {
		return nil, err
	}
	next, err := logLines(l.trust, cp)
	if err == nil {
		next, err = next.WithCosignature(line)
	}
	if err != nil {
		return nil, err
	}
	if r, err := l.trust.Verify(next.Text); err != nil || !r.Quorum {
		return nil, fault.Wrap(err, fault.Unavailable, codeUnusable, "the witness's key gave a signature that does not verify")
	}
	if err := w.save(next); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, codeUnusable, "the witness cannot keep its state")
	}
	l.last = next
	return line, nil
}

// logLines is the checkpoint with the log's own signatures only, however many others stand under it.
func logLines(trust ledger.Trust, cp ledger.SignedCheckpoint) (ledger.SignedCheckpoint, error) {
	kept := ledger.SignedCheckpoint{Checkpoint: cp.Checkpoint, Text: []byte(cp.Body() + "\n")}
	body := kept.Text
	for _, line := range cp.Signatures() {
		one, err := kept.WithCosignature(line)
		if err != nil {
			return ledger.SignedCheckpoint{}, err
		}
		alone := append(append([]byte(nil), body...), line...)
		if r, err := trust.Verify(alone); err == nil && r.LogSigned {
			kept = one
		}
	}
	return kept, nil
}

// Last is the last checkpoint of a log that the witness cosigned, with its cosignature. The origin may be empty if it
// watches one log only.
func (w *Witness) Last(origin string) (ledger.SignedCheckpoint, error) {
	if origin == "" && len(w.logs) == 1 {
		for origin = range w.logs {
		}
	}
	l := w.logs[origin]
	if l == nil {
		return ledger.SignedCheckpoint{}, fault.New(fault.NotFound, CodeUnknownLog, "this witness does not watch that log")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last.Text == nil {
		return ledger.SignedCheckpoint{}, fault.New(fault.NotFound, codeNoneYet, "the witness has cosigned nothing yet")
	}
	return l.last, nil
}

// Health tells whether the witness can do its work.
func (w *Witness) Health() error {
	if w.isClosed() {
		return fault.New(fault.Unavailable, codeUnusable, "the witness is closed")
	}
	if _, err := os.Stat(w.opt.Dir); err != nil {
		return fault.Wrap(err, fault.Unavailable, codeUnusable, "the witness's folder cannot be read")
	}
	return nil
}

// load takes the folder for this process and reads what each log last showed.
func (w *Witness) load() error {
	if err := os.MkdirAll(w.opt.Dir, 0o750); err != nil {
		return fault.Wrap(err, fault.Unavailable, codeUnusable, "the witness's folder cannot be made")
	}
	lock, err := os.OpenFile(filepath.Join(w.opt.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, codeUnusable, "the witness's folder cannot be locked")
	}
	w.lock = lock
	if err := flock(lock); err != nil {
		return fault.Wrap(err, fault.Conflict, codeLocked, "another process holds the witness's folder")
	}
	for origin, l := range w.logs {
		text, err := os.ReadFile(w.stateFile(origin))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fault.Wrap(err, fault.Unavailable, codeUnusable, "the witness's state cannot be read")
		}
		cp, err := ledger.ParseCheckpoint(text)
		if err == nil {
			var r ledger.CheckpointResult
			if r, err = l.trust.Verify(text); err == nil && (!r.Quorum || cp.Origin != origin) {
				err = fmt.Errorf("%s was not cosigned by this witness", w.stateFile(origin))
			}
		}
		if err != nil {
			return fault.Wrap(err, fault.Conflict, codeState, "the witness's state is not a checkpoint that it cosigned").
				WithHint("restore the folder, or name the log's and the witness's keys with which the state was made")
		}
		l.last = cp
	}
	return nil
}

// stateFile is named by a digest: an origin may hold any character.
func (w *Witness) stateFile(origin string) string {
	h := gm.SM3([]byte(origin))
	return filepath.Join(w.opt.Dir, "log-"+hex.EncodeToString(h[:16]))
}

// save replaces a log's state, whole or not at all.
func (w *Witness) save(cp ledger.SignedCheckpoint) error {
	name := w.stateFile(cp.Origin)
	temp := name + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(cp.Text)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		return err
	}
	dir, err := os.Open(w.opt.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// flock takes a lock. One that is held is tried again for a moment: a process that is being started holds every descriptor of
// its parent between fork and exec, so a lock that was just let go of may live on that long.
func flock(f *os.File) error {
	const patience = 300 * time.Millisecond
	for deadline := time.Now().Add(patience); ; time.Sleep(patience / 10) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			return err
		}
	}
}
