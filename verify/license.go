package verify

import (
	"encoding/base32"
	"encoding/hex"
	"path"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// face is a license file as it speaks of itself, before anything is believed.
type face struct {
	pkg        *ofd.Package
	doc        *ofd.Document
	identifier string
	meta       license.Metadata
	metaErr    error
	static     license.Static
	staticErr  error
}

// licenseOf finds the license in a package: a document that declares our open set or carries a license identifier. Other
// documents give nil.
func licenseOf(pkg *ofd.Package, docs []*ofd.Document) *face {
	if len(docs) == 0 {
		return nil
	}
	d := docs[0]
	_, declared := d.OpenSet()
	f := &face{pkg: pkg, doc: d, identifier: d.Info.Get(license.FaceIdentifier)}
	var file []byte
	for _, a := range d.Attachments {
		if path.Base(a.Path) == license.MetadataName {
			file, _ = pkg.File(a.Path) // absent: ParseMetadata refuses no bytes
		}
	}
	if !declared && file == nil {
		return nil
	}
	f.meta, f.metaErr = license.ParseMetadata(file)
	if f.metaErr == nil {
		f.static, f.staticErr = license.ParseStaticText(f.meta.Static)
	}
	return f
}

// judgeLicense judges what makes a sealed document a license in force, and gives the time that the verdict speaks of.
func (j Judge) judgeLicense(r *verdict.Report, f *face, issuing *ofd.SignatureEntry, proof []byte, known ledger.Result, status []byte) time.Time {
	r.Subject.Kind, r.Subject.ID = kindLicense, f.identifier
	note := func(name string, code verdict.Code, detail string) {
		r.Checks = append(r.Checks, verdict.Note(name, code, "", detail))
	}
	pass := func(name string) { r.Checks = append(r.Checks, verdict.OK(name, "")) }

	if f.metaErr != nil || f.staticErr != nil {
		r.Checks = append(r.Checks, verdict.Check{Name: "license.metadata", Result: verdict.Fail,
			Code: verdict.LicenseBindingMismatch, Detail: "the license's own data are missing or cannot be read"})
		note("license.status", verdict.StatusUnknown, "the file does not say which status is its own")
		return j.At
	}
	r.Subject.Title = f.meta.Face.Text(license.FaceKindName)
	j.judgeBinding(r, f)
	if issuing != nil {
		j.judgeIssuer(r, f, issuing)
	}
	if issue, ok := known.Entry.(ledger.Issue); ok {
		p, err := ledger.ParseProof(proof)
		switch {
		case err != nil, p.Opening.FaceDigest != f.static.Face:
			note("ledger.face", verdict.ProofWrongSubject, "the proof opens another face")
		case issue.Issuer != f.meta.More.Text(license.MetaIssuerCode):
			note("ledger.issuer", verdict.ProofWrongSubject, "the entry names another issuer")
		default:
			pass("ledger.face")
		}
	}
	j.judgeDates(r, f.static)
	return j.judgeStatus(r, f.static, status)
}

// judgeBinding checks that everything the file says of itself says the same: printed values, metadata, static code.
func (j Judge) judgeBinding(r *verdict.Report, f *face) {
	const name = "license.binding"
	bad := func(code verdict.Code, detail string) {
		r.Checks = append(r.Checks, verdict.Note(name, code, "", detail))
	}
	before := len(r.Checks)
	key := j.Trust.staticKey(f.static, j.At)
	switch {
	case key == nil:
		r.Checks = append(r.Checks, verdict.Note("code.signature", verdict.TrustAnchorUnknown, "", "the trust list does not know the key of the static code"))
	case !f.static.Verify(key):
		r.Checks = append(r.Checks, verdict.Note("code.signature", verdict.CodeSignatureInvalid, "", "the static code in the file"))
	default:
		r.Checks = append(r.Checks, verdict.OK("code.signature", ""))
		before++
	}
	if f.meta.Face.Digest(f.static.Salt) != f.static.Face {
		bad(verdict.CodeFaceMismatch, "the face in the file is not the one that the static code names")
	}
	if id, err := license.ParseIdentifier(f.identifier); err != nil || f.meta.Face.Text(license.FaceIdentifier) != id.String() {
		bad(verdict.LicenseBindingMismatch, "the identifier is malformed or stands differently in different places")
	}
	for _, item := range f.meta.Face {
		printed, ok := f.doc.Value(item.Code)
		if !ok || !samePrint(printed, item.Text) {
			bad(verdict.LicenseBindingMismatch, "what is printed for "+item.Code+" differs from the metadata")
		}
	}
	if len(r.Checks) == before {
		r.Checks = append(r.Checks, verdict.OK(name, ""))
	}
}

// samePrint compares a printed text with its value: where a line was broken, the white space around the break is gone.
func samePrint(printed, value string) bool {
	squeeze := func(s string) string { return strings.ReplaceAll(license.FoldText(s), " ", "") }
	return squeeze(printed) == squeeze(value)
}

// judgeIssuer checks that the seal belongs to the office that the license names as its issuer.
func (j Judge) judgeIssuer(r *verdict.Report, f *face, issuing *ofd.SignatureEntry) {
	const name = "license.issuer"
	s, err := seal.ParseSignature(issuing.Value)
	if err != nil {
		return // the signature's own checks say so
	}
	cert, err := pki.Read(s.Cert)
	if err != nil {
		return // likewise
	}
	if cert.SubjectSerial() != f.meta.More.Text(license.MetaIssuerCode) {
		r.Checks = append(r.Checks, verdict.Note(name, verdict.SealSignerOtherOffice, issuing.Path, "the signer's certificate names another organisation code"))
		return
	}
	r.Checks = append(r.Checks, verdict.OK(name, issuing.Path))
}

// judgeDates checks the validity that the license itself states, by the calendar of the province.
func (j Judge) judgeDates(r *verdict.Report, s license.Static) {
	const name = "license.dates"
	today := j.At.In(chinaTime()).Format(time.DateOnly)
	switch {
	case s.ExpiryDate != "" && today > s.ExpiryDate:
		r.Subject.Status = string(license.Expired)
		r.Checks = append(r.Checks, verdict.Note(name, verdict.StatusExpired, "", "valid until "+s.ExpiryDate))
	case today < s.IssueDate:
		r.Checks = append(r.Checks, verdict.Note(name, verdict.StatusNotYetValid, "", "issued on "+s.IssueDate))
	default:
		r.Checks = append(r.Checks, verdict.OK(name, ""))
	}
}

// judgeStatus reads the signed status, and gives the time as of which the license is known to be in force.
func (j Judge) judgeStatus(r *verdict.Report, s license.Static, status []byte) time.Time {
	const name = "license.status"
	note := func(code verdict.Code, detail string) {
		r.Checks = append(r.Checks, verdict.Note(name, code, "", detail))
	}
	if status == nil {
		note(verdict.StatusUnknown, "no status evidence was at hand")
		return j.At
	}
	e, err := license.ParseStatusEvidence(status)
	if err != nil {
		note(verdict.StatusInvalid, "the status evidence cannot be read")
		return j.At
	}
	id, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.KeyID)
	if err != nil {
		note(verdict.StatusInvalid, "the status evidence names no key")
		return j.At
	}
	key := j.Trust.issuer(hex.EncodeToString(id), pki.PurposeStatusList, e.IssuedAt)
	skew := j.Trust.pki.Policies().ClockSkewRefuse.Duration()
	maxAge := j.Trust.pki.Policies().StatusMaxAge.Duration()
	switch {
	case key == nil:
		note(verdict.TrustAnchorUnknown, "the trust list does not know the key of the status evidence")
		return j.At
	case !e.Verify(key):
		note(verdict.StatusInvalid, "the status evidence's signature does not verify")
		return j.At
	case e.List != s.List || e.Index != s.Index:
		note(verdict.ProofWrongSubject, "the status evidence is about another license")
		return j.At
	case e.IssuedAt.After(j.At.Add(skew)):
		note(verdict.StatusUnknown, "the status evidence is later than the time asked for")
		return j.At
	}
	switch e.Value {
	case license.StatusInForce:
	case license.StatusSuspended:
		r.Subject.Status = string(license.Suspended)
		note(verdict.StatusSuspended, "as of "+e.IssuedAt.Format(time.RFC3339))
		return e.IssuedAt
	case license.StatusOurs:
		r.Subject.Status = string(license.Accepted)
		note(verdict.StatusPending, "as of "+e.IssuedAt.Format(time.RFC3339))
		return e.IssuedAt
	default:
		note(verdict.StatusNotInForce, "as of "+e.IssuedAt.Format(time.RFC3339))
		return e.IssuedAt
	}
	if j.At.Sub(e.IssuedAt) > maxAge || j.At.After(e.NextUpdate.Add(skew)) {
		note(verdict.StatusStale, "the status evidence is of "+e.IssuedAt.Format(time.RFC3339))
		return j.At
	}
	if r.Subject.Status == "" {
		r.Subject.Status = string(license.Issued)
	}
	r.Checks = append(r.Checks, verdict.Check{Name: name, Result: verdict.Pass, Detail: "in force as of " + e.IssuedAt.Format(time.RFC3339)})
	if j.Live {
		return j.At
	}
	return e.IssuedAt
}

// chinaTime is the province's calendar. A fixed zone: China has had no daylight saving since 1991.
func chinaTime() *time.Location { return time.FixedZone("CST", 8*3600) }

// signerKey is the SM2 key of a certificate.
func signerKey(der []byte) (*gm.PublicKey, bool) {
	c, err := pki.Read(der)
	if err != nil {
		return nil, false
	}
	return c.SM2Key()
}

// LicenseIn is the license that a file claims to be, by the static code in it; nothing about it has been judged.
func LicenseIn(file []byte, limits ofd.Limits) (license.ID, bool) {
	pkg, _ := ofd.Open(file, limits)
	if pkg == nil {
		return license.ID{}, false
	}
	f := licenseOf(pkg, pkg.Documents())
	if f == nil || f.metaErr != nil || f.staticErr != nil {
		return license.ID{}, false
	}
	return f.static.License, true
}
