package ofd

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sort"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// The container is read by our own parser and not by archive/zip: a lenient reader picks one of several readings of
// a hostile container, and the next reader picks another. Here the bytes have exactly one reading or a finding says why not.

const (
	sigLocal      = 0x04034b50
	sigCentral    = 0x02014b50
	sigEnd        = 0x06054b50
	sigDescriptor = 0x08074b50
	sigEnd64Loc   = 0x07064b50

	localSize   = 30
	centralSize = 46
	endSize     = 22

	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	flagStrongEnc  = 1 << 6
	flagUTF8       = 1 << 11
	flagMasked     = 1 << 13

	methodStore   = 0
	methodDeflate = 8

	extraUnicodePath = 0x7075
)

// member is one entry of the container as its central header describes it.
type member struct {
	name   string // decoded, slashes forward
	raw    []byte // as stored
	dir    bool
	flags  uint16
	method uint16
	crc    uint32
	csize  uint32
	usize  uint32
	data   []byte // inflated

	madeBy, need, internal uint16
	modified, external     uint32
	offset                 uint32
	extra                  bool // an extra field in either header
	comment                bool
	drift                  bool // harmless fields of local and central header disagree
	end                    int  // first byte behind the entry
}

// container is a package's ZIP layer.
type container struct {
	size    int
	members []*member // in the order of the central directory
	comment bool
	checks  []verdict.Check
}

func (c *container) fail(code verdict.Code, where, detail string) {
	c.checks = append(c.checks, verdict.Note("package.container", code, where, detail))
}

func (c *container) warn(code verdict.Code, where, detail string) {
	n := verdict.Note("package.container", code, where, detail)
	n.Result = verdict.Warn
	c.checks = append(c.checks, n)
}

// readContainer parses the container. It returns false when nothing can be read at all.
func readContainer(data []byte, lim Limits) (*container, bool) {
	c := &container{size: len(data)}
	if len(data) > lim.Package {
		c.fail(verdict.PkgBomb, "", "the file is larger than the limit")
		return c, false
	}
	end, ok := c.findEnd(data)
	if !ok {
		return c, false
	}
	if !c.readCentral(data, end, lim) {
		return c, false
	}
	if !c.readLocals(data, int(le32(data[end+16:]))) {
		return c, false
	}
	return c, c.inflate(lim)
}

// findEnd finds the end record, which must close the file, and refuses a second reading of where it is.
func (c *container) findEnd(data []byte) (int, bool) {
	found := -1
	for i := len(data) - endSize; i >= 0 && i >= len(data)-endSize-0xffff; i-- {
		if le32(data[i:]) != sigEnd {
			continue
		}
		if i+endSize+int(le16(data[i+20:])) == len(data) {
			if found < 0 {
				found = i
				continue
			}
			c.fail(verdict.PkgHeaderMismatch, "", "there are two ends of the directory")
			return 0, false
		}
		if found < 0 {
			c.fail(verdict.PkgTrailingData, "", "bytes follow the end of the directory")
			return 0, false
		}
	}
	if found < 0 {
		c.fail(verdict.PkgNotZip, "", "there is no end of a directory")
		return 0, false
	}
	if le16(data[found+20:]) != 0 {
		c.comment = true
		c.warn(verdict.PkgTrailingData, "", "the container carries a comment")
	}
	if le16(data[found+4:]) != 0 || le16(data[found+6:]) != 0 || le16(data[found+8:]) != le16(data[found+10:]) {
		c.fail(verdict.PkgHeaderMismatch, "", "the container claims to span several disks")
		return 0, false
	}
	if found >= 20 && le32(data[found-20:]) == sigEnd64Loc {
		c.fail(verdict.PkgHeaderMismatch, "", "a 64-bit directory stands beside the ordinary one")
		return 0, false
	}
	return found, true
}

