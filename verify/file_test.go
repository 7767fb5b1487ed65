package verify_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/seal/pki"
	"github.com/yinxin-trust/yinxin/verify"
	"github.com/yinxin-trust/yinxin/verify/verifytest"
)

func TestLicenseWithProof(t *testing.T) {
	t.Parallel()
	for _, k := range license.SampleKinds() {
		t.Run(k.Layout, func(t *testing.T) {
			t.Parallel()
			s := good(t)
			s.issue(t, verifytest.Plan{Kind: k})
			r := s.judge(t)
			want(t, r, verdict.ValidAsOf)
			if !r.AsOf.Equal(verifytest.StatusAt()) {
				t.Errorf("as of %s, want the time of the status evidence, %s", r.AsOf, verifytest.StatusAt())
			}
			if g, w := r.Subject, (verdict.Subject{Kind: "license", ID: s.license.Record.Identifier, Title: k.Name, Status: "issued"}); g != w {
				t.Errorf("subject %+v, want %+v", g, w)
			}
			if r.Ledger.State != "included" || r.Ledger.Size == 0 || r.Ledger.Root == "" {
				t.Errorf("ledger %+v", r.Ledger)
			}
			if len(r.Signatures) != 1 {
				t.Fatalf("%d signatures", len(r.Signatures))
			}
			g := r.Signatures[0]
			if g.ID != "s001" || g.Type != "Seal" || g.Standard != "GB/T 38540-2020" || g.Covers != verdict.CoversCurrent ||
				g.Signer != s.First.SealID || !g.SignedAt.Equal(verifytest.Issued()) || !g.ProvenAt.Equal(verifytest.Witnessed()) {
				t.Errorf("signature %+v", g)
			}
		})
	}
}

