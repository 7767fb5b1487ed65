package ledger

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// Evidence (存证证据) shows that an entry is in the log, or, without a checkpoint, that the log promised to take it.
type Evidence struct {
	Entry      []byte
	Index      uint64 // with a checkpoint
	Path       []Hash // with a checkpoint
	Checkpoint []byte // signed note with cosignatures; nil if the entry is only promised
	Promise    []byte // signed note; may be nil with a checkpoint
}

// The names of the checks that Evidence.Verify and Proof.Verify make.
const (
	CheckForm       = "ledger.form"
	CheckSubject    = "ledger.subject"
	CheckCheckpoint = "ledger.checkpoint"
	CheckPath       = "ledger.inclusion"
	CheckWitnesses  = "ledger.witnesses"
	CheckPromise    = "ledger.promise"
)

// The states of verdict.Ledger.
const (
	StateIncluded = "included"
	StatePromised = "promised"
	StateAbsent   = "absent"
)

// Result is what a proof is worth under a trust. Every check that was made stands in Checks, passed or not.
type Result struct {
	Checks     []verdict.Check
	Ledger     verdict.Ledger
	Entry      Entry            // nil if it cannot be read
	Checkpoint CheckpointResult // zero without a checkpoint
	Promise    Promise          // zero without a promise
	ProvenTime time.Time        // the entry existed by then, as the quorum of witnesses vouches; zero if not proven
}

// OK tells whether nothing is wrong and nothing is missing.
func (r *Result) OK() bool {
	for _, c := range r.Checks {
		if c.Code != "" {
			return false
		}
	}
	return true
}

// Has tells whether a finding was made.
func (r *Result) Has(code verdict.Code) bool {
	for _, c := range r.Checks {
		if c.Code == code {
			return true
		}
	}
	return false
}

func (r *Result) pass(name, detail string) {
	r.Checks = append(r.Checks, verdict.Check{Name: name, Result: verdict.Pass, Detail: detail})
}

func (r *Result) find(name string, code verdict.Code, detail string) {
	r.Checks = append(r.Checks, verdict.Note(name, code, "", detail))
}

// Verify checks the evidence for whatever entry it holds. Proof.Verify also checks whose entry it is.
func (e Evidence) Verify(trust Trust) Result {
	r := Result{Ledger: verdict.Ledger{State: StateAbsent}}
	entry, err := ParseEntry(e.Entry)
	if err != nil {
		r.find(CheckForm, verdict.ProofMalformed, err.Error())
		return r
	}
	r.Entry = entry
	leaf := LeafHash(e.Entry)
	promised := e.verifyPromise(&r, trust, leaf)
	if e.Checkpoint == nil {
		if promised {
			r.Ledger.State = StatePromised
		}
		r.find(CheckPath, verdict.ProofPromisedOnly, "no checkpoint covers the entry yet")
		return r
	}
	e.verifyIncluded(&r, trust, leaf)
	return r
}

func (e Evidence) verifyPromise(r *Result, trust Trust, leaf Hash) bool {
	if e.Promise == nil {
		return false
	}
	p, err := trust.VerifyPromise(e.Promise)
	switch {
	case err != nil:
		r.find(CheckPromise, verdict.ProofCheckpointInvalid, err.Error())
		return false
	case p.Leaf != leaf:
		r.find(CheckPromise, verdict.ProofWrongSubject, "the promise is for another entry")
		return false
	}
	r.Promise = p
	r.pass(CheckPromise, "due "+p.Due().Format(time.RFC3339))
	return true
}

func (e Evidence) verifyIncluded(r *Result, trust Trust, leaf Hash) {
	cp, err := trust.Verify(e.Checkpoint)
	if err != nil {
		r.find(CheckCheckpoint, verdict.ProofMalformed, err.Error())
		return
	}
	r.Checkpoint = cp
	signed := cp.LogSigned && len(cp.Wrong) == 0
	if signed {
		r.pass(CheckCheckpoint, "size "+strconv.FormatUint(cp.Checkpoint.Size, 10))
	} else {
		r.find(CheckCheckpoint, verdict.ProofCheckpointInvalid, "a signature of the checkpoint is wrong, or it is none of a log that is trusted")
	}
	included := VerifyInclusion(leaf, e.Index, cp.Checkpoint.Size, e.Path, cp.Checkpoint.Root)
	if included {
		r.pass(CheckPath, "index "+strconv.FormatUint(e.Index, 10))
	} else {
		r.find(CheckPath, verdict.ProofPathInvalid, "the path does not lead from the entry to the root")
	}
	if signed && included {
		root := cp.Checkpoint.Root
		r.Ledger = verdict.Ledger{
			State: StateIncluded, Size: cp.Checkpoint.Size, Index: e.Index,
			Root: base64.StdEncoding.EncodeToString(root[:]),
		}
	}
	tally := strconv.Itoa(len(cp.Witnesses)) + " of " + strconv.Itoa(len(trust.witnesses())) + " witnesses, quorum " + strconv.Itoa(trust.Quorum)
	if !cp.Quorum {
		r.find(CheckWitnesses, verdict.ProofWitnessQuorumMissing, tally)
		return
	}
	r.pass(CheckWitnesses, tally)
	if included {
		r.ProvenTime = cp.QuorumTime
	}
}
