package ledger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
)

// province is a log in memory with a witness and one issued license in the middle of it.
type province struct {
	log     *ledgertest.Memory
	trust   ledger.Trust
	opening ledger.Opening
	entry   []byte
	promise ledger.Promise
}

func newProvince(t testing.TB) *province {
	t.Helper()
	logKey, witness := ledgertest.NewSigner(t), ledgertest.NewSigner(t)
	p := &province{
		log: ledgertest.NewMemory(logKey),
		trust: ledger.Trust{
			LogKeys:     []ledger.Key{logKey.LogKey(ledgertest.Origin)},
			WitnessKeys: []ledger.Key{witness.WitnessKey("w.example/1")},
			Quorum:      1,
		},
		opening: ledger.Opening{Ref: hash(1), Salt: hash(2), DocumentDigest: hash(3), FaceDigest: hash(4)},
	}
	p.log.Witness("w.example/1", witness)
	p.entry = marshal(t, ledger.Issue{
		Type: ledger.TypeIssue, Time: at, Issuer: "11990000000000001G", Kind: "food", Ref: p.opening.Ref, Commit: p.opening.Commit(),
	})
	p.append(t, ledgertest.Entries(t, 5)...)
	p.promise = p.append(t, p.entry)[0]
	p.append(t, ledgertest.Entries(t, 7)...)
	return p
}

func (p *province) append(t testing.TB, entries ...[]byte) []ledger.Promise {
	t.Helper()
	promises, err := p.log.Append(context.Background(), entries)
	if err != nil {
		t.Fatal(err)
	}
	return promises
}

func (p *province) proof(t testing.TB) *ledger.Proof {
	t.Helper()
	evidence, err := ledger.Prove(context.Background(), p.log, ledger.LeafHash(p.entry))
	if err != nil {
		t.Fatal(err)
	}
	evidence.Promise = p.promise.Text
	return &ledger.Proof{Opening: p.opening, Evidence: evidence, Status: json.RawMessage(`{"list":"x","Index":5}`)}
}

func TestProof(t *testing.T) {
	t.Parallel()
	p := newProvince(t)
	proof := p.proof(t)
	file, err := proof.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ledger.ParseProof(file)
	if err != nil {
		t.Fatal(err)
	}
	back.Status = compact(t, back.Status)
	if diff := cmp.Diff(proof, back); diff != "" {
		t.Fatal(diff)
	}
	r := ledger.VerifyProof(file, hash(3), p.trust)
	if !r.OK() || r.Ledger.State != ledger.StateIncluded || r.Ledger.Index != 5 || r.Ledger.Size != 13 || r.Ledger.Root == "" {
		t.Fatalf("result %+v", r)
	}
	if since := time.Since(r.ProvenTime); since < -2*time.Second || since > time.Minute {
		t.Errorf("proven at %v", r.ProvenTime)
	}
	if verdict.Fold(r.Checks) != verdict.Valid || len(r.Checks) != 5 {
		t.Errorf("checks %+v", r.Checks)
	}
	if issue, ok := r.Entry.(ledger.Issue); !ok || issue.Kind != "food" {
		t.Errorf("entry %+v", r.Entry)
	}
}

