package seal

import (
	"bytes"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

const strictForm = gm.StrictDER

// SealInput is a seal on its own, outside any document.
type SealInput struct {
	Seal  []byte
	Where string // absolute path or field, for the checks
	Evidence
}

// JudgeSeal judges a seal alone, as of the time asked: outside its dates it is not valid. ProvenAt has no meaning here.
func JudgeSeal(in SealInput) []verdict.Check {
	f := &findings{where: in.Where}
	s, err := ParseSeal(in.Seal)
	if err != nil {
		f.sealForm(err)
	}
	if s == nil {
		return f.checks
	}
	if err == nil {
		f.ok("seal.format")
	}
	in.ProvenAt = nil
	f.seal(s, &in.Evidence, in.At)
	const name = "seal.validity"
	switch {
	case in.At.Before(s.ValidStart):
		f.note(name, verdict.SealNotYetValid, "from "+s.ValidStart.Format(time.RFC3339))
	case in.At.After(s.ValidEnd):
		f.note(name, verdict.SealExpired, "until "+s.ValidEnd.Format(time.RFC3339))
	default:
		f.ok(name)
	}
	if in.Filed == nil {
		f.skip("seal.registry", "the registry was not asked")
	} else if code := in.Filed.code(); code != "" && !in.Filed.Since.After(in.At) {
		f.note("seal.registry", code, "since "+in.Filed.Since.UTC().Format(time.RFC3339))
	} else {
		f.ok("seal.registry")
	}
	return f.checks
}

func (r *Filed) code() verdict.Code {
	switch r.State {
	case StateCancelled:
		return verdict.SealRevoked
	case StateSuspended:
		return verdict.SealSuspended
	case StateRequested, StateApproved, StateMade, StateFiled, StateActive, StateExpired:
		return ""
	}
	return ""
}

// sealForm notes why a seal's form is not good.
func (f *findings) sealForm(err error) {
	if isVersion(err) {
		f.note("seal.format", verdict.SVVersionUnsupported, err.Error())
		return
	}
	f.note("seal.format", verdict.SealFormatError, err.Error())
}

// seal judges what does not depend on the document: the maker's signature, the maker's certificate, the time stamp.
// used is when the seal was used: the claimed signing time, or the time asked for.
func (f *findings) seal(s *Seal, e *Evidence, used time.Time) {
	p := e.policy()
	f.exts("seal.extensions", s.Exts, p)
	if s.CertListType != ListCertificates && s.CertListType != ListDigests {
		f.note("seal.cert_list", verdict.CertlistTypeUnknown, "")
	}
	f.sealStamp(s, e, p)
	maker := f.certificate("seal.maker", s.MakerCert, verdict.SealFormatError)
	if maker == nil {
		return
	}
	f.signature("seal.signature", s.Algorithm, maker, s.message, s.Signature, verdict.SealSignatureInvalid)
	f.chain("seal.maker.chain", e, maker, nil, s.CreatedAt, pki.RoleSealMaker, verdict.SealMakerCertUntrusted)
	if maker.MaySign() {
		f.ok("seal.maker.key_usage")
	} else {
		f.note("seal.maker.key_usage", verdict.SealMakerCertKeyUsage, "")
	}
	f.makerDates(s, maker, p, used)
	f.makerRevocation(s, maker, e)
}

// makerDates: the certificate must have been good when the seal was made (GM/T 0031-2025); that it has ended since is
// information, or a failure by policy (a literal reading of the older texts).
func (f *findings) makerDates(s *Seal, maker *pki.Certificate, p Policy, used time.Time) {
	const name = "seal.maker.dates"
	if s.CreatedAt.Before(maker.NotBefore) {
		f.note(name, verdict.SealMakerCertNotYetValid, "")
	}
	if !maker.Within(s.CreatedAt) {
		f.note(name, verdict.SealMadeOutsideMakerCert, "made "+s.CreatedAt.Format(time.RFC3339))
		return
	}
	if !used.After(maker.NotAfter) {
		f.ok(name)
		return
	}
	r := verdict.Warn
	if p.RefuseExpiredMaker {
		r = verdict.Fail
	}
	f.as(name, verdict.SealMakerCertExpired, r, "ended "+maker.NotAfter.Format(time.RFC3339))
}

func (f *findings) makerRevocation(s *Seal, maker *pki.Certificate, e *Evidence) {
	const name = "seal.maker.revocation"
	r := e.revocation(maker)
	switch {
	case !r.Known:
		f.note(name, verdict.RevocationUnchecked, "")
	case !r.Revoked || r.Since.After(e.At):
		f.ok(name)
	case !r.Since.After(s.CreatedAt):
		f.note(name, verdict.SealMakerCertRevoked, "before the seal was made")
	case e.ProvenAt != nil && !e.ProvenAt.After(r.Since):
		f.as(name, verdict.SealMakerCertRevoked, verdict.Warn, "after the seal was made and used")
	default:
		// Whoever holds a stolen maker's key can date a seal as he likes.
		f.as(name, verdict.SealMakerCertRevoked, verdict.Unknown, "when the seal was made is not proven")
	}
}

func (e *Evidence) revocation(c *pki.Certificate) Revocation {
	if e.Revoked == nil {
		return Revocation{}
	}
	return e.Revoked(c)
}

// sealStamp judges the V5 seal's time stamp over the maker's signature value.
func (f *findings) sealStamp(s *Seal, e *Evidence, p Policy) {
	const name = "seal.timestamp"
	if s.TimeStamp == nil {
		if s.Version == V5 && p.RequireSealStamp {
			f.note(name, verdict.SealTimestampInvalid, "the policy asks for a time stamp and there is none")
		}
		return
	}
	at, fault := pki.CheckTimeStamp(s.TimeStamp, s.Signature, e.Trust)
	switch {
	case fault != nil && fault.Code == verdict.TrustAnchorUnknown:
		f.note(name, verdict.TimestampUnsupported, fault.Detail)
	case fault != nil:
		f.note(name, verdict.SealTimestampInvalid, fault.Detail)
	case s.CreatedAt.After(at.Add(p.skew())):
		f.note(name, verdict.SealTimestampBeforeCreate, "stamped "+at.Format(time.RFC3339))
	default:
		f.ok(name)
	}
}

// Admits reports whether a certificate is in the seal's list of signers: byte for byte, or by its SM3 digest.
func (s *Seal) Admits(cert []byte) bool {
	switch s.CertListType {
	case ListCertificates:
		for _, c := range s.Certs {
			if bytes.Equal(c, cert) {
				return true
			}
		}
	case ListDigests:
		d := gm.SM3(cert)
		for _, c := range s.CertDigests {
			if bytes.Equal(c, d[:]) {
				return true
			}
		}
	}
	return false
}
