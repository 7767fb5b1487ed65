package ofd

import (
	"strconv"
	"strings"
)

// The layout of a package that we write. Only the links between files are normative (clause 6); these are the
// conventional names, and absolute paths stand only where readers of the field follow them.
const (
	docFolder  = "Doc_0"
	docPath    = "/" + docFolder + "/Document.xml"
	listPath   = "/" + docFolder + "/Signs/Signatures.xml"
	annotPath  = "/" + docFolder + "/Annots/Annotations.xml"
	signFolder = "/" + docFolder + "/Signs/Sign_0"
)

// Bytes is the document as an unsigned package.
func (b *Builder) Bytes() ([]byte, error) {
	files, err := b.assemble(false, false)
	if err != nil {
		return nil, err
	}
	return pack(files)
}

// assemble writes every file of the document except those of its signature.
func (b *Builder) assemble(signed, openSet bool) ([]file, error) {
	if b.err == nil && len(b.pages) == 0 {
		b.mistake("ofd_pages", "the document has no pages")
	}
	if b.err != nil {
		return nil, b.err
	}
	top := b.number()
	files := []file{
		{"OFD.xml", b.entry(signed, openSet)},
		{docFolder + "/Document.xml", b.document(top)},
	}
	add := func(name string, data []byte) { files = append(files, file{docFolder + "/" + name, data}) }
	if len(b.fonts) > 0 {
		add("PublicRes.xml", b.publicRes())
		for i, f := range b.fonts {
			s, err := f.font.Subset(f.used())
			if err != nil {
				return nil, err
			}
			add("Res/"+fontFile(i), s.Data)
		}
	}
	if len(b.images) > 0 {
		add("DocumentRes.xml", b.documentRes())
		for i, data := range b.images {
			add("Res/"+imageFile(i), data)
		}
	}
	if b.template != nil {
		add("Tpls/Tpl_0/Content.xml", b.content(b.template))
	}
	for i, p := range b.pages {
		add(pageFile(i), b.content(p))
	}
	add("Annots/Annotations.xml", annotationIndex())
	if len(b.tags) > 0 {
		add("Tags/CustomTags.xml", b.tagIndex())
		for i, t := range b.tags {
			add("Tags/"+tagFile(i), t.file())
		}
	}
	if len(b.attached) > 0 {
		add("Attachs/Attachments.xml", b.attachmentIndex())
		for _, a := range b.attached {
			add("Attachs/"+a.file, a.data)
		}
	}
	return files, nil
}

// number gives every unit of the document its ST_ID in the order of drawing, since readers exist that take the ID for
// the height, and returns the largest.
func (b *Builder) number() int {
	n := 0
	next := func() int { n++; return n }
	for _, f := range b.fonts {
		f.id = next()
	}
	n += len(b.images) // imageID
	pages := b.pages
	if b.template != nil {
		pages = append([]*NewPage{b.template}, pages...)
	}
	for _, p := range pages {
		p.id = next()
		for _, l := range p.layers {
			l.id = next()
			for _, o := range l.objects {
				o.id = next()
			}
		}
	}
	return n
}

func (b *Builder) imageID(index int) string { return strconv.Itoa(len(b.fonts) + index + 1) }

func fontFile(i int) string  { return "font_" + strconv.Itoa(i+1) + ".ttf" }
func imageFile(i int) string { return "image_" + strconv.Itoa(i+1) + ".png" }
func pageFile(i int) string  { return "Pages/Page_" + strconv.Itoa(i) + "/Content.xml" }
func tagFile(i int) string   { return "tag_" + strconv.Itoa(i+1) + ".xml" }

// entry writes OFD.xml (table 3).
func (b *Builder) entry(signed, openSet bool) []byte {
	w := newWriter("OFD", "Version", "1.0", "DocType", "OFD")
	w.start("DocBody")
	w.start("DocInfo")
	w.leaf("DocID", b.info.DocID)
	w.maybe("Title", b.info.Title)
	w.maybe("Author", b.info.Author)
	w.maybe("Subject", b.info.Subject)
	if !b.info.Created.IsZero() {
		w.leaf("CreationDate", b.info.Created.Format("2006-01-02"))
	}
	w.maybe("Creator", b.info.Creator)
	w.maybe("CreatorVersion", b.info.CreatorVersion)
	custom := b.info.Custom
	if openSet {
		custom = append(custom[:len(custom):len(custom)], CustomData{OpenSetName, listPath + " " + annotPath})
	}
	if len(custom) > 0 {
		w.start("CustomDatas")
		for _, c := range custom {
			w.leaf("CustomData", c.Value, "Name", c.Name)
		}
		w.end()
	}
	w.end()
	w.leaf("DocRoot", docFolder+"/Document.xml")
	if signed {
		w.leaf("Signatures", listPath)
	}
	return w.bytes()
}

// document writes Document.xml in the schema's order (tables 5 and 6).
func (b *Builder) document(top int) []byte {
	w := newWriter("Document")
	w.start("CommonData")
	w.leaf("MaxUnitID", strconv.Itoa(top))
	w.start("PageArea")
	w.leaf("PhysicalBox", b.box.String())
	w.end()
	if len(b.fonts) > 0 {
		w.leaf("PublicRes", "PublicRes.xml")
	}
	if len(b.images) > 0 {
		w.leaf("DocumentRes", "DocumentRes.xml")
	}
	if b.template != nil {
		w.empty("TemplatePage", "ID", strconv.Itoa(b.template.id), "ZOrder", "Background", "BaseLoc", "Tpls/Tpl_0/Content.xml")
	}
	w.end()
	w.start("Pages")
	for i, p := range b.pages {
		w.empty("Page", "ID", strconv.Itoa(p.id), "BaseLoc", pageFile(i))
	}
	w.end()
	w.leaf("Annotations", "Annots/Annotations.xml")
	if len(b.tags) > 0 {
		w.leaf("CustomTags", "Tags/CustomTags.xml")
	}
	if len(b.attached) > 0 {
		w.leaf("Attachments", "Attachs/Attachments.xml")
	}
	return w.bytes()
}