func compact(t testing.TB, raw json.RawMessage) json.RawMessage {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestProofFindings(t *testing.T) {
	t.Parallel()
	p := newProvince(t)
	stranger, another := newProvince(t), newProvince(t)
	foreign, err := another.proof(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	status := marshal(t, ledger.StatusChange{Time: at, Ref: hash(1), Status: "revoked", Effective: at, Reason: "x"})
	p.append(t, status)
	statusEvidence, err := ledger.Prove(context.Background(), p.log, ledger.LeafHash(status))
	if err != nil {
		t.Fatal(err)
	}
	if r := statusEvidence.Verify(p.trust); !r.OK() || r.ProvenTime.IsZero() {
		t.Fatalf("evidence of a status change: %+v", r)
	}
	unwitnessed := func(text []byte) []byte { // the log's signature alone
		head, rest, _ := bytes.Cut(text, []byte("\n\n"))
		line, _, _ := bytes.Cut(rest, []byte("\n"))
		return append(append(append(bytes.Clone(head), "\n\n"...), line...), '\n')
	}
	const none = verdict.Code("")
	for _, c := range []struct {
		name   string
		change func(*ledger.Proof)
		doc    byte
		trust  ledger.Trust
		want   verdict.Code
		word   verdict.Word
		state  string
		proven bool
	}{
		{"good", func(*ledger.Proof) {}, 3, p.trust, none, verdict.Valid, ledger.StateIncluded, true},
		{"good without promise", func(f *ledger.Proof) { f.Evidence.Promise = nil }, 3, p.trust, none, verdict.Valid, ledger.StateIncluded, true},
		{"another file", func(*ledger.Proof) {}, 9, p.trust, verdict.ProofWrongSubject, verdict.NotValid, ledger.StateIncluded, true},
		{"opening of another file", func(f *ledger.Proof) { f.Opening.DocumentDigest = hash(9) }, 9, p.trust, verdict.ProofWrongSubject, verdict.NotValid, ledger.StateIncluded, true},
		{"another salt", func(f *ledger.Proof) { f.Opening.Salt = hash(9) }, 3, p.trust, verdict.ProofWrongSubject, verdict.NotValid, ledger.StateIncluded, true},
		{"another face", func(f *ledger.Proof) { f.Opening.FaceDigest = hash(9) }, 3, p.trust, verdict.ProofWrongSubject, verdict.NotValid, ledger.StateIncluded, true},
		{"another ref", func(f *ledger.Proof) { f.Opening.Ref = hash(9) }, 3, p.trust, verdict.ProofWrongSubject, verdict.NotValid, ledger.StateIncluded, true},
		{"entry of a status change", func(f *ledger.Proof) { f.Evidence = statusEvidence }, 3, p.trust, verdict.ProofWrongSubject, verdict.NotValid, ledger.StateIncluded, true},
		{"entry that was never logged", func(f *ledger.Proof) {
			f.Opening.Salt = hash(9)
			f.Evidence.Entry = marshal(t, ledger.Issue{Type: ledger.TypeIssue, Time: at, Issuer: "x", Kind: "y", Ref: hash(1), Commit: f.Opening.Commit()})
			f.Evidence.Promise = nil
		}, 3, p.trust, verdict.ProofPathInvalid, verdict.NotValid, ledger.StateAbsent, false},
		{"another index", func(f *ledger.Proof) { f.Evidence.Index++ }, 3, p.trust, verdict.ProofPathInvalid, verdict.NotValid, ledger.StateAbsent, false},
		{"a hash changed", func(f *ledger.Proof) { f.Evidence.Path[1][4] ^= 1 }, 3, p.trust, verdict.ProofPathInvalid, verdict.NotValid, ledger.StateAbsent, false},
		{"path cut", func(f *ledger.Proof) { f.Evidence.Path = f.Evidence.Path[1:] }, 3, p.trust, verdict.ProofPathInvalid, verdict.NotValid, ledger.StateAbsent, false},
		{"strange log", func(f *ledger.Proof) { f.Evidence.Promise = nil }, 3, stranger.trust, verdict.ProofCheckpointInvalid, verdict.NotValid, ledger.StateAbsent, false},
		{"strange log's promise", func(f *ledger.Proof) { f.Evidence.Promise = stranger.promise.Text }, 3, p.trust, verdict.ProofCheckpointInvalid, verdict.NotValid, ledger.StateIncluded, true},
		{"promise for another", func(f *ledger.Proof) {
			f.Evidence.Promise = p.append(t, status)[0].Text
		}, 3, p.trust, verdict.ProofWrongSubject, verdict.NotValid, ledger.StateIncluded, true},
		{"no witness", func(f *ledger.Proof) { f.Evidence.Checkpoint = unwitnessed(f.Evidence.Checkpoint) }, 3, p.trust, verdict.ProofWitnessQuorumMissing, verdict.CannotDetermine, ledger.StateIncluded, false},
		{"witness that nobody trusts", func(*ledger.Proof) {}, 3, ledger.Trust{LogKeys: p.trust.LogKeys}, verdict.ProofWitnessQuorumMissing, verdict.CannotDetermine, ledger.StateIncluded, false},
		{"promised only", func(f *ledger.Proof) {
			f.Evidence = ledger.Evidence{Entry: p.entry, Promise: p.promise.Text}
		}, 3, p.trust, verdict.ProofPromisedOnly, verdict.CannotDetermine, ledger.StatePromised, false},
		{"promised for another file", func(f *ledger.Proof) {
			f.Evidence = ledger.Evidence{Entry: p.entry, Promise: p.promise.Text}
		}, 9, p.trust, verdict.ProofWrongSubject, verdict.NotValid, ledger.StatePromised, false},
	} {
		f := p.proof(t)
		c.change(f)
		file, err := f.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		r := ledger.VerifyProof(file, hash(c.doc), c.trust)
		if (c.want == none) != r.OK() || (c.want != none && !r.Has(c.want)) {
			t.Errorf("%s: checks %+v, want %s", c.name, r.Checks, c.want)
		}
		if got := verdict.Fold(r.Checks); got != c.word || r.Ledger.State != c.state || r.ProvenTime.IsZero() == c.proven {
			t.Errorf("%s: %s, %s, proven %v", c.name, got, r.Ledger.State, r.ProvenTime)
		}
	}
	if r := ledger.VerifyProof(foreign, hash(3), p.trust); verdict.Fold(r.Checks) != verdict.NotValid {
		t.Errorf("another province's proof: %+v", r.Checks)
	}
}

func TestParseProofStrict(t *testing.T) {
	t.Parallel()
	p := newProvince(t)
	file, err := p.proof(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	good := string(file)
	member := func(name string) string { // the line of a top-level member
		for line := range strings.Lines(good) {
			if strings.HasPrefix(line, `  "`+name+`"`) {
				return line
			}
		}
		t.Fatalf("no member %s", name)
		return ""
	}
	for name, text := range map[string]string{
		"empty":                "",
		"no object":            "[]",
		"null":                 "null",
		"another format":       strings.Replace(good, "yinxin-proof/1", "yinxin-proof/2", 1),
		"unknown member":       strings.Replace(good, "{", `{"more":1,`, 1),
		"index twice":          strings.Replace(good, "{", "{"+strings.TrimSpace(member("index")), 1),
		"index in capitals":    strings.Replace(good, `"index"`, `"Index"`, 1),
		"long s":               strings.Replace(good, `"status"`, `"ſtatus"`, 1),
		"ref twice":            strings.Replace(good, `"ref"`, `"ref": "AAAA", "ref"`, 1),
		"opening in capitals":  strings.Replace(good, `"salt"`, `"SALT"`, 1),
		"no opening":           strings.Replace(good, `"opening"`, `"promise2"`, 1),
		"opening null":         `{"format":"yinxin-proof/1","opening":null}`,
		"no index":             strings.Replace(good, member("index"), "", 1),
		"no checkpoint":        strings.Replace(good, member("checkpoint"), "", 1),
		"negative index":       strings.Replace(good, `"index": 5`, `"index": -5`, 1),
		"huge index":           strings.Replace(good, `"index": 5`, `"index": 9007199254740992`, 1),
		"index as text":        strings.Replace(good, `"index": 5`, `"index": "5"`, 1),
		"entry is none":        strings.Replace(good, member("entry"), `"entry": "AAAA",`, 1),
		"entry with line feed": strings.Replace(good, `"entry": "`, `"entry": "\n`, 1),
		"status is a list":     strings.Replace(good, `"status": {`, `"status": [{}], "fabric": {`, 1),
		"bytes behind":         good + "{}",
		"cut":                  good[:len(good)-4],
		"not UTF-8":            strings.Replace(good, "yinxin-proof/1", "yinxin-proof/1\xff", 1),
		"deep":                 strings.Replace(good, `"status": {`, `"status": {"a":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+",", 1),
		"too long":             good + strings.Repeat(" ", ledger.MaxProofFile),
		"status too long":      strings.Replace(good, `"status": {`, `"status": {"a":"`+strings.Repeat("x", 17<<10)+`",`, 1),
	} {
		if text == good {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := ledger.ParseProof([]byte(text)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r := ledger.VerifyProof([]byte(text), hash(3), p.trust); !r.Has(verdict.ProofMalformed) || r.Ledger.State != ledger.StateAbsent {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestProofEveryByte flips a bit in each byte of a proof file: none proves what the original does not.
func TestProofEveryByte(t *testing.T) {
	t.Parallel()
	p := newProvince(t)
	proof := p.proof(t)
	proof.Status = nil
	file, err := proof.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 1
		if r := ledger.VerifyProof(changed, hash(3), p.trust); r.OK() {
			// Spaces between tokens say nothing; everything else does.
			if b == ' ' || b == '\n' {
				continue
			}
			t.Errorf("byte %d (%q) may be changed", i, b)
		}
	}
}

func TestRebuildAndProveOfWrongLogs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p := newProvince(t)
	if _, err := ledger.Rebuild(ctx, p.log, 14); fault.KindOf(err) != fault.Invalid {
		t.Errorf("rebuild of more than there is: %v", err)
	}
	p.log.Hold()
	held := ledgertest.Entry(t)
	p.append(t, held)
	if _, err := ledger.Prove(ctx, p.log, ledger.LeafHash(held)); fault.CodeOf(err) != ledger.NotYetPublished {
		t.Errorf("proof of what is only promised: %v", err)
	}
}

// FuzzParseProof starts from the vectors: seeds that change from run to run would mislead the search.
func FuzzParseProof(f *testing.F) {
	v := readVectors(f)
	f.Add([]byte(v.Notes.Proof))
	proof, err := ledger.ParseProof([]byte(v.Notes.Proof))
	if err != nil {
		f.Fatal(err)
	}
	proof.Evidence.Checkpoint, proof.Evidence.Path = nil, nil
	promised, err := proof.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(promised)
	trust := v.trust(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		proof, err := ledger.ParseProof(b)
		if err != nil {
			return
		}
		again, err := proof.Marshal()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := ledger.ParseProof(again)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if third, err := back.Marshal(); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("%s is written as %s (%v)", again, third, err)
		}
		proof.Verify(hash(0x23), trust)
	})
}
