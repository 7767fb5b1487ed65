package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// kind tells the three things that lie in SignedValue.dat in the field apart, by shape alone.
type kind int

const (
	kindSES  kind = iota // anything else: judged as a seal signature
	kindCMS              // GB/T 35275 or PKCS#7 SignedData
	kindBare             // r and s alone
)

func (k kind) String() string {
	switch k {
	case kindSES:
		return "a seal signature"
	case kindCMS:
		return "signed data"
	case kindBare:
		return "a bare signature"
	}
	return ""
}

func kindOf(value []byte) kind {
	if pki.IsSignedData(value) {
		return kindCMS
	}
	if _, _, ok := gm.NormalizeSignature(value); ok {
		return kindBare
	}
	return kindSES
}

// looksSES reports whether the value is shaped like a seal signature: a SEQUENCE that begins with a SEQUENCE that begins
// with an INTEGER.
func looksSES(value []byte) bool {
	in := cryptobyte.String(value)
	var outer, first cryptobyte.String
	return in.ReadASN1(&outer, asn1.SEQUENCE) && outer.ReadASN1(&first, asn1.SEQUENCE) && first.PeekASN1Tag(asn1.INTEGER)
}

// JudgeSign judges a signature of Type Sign (数字签名): GB/T 35275 signed data in the encodings of the field, or a bare SM2
// signature over Signature.xml, which needs a certificate from elsewhere.
func JudgeSign(in SignatureInput) verdict.Signature {
	f := &findings{where: in.SignaturePath}
	out := verdict.Signature{ID: in.ID, Type: TypeSign, ProvenAt: utc(in.ProvenAt)}
	switch {
	case len(in.Value) == 0:
		f.note("signature.format", verdict.SVMissing, "")
	case kindOf(in.Value) == kindBare:
		out.Standard = "bare SM2 signature over Signature.xml"
		f.bare(in, &out)
	case kindOf(in.Value) == kindCMS:
		out.Standard = "GB/T 35275"
		f.signedData(in, &out)
	case looksSES(in.Value):
		f.note("signature.format", verdict.SVTypeMismatch, "declared Sign, holds a seal signature")
	default:
		f.note("signature.format", verdict.SVFormatError, "neither signed data nor a signature")
	}
	out.Checks = f.checks
	return out
}

func (f *findings) bare(in SignatureInput, out *verdict.Signature) {
	f.ok("signature.format")
	f.method(in.SignatureMethod)
	if in.Certificate == nil {
		f.note("signature", verdict.NoCertificate, "")
		return
	}
	c := f.certificate("signer.certificate", in.Certificate, verdict.SignerCertEncoding)
	if c == nil {
		return
	}
	out.Signer = c.CommonName()
	if in.SignatureXML == nil {
		f.note("signature", verdict.DatahashUnchecked, "")
	} else {
		f.signature("signature", pki.OIDSM2WithSM3, c, in.SignatureXML, in.Value, verdict.SignatureInvalid)
	}
	f.untimed(c, nil, &in.Evidence)
}

