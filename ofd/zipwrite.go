package ofd

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"math"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// file is one entry to be written.
type file struct {
	name string // relative, slashes forward
	data []byte
}

const (
	packVersion = 20
	packDate    = 1<<5 | 1 // 1980-01-01, the first day a container can name: contents, not clocks, decide the bytes
)

// pack writes the container: the entries in the given order, XML deflated and all else stored, one fixed time, UTF-8 names,
// no folders, no extra fields, no descriptors, no comments. The same entries give the same bytes.
func pack(files []file) ([]byte, error) {
	var out, dir, z bytes.Buffer
	// The quickest level, and XML alone: on outlines of glyphs, seals and images effort gains a tenth of the file and would
	// cost half of the CPU, once when a license is made and again whenever its container is compared with our own packing.
	w, err := flate.NewWriter(&z, flate.BestSpeed)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "ofd_pack", "the package cannot be written")
	}
	if len(files) >= math.MaxUint16 {
		return nil, fault.New(fault.TooLarge, "ofd_pack", "the package has too many files")
	}
	size := endSize
	for _, f := range files {
		size += len(f.data) + localSize + centralSize + 2*len(f.name)
	}
	out.Grow(size)
	for _, f := range files {
		method, body := uint16(methodStore), f.data
		if strings.HasSuffix(f.name, ".xml") {
			z.Reset()
			w.Reset(&z)
			if _, err = w.Write(f.data); err == nil {
				err = w.Close()
			}
			if err != nil {
				return nil, fault.Wrap(err, fault.Internal, "ofd_pack", "the package cannot be written")
			}
			method, body = methodDeflate, z.Bytes()
		}
		if len(f.data) > math.MaxInt32 || out.Len() > math.MaxInt32 {
			return nil, fault.New(fault.TooLarge, "ofd_pack", "the package is too large")
		}
		offset := out.Len()
		h := make([]byte, 0, centralSize)
		h = binary.LittleEndian.AppendUint16(h, packVersion)
		h = binary.LittleEndian.AppendUint16(h, flagUTF8)
		h = binary.LittleEndian.AppendUint16(h, method)
		h = binary.LittleEndian.AppendUint16(h, 0)
		h = binary.LittleEndian.AppendUint16(h, packDate)
		h = binary.LittleEndian.AppendUint32(h, crc32.ChecksumIEEE(f.data))
		h = binary.LittleEndian.AppendUint32(h, uint32(len(body)))
		h = binary.LittleEndian.AppendUint32(h, uint32(len(f.data)))
		h = binary.LittleEndian.AppendUint16(h, uint16(len(f.name)))
		h = binary.LittleEndian.AppendUint16(h, 0)
		out.Write(binary.LittleEndian.AppendUint32(nil, sigLocal))
		out.Write(h)
		out.WriteString(f.name)
		out.Write(body)

		d := binary.LittleEndian.AppendUint32(nil, sigCentral)
		d = binary.LittleEndian.AppendUint16(d, packVersion)
		d = append(d, h...)
		d = append(d, make([]byte, 10)...) // comment, disk, internal and external attributes: all zero
		d = binary.LittleEndian.AppendUint32(d, uint32(offset))
		dir.Write(d)
		dir.WriteString(f.name)
	}
	at := out.Len()
	out.Write(dir.Bytes())
	e := binary.LittleEndian.AppendUint32(nil, sigEnd)
	e = binary.LittleEndian.AppendUint32(e, 0)
	e = binary.LittleEndian.AppendUint16(e, uint16(len(files)))
	e = binary.LittleEndian.AppendUint16(e, uint16(len(files)))
	e = binary.LittleEndian.AppendUint32(e, uint32(dir.Len()))
	e = binary.LittleEndian.AppendUint32(e, uint32(at))
	e = binary.LittleEndian.AppendUint16(e, 0)
	out.Write(e)
	return out.Bytes(), nil
}

// ownPacking judges the container of a license that only its issuing seal has signed. Compression is free, since
// another tool may have packed the same entries again; structure is not. What is left to say is empty when all is well.
//
// A container that is ours but for a few bytes was altered where no digest looks: a packer that differs from ours
// differs in every entry.
func (c *container) ownPacking(data []byte) string {
	files := make([]file, 0, len(c.members))
	for _, m := range c.members {
		if !m.dir {
			files = append(files, file{m.name, m.data})
		}
	}
	if ours, err := pack(files); err == nil && len(ours) == len(data) {
		differ := 0
		for i := range ours {
			if ours[i] != data[i] {
				differ++
			}
		}
		switch {
		case differ == 0:
			return ""
		case differ < len(files):
			return "bytes of the container were altered"
		}
	}
	if c.comment {
		return "the container carries a comment"
	}
	parents := map[string]bool{}
	for _, f := range files {
		for i, r := range f.name {
			if r == '/' {
				parents[f.name[:i]] = true
			}
		}
	}
	for _, m := range c.members {
		switch {
		case m.extra:
			return "an entry carries an extra field"
		case m.comment:
			return "an entry carries a comment"
		case m.drift:
			return "two times or versions for one entry"
		case m.dir && !parents[m.name]:
			return "an empty folder"
		case !ascii(m.raw) && m.flags&flagUTF8 == 0:
			return "a name in an undeclared encoding"
		}
	}
	return ""
}

func ascii(b []byte) bool {
	for _, x := range b {
		if x >= 0x80 {
			return false
		}
	}
	return true
}
