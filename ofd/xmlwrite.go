package ofd

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const namespace = "http://www.ofdspec.org/2016"

// writer writes XML with the prefix ofd, without white space between elements. What it writes is its own canonical form:
// the same calls give the same bytes.
type writer struct {
	buf  bytes.Buffer
	open []string
}

func newWriter(root string, attrs ...string) *writer {
	w := &writer{}
	w.buf.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	w.start(root, append([]string{"xmlns:ofd", namespace}, attrs...)...)
	return w
}

// start opens an element; attrs are names and values by turns, and an empty value leaves the attribute out.
func (w *writer) start(name string, attrs ...string) {
	w.tag(name, attrs)
	w.buf.WriteByte('>')
	w.open = append(w.open, name)
}

// empty writes an element without content.
func (w *writer) empty(name string, attrs ...string) {
	w.tag(name, attrs)
	w.buf.WriteString("/>")
}

// leaf writes an element with text.
func (w *writer) leaf(name, text string, attrs ...string) {
	w.start(name, attrs...)
	escape(&w.buf, text)
	w.end()
}

// maybe writes a leaf unless its text is empty.
func (w *writer) maybe(name, text string) {
	if text != "" {
		w.leaf(name, text)
	}
}

func (w *writer) tag(name string, attrs []string) {
	w.buf.WriteByte('<')
	w.qualified(name)
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] == "" {
			continue
		}
		w.buf.WriteByte(' ')
		w.buf.WriteString(attrs[i])
		w.buf.WriteString(`="`)
		escape(&w.buf, attrs[i+1])
		w.buf.WriteByte('"')
	}
}

// qualified writes an element's name; one that has a prefix keeps it.
func (w *writer) qualified(name string) {
	if !strings.Contains(name, ":") {
		w.buf.WriteString("ofd:")
	}
	w.buf.WriteString(name)
}

func (w *writer) end() {
	last := len(w.open) - 1
	w.buf.WriteString("</")
	w.qualified(w.open[last])
	w.buf.WriteByte('>')
	w.open = w.open[:last]
}

// bytes closes what is open and gives the file.
func (w *writer) bytes() []byte {
	for len(w.open) > 0 {
		w.end()
	}
	return w.buf.Bytes()
}

func escape(b *bytes.Buffer, s string) {
	if !strings.ContainsAny(s, "<>&\"\t\n\r") {
		b.WriteString(s) // nearly always, and then at once: outlines are long
		return
	}
	for _, r := range s {
		switch r {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '"':
			b.WriteString("&quot;")
		case '\t', '\n', '\r':
			b.WriteByte(' ') // attributes would lose them and readers differ on text
		default:
			b.WriteRune(r)
		}
	}
}

// writable says whether every character may stand in XML 1.0.
func writable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case r == '\t', r == '\n', r == '\r':
		case r < 0x20, r >= 0x7f && r < 0xa0, r >= 0xd800 && r < 0xe000, r == 0xfffe, r == 0xffff:
			return false
		}
	}
	return true
}

// elementName says whether s can name an element without a prefix: letters (Chinese included), digits, _ - and dots.
func elementName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x3400 && r <= 0x9fff
		if !letter && (i == 0 || !(r == '-' || r == '.' || r >= '0' && r <= '9')) {
			return false
		}
	}
	return s != "" && len(s) <= 128
}
