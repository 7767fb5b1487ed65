package pki_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal/pki"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
)

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func read(t testing.TB, der []byte) *pki.Certificate {
	t.Helper()
	c, err := pki.Read(der)
	return must(t, c, err)
}

func TestAuthorityCertificates(t *testing.T) {
	t.Parallel()
	p := sealtest.New(t)
	root, ca, signer, cipher, tsa := p.Root.Certificate(), p.CA.Certificate(), read(t, p.SignerCert), read(t, p.Cipher), read(t, p.TSACert)
	for _, c := range []*pki.Certificate{root, ca, signer, cipher, tsa} {
		if _, checks := pki.ParseCertificate(c.Raw); len(checks) != 0 {
			t.Errorf("%s: %v", c.CommonName(), checks)
		}
		strict := must(t, func() *gm.Certificate { c, err := gm.ParseCertificate(c.Raw); return must(t, c, err) }(), nil)
		if !bytes.Equal(strict.SerialNumber.Bytes(), c.Serial) || !strict.NotAfter.Equal(c.NotAfter) || !strict.NotBefore.Equal(c.NotBefore) ||
			strict.KeyUsage != c.KeyUsage || strict.IsCA != c.IsCA || !bytes.Equal(strict.SubjectKeyId, c.SubjectKeyID) ||
			!bytes.Equal(strict.AuthorityKeyId, c.AuthorityKeyID) || strict.Subject.CommonName != c.CommonName() {
			t.Errorf("%s: the two readers differ", c.CommonName())
		}
		if len(c.Serial) != 16 {
			t.Errorf("serial of %d bytes", len(c.Serial))
		}
	}
	if !root.MayIssue() || !ca.MayIssue() || ca.MaxPathLen != 0 || root.MaxPathLen != 1 || signer.MayIssue() ||
		!signer.MaySign() || cipher.MaySign() || !tsa.MayTimeStamp() || signer.MayTimeStamp() {
		t.Error("key usages are not as they should be")
	}
	if bytes.Equal(root.Serial, ca.Serial) || !ca.VerifiedBy(root.PublicKey) || signer.VerifiedBy(root.PublicKey) {
		t.Error("serials or signatures are wrong")
	}
	_, err := pki.OpenAuthority(p.Issuer(), p.Signer, sealtest.Now, sealtest.Random())
	refused(t, err, "authority_key")
	_, err = pki.OpenAuthority(p.SignerCert, p.Signer, sealtest.Now, sealtest.Random())
	refused(t, err, "authority_certificate")
	_, err = p.CA.IssueSigning(t.Context(), pki.Subject{}, p.Signer.SM2(), time.Hour)
	refused(t, err, "certificate_request")
}

