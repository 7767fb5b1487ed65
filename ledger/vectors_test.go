package ledger_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorsFile = "testdata/vectors.json"

// vectors are what docs/formats.md shows; another implementation can check itself with nothing else.
type vectors struct {
	Comment     string              `json:"comment"`
	Entries     []entryVector       `json:"entries"`
	Roots       []string            `json:"roots"`       // hex; of the first 0, 1, 2, … of the entries
	Inclusion   []inclusionVector   `json:"inclusion"`   // in the tree of all entries
	Consistency []consistencyVector `json:"consistency"` // with the tree of all entries
	Opening     openingVector       `json:"opening"`
	Notes       noteVector          `json:"notes"`
}

type entryVector struct {
	Type string `json:"type"`
	CBOR string `json:"cbor"` // hex
	Leaf string `json:"leaf"` // hex
}

type inclusionVector struct {
	Index uint64   `json:"index"`
	Path  []string `json:"path"` // hex
}

type consistencyVector struct {
	From uint64   `json:"from"`
	Path []string `json:"path"` // hex
}

type openingVector struct {
	Ref, Salt, DocumentDigest, FaceDigest, Commit string // hex
}

// noteVector has keys and notes. SM2 signatures are random: a reader verifies these, and cannot make the same.
type noteVector struct {
	LogScalar     string `json:"log_private_key"` // hex
	WitnessScalar string `json:"witness_private_key"`
	LogKey        string `json:"log_key"`
	WitnessKey    string `json:"witness_key"`
	Checkpoint    string `json:"checkpoint"`
	QuorumTime    string `json:"quorum_time"`
	Promise       string `json:"promise"`
	Proof         string `json:"proof"` // a proof file for the document digest of the opening
}

func hexAll(hashes []ledger.Hash) []string {
	s := []string{}
	for _, h := range hashes {
		s = append(s, hex.EncodeToString(h[:]))
	}
	return s
}

// compute makes everything in the vectors that is not random.
func compute(t testing.TB) (vectors, *ledgertest.Memory) {
	t.Helper()
	opening := ledger.Opening{Ref: hash(0x21), Salt: hash(0x22), DocumentDigest: hash(0x23), FaceDigest: hash(0x24)}
	commit := opening.Commit()
	entries := append(goodEntries(), ledger.Issue{
		Type: ledger.TypeIssue, Time: at, Issuer: "11990000000000001G", Kind: "food", Ref: opening.Ref, Commit: commit,
	})
	v := vectors{Comment: "ledger formats, version 1; made by go test ./ledger -run TestVectors -update"}
	var f ledger.Frontier
	all := make([][]byte, len(entries))
	roots := []ledger.Hash{f.Root()}
	for i, e := range entries {
		all[i] = marshal(t, e)
		leaf := ledger.LeafHash(all[i])
		v.Entries = append(v.Entries, entryVector{e.EntryType().String(), hex.EncodeToString(all[i]), hex.EncodeToString(leaf[:])})
		f.Append(leaf)
		roots = append(roots, f.Root())
	}
	v.Roots = hexAll(roots)
	log := ledgertest.NewMemory(ledgertest.NewSigner(t))
	if _, err := log.Append(context.Background(), all); err != nil {
		t.Fatal(err)
	}
	for _, i := range []uint64{0, 5, 14} {
		path, err := log.Inclusion(context.Background(), i, f.Size())
		if err != nil {
			t.Fatal(err)
		}
		v.Inclusion = append(v.Inclusion, inclusionVector{i, hexAll(path)})
	}
	for _, from := range []uint64{1, 6, 8, 14} {
		path, err := log.Consistency(context.Background(), from, f.Size())
		if err != nil {
			t.Fatal(err)
		}
		v.Consistency = append(v.Consistency, consistencyVector{from, hexAll(path)})
	}
	v.Opening = openingVector{
		hex.EncodeToString(opening.Ref[:]), hex.EncodeToString(opening.Salt[:]), hex.EncodeToString(opening.DocumentDigest[:]),
		hex.EncodeToString(opening.FaceDigest[:]), hex.EncodeToString(commit[:]),
	}
	return v, log
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// trust is the one under which the notes verify.
func (v *vectors) trust(t testing.TB) ledger.Trust {
	t.Helper()
	logKey, err := ledger.ParseKey(v.Notes.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	witnessKey, err := ledger.ParseKey(v.Notes.WitnessKey)
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Trust{LogKeys: []ledger.Key{logKey}, WitnessKeys: []ledger.Key{witnessKey}, Quorum: 1}
}

// TestVectors holds the formats to the byte: a change here is a change of a format that is for life.
func TestVectors(t *testing.T) {
	t.Parallel()
	want, log := compute(t)
	if *update {
		writeVectors(t, want, log)
	}
	got := readVectors(t)
	trust, notes := got.trust(t), got.Notes
	got.Notes = noteVector{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	r, err := trust.Verify([]byte(notes.Checkpoint))
	if err != nil || !r.Quorum || r.QuorumTime.Format(time.RFC3339) != notes.QuorumTime {
		t.Errorf("checkpoint: %+v (%v)", r, err)
	}
	if root := hexAll([]ledger.Hash{r.Checkpoint.Root}); root[0] != want.Roots[len(want.Roots)-1] {
		t.Error("the checkpoint has another root")
	}
	if _, err := trust.VerifyPromise([]byte(notes.Promise)); err != nil {
		t.Errorf("promise: %v", err)
	}
	if r := ledger.VerifyProof([]byte(notes.Proof), hash(0x23), trust); !r.OK() || r.ProvenTime.Format(time.RFC3339) != notes.QuorumTime {
		t.Errorf("proof: %+v", r)
	}
}

func writeVectors(t *testing.T, v vectors, log *ledgertest.Memory) {
	t.Helper()
	ctx := context.Background()
	const origin, name = "yinxin.example/ledger/vectors", "witness.example/vectors"
	signer, witness := ledgertest.NewSigner(t), ledgertest.NewSigner(t)
	head, err := log.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cp, err := ledger.SignCheckpoint(ctx, ledger.Checkpoint{Origin: origin, Size: head.Size, Root: head.Root}, signer)
	if err != nil {
		t.Fatal(err)
	}
	when := at.Truncate(time.Second)
	cp = cosigned(t, cp, name, witness, when)
	entries, err := log.Entries(ctx, 14, 1)
	if err != nil {
		t.Fatal(err)
	}
	promise, err := ledger.SignPromise(ctx, ledger.Promise{
		Origin: origin, Leaf: ledger.LeafHash(entries[0]), Time: at, MaxMergeDelay: time.Minute,
	}, signer)
	if err != nil {
		t.Fatal(err)
	}
	path, err := log.Inclusion(ctx, 14, head.Size)
	if err != nil {
		t.Fatal(err)
	}
	proof := ledger.Proof{
		Opening:  ledger.Opening{Ref: hash(0x21), Salt: hash(0x22), DocumentDigest: hash(0x23), FaceDigest: hash(0x24)},
		Evidence: ledger.Evidence{Entry: entries[0], Index: 14, Path: path, Checkpoint: cp.Text, Promise: promise.Text},
	}
	file, err := proof.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	v.Notes = noteVector{
		LogScalar: hex.EncodeToString(signer.Scalar()), WitnessScalar: hex.EncodeToString(witness.Scalar()),
		LogKey: signer.LogKey(origin).String(), WitnessKey: witness.WitnessKey(name).String(),
		Checkpoint: string(cp.Text), QuorumTime: when.Format(time.RFC3339), Promise: string(promise.Text), Proof: string(file),
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorsFile, append(b, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
