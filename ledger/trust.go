package ledger

import (
	"slices"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Trust is what a reader must know to believe a checkpoint: the log's keys (more than one while a key is being replaced),
// the witnesses' keys, and how many different witnesses it takes.
type Trust struct {
	LogKeys     []Key
	WitnessKeys []Key
	Quorum      int
}

// Check refuses a quorum of half the witnesses or fewer, with which two histories could both pass, and keys of the wrong
// type. A quorum of zero without witnesses is a log that proves nothing to others; it is allowed and never reached.
func (t Trust) Check() error {
	for _, k := range t.LogKeys {
		if _, err := NewKey(k.Type, k.Name, k.Public); err != nil || k.Type != LogKey {
			return malformed("ledger_trust_malformed", "a log key of the trust is not a log key")
		}
	}
	for _, k := range t.WitnessKeys {
		if _, err := NewKey(k.Type, k.Name, k.Public); err != nil || k.Type != WitnessKey {
			return malformed("ledger_trust_malformed", "a witness key of the trust is not a witness key")
		}
	}
	n := len(t.witnesses())
	if (n > 0 || t.Quorum != 0) && (t.Quorum*2 <= n || t.Quorum > n) {
		return malformed("ledger_trust_quorum", "the quorum must be more than half of the witnesses and not more than all")
	}
	return nil
}

// witnesses are the names of the witnesses: one office with two keys counts once.
func (t Trust) witnesses() []string {
	var names []string
	for _, k := range t.WitnessKeys {
		if !slices.Contains(names, k.Name) {
			names = append(names, k.Name)
		}
	}
	return names
}

// Witnessed is one witness's cosignature that is good.
type Witnessed struct {
	Name string
	Time time.Time // the witness's own
}

// CheckpointResult tells what a checkpoint's signatures are worth under a trust.
type CheckpointResult struct {
	Checkpoint Checkpoint
	LogSigned  bool        // signed with a log key whose name is the origin
	Witnesses  []Witnessed // who cosigned, by time
	Wrong      []string    // names under which a known key's signature is wrong: nothing honest looks like that
	Quorum     bool        // enough witnesses cosigned, and no signature is wrong
	QuorumTime time.Time   // when the last of the quorum did; zero without quorum
}

// Verify checks all signatures of a checkpoint. The error is for bytes that are no checkpoint. Signatures by unknown keys
// are passed over, as C2SP signed-note has it.
func (t Trust) Verify(text []byte) (CheckpointResult, error) {
	c, n, err := parseCheckpoint(text)
	if err != nil {
		return CheckpointResult{}, err
	}
	r := CheckpointResult{Checkpoint: c}
	for _, sig := range n.sigs {
		if k, ok := find(t.LogKeys, sig); ok && k.Name == c.Origin {
			if verifyText(k.Public, n.text, sig.sig) {
				r.LogSigned = true
			} else {
				r.Wrong = append(r.Wrong, sig.name)
			}
		} else if k, ok := find(t.WitnessKeys, sig); ok {
			at, good := verifyCosignature(k, n.text, sig.sig)
			if !good {
				r.Wrong = append(r.Wrong, sig.name)
				continue
			}
			r.witnessed(sig.name, at)
		}
	}
	slices.SortStableFunc(r.Witnesses, func(a, b Witnessed) int { return a.Time.Compare(b.Time) })
	enough := t.Quorum > 0 && t.Quorum*2 > len(t.witnesses()) && len(r.Witnesses) >= t.Quorum
	if enough && r.LogSigned && len(r.Wrong) == 0 {
		r.Quorum = true
		r.QuorumTime = r.Witnesses[t.Quorum-1].Time
	}
	return r, nil
}

// witnessed counts a name once, with the earliest time it vouches for.
func (r *CheckpointResult) witnessed(name string, at time.Time) {
	for i, w := range r.Witnesses {
		if w.Name == name {
			if at.Before(w.Time) {
				r.Witnesses[i].Time = at
			}
			return
		}
	}
	r.Witnesses = append(r.Witnesses, Witnessed{Name: name, Time: at})
}

// VerifyPromise checks a promise's signature.
func (t Trust) VerifyPromise(text []byte) (Promise, error) {
	p, n, err := parsePromise(text)
	if err != nil {
		return Promise{}, err
	}
	for _, sig := range n.sigs {
		if k, ok := find(t.LogKeys, sig); ok && k.Name == p.Origin && verifyText(k.Public, n.text, sig.sig) {
			return p, nil
		}
	}
	return Promise{}, fault.New(fault.Invalid, "ledger_promise_signature", "the promise is not signed by a log that is trusted")
}

func find(keys []Key, sig noteSignature) (Key, bool) {
	for _, k := range keys {
		if k.Name == sig.name && k.Public != nil && k.ID() == sig.id {
			return k, true
		}
	}
	return Key{}, false
}