func refused(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	p, other := sealtest.New(t), sealtest.New(t)
	leaf, at := read(t, p.SignerCert), sealtest.Now()
	ca := read(t, p.Issuer())
	rootOnly := must(t, func() *pki.Trust {
		l := p.List()
		l.Intermediates = [][]byte{}
		tr, err := l.Trust()
		return must(t, tr, err)
	}(), nil)
	stranger := must(t, func() *pki.Authority {
		k := sealtest.NewKey(t)
		a, err := pki.NewRoot(t.Context(), pki.Subject{CommonName: "陌生根"}, k, 3650*sealtest.Day, sealtest.Now, sealtest.Random())
		return must(t, a, err)
	}(), nil)
	strange := func() *pki.Certificate {
		der, err := stranger.IssueSigning(t.Context(), pki.Subject{CommonName: "x"}, p.Signer.SM2(), sealtest.Day)
		return read(t, must(t, der, err))
	}()
	forgedRoot := read(t, flipLast(stranger.Certificate().Raw))
	leafAsCA := func() *pki.Certificate { // signed by an end entity's key
		a := read(t, p.MakerCert)
		tbs := bytes.Replace(slices.Clone(leaf.RawTBS), leaf.RawIssuer, a.RawSubject, 1)
		if len(a.RawSubject) != len(leaf.RawIssuer) {
			tbs = resize(t, leaf.RawTBS, leaf.RawIssuer, a.RawSubject)
		}
		return read(t, sealtest.SignCertificate(t, tbs, p.Maker))
	}()
	plain, err := pki.TrustFromPEM(p.PEM())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		trust *pki.Trust
		leaf  *pki.Certificate
		extra []*pki.Certificate
		at    time.Time
		want  pki.ChainResult
		path  int
	}{
		{"whole", p.Trust(t), leaf, nil, at, pki.ChainAnchored, 2},
		{"plain anchors", plain, leaf, nil, at, pki.ChainAnchored, 1},
		{"intermediate brought along", rootOnly, leaf, []*pki.Certificate{ca}, at, pki.ChainAnchored, 2},
		{"the anchor itself", p.Trust(t), p.Root.Certificate(), nil, at, pki.ChainAnchored, 1},
		{"intermediate missing", rootOnly, leaf, nil, at, pki.ChainUnknownRoot, 1},
		{"nobody known", nil, leaf, nil, at, pki.ChainUnknownRoot, 1},
		{"nobody known, intermediate at hand", nil, leaf, []*pki.Certificate{ca}, at, pki.ChainUnknownRoot, 2},
		{"stranger's root", p.Trust(t), strange, nil, at, pki.ChainUnknownRoot, 1},
		{"stranger's root at hand", p.Trust(t), strange, []*pki.Certificate{stranger.Certificate()}, at, pki.ChainUnknownRoot, 2},
		{"a root that did not sign itself", p.Trust(t), forgedRoot, nil, at, pki.ChainBroken, 1},
		{"same names, other keys", other.Trust(t), leaf, nil, at, pki.ChainBroken, 1},
		{"issued by an end entity", p.Trust(t), leafAsCA, []*pki.Certificate{read(t, p.MakerCert)}, at, pki.ChainBroken, 1},
		{"intermediate outside its dates", p.Trust(t), leaf, nil, at.Add(4000 * sealtest.Day), pki.ChainBroken, 1},
		{"leaf altered", p.Trust(t), read(t, flipLast(p.SignerCert)), nil, at, pki.ChainBroken, 1},
	} {
		got := c.trust.Chain(c.leaf, c.extra, c.at)
		if got.Result != c.want || len(got.Path) != c.path || (got.Anchor != nil) != (c.want == pki.ChainAnchored) {
			t.Errorf("%s: %s over %d certificates (%s), want %s over %d", c.name, got.Result, len(got.Path), got.Detail, c.want, c.path)
		}
	}
}

func flipLast(der []byte) []byte {
	out := slices.Clone(der)
	out[len(out)-1] ^= 1
	return out
}

