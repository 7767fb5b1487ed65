package ofd

import (
	"path"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// Examination is what the package itself tells of its signatures: lists, digests, stamps, sequence. Whether a
// signature's value holds is for package seal; with that known, Coverage says what of the document is protected.
type Examination struct {
	Checks     []verdict.Check   // of the package as a whole
	Signatures []*SignatureEntry // of all documents, in the order of their lists

	pkg *Package
}

// Examine makes steps 1, 2, 7 and 8 of a verification for every document of the package: signature lists, references,
// stamps, sequence; files that no document uses and signatures that no list names.
func (p *Package) Examine() *Examination {
	e := &Examination{pkg: p}
	for _, d := range p.docs {
		e.list(d)
	}
	e.strangers()
	for _, d := range p.docs {
		for _, a := range d.Annotations {
			if a.Type == "Stamp" {
				e.note("document.annotations", verdict.StampImitation, a.Path, "")
				break
			}
		}
	}
	return e
}

func (e *Examination) note(name string, code verdict.Code, where, detail string) {
	e.Checks = append(e.Checks, verdict.Note(name, code, where, detail))
}

// list reads a document's Signatures.xml (clause 18.1) and each signature in it.
func (e *Examination) list(d *Document) {
	const name = "signatures.list"
	p := e.pkg
	switch {
	case !d.listed:
		e.note(name, verdict.SigListAbsent, entryFile, "")
		return
	case d.listFound == foundNot:
		e.note(name, verdict.SigListMissingFile, d.List, "")
		return
	}
	root, err := p.xml(d.List)
	if err == nil && root.name != "Signatures" {
		err = errXMLOther
	}
	if err != nil {
		e.note(name, verdict.SigListXMLError, d.List, xmlReason(err))
		return
	}
	list := root.all("Signature")
	if len(list) == 0 {
		e.note(name, verdict.SigListEmpty, d.List, "")
		return
	}
	if len(list) > p.lim.Signatures {
		e.note(name, verdict.PkgBomb, d.List, "too many signatures")
		return
	}
	ids, paths := map[string]bool{}, map[string]bool{}
	var mine []*SignatureEntry
	for _, n := range list {
		s := &SignatureEntry{
			ID: strings.TrimSpace(n.get("ID")), Type: strings.TrimSpace(n.get("Type")), Document: d.Index,
			Relative: strings.TrimSpace(n.get("Relative")), covered: map[string]bool{}, Covers: verdict.CoversEarlier,
		}
		if s.Type == "" {
			s.Type = TypeSeal // the schema's default
		}
		if s.Type != TypeSeal && s.Type != TypeSign {
			s.note("signature.type", verdict.SigTypeUnknown, d.List, "")
		}
		loc, how := p.resolve(n.get("BaseLoc"), folder(d.List), folder(d.Root))
		if ids[s.ID] || paths[loc] {
			e.note(name, verdict.SigIDDuplicate, d.List, "")
		}
		ids[s.ID], paths[loc] = true, true
		s.Path = loc
		if how == foundNot {
			s.note("signature.description", verdict.SigFileMissing, loc, "")
		} else {
			s.Raw = p.files[loc]
			s.describe(p, d)
		}
		mine = append(mine, s)
	}
	for _, s := range mine {
		if s.Relative != "" && !ids[s.Relative] {
			s.note("signature.sequence", verdict.BaseSignatureInvalid, s.Path, "the signature it builds on is not listed")
		}
		s.Covers = d.coveredBy(s)
	}
	e.Signatures = append(e.Signatures, mine...)
	e.Checks = append(e.Checks, verdict.OK(name, d.List))
}

// coveredBy says whether a signature protects the document as it is drawn now.
func (d *Document) coveredBy(s *SignatureEntry) string {
	for _, f := range d.files {
		if f.Kind.Secondary() || f.Kind == KindEntry || s.covered[f.Path] {
			continue
		}
		if f.Path == d.annotIndex && len(d.Annotations) == 0 {
			continue // nothing is drawn from it
		}
		return verdict.CoversEarlier
	}
	return verdict.CoversCurrent
}

// machinery are the files that signing brings along.
func (e *Examination) machinery() map[string]bool {
	m := map[string]bool{}
	for _, f := range e.pkg.version {
		m[f] = true
	}
	for _, d := range e.pkg.docs {
		if d.listFound != foundNot {
			m[d.List] = true
		}
	}
	for _, s := range e.Signatures {
		for _, f := range []string{s.Path, s.ValuePath, s.SealPath} {
			if f != "" {
				m[f] = true
			}
		}
	}
	return m
}

// strangers looks at the files that nothing refers to (夹带): among them may be a signature that was taken out of the list.
func (e *Examination) strangers() {
	p := e.pkg
	known, used := e.machinery(), map[string]bool{}
	for _, d := range p.docs {
		for _, f := range d.files {
			used[f.Path] = true
		}
	}
	told := map[string]bool{}
	for _, f := range p.names {
		if known[f] {
			continue
		}
		if e.isSignature(f, used[f]) {
			if at := folder(f); !told[at] {
				told[at] = true
				e.note("signatures.list", verdict.SigUnlisted, f, "")
			}
			continue
		}
		if !used[f] {
			e.note("package.files", verdict.UnreferencedFile, f, "")
		}
	}
}

// isSignature says whether a file that no list names is part of a signature.
func (e *Examination) isSignature(f string, used bool) bool {
	low := strings.ToLower(path.Base(f))
	switch low {
	case "signedvalue.dat", "signvalue.dat":
		return true
	}
	if !strings.HasSuffix(low, ".xml") || (used && low != "signature.xml") {
		return false
	}
	root, err := e.pkg.xml(f)
	if err != nil {
		return low == "signature.xml" // made unreadable, it still is one
	}
	return root.name == "Signature" && root.child("SignedInfo") != nil
}
