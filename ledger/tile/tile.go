// Package tile is the ledger engine on disk: an SM3 Merkle log as files in the layout of C2SP tlog-tiles, with a journal in
// front of it that makes Append durable, and checkpoints that witnesses cosign.
//
// The folder is trusted to keep what was fsynced. Who changes it can stop the log, or break it so that Open refuses; to
// rewrite history unseen they would need the log's key and a quorum of the witnesses.
//
//	head                    latest checkpoint, signed by the log
//	checkpoint              latest checkpoint, cosigned by the quorum
//	checkpoints/NNN/NNN/…   every checkpoint ever published, by size
//	tile/L/N[.p/W]          hashes, 256 to a tile
//	tile/entries/N[.p/W]    entries, 256 to a bundle
//	journal/START           entries that are acknowledged; removed once tiles hold them
//	index.db                leaf hash to index; rebuilt from the bundles if it is missing or behind
//	lock, tmp/              one writer; files on their way
package tile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/ledger"
)

// Options say what Open needs. Zero durations and counts take the defaults named.
type Options struct {
	Dir    string        // the log's folder; made if it is not there
	Origin string        // the log's name
	Signer ledger.Signer // the log's key
	// Trust holds the log's older keys, the witnesses' keys and the quorum. The signer's own key needs no mention.
	Trust         ledger.Trust
	Cosigners     []ledger.Cosigner
	Interval      time.Duration // between checkpoints (1 s); negative: only Publish makes them
	MaxMergeDelay time.Duration // what promises say (1 min)
	CosignTimeout time.Duration // for one witness's answer (5 s)
	MaxPending    int           // entries that may wait for a checkpoint (1 << 20)
	Now           func() time.Time

	step     func(string) // tests look at the folder between any two durable steps
	rotateAt int64
}

// Log is an open log. Its methods may be called from many goroutines.
type Log struct {
	opt   Options
	dir   string
	trust ledger.Trust
	lock  *os.File
	index *leafIndex
	cache *tileCache

	requests chan *request
	closing  chan struct{}
	nudge    chan struct{} // wakes the cosigner
	ctx      context.Context
	cancel   context.CancelFunc
	loops    sync.WaitGroup
	closed   sync.Once

	// Locks are taken in this order.
	publishMu sync.Mutex // one integration at a time
	cosignMu  sync.Mutex // one round of cosigning at a time
	gone      bool       // the folder is let go of; set under both, read under either
	owed      *ledger.SignedCheckpoint
	journalMu sync.Mutex // while the journal is written or rotated
	journal   *journal
	rotateAt  int64

	mu         sync.Mutex
	next       uint64 // accepted entries
	pending    []pendingEntry
	places     map[ledger.Hash]uint64 // of pending
	edge       *edge
	head       ledger.SignedCheckpoint
	headAt     time.Time
	cosigned   ledger.SignedCheckpoint
	witnesses  []witnessState
	broken     error // nothing can be appended until the log is opened again
	publishErr error // of the latest attempt
}

type pendingEntry struct {
	entry []byte
	leaf  ledger.Hash
	at    time.Time
}

// Open opens or makes a log and recovers what a crash left behind. It refuses a folder that another process holds, that
// belongs to another log or key, that lost tiles, or whose head is older than a checkpoint it has published.
func Open(ctx context.Context, opt Options) (*Log, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	pub, ok := opt.Signer.Public().(*gm.PublicKey)
	if !ok {
		return nil, fault.New(fault.Invalid, "ledger_key_not_sm2", "a ledger key must be an SM2 key")
	}
	key, err := ledger.NewKey(ledger.LogKey, opt.Origin, pub)
	if err != nil {
		return nil, err
	}
	trust := opt.Trust
	trust.LogKeys = append([]ledger.Key{key}, trust.LogKeys...)
	if err := trust.Check(); err != nil {
		return nil, err
	}
	l := &Log{
		opt: opt, dir: opt.Dir, trust: trust, cache: newTileCache(512),
		requests: make(chan *request), closing: make(chan struct{}), nudge: make(chan struct{}, 1),
		places: map[ledger.Hash]uint64{}, witnesses: make([]witnessState, len(opt.Cosigners)), rotateAt: opt.rotateAt,
	}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := l.recover(ctx); err != nil {
		l.cancel()
		return nil, errors.Join(err, l.release())
	}
	l.loops.Add(3)
	go l.sequence()
	go l.publishing()
	go l.cosigning()
	return l, nil
}

func (o *Options) complete() error {
	if o.Dir == "" || o.Signer == nil || !ledger.ValidName(o.Origin) {
		return fault.New(fault.Invalid, "ledger_options", "a tile log needs a folder, an origin and a key")
	}
	if o.Interval == 0 {
		o.Interval = time.Second
	}
	if o.MaxMergeDelay == 0 {
		o.MaxMergeDelay = time.Minute
	}
	if o.CosignTimeout == 0 {
		o.CosignTimeout = 5 * time.Second
	}
	if o.MaxPending == 0 {
		o.MaxPending = 1 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.rotateAt == 0 {
		o.rotateAt = rotateAt
	}
	if o.step == nil {
		o.step = func(string) {}
	}
	if len(o.Cosigners) < o.Trust.Quorum {
		return fault.New(fault.Invalid, "ledger_options", "the quorum is larger than the number of witnesses to ask")
	}
	return nil
}

// Close takes no more entries, publishes what is accepted, and lets go of the folder. A second call does nothing.
func (l *Log) Close() error {
	var err error
	l.closed.Do(func() {
		close(l.closing)
		l.cancel()
		l.loops.Wait()
		err = l.integrate(context.WithoutCancel(l.ctx))
		l.publishMu.Lock()
		defer l.publishMu.Unlock()
		l.cosignMu.Lock()
		defer l.cosignMu.Unlock()
		l.gone = true
		err = errors.Join(err, l.release())
	})
	return err
}

// release closes whatever recover has opened.
func (l *Log) release() error {
	var errs []error
	if l.journal != nil {
		errs = append(errs, l.journal.close())
	}
	if l.index != nil {
		errs = append(errs, l.index.close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close()) // and with it the flock
	}
	return errors.Join(errs...)
}

func (l *Log) path(name ...string) string {
	return filepath.Join(append([]string{l.dir}, name...)...)
}

func unavailable(err error, message string) error {
	return fault.Wrap(err, fault.Unavailable, "ledger_unavailable", message)
}

var errClosed = fault.New(fault.Unavailable, "ledger_closed", "the ledger is closed")
