package seal

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// Types of signatures in a document's list.
const (
	TypeSeal = "Seal"
	TypeSign = "Sign"
)

// JudgeSignature judges a signature of Type Seal: form, signature value, signer, seal, times, original (GB/T 38540-2020,
// GM/T 0031-2025). It makes every check it can; the first failure hides no other.
func JudgeSignature(in SignatureInput) verdict.Signature {
	f := &findings{where: in.SignaturePath}
	out := verdict.Signature{ID: in.ID, Type: TypeSeal, ProvenAt: utc(in.ProvenAt)}
	s := f.open(in.Value)
	if s == nil {
		out.Checks = f.checks
		return out
	}
	out.Standard = s.Version.Standard()
	claimed := s.SignedAt
	if !claimed.IsZero() {
		out.SignedAt = utc(&claimed)
	}

	f.method(in.SignatureMethod)
	signer := f.certificate("signer.certificate", s.Cert, verdict.SignerCertEncoding)
	if signer != nil {
		out.Signer = signer.CommonName()
		f.signature("signature", s.Algorithm, signer, s.RawTBS, s.Value, verdict.SignatureInvalid)
	}
	if proven := f.stamp(s, &in.Evidence); proven != nil {
		in.ProvenAt = proven
		out.ProvenAt = utc(proven)
	}
	if claimed.IsZero() {
		f.as("signing.time", verdict.SignTimeUnproven, verdict.Unknown, "the claimed time cannot be read")
		claimed = in.At
		if signer != nil {
			claimed = earliest(claimed, signer.NotAfter)
		}
		if s.Seal != nil {
			claimed = earliest(claimed, s.Seal.ValidEnd)
		}
	} else {
		f.time(&in.Evidence, claimed)
	}
	if s.Seal != nil {
		f.admitted(s)
	}
	f.sealFile(in.SealFile, s)
	if s.Seal == nil {
		f.sealForm(s.SealErr)
	} else {
		f.ok("seal.format")
		f.seal(s.Seal, &in.Evidence, claimed)
		f.sealWindow(s.Seal, &in.Evidence, claimed)
		f.filed(&in.Evidence, claimed)
	}
	if signer != nil {
		f.signer(signer, nil, &in.Evidence, claimed)
	}
	f.original(s, in, signer)
	f.exts("signature.extensions", s.Exts, in.policy())
	out.Checks = f.checks
	return out
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// open reads the value; nil when nothing more can be judged.
func (f *findings) open(value []byte) *Signature {
	const name = "signature.format"
	if len(value) == 0 {
		f.note(name, verdict.SVMissing, "")
		return nil
	}
	s, err := ParseSignature(value)
	switch {
	case err == nil:
		f.ok(name)
	case errors.Is(err, errTrailing):
		f.note(name, verdict.SVTrailingData, "")
	case isVersion(err):
		f.note(name, verdict.SVVersionUnsupported, err.Error())
		return nil
	case kindOf(value) != kindSES:
		f.note(name, verdict.SVTypeMismatch, "declared Seal, holds "+kindOf(value).String())
		return nil
	default:
		f.note(name, verdict.SVFormatError, err.Error())
		return nil
	}
	return s
}

// method compares what Signature.xml says with the one algorithm we accept in the value.
func (f *findings) method(m string) {
	switch strings.ToLower(strings.TrimSpace(m)) {
	case "":
	case pki.OIDSM2WithSM3, "sm2", "sm2withsm3", "sm3withsm2":
		f.ok("signature.method")
	default:
		f.note("signature.method", verdict.SigAlgMismatch, "the description names another algorithm")
	}
}

func (f *findings) admitted(s *Signature) {
	const name = "signer.in_seal"
	if t := s.Seal.CertListType; t != ListCertificates && t != ListDigests {
		return // seal.cert_list says so
	}
	if s.Seal.Admits(s.Cert) {
		f.ok(name)
		return
	}
	f.note(name, verdict.SignerNotInSeal, "")
}

func (f *findings) sealFile(file []byte, s *Signature) {
	switch {
	case file == nil:
		f.skip("seal.file", "there is no seal file")
	case bytes.Equal(file, s.RawSeal):
		f.ok("seal.file")
	default:
		f.note("seal.file", verdict.SealFileMismatch, "")
	}
}

// time judges the claimed time against now and against the proof.
func (f *findings) time(e *Evidence, claimed time.Time) {
	const name = "signing.time"
	skew := e.policy().skew()
	switch {
	case claimed.After(e.At.Add(skew)):
		f.note(name, verdict.SignTimeInFuture, "claimed "+claimed.Format(time.RFC3339))
	case e.ProvenAt == nil:
		f.note(name, verdict.SignTimeUnproven, "")
	case claimed.After(e.ProvenAt.Add(skew)):
		f.note(name, verdict.SignTimeAfterProof, "")
	default:
		f.ok(name)
	}
}

// sealWindow: the claimed time must lie inside the seal's dates; that the seal has ended since matters only while the
// time is not proven.
func (f *findings) sealWindow(s *Seal, e *Evidence, claimed time.Time) {
	const name = "seal.validity"
	if claimed.Before(s.ValidStart) || claimed.After(s.ValidEnd) {
		f.note(name, verdict.SignTimeOutsideSealValidity, "the seal is for "+span(s.ValidStart, s.ValidEnd))
		return
	}
	if s.ValidEnd.Before(e.At) && e.against(s.ValidEnd, claimed) == claimedBefore {
		f.as(name, verdict.SealExpired, verdict.Unknown, onlyClaimed)
		return
	}
	f.ok(name)
}

func span(from, to time.Time) string {
	return from.Format(time.RFC3339) + " to " + to.Format(time.RFC3339)
}

func (f *findings) filed(e *Evidence, claimed time.Time) {
	const name = "seal.registry"
	if e.Filed == nil {
		f.skip(name, "the registry was not asked")
		return
	}
	code := e.Filed.code()
	if code == "" || e.Filed.Since.After(e.At) {
		f.ok(name)
		return
	}
	switch e.against(e.Filed.Since.Add(-1), claimed) {
	case signedAfter:
		f.note(name, code, "before the signing time")
	case signedBefore:
		f.as(name, code, verdict.Warn, "after the signing time")
	case claimedBefore:
		f.as(name, code, verdict.Unknown, onlyClaimed)
	}
}

// signer judges the signer's certificate at the claimed time.
func (f *findings) signer(c *pki.Certificate, extra []*pki.Certificate, e *Evidence, claimed time.Time) {
	f.chain("signer.chain", e, c, extra, claimed, pki.RoleSealSigner, verdict.SignerCertUntrusted)
	if c.MaySign() {
		f.ok("signer.key_usage")
	} else {
		f.note("signer.key_usage", verdict.SignerCertKeyUsage, "")
	}
	const dates, revocation = "signer.dates", "signer.revocation"
	switch {
	case !c.Within(claimed):
		f.note(dates, verdict.SignTimeOutsideCertValidity, "the certificate is for "+span(c.NotBefore, c.NotAfter))
	case c.NotAfter.Before(e.At) && e.against(c.NotAfter, claimed) == claimedBefore:
		f.as(dates, verdict.SignerCertExpired, verdict.Unknown, onlyClaimed)
	default:
		f.ok(dates)
	}
	r := e.revocation(c)
	if !r.Known {
		f.note(revocation, verdict.RevocationUnchecked, "")
		return
	}
	if !r.Revoked || r.Since.After(e.At) {
		f.ok(revocation)
		return
	}
	switch e.against(r.Since.Add(-1), claimed) {
	case signedAfter:
		f.note(revocation, verdict.CertRevokedBeforeSigning, "")
	case signedBefore:
		f.note(revocation, verdict.CertRevokedAfterSigning, "")
	case claimedBefore:
		f.as(revocation, verdict.SignerCertRevoked, verdict.Unknown, onlyClaimed)
	}
}

// original compares the document with what was signed. Only plain SM3 counts; a digest that includes Z is told apart,
// because some producers write it.
func (f *findings) original(s *Signature, in SignatureInput, signer *pki.Certificate) {
	const name = "data_hash"
	if in.SignatureXML == nil {
		f.note(name, verdict.DatahashUnchecked, "")
	} else {
		d := gm.SM3(in.SignatureXML)
		switch {
		case bytes.Equal(d[:], s.DataHash):
			f.ok(name)
		case digestWithZ(signer, in.SignatureXML, s.DataHash):
			f.note(name, verdict.DatahashMismatch, "the digest was made with the signer's Z in front")
		default:
			f.note(name, verdict.DatahashMismatch, "")
		}
	}
	if in.SignaturePath != "" && s.PropertyInfo != in.SignaturePath {
		f.note("property_info", verdict.PropertyinfoMismatch, "")
	}
}

func digestWithZ(signer *pki.Certificate, original, have []byte) bool {
	if signer == nil {
		return false
	}
	key, ok := signer.SM2Key()
	if !ok {
		return false
	}
	e, err := gm.SignatureDigest(key, original)
	return err == nil && bytes.Equal(e[:], have)
}
