package verify_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/verify"
)

// FuzzBytes: whatever comes, there is a verdict or an error, and nothing but the license itself is valid with the license's
// proof. An input says what to start from (nothing, a license, one of its entries, its proof, seal, value, code), and what to
// put where in it, so that small inputs reach every depth of large files.
func FuzzBytes(f *testing.F) {
	s := good(f)
	entries := unpack(s.file)
	bases := [][]byte{nil, s.file, s.proof, s.First.SealDER, at(f, entries, signedValue).data, []byte(s.license.URL)}
	whole := len(bases)
	for _, e := range entries {
		bases = append(bases, e.data)
	}
	for i := range bases {
		f.Add(uint8(i), uint32(40), uint32(1), []byte("<"))
		f.Add(uint8(i), uint32(1<<31), uint32(9), []byte(" "))
	}
	f.Add(uint8(0), uint32(0), uint32(0), []byte("PK\x05\x06"))
	f.Add(uint8(1), uint32(0), uint32(0), []byte(nil))
	trust, _, err := verify.OpenTrust(s.trust, nil, false, s.at)
	if err != nil {
		f.Fatal(err)
	}
	judge := verify.Judge{Trust: trust, At: s.at}
	f.Fuzz(func(t *testing.T, base uint8, place, cut uint32, patch []byte) {
		k := int(base) % len(bases)
		data, from := bases[k], 0
		if len(data) > 0 {
			from = int(place) % len(data)
		}
		data = slices.Concat(data[:from], patch, data[min(len(data), from+int(cut%4096)):])
		file, proof := data, []byte(nil)
		switch {
		case k == 1:
			proof = s.proof
		case k == 2:
			file, proof = s.file, data
		case k >= whole:
			changed := slices.Clone(entries)
			changed[k-whole].data = data
			for i := range changed {
				changed[i].stored = true
			}
			file, proof = pack(t, changed), s.proof
		}
		r, err := judge.Bytes(file, proof)
		if err != nil {
			return
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		switch r.Verdict {
		case verdict.ValidAsOf:
			if !same(unpack(file), entries) {
				t.Errorf("%s %s is %s", r.Subject.Kind, r.Subject.ID, r.Verdict)
			}
		case verdict.Valid:
			if r.Subject.Kind != "seal" {
				t.Errorf("a %s is %s", r.Subject.Kind, r.Verdict)
			}
		case verdict.CannotDetermine, verdict.NotValid:
		}
	})
}
