package seal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	sealtest.Suite(t, 5, sealtest.NewMemory())
}

// office is a service with one active seal.
type office struct {
	*sealtest.PKI
	store   *sealtest.Memory
	service *seal.Service
	now     time.Time
	req     seal.Request
	keys    seal.KeySource
}

func newOffice(t testing.TB, change func(*seal.Row)) *office {
	t.Helper()
	o := &office{PKI: sealtest.New(t), store: sealtest.NewMemory(), now: sealtest.Now().Add(sealtest.Day)}
	row := o.Row(t, 5, "42990000000001")
	if change != nil {
		change(&row)
	}
	if err := o.store.InsertSeal(t.Context(), row, sealtest.TestAct()); err != nil {
		t.Fatal(err)
	}
	o.keys = o.Keys()
	o.service = seal.NewService(o.store, seal.KeySourceFunc(func(ctx context.Context, ref string) (seal.DigestSigner, error) {
		return o.keys.SealKey(ctx, ref)
	}), func() time.Time { return o.now }, sealtest.Random())
	o.req = seal.Request{
		Cell: 5, SealID: row.ID, DataHash: gm.SM3([]byte("original")),
		PropertyInfo: "/Doc_0/Signs/Sign_0/Signature.xml", Act: sealtest.TestAct(),
	}
	return o
}

func TestServiceSeals(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	draft, err := o.service.Prepare(t.Context(), o.req)
	if err != nil {
		t.Fatal(err)
	}
	if draft.ID.Cell() != 5 {
		t.Errorf("the draft's number names cell %d", draft.ID.Cell())
	}
	if back, err := seal.ParseDraftID(draft.ID.String()); err != nil || back != draft.ID {
		t.Errorf("the draft's number does not read back: %v", err)
	}
	sealed, err := o.service.Apply(t.Context(), draft.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := seal.JudgeSignature(seal.SignatureInput{
		Value: sealed.Value, SealFile: sealed.Seal, SignatureXML: []byte("original"),
		SignaturePath: o.req.PropertyInfo, Evidence: seal.Evidence{At: o.now, Trust: o.Trust(t)},
	})
	word(t, got.Checks, verdict.Valid, "")
	if got.Signer != "测试局" || got.Standard != "GB/T 38540-2020" || !sealed.SignedAt.Equal(o.now) {
		t.Errorf("judged as %+v", got)
	}
	_, err = o.service.Apply(t.Context(), draft.ID)
	refused(t, err, "draft_redeemed")
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code string
		row        func(*seal.Row)
		change     func(*office)
	}{
		{"suspended", "seal_not_active", func(r *seal.Row) { r.State = seal.StateSuspended }, nil},
		{"made, not yet in use", "seal_not_active", func(r *seal.Row) { r.State = seal.StateMade }, nil},
		{"unknown", "seal_unknown", nil, func(o *office) { o.req.SealID = "0" }},
		{"other cell", "seal_unknown", nil, func(o *office) { o.req.Cell = 6 }},
		{"seal ended", "seal_outside_dates", nil, func(o *office) { o.now = sealtest.Now().Add(301 * sealtest.Day) }},
		{"seal not begun", "seal_outside_dates", nil, func(o *office) { o.now = sealtest.Now().Add(-time.Second) }},
		{"wrong matter", "seal_matter", func(r *seal.Row) { r.Limits.Matters = []string{"other"} }, nil},
		{"another office's seal", "seal_of_another", func(r *seal.Row) { r.Office = "11990000000000009X" }, nil},
		{"no actor", "seal_act", nil, func(o *office) { o.req.Act.Actor = "" }},
		{"no reason", "seal_act", nil, func(o *office) { o.req.Act.Reason = "" }},
		{"nothing to put it on", "seal_request", nil, func(o *office) { o.req.PropertyInfo = "" }},
		{"not ASCII", "seal_request", nil, func(o *office) { o.req.PropertyInfo = "/文件" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, c.row)
			if c.change != nil {
				c.change(o)
			}
			_, err := o.service.Prepare(t.Context(), o.req)
			refused(t, err, c.code)
		})
	}
	t.Run("certificate not in the list", func(t *testing.T) {
		t.Parallel()
		other := sealtest.New(t)
		o := newOffice(t, func(r *seal.Row) { r.SignerCert = other.SignerCert })
		_, err := o.service.Prepare(t.Context(), o.req)
		refused(t, err, "seal_signer")
	})
	t.Run("daily limit", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t, func(r *seal.Row) { r.Limits.PerDay = 1 })
		if _, err := o.service.Prepare(t.Context(), o.req); err != nil {
			t.Fatal(err)
		}
		_, err := o.service.Prepare(t.Context(), o.req)
		refused(t, err, "seal_daily_limit")
		o.now = o.now.Add(25 * time.Hour)
		if _, err := o.service.Prepare(t.Context(), o.req); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
}

