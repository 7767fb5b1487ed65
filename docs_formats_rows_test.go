package yinxin_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
)

// surroundings is everything around a license.Service, in memory; it keeps what the service stores.
type surroundings struct {
	license.Store
	keys   hsm.Provider
	blobs  map[gm.Digest][]byte
	accept license.AcceptRow
	issued license.IssuedRow
}

func (w *surroundings) Accept(_ context.Context, _ uint16, a license.AcceptRow) (license.AcceptResult, error) {
	w.accept = a
	return license.AcceptResult{List: 5 << 16, Index: 77}, nil
}

func (w *surroundings) Claim(context.Context, uint16, time.Time, time.Duration, int) ([]license.Claim, error) {
	r := w.accept.Row
	r.StatusList, r.StatusIndex = 5<<16, 77
	return []license.Claim{{Row: r, Attempts: 1}}, nil
}

func (w *surroundings) Issue(_ context.Context, i license.IssuedRow) (bool, error) {
	w.issued = i
	return true, nil
}

func (w *surroundings) Office(uscc string) (license.Office, bool) {
	return license.Office{USCC: uscc, Name: "示例市市场监督管理局", Cell: 5, Kinds: []string{license.SampleFood, license.SampleProperty, license.SampleBusiness, license.SampleBirth}}, true
}

func (w *surroundings) Cell(ctx context.Context, _ uint16) (license.Secret, error) {
	return w.keys.Secret(ctx, "data/cell05")
}

func (w *surroundings) Blind(ctx context.Context) (license.Secret, error) {
	return w.keys.Secret(ctx, "data/blind")
}

func (w *surroundings) Put(_ context.Context, data []byte) (gm.Digest, error) {
	d := gm.SM3(data)
	w.blobs[d] = bytes.Clone(data)
	return d, nil
}

func (w *surroundings) Get(_ context.Context, name gm.Digest) ([]byte, error) {
	return w.blobs[name], nil
}
func (w *surroundings) Delete(context.Context, gm.Digest) error { return nil }

func (w *surroundings) SealFor(context.Context, string) (license.SealInfo, error) {
	return license.SealInfo{}, nil
}

func (w *surroundings) Seal(context.Context, license.SealRequest) ([]byte, error) {
	return []byte("value"), nil
}
func (w *surroundings) Fits(license.DrawInput) error                         { return nil }
func (w *surroundings) Draw(license.DrawInput) (license.Unsigned, error)     { return w, nil }
func (w *surroundings) DataHash() []byte                                     { d := gm.SM3([]byte("Signature.xml")); return d[:] }
func (w *surroundings) PropertyInfo() string                                 { return "/Doc_0/Signs/Sign_0/Signature.xml" }
func (w *surroundings) Finish([]byte) ([]byte, error)                        { return []byte("a license file"), nil }
func (w *surroundings) SignStatus(context.Context, [32]byte) ([]byte, error) { return nil, io.EOF }
func (w *surroundings) StatusKey(context.Context) (*gm.PublicKey, error)     { return nil, io.EOF }
func (w *surroundings) EncodeStatus(license.StatusFact) (b []byte, l [32]byte, err error) {
	return b, l, io.EOF
}

func (w *surroundings) StaticKey(ctx context.Context, _ string) (*gm.PublicKey, error) {
	k, err := w.keys.Key(ctx, "code/static")
	if err != nil {
		return nil, err
	}
	return k.Public().(*gm.PublicKey), nil
}

func (w *surroundings) StaticKeys(ctx context.Context) ([]*gm.PublicKey, error) {
	k, err := w.StaticKey(ctx, "")
	return []*gm.PublicKey{k}, err
}

func (w *surroundings) SignStatic(ctx context.Context, _ string, e [32]byte) ([]byte, error) {
	k, err := w.keys.Key(ctx, "code/static")
	if err != nil {
		return nil, err
	}
	return k.SignDigest(ctx, e)
}

