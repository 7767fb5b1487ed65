package seal_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
)

func TestJudgeSeal(t *testing.T) {
	t.Parallel()
	now := sealtest.Now()
	type change func(t *testing.T, w *world, in *seal.SealInput)
	for _, c := range []struct {
		name string
		make change
		word verdict.Word
		code verdict.Code
	}{
		{"good", func(*testing.T, *world, *seal.SealInput) {}, verdict.Valid, ""},
		{"good V1", func(_ *testing.T, w *world, _ *seal.SealInput) { w.version(1) }, verdict.Valid, ""},
		{"good V5 with a stamp", func(t *testing.T, w *world, _ *seal.SealInput) {
			w.version(5)
			w.f.SealStamp = func(v []byte) []byte { return w.Stamp(t, v, now.Add(time.Minute), nil) }
		}, verdict.Valid, ""},
		{"V5 without the stamp that policy wants", func(_ *testing.T, w *world, in *seal.SealInput) {
			w.version(5)
			in.Policy = &seal.Policy{RequireSealStamp: true}
		}, verdict.NotValid, verdict.SealTimestampInvalid},
		{"V5 with junk for a stamp", func(_ *testing.T, w *world, _ *seal.SealInput) {
			w.version(5)
			w.f.SealStamp = func([]byte) []byte { return []byte{1, 2, 3} }
		}, verdict.NotValid, verdict.SealTimestampInvalid},
		{"V5 stamped before it was made", func(t *testing.T, w *world, _ *seal.SealInput) {
			w.version(5)
			w.f.Created = now.Add(sealtest.Day)
			w.f.SealStamp = func(v []byte) []byte { return w.Stamp(t, v, now, nil) }
		}, verdict.NotValid, verdict.SealTimestampBeforeCreate},
		{"V5 stamped by a stranger", func(t *testing.T, w *world, _ *seal.SealInput) {
			w.version(5)
			w.f.SealStamp = func(v []byte) []byte { return w.Stamp(t, v, now, nil) }
		}, verdict.Valid, verdict.TimestampUnsupported},
		{"five parts in V4", func(_ *testing.T, w *world, _ *seal.SealInput) {
			w.f.SealStamp = func([]byte) []byte { return []byte{1, 2, 3} }
		}, verdict.NotValid, verdict.SealFormatError},
		{"another generation", func(_ *testing.T, w *world, _ *seal.SealInput) { w.version(3) }, verdict.CannotDetermine, verdict.SVVersionUnsupported},
		{"garbage", func(_ *testing.T, _ *world, in *seal.SealInput) { in.Seal = []byte("seal") }, verdict.NotValid, verdict.SealFormatError},
		{"trailing", func(t *testing.T, w *world, in *seal.SealInput) { in.Seal = append(w.f.SealDER(t), 0) }, verdict.NotValid, verdict.SealFormatError},
		{"wrong signature", func(_ *testing.T, w *world, _ *seal.SealInput) { w.f.SealValue = flip }, verdict.NotValid, verdict.SealSignatureInvalid},
		{"no certificate of the maker", func(_ *testing.T, w *world, _ *seal.SealInput) { w.f.MakerCert = []byte{1} }, verdict.NotValid, verdict.SealFormatError},
		{"expired", func(_ *testing.T, _ *world, in *seal.SealInput) { in.At = now.Add(301 * sealtest.Day) }, verdict.NotValid, verdict.SealExpired},
		{"not yet", func(_ *testing.T, _ *world, in *seal.SealInput) { in.At = now.Add(-time.Second) }, verdict.NotValid, verdict.SealNotYetValid},
		{"suspended", func(_ *testing.T, _ *world, in *seal.SealInput) {
			in.Filed = &seal.Filed{State: seal.StateSuspended, Since: now}
		}, verdict.NotValid, verdict.SealSuspended},
		{"cancelled later", func(_ *testing.T, _ *world, in *seal.SealInput) {
			in.Filed = &seal.Filed{State: seal.StateCancelled, Since: in.At.Add(time.Second)}
		}, verdict.Valid, ""},
		{"no trust", func(_ *testing.T, _ *world, in *seal.SealInput) { in.Trust = nil }, verdict.CannotDetermine, verdict.TrustAnchorUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			in := seal.SealInput{Evidence: seal.Evidence{At: now.Add(20 * sealtest.Day), Trust: w.Trust(t)}}
			c.make(t, w, &in)
			if c.name == "V5 stamped by a stranger" {
				l := w.List()
				l.Anchors[0].Roles = []pki.Role{pki.RoleSealMaker, pki.RoleSealSigner}
				trust, err := l.Trust()
				if err != nil {
					t.Fatal(err)
				}
				in.Trust = trust
			}
			if in.Seal == nil {
				in.Seal = w.f.SealDER(t)
			}
			word(t, seal.JudgeSeal(in), c.word, c.code)
		})
	}
}

