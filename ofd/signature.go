package ofd

import (
	"encoding/base64"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// The two types of signature (GB/T 33190-2016 table 66).
const (
	TypeSeal = "Seal" // 签章
	TypeSign = "Sign" // 签名
)

// Provider names the software that made a signature (table 67).
type Provider struct{ Name, Version, Company string }

// Reference is one protected file (table 68).
type Reference struct {
	FileRef string       // as written
	Path    string       // the file found, absolute; "" when there is none
	Want    []byte       // the digest that Signature.xml gives
	Got     gm.Digest    // SM3 of the file
	OK      bool         // the file is what was signed
	code    verdict.Code // what is wrong, when something is
}

// StampAnnot is where a seal's picture is drawn, 签章外观 (table 69).
type StampAnnot struct {
	ID       string
	PageRef  uint64
	Page     int // index of the page in the document, -1 when there is none
	Boundary Box // in the page's space, mm
	Clip     *Box
	valid    bool
	clipBad  bool
}

// SignatureEntry is one signature of a document: its entry in the list and its description, Signature.xml. The value is
// opaque here: package seal judges it against Raw and Path.
type SignatureEntry struct {
	ID          string
	Type        string // TypeSeal, TypeSign, or what was written
	Document    int    // index of the document
	Path        string // absolute path of Signature.xml: what a seal's propertyInfo must name
	Raw         []byte // Signature.xml as stored: what was signed
	Provider    Provider
	Method      string // SignatureMethod
	DateTime    string // SignatureDateTime, as written; a claim without a fixed format
	CheckMethod string // of the references
	References  []Reference
	Stamps      []StampAnnot
	SealPath    string // absolute path of Seal.esl; "" when there is none
	SealFile    []byte // nil when there is none
	ValuePath   string // absolute path of the signature value
	Value       []byte // nil when it is missing
	Relative    string // ID of the signature this one builds on (GM/T 0099)
	Locked      bool   // the references include the signature list: nothing may be added
	Covers      string // verdict.CoversCurrent or verdict.CoversEarlier
	Checks      []verdict.Check

	covered map[string]bool // paths whose digest holds
}

// RefsOK counts the references that hold.
func (s *SignatureEntry) RefsOK() int {
	n := 0
	for i := range s.References {
		if s.References[i].OK {
			n++
		}
	}
	return n
}

// RefsBad counts the references that do not hold.
func (s *SignatureEntry) RefsBad() int { return len(s.References) - s.RefsOK() }

// Protects says whether the signature names the file and the file is what was signed.
func (s *SignatureEntry) Protects(path string) bool { return s.covered[path] }

func (s *SignatureEntry) note(name string, code verdict.Code, where, detail string) {
	s.Checks = append(s.Checks, verdict.Note(name, code, where, detail))
}

// The digest methods that mean SM3: the name and the OIDs of GM/T 0006 with its two modes.
func meansSM3(method string) bool {
	switch strings.ToUpper(method) {
	case "SM3", "1.2.156.10197.1.401", "1.2.156.10197.1.401.1", "1.2.156.10197.1.401.2":
		return true
	}
	return false
}

// weakDigest says that the method is broken, or absent, which by the schema's default is MD5.
func weakDigest(method string) bool {
	switch strings.ToUpper(strings.ReplaceAll(method, "-", "")) {
	case "", "MD5", "SHA1", "1.2.840.113549.2.5", "1.3.14.3.2.26":
		return true
	}
	return false
}

// describe reads Signature.xml (tables 67 to 69) of an entry whose Path is known.
func (s *SignatureEntry) describe(p *Package, d *Document) {
	root, err := p.xml(s.Path)
	if err == nil && (root.name != "Signature" || root.child("SignedInfo") == nil) {
		err = errXMLOther
	}
	if err != nil {
		s.note("signature.description", verdict.SigFileXMLError, s.Path, xmlReason(err))
		return
	}
	base := folder(s.Path)
	info := root.child("SignedInfo")
	pr := info.child("Provider")
	s.Provider = Provider{
		Name:    either(pr.get("ProviderName"), pr.value("ProviderName")),
		Version: either(pr.get("Version"), pr.value("Version")),
		Company: either(pr.get("Company"), pr.value("Company")),
	}
	s.Method, s.DateTime = info.value("SignatureMethod"), info.value("SignatureDateTime")
	if seal := info.child("Seal"); seal != nil {
		path, how := p.resolve(seal.value("BaseLoc"), base, "")
		if how == foundNot {
			s.note("signature.seal_file", verdict.DocFileMissing, path, "the seal file")
		} else {
			s.SealPath, s.SealFile = path, p.files[path]
		}
	}
	path, how := p.resolve(root.value("SignedValue"), base, "")
	s.ValuePath = path
	if how == foundNot {
		s.note("signature.value_file", verdict.SVMissing, path, "")
	} else {
		s.Value = p.files[path]
	}
	refs, stamps := info.child("References"), info.all("StampAnnot")
	list := refs.all("Reference")
	if len(list)+len(stamps) > p.lim.References {
		s.note("signature.references", verdict.PkgBomb, s.Path, "too many references")
		return
	}
	s.readStamps(d, stamps)
	s.CheckMethod = strings.TrimSpace(refs.get("CheckMethod"))
	s.readReferences(p, d, list)
	if len(s.Checks) == 0 {
		s.Checks = append(s.Checks, verdict.OK("signature.description", s.Path))
	}
}

// readReferences recomputes the digest of each protected file (step 2 of a verification).
func (s *SignatureEntry) readReferences(p *Package, d *Document, list []*node) {
	const name = "signature.references"
	if len(list) == 0 {
		s.note(name, verdict.RefsEmpty, s.Path, "")
		return
	}
	sm3 := meansSM3(s.CheckMethod)
	if !sm3 {
		code := verdict.DigestMethodUnsupported
		if weakDigest(s.CheckMethod) {
			code = verdict.DigestMethodWeak
		}
		s.note(name, code, s.Path, "")
	}
	seen := make(map[string]bool, len(list))
	bad := 0
	for _, n := range list {
		r := Reference{FileRef: n.get("FileRef")}
		loc := strings.TrimSpace(r.FileRef)
		base := folder(s.Path)
		if !strings.HasPrefix(loc, "/") && !strings.HasPrefix(loc, `\`) {
			s.note(name, verdict.RefPathNotAbsolute, loc, "")
			base = "" // what writers of such paths mean is the package's root
		}
		path, how := p.resolve(loc, base, folder(s.Path))
		switch how {
		case foundNot:
			r.code = verdict.RefFileMissing
		case foundCase:
			s.note(name, verdict.RefPathCase, path, "")
			fallthrough
		case foundExact, foundFallback:
			r.Path = path
		}
		where := either(r.Path, either(path, loc))
		if seen[where] {
			s.note(name, verdict.RefDuplicate, where, "")
		}
		seen[where] = true
		want, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.value("CheckValue")), ""))
		switch {
		case err != nil:
			r.code = verdict.RefValueNotBase64
		case r.Path == "":
		case !sm3:
			r.code = verdict.DigestMethodUnsupported // said once, above
		default:
			r.Want, r.Got = want, p.digest(r.Path)
			if string(want) == string(r.Got[:]) {
				r.OK = true
				s.covered[r.Path] = true
			} else {
				r.code = verdict.RefDigestMismatch
			}
		}
		if !r.OK {
			bad++
			if r.code != verdict.DigestMethodUnsupported {
				s.note(name, r.code, where, "")
			}
		}
		if d.List != "" && where == d.List {
			s.Locked = true
			if r.code == verdict.RefDigestMismatch || r.code == verdict.RefFileMissing {
				s.note("signature.sequence", verdict.ModifiedAfterLock, where, "the signature list was changed")
			}
		}
		s.References = append(s.References, r)
	}
	// A path that is listed twice with two digests protects nothing.
	for i := range s.References {
		if r := &s.References[i]; !r.OK && r.Path != "" {
			delete(s.covered, r.Path)
		}
	}
	if bad == 0 {
		s.Checks = append(s.Checks, verdict.OK(name, s.Path))
	}
}

// readStamps reads where the seal is drawn (step 7).
func (s *SignatureEntry) readStamps(d *Document, stamps []*node) {
	const name = "signature.stamps"
	bad := false
	for _, n := range stamps {
		st := StampAnnot{ID: n.get("ID"), PageRef: id(n.get("PageRef")), Page: -1}
		st.Boundary, st.valid = ParseBox(n.get("Boundary"))
		if c, has := n.lookup("Clip"); has && strings.TrimSpace(c) != "" {
			box, ok := ParseBox(c)
			st.Clip, st.clipBad = &box, !ok
		}
		var page Box
		for i := range d.Pages {
			if d.Pages[i].ID == st.PageRef && st.PageRef != 0 {
				st.Page, page = i, d.Pages[i].Box
				break
			}
		}
		switch {
		case st.Page < 0:
			s.note(name, verdict.StampPageMissing, s.Path, "")
		case !st.valid || st.clipBad:
			s.note(name, verdict.StampBoundaryInvalid, s.Path, "")
		case page.W > 0 && !st.shown().inside(Box{0, 0, page.W, page.H}):
			s.note(name, verdict.StampOutOfPage, s.Path, "")
			s.Stamps = append(s.Stamps, st)
			continue
		default:
			s.Stamps = append(s.Stamps, st)
			continue
		}
		bad = true
		s.Stamps = append(s.Stamps, st)
	}
	if len(stamps) > 0 && !bad {
		s.Checks = append(s.Checks, verdict.OK(name, s.Path))
	}
}

// shown is the part of the page that the stamp covers.
func (st StampAnnot) shown() Box {
	if st.Clip == nil {
		return st.Boundary
	}
	return Box{st.Boundary.X + st.Clip.X, st.Boundary.Y + st.Clip.Y, st.Clip.W, st.Clip.H}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
