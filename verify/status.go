package verify

import (
	"encoding/base32"
	"encoding/hex"
	"slices"
	"time"

	"github.com/yinxin-trust/yinxin/internal/gm"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/license"
	"github.com/yinxin-trust/yinxin/ofd"
	"github.com/yinxin-trust/yinxin/seal/pki"
)

// The names of the checks that speak of time and status, not of the file.
const (
	checkDates  = "license.dates"
	checkStatus = "license.status"
)

// Broken are the failures of a report that its file will always have, which are all but those of dates and status: what a
// maker of licenses must not let out. A license may well be made that is to hold from a later day.
func Broken(r verdict.Report) []verdict.Check {
	checks := append([]verdict.Check(nil), r.Checks...)
	for _, s := range r.Signatures {
		checks = append(checks, s.Checks...)
	}
	return slices.DeleteFunc(checks, func(c verdict.Check) bool {
		return c.Result != verdict.Fail || c.Name == checkDates || c.Name == checkStatus
	})
}

// judgeDates checks the validity that the license itself states, by the calendar of the province. A code knows the day of
// issue and the end; from is the day from which a file says that it holds, "" where nothing says so.
func (j Judge) judgeDates(r *verdict.Report, s license.Static, from string) {
	const name = checkDates
	today := j.At.In(chinaTime()).Format(time.DateOnly)
	switch {
	case s.ExpiryDate != "" && today > s.ExpiryDate:
		r.Subject.Status = string(license.Expired)
		r.Checks = append(r.Checks, verdict.Note(name, verdict.StatusExpired, "", "valid until "+s.ExpiryDate))
	case today < s.IssueDate:
		r.Checks = append(r.Checks, verdict.Note(name, verdict.StatusNotYetValid, "", "issued on "+s.IssueDate))
	case today < from:
		r.Checks = append(r.Checks, verdict.Note(name, verdict.StatusNotYetValid, "", "valid from "+from))
	default:
		r.Checks = append(r.Checks, verdict.OK(name, ""))
	}
}

// judgeStatus reads the signed status, and gives the time as of which the license is known to be in force.
func (j Judge) judgeStatus(r *verdict.Report, s license.Static, status []byte) time.Time {
	const name = checkStatus
	note := func(code verdict.Code, detail string) {
		r.Checks = append(r.Checks, verdict.Note(name, code, "", detail))
	}
	if status == nil {
		note(verdict.StatusUnknown, "no status evidence was at hand")
		return j.At
	}
	e, err := license.ParseStatusEvidence(status)
	if err != nil {
		note(verdict.StatusInvalid, "the status evidence cannot be read")
		return j.At
	}
	id, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(e.KeyID)
	if err != nil {
		note(verdict.StatusInvalid, "the status evidence names no key")
		return j.At
	}
	key := j.Trust.issuer(hex.EncodeToString(id), pki.PurposeStatusList, e.IssuedAt)
	skew := j.Trust.pki.Policies().ClockSkewRefuse.Duration()
	maxAge := j.Trust.pki.Policies().StatusMaxAge.Duration()
	switch {
	case key == nil:
		note(verdict.TrustAnchorUnknown, "the trust list does not know the key of the status evidence")
		return j.At
	case !e.Verify(key):
		note(verdict.StatusInvalid, "the status evidence's signature does not verify")
		return j.At
	case e.List != s.List || e.Index != s.Index:
		note(verdict.ProofWrongSubject, "the status evidence is about another license")
		return j.At
	case e.IssuedAt.After(j.At.Add(skew)):
		note(verdict.StatusUnknown, "the status evidence is later than the time asked for")
		return j.At
	}
	asOf := e.IssuedAt.Format(time.RFC3339)
	if e.Value == license.StatusNot {
		note(verdict.StatusNotInForce, "as of "+asOf) // which no license comes back from, however old the evidence
		return e.IssuedAt
	}
	if j.At.Sub(e.IssuedAt) > maxAge || j.At.After(e.NextUpdate.Add(skew)) {
		note(verdict.StatusStale, "the status evidence is of "+asOf)
		return j.At
	}
	switch e.Value {
	case license.StatusSuspended:
		r.Subject.Status = string(license.Suspended)
		note(verdict.StatusSuspended, "as of "+asOf)
		return e.IssuedAt
	case license.StatusOurs:
		r.Subject.Status = string(license.Accepted)
		note(verdict.StatusPending, "as of "+asOf)
		return e.IssuedAt
	}
	if r.Subject.Status == "" {
		r.Subject.Status = string(license.Issued)
	}
	r.Checks = append(r.Checks, verdict.Check{Name: name, Result: verdict.Pass, Detail: "in force as of " + asOf})
	return e.IssuedAt
}

// judgeKept takes the word of whoever keeps the license, as of now.
func (j Judge) judgeKept(r *verdict.Report, issuing *ofd.SignatureEntry, k *Known) time.Time {
	const name = checkStatus
	note := func(code verdict.Code) {
		detail := ""
		if !k.Since.IsZero() {
			detail = "since " + k.Since.UTC().Format(time.RFC3339) + ", decided by " + k.Office + ", reason " + k.Reason
		}
		r.Checks = append(r.Checks, verdict.Note(name, code, "", detail))
	}
	if r.Ledger.State == "" || r.Ledger.State == ledger.StateAbsent {
		r.Ledger.State = k.Ledger
		if k.Ledger != ledger.StateIncluded && k.Ledger != ledger.StatePromised {
			r.Ledger.State = ledger.StateAbsent // accepted by the service, not yet by the log
		}
	}
	if k.State != license.Accepted && (issuing == nil || gm.SM3(issuing.Raw) != gm.Digest(digest32(k.Document))) {
		r.Checks = append(r.Checks, verdict.Note("license.document", verdict.ProofWrongSubject, "", "another file was issued for this license"))
	}
	if r.Subject.Status == "" || k.State != license.Issued {
		r.Subject.Status = string(k.State)
	}
	switch k.State {
	case license.Issued:
		r.Checks = append(r.Checks, verdict.Check{Name: name, Result: verdict.Pass, Detail: "in force now"})
	case license.Draft, license.Accepted:
		note(verdict.StatusPending)
	case license.Suspended:
		note(verdict.StatusSuspended)
	case license.Revoked:
		note(verdict.StatusRevoked)
	case license.Expired:
		note(verdict.StatusExpired)
	case license.Superseded:
		note(verdict.StatusSuperseded)
	case license.Cancelled:
		note(verdict.StatusCancelled)
	case license.Archived:
		note(verdict.StatusNotInForce)
	default:
		note(verdict.StatusUnknown)
	}
	return j.At
}

// digest32 is a stored digest; one of another length equals no digest of a file.
func digest32(b []byte) (d [32]byte) {
	if len(b) == len(d) {
		copy(d[:], b)
	}
	return d
}

// chinaTime is the province's calendar. A fixed zone: China has had no daylight saving since 1991.
func chinaTime() *time.Location { return time.FixedZone("CST", 8*3600) }
