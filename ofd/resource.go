package ofd

import (
	"strconv"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// readRes reads a resource file (clause 7.9). Media, fonts and profiles stand relative to Res/@BaseLoc.
func (d *Document) readRes(loc, base string) {
	path, n := d.load(loc, base, KindResource, "Res")
	if n == nil {
		return
	}
	at := folder(path)
	if b := n.get("BaseLoc"); b != "" {
		if dir, ok := join(at, b); ok {
			at = dir
		}
	}
	for _, f := range n.child("Fonts").all("Font") {
		if file := f.child("FontFile"); file != nil {
			d.reach(file.trimmed(), at, KindFont)
		}
	}
	for _, group := range n.all("MultiMedias") {
		for _, m := range group.all("MultiMedia") {
			if file := m.child("MediaFile"); file != nil {
				d.reach(file.trimmed(), at, KindImage)
			}
		}
	}
	for _, c := range n.child("ColorSpaces").all("ColorSpace") {
		if profile := c.get("Profile"); profile != "" {
			d.reach(profile, at, KindResource)
		}
	}
}

// readPage reads the content of a page or template (clause 7.7): which templates and resources it draws on, and the
// text of its text objects.
func (d *Document) readPage(ref *node, base string, kind FileKind) Page {
	page := Page{ID: id(ref.get("ID")), Box: d.Box}
	path, n := d.load(ref.get("BaseLoc"), base, kind, "Page")
	page.Path = path
	if n == nil {
		return page
	}
	if b, ok := ParseBox(n.child("Area").value("PhysicalBox")); ok {
		page.Box = b
	}
	for _, t := range n.all("Template") {
		page.Templates = append(page.Templates, id(t.get("TemplateID")))
	}
	for _, r := range n.all("PageRes") {
		d.readRes(r.trimmed(), folder(path))
	}
	n.child("Content").walk(func(o *node) {
		if o.name != "TextObject" {
			return
		}
		if key := id(o.get("ID")); key != 0 {
			if _, twice := d.values[key]; !twice {
				d.values[key] = objectText(o, d.pkg.lim.TextLength)
			}
		}
	})
	return page
}

// objectText is the text of a text object: its TextCodes one after another (clause 11.3), escapes undone.
func objectText(o *node, limit int) string {
	var b strings.Builder
	for _, c := range o.all("TextCode") {
		if b.Len()+len(c.text) > limit {
			break
		}
		b.WriteString(unescape(c.text))
	}
	return b.String()
}

// unescape undoes the standard's `\` + four hexadecimal digits.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+5], 16, 16); err == nil {
				b.WriteRune(rune(v))
				i += 4
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Value is a field of the document as its custom tags index it, 自定义标引 (clause 16).
type Value struct {
	Type      string   // CustomTag/@TypeID
	NameSpace string   // CustomTag/@NameSpace
	Name      string   // local name of the element around the references
	Text      string   // what the referenced text objects show, in order
	Objects   []uint64 // the objects referred to
}

// Values are the fields of the document, in the order of its tag files. Values of one name may occur more than once.
func (d *Document) Values() []Value { return append([]Value(nil), d.fields...) }

// Value is the text of the first field of that name, and whether there is one.
func (d *Document) Value(name string) (string, bool) {
	for _, f := range d.fields {
		if f.Name == name {
			return f.Text, true
		}
	}
	return "", false
}

func (d *Document) readTags(loc, base string) {
	path, n := d.load(loc, base, KindTag, "CustomTags")
	for _, t := range n.all("CustomTag") {
		if s := t.child("SchemaLoc"); s != nil {
			d.reach(s.trimmed(), folder(path), KindTag)
		}
		f := t.child("FileLoc")
		if f == nil {
			continue
		}
		file := d.reach(f.trimmed(), folder(path), KindTag)
		if file == "" {
			continue
		}
		root, err := d.pkg.xml(file)
		if err != nil {
			c := verdict.Note("document.tags", verdict.DocXMLError, file, xmlReason(err))
			c.Result = verdict.Warn // nothing drawn depends on it, and real licenses carry such files
			d.find(c)
			continue
		}
		root.walk(func(e *node) {
			refs := e.all("ObjectRef")
			if len(refs) == 0 {
				return
			}
			v := Value{Type: t.get("TypeID"), NameSpace: t.get("NameSpace"), Name: e.name}
			var text strings.Builder
			for _, r := range refs {
				o := id(r.trimmed())
				v.Objects = append(v.Objects, o)
				n := len(d.values[o])
				if text.Len()+n <= d.pkg.lim.TextLength && d.texts+n <= d.pkg.lim.TextTotal {
					d.texts += n
					text.WriteString(d.values[o])
				}
			}
			v.Text = text.String()
			d.fields = append(d.fields, v)
		})
	}
}
