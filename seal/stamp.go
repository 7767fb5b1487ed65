package seal

import (
	"time"

	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// stamp judges the time stamp over the signature value and gives the time by which the signature is proven to have
// existed: the stamp's, if it is good and earlier than other proof. nil: the stamp proves nothing.
func (f *findings) stamp(s *Signature, e *Evidence) *time.Time {
	const name = "timestamp"
	if s.TimeStamp == nil {
		return nil
	}
	if s.Version == V1 {
		// The text of 2014 does not say what the token in timeInfo is over.
		f.note(name, verdict.TimestampUnsupported, "a token in place of the claimed time")
		return nil
	}
	at, fault := pki.CheckTimeStamp(s.TimeStamp, s.Value, e.Trust)
	skew := e.policy().skew()
	switch {
	case fault != nil && fault.Code == verdict.TrustAnchorUnknown:
		f.note(name, verdict.TimestampUnsupported, fault.Detail)
		return nil
	case fault != nil:
		f.note(name, fault.Code, fault.Detail)
		return nil
	case at.After(e.At.Add(skew)):
		f.note(name, verdict.TimestampTimeInvalid, "stamped in the future")
		return nil
	case s.SignedAt.After(at.Add(skew)):
		f.as(name, verdict.TimestampTimeInvalid, verdict.Warn, "stamped before the claimed signing time")
		return nil
	}
	f.ok(name)
	if e.ProvenAt != nil && e.ProvenAt.Before(at) {
		return e.ProvenAt
	}
	return &at
}
