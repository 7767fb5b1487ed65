package verify_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/seal/pki"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
	"github.com/yinxin-trust/yinxin/verify"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

// alone is a scene in which something other than a license file is judged.
func alone(t testing.TB, data []byte) *scene {
	t.Helper()
	s := good(t)
	s.file, s.proof = data, nil
	return s
}

func TestCodes(t *testing.T) {
	t.Parallel()
	last := func(text string) string { // another last character, of the same code otherwise
		if strings.HasSuffix(text, "A") {
			return text[:len(text)-1] + "I"
		}
		return text[:len(text)-1] + "A"
	}
	dynamic := license.NewDynamic([]byte("device"), license.Handle{0, 1}, verifytest.Now(), 1).URL(verifytest.BaseURL)
	for _, c := range []struct {
		name   string
		code   func(s *scene) string
		change func(t *testing.T, s *scene)
		word   verdict.Word
		why    []verdict.Code
	}{
		{"static", func(s *scene) string { return s.license.URL }, nil, verdict.CannotDetermine, []verdict.Code{verdict.StatusUnknown}},
		{"static, of another host", func(s *scene) string {
			return strings.Replace(s.license.URL, "YX.EXAMPLE", "ELSEWHERE.EXAMPLE", 1)
		}, nil, verdict.CannotDetermine, []verdict.Code{verdict.StatusUnknown}},
		{
			"static, in small letters", func(s *scene) string { return " " + strings.ToLower(s.license.URL) + "\n" }, nil,
			verdict.CannotDetermine,
			[]verdict.Code{verdict.StatusUnknown},
		},
		{
			"static, forged", func(s *scene) string { return last(s.license.URL) }, nil,
			verdict.NotValid,
			[]verdict.Code{verdict.CodeSignatureInvalid, verdict.StatusUnknown},
		},
		{
			"static, by a key that is not known", func(s *scene) string { return s.license.URL },
			func(t *testing.T, s *scene) { s.trust = s.Trust(t, func(l *pki.List) { l.Issuers = l.Issuers[1:] }) },
			verdict.CannotDetermine,
			[]verdict.Code{verdict.StatusUnknown, verdict.TrustAnchorUnknown},
		},
		{
			"static, by a key for something else", func(s *scene) string { return s.license.URL },
			func(t *testing.T, s *scene) {
				s.trust = s.Trust(t, func(l *pki.List) { l.Issuers[0].Purposes = []pki.Purpose{pki.PurposeStatusList} })
			}, verdict.CannotDetermine,
			[]verdict.Code{verdict.StatusUnknown, verdict.TrustAnchorUnknown},
		},
		{
			"static, of a license that has ended", func(s *scene) string { return s.license.URL },
			func(t *testing.T, s *scene) {
				s.issue(t, verifytest.Plan{License: func(l *license.License) { l.ValidTo = "2026-03-11" }})
			}, verdict.NotValid,
			[]verdict.Code{verdict.StatusExpired, verdict.StatusUnknown},
		},
		{
			"static, before its license was issued", func(s *scene) string { return s.license.URL },
			func(_ *testing.T, s *scene) { s.at = verifytest.Founded() },
			verdict.NotValid,
			[]verdict.Code{verdict.StatusNotYetValid, verdict.StatusUnknown},
		},
		{"cut short", func(s *scene) string { return s.license.URL[:100] }, nil, verdict.NotValid, []verdict.Code{verdict.CodeMalformed}},
		{
			"static, called dynamic", func(s *scene) string { return strings.Replace(s.license.URL, "/S/", "/P/", 1) }, nil,
			verdict.NotValid,
			[]verdict.Code{verdict.CodeMalformed},
		},
		{"dynamic", func(*scene) string { return dynamic }, nil, verdict.CannotDetermine, []verdict.Code{verdict.StatusUnknown}},
		{"dynamic, of an unknown version", func(*scene) string {
			return strings.Replace(dynamic, "/P/A", "/P/B", 1)
		}, nil, verdict.NotValid, []verdict.Code{verdict.CodeMalformed}},
		{
			"dynamic, bare", func(*scene) string { return dynamic[strings.LastIndexByte(dynamic, '/')+1:] }, nil,
			verdict.CannotDetermine,
			[]verdict.Code{verdict.StatusUnknown},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good(t)
			if c.change != nil {
				c.change(t, s)
			}
			s.file, s.proof = []byte(c.code(s)), nil
			r := s.judge(t)
			want(t, r, c.word, c.why...)
			if r.Subject.Kind != "code" {
				t.Errorf("judged as a %s", r.Subject.Kind)
			}
		})
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	s := alone(t, nil)
	s.file = s.First.SealDER
	r := s.judge(t)
	want(t, r, verdict.Valid)
	if r.Subject != (verdict.Subject{Kind: "seal", ID: s.First.SealID, Title: s.First.Name}) {
		t.Errorf("subject %+v", r.Subject)
	}
	s.at = s.at.Add(400 * verifytest.Day)
	want(t, s.judge(t), verdict.NotValid, verdict.SealExpired, verdict.TrustListExpired)
	s.at = verifytest.Founded().Add(-time.Hour)
	want(t, s.judge(t), verdict.NotValid, verdict.SealNotYetValid)
	s.at, s.trust = verifytest.Now(), nil
	want(t, s.judge(t), verdict.CannotDetermine, verdict.TrustAnchorUnknown)
}

