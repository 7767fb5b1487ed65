package ofd_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"testing"
)

// raw is a container entry that can lie: what the local header says and what the directory says are set apart.
type raw struct {
	name       string
	data       []byte
	store      bool
	local      string // name in the local header, "" for name
	crc        uint32 // added to the CRC in both headers
	localCRC   uint32 // added to the CRC in the local header
	localSize  uint32 // added to the size in the local header
	flags      uint16
	method     uint16 // 0 for what store says
	usize      uint32 // size in both headers, 0 for the true one
	extra      []byte
	comment    string
	descriptor bool
	after      []byte // bytes behind the entry
	madeBy     uint16
	external   uint32
	localTime  uint16
}

// container writes the entries, and all their lies, in a packer's way that is not ours.
func container(t testing.TB, entries []raw) []byte {
	t.Helper()
	var out, dir bytes.Buffer
	for _, e := range entries {
		body, method := e.data, uint16(0)
		if !e.store {
			var z bytes.Buffer
			w, err := flate.NewWriter(&z, flate.BestSpeed)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(e.data); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			body, method = z.Bytes(), 8
		}
		if e.method != 0 {
			method = e.method
		}
		crc, usize, flags := crc32.ChecksumIEEE(e.data)+e.crc, uint32(len(e.data)), e.flags
		if e.usize != 0 {
			usize = e.usize
		}
		if e.descriptor {
			flags |= 8
		}
		local := e.local
		if local == "" {
			local = e.name
		}
		offset := out.Len()
		w16 := func(b *bytes.Buffer, v ...uint16) {
			for _, x := range v {
				b.Write(binary.LittleEndian.AppendUint16(nil, x))
			}
		}
		w32 := func(b *bytes.Buffer, v ...uint32) {
			for _, x := range v {
				b.Write(binary.LittleEndian.AppendUint32(nil, x))
			}
		}
		w32(&out, 0x04034b50)
		w16(&out, 20, flags, method, e.localTime, 33)
		if e.descriptor {
			w32(&out, 0, 0, 0)
		} else {
			w32(&out, crc+e.localCRC, uint32(len(body)), usize+e.localSize)
		}
		w16(&out, uint16(len(local)), uint16(len(e.extra)))
		out.WriteString(local)
		out.Write(e.extra)
		out.Write(body)
		if e.descriptor {
			w32(&out, 0x08074b50, crc, uint32(len(body)), usize)
		}
		out.Write(e.after)

		w32(&dir, 0x02014b50)
		w16(&dir, e.madeBy, 20, flags, method, 0, 33)
		w32(&dir, crc, uint32(len(body)), usize)
		w16(&dir, uint16(len(e.name)), uint16(len(e.extra)), uint16(len(e.comment)), 0, 0)
		w32(&dir, e.external, uint32(offset))
		dir.WriteString(e.name)
		dir.Write(e.extra)
		dir.WriteString(e.comment)
	}
	at := out.Len()
	out.Write(dir.Bytes())
	end := binary.LittleEndian.AppendUint32(nil, 0x06054b50)
	end = append(end, 0, 0, 0, 0)
	end = binary.LittleEndian.AppendUint16(end, uint16(len(entries)))
	end = binary.LittleEndian.AppendUint16(end, uint16(len(entries)))
	end = binary.LittleEndian.AppendUint32(end, uint32(dir.Len()))
	end = binary.LittleEndian.AppendUint32(end, uint32(at))
	out.Write(append(end, 0, 0))
	return out.Bytes()
}

// unpack reads a package with a reader that nobody here wrote.
func unpack(t testing.TB, data []byte) []raw {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var out []raw
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, raw{name: f.Name, data: content, flags: 0x800})
	}
	return out
}

// find is the place of an entry.
func find(t testing.TB, entries []raw, name string) *raw {
	t.Helper()
	for i := range entries {
		if entries[i].name == name {
			return &entries[i]
		}
	}
	t.Fatalf("no entry %s", name)
	return nil
}