// TestVerdicts: each case changes one thing of a good license, proof or trust list, and gets the verdict that the design's
// table has for it, for exactly this reason.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(t *testing.T, s *scene)
		word   verdict.Word
		why    []verdict.Code
	}{
		{"no proof", func(_ *testing.T, s *scene) { s.proof = nil }, verdict.CannotDetermine, []verdict.Code{verdict.StatusUnknown}},
		{
			"nobody is known", func(_ *testing.T, s *scene) { s.trust = nil }, verdict.CannotDetermine,
			[]verdict.Code{verdict.TrustAnchorUnknown},
		},
		{"anchors of another province", func(t *testing.T, s *scene) {
			stranger := s.Stranger(t)
			s.trust = s.Trust(t, func(l *pki.List) { l.Anchors[0].Certificate, l.Intermediates = stranger.Cert, [][]byte{} })
		}, verdict.CannotDetermine, []verdict.Code{verdict.TrustAnchorUnknown}},

		// The proof.
		{
			"another license's proof", func(t *testing.T, s *scene) { s.proof = s.Proof(t, s.Property(t, 9)) },
			verdict.NotValid,
			[]verdict.Code{verdict.ProofWrongSubject},
		},
		{"opening of another document", func(t *testing.T, s *scene) {
			s.prove(t, func(p *ledger.Proof) { p.Opening.DocumentDigest[3] ^= 1 })
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject}},
		{"opening that does not open", func(t *testing.T, s *scene) {
			s.prove(t, func(p *ledger.Proof) { p.Opening.Salt[3] ^= 1 })
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject}},
		{"opening of another face", func(t *testing.T, s *scene) {
			other := s.license.Opening
			other.FaceDigest[0] ^= 1
			s.license.Opening, s.license.Record.Office = other, s.First.Code
			s.Relog(t, s.license)
			s.proof = s.Proof(t, s.license)
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject}},
		{"entry of another office", func(t *testing.T, s *scene) {
			s.license.Record.Office = s.Second.Code
			s.Relog(t, s.license)
			s.proof = s.Proof(t, s.license)
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject}},
		{"entry of another kind", func(t *testing.T, s *scene) {
			s.license.Record.Kind = license.SampleFood
			s.Relog(t, s.license)
			s.proof = s.Proof(t, s.license)
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject}},
		{"path tampered with", func(t *testing.T, s *scene) {
			s.Property(t, 5) // a path needs a neighbour
			s.prove(t, func(p *ledger.Proof) { p.Evidence.Path[0][0] ^= 1 })
		}, verdict.NotValid, []verdict.Code{verdict.ProofPathInvalid}},
		{"checkpoint of another log", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.Ledger.LogKeys[0].Key = verifytest.NewKey(t, "other log").Point() })
		}, verdict.NotValid, []verdict.Code{verdict.ProofCheckpointInvalid, verdict.ProofWitnessQuorumMissing}},
		{"not witnessed", func(t *testing.T, s *scene) {
			s.prove(t, func(p *ledger.Proof) { p.Evidence = s.Evidence(t, s.license, time.Time{}) })
		}, verdict.CannotDetermine, []verdict.Code{verdict.ProofWitnessQuorumMissing}},
		{"witnessed by a stranger", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.Ledger.Witnesses[0].Key = verifytest.NewKey(t, "other witness").Point() })
		}, verdict.CannotDetermine, []verdict.Code{verdict.ProofWitnessQuorumMissing}},
		{"too few witnesses", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) {
				l.Ledger.Witnesses = append(l.Ledger.Witnesses, pki.NamedKey{Name: "yinxin.example/witness/two", Key: verifytest.NewKey(t, "two").Point()})
				l.Ledger.Quorum = 2
			})
		}, verdict.CannotDetermine, []verdict.Code{verdict.ProofWitnessQuorumMissing}},
		{"promised only", func(t *testing.T, s *scene) {
			s.prove(t, func(p *ledger.Proof) {
				p.Evidence = ledger.Evidence{Entry: s.license.Entry, Promise: s.license.Promise}
			})
		}, verdict.CannotDetermine, []verdict.Code{verdict.ProofPromisedOnly}},
		{"promise for another entry", func(t *testing.T, s *scene) {
			s.prove(t, func(p *ledger.Proof) { p.Evidence.Promise = s.Property(t, 5).Promise })
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject}},
		{
			"proof that is none", func(_ *testing.T, s *scene) { s.proof = []byte("{}") },
			verdict.NotValid,
			[]verdict.Code{verdict.ProofMalformed, verdict.StatusUnknown},
		},

		// The status.
		{
			"stale status", func(_ *testing.T, s *scene) { s.at = verifytest.StatusAt().Add(25 * time.Hour) },
			verdict.CannotDetermine,
			[]verdict.Code{verdict.StatusStale},
		},
		{"younger than policy, next update over", func(t *testing.T, s *scene) {
			s.status(t, func(e *license.StatusEvidence) { e.NextUpdate = e.IssuedAt.Add(time.Minute) })
		}, verdict.CannotDetermine, []verdict.Code{verdict.StatusStale}},
		{"older than a stricter policy", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.Policies.StatusMaxAge = 60 })
		}, verdict.CannotDetermine, []verdict.Code{verdict.StatusStale}},
		{
			"no status", func(t *testing.T, s *scene) { s.prove(t, func(p *ledger.Proof) { p.Status = nil }) },
			verdict.CannotDetermine,
			[]verdict.Code{verdict.StatusUnknown},
		},
		{
			"before the evidence", func(_ *testing.T, s *scene) { s.at = verifytest.StatusAt().Add(-verifytest.Day) },
			verdict.CannotDetermine,
			[]verdict.Code{verdict.StatusUnknown},
		},
		{"status of another index", func(t *testing.T, s *scene) {
			s.status(t, func(e *license.StatusEvidence) { e.Index++ })
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject}},
		{"status of another list", func(t *testing.T, s *scene) {
			s.status(t, func(e *license.StatusEvidence) { e.List++ })
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject}},
		{"forged status", func(t *testing.T, s *scene) {
			e := s.StatusOf(t, s.license)
			e.Signature[len(e.Signature)-1] ^= 1
			s.prove(t, func(p *ledger.Proof) { p.Status = verifytest.MarshalStatus(t, e) })
		}, verdict.NotValid, []verdict.Code{verdict.StatusInvalid}},
		{"status made fresh after it was signed", func(t *testing.T, s *scene) {
			e := s.StatusOf(t, s.license)
			e.IssuedAt = e.IssuedAt.Add(time.Minute)
			s.prove(t, func(p *ledger.Proof) { p.Status = verifytest.MarshalStatus(t, e) })
		}, verdict.NotValid, []verdict.Code{verdict.StatusInvalid}},
		{"status that is none", func(t *testing.T, s *scene) {
			s.prove(t, func(p *ledger.Proof) { p.Status = json.RawMessage(`{"value":0}`) })
		}, verdict.NotValid, []verdict.Code{verdict.StatusInvalid}},
		{"status by a key for something else", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.Issuers[1].Purposes = []pki.Purpose{pki.PurposeStaticCode} })
		}, verdict.CannotDetermine, []verdict.Code{verdict.TrustAnchorUnknown}},
		{"revoked", func(t *testing.T, s *scene) {
			s.status(t, func(e *license.StatusEvidence) { e.Value = license.StatusNot })
		}, verdict.NotValid, []verdict.Code{verdict.StatusNotInForce}},
		{"revoked, as known long ago", func(t *testing.T, s *scene) {
			s.status(t, func(e *license.StatusEvidence) { e.Value = license.StatusNot })
			s.at = s.at.Add(30 * verifytest.Day)
		}, verdict.NotValid, []verdict.Code{verdict.StatusNotInForce}},
		{"suspended", func(t *testing.T, s *scene) {
			s.status(t, func(e *license.StatusEvidence) { e.Value = license.StatusSuspended })
		}, verdict.NotValid, []verdict.Code{verdict.StatusSuspended}},
		{"suspended, as known long ago", func(t *testing.T, s *scene) {
			s.status(t, func(e *license.StatusEvidence) { e.Value = license.StatusSuspended })
			s.at = s.at.Add(30 * verifytest.Day)
		}, verdict.CannotDetermine, []verdict.Code{verdict.StatusStale}},
		{"accepted, not yet sealed", func(t *testing.T, s *scene) {
			s.status(t, func(e *license.StatusEvidence) { e.Value = license.StatusOurs })
		}, verdict.CannotDetermine, []verdict.Code{verdict.StatusPending}},

		// The dates of the license.
		{"expired", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{License: func(l *license.License) { l.ValidTo = "2026-03-11" }})
		}, verdict.NotValid, []verdict.Code{verdict.StatusExpired}},
		{"on its last day", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{License: func(l *license.License) { l.ValidTo = "2026-03-12" }})
		}, verdict.ValidAsOf, nil},
		{"on its last day in China, though not in Greenwich", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{License: func(l *license.License) { l.ValidTo = "2026-03-12" }})
			s.at = time.Date(2026, 3, 12, 16, 30, 0, 0, time.UTC)
		}, verdict.NotValid, []verdict.Code{verdict.StatusExpired}},
		{"not yet in force", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{License: func(l *license.License) { l.ValidFrom = "2026-04-01" }})
		}, verdict.NotValid, []verdict.Code{verdict.StatusNotYetValid}},

		// The trust list.
		{"list expired", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.NextUpdate = verifytest.Now().Add(-time.Hour) })
		}, verdict.CannotDetermine, []verdict.Code{verdict.TrustListExpired}},
		{"list rolled back", func(t *testing.T, s *scene) {
			s.remember(t, s.Trust(t, func(l *pki.List) { l.Version = 4 }))
		}, verdict.NotValid, []verdict.Code{verdict.TrustListRolledBack}},
		{"list of the same version, with other content", func(t *testing.T, s *scene) {
			s.remember(t, s.Trust(t, func(l *pki.List) { l.Hosts = []string{"other.example"} }))
		}, verdict.NotValid, []verdict.Code{verdict.TrustListRolledBack}},
		{"list by another key than before", func(t *testing.T, s *scene) {
			s.remember(t, s.TrustBy(t, verifytest.NewKey(t, "other list")))
		}, verdict.NotValid, []verdict.Code{verdict.TrustListInvalid}},
		{"list seen before", func(t *testing.T, s *scene) { s.remember(t, s.trust) }, verdict.ValidAsOf, nil},
		{"newer list", func(t *testing.T, s *scene) {
			s.remember(t, s.Trust(t, func(l *pki.List) { l.Version = 2 }))
		}, verdict.ValidAsOf, nil},
		{"list altered after it was signed", func(_ *testing.T, s *scene) {
			s.trust = slices.Concat(s.trust[:len(s.trust)-12], []byte("AA"), s.trust[len(s.trust)-10:])
		}, verdict.NotValid, []verdict.Code{verdict.TrustAnchorUnknown, verdict.TrustListInvalid}},
		{
			"plain anchors", func(_ *testing.T, s *scene) { s.trust = s.PEM() }, verdict.CannotDetermine,
			[]verdict.Code{verdict.TrustAnchorUnknown},
		},

		// Whose seal, which face.
		{
			"sealed by another office", func(t *testing.T, s *scene) { s.issue(t, verifytest.Plan{Sealer: s.Second}) },
			verdict.NotValid,
			[]verdict.Code{verdict.SealSignerOtherOffice},
		},
		{"altered and sealed again by a stranger", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{Sealer: s.Stranger(t), Face: func(m *license.Metadata) { m.Face[3].Text = "郑试样" }})
		}, verdict.NotValid, []verdict.Code{verdict.CodeFaceMismatch, verdict.LicenseBindingMismatch, verdict.TrustAnchorUnknown}},
		{
			"all of it by a stranger", func(t *testing.T, s *scene) { s.issue(t, verifytest.Plan{Sealer: s.Stranger(t)}) },
			verdict.CannotDetermine,
			[]verdict.Code{verdict.TrustAnchorUnknown},
		},
		{"anchor not trusted for seals", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.Anchors[0].Roles = []pki.Role{pki.RoleTSA} })
		}, verdict.NotValid, []verdict.Code{verdict.CoverageGap, verdict.TrustRoleNotAllowed}},
		{"static code of another license", func(t *testing.T, s *scene) {
			other := s.license.URL
			s.issue(t, verifytest.Plan{
				License: func(l *license.License) { l.Holders[0].Name = "郑试样" },
				Face:    func(m *license.Metadata) { m.Static = other },
			})
		}, verdict.NotValid, []verdict.Code{verdict.CodeFaceMismatch, verdict.ProofWrongSubject}},
		{"static code by a key that is not known", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.Issuers = l.Issuers[1:] })
		}, verdict.CannotDetermine, []verdict.Code{verdict.TrustAnchorUnknown}},
		{"static code signed for other dates", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{
				License: func(l *license.License) { l.ValidTo = "2026-03-11" },
				Code:    func(c *license.Static) { c.ExpiryDate = "2027-03-11" },
			})
		}, verdict.NotValid, []verdict.Code{verdict.LicenseBindingMismatch}},
		{"printed value that is not the metadata's", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{Draw: func(in *license.DrawInput) {
				in.Face = slices.Clone(in.Face)
				in.Face[5].Text = "1/1、0"
			}})
		}, verdict.NotValid, []verdict.Code{verdict.LicenseBindingMismatch}},
		{"identifier of another kind", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{
				License: func(l *license.License) { l.Kind = license.SampleFood },
				Face:    func(m *license.Metadata) { m.More[0].Text = license.SampleFood },
			})
		}, verdict.NotValid, []verdict.Code{verdict.LicenseBindingMismatch}},
		{"document's own information that is not the metadata's", func(t *testing.T, s *scene) {
			s.reseal(t, func(e []entry) []entry {
				x := at(t, e, ofdXML)
				x.data = bytes.Replace(x.data, []byte(`Name="ZZBH">示例`), []byte(`Name="ZZBH">样本`), 1)
				return e
			})
		}, verdict.NotValid, []verdict.Code{verdict.LicenseBindingMismatch}},
		{"metadata twice", func(t *testing.T, s *scene) {
			s.reseal(t, func(e []entry) []entry {
				x := at(t, e, "Doc_0/Attachs/Attachments.xml")
				more := `<ofd:Attachment ID="A9" Name="x" Format="xml" Visible="false"><ofd:FileLoc>two/license.xml</ofd:FileLoc></ofd:Attachment></ofd:Attachments>`
				x.data = bytes.Replace(x.data, []byte("</ofd:Attachments>"), []byte(more), 1)
				return append(e, entry{name: "Doc_0/Attachs/two/license.xml", data: at(t, e, "Doc_0/Attachs/license.xml").data})
			})
		}, verdict.NotValid, []verdict.Code{verdict.LicenseBindingMismatch, verdict.StatusUnknown}},
		{"no metadata", func(t *testing.T, s *scene) {
			s.reseal(t, func(e []entry) []entry {
				at(t, e, "Doc_0/Attachs/license.xml").data = []byte("<x/>")
				return e
			})
		}, verdict.NotValid, []verdict.Code{verdict.LicenseBindingMismatch, verdict.StatusUnknown}},
		{"sealed again as it was", func(t *testing.T, s *scene) {
			s.reseal(t, func(e []entry) []entry { return e })
		}, verdict.ValidAsOf, nil},
		{"key of static codes ended since, time proven", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.Issuers[0].NotAfter = verifytest.Founded().Add(3 * verifytest.Day) })
		}, verdict.ValidAsOf, nil},
		{"key of static codes ended since, time only claimed", func(t *testing.T, s *scene) {
			s.trust = s.Trust(t, func(l *pki.List) { l.Issuers[0].NotAfter = verifytest.Founded().Add(3 * verifytest.Day) })
			s.proof = nil
		}, verdict.CannotDetermine, []verdict.Code{verdict.StatusUnknown, verdict.TrustAnchorUnknown}},
		{"issuer's code that is not the identifier's", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{
				License: func(l *license.License) { l.Office = s.Second.Code },
				Sealer:  s.Second,
			})
		}, verdict.NotValid, []verdict.Code{verdict.LicenseBindingMismatch}},

		// The signer's certificate after the signing.
		{"certificate ended since, time proven", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{Sealer: s.shortLived(t)})
		}, verdict.ValidAsOf, nil},
		{"certificate ended since, time only claimed", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{Sealer: s.shortLived(t)})
			s.proof = nil
		}, verdict.CannotDetermine, []verdict.Code{verdict.SealExpired, verdict.SignerCertExpired, verdict.StatusUnknown}},
		{"certificate ended since, witnessed after its end", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{Sealer: s.shortLived(t)})
			s.prove(t, func(p *ledger.Proof) {
				p.Evidence = s.Evidence(t, s.license, verifytest.Founded().Add(7*verifytest.Day))
			})
		}, verdict.CannotDetermine, []verdict.Code{verdict.SealExpired, verdict.SignerCertExpired}},
		{"certificate ended since, and the proof is another license's", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{Sealer: s.shortLived(t)})
			s.proof = s.Proof(t, s.Property(t, 9))
		}, verdict.NotValid, []verdict.Code{verdict.ProofWrongSubject, verdict.SealExpired, verdict.SignerCertExpired}},
		{"signed later than witnessed", func(t *testing.T, s *scene) {
			s.issue(t, verifytest.Plan{Signed: verifytest.Witnessed().Add(time.Hour)})
		}, verdict.NotValid, []verdict.Code{verdict.CoverageGap, verdict.SignTimeAfterProof}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := good(t)
			c.change(t, s)
			want(t, s.judge(t), c.word, c.why...)
		})
	}
}

// TestBroken: a license that is to hold from a later day is sound, and one whose seal is wrong is not.
func TestBroken(t *testing.T) {
	t.Parallel()
	s := good(t)
	s.issue(t, verifytest.Plan{License: func(l *license.License) { l.ValidFrom = "2026-04-01" }})
	s.proof = nil
	r := s.judge(t)
	want(t, r, verdict.NotValid, verdict.StatusNotYetValid, verdict.StatusUnknown)
	if got := verify.Broken(r); len(got) > 0 {
		t.Errorf("broken: %v", got)
	}
	s.issue(t, verifytest.Plan{Sealer: s.Second})
	if got := verify.Broken(s.judge(t)); len(got) != 1 || got[0].Code != verdict.SealSignerOtherOffice {
		t.Errorf("broken: %v", got)
	}
}