func (w *surroundings) EncodeIssue(f license.IssueFact) ([]byte, [32]byte, error) {
	b, err := ledger.Issue{Type: ledger.TypeIssue, Time: f.At, Issuer: f.Issuer, Kind: f.Kind, Ref: f.Ref, Commit: f.Commit}.Marshal()
	return b, ledger.LeafHash(b), err
}

// stream is randomness that everybody knows: SM3 of a counter.
type stream struct {
	n    uint64
	rest []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for i := range p {
		if len(s.rest) == 0 {
			s.n++
			d := gm.SM3(binary.BigEndian.AppendUint64(nil, s.n))
			s.rest = d[:]
		}
		p[i], s.rest = s.rest[0], s.rest[1:]
	}
	return len(p), nil
}

type rowVectors struct {
	Office     string   `json:"office"`
	Kind       string   `json:"kind"`
	BusinessNo string   `json:"business_no"`
	HolderType string   `json:"holder_type"`
	HolderCode string   `json:"holder_code"`
	ID         octets   `json:"id"`
	Identifier string   `json:"identifier"`
	Number     octets   `json:"number_index"`
	Content    octets   `json:"content"`
	Holder     octets   `json:"holder_index"`
	Sealed     octets   `json:"sealed"`        // column license.sealed
	SealedRow  octets   `json:"holder_sealed"` // column license_holder.sealed of row 0
	FileKey    octets   `json:"file_key"`
	File       octets   `json:"file"` // the stored bytes
	FileName   octets   `json:"file_name"`
	PhotoKey   octets   `json:"photo_key"`
	Photo      octets   `json:"photo"`
	Static     octets   `json:"static_sealed"`
	Ref        octets   `json:"ref"`
	Salt       octets   `json:"salt"`
	Document   octets   `json:"document_digest"`
	Face       octets   `json:"face_digest"`
	Entry      octets   `json:"entry"`
	Leaf       octets   `json:"leaf"`
	Fields     []string `json:"face_codes"`
}

