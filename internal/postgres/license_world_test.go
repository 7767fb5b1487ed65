package postgres_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
	"github.com/yinxin-trust/yinxin/license"
)

// world is the license domain on real storage, with everything else replaced by the least that keeps its contract.
type world struct {
	*license.Service
	env    *testenv.Env
	cells  *postgres.Cells
	files  *memoryFiles
	sealer *fakeSealer
	keys   *fakeKeys
	clock  atomic.Int64 // nanoseconds since 1970
}

const (
	officeOne = "11990000000000001G" // in cell 1
	officeTwo = "12990000400000002X" // in cell 2
	company   = "91990000MA0000001B"
)

func newWorld(t testing.TB) *world {
	t.Helper()
	env := testenv.Postgres(t, 1, 2)
	return worldOn(t, env, env.Cells)
}

func worldOn(t testing.TB, env *testenv.Env, cells *postgres.Cells, adjust ...func(*license.Config)) *world {
	t.Helper()
	catalogue, err := license.NewCatalogue(license.SampleKinds())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{env: env, cells: cells, files: &memoryFiles{m: map[gm.Digest][]byte{}}, sealer: &fakeSealer{}, keys: newKeys(t)}
	w.clock.Store(time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC).UnixNano())
	config := license.Config{
		Catalogue: catalogue,
		Offices: fakeOffices{
			officeOne: {USCC: officeOne, Name: "示例市不动产登记中心", Cell: 1, Kinds: sampleKinds()},
			officeTwo: {USCC: officeTwo, Name: "样本市市场监督管理局", Cell: 2, Kinds: []string{license.SampleBusiness, license.SampleFood}},
		},
		Store: postgres.NewLicenseStore(cells), Vault: newVault(), Files: w.files, Sealer: w.sealer, Drawer: fakeDrawer{},
		Static: w.keys, Status: w.keys, Encoder: w, Now: w.now, Rand: rand.Reader, BaseURL: "https://yx.example",
	}
	for _, change := range adjust {
		change(&config)
	}
	if w.Service, err = license.NewService(config); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) now() time.Time       { return time.Unix(0, w.clock.Load()).UTC() }
func (w *world) pass(d time.Duration) { w.clock.Add(int64(d)) }
func act(actor, office string) license.Act {
	return license.Act{Actor: actor, Office: office, Matter: "990100001", CaseNo: "2026-1"}
}

func clerk() license.Verifier {
	return license.Verifier{Authenticated: true, Audience: officeTwo, Act: license.Act{Actor: "clerk-1"}}
}

// owners are the two co-owners of the sample property.
func owners() []license.Holder {
	return []license.Holder{
		{Type: license.TypeCitizen, Code: "990101199001010019", Name: "周试样", Part: "1/2"},
		{Type: license.TypeCitizen, Code: "990101199001010027", Name: "吴试样", Part: "1/2"},
	}
}

func propertyRequest(no string) license.IssueRequest {
	return license.IssueRequest{
		Kind: license.SampleProperty, Office: officeOne, BusinessNo: no, Holders: owners(), Act: act("officer-1", officeOne),
		Fields: map[string]string{
			"GYQK": "按份共有", "ZL": "示例市样本区模拟路6号3栋2单元601室", "BDCDYH": "990101001001GB00001F00030601",
			"QLLX": "国有建设用地使用权/房屋所有权", "QLXZ": "出让/市场化商品房", "YT": "住宅", "MJ": "房屋建筑面积118.50㎡",
		},
	}
}

// issued issues a property certificate to its seal.
func (w *world) issued(t testing.TB, no string) license.License {
	t.Helper()
	l, err := w.Issue(t.Context(), propertyRequest(no))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := w.SealPending(t.Context(), 1, 10); err != nil || n != 1 {
		t.Fatalf("sealed %d: %v", n, err)
	}
	if l, err = w.Get(t.Context(), l.ID); err != nil || l.State != license.Issued {
		t.Fatalf("state %q: %v", l.State, err)
	}
	return l
}