// resize swaps a part of a SEQUENCE with a two-byte length for one of another size.
func resize(t *testing.T, seq, part, with []byte) []byte {
	t.Helper()
	if seq[1] != 0x82 {
		t.Fatal("a SEQUENCE with a two-byte length is expected")
	}
	body := bytes.Replace(seq[4:], part, with, 1)
	return append([]byte{0x30, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
}

func TestTrustList(t *testing.T) {
	t.Parallel()
	p, key := sealtest.New(t), sealtest.NewKey(t)
	list := p.List()
	list.Issuers = []pki.Issuer{{
		KeyID: "0123456789abcdef", Key: gm.MarshalPublicKey(p.Signer.SM2()), Organisation: "12990000MB0000000X",
		Name: "测试<局>", Cell: 5, Purposes: []pki.Purpose{pki.PurposeStaticCode}, NotBefore: sealtest.Now(), NotAfter: sealtest.Now().Add(sealtest.Day),
	}}
	list.Ledger.Witnesses = []pki.NamedKey{{Name: "witness.example", Key: gm.MarshalPublicKey(p.Maker.SM2())}}
	list.Ledger.Quorum = 1
	file, err := pki.SignList(t.Context(), list, key)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := pki.OpenList(append(file, '\n'))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(list, opened.List); d != "" {
		t.Error(d)
	}
	if _, ok := opened.List.Issuer("0123456789abcdef", pki.PurposeStaticCode, sealtest.Now()); !ok {
		t.Error("the issuer is not found")
	}
	for _, c := range []struct {
		id string
		p  pki.Purpose
		at time.Time
	}{
		{"0123456789abcdee", pki.PurposeStaticCode, sealtest.Now()},
		{"0123456789abcdef", pki.PurposeStatusList, sealtest.Now()},
		{"0123456789abcdef", pki.PurposeStaticCode, sealtest.Now().Add(2 * sealtest.Day)},
	} {
		if _, ok := opened.List.Issuer(c.id, c.p, c.at); ok {
			t.Errorf("an issuer was found for %+v", c)
		}
	}
	if c := opened.CheckCurrent(list.NextUpdate); c.Result != verdict.Pass {
		t.Error(c)
	}
	if c := opened.CheckCurrent(list.NextUpdate.Add(time.Second)); c.Code != verdict.TrustListExpired {
		t.Error(c)
	}

	body := must(t, list.Marshal, nil)
	raw, err := body()
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, new string) func() []byte {
		return func() []byte {
			changed := bytes.Replace(raw, []byte(old), []byte(new), 1)
			if bytes.Equal(changed, raw) {
				t.Fatalf("%s is not in the list", old)
			}
			return sign(t, changed, key)
		}
	}
	for name, make := range map[string]func() []byte{
		"unknown member":    swap(`{"version"`, `{"more":1,"version"`),
		"member twice":      swap(`{"version":1`, `{"version":1,"version":1`),
		"white space":       swap(`{"version"`, `{ "version"`),
		"version 0":         swap(`"version":1`, `"version":0`),
		"local time":        swap(`"issued_at":"2026-03-02T01:00:00Z"`, `"issued_at":"2026-03-02T09:00:00+08:00"`),
		"role":              swap(`"seal_maker"`, `"root_of_all"`),
		"purpose":           swap(`"static_code"`, `"anything"`),
		"key id":            swap(`0123456789abcdef`, `0123456789ABCDEF`),
		"null list":         swap(`"hosts":["yz.example"]`, `"hosts":null`),
		"quorum":            swap(`"quorum":1`, `"quorum":2`),
		"two values":        func() []byte { return sign(t, append(slices.Clone(raw), "{}"...), key) },
		"not JSON":          func() []byte { return sign(t, []byte("list"), key) },
		"altered":           func() []byte { return bytes.Replace(file, []byte(`"signature":"ME`), []byte(`"signature":"MF`), 1) },
		"format":            func() []byte { return bytes.Replace(file, []byte("trust/1"), []byte("trust/2"), 1) },
		"envelope has more": func() []byte { return bytes.Replace(file, []byte(`{"format"`), []byte(`{"x":1,"format"`), 1) },
		"point off the curve": func() []byte {
			var e map[string]any
			if err := json.Unmarshal(file, &e); err != nil {
				t.Fatal(err)
			}
			k, err := base64.StdEncoding.DecodeString(e["key"].(string))
			if err != nil {
				t.Fatal(err)
			}
			k[40] ^= 1
			return bytes.Replace(file, []byte(e["key"].(string)), []byte(base64.StdEncoding.EncodeToString(k)), 1)
		},
	} {
		data := make()
		if bytes.Equal(data, file) {
			t.Errorf("%s: nothing was changed", name)
		}
		_, err := pki.OpenList(data)
		if err == nil || fault.CodeOf(err) != "trust_list_invalid" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// sign makes an envelope of any bytes.
func sign(t *testing.T, body []byte, key *sealtest.Key) []byte {
	t.Helper()
	b64 := base64.StdEncoding.EncodeToString
	return []byte(`{"format":"yinxin-trust/1","list":"` + b64(body) + `","key":"` + b64(gm.MarshalPublicKey(key.SM2())) +
		`","signature":"` + b64(key.Sign(t, body)) + `"}`)
}

func TestRollback(t *testing.T) {
	t.Parallel()
	p, key, thief := sealtest.New(t), sealtest.NewKey(t), sealtest.NewKey(t)
	open := func(version uint64, host string, k *sealtest.Key) *pki.SignedList {
		l := p.List()
		l.Version, l.Hosts = version, []string{host}
		file, err := pki.SignList(t.Context(), l, k)
		s, err2 := pki.OpenList(must(t, file, err))
		return must(t, s, err2)
	}
	state, err := pki.ParseState(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		list *pki.SignedList
		code verdict.Code
	}{
		{"first", open(5, "a", key), ""},
		{"the same", open(5, "a", key), ""},
		{"the same version, another content", open(5, "b", key), verdict.TrustListRolledBack},
		{"older", open(4, "a", key), verdict.TrustListRolledBack},
		{"newer by another key", open(7, "a", thief), verdict.TrustListInvalid},
		{"newer", open(6, "b", key), ""},
		{"the one before", open(5, "a", key), verdict.TrustListRolledBack},
	} {
		next, check := pki.CheckRollback(state, step.list)
		if check.Code != step.code || (check.Result == verdict.Pass) != (step.code == "") {
			t.Errorf("%s: %+v", step.name, check)
		}
		if step.code != "" && cmp.Diff(state, next) != "" {
			t.Errorf("%s: the state moved", step.name)
		}
		file, err := pki.MarshalState(next)
		if err != nil {
			t.Fatal(err)
		}
		if state, err = pki.ParseState(file); err != nil {
			t.Fatal(err)
		}
	}
	if state.Version != 6 {
		t.Errorf("version %d is remembered", state.Version)
	}
	for _, junk := range []string{"{}", `{"version":1}`, "x", `{"version":1,"digest":"","key":"","z":1}`} {
		_, err := pki.ParseState([]byte(junk))
		refused(t, err, "trust_state_malformed")
	}
}

func TestTrustFromPEM(t *testing.T) {
	t.Parallel()
	p := sealtest.New(t)
	trust, err := pki.TrustFromPEM(p.PEM())
	if err != nil {
		t.Fatal(err)
	}
	if a := trust.Anchors(); len(a) != 2 || a[0].Name != "测试签发机构" || !a[0].May(pki.RoleTSA) || trust.List() != nil {
		t.Errorf("anchors %v", a)
	}
	for _, bad := range []string{
		"", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		strings.ReplaceAll(string(p.PEM()), "CERTIFICATE", "PRIVATE KEY"),
	} {
		_, err := pki.TrustFromPEM([]byte(bad))
		refused(t, err, "trust_pem_invalid")
	}
}

func FuzzCertificate(f *testing.F) {
	p := sealtest.New(f)
	for _, der := range [][]byte{p.SignerCert, p.TSACert, p.Issuer()} {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, checks := pki.ParseCertificate(der)
		if (c == nil) != (len(checks) == 1 && checks[0].Code == verdict.SignerCertEncoding) {
			t.Errorf("%v", checks)
		}
		if c != nil {
			(*pki.Trust)(nil).Chain(c, []*pki.Certificate{c}, sealtest.Now())
		}
	})
}

func FuzzOpenList(f *testing.F) {
	p := sealtest.New(f)
	file, err := pki.SignList(f.Context(), p.List(), p.Signer)
	f.Add(must(f, file, err))
	body, err := p.List().Marshal()
	f.Add(must(f, body, err))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := pki.OpenList(data); err == nil {
			if _, err := s.List.Marshal(); err != nil {
				t.Errorf("read and not written: %v", err)
			}
		}
		if l, err := pki.ParseList(data); err == nil {
			if out, err := l.Marshal(); err != nil || !bytes.Equal(out, data) {
				t.Errorf("the canonical form is not canonical: %v", err)
			}
		}
	})
}

