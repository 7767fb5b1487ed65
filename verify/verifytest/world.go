// Package verifytest makes a small province for the tests of whoever judges or shows licenses: its certificates, seals,
// ledger, witness, status and trust list, and licenses drawn, sealed and logged by the real parts. Everything in it is made
// up, and the same bytes in every run.
package verifytest

import (
	"context"
	"encoding/hex"
	"encoding/pem"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/license/face"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// The moments of a world, in their order.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err) // a constant of this file
	}
	return t
}

// Founded is when certificates and seals were made.
func Founded() time.Time { return moment("2026-03-01T00:00:00Z") }

// Issued is when licenses were sealed and logged.
func Issued() time.Time { return moment("2026-03-02T01:00:00Z") }

// Witnessed is when the witness cosigned.
func Witnessed() time.Time { return moment("2026-03-02T01:00:05Z") }

// StatusAt is when the status evidence of proofs was made.
func StatusAt() time.Time { return moment("2026-03-12T08:00:00Z") }

// Now is when verdicts are asked for.
func Now() time.Time { return moment("2026-03-12T09:00:00Z") }

// Day is a day.
const Day = 24 * time.Hour

// Names of the world.
const (
	Origin  = ledgertest.Origin
	Witness = "yinxin.example/witness/one"
	BaseURL = "https://yx.example"
)

// World is a province.
type World struct {
	CA        *pki.Authority
	RootCert  []byte
	IssueCert []byte
	Maker     *Key
	MakerCert []byte
	First     *Office // the office that issues
	Second    *Office // another one
	Static    *Key    // signs static codes
	Status    *Key    // signs status evidence
	ListKey   *Key    // signs the trust list
	LogKey    *Key
	Witness   *Key
	Log       *ledgertest.Memory

	drawer *face.Drawer
	rootOf *pki.Authority
}

// Office is an issuing office with its seal.
type Office struct {
	Code    string // USCC
	Name    string
	SealID  string
	Key     *Key
	Cert    []byte
	SealDER []byte
}

// New makes a world.
func New(t testing.TB) *World {
	t.Helper()
	ctx := context.Background()
	regular, bold := fonts(t)
	drawer := theDrawer(t, regular, bold)
	w := &World{
		Maker: NewKey(t, "maker"), Static: NewKey(t, "static"), Status: NewKey(t, "status"), ListKey: NewKey(t, "list"),
		LogKey: NewKey(t, "log"), Witness: NewKey(t, "witness"), drawer: drawer,
	}
	rootKey, caKey := NewKey(t, "root"), NewKey(t, "ca")
	founded := func() time.Time { return Founded() }
	random := Stream([]byte("certificates"))
	root, err := pki.NewRoot(ctx, pki.Subject{CommonName: "示例省电子印章根"}, rootKey, 3650*Day, founded, random)
	if err != nil {
		t.Fatal(err)
	}
	w.rootOf, w.RootCert = root, root.Certificate().Raw
	w.IssueCert = must(t)(root.IssueAuthority(ctx, pki.Subject{CommonName: "示例省电子印章签发机构"}, caKey.SM2(), 3650*Day))
	if w.CA, err = pki.OpenAuthority(w.IssueCert, caKey, founded, random); err != nil {
		t.Fatal(err)
	}
	w.MakerCert = must(t)(w.CA.IssueSigning(ctx, pki.Subject{CommonName: "示例省电子印章制作系统"}, w.Maker.SM2(), 3650*Day))
	w.First = w.Office(t, w.CA, "示例市行政审批局", "11990000000000001G", "99000000000001", 365*Day)
	w.Second = w.Office(t, w.CA, "样本市自然资源局", USCC(t, "1199000000000002X"), "99000000000002", 365*Day)
	w.Log = ledgertest.NewMemory(w.LogKey)
	return w
}

func must(t testing.TB) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// USCC completes 17 characters with their check character.
func USCC(t testing.TB, body string) string {
	t.Helper()
	for _, c := range "0123456789ABCDEFGHJKLMNPQRTUWXY" {
		if code := body + string(c); license.ValidUSCC(code) {
			return code
		}
	}
	t.Fatalf("no check character for %s", body)
	return ""
}

// Office makes an office whose certificate comes from ca and lives for life; its seal lives as long.
func (w *World) Office(t testing.TB, ca *pki.Authority, name, code, sealID string, life time.Duration) *Office {
	t.Helper()
	ctx := context.Background()
	o := &Office{Code: code, Name: name, SealID: sealID, Key: NewKey(t, "office "+sealID)}
	o.Cert = must(t)(ca.IssueSigning(ctx, pki.Subject{CommonName: sealID, Organization: name, SerialNumber: code}, o.Key.SM2(), life))
	regular, _ := fonts(t)
	picture, err := seal.DrawPicture(name, sealID, regular)
	if err != nil {
		t.Fatal(err)
	}
	o.SealDER = must(t)(seal.Make(ctx, seal.Info{
		ID: sealID, Vendor: "YINXIN", Type: 1, Name: name, Signers: [][]byte{o.Cert},
		CreatedAt: Founded(), ValidStart: Founded(), ValidEnd: Founded().Add(life - Day), Picture: picture,
	}, w.MakerCert, w.Maker))
	return o
}