// readCentral reads the directory, which must end where the end record begins.
func (c *container) readCentral(data []byte, end int, lim Limits) bool {
	count, size, at := int(le16(data[end+10:])), int64(le32(data[end+12:])), int64(le32(data[end+16:]))
	if count == 0xffff || size == 0xffffffff || at == 0xffffffff {
		c.fail(verdict.PkgHeaderMismatch, "", "64-bit sizes in a file that needs none")
		return false
	}
	if at+size > int64(end) {
		c.fail(verdict.PkgHeaderMismatch, "", "the directory does not lie where the end record says")
		return false
	}
	if at+size < int64(end) {
		// Either bytes stand before the container, so that offsets shift, or between directory and end.
		c.fail(verdict.PkgTrailingData, "", "bytes that belong to no entry")
		return false
	}
	if count > lim.Entries {
		c.fail(verdict.PkgBomb, "", "too many entries")
		return false
	}
	p := int(at)
	for range count {
		if end-p < centralSize || le32(data[p:]) != sigCentral {
			c.fail(verdict.PkgHeaderMismatch, "", "the directory is damaged")
			return false
		}
		h := data[p : p+centralSize]
		n, x, k := int(le16(h[28:])), int(le16(h[30:])), int(le16(h[32:]))
		if end-p-centralSize < n+x+k {
			c.fail(verdict.PkgHeaderMismatch, "", "the directory is damaged")
			return false
		}
		m := &member{
			raw: data[p+centralSize : p+centralSize+n], madeBy: le16(h[4:]), need: le16(h[6:]), flags: le16(h[8:]),
			method: le16(h[10:]), modified: le32(h[12:]), crc: le32(h[16:]), csize: le32(h[20:]), usize: le32(h[24:]),
			internal: le16(h[36:]), external: le32(h[38:]), offset: le32(h[42:]), extra: x > 0, comment: k > 0,
		}
		extra := data[p+centralSize+n : p+centralSize+n+x]
		p += centralSize + n + x + k
		if le16(h[34:]) != 0 || m.csize == 0xffffffff || m.usize == 0xffffffff || m.offset == 0xffffffff {
			c.fail(verdict.PkgHeaderMismatch, "", "64-bit sizes in a file that needs none")
			return false
		}
		if !c.name(m, lim) {
			continue
		}
		c.extraFields(m, extra)
		c.members = append(c.members, m)
	}
	if p != end {
		c.fail(verdict.PkgHeaderMismatch, "", "the directory holds more than it counts")
		return false
	}
	return c.duplicates()
}

// extraFields refuses the one extra field that gives an entry a second name.
func (c *container) extraFields(m *member, extra []byte) {
	for len(extra) >= 4 {
		id, n := le16(extra), int(le16(extra[2:]))
		if n > len(extra)-4 {
			break
		}
		if body := extra[4 : 4+n]; id == extraUnicodePath && n >= 5 {
			if second := string(body[5:]); second != m.name && second != m.name+"/" {
				c.fail(verdict.PkgHeaderMismatch, "/"+m.name, "the entry has a second name")
			}
		}
		extra = extra[4+n:]
	}
	if len(extra) > 0 {
		c.warn(verdict.PkgHeaderMismatch, "/"+m.name, "a malformed extra field")
	}
}

// readLocals compares every local header with its central one and demands that entries tile the bytes before the
// directory: what belongs to no entry is a hiding place, what belongs to two is a bomb or a disguise.
func (c *container) readLocals(data []byte, limit int) bool {
	order := append([]*member(nil), c.members...)
	sort.SliceStable(order, func(i, j int) bool { return order[i].offset < order[j].offset })
	at := 0
	for _, m := range order {
		where := "/" + m.name
		off := int(m.offset)
		switch {
		case off < at:
			c.fail(verdict.PkgHeaderMismatch, where, "entries overlap")
			return false
		case off > at:
			c.fail(verdict.PkgTrailingData, where, "bytes that belong to no entry")
		}
		if limit-off < localSize || le32(data[off:]) != sigLocal {
			c.fail(verdict.PkgHeaderMismatch, where, "there is no entry where the directory says")
			return false
		}
		h := data[off : off+localSize]
		n, x := int(le16(h[26:])), int(le16(h[28:]))
		start := off + localSize + n + x
		if start > limit || limit-start < int(m.csize) {
			c.fail(verdict.PkgHeaderMismatch, where, "the entry is longer than the container")
			return false
		}
		c.compare(m, h, data[off+localSize:off+localSize+n])
		m.extra = m.extra || x > 0
		c.extraFields(m, data[off+localSize+n:start])
		m.data = data[start : start+int(m.csize)] // deflated, until inflate
		m.end = start + int(m.csize)
		if m.flags&flagDescriptor != 0 && !c.descriptor(m, data[m.end:limit]) {
			c.fail(verdict.PkgHeaderMismatch, where, "the data descriptor and the directory disagree")
			return false
		}
		at = m.end
	}
	if at != limit {
		c.fail(verdict.PkgTrailingData, "", "bytes that belong to no entry")
	}
	return true
}

