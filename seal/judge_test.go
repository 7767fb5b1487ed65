package seal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/pki"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
)

// world is one PKI with a forged signature and the evidence to judge it by.
type world struct {
	*sealtest.PKI
	f  *sealtest.Forge
	in seal.SignatureInput
}

func newWorld(t testing.TB) *world {
	t.Helper()
	p := sealtest.New(t)
	f := p.Forge()
	return &world{p, f, seal.SignatureInput{
		SignatureXML: f.Original, SignaturePath: f.Property, SignatureMethod: "1.2.156.10197.1.501",
		Evidence: seal.Evidence{At: f.At.Add(time.Hour), Trust: p.Trust(t)},
	}}
}

func (w *world) proven(at time.Time) { w.in.ProvenAt = &at }

// later judges when everything has ended.
func (w *world) later() { w.in.At = sealtest.Now().Add(2 * 365 * sealtest.Day) }

func revoked(of []byte, since time.Time) seal.Revocations {
	return func(c *pki.Certificate) seal.Revocation {
		if slices.Equal(c.Raw, of) {
			return seal.Revocation{Known: true, Revoked: true, Since: since}
		}
		return seal.Revocation{Known: true}
	}
}

// version makes both parts of the forge the same generation.
func (w *world) version(v int) {
	w.f.Version, w.f.TBSVersion = v, v
}

func raw64(der []byte) []byte {
	var r, s []byte
	n := int(der[3])
	r, s = der[4:4+n], der[6+n:]
	out := make([]byte, 64)
	new(big.Int).SetBytes(r).FillBytes(out[:32])
	new(big.Int).SetBytes(s).FillBytes(out[32:])
	return out
}

func padded(der []byte) []byte {
	n := int(der[3])
	out := append([]byte{0x30, der[1] + 1, 2, byte(n + 1), 0}, der[4:]...)
	return out
}

func flip(b []byte) []byte {
	c := slices.Clone(b)
	c[len(c)-1] ^= 1
	return c
}

