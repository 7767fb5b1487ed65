package ofd

import (
	"bytes"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// OpenSetName is the CustomData by which a license of ours declares the files that its issuing seal leaves open, so that
// copies and later signatures can be added: absolute paths, the signature list first, the annotation index second, one
// space between. It stands in OFD.xml, which the seal covers. docs/adr/0003-license-open-set.md says why.
const OpenSetName = "YinxinOpenSet"

// OpenSet is the declared open set of the document, and whether it declares one.
func (d *Document) OpenSet() ([]string, bool) {
	for _, c := range d.Info.Custom {
		if c.Name == OpenSetName {
			return strings.Split(c.Value, " "), true
		}
	}
	return nil, false
}

// firstID is the ID of the issuing seal.
const firstID = "s001"

// openSet judges a document that declares an open set. While the issuing seal is the only signature, what is open must be
// byte for byte what our writer leaves there, and no file may stand beside what is sealed. Later, whatever came in must
// be protected by a later signature that holds.
func (e *Examination) openSet(d *Document, all, good []*SignatureEntry) []verdict.Check {
	const name = "document.open_set"
	p := e.pkg
	var checks []verdict.Check
	bad := func(where, detail string) {
		checks = append(checks, verdict.Note(name, verdict.OpenSetAltered, where, detail))
	}
	declared, _ := d.OpenSet()
	if len(declared) != 2 || declared[0] != d.List || declared[1] != d.annotIndex || d.annotIndex == "" {
		bad(entryFile, "the declaration does not name the signature list and the annotation index")
		return checks
	}
	for i, c := range d.Info.Custom {
		for _, o := range d.Info.Custom[:i] {
			if c.Name == OpenSetName && o.Name == OpenSetName {
				bad(entryFile, "two declarations")
			}
		}
	}
	issuing, later := all[0], good
	if len(later) > 0 && later[0] == issuing {
		later = later[1:]
	}
	if issuing.ID != firstID || issuing.Type != TypeSeal || !issuing.covered[entryFile] {
		bad(d.List, "the first signature is not the issuing seal")
	}
	open := map[string]bool{d.List: true, d.annotIndex: true}
	for i := range issuing.References {
		if open[issuing.References[i].Path] {
			bad(issuing.References[i].Path, "declared open and yet sealed")
		}
	}
	own := map[string]bool{}
	for _, s := range all {
		own[s.Path], own[s.ValuePath] = true, true
	}
	for _, f := range p.names {
		if issuing.covered[f] || open[f] || own[f] || protected(f, later) {
			continue
		}
		bad(f, "protected by no signature")
	}
	if !protected(d.annotIndex, later) && !bytes.Equal(p.files[d.annotIndex], annotationIndex()) {
		bad(d.annotIndex, "the annotation index was changed")
	}
	if !protected(d.List, later) && !bytes.Equal(p.files[d.List], canonicalList(all)) {
		bad(d.List, "the signature list was changed")
	}
	if len(all) == 1 {
		if odd := p.container.ownPacking(p.source); odd != "" {
			checks = append(checks, verdict.Note("package.container", verdict.PkgHeaderMismatch, "", odd))
		}
	}
	if len(checks) == 0 {
		checks = append(checks, verdict.OK(name, d.List))
	}
	return checks
}

// canonicalList is the signature list that our writer makes of these signatures. Nothing in it is free: the paths are
// those of the descriptions, the highest ID follows from the stamps.
func canonicalList(all []*SignatureEntry) []byte {
	rows := make([]listRow, 0, len(all))
	last := 0
	for _, s := range all {
		rows = append(rows, listRow{ID: s.ID, Type: s.Type, Loc: s.Path, Relative: s.Relative})
		last = max(last, signatureNumber(s.ID))
		for _, st := range s.Stamps {
			last = max(last, signatureNumber(st.ID))
		}
	}
	return signatureList(rows, last)
}

// signatureNumber is n of an ID "sNNN", 0 for any other.
func signatureNumber(id string) int {
	if len(id) != 4 || id[0] != 's' {
		return 0
	}
	n := 0
	for _, r := range id[1:] {
		if r < '0' || r > '9' {
			return 0
		}
		n = n*10 + int(r-'0')
	}
	return n
}
