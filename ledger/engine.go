package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Engine keeps the log. All engines keep the same tree and differ only in who attests its root; ledgertest.Run holds each
// of them to this contract. Errors are *fault.Error: Invalid for a malformed entry or a range that cannot be, NotFound for
// an unknown leaf, TooLarge for a batch over MaxBatch, Unavailable when the engine is closed, full or cannot write.
type Engine interface {
	// Append makes the entries durable, in their order, and returns a signed promise for each. It is idempotent by leaf
	// hash: an entry that the log has is promised again and not added again. All or none of the new entries are in.
	Append(ctx context.Context, entries [][]byte) ([]Promise, error)
	// Checkpoint is the latest checkpoint that the quorum of witnesses cosigned; before the first one, or without
	// witnesses, it is Head.
	Checkpoint(ctx context.Context) (SignedCheckpoint, error)
	// Head is the latest checkpoint that the log signed, cosigned or not.
	Head(ctx context.Context) (SignedCheckpoint, error)
	// Inclusion is the path of the leaf at index in the tree of the given size, which is at most Head's.
	Inclusion(ctx context.Context, index, size uint64) ([]Hash, error)
	// Consistency proves that the tree of size from is a prefix of the tree of size to, which is at most Head's.
	Consistency(ctx context.Context, from, to uint64) ([]Hash, error)
	// Entries reads at most limit entries of the published log from index from on; none when from is Head's size.
	Entries(ctx context.Context, from uint64, limit int) ([][]byte, error)
	// Index is the place of an entry, known from Append on, that is before a checkpoint covers it.
	Index(ctx context.Context, leaf Hash) (uint64, error)
	// Health tells how far behind the published and the cosigned log are.
	Health(ctx context.Context) (Health, error)
}

// Health is what an operator watches.
type Health struct {
	Accepted      uint64          // entries that are durable
	Published     uint64          // size of Head
	Cosigned      uint64          // size of Checkpoint
	MergeDelay    time.Duration   // age of the oldest accepted entry that Head does not cover; 0 if none
	MaxMergeDelay time.Duration   // what promises say
	WitnessLag    time.Duration   // for how long Head has been without its quorum; 0 if it has it
	AnchorLag     time.Duration   // the same for an anchor (Fabric); 0 without one
	Witnesses     []WitnessHealth // in the order of the configuration
	Problem       string          // why nothing can be appended or published; empty if it can
}

// WitnessHealth is what the log knows of one witness.
type WitnessHealth struct {
	Name    string
	Size    uint64    // the latest size it cosigned
	At      time.Time // when it did
	Problem string    // why it did not cosign the latest; empty if it did
}

// Cosigner is a witness as the log sees it. ledger/witness has the client for one across HTTP.
type Cosigner interface {
	Name() string
	// Cosign asks the witness to cosign a checkpoint that extends the one of size old. It returns the signature line of
	// the answer, unchecked. A witness that stands at another size answers with a *StaleError.
	Cosign(ctx context.Context, old uint64, proof []Hash, checkpoint []byte) ([]byte, error)
}

// StaleError says that a witness last cosigned another size than the log thought.
type StaleError struct{ Size uint64 }

func (e *StaleError) Error() string {
	return fmt.Sprintf("the witness last cosigned size %d", e.Size)
}

// NotYetPublished is the code of the error for an entry that is accepted, and promised, but not yet under a checkpoint.
const NotYetPublished = "ledger_not_yet_published"

// Prove gathers what shows an entry's place in the log: the latest checkpoint and the path to it. An entry that no
// checkpoint covers yet gives a NotFound with the code NotYetPublished: its promise is all there is so far.
func Prove(ctx context.Context, e Engine, leaf Hash) (Evidence, error) {
	index, err := e.Index(ctx, leaf)
	if err != nil {
		return Evidence{}, err
	}
	cp, err := e.Checkpoint(ctx)
	if err != nil {
		return Evidence{}, err
	}
	if index >= cp.Size {
		return Evidence{}, fault.New(fault.NotFound, NotYetPublished, "the entry is promised but no checkpoint covers it yet")
	}
	path, err := e.Inclusion(ctx, index, cp.Size)
	if err != nil {
		return Evidence{}, err
	}
	entries, err := e.Entries(ctx, index, 1)
	if err != nil {
		return Evidence{}, err
	}
	if len(entries) != 1 || LeafHash(entries[0]) != leaf {
		return Evidence{}, fault.New(fault.Internal, "ledger_entry_mismatch", "the log gave another entry than was asked for")
	}
	return Evidence{Entry: entries[0], Index: index, Path: path, Checkpoint: cp.Text}, nil
}

// Rebuild computes the root of the first size entries from the entries alone, as an auditor does who trusts no tile.
func Rebuild(ctx context.Context, e Engine, size uint64) (Hash, error) {
	var f Frontier
	for f.Size() < size {
		limit := int(min(size-f.Size(), MaxBatch))
		entries, err := e.Entries(ctx, f.Size(), limit)
		if err != nil {
			return Hash{}, err
		}
		if len(entries) == 0 || len(entries) > limit {
			return Hash{}, fault.New(fault.Invalid, "ledger_range", "the log has fewer entries than the size asked for")
		}
		for _, entry := range entries {
			f.Append(LeafHash(entry))
		}
	}
	return f.Root(), nil
}