// untimed judges a signer where no time is claimed at all: as of the last moment that speaks for the signature, which then
// still has to be proven.
func (f *findings) untimed(c *pki.Certificate, extra []*pki.Certificate, e *Evidence) {
	if e.ProvenAt == nil {
		f.note("signing.time", verdict.SignTimeUnproven, "no time is claimed")
	} else {
		f.ok("signing.time")
	}
	last := earliest(e.At, c.NotAfter)
	if r := e.revocation(c); r.Revoked {
		last = earliest(last, r.Since.Add(-time.Second))
	}
	if e.ProvenAt != nil {
		last = earliest(last, *e.ProvenAt)
	}
	f.signer(c, extra, e, last)
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func (f *findings) signedData(in SignatureInput, out *verdict.Signature) {
	sd, err := pki.ReadSignedData(in.Value)
	if err != nil {
		if trailing(in.Value) {
			f.note("signature.format", verdict.SVTrailingData, "")
		} else {
			f.note("signature.format", verdict.SVFormatError, err.Error())
		}
		return
	}
	f.ok("signature.format")
	f.method(in.SignatureMethod)
	if len(sd.Signers) == 0 {
		f.note("signature", verdict.SignedDataEmpty, "")
		return
	}
	f.content(sd, in.SignatureXML)
	var others []*pki.Certificate
	if in.Certificate != nil {
		if c, err := pki.Read(in.Certificate); err == nil {
			others = append(others, c)
		}
	}
	for i := range sd.Signers {
		f.signerInfo(sd, &sd.Signers[i], others, in, out, i == 0)
	}
}

// trailing reports whether value is one DER element with bytes behind it.
func trailing(value []byte) bool {
	in := cryptobyte.String(value)
	var first cryptobyte.String
	return in.ReadASN1Element(&first, asn1.SEQUENCE) && !in.Empty()
}

// content compares what the message holds with the original: its SM3, the Base64 text of that, or the original itself.
func (f *findings) content(sd *pki.SignedData, original []byte) {
	const name = "data_hash"
	if original == nil {
		f.note(name, verdict.DatahashUnchecked, "")
		return
	}
	if sd.Content == nil {
		return // detached: each signer's digest or signature is over the original
	}
	d := gm.SM3(original)
	switch {
	case bytes.Equal(sd.Content, d[:]), bytes.Equal(sd.Content, original),
		string(sd.Content) == base64.StdEncoding.EncodeToString(d[:]):
		f.ok(name)
	default:
		f.note(name, verdict.CMSContentMismatch, "")
	}
}

func (f *findings) signerInfo(sd *pki.SignedData, si *pki.SignerInfo, others []*pki.Certificate, in SignatureInput, out *verdict.Signature, first bool) {
	content := sd.Content
	if content == nil {
		content = in.SignatureXML
	}
	if si.HasAttributes && content != nil {
		want, ok := pki.DigestOf(si.Digest, content)
		switch {
		case !ok:
			f.note("message_digest", verdict.DigestMethodUnsupported, si.Digest)
		case bytes.Equal(want, si.MessageDigest):
			f.ok("message_digest")
		default:
			f.note("message_digest", verdict.CMSMessageDigestMismatch, "")
		}
	}
	found := sd.Signer(si, others...)
	if found == nil {
		f.note("signature", verdict.CMSSignerCertMissing, "")
		return
	}
	c := f.certificate("signer.certificate", found.Raw, verdict.SignerCertEncoding)
	if c == nil {
		return
	}
	if content == nil && !si.HasAttributes {
		f.note("signature", verdict.DatahashUnchecked, "")
	} else {
		f.signerValue(si, c, content)
	}
	if first {
		out.Signer = c.CommonName()
	}
	if si.SigningTime.IsZero() {
		f.untimed(c, sd.Certificates, &in.Evidence)
		return
	}
	if first {
		out.SignedAt = utc(&si.SigningTime)
	}
	f.time(&in.Evidence, si.SigningTime)
	f.signer(c, sd.Certificates, &in.Evidence, si.SigningTime)
}

func (f *findings) signerValue(si *pki.SignerInfo, c *pki.Certificate, content []byte) {
	form, err := si.Verify(c, content)
	switch {
	case errors.Is(err, pki.ErrAlgorithmUnsupported):
		f.note("signature", verdict.SigAlgUnsupported, "algorithm "+si.Algorithm)
	case errors.Is(err, pki.ErrAlgorithmMismatch):
		f.note("signature", verdict.SigAlgMismatch, "the certificate's key does not fit the algorithm")
	case err != nil:
		f.note("signature", verdict.SignatureInvalid, "")
	default:
		f.ok("signature")
		if form != strictForm {
			f.note("signature.encoding", verdict.SignatureEncoding, "the value is in "+string(form)+" form")
		}
	}
}
