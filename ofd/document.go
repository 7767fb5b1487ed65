package ofd

import (
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// CustomData is one named value of the document's metadata, 用户自定义元数据 (GB/T 33190-2016 table 4).
type CustomData struct{ Name, Value string }

// Metadata is what DocInfo says of a document, 文档元数据 (GB/T 33190-2016 table 4). Dates are as written.
type Metadata struct {
	DocID, Title, Author, Subject, Creator, CreatorVersion string
	CreationDate, ModDate                                  string
	Custom                                                 []CustomData
}

// Get is the value of the first CustomData of that name, or "".
func (m Metadata) Get(name string) string {
	for _, c := range m.Custom {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Page is a page or a template page, 页 / 模板页.
type Page struct {
	ID        uint64
	Path      string // absolute; "" when its file is missing
	Box       Box    // PhysicalBox that applies to the page
	Templates []uint64
}

// Annotation is one annotation, 注释 (GB/T 33190-2016 clause 15).
type Annotation struct {
	Page    uint64
	Type    string // Link, Path, Highlight, Stamp, Watermark
	Subtype string
	Visible bool
	Path    string // the file it stands in
}

// Attachment is a file carried by the document, 附件 (clause 20).
type Attachment struct {
	ID, Name, Format string
	Visible          bool
	Path             string // "" when its file is missing
}

// Document is one document of the package: its DocBody and everything reached from there.
type Document struct {
	Index       int
	Root        string // absolute path of Document.xml; "" when it is missing
	Info        Metadata
	Box         Box // PhysicalBox of the document
	MaxUnitID   uint64
	Pages       []Page
	Templates   []Page
	Annotations []Annotation
	Attachments []Attachment
	List        string // absolute path of Signatures.xml as named, "" when there is none

	pkg        *Package
	listed     bool // DocBody has a Signatures element
	listFound  found
	annotIndex string
	files      []VisibleFile
	have       map[string]int    // path → its place in files
	texts      int               // bytes of text in fields
	values     map[uint64]string // text of text objects by ID
	fields     []Value
	checks     []verdict.Check
}

func (d *Document) note(code verdict.Code, where, detail string) {
	d.find(verdict.Note("document.structure", code, where, detail))
}

// find keeps a finding. Past a bound it keeps one that says so: a file may name a million missing files.
func (d *Document) find(c verdict.Check) {
	switch n := len(d.checks); {
	case n < d.pkg.lim.Findings:
		d.checks = append(d.checks, c)
	case n == d.pkg.lim.Findings:
		d.checks = append(d.checks, verdict.Note("document.structure", verdict.PkgBomb, d.Root, "too many findings"))
	}
}

// reach resolves loc, notes the file as part of the document, and returns its path, or "" when it is missing.
func (d *Document) reach(loc, base string, kind FileKind) string {
	docBase := ""
	if d.Root != "" {
		docBase = folder(d.Root)
	}
	path, how := d.pkg.resolve(loc, base, docBase)
	switch how {
	case foundNot:
		where := path
		if where == "" {
			where = d.Root
		}
		d.note(verdict.DocFileMissing, where, string(kind))
		return ""
	case foundCase:
		d.note(verdict.RefPathCase, path, string(kind))
	case foundExact, foundFallback:
	}
	d.add(path, kind)
	return path
}

// add notes a file of the document. One used in two ways counts as the weightier: what is drawn stays drawn.
func (d *Document) add(path string, kind FileKind) {
	if d.have == nil {
		d.have = map[string]int{}
	}
	if i, ok := d.have[path]; ok {
		if d.files[i].Kind.Secondary() && !kind.Secondary() {
			d.files[i].Kind = kind
		}
		return
	}
	d.have[path] = len(d.files)
	d.files = append(d.files, VisibleFile{Path: path, Kind: kind})
}

// load reaches a file and parses it; nil when it is missing or not readable, with a finding.
func (d *Document) load(loc, base string, kind FileKind, root string) (string, *node) {
	path := d.reach(loc, base, kind)
	if path == "" {
		return "", nil
	}
	n, err := d.pkg.xml(path)
	if err == nil && n.name != root {
		err = errXMLOther
	}
	if err != nil {
		f := xmlFinding("document.structure", path, err)
		if kind.Secondary() && f.Code == verdict.DocXMLError {
			f.Result = verdict.Warn // real licenses carry tag files that are not well-formed; nothing drawn depends on them
		}
		d.find(f)
		return path, nil
	}
	return path, n
}

// read reads a DocBody (clause 7.4) and its Document.xml (clause 7.5).
func (d *Document) read(body *node) {
	d.add(entryFile, KindEntry)
	for _, name := range []string{"DocInfo", "DocRoot", "Signatures"} {
		if l := body.all(name); len(l) > 1 || len(l) == 1 && l[0].split {
			// The next reader may take the other one, and OFD.xml is the file that signatures of the field leave open.
			d.note(verdict.DocXMLError, entryFile, "two readings of "+name)
		}
	}
	info := body.child("DocInfo")
	d.Info = Metadata{
		DocID: info.value("DocID"), Title: info.value("Title"), Author: info.value("Author"),
		Subject: info.value("Subject"), Creator: info.value("Creator"), CreatorVersion: info.value("CreatorVersion"),
		CreationDate: info.value("CreationDate"), ModDate: info.value("ModDate"),
	}
	for _, c := range info.child("CustomDatas").all("CustomData") {
		d.Info.Custom = append(d.Info.Custom, CustomData{c.get("Name"), c.trimmed()})
	}
	if s := body.child("Signatures"); s != nil {
		d.listed = true
		d.List, d.listFound = d.pkg.resolve(s.trimmed(), "", "")
	}
	loc := body.value("DocRoot")
	if loc == "" {
		d.note(verdict.DocXMLError, entryFile, "there is no DocRoot")
		return
	}
	path, how := d.pkg.resolve(loc, "", "")
	if how == foundNot {
		// Without its root nothing of the document can be drawn: worse than a missing part.
		d.note(verdict.DocXMLError, path, "the document's root file is missing")
		return
	}
	d.Root = path
	d.add(path, KindDocument)
	root, err := d.pkg.xml(path)
	if err == nil && root.name != "Document" {
		err = errXMLOther
	}
	if err != nil {
		d.find(xmlFinding("document.structure", path, err))
		return
	}
	if c := info.child("Cover"); c != nil {
		d.reach(c.trimmed(), "", KindOther)
	}
	for _, v := range body.child("Versions").all("Version") {
		d.readVersion(v)
	}
	d.readRoot(root)
}

// readVersion reaches the files of another version (clause 19): they are in the package for a reader to show.
func (d *Document) readVersion(v *node) {
	path, n := d.load(v.get("BaseLoc"), "", KindDocument, "DocVersion")
	if n == nil {
		return
	}
	for _, f := range n.child("FileList").all("File") {
		d.reach(f.trimmed(), folder(path), KindDocument)
	}
	if r := n.child("DocRoot"); r != nil {
		d.reach(r.trimmed(), folder(path), KindDocument)
	}
}

func (d *Document) readRoot(root *node) {
	base := folder(d.Root)
	common := root.child("CommonData")
	d.MaxUnitID, _ = strconv.ParseUint(common.value("MaxUnitID"), 10, 64)
	if b, ok := ParseBox(common.child("PageArea").value("PhysicalBox")); ok {
		d.Box = b
	}
	for _, kind := range []string{"PublicRes", "DocumentRes"} {
		for _, r := range common.all(kind) {
			d.readRes(r.trimmed(), base)
		}
	}
	for _, t := range common.all("TemplatePage") {
		d.Templates = append(d.Templates, d.readPage(t, base, KindTemplate))
	}
	for _, p := range root.child("Pages").all("Page") {
		d.Pages = append(d.Pages, d.readPage(p, base, KindPage))
	}
	if len(d.Pages) == 0 {
		d.note(verdict.DocXMLError, d.Root, "there are no pages")
	}
	if a := root.child("Annotations"); a != nil {
		d.readAnnotations(a.trimmed(), base)
	}
	if t := root.child("CustomTags"); t != nil {
		d.readTags(t.trimmed(), base)
	}
	if a := root.child("Attachments"); a != nil {
		d.readAttachments(a.trimmed(), base)
	}
	if e := root.child("Extensions"); e != nil {
		path, n := d.load(e.trimmed(), base, KindExtension, "Extensions")
		for _, x := range n.all("Extension") {
			for _, data := range x.all("ExtendData") {
				d.reach(data.trimmed(), folder(path), KindExtension)
			}
		}
	}
}

func (d *Document) readAttachments(loc, base string) {
	path, n := d.load(loc, base, KindAttachment, "Attachments")
	for _, a := range n.all("Attachment") {
		x := Attachment{ID: a.get("ID"), Name: a.get("Name"), Format: a.get("Format"), Visible: truth(a, "Visible", true)}
		if f := a.child("FileLoc"); f != nil {
			x.Path = d.reach(f.trimmed(), folder(path), KindAttachment)
		}
		d.Attachments = append(d.Attachments, x)
	}
}

func (d *Document) readAnnotations(loc, base string) {
	path, n := d.load(loc, base, KindAnnotation, "Annotations")
	d.annotIndex = path
	for _, p := range n.all("Page") {
		page := id(p.get("PageID"))
		for _, f := range p.all("FileLoc") {
			file, list := d.load(f.trimmed(), folder(path), KindAnnotation, "PageAnnot")
			for _, a := range list.all("Annot") {
				d.Annotations = append(d.Annotations, Annotation{
					Page: page, Type: a.get("Type"), Subtype: a.get("Subtype"), Visible: truth(a, "Visible", true), Path: file,
				})
			}
		}
	}
}

// truth is an xs:boolean attribute.
func truth(n *node, name string, absent bool) bool {
	switch strings.TrimSpace(n.get(name)) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	return absent
}

// id is an ST_ID; 0, which is no ID, for anything else.
func id(s string) uint64 {
	v, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return v
}
