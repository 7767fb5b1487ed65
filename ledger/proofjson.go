package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxStatus    = 16 << 10 // bytes of a proof's status member
	maxFabric    = 16 << 10 // bytes of a proof's fabric member
	maxJSONDepth = 8
	maxIndex     = 1 << 53 // what every JSON reader keeps exactly
)

type proofJSON struct {
	Format     string          `json:"format"`
	Opening    *openingJSON    `json:"opening"`
	Entry      string          `json:"entry"`
	Index      *uint64         `json:"index,omitempty"`
	Path       []string        `json:"path,omitempty"`
	Checkpoint string          `json:"checkpoint,omitempty"`
	Promise    string          `json:"promise,omitempty"`
	Status     json.RawMessage `json:"status,omitempty"`
	Fabric     json.RawMessage `json:"fabric,omitempty"`
}

type openingJSON struct {
	Ref            string `json:"ref"`
	Salt           string `json:"salt"`
	DocumentDigest string `json:"document_digest"`
	FaceDigest     string `json:"face_digest"`
}

// Marshal writes the proof file.
func (p *Proof) Marshal() ([]byte, error) {
	w := proofJSON{
		Format: ProofFormat,
		Opening: &openingJSON{
			Ref: encodeHash(p.Opening.Ref), Salt: encodeHash(p.Opening.Salt),
			DocumentDigest: encodeHash(p.Opening.DocumentDigest), FaceDigest: encodeHash(p.Opening.FaceDigest),
		},
		Entry:   base64.StdEncoding.EncodeToString(p.Evidence.Entry),
		Promise: string(p.Evidence.Promise),
		Status:  p.Status,
		Fabric:  p.Fabric,
	}
	if p.Evidence.Checkpoint != nil {
		w.Index = &p.Evidence.Index
		w.Checkpoint = string(p.Evidence.Checkpoint)
		for _, h := range p.Evidence.Path {
			w.Path = append(w.Path, encodeHash(h))
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(w); err != nil {
		return nil, malformed("ledger_proof_malformed", "the proof's status or fabric member is not JSON")
	}
	if _, err := ParseProof(b.Bytes()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ParseProof reads a proof file strictly: known members only, each once and in its exact spelling, bounded in size and
// depth. It checks no signature.
func ParseProof(file []byte) (*Proof, error) {
	if len(file) > MaxProofFile {
		return nil, badProof("the proof file is over 64 KB")
	}
	if err := checkJSON(file); err != nil {
		return nil, badProof("the proof file is not plain JSON: " + err.Error())
	}
	dec := json.NewDecoder(bytes.NewReader(file))
	dec.DisallowUnknownFields()
	var w proofJSON
	if err := dec.Decode(&w); err != nil {
		return nil, badProof("the proof file has unknown members or members of a wrong type")
	}
	if w.Format != ProofFormat {
		return nil, badProof("the proof file has an unknown format")
	}
	if len(w.Status) > maxStatus || len(w.Fabric) > maxFabric || !object(w.Status) || !object(w.Fabric) {
		return nil, badProof("status and fabric are objects of at most 16 KB")
	}
	p := &Proof{Status: w.Status, Fabric: w.Fabric}
	if w.Opening == nil || !decodeInto(&p.Opening.Ref, w.Opening.Ref) || !decodeInto(&p.Opening.Salt, w.Opening.Salt) ||
		!decodeInto(&p.Opening.DocumentDigest, w.Opening.DocumentDigest) || !decodeInto(&p.Opening.FaceDigest, w.Opening.FaceDigest) {
		return nil, badProof("the opening has four members of 32 bytes in base64")
	}
	evidence, err := w.evidence()
	p.Evidence = evidence
	return p, err
}

func (w *proofJSON) evidence() (Evidence, error) {
	var e Evidence
	entry, err := base64.StdEncoding.Strict().DecodeString(w.Entry)
	if err != nil || len(entry) > MaxEntry || base64.StdEncoding.EncodeToString(entry) != w.Entry {
		return e, badProof("the entry is not base64 of at most 4 KB")
	}
	e.Entry = entry
	if _, err := ParseEntry(entry); err != nil {
		return e, err
	}
	if w.Promise != "" {
		if _, err := ParsePromise([]byte(w.Promise)); err != nil {
			return e, err
		}
		e.Promise = []byte(w.Promise)
	}
	if w.Checkpoint == "" {
		if w.Promise == "" || w.Index != nil || w.Path != nil {
			return e, badProof("a proof has index and checkpoint, or a promise")
		}
		return e, nil
	}
	if w.Index == nil || *w.Index >= maxIndex || len(w.Path) > MaxPath {
		return e, badProof("a proof with a checkpoint has an index and a path of at most 63 hashes")
	}
	if _, err := ParseCheckpoint([]byte(w.Checkpoint)); err != nil {
		return e, err
	}
	e.Index, e.Checkpoint = *w.Index, []byte(w.Checkpoint)
	for _, s := range w.Path {
		h, ok := decodeHash(s)
		if !ok {
			return e, badProof("the path holds something that is no hash in base64")
		}
		e.Path = append(e.Path, h)
	}
	return e, nil
}

func badProof(message string) error { return malformed("ledger_proof_malformed", message) }

func decodeInto(h *Hash, s string) bool {
	v, ok := decodeHash(s)
	*h = v
	return ok
}

// object tells whether a member is absent or an object.
func object(raw json.RawMessage) bool { return raw == nil || raw[0] == '{' }

// checkJSON refuses what encoding/json would take in silence: a member twice, a member of ours in another case, bytes that
// are not UTF-8, deep nesting, anything behind the value. Two readers must never see two proofs in one file.
func checkJSON(b []byte) error {
	if !utf8.Valid(b) {
		return errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := checkValue(dec, 0, true); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the value")
	}
	return nil
}

// checkValue reads one value; ours says that its members are named by this package, in lower case.
func checkValue(dec *json.Decoder, depth int, ours bool) error {
	t, err := dec.Token()
	if err != nil {
		return errors.New("its syntax is wrong")
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxJSONDepth {
		return errors.New("it is nested too deeply")
	}
	seen := map[string]bool{}
	for dec.More() {
		inner := ours
		if delim == '{' {
			t, err := dec.Token()
			name, ok := t.(string)
			if err != nil || !ok {
				return errors.New("its syntax is wrong")
			}
			lower := strings.ToLower(name)
			if seen[lower] {
				return errors.New("a member stands in it twice")
			}
			if ours && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" { // the decoder would fold ſ into s
				return errors.New("a member's name is not in lower case")
			}
			seen[lower] = true
			inner = ours && name != "status" && name != "fabric"
		}
		if err := checkValue(dec, depth+1, inner); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return errors.New("its syntax is wrong")
	}
	return nil
}
