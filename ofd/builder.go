package ofd

import (
	"bytes"
	"image/png"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Info is what a new document says of itself in DocInfo. Custom keeps its order.
type Info struct {
	DocID          string // 32 lower-case hexadecimal digits
	Title          string
	Author         string
	Subject        string
	Created        time.Time // its date is written as it stands in its own location
	Creator        string
	CreatorVersion string
	Custom         []CustomData
}

// Builder writes one document. It keeps the first mistake and tells it when the document is asked for, so calls need no
// checks in between. The same calls give the same bytes. A Builder belongs to one goroutine.
type Builder struct {
	info     Info
	box      Box
	fonts    []*fontUse
	images   [][]byte
	template *NewPage
	pages    []*NewPage
	tags     []*Tag
	attached []attached
	err      error
}

// NewBuilder starts a document whose pages have the size of box (mm).
func NewBuilder(info Info, box Box) *Builder {
	b := &Builder{info: info, box: box}
	b.info.Custom = append([]CustomData(nil), info.Custom...)
	if !box.valid() {
		b.mistake("ofd_page_size", "the page size is not possible")
	}
	if len(info.DocID) != 32 || strings.Trim(info.DocID, "0123456789abcdef") != "" {
		b.mistake("ofd_doc_id", "the document's ID is not 32 hexadecimal digits")
	}
	for _, s := range []string{info.Title, info.Author, info.Subject, info.Creator, info.CreatorVersion} {
		b.text(s)
	}
	for _, c := range info.Custom {
		b.text(c.Name)
		b.text(c.Value)
		if c.Name == "" || c.Name == OpenSetName || strings.TrimSpace(c.Value) != c.Value {
			b.mistake("ofd_custom_data", "a name or value of the document's metadata is not allowed")
		}
	}
	return b
}

func (b *Builder) mistake(code, message string) {
	if b.err == nil {
		b.err = fault.New(fault.Invalid, code, message)
	}
}

// text checks that s can be written.
func (b *Builder) text(s string) {
	if !writable(s) {
		b.mistake("ofd_text", "the text holds a character that no document can hold")
	}
}

// FontRef is a font of the document.
type FontRef struct{ use *fontUse }

type fontUse struct {
	font  *Font
	name  string
	runes map[rune]bool
	id    int
}

// Font adds a font to the document. The characters that are used go into the package as a subset; name is what readers
// that do not load embedded fonts look for among their own, so take a common one (楷体, 宋体, 黑体).
func (b *Builder) Font(f *Font, name string) FontRef {
	b.text(name)
	if f == nil || name == "" {
		b.mistake("ofd_font", "a font needs its data and a name")
		return FontRef{&fontUse{font: &Font{upem: 1000}, runes: map[rune]bool{}}}
	}
	use := &fontUse{font: f, name: name, runes: map[rune]bool{}}
	b.fonts = append(b.fonts, use)
	return FontRef{use}
}

// ImageRef is an image of the document.
type ImageRef struct{ index int }

const maxImage = 8 << 20

// Image adds a PNG image. The same bytes are stored once.
func (b *Builder) Image(data []byte) ImageRef {
	for i := range b.images {
		if bytes.Equal(b.images[i], data) {
			return ImageRef{i}
		}
	}
	if cfg, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || len(data) > maxImage || cfg.Width*cfg.Height > 64<<20 {
		b.mistake("ofd_image", "the image is not a PNG image of a sensible size")
	}
	b.images = append(b.images, bytes.Clone(data))
	return ImageRef{len(b.images) - 1}
}

// Template is the document's template page (模板页): the artwork, drawn under every page.
func (b *Builder) Template() *NewPage {
	if b.template == nil {
		b.template = &NewPage{b: b}
	}
	return b.template
}

// Page adds a page.
func (b *Builder) Page() *NewPage {
	p := &NewPage{b: b}
	b.pages = append(b.pages, p)
	return p
}

// Tag is a custom tag (自定义标引): a small file whose elements say which objects hold which field.
type Tag struct {
	b         *Builder
	typeID    string
	namespace string
	root      string
	rows      []tagRow
}

type tagRow struct {
	name    string
	objects []Object
}

// Tag adds a custom tag. typeID and namespace are both written, since the standard's table asks for the one and its
// schema for the other; root names the element around the fields.
func (b *Builder) Tag(typeID, namespace, root string) *Tag {
	b.text(typeID)
	b.text(namespace)
	if typeID == "" || namespace == "" || !elementName(root) {
		b.mistake("ofd_tag", "a tag needs a type, a namespace and an element name")
	}
	t := &Tag{b: b, typeID: typeID, namespace: namespace, root: root}
	b.tags = append(b.tags, t)
	return t
}

// Add says that the objects together show the field of that name.
func (t *Tag) Add(name string, objects ...Object) {
	if !elementName(name) || len(objects) == 0 {
		t.b.mistake("ofd_tag", "a field's name must be an element name and have an object")
		return
	}
	t.rows = append(t.rows, tagRow{name, objects})
}

type attached struct {
	name, format, file string
	data               []byte
}

// Attach adds a hidden attachment. file is its name in the package: letters, digits, dots, dashes.
func (b *Builder) Attach(name, format, file string, data []byte) {
	b.text(name)
	b.text(format)
	if name == "" || format == "" || !plainFile(file) {
		b.mistake("ofd_attachment", "an attachment needs a name, a format and a plain file name")
	}
	for _, a := range b.attached {
		if strings.EqualFold(a.file, file) || strings.EqualFold(file, "Attachments.xml") {
			b.mistake("ofd_attachment", "two attachments share a file name")
		}
	}
	b.attached = append(b.attached, attached{name, format, file, bytes.Clone(data)})
}

func plainFile(s string) bool {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 64 && !strings.HasPrefix(s, ".")
}
