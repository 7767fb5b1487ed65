package ofd

// FileKind says what part a file plays in a document.
type FileKind string

// The kinds of files that a document is made of.
const (
	KindEntry      FileKind = "entry" // OFD.xml
	KindDocument   FileKind = "document"
	KindResource   FileKind = "resource"
	KindFont       FileKind = "font"
	KindImage      FileKind = "image"
	KindTemplate   FileKind = "template"
	KindPage       FileKind = "page"
	KindAnnotation FileKind = "annotation" // the index and the files it names
	KindTag        FileKind = "tag"
	KindAttachment FileKind = "attachment"
	KindExtension  FileKind = "extension"
	KindOther      FileKind = "other" // covers
)

// Secondary says that the file does not decide what the page shows.
func (k FileKind) Secondary() bool {
	switch k {
	case KindTag, KindAttachment, KindExtension, KindOther:
		return true
	case KindEntry, KindDocument, KindResource, KindFont, KindImage, KindTemplate, KindPage, KindAnnotation:
	}
	return false
}

// VisibleFile is a file of the package that the document is made of.
type VisibleFile struct {
	Path string // absolute
	Kind FileKind
}

// Visible are the files that determine what a reader of the document sees (OFD.xml, the root in use, resources, fonts,
// images, templates, pages, annotations) and, marked by their kind as secondary, those that accompany it.
func (d *Document) Visible() []VisibleFile { return append([]VisibleFile(nil), d.files...) }
