package ledgertest

import (
	"context"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

// Origin is the name of a Memory's log.
const Origin = "yinxin.example/ledger/memory"

// Memory is an engine that keeps everything in memory and publishes at once, for the tests of whoever uses an engine.
type Memory struct {
	signer ledger.Signer

	mu        sync.Mutex
	cosigners []memoryWitness
	hold      bool
	entries   [][]byte
	nodes     [][]ledger.Hash // by level; only complete subtrees
	index     map[ledger.Hash]uint64
	head      ledger.SignedCheckpoint
	cosigned  ledger.SignedCheckpoint
}

type memoryWitness struct {
	name   string
	signer ledger.Signer
}

// NewMemory makes an empty log under Origin.
func NewMemory(signer ledger.Signer) *Memory {
	return &Memory{signer: signer, index: map[ledger.Hash]uint64{}}
}

// Witness adds a witness that cosigns every checkpoint on the spot.
func (m *Memory) Witness(name string, signer ledger.Signer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cosigners = append(m.cosigners, memoryWitness{name, signer})
}

// Hold makes what is appended from now on wait for Publish, so that it is promised and not yet provable.
func (m *Memory) Hold() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hold = true
}

// Publish signs a checkpoint over all that was appended.
func (m *Memory) Publish(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.publish(ctx)
}

// Append is ledger.Engine's.
func (m *Memory) Append(ctx context.Context, entries [][]byte) ([]ledger.Promise, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(entries) > ledger.MaxBatch {
		return nil, fault.New(fault.TooLarge, "ledger_batch_too_large", "a batch has at most 4096 entries")
	}
	for _, e := range entries {
		if _, err := ledger.ParseEntry(e); err != nil {
			return nil, err
		}
	}
	if m.head.Text == nil {
		if err := m.publish(ctx); err != nil {
			return nil, err
		}
	}
	promises := make([]ledger.Promise, len(entries))
	for i, e := range entries {
		leaf := ledger.LeafHash(e)
		if _, ok := m.index[leaf]; !ok {
			m.index[leaf] = uint64(len(m.entries))
			m.entries = append(m.entries, append([]byte(nil), e...))
			m.add(leaf)
		}
		p, err := ledger.SignPromise(ctx, ledger.Promise{
			Origin: Origin, Leaf: leaf, Time: time.Now(), MaxMergeDelay: time.Minute,
		}, m.signer)
		if err != nil {
			return nil, err
		}
		promises[i] = p
	}
	if m.hold {
		return promises, nil
	}
	return promises, m.publish(ctx)
}

func (m *Memory) add(h ledger.Hash) {
	for level := 0; ; level++ {
		if level == len(m.nodes) {
			m.nodes = append(m.nodes, nil)
		}
		m.nodes[level] = append(m.nodes[level], h)
		n := len(m.nodes[level])
		if n%2 == 1 {
			return
		}
		h = ledger.NodeHash(m.nodes[level][n-2], m.nodes[level][n-1])
	}
}

func (m *Memory) publish(ctx context.Context) error {
	size := uint64(len(m.entries))
	if m.head.Text != nil && m.head.Size == size {
		return nil
	}
	root, err := ledger.TreeRoot(ctx, memoryNodes{m}, size)
	if err != nil {
		return err
	}
	cp, err := ledger.SignCheckpoint(ctx, ledger.Checkpoint{Origin: Origin, Size: size, Root: root}, m.signer)
	if err != nil {
		return err
	}
	m.head, m.cosigned = cp, cp
	for _, w := range m.cosigners {
		line, err := ledger.Cosign(ctx, cp.Checkpoint, w.name, w.signer, time.Now())
		if err != nil {
			return err
		}
		if m.cosigned, err = m.cosigned.WithCosignature(line); err != nil {
			return err
		}
	}
	return nil
}

// Checkpoint is ledger.Engine's.
func (m *Memory) Checkpoint(ctx context.Context) (ledger.SignedCheckpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.head.Text == nil {
		if err := m.publish(ctx); err != nil {
			return ledger.SignedCheckpoint{}, err
		}
	}
	return m.cosigned, nil
}

// Head is ledger.Engine's.
func (m *Memory) Head(ctx context.Context) (ledger.SignedCheckpoint, error) {
	if _, err := m.Checkpoint(ctx); err != nil {
		return ledger.SignedCheckpoint{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head, nil
}

// Inclusion is ledger.Engine's.
func (m *Memory) Inclusion(ctx context.Context, index, size uint64) ([]ledger.Hash, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if size > m.head.Size {
		return nil, outOfRange()
	}
	return ledger.InclusionPath(ctx, memoryNodes{m}, index, size)
}

// Consistency is ledger.Engine's.
func (m *Memory) Consistency(ctx context.Context, from, to uint64) ([]ledger.Hash, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if to > m.head.Size {
		return nil, outOfRange()
	}
	return ledger.ConsistencyPath(ctx, memoryNodes{m}, from, to)
}

// Entries is ledger.Engine's.
func (m *Memory) Entries(_ context.Context, from uint64, limit int) ([][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if from > m.head.Size || limit < 1 {
		return nil, outOfRange()
	}
	to := min(from+uint64(limit), m.head.Size)
	return append([][]byte(nil), m.entries[from:to]...), nil
}

// Index is ledger.Engine's.
func (m *Memory) Index(_ context.Context, leaf ledger.Hash) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.index[leaf]
	if !ok {
		return 0, fault.New(fault.NotFound, "ledger_leaf_unknown", "the log has no such entry")
	}
	return i, nil
}

// Health is ledger.Engine's.
func (m *Memory) Health(context.Context) (ledger.Health, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return ledger.Health{
		Accepted: uint64(len(m.entries)), Published: m.head.Size, Cosigned: m.cosigned.Size, MaxMergeDelay: time.Minute,
	}, nil
}

type memoryNodes struct{ m *Memory }

func (r memoryNodes) Node(_ context.Context, level uint, index uint64) (ledger.Hash, error) {
	if level >= uint(len(r.m.nodes)) || index >= uint64(len(r.m.nodes[level])) {
		return ledger.Hash{}, outOfRange()
	}
	return r.m.nodes[level][index], nil
}

func outOfRange() error {
	return fault.New(fault.Invalid, "ledger_range", "the log has no such range")
}
