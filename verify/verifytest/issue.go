package verifytest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
)

// Plan says what license to issue. The zero value of everything but Kind is an ordinary one of the first office.
type Plan struct {
	Kind    license.Kind
	Serial  int // makes one license unlike another
	License func(*license.License)
	Code    func(*license.Static)   // before it is signed
	Face    func(*license.Metadata) // what the file says of itself, before it is drawn and sealed
	Draw    func(*license.DrawInput)
	Issuer  *Office // whom the license names
	Sealer  *Office // whose seal is put on it
	Signed  time.Time
}

// License is an issued license with all that its keepers know.
type License struct {
	Record   license.License
	Static   license.Static
	URL      string
	File     []byte
	Opening  ledger.Opening
	Entry    []byte
	Promise  []byte
	SignedAt time.Time
}

// Record is a license of a kind with the catalogue's example in every field.
func Record(k license.Kind, office *Office, serial int) license.License {
	l := license.License{
		ID: license.ID(Bytes(18, "license", serial)), Kind: k.Code, KindName: k.Name, KindVersion: k.Version,
		Office: office.Code, OfficeName: office.Name, BusinessNo: fmt.Sprintf("示例(2026)第%07d号", serial),
		Identifier: license.Identifier{Kind: k.Code, Office: office.Code, Serial: fmt.Sprintf("4KQ7ZP2M6XW3BD5N%04d", serial), Version: 1}.String(),
		Version:    1, ValidFrom: "2026-03-02", StatusList: 1 << 16, StatusIndex: uint32(1000 + serial), State: license.Issued,
	}
	switch k.Code {
	case license.SampleBusiness, license.SampleFood:
		l.Holders = []license.Holder{{Type: license.TypeUSCC, Code: "91990000MA0000001B", Name: "示例市样本餐饮管理有限公司", Role: license.RoleHolder}}
	case license.SampleProperty:
		l.Holders = []license.Holder{
			{Type: license.TypeCitizen, Code: "990101199001010019", Name: "周试样", Role: license.RoleHolder, Part: "1/2"},
			{Type: license.TypeCitizen, Code: "990101199001010027", Name: "吴试样", Role: license.RoleHolder, Part: "1/2"},
		}
	default:
		l.Holders = []license.Holder{{Type: license.TypeCitizen, Code: "990101202605200061", Name: "冯试样", Role: license.RoleHolder}}
	}
	if k.Code == license.SampleFood {
		l.ValidTo = "2031-03-01"
	}
	for _, f := range k.Fields {
		l.Fields = append(l.Fields, license.Field{Code: f.Code, Name: f.Name, Value: f.Example})
	}
	return l
}

// Bytes are n bytes that follow from a name and a number.
func Bytes(n int, name string, serial int) []byte {
	out := make([]byte, n)
	if _, err := Stream(fmt.Appendf(nil, "%s %d", name, serial)).Read(out); err != nil {
		panic(err) // a Stream does not fail
	}
	return out
}

// Kind finds one of the sample kinds.
func Kind(t testing.TB, code string) license.Kind {
	t.Helper()
	for _, k := range license.SampleKinds() {
		if k.Code == code {
			return k
		}
	}
	t.Fatalf("no kind %s", code)
	return license.Kind{}
}

// Property is a property certificate, the license of most tests.
func (w *World) Property(t testing.TB, serial int) *License {
	t.Helper()
	return w.Issue(t, Plan{Kind: Kind(t, license.SampleProperty), Serial: serial})
}

