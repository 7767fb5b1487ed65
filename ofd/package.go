package ofd

import (
	"errors"
	"sort"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// Package is an opened OFD file (GB/T 33190-2016 clause 6). It holds the contents of all entries and never changes;
// only its digests are computed when first asked for, so one Package belongs to one goroutine at a time.
type Package struct {
	lim       Limits
	budget    int
	container *container
	source    []byte            // the file as it came
	files     map[string][]byte // by absolute path
	names     []string          // absolute paths, sorted
	folded    map[string]string // lower-case path → path, "" where two share it
	digests   map[string]gm.Digest
	docs      []*Document
	version   []string // files of the GM/T 0099 integrity list
}

// Open reads a file that a stranger sent. The checks say everything that is wrong with the container and with the
// structure of the documents in it; the package is nil only when nothing can be read at all. The package keeps data, which
// must not change while it lives.
func Open(data []byte, lim Limits) (*Package, []verdict.Check) {
	c, ok := readContainer(data, lim)
	if !ok {
		return nil, c.checks
	}
	p := &Package{
		lim: lim, budget: lim.TotalNodes, container: c, source: data, files: map[string][]byte{}, folded: map[string]string{},
		digests: map[string]gm.Digest{},
	}
	for _, m := range c.members {
		if m.dir {
			continue
		}
		path := "/" + m.name
		if m.data == nil {
			m.data = []byte{} // unreadable: its finding is among the checks
		}
		p.files[path] = m.data
		p.names = append(p.names, path)
		low := strings.ToLower(path)
		if _, dup := p.folded[low]; dup {
			path = ""
		}
		p.folded[low] = path
	}
	sort.Strings(p.names)
	checks := append([]verdict.Check(nil), c.checks...)
	if len(checks) == 0 {
		checks = append(checks, verdict.OK("package.container", ""))
	}
	return p, append(checks, p.readBodies()...)
}

// Files are the absolute paths of all files in the package, sorted.
func (p *Package) Files() []string { return append([]string(nil), p.names...) }

// File is the content of a file by its absolute path. The caller must not change it.
func (p *Package) File(path string) ([]byte, bool) {
	d, ok := p.files[path]
	return d, ok
}

// Documents are the documents in the package, one for each DocBody of OFD.xml, in order.
func (p *Package) Documents() []*Document { return append([]*Document(nil), p.docs...) }

// digest is the SM3 of a file, computed once however many signatures name it.
func (p *Package) digest(path string) gm.Digest {
	if d, ok := p.digests[path]; ok {
		return d
	}
	d := gm.SM3(p.files[path])
	p.digests[path] = d
	return d
}

// xml parses a file of the package.
func (p *Package) xml(path string) (*node, error) {
	return parseXML(p.files[path], p.lim, &p.budget)
}

const entryFile = "/OFD.xml"

// readBodies reads OFD.xml (clause 7.4) and each document.
func (p *Package) readBodies() []verdict.Check {
	const name = "package.entry"
	if p.files[entryFile] == nil {
		return []verdict.Check{verdict.Note(name, verdict.PkgMissingOFDXML, entryFile, "")}
	}
	root, err := p.xml(entryFile)
	if err == nil && root.name != "OFD" {
		err = errXMLOther
	}
	if err != nil {
		return []verdict.Check{xmlFinding(name, entryFile, err)}
	}
	bodies := root.all("DocBody")
	if len(bodies) == 0 {
		return []verdict.Check{verdict.Note(name, verdict.DocXMLError, entryFile, "there is no DocBody")}
	}
	if len(bodies) > p.lim.Bodies {
		return []verdict.Check{verdict.Note(name, verdict.PkgBomb, entryFile, "too many documents")}
	}
	var checks []verdict.Check
	if len(bodies) > 1 {
		checks = append(checks, verdict.Note(name, verdict.DocMultipleBodies, entryFile, ""))
	}
	p.readIntegrity()
	for i, b := range bodies {
		d := &Document{pkg: p, Index: i, values: map[uint64]string{}}
		d.read(b)
		p.docs = append(p.docs, d)
		if len(d.checks) == 0 {
			d.checks = append(d.checks, verdict.OK("document.structure", d.Root))
		}
		checks = append(checks, d.checks...)
	}
	return checks
}

// xmlFinding is the finding for a file of the document's structure that cannot be parsed.
func xmlFinding(name, where string, err error) verdict.Check {
	code := verdict.DocXMLError
	if errors.Is(err, errXMLLarge) || errors.Is(err, errXMLDeep) || errors.Is(err, errXMLNodes) {
		code = verdict.PkgBomb
	}
	return verdict.Note(name, code, where, xmlReason(err))
}

// xmlReason is why XML was refused, without quoting the file: what stands in it may be personal.
func xmlReason(err error) string {
	for _, known := range []error{
		errXMLLarge, errXMLDeep, errXMLNodes, errXMLAttrs, errXMLDTD, errXMLRoot, errXMLEncoding, errXMLOther,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "the file is not well-formed"
}

// readIntegrity notes the files of the whole-package integrity list (GM/T 0099): they are machinery, not smuggled.
func (p *Package) readIntegrity() {
	const list = "/OFDEntries.xml"
	if p.files[list] == nil {
		return
	}
	root, err := p.xml(list)
	if err != nil || root.name != "OFDEntries" {
		return
	}
	p.version = append(p.version, list)
	if path, how := p.resolve(root.value("SignedValueLoc"), "", ""); how != foundNot {
		p.version = append(p.version, path)
	}
}