func TestTimeStamps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		at     time.Duration // after the claimed signing time
		change func(w *world, m *sealtest.Message)
		junk   bool
		later  bool
		word   verdict.Word
		code   verdict.Code
	}{
		{name: "good, all ended since", at: time.Second, later: true, word: verdict.Valid},
		{name: "junk", junk: true, word: verdict.NotValid, code: verdict.TimestampFormatInvalid},
		{name: "wrong type", change: func(_ *world, m *sealtest.Message) { m.Type = "1.2.3" }, word: verdict.NotValid, code: verdict.TimestampFormatInvalid},
		{name: "wrong signature", change: func(_ *world, m *sealtest.Message) { m.Value = flip }, word: verdict.NotValid, code: verdict.TimestampSignatureInvalid},
		{name: "wrong digest", change: func(_ *world, m *sealtest.Message) { m.Digest = make([]byte, 32) }, word: verdict.NotValid, code: verdict.TimestampSignatureInvalid},
		{name: "for something else", change: func(_ *world, m *sealtest.Message) { m.Content[len(m.Content)-40] ^= 1 }, word: verdict.NotValid, code: verdict.TimestampImprintInvalid},
		{name: "no certificate", change: func(_ *world, m *sealtest.Message) { m.Certs = nil }, word: verdict.NotValid, code: verdict.TimestampCertInvalid},
		{name: "wrong certificate", change: func(w *world, m *sealtest.Message) {
			m.Certs, m.Cert, m.Signer = [][]byte{w.SignerCert}, w.SignerCert, w.Signer
		}, word: verdict.NotValid, code: verdict.TimestampCertInvalid},
		{name: "future", at: 40 * sealtest.Day, word: verdict.NotValid, code: verdict.TimestampTimeInvalid},
		{name: "before the claim", at: -time.Hour, word: verdict.Valid, code: verdict.TimestampTimeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.f.Stamp = func(v []byte) []byte {
				if c.junk {
					return []byte{1, 2, 3}
				}
				return w.Stamp(t, v, w.f.At.Add(c.at), func(m *sealtest.Message) {
					if c.change != nil {
						c.change(w, m)
					}
				})
			}
			if c.later {
				w.later()
			}
			w.in.Value = w.f.DER(t)
			got := seal.JudgeSignature(w.in)
			word(t, got.Checks, c.word, c.code)
			if c.name == "good, all ended since" && (got.ProvenAt == nil || !got.ProvenAt.Equal(w.f.At.Add(c.at))) {
				t.Errorf("proven at %v", got.ProvenAt)
			}
		})
	}
}

