package verify_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"io"
	"regexp"
	"slices"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/gm"
)

// entry is one file of a package that can be taken apart and packed again.
type entry struct {
	name     string
	data     []byte
	stored   bool
	local    string // the name in its local header, where it lies
	size     uint32 // the size in both headers, where it lies
	external uint32 // attributes of the directory
}

// unpack reads a package with a reader that nobody here wrote; nil when it cannot.
func unpack(data []byte) []entry {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil
	}
	var out []entry
	for _, f := range r.File {
		c, err := f.Open()
		if err != nil {
			return nil
		}
		content, err := io.ReadAll(c)
		if err != nil {
			return nil
		}
		out = append(out, entry{name: f.Name, data: content})
	}
	return out
}

// pack writes entries, and their lies, as some other tool might: no bytes of it need be those of our writer.
func pack(t testing.TB, entries []entry) []byte {
	t.Helper()
	var out, dir bytes.Buffer
	for _, e := range entries {
		body, method := e.data, uint16(0)
		if !e.stored {
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
		size := uint32(len(e.data))
		if e.size != 0 {
			size = e.size
		}
		var h []byte
		for _, v := range []uint16{20, 0x800, method, 0, 33} {
			h = binary.LittleEndian.AppendUint16(h, v)
		}
		for _, v := range []uint32{crc32.ChecksumIEEE(e.data), uint32(len(body)), size} {
			h = binary.LittleEndian.AppendUint32(h, v)
		}
		at := out.Len()
		local := e.local
		if local == "" {
			local = e.name
		}
		out.WriteString("PK\x03\x04")
		out.Write(h)
		out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(local))))
		out.WriteString(local)
		out.Write(body)

		dir.WriteString("PK\x01\x02")
		dir.Write([]byte{20, 3})
		dir.Write(h)
		dir.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(e.name))))
		dir.Write(make([]byte, 8))
		dir.Write(binary.LittleEndian.AppendUint32(nil, e.external))
		dir.Write(binary.LittleEndian.AppendUint32(nil, uint32(at)))
		dir.WriteString(e.name)
	}
	at := out.Len()
	out.Write(dir.Bytes())
	out.WriteString("PK\x05\x06\x00\x00\x00\x00")
	for range 2 {
		out.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(entries))))
	}
	out.Write(binary.LittleEndian.AppendUint32(nil, uint32(dir.Len())))
	out.Write(binary.LittleEndian.AppendUint32(nil, uint32(at)))
	out.Write([]byte{0, 0})
	return out.Bytes()
}

// The entries that tests look for.
const (
	ofdXML      = "OFD.xml"
	pageXML     = "Doc_0/Pages/Page_0/Content.xml"
	listXML     = "Doc_0/Signs/Signatures.xml"
	annotsXML   = "Doc_0/Annots/Annotations.xml"
	signXML     = "Doc_0/Signs/Sign_0/Signature.xml"
	signedValue = "Doc_0/Signs/Sign_0/SignedValue.dat"
	sealFile    = "Doc_0/Signs/Sign_0/Seal.esl"
)

func at(t testing.TB, entries []entry, name string) *entry {
	t.Helper()
	i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
	if i < 0 {
		t.Fatalf("the package has no %s", name)
	}
	return &entries[i]
}

var reference = regexp.MustCompile(`FileRef="/([^"]+)"><ofd:CheckValue>[^<]*<`)

// redigest writes into Signature.xml the digests that the entries have now, as a forger would.
func redigest(t testing.TB, entries []entry) {
	t.Helper()
	s := at(t, entries, signXML)
	s.data = reference.ReplaceAllFunc(s.data, func(m []byte) []byte {
		name := string(reference.FindSubmatch(m)[1])
		i := slices.IndexFunc(entries, func(e entry) bool { return e.name == name })
		if i < 0 {
			return m
		}
		d := gm.SM3(entries[i].data)
		return []byte(`FileRef="/` + name + `"><ofd:CheckValue>` + base64.StdEncoding.EncodeToString(d[:]) + "<")
	})
}
