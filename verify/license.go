package verify

import (
	"path"
	"time"

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
	found := 0
	for _, a := range d.Attachments {
		if path.Base(a.Path) == license.MetadataName {
			file, _ = pkg.File(a.Path) // absent: ParseMetadata refuses no bytes
			found++
		}
	}
	if !declared && found == 0 {
		return nil
	}
	if found > 1 {
		file = nil // of two that speak for the file, neither does
	}
	f.meta, f.metaErr = license.ParseMetadata(file)
	if f.metaErr == nil {
		f.static, f.staticErr = license.ParseStaticText(f.meta.Static)
	}
	return f
}

// item is what the metadata say under a code, printed or not.
func (f *face) item(code string) (string, bool) {
	for _, part := range []license.Face{f.meta.Face, f.meta.More} {
		for _, i := range part {
			if i.Code == code {
				return i.Text, true
			}
		}
	}
	return "", false
}

// judgeLicense judges what makes a sealed document a license in force, and gives the time that the verdict speaks of.
func (j Judge) judgeLicense(r *verdict.Report, f *face, issuing *ofd.SignatureEntry, proof []byte, known ledger.Result, status []byte, kept *Known) time.Time {
	r.Subject.Kind, r.Subject.ID = kindLicense, f.identifier
	note := func(name string, code verdict.Code, detail string) {
		r.Checks = append(r.Checks, verdict.Note(name, code, "", detail))
	}
	pass := func(name string) { r.Checks = append(r.Checks, verdict.OK(name, "")) }

	if f.metaErr != nil || f.staticErr != nil {
		r.Checks = append(r.Checks, verdict.Check{
			Name: "license.metadata", Result: verdict.Fail,
			Code: verdict.LicenseBindingMismatch, Detail: "the license's own data are missing or cannot be read",
		})
		note(checkStatus, verdict.StatusUnknown, "the file does not say which status is its own")
		return j.At
	}
	r.Subject.Title = f.meta.Face.Text(license.FaceKindName)
	signed := j.At
	if known.OK() && !known.ProvenTime.IsZero() {
		signed = known.ProvenTime // a key that signed codes by then may have ended since
	}
	j.judgeStatic(r, f.static, signed, "the static code in the file")
	judgeBinding(r, f)
	if issuing != nil {
		judgeIssuer(r, f, issuing)
	}
	if issue, ok := known.Entry.(ledger.Issue); ok {
		p, err := ledger.ParseProof(proof)
		switch {
		case err != nil, p.Opening.FaceDigest != f.static.Face:
			note("ledger.face", verdict.ProofWrongSubject, "the proof opens another face")
		case issue.Issuer != f.meta.More.Text(license.MetaIssuerCode), issue.Kind != f.meta.More.Text(license.MetaKindCode):
			note("ledger.face", verdict.ProofWrongSubject, "the entry names another issuer or kind")
		default:
			pass("ledger.face")
		}
	}
	j.judgeDates(r, f.static, dateOf(f.meta.Face.Text(license.FaceValidFrom)))
	if kept != nil {
		return j.judgeKept(r, issuing, kept)
	}
	return j.judgeStatus(r, f.static, status)
}

// judgeIssuer checks that the seal belongs to the office that the license names as its issuer.
func judgeIssuer(r *verdict.Report, f *face, issuing *ofd.SignatureEntry) {
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

// claim is the license that the file says it is, by the static code in it; nothing about it has been judged.
func (f *face) claim() (license.ID, bool) {
	if f == nil || f.metaErr != nil || f.staticErr != nil {
		return license.ID{}, false
	}
	return f.static.License, true
}
