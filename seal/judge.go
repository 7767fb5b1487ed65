package seal

import (
	"errors"
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// Policy is what the standards leave to the verifier. The zero value is the default.
type Policy struct {
	RefuseExpiredMaker bool          // a seal maker's certificate that ended between making and signing is fatal
	RequireSealStamp   bool          // a V5 seal must carry a time stamp
	RefuseUnknownExts  bool          // an unknown critical extension is fatal, else a warning
	ClockSkew          time.Duration // how far clocks may differ; 0 means five minutes
}

// PolicyOf is the part of a trust list's policies that seals are judged by.
func PolicyOf(p pki.Policies) Policy {
	return Policy{
		RefuseExpiredMaker: !p.AcceptExpiredMaker, RequireSealStamp: p.RequireSealStamp,
		RefuseUnknownExts: p.RefuseUnknownExts, ClockSkew: p.ClockSkewRefuse.Duration(),
	}
}

func (p Policy) skew() time.Duration {
	if p.ClockSkew <= 0 {
		return 5 * time.Minute
	}
	return p.ClockSkew
}

// Revocation is what is known about a certificate being revoked (吊销).
type Revocation struct {
	Known   bool
	Revoked bool
	Since   time.Time
}

// Revocations answers for a certificate; nil answers for none.
type Revocations func(*pki.Certificate) Revocation

// Filed is what the seal registry (印章状态发布) says of a seal that is not simply in use.
type Filed struct {
	State State // StateSuspended or StateCancelled; any other is in order
	Since time.Time
}

// Evidence is what all judging has in common.
type Evidence struct {
	At       time.Time  // the time judged as of
	ProvenAt *time.Time // proof that the signature existed by then, from a ledger with its witnesses; nil: none
	Trust    *pki.Trust // nil: nobody is known
	Policy   *Policy    // nil: the trust list's, else the default
	Revoked  Revocations
	Filed    *Filed // nil: the registry was not asked
}

func (e *Evidence) policy() Policy {
	if e.Policy != nil {
		return *e.Policy
	}
	return PolicyOf(e.Trust.Policies())
}

// SignatureInput is one signature of a document as the package holds it.
type SignatureInput struct {
	ID              string // of the signature list, copied to the verdict
	Value           []byte // SignedValue.dat; nil: missing
	SignatureXML    []byte // the original (原文); nil: not at hand, so what was signed stays unchecked
	SignaturePath   string // absolute path of Signature.xml in the package; "": unknown
	SealFile        []byte // Seal.esl; nil: none
	SignatureMethod string // of Signature.xml; "": none
	Certificate     []byte // Type Sign only: a certificate from elsewhere, for a value that holds none
	Evidence
}

// findings collects checks.
type findings struct {
	checks []verdict.Check
	where  string
}

func (f *findings) ok(name string) { f.checks = append(f.checks, verdict.OK(name, f.where)) }

func (f *findings) note(name string, code verdict.Code, detail string) {
	f.checks = append(f.checks, verdict.Note(name, code, f.where, detail))
}

// as notes a code with a milder or harder result than its usual one.
func (f *findings) as(name string, code verdict.Code, r verdict.Result, detail string) {
	c := verdict.Note(name, code, f.where, detail)
	c.Result = r
	f.checks = append(f.checks, c)
}

func (f *findings) skip(name, detail string) {
	f.checks = append(f.checks, verdict.Check{Name: name, Result: verdict.Skipped, Detail: detail, Where: f.where})
}

// order says how the end of something (a certificate, a seal) lies to the time of a signature.
type order int

const (
	signedAfter   order = iota // it had ended before the claimed time
	signedBefore               // proven: the signature existed before the end
	claimedBefore              // only claimed
)

// against compares with the last moment at which the thing was still good.
func (e *Evidence) against(end, claimed time.Time) order {
	switch {
	case claimed.After(end):
		return signedAfter
	case e.ProvenAt != nil && !e.ProvenAt.After(end):
		return signedBefore
	}
	return claimedBefore
}

const onlyClaimed = "intact, but when it was signed is not proven"

// chain judges the chain of a certificate at a time, and the role of the anchor that it reaches.
func (f *findings) chain(name string, e *Evidence, c *pki.Certificate, extra []*pki.Certificate, at time.Time, role pki.Role, broken verdict.Code) {
	switch ch := e.Trust.Chain(c, extra, at); ch.Result {
	case pki.ChainBroken:
		f.note(name, broken, ch.Detail)
	case pki.ChainUnknownRoot:
		f.note(name, verdict.TrustAnchorUnknown, ch.Detail)
	case pki.ChainAnchored:
		if !ch.Anchor.May(role) {
			f.note(name, verdict.TrustRoleNotAllowed, "the anchor is not trusted for "+string(role))
			return
		}
		f.ok(name)
	}
}

// certificate reads a certificate and passes its warnings on; nil when it cannot be read.
func (f *findings) certificate(name string, der []byte, unreadable verdict.Code) *pki.Certificate {
	c, checks := pki.ParseCertificate(der)
	if c == nil {
		f.note(name, unreadable, checks[0].Detail)
		return nil
	}
	for _, check := range checks {
		f.note(name, check.Code, check.Detail)
	}
	if len(c.UnknownCritical) > 0 {
		f.note(name, verdict.CertEncodingNonconformant, "unknown critical extension "+c.UnknownCritical[0])
	}
	return c
}

// signature checks one signature value with a certificate's key; it reports whether it holds.
func (f *findings) signature(name string, algorithm string, c *pki.Certificate, message, value []byte, wrong verdict.Code) bool {
	if algorithm != pki.OIDSM2WithSM3 {
		f.note(name, verdict.SigAlgUnsupported, "algorithm "+algorithm)
		return false
	}
	form, err := pki.CheckSignature(algorithm, c.PublicKey, message, value)
	switch {
	case errors.Is(err, pki.ErrAlgorithmMismatch):
		f.note(name, verdict.SigAlgMismatch, "the certificate's key is not an SM2 key")
		return false
	case err != nil:
		f.note(name, wrong, "")
		return false
	}
	f.ok(name)
	if form != strictForm {
		f.note(name+".encoding", verdict.SignatureEncoding, "the value is in "+string(form)+" form")
	}
	return true
}

func (f *findings) exts(name string, exts []Ext, p Policy) {
	for _, e := range exts {
		if !e.Critical {
			continue
		}
		r := verdict.Warn
		if p.RefuseUnknownExts {
			r = verdict.Fail
		}
		f.as(name, verdict.ExtensionUnknown, r, "unknown critical extension "+e.ID)
	}
}