// TestFormatsLicenseRow: what a license leaves in its row and in the blob folder, made by license.Service and opened by hand.
func TestFormatsLicenseRow(t *testing.T) {
	keys := keyFileVectors(t)
	w := &surroundings{keys: keys.provider(t), blobs: map[gm.Digest][]byte{}}
	kind := license.SampleKinds()[0]
	kind.Photo = license.PhotoOptional
	catalogue, err := license.NewCatalogue([]license.Kind{kind})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s, err := license.NewService(license.Config{
		Catalogue: catalogue, Offices: w, Store: w, Vault: w, Files: w, Sealer: w, Drawer: w, Static: w, Status: w, Encoder: w,
		Now: func() time.Time { return now }, Rand: &stream{}, BaseURL: "https://yx.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	req := license.IssueRequest{
		Kind: kind.Code, Office: "11990000000000001G", BusinessNo: "JY19905000001",
		Holders: []license.Holder{{Type: license.TypeUSCC, Code: "91990000MA0000001B", Name: "示例餐饮有限公司"}},
		Fields:  map[string]string{}, Photo: []byte("\x89PNG\r\n\x1a\n…"),
		Act: license.Act{Actor: "officer", Office: "11990000000000001G", Reason: "new_issue"},
	}
	for _, f := range kind.Fields {
		req.Fields[f.Code] = f.Example
	}
	if _, err := s.Issue(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SealPending(t.Context(), 5, 1); err != nil {
		t.Fatal(err)
	}
	r, i := w.accept.Row, w.issued.Row
	fresh := rowVectors{
		Office: req.Office, Kind: kind.Code, BusinessNo: req.BusinessNo, HolderType: "001", HolderCode: "91990000MA0000001B",
		ID: r.ID[:], Identifier: r.Identifier, Number: w.accept.Number, Content: w.accept.Content, Holder: r.Holders[0].Index,
		Sealed: r.Sealed, SealedRow: r.Holders[0].Sealed, FileKey: i.FileKey, FileName: i.FileBlob, File: w.blobs[gm.Digest(i.FileBlob)],
		PhotoKey: r.PhotoKey, Photo: w.blobs[gm.Digest(r.PhotoBlob)], Static: i.StaticSealed, Ref: i.Ref, Salt: i.Salt,
		Document: i.DocumentDigest, Face: i.FaceDigest, Entry: w.issued.Out.Entry, Leaf: w.issued.Out.Leaf,
	}
	for _, f := range license.FaceOf(license.License{Holders: req.Holders, Fields: []license.Field{{Code: "ZS", Value: "x"}}}, kind, "2026-11-22") {
		fresh.Fields = append(fresh.Fields, f.Code)
	}
	v := vector(t, "license.json", fresh, func(v *rowVectors) {
		v.Sealed, v.SealedRow, v.FileKey, v.PhotoKey, v.Static = nil, nil, nil, nil, nil
	})

	cell, blind := keys.material(t, "data/cell05"), keys.material(t, "data/blind")
	place := func(column string, more ...byte) []byte {
		return append(append([]byte(column+"\x00"), v.ID...), more...)
	}
	// The body is bound to the columns that decide what is drawn, each behind a zero byte, as they stand in the row.
	bound := place("license.sealed")[:len("license.sealed")+1+len(v.ID)]
	for _, column := range []string{
		r.Kind, strconv.Itoa(r.KindVersion), r.Office, strconv.Itoa(r.Version), v.Identifier, r.IssueDate, r.ValidFrom, r.ValidTo, r.Grade,
	} {
		bound = append(append(bound, 0), column...)
	}
	var body struct {
		BusinessNo string            `json:"business_no"`
		Fields     map[string]string `json:"fields"`
	}
	if err := json.Unmarshal(unseal(t, cell, v.Sealed, bound), &body); err != nil || body.BusinessNo != v.BusinessNo || len(body.Fields) != len(kind.Fields) {
		t.Errorf("license.sealed holds %+v: %v", body, err)
	}
	var holder license.Holder
	if err := json.Unmarshal(unseal(t, cell, v.SealedRow, place("license_holder.sealed", 0, 0)), &holder); err != nil || holder.Code != v.HolderCode {
		t.Errorf("license_holder.sealed holds %+v: %v", holder, err)
	}
	same(t, "holder index", []byte(v.Holder), mac(blind, "holder\x00"+v.HolderType+"\x00"+v.HolderCode))
	number := core(t, []any{"license number", v.Office, v.Kind, v.BusinessNo})
	same(t, "number index", []byte(v.Number), mac(blind, string(number)))
	serial := base32Text(mac(blind, "license serial\x00"+string(number)))[:20]
	id, err := license.ParseIdentifier(v.Identifier)
	if err != nil || id.Serial != serial {
		t.Errorf("the identifier %s has not the serial %s: %v", v.Identifier, serial, err)
	}
	for what, f := range map[string][3][]byte{
		"license.file":  {v.FileKey, v.File, []byte("a license file")},
		"license.photo": {v.PhotoKey, v.Photo, req.Photo},
	} {
		key := unseal(t, cell, f[0], append([]byte("key\x00"), place(what)...))
		plain, err := gm.OpenBytes(key, f[1], place(what))
		if err != nil || !bytes.Equal(plain, f[2]) {
			t.Errorf("%s holds %q: %v", what, plain, err)
		}
	}
	name := gm.SM3(v.File)
	same(t, "name of the file", []byte(v.FileName), name[:])
	static, err := license.ParseStatic(unseal(t, cell, v.Static, place("license.static")))
	if err != nil || !bytes.Equal(static.Face[:], v.Face) || static.Index != 77 {
		t.Errorf("license.static holds %+v: %v", static, err)
	}
	commit := gm.SM3(v.Salt, v.Document, v.Face)
	same(t, "entry", []byte(v.Entry), core(t, map[uint64]any{
		0: uint64(1), 1: uint64(1), 2: now.UnixMilli(), 3: v.Office, 4: v.Kind, 5: []byte(v.Ref), 6: commit[:],
	}))
	leaf := gm.SM3([]byte{0}, v.Entry)
	same(t, "leaf", []byte(v.Leaf), leaf[:])
}