func TestJudgeSign(t *testing.T) {
	t.Parallel()
	original := []byte("<ofd:Signature/>")
	at := sealtest.Now().Add(10 * sealtest.Day)
	for _, c := range []struct {
		name string
		make func(t *testing.T, w *world) []byte
		word verdict.Word
		code verdict.Code
	}{
		{"attached", func(t *testing.T, w *world) []byte { return w.Message(original).DER(t) }, verdict.Valid, verdict.SignTimeUnproven},
		{"attached, raw value", func(t *testing.T, w *world) []byte {
			m := w.Message(original)
			m.Value = raw64
			return m.DER(t)
		}, verdict.Valid, verdict.SignatureEncoding},
		{"detached", func(t *testing.T, w *world) []byte { return w.Detached(original, at).DER(t) }, verdict.Valid, verdict.SignTimeUnproven},
		{"attached, certificate ended", func(t *testing.T, w *world) []byte {
			w.later()
			return w.Message(original).DER(t)
		}, verdict.CannotDetermine, verdict.SignerCertExpired},
		{"signed after the certificate", func(t *testing.T, w *world) []byte {
			w.later()
			return w.Detached(original, sealtest.Now().Add(400*sealtest.Day)).DER(t)
		}, verdict.NotValid, verdict.SignTimeOutsideCertValidity},
		{"no time, revoked", func(t *testing.T, w *world) []byte {
			w.in.Revoked = revoked(w.SignerCert, at)
			return w.Message(original).DER(t)
		}, verdict.CannotDetermine, verdict.SignerCertRevoked},
		{"empty", func(t *testing.T, w *world) []byte {
			m := w.Message(original)
			m.NoSigner = true
			return m.DER(t)
		}, verdict.NotValid, verdict.SignedDataEmpty},
		{"another content", func(t *testing.T, w *world) []byte { return w.Message([]byte("<other/>")).DER(t) }, verdict.NotValid, verdict.CMSContentMismatch},
		{"another digest", func(t *testing.T, w *world) []byte { return w.Detached([]byte("<other/>"), at).DER(t) }, verdict.NotValid, verdict.CMSMessageDigestMismatch},
		{"unknown digest", func(t *testing.T, w *world) []byte {
			m := w.Detached(original, at)
			m.DigestAlg = "1.2.840.113549.2.5"
			return m.DER(t)
		}, verdict.NotValid, verdict.DigestMethodUnsupported},
		{"wrong signature", func(t *testing.T, w *world) []byte {
			m := w.Detached(original, at)
			m.Value = flip
			return m.DER(t)
		}, verdict.NotValid, verdict.SignatureInvalid},
		{"unknown algorithm", func(t *testing.T, w *world) []byte {
			m := w.Message(original)
			m.SigAlg = "1.2.3.4"
			return m.DER(t)
		}, verdict.NotValid, verdict.SigAlgUnsupported},
		{"algorithm of another key", func(t *testing.T, w *world) []byte {
			m := w.Message(original)
			m.SigAlg = "1.2.840.10045.4.3.2"
			return m.DER(t)
		}, verdict.NotValid, verdict.SigAlgMismatch},
		{"certificate missing", func(t *testing.T, w *world) []byte {
			m := w.Message(original)
			m.Certs = nil
			return m.DER(t)
		}, verdict.CannotDetermine, verdict.CMSSignerCertMissing},
		{"certificate from elsewhere", func(t *testing.T, w *world) []byte {
			m := w.Message(original)
			m.Certs = nil
			w.in.Certificate = w.SignerCert
			return m.DER(t)
		}, verdict.Valid, verdict.SignTimeUnproven},
		{"key usage", func(t *testing.T, w *world) []byte {
			m := w.Message(original)
			m.Cert, m.Certs = w.Cipher, [][]byte{w.Cipher}
			return m.DER(t)
		}, verdict.NotValid, verdict.SignerCertKeyUsage},
		{"trailing", func(t *testing.T, w *world) []byte { return append(w.Message(original).DER(t), 0) }, verdict.NotValid, verdict.SVTrailingData},
		{"bare", func(t *testing.T, w *world) []byte { return w.Signer.Sign(t, original) }, verdict.CannotDetermine, verdict.NoCertificate},
		{"bare with a certificate", func(t *testing.T, w *world) []byte {
			w.in.Certificate = w.SignerCert
			return w.Signer.Sign(t, original)
		}, verdict.Valid, verdict.SignTimeUnproven},
		{"bare with another's certificate", func(t *testing.T, w *world) []byte {
			w.in.Certificate = w.MakerCert
			return w.Signer.Sign(t, original)
		}, verdict.NotValid, verdict.SignatureInvalid},
		{"a seal signature", func(t *testing.T, w *world) []byte { return w.f.DER(t) }, verdict.NotValid, verdict.SVTypeMismatch},
		{"garbage", func(*testing.T, *world) []byte { return []byte("0123") }, verdict.NotValid, verdict.SVFormatError},
		{"missing", func(*testing.T, *world) []byte { return nil }, verdict.NotValid, verdict.SVMissing},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.in.Value = c.make(t, w)
			word(t, seal.JudgeSign(w.in).Checks, c.word, c.code)
		})
	}
}

// No single byte of a signature value may be changed: not in the seal, not in the picture, not in a certificate.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.in.Value = w.f.DER(t)
	word(t, seal.JudgeSignature(w.in).Checks, verdict.Valid, "")
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(w.in.Value); i += step {
		for _, bit := range []byte{0x20, 1 << (i % 8)} {
			in := w.in
			in.Value = slices.Clone(w.in.Value)
			in.Value[i] ^= bit
			if got := seal.JudgeSignature(in); verdict.Fold(got.Checks) != verdict.NotValid {
				t.Errorf("byte %d changed: %s %+v", i, verdict.Fold(got.Checks), got.Checks)
			}
		}
	}
}

// A certificate that the strict reader refuses still shows who signed, with a warning.
func TestNonconformantCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, err := pki.Read(w.SignerCert)
	if err != nil {
		t.Fatal(err)
	}
	// An IA5String with bytes that are not ASCII, as a licensed authority wrote it: same lengths, signed again.
	tbs := slices.Clone(c.RawTBS)
	i := bytes.Index(tbs, []byte("\x13\x02CN")) // the country
	tbs[i], tbs[i+2], tbs[i+3] = 0x16, 0xc4, 0xda
	der := sealtest.SignCertificate(t, tbs, sealtest.NewKey(t))
	w.f.Cert, w.f.List = der, [][]byte{der}
	w.in.Value = w.f.DER(t)
	w.in.Trust = nil
	got := seal.JudgeSignature(w.in)
	word(t, got.Checks, verdict.CannotDetermine, verdict.CertEncodingNonconformant)
	passed(t, got.Checks, "signature")
}
