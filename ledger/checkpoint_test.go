package ledger_test

import (
	"bytes"
	"context"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
)

const testOrigin = "yinxin.example/ledger/test"

func signed(t testing.TB, signer ledger.Signer, size uint64) ledger.SignedCheckpoint {
	t.Helper()
	cp, err := ledger.SignCheckpoint(context.Background(), ledger.Checkpoint{Origin: testOrigin, Size: size, Root: hash(byte(size))}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return cp
}

func cosigned(t testing.TB, cp ledger.SignedCheckpoint, name string, signer ledger.Signer, at time.Time) ledger.SignedCheckpoint {
	t.Helper()
	line, err := ledger.Cosign(context.Background(), cp.Checkpoint, name, signer, at)
	if err != nil {
		t.Fatal(err)
	}
	if cp, err = cp.WithCosignature(line); err != nil {
		t.Fatal(err)
	}
	return cp
}

func TestQuorumTime(t *testing.T) {
	t.Parallel()
	log := ledgertest.NewSigner(t)
	names := []string{"w.example/1", "w.example/2", "w.example/3", "w.example/4", "w.example/5"}
	trust := ledger.Trust{LogKeys: []ledger.Key{log.LogKey(testOrigin)}, Quorum: 3}
	var keys []*ledgertest.Signer
	for _, n := range names {
		k := ledgertest.NewSigner(t)
		keys = append(keys, k)
		trust.WitnessKeys = append(trust.WitnessKeys, k.WitnessKey(n))
	}
	if err := trust.Check(); err != nil {
		t.Fatal(err)
	}
	base := time.Unix(1_790_000_000, 0).UTC()
	cp := signed(t, log, 5)
	for i, s := range []int{40, 10, 30, 20} {
		cp = cosigned(t, cp, names[i], keys[i], base.Add(time.Duration(s)*time.Second))
		// A witness that signs twice counts once; a stranger not at all.
		cp = cosigned(t, cp, names[i], keys[i], base.Add(90*time.Second))
		cp = cosigned(t, cp, "w.example/stranger", ledgertest.NewSigner(t), base)
		r, err := trust.Verify(cp.Text)
		if err != nil || !r.LogSigned || len(r.Wrong) != 0 || len(r.Witnesses) != i+1 {
			t.Fatalf("after %d: %+v (%v)", i+1, r, err)
		}
		if r.Quorum != (i >= 2) {
			t.Fatalf("after %d cosignatures quorum is %v", i+1, r.Quorum)
		}
		want := map[int]time.Time{2: base.Add(40 * time.Second), 3: base.Add(30 * time.Second)}[i]
		if !r.QuorumTime.Equal(want) {
			t.Fatalf("after %d: the quorum was reached at %v, want %v", i+1, r.QuorumTime, want)
		}
	}
	// Half of the witnesses are no quorum, whatever the trust says.
	trust.Quorum = 2
	if r, err := trust.Verify(cp.Text); err != nil || r.Quorum || trust.Check() == nil {
		t.Fatalf("a quorum of two of five: %+v (%v)", r, err)
	}
	for _, q := range []int{-1, 0, 6} {
		trust.Quorum = q
		if trust.Check() == nil {
			t.Errorf("a quorum of %d of five passes", q)
		}
	}
	if err := (ledger.Trust{LogKeys: trust.LogKeys}).Check(); err != nil {
		t.Errorf("a log without witnesses: %v", err)
	}
	if (ledger.Trust{LogKeys: trust.WitnessKeys}).Check() == nil || (ledger.Trust{WitnessKeys: trust.LogKeys, Quorum: 1}).Check() == nil {
		t.Error("keys of the wrong type pass")
	}
}

// TestTwoKeysOfOneWitness counts an office once, so that one office cannot be a quorum by having keys.
func TestTwoKeysOfOneWitness(t *testing.T) {
	t.Parallel()
	log, a, b, c := ledgertest.NewSigner(t), ledgertest.NewSigner(t), ledgertest.NewSigner(t), ledgertest.NewSigner(t)
	trust := ledger.Trust{
		LogKeys:     []ledger.Key{log.LogKey(testOrigin)},
		WitnessKeys: []ledger.Key{a.WitnessKey("w.example/1"), b.WitnessKey("w.example/1"), c.WitnessKey("w.example/2")},
		Quorum:      2,
	}
	now := time.Unix(1_790_000_000, 0)
	cp := cosigned(t, cosigned(t, signed(t, log, 5), "w.example/1", a, now), "w.example/1", b, now)
	if r, err := trust.Verify(cp.Text); err != nil || r.Quorum {
		t.Fatalf("two keys of one office: %+v (%v)", r, err)
	}
	if r, err := trust.Verify(cosigned(t, cp, "w.example/2", c, now).Text); err != nil || !r.Quorum {
		t.Fatalf("two offices: %+v (%v)", r, err)
	}
}

// TestKeysDoNotPassForEachOther signs with the right key in the wrong role.
func TestKeysDoNotPassForEachOther(t *testing.T) {
	t.Parallel()
	log, w := ledgertest.NewSigner(t), ledgertest.NewSigner(t)
	now := time.Unix(1_790_000_000, 0)
	cp := cosigned(t, signed(t, log, 5), "w.example/1", w, now)
	// The log's own key as its witness.
	self := cosigned(t, signed(t, log, 5), testOrigin, log, now)
	trust := ledger.Trust{LogKeys: []ledger.Key{log.LogKey(testOrigin)}, WitnessKeys: []ledger.Key{w.WitnessKey("w.example/1")}, Quorum: 1}
	if r, err := trust.Verify(cp.Text); err != nil || !r.Quorum {
		t.Fatalf("the good one: %+v (%v)", r, err)
	}
	if r, err := trust.Verify(self.Text); err != nil || r.Quorum || len(r.Witnesses) != 0 {
		t.Fatalf("the log as its own witness: %+v (%v)", r, err)
	}
	swapped := ledger.Trust{LogKeys: []ledger.Key{w.LogKey(testOrigin)}, WitnessKeys: []ledger.Key{log.WitnessKey(testOrigin)}, Quorum: 1}
	if r, err := swapped.Verify(cp.Text); err != nil || r.LogSigned || r.Quorum {
		t.Fatalf("keys in each other's role: %+v (%v)", r, err)
	}
	// Two logs are trusted: neither signs for the other, even if its key did sign the text.
	other := ledgertest.NewSigner(t)
	body := cp.Body()
	otherKey := other.LogKey("yinxin.example/ledger/other")
	two := ledger.Trust{LogKeys: []ledger.Key{log.LogKey(testOrigin), otherKey}}
	crossed := ledger.SignedCheckpoint{Checkpoint: cp.Checkpoint, Text: []byte(body + "\n")}
	crossed, err := crossed.WithCosignature(handmadeLine(t, otherKey, other, body))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := two.Verify(crossed.Text); err != nil || r.LogSigned {
		t.Fatalf("a log that signs for another: %+v (%v)", r, err)
	}
	// A log key whose name is another log's does not sign for this one.
	elsewhere := ledger.Trust{LogKeys: []ledger.Key{log.LogKey("yinxin.example/ledger/other")}}
	if r, err := elsewhere.Verify(cp.Text); err != nil || r.LogSigned {
		t.Fatalf("a key of another origin: %+v (%v)", r, err)
	}
}

// handmadeLine writes a signature line as docs/formats.md tells.
func handmadeLine(t testing.TB, k ledger.Key, signer *ledgertest.Signer, text string) []byte {
	t.Helper()
	e, err := gm.SignatureDigest(k.Public, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	der, err := signer.SignDigest(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		t.Fatal(err)
	}
	id := k.ID()
	sig := append(append(id[:], rs.R.FillBytes(make([]byte, 32))...), rs.S.FillBytes(make([]byte, 32))...)
	return []byte("— " + k.Name + " " + base64.StdEncoding.EncodeToString(sig) + "\n")
}

// TestEveryByteCounts changes each byte of a cosigned checkpoint in turn: none of the results is trusted as the original.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	log, w := ledgertest.NewSigner(t), ledgertest.NewSigner(t)
	cp := cosigned(t, signed(t, log, 123), "w.example/1", w, time.Unix(1_790_000_000, 0))
	trust := ledger.Trust{LogKeys: []ledger.Key{log.LogKey(testOrigin)}, WitnessKeys: []ledger.Key{w.WitnessKey("w.example/1")}, Quorum: 1}
	if r, err := trust.Verify(cp.Text); err != nil || !r.Quorum {
		t.Fatalf("the good one: %+v (%v)", r, err)
	}
	for i := range cp.Text {
		text := bytes.Clone(cp.Text)
		text[i] ^= 1
		if r, err := trust.Verify(text); err == nil && r.Quorum {
			t.Errorf("byte %d (%q) may be changed", i, cp.Text[i])
		}
	}
}

func TestParseCheckpointStrict(t *testing.T) {
	t.Parallel()
	log := ledgertest.NewSigner(t)
	good := string(signed(t, log, 123).Text)
	if _, err := ledger.ParseCheckpoint([]byte(good)); err != nil {
		t.Fatal(err)
	}
	body, sigs, _ := strings.Cut(good, "\n\n")
	lines := strings.Split(body, "\n")
	for name, text := range map[string]string{
		"empty":             "",
		"no signature":      body + "\n\n",
		"leading zero":      strings.Replace(good, "\n123\n", "\n0123\n", 1),
		"plus sign":         strings.Replace(good, "\n123\n", "\n+123\n", 1),
		"too large":         strings.Replace(good, "\n123\n", "\n18446744073709551615\n", 1),
		"extension line":    body + "\nextension\n\n" + sigs,
		"two lines":         strings.Join(lines[:2], "\n") + "\n\n" + sigs,
		"short root":        strings.Replace(good, lines[2], "AAAA", 1),
		"root cut by line":  strings.Replace(good, lines[2], lines[2][:8]+"\r\n"+lines[2][8:], 1),
		"carriage return":   strings.ReplaceAll(good, "\n", "\r\n"),
		"origin with space": strings.Replace(good, testOrigin, "yinxin example/x", 1),
		"no last line feed": strings.TrimSuffix(good, "\n"),
		"bytes behind":      good + "x",
		"hyphen":            strings.Replace(good, "— ", "- ", 1),
		"too long":          good + strings.Repeat(sigs, 200),
	} {
		if cp, err := ledger.ParseCheckpoint([]byte(text)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %+v (%v)", name, cp.Checkpoint, err)
		}
	}
}

// TestForeignNoteReader lets golang.org/x/mod/sumdb/note open our notes with verifiers of our keys.
func TestForeignNoteReader(t *testing.T) {
	t.Parallel()
	log, w := ledgertest.NewSigner(t), ledgertest.NewSigner(t)
	cp := cosigned(t, signed(t, log, 123), "w.example/1", w, time.Unix(1_790_000_000, 0))
	n, err := note.Open(cp.Text, note.VerifierList(verifier{log.LogKey(testOrigin)}, verifier{w.WitnessKey("w.example/1")}))
	if err != nil {
		t.Fatal(err)
	}
	if n.Text != cp.Body() || len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 0 {
		t.Fatalf("note %+v", n)
	}
}

// verifier checks a signature as docs/formats.md tells, with none of the code under test but the key's id.
type verifier struct{ key ledger.Key }

func (v verifier) Name() string { return v.key.Name }

func (v verifier) KeyHash() uint32 {
	id := v.key.ID()
	return binary.BigEndian.Uint32(id[:])
}

func (v verifier) Verify(msg, sig []byte) bool {
	if v.key.Type == ledger.WitnessKey {
		if binary.BigEndian.Uint64(sig) != 1_790_000_000 {
			return false
		}
		msg = append([]byte("cosignature/v1\ntime 1790000000\n"), msg...)
		sig = sig[8:]
	}
	der, form, ok := gm.NormalizeSignature(sig)
	return ok && form == gm.RawRS && gm.Verify(v.key.Public, msg, der)
}

func TestKeyLine(t *testing.T) {
	t.Parallel()
	s := ledgertest.NewSigner(t)
	for _, k := range []ledger.Key{s.LogKey(testOrigin), s.WitnessKey("w.example/1")} {
		got, err := ledger.ParseKey(k.String())
		if err != nil || got.Type != k.Type || got.Name != k.Name || !got.Public.Equal(k.Public) {
			t.Fatalf("%s: %+v (%v)", k, got, err)
		}
		line := k.String()
		for i := range line {
			b := []byte(line)
			b[i] ^= 1
			if _, err := ledger.ParseKey(string(b)); err == nil {
				t.Errorf("byte %d of %s may be changed", i, line)
			}
		}
	}
	if s.LogKey("a/b").ID() == s.WitnessKey("a/b").ID() {
		t.Error("the type is not part of the id")
	}
	for _, name := range []string{"", "ab", "no-slash", "with space/x", "a+b/c", "cosignature/v1", "yinxin-promise/1", "a/\x7f", strings.Repeat("a/", 70)} {
		if ledger.ValidName(name) {
			t.Errorf("%q is a valid name", name)
		}
	}
}

func TestPromise(t *testing.T) {
	t.Parallel()
	log := ledgertest.NewSigner(t)
	trust := ledger.Trust{LogKeys: []ledger.Key{log.LogKey(testOrigin)}}
	p, err := ledger.SignPromise(context.Background(), ledger.Promise{Origin: testOrigin, Leaf: hash(3), Time: at, MaxMergeDelay: time.Minute}, log)
	if err != nil {
		t.Fatal(err)
	}
	got, err := trust.VerifyPromise(p.Text)
	if err != nil || got.Leaf != hash(3) || !got.Time.Equal(at) || !got.Due().Equal(at.Add(time.Minute)) {
		t.Fatalf("promise %+v (%v)", got, err)
	}
	for i := range p.Text {
		text := slices.Clone(p.Text)
		text[i] ^= 1
		if _, err := trust.VerifyPromise(text); err == nil {
			t.Errorf("byte %d (%q) may be changed", i, p.Text[i])
		}
	}
	// A promise is no checkpoint, nor the other way round.
	if _, err := ledger.ParseCheckpoint(p.Text); err == nil {
		t.Error("a promise reads as a checkpoint")
	}
	if _, err := ledger.ParsePromise(signed(t, log, 1).Text); err == nil {
		t.Error("a checkpoint reads as a promise")
	}
	for _, bad := range []ledger.Promise{
		{Origin: testOrigin, Leaf: hash(3), Time: at},
		{Origin: testOrigin, Leaf: hash(3), Time: at, MaxMergeDelay: 30 * 24 * time.Hour},
		{Origin: testOrigin, Leaf: hash(3), MaxMergeDelay: time.Minute},
		{Origin: "x", Leaf: hash(3), Time: at, MaxMergeDelay: time.Minute},
	} {
		if _, err := ledger.SignPromise(context.Background(), bad, log); fault.KindOf(err) != fault.Invalid {
			t.Errorf("promise %+v: %v", bad, err)
		}
	}
}

func FuzzParseCheckpoint(f *testing.F) {
	log, w := ledgertest.NewSigner(f), ledgertest.NewSigner(f)
	cp := signed(f, log, 123)
	f.Add(cp.Text)
	f.Add(cosigned(f, cp, "w.example/1", w, time.Unix(1_790_000_000, 0)).Text)
	p, err := ledger.SignPromise(context.Background(), ledger.Promise{Origin: testOrigin, Leaf: hash(3), Time: at, MaxMergeDelay: time.Minute}, log)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Text)
	trust := ledger.Trust{LogKeys: []ledger.Key{log.LogKey(testOrigin)}, WitnessKeys: []ledger.Key{w.WitnessKey("w.example/1")}, Quorum: 1}
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ledger.ParsePromise(b); err == nil && !bytes.Equal(p.Text, b) {
			t.Fatal("a promise is not what was read")
		}
		cp, err := ledger.ParseCheckpoint(b)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(b, []byte(cp.Body()+"\n")) {
			t.Fatalf("%q is read as %q", b, cp.Body())
		}
		if _, err := trust.Verify(b); err != nil {
			t.Fatalf("what was parsed does not verify: %v", err)
		}
		if _, err := ledger.ParseKey(string(b)); err == nil {
			t.Fatal("a checkpoint reads as a key")
		}
	})
}