func (w *world) show(t testing.TB, id license.ID) license.Shown {
	t.Helper()
	s, err := w.Show(t.Context(), license.ShowRequest{License: id, Viewer: owners()[:1], Purpose: "办理入学", Act: license.Act{Actor: "citizen-1"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) revoke(ctx context.Context, id license.ID) error {
	_, err := w.Revoke(ctx, license.RevokeRequest{License: id, Reason: "issued_in_error", Act: act("officer-1", officeOne)})
	return err
}

func (w *world) EncodeIssue(f license.IssueFact) ([]byte, [32]byte, error) {
	e := append([]byte("issue "), f.Ref[:]...)
	return e, gm.SM3(e), nil
}

func (w *world) EncodeStatus(f license.StatusFact) ([]byte, [32]byte, error) {
	e := binary.BigEndian.AppendUint64(append([]byte("status "+string(f.Status)+" "), f.Ref[:]...), uint64(f.At.UnixNano()))
	return e, gm.SM3(e), nil
}

type fakeOffices map[string]license.Office

func (f fakeOffices) Office(uscc string) (license.Office, bool) { o, ok := f[uscc]; return o, ok }

// fakeSecret does what package hsm's soft secret does, with a key in the open.
type fakeSecret [16]byte

func (s fakeSecret) Seal(_ context.Context, plain, aad []byte) ([]byte, error) {
	return gm.SealBytes(rand.Reader, s[:], plain, aad)
}

func (s fakeSecret) Open(_ context.Context, sealed, aad []byte) ([]byte, error) {
	return gm.OpenBytes(s[:], sealed, aad)
}

func (s fakeSecret) MAC(_ context.Context, data []byte) ([32]byte, error) {
	return gm.MAC(s[:], data), nil
}

type fakeVault struct {
	cells [4]fakeSecret
	blind fakeSecret
}

func newVault() *fakeVault {
	v := &fakeVault{blind: fakeSecret{99}}
	for i := range v.cells {
		v.cells[i] = fakeSecret{byte(i + 1)}
	}
	return v
}
func (v *fakeVault) Cell(_ context.Context, c uint16) (license.Secret, error) { return v.cells[c], nil }
func (v *fakeVault) Blind(context.Context) (license.Secret, error)            { return v.blind, nil }

type memoryFiles struct {
	mu sync.Mutex
	m  map[gm.Digest][]byte
}

func (f *memoryFiles) Put(_ context.Context, b []byte) (gm.Digest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := gm.SM3(b)
	f.m[d] = bytes.Clone(b)
	return d, nil
}

func (f *memoryFiles) Get(_ context.Context, d gm.Digest) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.m[d]
	if !ok {
		return nil, fault.New(fault.NotFound, "file_unknown", "there is no such file")
	}
	return b, nil
}

func (f *memoryFiles) Delete(_ context.Context, d gm.Digest) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.m, d)
	return nil
}

// fakeSealer answers, or is away.
type fakeSealer struct {
	away  atomic.Bool
	seals atomic.Int64
}

func (s *fakeSealer) SealFor(context.Context, string) (license.SealInfo, error) {
	if s.away.Load() {
		return license.SealInfo{}, fault.New(fault.Unavailable, "device_away", "the device does not answer")
	}
	return license.SealInfo{SealDER: []byte{0x30, 0}}, nil
}

func (s *fakeSealer) Seal(_ context.Context, r license.SealRequest) ([]byte, error) {
	s.seals.Add(1)
	return append([]byte("sealed "), r.DataHash...), nil
}

// fakeDrawer writes the metadata and nothing else.
type fakeDrawer struct{}

type fakeUnsigned []byte

func (fakeDrawer) Fits(license.DrawInput) error { return nil }
func (fakeDrawer) Draw(in license.DrawInput) (license.Unsigned, error) {
	b, err := in.Metadata.Marshal()
	return fakeUnsigned(b), err
}
func (u fakeUnsigned) DataHash() []byte     { d := gm.SM3(u); return d[:] }
func (u fakeUnsigned) PropertyInfo() string { return "/Doc_0/Signs/Sign_0/Signature.xml" }
func (u fakeUnsigned) Finish(value []byte) ([]byte, error) {
	return append(bytes.Clone(u), value...), nil
}

// fakeKeys signs static codes and status statements with one key, and knows older ones.
type fakeKeys struct {
	key  *gm.PrivateKey
	past []*gm.PublicKey
}

func newKeys(t testing.TB) *fakeKeys {
	t.Helper()
	k, err := gm.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &fakeKeys{key: k}
}

func (k *fakeKeys) sign(e [32]byte) ([]byte, error) { return gm.SignDigest(rand.Reader, k.key, e) }

func (k *fakeKeys) StaticKey(context.Context, string) (*gm.PublicKey, error) {
	return &k.key.PublicKey, nil
}

func (k *fakeKeys) StaticKeys(context.Context) ([]*gm.PublicKey, error) {
	return append([]*gm.PublicKey{&k.key.PublicKey}, k.past...), nil
}

func (k *fakeKeys) SignStatic(_ context.Context, _ string, e [32]byte) ([]byte, error) {
	return k.sign(e)
}
func (k *fakeKeys) StatusKey(context.Context) (*gm.PublicKey, error) { return &k.key.PublicKey, nil }
func (k *fakeKeys) SignStatus(_ context.Context, e [32]byte) ([]byte, error) {
	return k.sign(e)
}

// parallel runs f n times at once and waits.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			f(i)
		}()
	}
	close(start)
	wg.Wait()
}

func number(i int) string { return fmt.Sprintf("鄂(2026)示例市不动产权第%07d号", i) }

// sampleKinds are the codes of all sample kinds.
func sampleKinds() []string {
	var out []string
	for _, k := range license.SampleKinds() {
		out = append(out, k.Code)
	}
	return out
}