// Stranger is an authority that no trust list names, and an office of its making that claims the first office's code.
func (w *World) Stranger(t testing.TB) *Office {
	t.Helper()
	ctx := context.Background()
	key := NewKey(t, "stranger")
	founded := func() time.Time { return Founded() }
	root, err := pki.NewRoot(ctx, pki.Subject{CommonName: "陌生根"}, key, 3650*Day, founded, Stream([]byte("stranger")))
	if err != nil {
		t.Fatal(err)
	}
	return w.Office(t, root, w.First.Name, w.First.Code, "99000000000666", 365*Day)
}

// List is the trust list before it is signed.
func (w *World) List() *pki.List {
	issuer := func(k *Key, p pki.Purpose) pki.Issuer {
		id := license.KeyID(k.SM2())
		return pki.Issuer{
			KeyID: hex.EncodeToString(id[:]), Key: k.Point(), Organisation: w.First.Code, Name: w.First.Name, Cell: 1,
			Purposes: []pki.Purpose{p}, NotBefore: Founded(), NotAfter: Founded().Add(3650 * Day),
		}
	}
	return &pki.List{
		Version: 3, IssuedAt: Founded(), NextUpdate: Founded().Add(90 * Day),
		Anchors:       []pki.ListAnchor{{Name: "示例省电子印章根", Certificate: w.RootCert, Roles: []pki.Role{pki.RoleSealMaker, pki.RoleSealSigner}}},
		Intermediates: [][]byte{w.IssueCert},
		Ledger: pki.LedgerTrust{
			Origin: Origin, LogKeys: []pki.NamedKey{{Name: Origin, Key: w.LogKey.Point()}},
			Witnesses: []pki.NamedKey{{Name: Witness, Key: w.Witness.Point()}}, Quorum: 1,
		},
		Issuers:  []pki.Issuer{issuer(w.Static, pki.PurposeStaticCode), issuer(w.Status, pki.PurposeStatusList)},
		Hosts:    []string{"yx.example"},
		Policies: pki.DefaultPolicies(),
	}
}

// Trust is the signed trust list, changed before it is signed.
func (w *World) Trust(t testing.TB, change ...func(*pki.List)) []byte {
	t.Helper()
	return w.TrustBy(t, w.ListKey, change...)
}

// TrustBy is a trust list signed with any key.
func (w *World) TrustBy(t testing.TB, key *Key, change ...func(*pki.List)) []byte {
	t.Helper()
	l := w.List()
	for _, c := range change {
		c(l)
	}
	return must(t)(pki.SignList(context.Background(), l, key))
}

// PEM is the root as a file of plain anchors.
func (w *World) PEM() []byte {
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.IssueCert})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.RootCert})...)
}

// LedgerTrust is the ledger's part of the trust list as package ledger wants it.
func (w *World) LedgerTrust() ledger.Trust {
	return ledger.Trust{
		LogKeys:     []ledger.Key{{Type: ledger.LogKey, Name: Origin, Public: w.LogKey.SM2()}},
		WitnessKeys: []ledger.Key{{Type: ledger.WitnessKey, Name: Witness, Public: w.Witness.SM2()}}, Quorum: 1,
	}
}

const fontFolder = "/usr/share/fonts/truetype/lxgw-wenkai/"

type fontFiles struct{ regular, bold []byte }

// The fonts are 30 MB; one copy serves all worlds of a process.
var readFonts = sync.OnceValues(func() (f fontFiles, err error) {
	if f.regular, err = os.ReadFile(fontFolder + "LXGWWenKai-Regular.ttf"); err != nil {
		return f, err
	}
	f.bold, err = os.ReadFile(fontFolder + "LXGWWenKai-Bold.ttf")
	return f, err
})

var makeDrawer = sync.OnceValues(func() (*face.Drawer, error) {
	f, err := readFonts()
	if err != nil {
		return nil, err
	}
	return face.New(f.regular, f.bold, "楷体")
})

func fonts(t testing.TB) (regular, bold []byte) {
	t.Helper()
	f, err := readFonts()
	if err != nil {
		t.Fatalf("the CJK font is missing: apt-get install fonts-lxgw-wenkai (%v)", err)
	}
	return f.regular, f.bold
}

func theDrawer(t testing.TB, _, _ []byte) *face.Drawer {
	t.Helper()
	d, err := makeDrawer()
	if err != nil {
		t.Fatal(err)
	}
	return d
}
