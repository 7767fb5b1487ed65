package yinxin_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// ledgerVectors is the part of ledger/testdata/vectors.json, which package ledger makes, that is read here by hand.
type ledgerVectors struct {
	Entries []struct{ CBOR, Leaf string }
	Roots   []string
	Opening struct{ Ref, Salt, DocumentDigest, FaceDigest, Commit string }
	Notes   struct {
		LogKey     string `json:"log_key"`
		WitnessKey string `json:"witness_key"`
		Checkpoint string
		QuorumTime string `json:"quorum_time"`
		Promise    string
		Proof      string
	}
}

// TestFormatsLedger reads leaves, roots, keys, notes and the proof of the ledger's vectors as docs/formats.md describes
// them, without package ledger.
func TestFormatsLedger(t *testing.T) {
	b, err := os.ReadFile("ledger/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v ledgerVectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var leaves []gm.Digest
	for i, e := range v.Entries {
		leaf := gm.SM3([]byte{0}, unhex(e.CBOR))
		same(t, "leaf "+strconv.Itoa(i), hex.EncodeToString(leaf[:]), e.Leaf)
		leaves = append(leaves, leaf)
	}
	for n, want := range v.Roots {
		root := treeHash(leaves[:n])
		same(t, fmt.Sprintf("root of %d", n), hex.EncodeToString(root[:]), want)
	}
	o := v.Opening
	commit := gm.SM3(unhex(o.Salt), unhex(o.DocumentDigest), unhex(o.FaceDigest))
	same(t, "commit", hex.EncodeToString(commit[:]), o.Commit)

	log := noteKey(t, v.Notes.LogKey, "yinxin SM2-SM3 log/v1")
	witness := noteKey(t, v.Notes.WitnessKey, "yinxin SM2-SM3 cosignature/v1")
	body, signatures := splitNote(t, v.Notes.Checkpoint)
	root := treeHash(leaves)
	same(t, "checkpoint", body, log.name+"\n"+strconv.Itoa(len(leaves))+"\n"+base64.StdEncoding.EncodeToString(root[:])+"\n")
	verified(t, "checkpoint", log.point, []byte(body), log.find(t, signatures))
	line := witness.find(t, signatures)
	seconds := binary.BigEndian.Uint64(line[:8])
	same(t, "time", time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339), v.Notes.QuorumTime)
	verified(t, "cosignature", witness.point, []byte("cosignature/v1\ntime "+strconv.FormatUint(seconds, 10)+"\n"+body), line[8:])

	body, signatures = splitNote(t, v.Notes.Promise)
	if lines := strings.Split(body, "\n"); len(lines) != 6 || lines[0] != "yinxin-promise/1" || lines[1] != log.name || lines[4] != "60" {
		t.Errorf("promise:\n%s", body)
	}
	verified(t, "promise", log.point, []byte(body), log.find(t, signatures))

	var proof struct {
		Format     string
		Entry      []byte
		Index      uint64
		Path       [][]byte
		Checkpoint string
	}
	if err := json.Unmarshal([]byte(v.Notes.Proof), &proof); err != nil {
		t.Fatal(err)
	}
	same(t, "proof format", proof.Format, "yinxin-proof/1")
	same(t, "proof checkpoint", proof.Checkpoint, v.Notes.Checkpoint)
	node, last := gm.SM3([]byte{0}, proof.Entry), uint64(len(leaves)-1)
	for at, p := proof.Index, proof.Path; len(p) > 0; at, last = at/2, last/2 {
		switch {
		case at&1 == 1:
			node = gm.SM3([]byte{1}, p[0], node[:])
		case at < last:
			node = gm.SM3([]byte{1}, node[:], p[0])
		default:
			continue // the last one of an odd row goes up as it is
		}
		p = p[1:]
	}
	same(t, "root of the path", node, root)
}

// treeHash is MTH of RFC 6962 §2.1 with SM3.
func treeHash(leaves []gm.Digest) gm.Digest {
	switch len(leaves) {
	case 0:
		return gm.SM3(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := treeHash(leaves[:k]), treeHash(leaves[k:])
	return gm.SM3([]byte{1}, left[:], right[:])
}

// noted is a key of signed notes.
type noted struct {
	name  string
	id    []byte
	point []byte
}

func noteKey(t *testing.T, text, kind string) noted {
	t.Helper()
	parts := strings.SplitN(text, "+", 3)
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	same(t, "key type", string(raw[:len(raw)-65]), "\xff"+kind)
	id := gm.SM3([]byte(parts[0] + "\n\xff" + kind + string(raw[len(raw)-65:])))
	same(t, "key id", parts[1], hex.EncodeToString(id[:4]))
	return noted{parts[0], id[:4], raw[len(raw)-65:]}
}

func splitNote(t *testing.T, text string) (body string, lines []string) {
	t.Helper()
	body, rest, ok := strings.Cut(text, "\n\n")
	if !ok {
		t.Fatalf("no note: %q", text)
	}
	return body + "\n", strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
}

// find is what follows the key id in the key's signature line.
func (k noted) find(t *testing.T, lines []string) []byte {
	t.Helper()
	for _, line := range lines {
		data, ok := strings.CutPrefix(line, "— "+k.name+" ")
		if !ok {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		if string(raw[:4]) == string(k.id) {
			return raw[4:]
		}
	}
	t.Fatalf("no line of %s", k.name)
	return nil
}
