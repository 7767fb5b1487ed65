package ofd

import "github.com/yinxin-trust/yinxin/internal/verdict"

// Coverage judges what of each document is protected (step 6 of a verification, and the open set of our own licenses),
// given which signatures hold. Call it once the signatures' values have been judged: holds must be false for those found
// not valid, and true for the others, those that cannot be determined included, since their doubt is told by themselves.
func (e *Examination) Coverage(holds func(*SignatureEntry) bool) []verdict.Check {
	var checks []verdict.Check
	for _, d := range e.pkg.docs {
		var all, good []*SignatureEntry
		for _, s := range e.Signatures {
			if s.Document != d.Index {
				continue
			}
			all = append(all, s)
			if holds(s) {
				good = append(good, s)
			}
		}
		if len(all) == 0 {
			continue // the finding about the list says it
		}
		checks = append(checks, d.coverage(good)...)
		checks = append(checks, sequence(all, good)...)
		if _, declared := d.OpenSet(); declared {
			checks = append(checks, e.openSet(d, all, good)...)
		}
	}
	return checks
}

// protected says whether one of the signatures protects the path.
func protected(path string, by []*SignatureEntry) bool {
	for _, s := range by {
		if s.covered[path] {
			return true
		}
	}
	return false
}

// coverage holds every file that the document is made of against the signatures.
func (d *Document) coverage(by []*SignatureEntry) []verdict.Check {
	const name = "document.coverage"
	if len(by) == 0 {
		return []verdict.Check{verdict.Note(name, verdict.CoverageGap, d.Root, "no signature that holds protects the document")}
	}
	var checks []verdict.Check
	gap := false
	for _, f := range d.files {
		if protected(f.Path, by) {
			continue
		}
		code := verdict.CoverageGap
		switch {
		case f.Kind == KindAnnotation:
			if len(d.Annotations) == 0 {
				continue // nothing is drawn from it
			}
			code = verdict.AnnotationUnsigned
		case f.Kind.Secondary(), f.Kind == KindEntry:
			// Where OFD.xml is left open, what it names is judged: another root would be a gap of its own.
			code = verdict.CoveragePartial
		default:
			gap = true
		}
		checks = append(checks, verdict.Note(name, code, f.Path, string(f.Kind)))
	}
	if !gap {
		checks = append(checks, verdict.OK(name, d.Root))
	}
	return checks
}

// sequence checks that what a signature builds on holds (step 8).
func sequence(all, good []*SignatureEntry) []verdict.Check {
	var checks []verdict.Check
	for _, s := range all {
		if s.Relative == "" {
			continue
		}
		base := false
		for _, g := range good {
			base = base || (g.ID == s.Relative && g != s)
		}
		if !base {
			checks = append(checks, verdict.Note("signature.sequence", verdict.BaseSignatureInvalid, s.Path, ""))
		}
	}
	return checks
}