// compare holds the local header h and its name against the central one.
func (c *container) compare(m *member, h, name []byte) {
	where := "/" + m.name
	if !bytes.Equal(name, m.raw) {
		c.fail(verdict.PkgHeaderMismatch, where, "two names")
	}
	if le16(h[8:]) != m.method {
		c.fail(verdict.PkgHeaderMismatch, where, "two compression methods")
	}
	const telling = flagEncrypted | flagDescriptor | flagStrongEnc | flagUTF8 | flagMasked
	if (le16(h[6:])^m.flags)&telling != 0 {
		c.fail(verdict.PkgHeaderMismatch, where, "two sets of flags")
	}
	zero := m.flags&flagDescriptor != 0 // then the local header may leave the three values to the descriptor
	for _, f := range [...]struct {
		at   int
		want uint32
		what string
	}{{14, m.crc, "two check sums"}, {18, m.csize, "two compressed sizes"}, {22, m.usize, "two sizes"}} {
		if v := le32(h[f.at:]); v != f.want && (!zero || v != 0) {
			c.fail(verdict.PkgHeaderMismatch, where, f.what)
		}
	}
	if le16(h[4:]) != m.need || le32(h[10:]) != m.modified || le16(h[6:]) != m.flags {
		m.drift = true
		c.warn(verdict.PkgHeaderMismatch, where, "two times, versions or compression hints")
	}
}

// descriptor reads the record behind an entry whose sizes were not known when its local header was written.
func (c *container) descriptor(m *member, rest []byte) bool {
	match := func(d []byte) bool {
		return len(d) >= 12 && le32(d) == m.crc && le32(d[4:]) == m.csize && le32(d[8:]) == m.usize
	}
	if len(rest) >= 4 && le32(rest) == sigDescriptor && match(rest[4:]) {
		m.end += 16
		return true
	}
	if match(rest) {
		m.end += 12
		return true
	}
	return false
}

// inflate opens every entry within the limits and checks its length and CRC.
func (c *container) inflate(lim Limits) bool {
	total := 0
	var inflater io.ReadCloser
	for _, m := range c.members {
		where := "/" + m.name
		if m.flags&(flagEncrypted|flagStrongEnc|flagMasked) != 0 {
			c.fail(verdict.PkgDamaged, where, "the entry is encrypted")
			m.data = nil
			continue
		}
		size := int64(m.usize)
		total64 := int64(total) + size
		if size > int64(lim.Entry) || total64 > int64(lim.Total) ||
			(size > int64(lim.RatioFloor) && size > int64(m.csize)*int64(lim.Ratio)) {
			c.fail(verdict.PkgBomb, where, "the entry inflates beyond the limit")
			return false
		}
		total = int(total64)
		switch m.method {
		case methodStore:
			if m.csize != m.usize {
				c.fail(verdict.PkgHeaderMismatch, where, "a stored entry of two sizes")
				return false
			}
			m.data = append([]byte(nil), m.data...) // never alias the caller's bytes
		case methodDeflate:
			src := bytes.NewReader(m.data)
			if inflater == nil {
				inflater = flate.NewReader(src)
			} else if err := inflater.(flate.Resetter).Reset(src, nil); err != nil {
				c.fail(verdict.PkgDamaged, where, "the entry cannot be inflated")
				return false
			}
			out := make([]byte, size)
			if _, err := io.ReadFull(inflater, out); err != nil {
				c.fail(verdict.PkgDamaged, where, "the entry cannot be inflated")
				m.data = nil
				continue
			}
			var more [1]byte
			if n, err := inflater.Read(more[:]); n != 0 || err != io.EOF {
				c.fail(verdict.PkgHeaderMismatch, where, "the entry is longer than it says")
				m.data = nil
				continue
			}
			if src.Len() != 0 {
				c.fail(verdict.PkgTrailingData, where, "bytes follow the compressed data")
			}
			m.data = out
		default:
			c.fail(verdict.PkgDamaged, where, "the compression method is not one of OFD's")
			m.data = nil
			continue
		}
		if crc32.ChecksumIEEE(m.data) != m.crc {
			c.fail(verdict.PkgDamaged, where, "the check sum is wrong")
		}
		if m.dir && len(m.data) != 0 {
			c.fail(verdict.PkgHeaderMismatch, where, "a folder with content")
		}
		const unixMade, linkType = 3, 0o120000
		if m.madeBy>>8 == unixMade && m.external>>16&0o170000 == linkType {
			c.fail(verdict.PkgUnsafePath, where, "a symbolic link")
		}
	}
	return true
}

func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

func folders(name string) int { return strings.Count(name, "/") }