// TestSignatureValues: each of the things that lie in SignedValue.dat in the field is taken for what it is.
func TestSignatureValues(t *testing.T) {
	t.Parallel()
	p := sealtest.New(t)
	odd := p.Forge()
	odd.Version, odd.TBSVersion = 9, 9
	broken := p.Forge()
	broken.Value = func(v []byte) []byte { v[len(v)-1] ^= 1; return v }
	for _, c := range []struct {
		name, kind string
		der        []byte
		word       verdict.Word
		code       verdict.Code
	}{
		{"of a seal", "signature_value", p.Forge().DER(t), verdict.CannotDetermine, verdict.DatahashUnchecked},
		{"of a seal, wrong", "signature_value", broken.DER(t), verdict.NotValid, verdict.SignatureInvalid},
		{"of a seal of a later generation", "signature_value", odd.DER(t), verdict.CannotDetermine, verdict.SVVersionUnsupported},
		{"signed data", "signature_value", p.Message([]byte("original")).DER(t), verdict.CannotDetermine, verdict.DatahashUnchecked},
		{"a seal", "seal", p.Seal(t, "42990000000001"), verdict.Valid, verdict.RevocationUnchecked},
		{"neither", "seal", []byte{0x30, 3, 2, 1, 1}, verdict.NotValid, verdict.SealFormatError},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			trust, _, err := verify.OpenTrust(p.PEM(), nil, false, sealtest.Now())
			if err != nil {
				t.Fatal(err)
			}
			r, err := verify.Judge{Trust: trust, At: sealtest.Now().Add(20 * sealtest.Day)}.Bytes(c.der, nil)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, code := range codes(r) {
				found = found || code == c.code
			}
			if r.Verdict != c.word || r.Subject.Kind != c.kind || !found {
				t.Errorf("%s %s, want %s %s with %s\n%s", r.Subject.Kind, r.Verdict, c.kind, c.word, c.code, findings(r))
			}
		})
	}
}

func TestProofAlone(t *testing.T) {
	t.Parallel()
	s := good(t)
	s.file, s.proof = s.Proof(t, s.license), nil
	r := s.judge(t)
	want(t, r, verdict.CannotDetermine, verdict.DatahashUnchecked)
	if r.Ledger.State != "included" {
		t.Errorf("ledger %+v", r.Ledger)
	}
	s.Property(t, 5) // a path needs a neighbour
	s.file = s.Proof(t, s.license, func(p *ledger.Proof) { p.Evidence.Path[0][0] ^= 1 })
	want(t, s.judge(t), verdict.NotValid, verdict.DatahashUnchecked, verdict.ProofPathInvalid)
	s.file = []byte(`{"format":"yinxin-proof/2"}`)
	want(t, s.judge(t), verdict.NotValid, verdict.ProofMalformed)
	s.file, s.trust = s.Proof(t, s.license), nil
	want(t, s.judge(t), verdict.CannotDetermine, verdict.DatahashUnchecked, verdict.TrustAnchorUnknown)
}

func TestUnknownBytes(t *testing.T) {
	t.Parallel()
	s := good(t)
	for name, in := range map[string][2][]byte{
		"nothing":            {},
		"text":               {[]byte("hello")},
		"a picture":          {[]byte("\x89PNG\r\n\x1a\n")},
		"large":              {make([]byte, 9<<20)},
		"a proof for a code": {[]byte(s.license.URL), s.proof},
		"a proof for a seal": {s.First.SealDER, s.proof},
	} {
		if r, err := (verify.Judge{At: s.at}).Bytes(in[0], in[1]); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v %v", name, r.Verdict, err)
		}
	}
}

