package ofd

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Why a file is not XML that we read.
var (
	errXMLLarge    = errors.New("the file is too large")
	errXMLDeep     = errors.New("elements are nested too deep")
	errXMLNodes    = errors.New("too many elements")
	errXMLAttrs    = errors.New("too many attributes, or one twice")
	errXMLDTD      = errors.New("a document type declaration, entity or instruction")
	errXMLRoot     = errors.New("not exactly one root element")
	errXMLEncoding = errors.New("the encoding is neither UTF-8 nor GB 18030")
	errXMLOther    = errors.New("the root element is not the one expected")
)

// node is an element. Names are local: real files use both namespaces of OFD, and none.
type node struct {
	name string
	attr []xml.Attr
	kids []*node
	text string // all character data directly inside

	split bool // a comment stands inside: readers differ on whether text goes on behind it
}

// parseXML reads one file within the limits. DTDs, entities beyond the five and processing instructions are refused:
// they are how a parser is made to read other files or to grow without end. budget counts elements over all files.
func parseXML(data []byte, lim Limits, budget *int) (*node, error) {
	if len(data) > lim.XMLFile {
		return nil, errXMLLarge
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d := xml.NewDecoder(bytes.NewReader(withoutOutlines(data)))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "gb18030", "gbk", "gb2312":
			return simplifiedchinese.GB18030.NewDecoder().Reader(in), nil
		}
		return nil, errXMLEncoding
	}
	var root *node
	var stack []*node
	var texts []*strings.Builder
	count := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := tok.(type) {
		case xml.ProcInst:
			if t.Target != "xml" || root != nil {
				return nil, errXMLDTD
			}
		case xml.Directive:
			return nil, errXMLDTD
		case xml.Comment:
			if len(stack) > 0 {
				stack[len(stack)-1].split = true
			}
		case xml.StartElement:
			count++
			*budget--
			switch {
			case len(stack) >= lim.XMLDepth:
				return nil, errXMLDeep
			case count > lim.XMLNodes || *budget < 0:
				return nil, errXMLNodes
			case len(t.Attr) > lim.XMLAttrs || twice(t.Attr):
				return nil, errXMLAttrs
			case len(stack) == 0 && root != nil:
				return nil, errXMLRoot
			}
			n := &node{name: t.Name.Local, attr: t.Attr}
			if len(stack) == 0 {
				root = n
			} else {
				up := stack[len(stack)-1]
				up.kids = append(up.kids, n)
			}
			stack = append(stack, n)
			texts = append(texts, nil)
		case xml.EndElement:
			last := len(stack) - 1
			if texts[last] != nil {
				stack[last].text = texts[last].String()
			}
			stack, texts = stack[:last], texts[:last]
		case xml.CharData:
			if len(stack) == 0 {
				if len(bytes.TrimSpace(t)) != 0 {
					return nil, errXMLRoot
				}
				continue
			}
			last := len(texts) - 1
			if texts[last] == nil {
				if len(stack[last].kids) > 0 && len(bytes.TrimSpace(t)) == 0 {
					continue
				}
				texts[last] = &strings.Builder{}
			}
			texts[last].Write(t)
		}
	}
	if root == nil || len(stack) != 0 {
		return nil, errXMLRoot
	}
	return root, nil
}

// outlineTag opens the data of a path as writers of the field write it.
const outlineTag = "<ofd:AbbreviatedData>"

// withoutOutlines leaves out what paths are drawn with: nine tenths of a page of artwork, of which nothing here is read,
// and the decoder goes through it byte by byte. Only letters, digits, dots, minus and spaces behind the tag are left out, so
// all that could be markup stays. Where a comment or a CDATA section might make the tag a text, the file stays as it is.
func withoutOutlines(data []byte) []byte {
	if bytes.Contains(data, []byte("<!")) {
		return data
	}
	var out []byte
	for {
		i := bytes.Index(data, []byte(outlineTag))
		if i < 0 {
			break
		}
		i += len(outlineTag)
		out = append(out, data[:i]...)
		data = data[i:]
		n := 0
		for n < len(data) && plainOutline(data[n]) {
			n++
		}
		data = data[n:]
	}
	if out == nil {
		return data
	}
	return append(out, data...)
}

func plainOutline(b byte) bool {
	return b >= '0' && b <= '9' || b == ' ' || b == '.' || b == '-' || b >= 'A' && b <= 'Z'
}

// twice says whether an attribute is given twice. Go's decoder lets that pass, and readers differ on which one counts.
func twice(attrs []xml.Attr) bool {
	for i := range attrs {
		for j := range i {
			if attrs[i].Name == attrs[j].Name {
				return true
			}
		}
	}
	return false
}

// child is the first child of that name, or nil. It may be called on nil.
func (n *node) child(name string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// all are the children of that name.
func (n *node) all(name string) []*node {
	if n == nil {
		return nil
	}
	var out []*node
	for _, k := range n.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

// value is the trimmed text of the first child of that name.
func (n *node) value(name string) string { return n.child(name).trimmed() }

func (n *node) trimmed() string {
	if n == nil {
		return ""
	}
	return strings.TrimSpace(n.text)
}

// get is an attribute without a namespace, or "".
func (n *node) get(name string) string {
	v, _ := n.lookup(name)
	return v
}

func (n *node) lookup(name string) (string, bool) {
	if n == nil {
		return "", false
	}
	for _, a := range n.attr {
		if a.Name.Local == name && a.Name.Space != "xmlns" {
			return a.Value, true
		}
	}
	return "", false
}

// walk visits n and everything below it, parents first. Depth is bounded by the parser.
func (n *node) walk(visit func(*node)) {
	if n == nil {
		return
	}
	visit(n)
	for _, k := range n.kids {
		k.walk(visit)
	}
}
