package verify

import (
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

// judgeStatic checks a static code's signature, by a key that could sign codes at a time.
func (j Judge) judgeStatic(r *verdict.Report, s license.Static, at time.Time, detail string) {
	const name = "code.signature"
	switch key := j.Trust.staticKey(s, at); {
	case key == nil:
		r.Checks = append(r.Checks, verdict.Note(name, verdict.TrustAnchorUnknown, "", "the trust list does not know the key of the static code"))
	case !s.Verify(key):
		r.Checks = append(r.Checks, verdict.Note(name, verdict.CodeSignatureInvalid, "", detail))
	default:
		r.Checks = append(r.Checks, verdict.OK(name, ""))
	}
}

// judgeBinding checks that everything the file says of itself says the same: printed values, metadata, identifier, the
// document's own information, static code.
func judgeBinding(r *verdict.Report, f *face) {
	const name = "license.binding"
	good := true
	bad := func(code verdict.Code, detail string) {
		r.Checks = append(r.Checks, verdict.Note(name, code, "", detail))
		good = false
	}
	differ := func(detail string) { bad(verdict.LicenseBindingMismatch, detail) }

	own := f.meta.Face
	if own.Digest(f.static.Salt) != f.static.Face {
		bad(verdict.CodeFaceMismatch, "the face in the file is not the one that the static code names")
	}
	if own.Text(license.FaceIssueDate) != license.PrintDate(f.static.IssueDate) ||
		own.Text(license.FaceValidTo) != license.PrintDate(f.static.ExpiryDate) {
		differ("the dates in the file are not those of the static code")
	}
	id, err := license.ParseIdentifier(f.identifier)
	switch {
	case err != nil:
		differ("the identifier is missing or malformed")
	case id.Kind != f.meta.More.Text(license.MetaKindCode) || id.Office != f.meta.More.Text(license.MetaIssuerCode):
		differ("the identifier names another kind or issuer")
	}
	for _, item := range own {
		printed, ok := f.doc.Value(item.Code)
		if !ok || !samePrint(printed, item.Text) {
			differ("what is printed for " + item.Code + " differs from the metadata")
		}
	}
	for _, c := range f.doc.Info.Custom {
		if item, ok := f.item(c.Name); ok && c.Value != license.FoldText(item) {
			differ("the document's own information on " + c.Name + " differs from the metadata")
		}
	}
	if good {
		r.Checks = append(r.Checks, verdict.OK(name, ""))
	}
}

// samePrint compares a printed text with its value: where a line was broken, the white space around the break is gone.
func samePrint(printed, value string) bool {
	squeeze := func(s string) string { return strings.ReplaceAll(license.FoldText(s), " ", "") }
	return squeeze(printed) == squeeze(value)
}

// dateOf reads a date as certificates print it; "" for 长期 and anything else.
func dateOf(printed string) string {
	t, err := time.Parse("2006年1月2日", printed)
	if err != nil {
		return ""
	}
	return t.Format(time.DateOnly)
}