// Issue draws, seals and logs a license.
func (w *World) Issue(t testing.TB, p Plan) *License {
	t.Helper()
	ctx := context.Background()
	if p.Issuer == nil {
		p.Issuer = w.First
	}
	if p.Sealer == nil {
		p.Sealer = p.Issuer
	}
	if p.Signed.IsZero() {
		p.Signed = Issued()
	}
	l := &License{Record: Record(p.Kind, p.Issuer, p.Serial), SignedAt: p.Signed}
	if p.License != nil {
		p.License(&l.Record)
	}
	const day = "2026-03-02"
	printed := license.FaceOf(l.Record, p.Kind, day)
	l.Static = license.Static{
		License: l.Record.ID, Kind: p.Kind.Number, IssueDate: day, ExpiryDate: l.Record.ValidTo,
		List: l.Record.StatusList, Index: l.Record.StatusIndex, Salt: [16]byte(Bytes(16, "salt", p.Serial)),
	}
	l.Static.Face = printed.Digest(l.Static.Salt)
	if p.Code != nil {
		p.Code(&l.Static)
	}
	if err := l.Static.Sign(ctx, w.Static.SM2(), w.Static.SignDigest); err != nil {
		t.Fatal(err)
	}
	url, err := l.Static.URL(BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	l.URL = url
	in := license.DrawInput{
		License: l.Record, Kind: p.Kind, Face: printed, Metadata: license.MetadataOf(l.Record, p.Kind, printed, url), Static: url, IssueDate: day,
		Seal:     license.SealInfo{SealDER: p.Sealer.SealDER, WidthMM: 42, HeightMM: 42, Provider: "yinxin", Version: "1", Company: "Yinxin"},
		SignedAt: p.Signed,
	}
	in.Metadata.Face = slices.Clone(in.Metadata.Face) // what is printed is another thing than what is said
	if p.Face != nil {
		p.Face(&in.Metadata)
	}
	if p.Draw != nil {
		p.Draw(&in)
	}
	unsigned, err := w.drawer.Draw(in)
	if err != nil {
		t.Fatal(err)
	}
	value := w.Seal(t, p.Sealer, [32]byte(unsigned.DataHash()), unsigned.PropertyInfo(), p.Signed)
	if l.File, err = unsigned.Finish(value); err != nil {
		t.Fatal(err)
	}
	l.Opening = ledger.Opening{
		Ref: ledger.Hash(Bytes(32, "ref", p.Serial)), Salt: ledger.Hash(Bytes(32, "commit", p.Serial)),
		DocumentDigest: ledger.Hash(unsigned.DataHash()), FaceDigest: l.Static.Face,
	}
	w.log(t, l)
	return l
}

// Seal puts an office's seal under a digest, through the service that the product seals with.
func (w *World) Seal(t testing.TB, o *Office, hash [32]byte, property string, at time.Time) []byte {
	t.Helper()
	ctx := context.Background()
	store := sealtest.NewMemory()
	row := seal.Row{
		ID: o.SealID, Cell: 1, Office: o.Code, Name: o.Name, State: seal.StateActive, Since: Founded(), KeyRef: o.SealID,
		DER: o.SealDER, SignerCert: o.Cert, MakerCert: w.MakerCert, CreatedAt: Founded(),
	}
	act := seal.Act{Actor: "test", Office: o.Code, Reason: "issue"}
	if err := store.InsertSeal(ctx, row, act); err != nil {
		t.Fatal(err)
	}
	keys := seal.KeySourceFunc(func(context.Context, string) (seal.DigestSigner, error) { return o.Key, nil })
	service := seal.NewService(store, keys, func() time.Time { return at }, Stream(hash[:]))
	draft, err := service.Prepare(ctx, seal.Request{Cell: 1, SealID: o.SealID, DataHash: hash, PropertyInfo: property, Act: act})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := service.Apply(ctx, draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	return sealed.Value
}

// log appends the license's entry.
func (w *World) log(t testing.TB, l *License) {
	t.Helper()
	ctx := context.Background()
	var err error
	if l.Entry, err = (ledger.Issue{
		Type: ledger.TypeIssue, Time: l.SignedAt, Issuer: l.Record.Office, Kind: l.Record.Kind, Ref: l.Opening.Ref, Commit: l.Opening.Commit(),
	}).Marshal(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Log.Append(ctx, [][]byte{l.Entry}); err != nil {
		t.Fatal(err)
	}
	promise, err := ledger.SignPromise(ctx, ledger.Promise{
		Origin: Origin, Leaf: ledger.LeafHash(l.Entry), Time: l.SignedAt, MaxMergeDelay: time.Minute,
	}, w.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	l.Promise = promise.Text
}

// Relog enters the license again as its Record and Opening now are: what a ledger would say that logged something else.
func (w *World) Relog(t testing.TB, l *License) {
	t.Helper()
	l.Opening.Ref[0] ^= 0x80
	w.log(t, l)
}

// Evidence is the license's place in the log, under the checkpoint of now, cosigned by the witness at a time; the zero
// time leaves the witness out.
func (w *World) Evidence(t testing.TB, l *License, witnessed time.Time) ledger.Evidence {
	t.Helper()
	ctx := context.Background()
	e, err := ledger.Prove(ctx, w.Log, ledger.LeafHash(l.Entry))
	if err != nil {
		t.Fatal(err)
	}
	e.Promise = l.Promise
	if witnessed.IsZero() {
		return e
	}
	cp, err := ledger.ParseCheckpoint(e.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	line, err := ledger.Cosign(ctx, cp.Checkpoint, Witness, w.Witness, witnessed)
	if err != nil {
		t.Fatal(err)
	}
	if cp, err = cp.WithCosignature(line); err != nil {
		t.Fatal(err)
	}
	e.Checkpoint = cp.Text
	return e
}

// StatusOf is the signed status evidence of a license, changed before it is signed.
func (w *World) StatusOf(t testing.TB, l *License, change ...func(*license.StatusEvidence)) license.StatusEvidence {
	t.Helper()
	e := license.StatusEvidence{
		List: l.Static.List, Index: l.Static.Index, Value: license.StatusInForce, IssuedAt: StatusAt(), NextUpdate: StatusAt().Add(license.StatusLife),
	}
	for _, c := range change {
		c(&e)
	}
	if err := e.Sign(context.Background(), w.Status.SM2(), w.Status.SignDigest); err != nil {
		t.Fatal(err)
	}
	return e
}

// ProofOf is the proof before it is written: opening, evidence, status.
func (w *World) ProofOf(t testing.TB, l *License, change ...func(*ledger.Proof)) *ledger.Proof {
	t.Helper()
	p := &ledger.Proof{Opening: l.Opening, Evidence: w.Evidence(t, l, Witnessed()), Status: MarshalStatus(t, w.StatusOf(t, l))}
	for _, c := range change {
		c(p)
	}
	return p
}

// Proof is the license's proof file, changed before it is written.
func (w *World) Proof(t testing.TB, l *License, change ...func(*ledger.Proof)) []byte {
	t.Helper()
	return must(t)(w.ProofOf(t, l, change...).Marshal())
}

// MarshalStatus is status evidence as a proof carries it.
func MarshalStatus(t testing.TB, e license.StatusEvidence) []byte {
	t.Helper()
	return must(t)(e.Marshal())
}

// KeyIDOf names a key as codes and evidence do.
func KeyIDOf(k *Key) [8]byte {
	d := gm.SM3(k.Point())
	return [8]byte(d[:8])
}