// Each case changes one thing of a good signature; the verdict and the code must follow.
func TestJudgeSignature(t *testing.T) {
	t.Parallel()
	day := sealtest.Day
	now := sealtest.Now()
	cases := []struct {
		name string
		make func(t *testing.T, w *world)
		word verdict.Word
		code verdict.Code
	}{
		{"good", func(*testing.T, *world) {}, verdict.Valid, verdict.SignTimeUnproven},
		{"good V5", func(_ *testing.T, w *world) { w.version(5) }, verdict.Valid, verdict.SignTimeUnproven},
		{"good V1", func(_ *testing.T, w *world) { w.version(1) }, verdict.Valid, verdict.SignTimeUnproven},
		{"V1 with words for a time", func(_ *testing.T, w *world) {
			w.version(1)
			w.f.TimeV1 = []byte("2026-03-12 09:00:00")
		}, verdict.Valid, verdict.SignTimeUnproven},
		{"V1 with an unreadable time", func(_ *testing.T, w *world) {
			w.version(1)
			w.f.TimeV1 = []byte("yesterday")
		}, verdict.CannotDetermine, verdict.SignTimeUnproven},
		{"list of digests", func(_ *testing.T, w *world) {
			d := gm.SM3(w.SignerCert)
			w.f.CertListType, w.f.List = 2, [][]byte{d[:]}
		}, verdict.Valid, verdict.SignTimeUnproven},
		{"raw signature values", func(_ *testing.T, w *world) { w.f.Value, w.f.SealValue = raw64, raw64 }, verdict.Valid, verdict.SignatureEncoding},
		{"padded signature values", func(_ *testing.T, w *world) { w.f.Value = padded }, verdict.Valid, verdict.SignatureEncoding},
		{"unknown critical extension", func(_ *testing.T, w *world) {
			w.f.Exts = []seal.Ext{{ID: "1.3.6.1.5.5.7.1.4", Critical: true, Value: []byte{5, 0}}}
		}, verdict.Valid, verdict.ExtensionUnknown},
		{"unknown critical extension, by policy", func(_ *testing.T, w *world) {
			w.f.SealExts = []seal.Ext{{ID: "1.2.3", Critical: true, Value: []byte{5, 0}}}
			w.in.Policy = &seal.Policy{RefuseUnknownExts: true}
		}, verdict.NotValid, verdict.ExtensionUnknown},
		{"extension, not critical", func(_ *testing.T, w *world) {
			w.f.SealExts = []seal.Ext{{ID: "1.2.156.10197.6.7.2.2.1", Value: []byte("2.1")}}
		}, verdict.Valid, verdict.SignTimeUnproven},

		{"missing", func(_ *testing.T, w *world) { w.in.Value = []byte{} }, verdict.NotValid, verdict.SVMissing},
		{"garbage", func(_ *testing.T, w *world) { w.in.Value = []byte("PK\x03\x04") }, verdict.NotValid, verdict.SVFormatError},
		{"truncated", func(t *testing.T, w *world) { w.in.Value = w.f.DER(t)[:900] }, verdict.NotValid, verdict.SVFormatError},
		{"BER", func(t *testing.T, w *world) {
			der := w.f.DER(t)
			w.in.Value = append([]byte{0x30, 0x83, 0}, der[2:]...) // a length in more bytes than it needs
		}, verdict.NotValid, verdict.SVFormatError},
		{"trailing", func(t *testing.T, w *world) { w.in.Value = append(w.f.DER(t), 0) }, verdict.NotValid, verdict.SVTrailingData},
		{"another generation", func(_ *testing.T, w *world) { w.version(6) }, verdict.CannotDetermine, verdict.SVVersionUnsupported},
		{"mixed generations", func(_ *testing.T, w *world) { w.f.TBSVersion = 5 }, verdict.NotValid, verdict.SVFormatError},
		{"holds CMS", func(t *testing.T, w *world) { w.in.Value = w.Message(w.f.Original).DER(t) }, verdict.NotValid, verdict.SVTypeMismatch},
		{"holds a bare value", func(t *testing.T, w *world) { w.in.Value = w.Signer.Sign(t, w.f.Original) }, verdict.NotValid, verdict.SVTypeMismatch},

		{"wrong signature", func(_ *testing.T, w *world) { w.f.Value = flip }, verdict.NotValid, verdict.SignatureInvalid},
		{"unknown algorithm", func(_ *testing.T, w *world) { w.f.Alg = "1.2.840.113549.1.1.5" }, verdict.NotValid, verdict.SigAlgUnsupported},
		{"another method declared", func(_ *testing.T, w *world) { w.in.SignatureMethod = "1.2.840.113549.1.1.11" }, verdict.NotValid, verdict.SigAlgMismatch},
		{"ECDSA under SM2's name", func(t *testing.T, w *world) {
			w.f.Cert = nistCert(t)
			w.f.List = [][]byte{w.f.Cert}
		}, verdict.NotValid, verdict.SigAlgMismatch},
		{"unreadable certificate", func(_ *testing.T, w *world) { w.f.Cert = []byte("no certificate") }, verdict.NotValid, verdict.SignerCertEncoding},
		{"signer not in the seal", func(_ *testing.T, w *world) { w.f.List = [][]byte{w.MakerCert} }, verdict.NotValid, verdict.SignerNotInSeal},
		{"digest not in the seal", func(_ *testing.T, w *world) {
			w.f.CertListType, w.f.List = 2, [][]byte{make([]byte, 32)}
		}, verdict.NotValid, verdict.SignerNotInSeal},
		{"unknown list", func(_ *testing.T, w *world) { w.f.CertListType = 3 }, verdict.NotValid, verdict.CertlistTypeUnknown},
		{"another seal file", func(t *testing.T, w *world) { w.in.SealFile = w.Seal(t, "42990000000002") }, verdict.NotValid, verdict.SealFileMismatch},
		{"malformed seal", func(_ *testing.T, w *world) { w.f.Seal = []byte{0x30, 3, 2, 1, 4} }, verdict.NotValid, verdict.SealFormatError},
		{"wrong seal signature", func(_ *testing.T, w *world) { w.f.SealValue = flip }, verdict.NotValid, verdict.SealSignatureInvalid},

		{"no trust", func(_ *testing.T, w *world) { w.in.Trust = nil }, verdict.CannotDetermine, verdict.TrustAnchorUnknown},
		{"foreign signer", func(t *testing.T, w *world) {
			other := sealtest.New(t)
			w.f.Cert, w.f.Signer, w.f.List = other.SignerCert, other.Signer, [][]byte{other.SignerCert}
		}, verdict.NotValid, verdict.SignerCertUntrusted}, // the same names, other keys
		{"foreign maker", func(t *testing.T, w *world) {
			other := sealtest.New(t)
			w.f.MakerCert, w.f.Maker = other.MakerCert, other.Maker
		}, verdict.NotValid, verdict.SealMakerCertUntrusted},
		{"role", func(t *testing.T, w *world) {
			l := w.List()
			l.Anchors[0].Roles = []pki.Role{pki.RoleSealMaker}
			trust, err := l.Trust()
			if err != nil {
				t.Fatal(err)
			}
			w.in.Trust = trust
		}, verdict.NotValid, verdict.TrustRoleNotAllowed},
		{"signer's key usage", func(_ *testing.T, w *world) { w.f.Cert, w.f.List = w.Cipher, [][]byte{w.Cipher} }, verdict.NotValid, verdict.SignerCertKeyUsage},
		{"maker's key usage", func(_ *testing.T, w *world) { w.f.MakerCert, w.f.Maker = w.Cipher, w.Signer }, verdict.NotValid, verdict.SealMakerCertKeyUsage},

		{"future", func(_ *testing.T, w *world) { w.in.At = w.f.At.Add(-time.Hour) }, verdict.NotValid, verdict.SignTimeInFuture},
		{"before the certificate", func(_ *testing.T, w *world) { w.f.At = now.Add(-day) }, verdict.NotValid, verdict.SignTimeOutsideCertValidity},
		{"before the seal", func(_ *testing.T, w *world) { w.f.Start = now.Add(20 * day) }, verdict.NotValid, verdict.SignTimeOutsideSealValidity},
		{"after the seal", func(_ *testing.T, w *world) {
			w.f.At = now.Add(310 * day)
			w.in.At = now.Add(320 * day)
		}, verdict.NotValid, verdict.SignTimeOutsideSealValidity},
		{"after the certificate, untrusted", func(_ *testing.T, w *world) {
			w.in.Trust = nil
			w.f.At, w.f.End = now.Add(500*day), now.Add(600*day)
			w.later()
		}, verdict.NotValid, verdict.SignTimeOutsideCertValidity},
		{"seal ended since, time claimed", func(_ *testing.T, w *world) { w.in.At = now.Add(320 * day) }, verdict.CannotDetermine, verdict.SealExpired},
		{"certificate ended since, time claimed", func(_ *testing.T, w *world) {
			w.f.End = now.Add(900 * day)
			w.later()
		}, verdict.CannotDetermine, verdict.SignerCertExpired},
		{"all ended since, time proven", func(_ *testing.T, w *world) {
			w.later()
			w.proven(w.f.At.Add(time.Minute))
		}, verdict.Valid, ""},
		{"all ended since, proven too late", func(_ *testing.T, w *world) {
			w.later()
			w.proven(now.Add(500 * day))
		}, verdict.CannotDetermine, verdict.SignerCertExpired},
		{"claimed after the proof", func(_ *testing.T, w *world) { w.proven(w.f.At.Add(-time.Hour)) }, verdict.NotValid, verdict.SignTimeAfterProof},

		{"made outside the maker's certificate", func(_ *testing.T, w *world) { w.f.Created = now.Add(400 * day) }, verdict.NotValid, verdict.SealMadeOutsideMakerCert},
		{"made before the maker's certificate", func(_ *testing.T, w *world) { w.f.Created = now.Add(-day) }, verdict.NotValid, verdict.SealMakerCertNotYetValid},
		{"maker ended since", func(t *testing.T, w *world) { w.shortMaker(t) }, verdict.Valid, verdict.SealMakerCertExpired},
		{"maker ended since, by policy", func(t *testing.T, w *world) {
			w.shortMaker(t)
			w.in.Policy = &seal.Policy{RefuseExpiredMaker: true}
		}, verdict.NotValid, verdict.SealMakerCertExpired},

		{"signer revoked before", func(_ *testing.T, w *world) { w.in.Revoked = revoked(w.SignerCert, w.f.At) }, verdict.NotValid, verdict.CertRevokedBeforeSigning},
		{"signer revoked after, proven", func(_ *testing.T, w *world) {
			w.in.Revoked = revoked(w.SignerCert, w.f.At.Add(time.Minute))
			w.proven(w.f.At.Add(time.Second))
		}, verdict.Valid, verdict.CertRevokedAfterSigning},
		{"signer revoked after, claimed", func(_ *testing.T, w *world) {
			w.in.Revoked = revoked(w.SignerCert, w.f.At.Add(time.Minute))
		}, verdict.CannotDetermine, verdict.SignerCertRevoked},
		{"signer revoked after the time judged", func(_ *testing.T, w *world) {
			w.in.Revoked = revoked(w.SignerCert, w.in.At.Add(time.Minute))
		}, verdict.Valid, verdict.SignTimeUnproven},
		{"nobody revoked", func(_ *testing.T, w *world) { w.in.Revoked = revoked(nil, now) }, verdict.Valid, verdict.SignTimeUnproven},
		{"no revocation information", func(*testing.T, *world) {}, verdict.Valid, verdict.RevocationUnchecked},
		{"maker revoked before", func(_ *testing.T, w *world) { w.in.Revoked = revoked(w.MakerCert, now) }, verdict.NotValid, verdict.SealMakerCertRevoked},
		{"maker revoked after, claimed", func(_ *testing.T, w *world) {
			w.in.Revoked = revoked(w.MakerCert, now.Add(time.Hour))
		}, verdict.CannotDetermine, verdict.SealMakerCertRevoked},
		{"maker revoked after, proven", func(_ *testing.T, w *world) {
			w.in.Revoked = revoked(w.MakerCert, w.f.At.Add(time.Minute))
			w.proven(w.f.At.Add(time.Second))
		}, verdict.Valid, verdict.SealMakerCertRevoked},
		{"seal cancelled before", func(_ *testing.T, w *world) {
			w.in.Filed = &seal.Filed{State: seal.StateCancelled, Since: w.f.At}
		}, verdict.NotValid, verdict.SealRevoked},
		{"seal suspended after, claimed", func(_ *testing.T, w *world) {
			w.in.Filed = &seal.Filed{State: seal.StateSuspended, Since: w.f.At.Add(time.Minute)}
		}, verdict.CannotDetermine, verdict.SealSuspended},
		{"seal cancelled after, proven", func(_ *testing.T, w *world) {
			w.in.Filed = &seal.Filed{State: seal.StateCancelled, Since: w.f.At.Add(time.Minute)}
			w.proven(w.f.At.Add(time.Second))
		}, verdict.Valid, verdict.SealRevoked},
		{"seal in use", func(_ *testing.T, w *world) { w.in.Filed = &seal.Filed{State: seal.StateActive, Since: now} }, verdict.Valid, verdict.SignTimeUnproven},

		{"another original", func(_ *testing.T, w *world) { w.in.SignatureXML = []byte("<other/>") }, verdict.NotValid, verdict.DatahashMismatch},
		{"digest with Z", func(t *testing.T, w *world) {
			e, err := gm.SignatureDigest(w.Signer.SM2(), w.f.Original)
			if err != nil {
				t.Fatal(err)
			}
			w.f.DataHash = e[:]
		}, verdict.NotValid, verdict.DatahashMismatch},
		{"no original", func(_ *testing.T, w *world) { w.in.SignatureXML = nil }, verdict.CannotDetermine, verdict.DatahashUnchecked},
		{"another place", func(_ *testing.T, w *world) { w.in.SignaturePath = "/Doc_0/Signs/Sign_1/Signature.xml" }, verdict.Valid, verdict.PropertyinfoMismatch},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.make(t, w)
			if w.in.Value == nil {
				w.in.Value = w.f.DER(t)
			}
			got := seal.JudgeSignature(w.in)
			word(t, got.Checks, c.word, c.code)
		})
	}
}

func word(t *testing.T, checks []verdict.Check, want verdict.Word, code verdict.Code) {
	t.Helper()
	if w := verdict.Fold(checks); w != want {
		t.Errorf("verdict %s, want %s: %+v", w, want, checks)
	}
	if code != "" && !has(checks, code) {
		t.Errorf("no %s: %+v", code, checks)
	}
	for _, c := range checks {
		if _, known := verdict.Lookup(c.Code); c.Code != "" && !known {
			t.Errorf("%s is in no table", c.Code)
		}
	}
}

// shortMaker gives the seal a maker whose certificate ends two days after Now.
func (w *world) shortMaker(t *testing.T) {
	t.Helper()
	der, err := w.CA.IssueSigning(t.Context(), pki.Subject{CommonName: "短期制章"}, w.Maker.SM2(), 2*sealtest.Day)
	if err != nil {
		t.Fatal(err)
	}
	w.f.MakerCert = der
}

// nistCert is a certificate of a P-256 key.
func nistCert(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "P-256"},
		NotBefore: sealtest.Now(), NotAfter: sealtest.Now().Add(365 * sealtest.Day), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
