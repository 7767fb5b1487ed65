package ledger_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
)

// hash is a recognisable hash.
func hash(b byte) ledger.Hash {
	var h ledger.Hash
	for i := range h {
		h[i] = b
	}
	return h
}

func ptr(h ledger.Hash) *ledger.Hash { return &h }

var at = time.UnixMilli(1_795_248_000_123).UTC() // 2026-11-21T08:00:00.123Z

// goodEntries is one entry of each shape; the vectors hold them to the byte.
func goodEntries() []ledger.Entry {
	return []ledger.Entry{
		ledger.Issue{Type: ledger.TypeIssue, Time: at, Issuer: "11990000000000001G", Kind: "11100000MB0000000X001", Ref: hash(1), Commit: hash(2)},
		ledger.Issue{Type: ledger.TypeRenew, Time: at, Issuer: "11990000000000001G", Kind: "food", Ref: hash(3), Commit: hash(4), Previous: ptr(hash(1))},
		ledger.Issue{Type: ledger.TypeSupersede, Time: at, Issuer: "x", Kind: "y", Ref: hash(5), Commit: hash(6)},
		ledger.Issue{Type: ledger.TypeCorrect, Time: at, Issuer: "x", Kind: "y", Ref: hash(7), Commit: hash(8), Previous: ptr(hash(5))},
		ledger.StatusChange{Time: at, Ref: hash(1), Status: "revoked", Effective: at.Add(-time.Hour), Reason: "holder_request"},
		ledger.DigestEntry{Type: ledger.TypeStatusListEpoch, Time: at, Subject: "cell05/list/3", Digest: hash(9), Version: 412},
		ledger.DigestEntry{Type: ledger.TypeSealLifeCycle, Time: at, Subject: "seal/11990000000000001g/2026", Digest: hash(10), Version: 1},
		ledger.DigestEntry{Type: ledger.TypeSealPolicy, Time: at, Subject: "policy/1", Digest: hash(11), Version: 2},
		ledger.DigestEntry{Type: ledger.TypeTrustList, Time: at, Subject: "trust", Digest: hash(12), Version: 7},
		ledger.DigestEntry{Type: ledger.TypeCatalogue, Time: at, Subject: "catalogue", Digest: hash(13), Version: 31},
		ledger.DigestEntry{Type: ledger.TypeKeyRotation, Time: at, Subject: "checkpoint/2027", Digest: hash(14), Version: 2},
		ledger.DigestEntry{Type: ledger.TypeReceiptsRoot, Time: at, Subject: "node/1", Digest: hash(15), Version: 1 << 40},
		ledger.DigestEntry{Type: ledger.TypeSealUseRoot, Time: at, Subject: "node/1", Digest: hash(16), Version: 24},
		ledger.DigestEntry{Type: ledger.TypeAccessLogRoot, Time: at, Subject: "node/1", Digest: hash(17), Version: 256},
	}
}