func TestOpenTrustRefuses(t *testing.T) {
	t.Parallel()
	s := good(t)
	for name, c := range map[string]struct{ file, state []byte }{
		"nothing":         {},
		"a proof":         {file: s.proof},
		"a damaged state": {file: s.trust, state: []byte(`{"version":1}`)},
		"no certificate":  {file: []byte("-----BEGIN CERTIFICATE-----\n")},
	} {
		if _, _, err := verify.OpenTrust(c.file, c.state, true, s.at); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFileKnown: whoever keeps a license says its state for the verdict, by the name that the file gives itself.
func TestFileKnown(t *testing.T) {
	t.Parallel()
	s := good(t)
	trust, _, err := verify.OpenTrust(s.trust, nil, false, s.at)
	if err != nil {
		t.Fatal(err)
	}
	judge := verify.Judge{Trust: trust, At: s.at}
	asked := 0
	var known verify.Known
	keeper := func(id license.ID) (verify.Known, bool) {
		asked++
		if id != s.license.Record.ID {
			t.Errorf("asked for %v", id)
		}
		return known, known.State != ""
	}
	p, err := ledger.ParseProof(s.proof)
	if err != nil {
		t.Fatal(err)
	}
	document := p.Opening.DocumentDigest[:]
	ended := s.at.Add(-time.Hour)
	for _, c := range []struct {
		name  string
		known verify.Known
		want  verdict.Word
		code  verdict.Code
		state string
	}{
		{"in force, proven", verify.Known{State: license.Issued, Document: document, Ledger: "included", Proof: s.proof}, verdict.Valid, "", "included"},
		{"in force, not yet published", verify.Known{State: license.Issued, Document: document, Ledger: "promised"}, verdict.Valid, "", "promised"},
		{"in force, not yet in the log", verify.Known{State: license.Issued, Document: document, Ledger: "queued"}, verdict.Valid, "", "absent"},
		{"revoked", verify.Known{State: license.Revoked, Document: document, Since: ended, Office: "office", Reason: "issued_in_error"}, verdict.NotValid, verdict.StatusRevoked, "absent"},
		{"suspended", verify.Known{State: license.Suspended, Document: document}, verdict.NotValid, verdict.StatusSuspended, "absent"},
		{"superseded", verify.Known{State: license.Superseded, Document: document}, verdict.NotValid, verdict.StatusSuperseded, "absent"},
		{"accepted", verify.Known{State: license.Accepted}, verdict.CannotDetermine, verdict.StatusPending, "absent"},
		{"another file was issued", verify.Known{State: license.Issued, Document: make([]byte, 32)}, verdict.NotValid, verdict.ProofWrongSubject, "absent"},
		{"no file was issued", verify.Known{State: license.Issued}, verdict.NotValid, verdict.ProofWrongSubject, "absent"},
		{"not kept here", verify.Known{}, verdict.CannotDetermine, verdict.StatusUnknown, "unchecked"},
	} {
		known, asked = c.known, 0
		r := judge.FileKnown(s.file, nil, keeper)
		if r.Verdict != c.want || asked != 1 || r.Ledger.State != c.state || c.code != "" && !slices.Contains(codes(r), c.code) {
			t.Errorf("%s: %v after %d questions, ledger %s\n%s", c.name, r.Verdict, asked, r.Ledger.State, findings(r))
		}
	}
	// An old proof with a status of its own does not outlive a revocation, and does not weaken what is in force now.
	known = verify.Known{State: license.Revoked, Document: document, Since: ended}
	if r := judge.FileKnown(s.file, s.proof, keeper); r.Verdict != verdict.NotValid || !slices.Contains(codes(r), verdict.StatusRevoked) {
		t.Errorf("revoked, with an old proof: %v\n%s", r.Verdict, findings(r))
	}
	known = verify.Known{State: license.Issued, Document: document}
	if r := judge.FileKnown(s.file, s.proof, keeper); r.Verdict != verdict.Valid || r.Ledger.State != "included" {
		t.Errorf("in force, with a proof: %v, ledger %s", r.Verdict, r.Ledger.State)
	}
	asked = 1
	if r := judge.FileKnown([]byte("PK"), nil, keeper); r.Verdict != verdict.NotValid || asked != 1 {
		t.Errorf("no package: %v after %d questions", r.Verdict, asked)
	}
}