// brokenKey signs something else, or not at all.
type brokenKey struct {
	*sealtest.Key
	err error
}

func (k brokenKey) SignDigest(ctx context.Context, e [32]byte) ([]byte, error) {
	if k.err != nil {
		return nil, k.err
	}
	e[0] ^= 1
	return k.Key.SignDigest(ctx, e)
}

func TestApplyLetsNothingWrongOut(t *testing.T) {
	t.Parallel()
	down := fault.New(fault.Unavailable, "hsm_down", "the device does not answer")
	for _, c := range []struct {
		name, code string
		change     func(t *testing.T, o *office)
	}{
		{"wrong signature", "seal_output", func(_ *testing.T, o *office) {
			o.keys = seal.KeySourceFunc(func(context.Context, string) (seal.DigestSigner, error) { return brokenKey{Key: o.Signer}, nil })
		}},
		{"device down", "hsm_down", func(_ *testing.T, o *office) {
			o.keys = seal.KeySourceFunc(func(context.Context, string) (seal.DigestSigner, error) { return brokenKey{o.Signer, down}, nil })
		}},
		{"another key", "seal_key", func(t *testing.T, o *office) {
			other := sealtest.NewKey(t)
			o.keys = seal.KeySourceFunc(func(context.Context, string) (seal.DigestSigner, error) { return other, nil })
		}},
		{"suspended in between", "seal_not_active", func(t *testing.T, o *office) {
			if err := o.store.ChangeSeal(t.Context(), 5, o.req.SealID, seal.StateActive, seal.StateSuspended, nil, sealtest.TestAct(), o.now); err != nil {
				t.Fatal(err)
			}
		}},
		{"too late", "draft_expired", func(_ *testing.T, o *office) { o.now = o.now.Add(seal.DraftLife) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, nil)
			draft, err := o.service.Prepare(t.Context(), o.req)
			if err != nil {
				t.Fatal(err)
			}
			c.change(t, o)
			out, err := o.service.Apply(t.Context(), draft.ID)
			refused(t, err, c.code)
			if out.Value != nil {
				t.Error("something left")
			}
			if c.name == "device down" && !errors.Is(err, down) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	p := sealtest.New(t)
	good := seal.Info{
		ID: "1", Name: "测试局", Signers: [][]byte{p.SignerCert}, CreatedAt: sealtest.Now(), ValidStart: sealtest.Now(),
		ValidEnd: sealtest.Now().Add(sealtest.Day), Picture: seal.Picture{Type: "PNG", Data: []byte{1}, Width: 1, Height: 1},
	}
	if _, err := seal.Make(t.Context(), good, p.MakerCert, p.Maker); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, code string
		change     func(*seal.Info)
		cert       []byte
		key        seal.DigestSigner
	}{
		{"no code", "seal_info", func(i *seal.Info) { i.ID = "" }, p.MakerCert, p.Maker},
		{"code not ASCII", "seal_info", func(i *seal.Info) { i.ID = "印" }, p.MakerCert, p.Maker},
		{"no name", "seal_info", func(i *seal.Info) { i.Name = "" }, p.MakerCert, p.Maker},
		{"no signer", "seal_info", func(i *seal.Info) { i.Signers = nil }, p.MakerCert, p.Maker},
		{"signer for encryption", "seal_info", func(i *seal.Info) { i.Signers = [][]byte{p.Cipher} }, p.MakerCert, p.Maker},
		{"ends before it begins", "seal_info", func(i *seal.Info) { i.ValidEnd = i.ValidStart }, p.MakerCert, p.Maker},
		{"no picture", "seal_info", func(i *seal.Info) { i.Picture.Data = nil }, p.MakerCert, p.Maker},
		{"maker's certificate ended", "seal_maker", func(i *seal.Info) { i.CreatedAt = i.CreatedAt.Add(400 * sealtest.Day) }, p.MakerCert, p.Maker},
		{"another key", "seal_key", func(*seal.Info) {}, p.MakerCert, p.Signer},
		{"maker for encryption", "seal_certificate", func(*seal.Info) {}, p.Cipher, p.Signer},
		{"device gives nonsense", "seal_key", func(*seal.Info) {}, p.MakerCert, brokenKey{Key: p.Maker}},
	} {
		info := good
		c.change(&info)
		_, err := seal.Make(t.Context(), info, c.cert, c.key)
		if err == nil || fault.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	known := map[seal.State]bool{}
	for _, s := range seal.States() {
		known[s] = true
	}
	for _, s := range seal.States() {
		for _, next := range s.Next() {
			if !known[next] || !s.Can(next) {
				t.Errorf("%s to %s", s, next)
			}
		}
		if s.Can(s) || s.Can("nowhere") {
			t.Errorf("%s goes in circles", s)
		}
	}
	if !seal.StateActive.Can(seal.StateSuspended) || !seal.StateSuspended.Can(seal.StateActive) || seal.StateCancelled.Can(seal.StateActive) {
		t.Error("a seal's life is not as the measures say")
	}
}

func ExampleService() {
	t := &testing.B{}
	p, store := sealtest.New(t), sealtest.NewMemory()
	ctx, now := context.Background(), sealtest.Now().Add(time.Hour)
	act := seal.Act{Actor: "acc-7", Office: "12990000MB0000000X", Matter: "0100001", CaseNo: "C-2026-1", Reason: "issue"}
	if err := store.InsertSeal(ctx, p.Row(t, 5, "42990000000001"), act); err != nil {
		panic(err)
	}
	service := seal.NewService(store, p.Keys(), func() time.Time { return now }, sealtest.Random())

	original := []byte("<ofd:Signature/>")
	draft, err := service.Prepare(ctx, seal.Request{
		Cell: 5, SealID: "42990000000001", DataHash: gm.SM3(original),
		PropertyInfo: "/Doc_0/Signs/Sign_0/Signature.xml", Act: act,
	})
	if err != nil {
		panic(err)
	}
	sealed, err := service.Apply(ctx, draft.ID)
	if err != nil {
		panic(err)
	}
	judged := seal.JudgeSignature(seal.SignatureInput{
		Value: sealed.Value, SignatureXML: original,
		Evidence: seal.Evidence{At: now, Trust: p.Trust(t)},
	})
	fmt.Println(judged.Standard, judged.Signer, verdict.Fold(judged.Checks))
	// Output: GB/T 38540-2020 测试局 valid
}

func BenchmarkSign(b *testing.B) {
	o := newOffice(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		d, err := o.service.Prepare(b.Context(), o.req)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := o.service.Apply(b.Context(), d.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJudgeSignature(b *testing.B) {
	w := newWorld(b)
	w.in.Value = w.f.DER(b)
	b.ReportAllocs()
	for b.Loop() {
		if got := seal.JudgeSignature(w.in); verdict.Fold(got.Checks) != verdict.Valid {
			b.Fatal(got.Checks)
		}
	}
}

func BenchmarkJudgeSeal(b *testing.B) {
	p := sealtest.New(b)
	in := seal.SealInput{Seal: p.Seal(b, "1"), Evidence: seal.Evidence{At: sealtest.Now(), Trust: p.Trust(b)}}
	b.ReportAllocs()
	for b.Loop() {
		if verdict.Fold(seal.JudgeSeal(in)) != verdict.Valid {
			b.Fatal("not valid")
		}
	}
}