func FuzzSignedData(f *testing.F) {
	p := sealtest.New(f)
	f.Add(p.Message([]byte("x")).DER(f))
	f.Add(p.Detached([]byte("x"), sealtest.Now()).DER(f))
	f.Add(p.Stamp(f, []byte("x"), sealtest.Now(), nil))
	trust := p.Trust(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		if s, err := pki.ReadSignedData(der); err == nil {
			for i := range s.Signers {
				s.Signer(&s.Signers[i])
			}
		}
		if _, err := pki.CheckTimeStamp(der, []byte("x"), trust); err != nil && err.Code == "" {
			t.Error("an error without a code")
		}
	})
}

func BenchmarkChain(b *testing.B) {
	p := sealtest.New(b)
	leaf, trust := read(b, p.SignerCert), p.Trust(b)
	b.ReportAllocs()
	for b.Loop() {
		if trust.Chain(leaf, nil, sealtest.Now()).Result != pki.ChainAnchored {
			b.Fatal("not anchored")
		}
	}
}

func BenchmarkOpenList(b *testing.B) {
	p := sealtest.New(b)
	file, err := pki.SignList(b.Context(), p.List(), p.Signer)
	must(b, file, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := pki.OpenList(file); err != nil {
			b.Fatal(err)
		}
	}
}