func marshal(t testing.TB, e ledger.Entry) []byte {
	t.Helper()
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEntryRoundTrip(t *testing.T) {
	t.Parallel()
	for _, e := range goodEntries() {
		b := marshal(t, e)
		got, err := ledger.ParseEntry(b)
		if err != nil {
			t.Fatalf("%s: %v", e.EntryType(), err)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Errorf("%s: %s", e.EntryType(), diff)
		}
		if e.EntryType().String() == "unknown" {
			t.Errorf("type %d has no name", e.EntryType())
		}
	}
}

func TestEntryRefusals(t *testing.T) {
	t.Parallel()
	issue := ledger.Issue{Type: ledger.TypeIssue, Time: at, Issuer: "x", Kind: "y", Ref: hash(1), Commit: hash(2)}
	change := func(f func(*ledger.Issue)) ledger.Entry { e := issue; f(&e); return e }
	long := string(bytes.Repeat([]byte("x"), 65))
	for name, e := range map[string]ledger.Entry{
		"status as issue":       change(func(e *ledger.Issue) { e.Type = ledger.TypeStatus }),
		"no time":               change(func(e *ledger.Issue) { e.Time = time.Time{} }),
		"year 10000":            change(func(e *ledger.Issue) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"a name for an issuer":  change(func(e *ledger.Issue) { e.Issuer = "张三" }),
		"a space in a code":     change(func(e *ledger.Issue) { e.Kind = "a b" }),
		"a long code":           change(func(e *ledger.Issue) { e.Kind = long }),
		"no ref":                change(func(e *ledger.Issue) { e.Ref = ledger.Hash{} }),
		"no commit":             change(func(e *ledger.Issue) { e.Commit = ledger.Hash{} }),
		"previous at the first": change(func(e *ledger.Issue) { e.Previous = ptr(hash(9)) }),
		"its own previous":      change(func(e *ledger.Issue) { e.Type = ledger.TypeRenew; e.Previous = ptr(hash(1)) }),
		"no reason":             ledger.StatusChange{Time: at, Ref: hash(1), Status: "revoked", Effective: at},
		"no effective time":     ledger.StatusChange{Time: at, Ref: hash(1), Status: "revoked", Reason: "x"},
		"no version":            ledger.DigestEntry{Type: ledger.TypeTrustList, Time: at, Subject: "x", Digest: hash(1)},
		"no digest":             ledger.DigestEntry{Type: ledger.TypeTrustList, Time: at, Subject: "x", Version: 1},
		"issue as digest":       ledger.DigestEntry{Type: ledger.TypeIssue, Time: at, Subject: "x", Digest: hash(1), Version: 1},
	} {
		if _, err := e.Marshal(); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParseEntryStrict gives the parser spellings that a lenient reader would take.
func TestParseEntryStrict(t *testing.T) {
	t.Parallel()
	good := map[uint64]any{
		0: 1, 1: 1, 2: at.UnixMilli(), 3: "x", 4: "y", 5: bytes.Repeat([]byte{1}, 32), 6: bytes.Repeat([]byte{2}, 32),
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	encode := func(v any) []byte {
		b, err := mode.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	with := func(key uint64, v any) []byte {
		m := map[uint64]any{}
		for k, v := range good {
			m[k] = v
		}
		if v == nil {
			delete(m, key)
		} else {
			m[key] = v
		}
		return encode(m)
	}
	whole := encode(good)
	if _, err := ledger.ParseEntry(whole); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	// The same map with its first two pairs swapped, with a long zero, of indefinite length, and with a pair twice.
	swapped := append([]byte{whole[0], 1, 1, 0, 1}, whole[5:]...)
	longer := append([]byte{whole[0], 0, 0x18, 1}, whole[3:]...)
	indefinite := append(append([]byte{0xbf}, whole[1:]...), 0xff)
	twice := append([]byte{whole[0] + 1, 0, 1}, whole[1:]...)
	for name, b := range map[string][]byte{
		"empty":              nil,
		"not a map":          encode("x"),
		"version 2":          with(0, 2),
		"unknown type":       with(1, 99),
		"huge type":          with(1, 257),
		"unknown field":      with(14, "x"),
		"field of a status":  with(8, "revoked"),
		"field missing":      with(6, nil),
		"short ref":          with(5, []byte{1, 2}),
		"negative time":      with(2, -5),
		"time as a float":    with(2, 1.5),
		"text for bytes":     with(5, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		"tagged":             encode(cbor.Tag{Number: 55799, Content: good}),
		"nested":             with(3, map[int]any{1: map[int]any{1: map[int]any{1: []int{1}}}}),
		"keys out of order":  swapped,
		"number not minimal": longer,
		"indefinite length":  indefinite,
		"a key twice":        twice,
		"bytes behind":       append(bytes.Clone(whole), 0),
		"cut":                whole[:len(whole)-1],
		"too long":           with(3, string(bytes.Repeat([]byte("x"), ledger.MaxEntry))),
	} {
		if e, err := ledger.ParseEntry(b); fault.CodeOf(err) != "ledger_entry_malformed" {
			t.Errorf("%s: %v (%v)", name, err, e)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, e := range goodEntries() {
		f.Add(marshal(f, e))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ledger.ParseEntry(b)
		if err != nil {
			return
		}
		if again := marshal(t, e); !bytes.Equal(again, b) {
			t.Fatalf("%x reads as what is written %x", b, again)
		}
	})
}