func (b *Builder) publicRes() []byte {
	w := newWriter("Res", "BaseLoc", "Res")
	w.start("Fonts")
	for i, f := range b.fonts {
		w.start("Font", "ID", strconv.Itoa(f.id), "FontName", f.name, "FamilyName", f.name)
		w.leaf("FontFile", fontFile(i))
		w.end()
	}
	return w.bytes()
}

func (b *Builder) documentRes() []byte {
	w := newWriter("Res", "BaseLoc", "Res")
	w.start("MultiMedias")
	for i := range b.images {
		w.start("MultiMedia", "ID", b.imageID(i), "Type", "Image", "Format", "PNG")
		w.leaf("MediaFile", imageFile(i))
		w.end()
	}
	return w.bytes()
}

// annotationIndex writes an annotation index without annotations (table 60).
func annotationIndex() []byte {
	w := &writer{}
	w.buf.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.empty("Annotations", "xmlns:ofd", namespace)
	return w.buf.Bytes()
}

func (b *Builder) tagIndex() []byte {
	w := newWriter("CustomTags")
	for i, t := range b.tags {
		w.start("CustomTag", "TypeID", t.typeID, "NameSpace", t.namespace)
		w.leaf("FileLoc", tagFile(i))
		w.end()
	}
	return w.bytes()
}

// file writes the tag's own file: free XML whose leaves refer to objects.
func (t *Tag) file() []byte {
	w := &writer{}
	w.buf.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.start("t:"+t.root, "xmlns:t", t.namespace, "xmlns:ofd", namespace)
	for _, r := range t.rows {
		w.start("t:" + r.name)
		for _, o := range r.objects {
			w.leaf("ObjectRef", strconv.Itoa(o.o.id), "PageRef", strconv.Itoa(o.o.page.id))
		}
		w.end()
	}
	return w.bytes()
}

func (b *Builder) attachmentIndex() []byte {
	w := newWriter("Attachments")
	for i, a := range b.attached {
		date := ""
		if !b.info.Created.IsZero() {
			date = b.info.Created.Format("2006-01-02T15:04:05")
		}
		w.start("Attachment", "ID", "A"+strconv.Itoa(i+1), "Name", a.name, "Format", a.format, "CreationDate", date,
			"Size", num(float64(len(a.data))/1024), "Visible", "false", "Usage", "none")
		w.leaf("FileLoc", a.file)
		w.end()
	}
	return w.bytes()
}

// content writes a page or template (clause 7.7).
func (b *Builder) content(p *NewPage) []byte {
	w := newWriter("Page")
	if b.template != nil && p != b.template {
		w.empty("Template", "TemplateID", strconv.Itoa(b.template.id), "ZOrder", "Background")
	}
	w.start("Content")
	for _, l := range p.layers {
		w.start("Layer", "ID", strconv.Itoa(l.id), "Type", string(l.kind))
		for _, o := range l.objects {
			b.object(w, o)
		}
		w.end()
	}
	return w.bytes()
}

func (b *Builder) object(w *writer, o *object) {
	id := strconv.Itoa(o.id)
	switch {
	case o.text != nil:
		t := o.text
		w.start("TextObject", "ID", id, "Boundary", t.Box.String(), "Font", strconv.Itoa(t.Font.use.id), "Size", num(t.Size))
		w.empty("FillColor", "Value", t.Color.String())
		for i, line := range t.Lines {
			if line.Text == "" && i > 0 {
				continue // the schema wants one TextCode, and one is enough for an empty text
			}
			w.leaf("TextCode", line.Text, "X", num(line.X), "Y", num(line.Y), "DeltaX", t.Font.use.font.deltas(line.Text, t.Size))
		}
		w.end()
	case o.path != nil:
		p := o.path
		width, rule, dash := "", "", ""
		if p.LineWidth > 0 {
			width = num(p.LineWidth)
		}
		if p.EvenOdd {
			rule = "Even-Odd"
		}
		for _, d := range p.Dash {
			dash = strings.TrimSpace(dash + " " + num(d))
		}
		w.start("PathObject", "ID", id, "Boundary", p.Box.String(), "LineWidth", width, "DashPattern", dash,
			"Stroke", strconv.FormatBool(p.Stroke != nil), "Fill", strconv.FormatBool(p.Fill != nil), "Rule", rule)
		if p.Stroke != nil {
			w.empty("StrokeColor", "Value", p.Stroke.String())
		}
		if p.Fill != nil {
			w.empty("FillColor", "Value", p.Fill.String())
		}
		w.leaf("AbbreviatedData", string(p.Outline.buf))
		w.end()
	case o.image != nil:
		box := o.image.Box
		w.empty("ImageObject", "ID", id, "Boundary", box.String(), "CTM", num(box.W)+" 0 0 "+num(box.H)+" 0 0",
			"ResourceID", b.imageID(o.image.Image.index))
	}
}
