package license

import (
	"context"
	"fmt"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/verdict"
)

// The names of the checks of a code.
const (
	checkForm      = "code.form"
	checkSignature = "code.signature"
	checkTime      = "code.time"
	checkUse       = "code.use"
	checkFace      = "code.face"
	checkStatus    = "license.status"
	checkValidity  = "license.validity"
)

// CheckCode judges a dynamic or a static code. What is wrong with a code is an Outcome, never an error: errors are for a
// caller who did not say who it is. An authenticated verifier uses an acceptable dynamic code up, once; anybody else learns
// kind, office and state, and uses nothing up.
func (s *Service) CheckCode(ctx context.Context, text string, by Verifier) (Outcome, error) {
	if by.Authenticated && by.Act.Actor == "" {
		return Outcome{}, fault.New(fault.Unauthenticated, "actor_missing", "the act does not say who acts")
	}
	kind, payload, err := SplitCode(text)
	if err != nil {
		return s.malformed(), nil
	}
	if kind == CodeStatic {
		return s.checkStatic(ctx, payload, by)
	}
	d, err := ParseDynamic(payload)
	if err != nil {
		return s.malformed(), nil
	}
	for range 3 { // the license may change between reading and using up
		o, again, err := s.checkDynamic(ctx, d, by)
		if err != nil || !again {
			return o, err
		}
	}
	return s.unknown("code", "the license is being changed at this moment"), nil
}

func (s *Service) malformed() Outcome {
	return s.settle(Outcome{Report: verdict.Report{
		Subject: verdict.Subject{Kind: "code"}, Checks: []verdict.Check{verdict.Note(checkForm, verdict.CodeMalformed, "", "")},
	}})
}

// unknown is the answer when the license's cell does not.
func (s *Service) unknown(kind, detail string) Outcome {
	return s.settle(Outcome{Report: verdict.Report{
		Subject: verdict.Subject{Kind: kind},
		Checks:  []verdict.Check{verdict.OK(checkForm, ""), verdict.Note(checkStatus, verdict.StatusUnknown, "", detail)},
	}})
}

func (s *Service) forged(detail string) Outcome {
	return s.settle(Outcome{Report: verdict.Report{
		Subject: verdict.Subject{Kind: "code"},
		Checks:  []verdict.Check{verdict.OK(checkForm, ""), verdict.Note(checkSignature, verdict.CodeSignatureInvalid, "", detail)},
	}})
}

func (s *Service) settle(o Outcome) Outcome {
	o.Report.Settle(false, s.now())
	return o
}

// outdated is the outcome for a code too old for its handle to be kept.
func (s *Service) outdated() Outcome {
	return s.settle(Outcome{Report: verdict.Report{Subject: verdict.Subject{Kind: "code"}, Checks: []verdict.Check{
		verdict.OK(checkForm, ""), verdict.Note(checkTime, verdict.CodeExpired, "", "too old to be looked up"),
	}}})
}

// absent turns the error of a read into an outcome, or into an error if it is not about the cell.
func (s *Service) absent(err error) (Outcome, error) {
	switch fault.KindOf(err) {
	case fault.NotFound:
		return s.forged("there is no such code"), nil
	case fault.Unavailable:
		return s.unknown("code", "the office's records do not answer"), nil
	case fault.Internal, fault.Invalid, fault.Unauthenticated, fault.Forbidden, fault.Conflict, fault.TooLarge, fault.TooMany:
	}
	return Outcome{}, err
}

func (s *Service) checkDynamic(ctx context.Context, d Dynamic, by Verifier) (o Outcome, again bool, err error) {
	h, err := s.Store.Handle(ctx, d.Handle)
	if err != nil {
		// Old handles are removed. A code that says itself that it is old tells a clerk the same either way: ask for a fresh
		// one. Nobody gains by claiming it.
		if old := s.now().Sub(d.At) > s.Policy.CodeLife+s.Policy.SkewLimit; old && fault.KindOf(err) == fault.NotFound {
			return s.outdated(), false, nil
		}
		o, err = s.absent(err)
		return o, false, err
	}
	r := h.License
	secret, err := s.Vault.Cell(ctx, r.ID.Cell())
	if err == nil {
		var key []byte
		if key, err = secret.Open(ctx, h.Device, devicePlace(r.ID, h.Holder)); err == nil && !d.Verify(key) {
			return s.forged(""), false, nil
		}
	}
	if err != nil {
		o, err = s.absent(err)
		return o, false, err
	}
	now := s.now()
	o, k, err := s.about(r)
	if err != nil {
		return Outcome{}, false, err
	}
	checks := append(o.Report.Checks, verdict.OK(checkForm, ""), verdict.OK(checkSignature, ""), s.codeTime(d.At, h.ExpiresAt, now))
	checks = append(checks, statusChecks(r, now)...)
	if !h.UsedAt.IsZero() {
		o.FirstUsedAt = h.UsedAt
		checks = append(checks, verdict.Note(checkUse, verdict.CodeUsed, "", ""))
	}
	o.Report.Checks = checks
	switch {
	case !by.Authenticated:
		o.FirstUsedAt = time.Time{}
		o.Report.Checks = append(o.Report.Checks, verdict.Note(checkUse, verdict.CodeNotConsumed, "", ""))
		return s.settle(o), false, nil
	case verdict.Fold(checks) != verdict.Valid:
		if err := s.Store.Record(ctx, r.ID, Record{At: now, Act: ActRefused, By: ActorVerifier, Who: verifierAct(by)}); err != nil {
			o, err = s.absent(err)
			return o, false, err
		}
		return s.settle(o), false, nil
	}
	return s.accept(ctx, o, h, d, k, by, now)
}

// accept uses the code up and discloses what the holder chose.
func (s *Service) accept(ctx context.Context, o Outcome, h HandleRow, d Dynamic, k Kind, by Verifier, now time.Time) (Outcome, bool, error) {
	r := h.License
	l, _, err := s.open(ctx, r)
	if err != nil {
		return Outcome{}, false, err
	}
	receipt, err := s.newID(r.ID.Cell())
	if err != nil {
		return Outcome{}, false, err
	}
	mask := d.Mask & k.AllMask()
	used, err := s.Store.Consume(ctx, d.Handle, r.ID, r.Revision, now, by.Audience, receipt, Record{
		At: now, Act: ActPresented, By: ActorVerifier, Who: verifierAct(by), Fields: fieldCodes(k, mask), Code: receipt.String(),
	})
	if fault.CodeOf(err) == "commit_unknown" { // the handle itself knows whether it was us
		var after HandleRow
		if after, err = s.Store.Handle(ctx, d.Handle); err == nil {
			used = string(after.Receipt) == string(receipt[:])
		}
	}
	if err != nil && fault.KindOf(err) == fault.Unavailable {
		return s.unknown("code", "the office's records do not answer"), false, nil
	}
	if err != nil || !used {
		return Outcome{}, true, err
	}
	o.Report.Checks = append(o.Report.Checks, verdict.OK(checkUse, ""))
	o.Report.Subject.ID = r.Identifier
	o.Face, o.Receipt = disclosed(l, k, mask), receipt.String()
	for _, v := range l.Holders {
		o.Holders = append(o.Holders, v.Masked())
	}
	return s.settle(o), false, nil
}

func (s *Service) checkStatic(ctx context.Context, payload []byte, by Verifier) (Outcome, error) {
	code, err := ParseStatic(payload)
	if err != nil {
		return s.malformed(), nil
	}
	signature, err := s.staticSignature(ctx, code)
	if err != nil {
		return Outcome{}, err
	}
	if signature.Code != "" {
		return s.settle(Outcome{Report: verdict.Report{
			Subject: verdict.Subject{Kind: "code"}, Checks: []verdict.Check{verdict.OK(checkForm, ""), signature},
		}}), nil
	}
	r, err := s.Store.License(ctx, code.License)
	if err != nil {
		return s.genuine(code, signature, err)
	}
	now := s.now()
	o, k, err := s.about(r)
	if err != nil {
		return Outcome{}, err
	}
	o.Report.Checks = append(o.Report.Checks, verdict.OK(checkForm, ""), signature)
	if k.Number != code.Kind || string(code.Face[:]) != string(r.FaceDigest) || code.List != r.StatusList || code.Index != r.StatusIndex {
		o.Report.Checks = append(o.Report.Checks, verdict.Note(checkFace, verdict.CodeFaceMismatch, "", ""))
		return s.settle(o), nil
	}
	o.Report.Checks = append(o.Report.Checks, statusChecks(r, now)...)
	l, _, err := s.open(ctx, r)
	if err != nil {
		return s.genuine(code, signature, err)
	}
	for _, v := range l.Holders {
		if v.Role != RoleGuardian {
			o.Holders = append(o.Holders, v.Masked())
		}
	}
	if by.Authenticated {
		err = s.Store.Record(ctx, r.ID, Record{At: now, Act: ActChecked, By: ActorVerifier, Who: verifierAct(by)})
	}
	return s.settle(o), err
}

// staticSignature judges a static code by the key that it names. A key that nobody here knows proves nothing either way: only
// a wrong signature under a known key is a forgery.
func (s *Service) staticSignature(ctx context.Context, code Static) (verdict.Check, error) {
	keys, err := s.Static.StaticKeys(ctx)
	if err != nil {
		return verdict.Check{}, err
	}
	known := false
	for _, pub := range keys {
		if KeyID(pub) != code.Key {
			continue
		}
		if code.Verify(pub) {
			return verdict.OK(checkSignature, ""), nil
		}
		known = true
	}
	if known {
		return verdict.Note(checkSignature, verdict.CodeSignatureInvalid, "", ""), nil
	}
	return verdict.Note(checkSignature, verdict.TrustAnchorUnknown, "", "the key of the code is none of this province's"), nil
}

// genuine is the answer for a static code whose signature is good and whose license cannot be read: lost, of a cell that
// this province does not have, or of one that does not answer. What the code itself says of its dates still holds.
func (s *Service) genuine(code Static, signature verdict.Check, err error) (Outcome, error) {
	detail := "the office's records do not answer"
	switch kind := fault.KindOf(err); {
	case kind == fault.NotFound:
		detail = "there is no record of the license here"
	case kind != fault.Unavailable:
		return Outcome{}, err
	}
	return s.settle(Outcome{Report: verdict.Report{
		Subject: verdict.Subject{Kind: "code"},
		Checks: []verdict.Check{
			verdict.OK(checkForm, ""), signature, verdict.Note(checkStatus, verdict.StatusUnknown, "", detail),
			validityCheck(code.IssueDate, code.ExpiryDate, s.now()),
		},
	}}), nil
}

// about is what anybody may know of a license whose code is genuine.
func (s *Service) about(r Row) (Outcome, Kind, error) {
	k, err := s.Catalogue.Version(r.Kind, r.KindVersion)
	if err != nil {
		return Outcome{}, Kind{}, err
	}
	o := Outcome{
		KindName: k.Name, OfficeName: s.officeName(r.Office), State: r.State, EndedAt: r.EndedAt, EndReason: r.EndReason,
		Report: verdict.Report{Subject: verdict.Subject{Kind: "license", Title: k.Name, Status: string(r.State)}},
	}
	if r.State.Ended() {
		o.EndOffice = o.OfficeName
	}
	return o, k, nil
}

// codeTime judges the time in a code. A phone whose clock is behind loses some of the code's life; one that is ahead is
// told so.
func (s *Service) codeTime(at, handleEnds, now time.Time) verdict.Check {
	switch ahead := at.Sub(now); {
	case ahead > s.Policy.SkewLimit:
		return verdict.Note(checkTime, verdict.CodeNotYetValid, "", "")
	case ahead > s.Policy.SkewWarning:
		c := verdict.Note(checkTime, verdict.CodeNotYetValid, "", fmt.Sprintf("the clocks differ by more than %s", s.Policy.SkewWarning))
		c.Result = verdict.Warn
		return c
	case -ahead > s.Policy.CodeLife, now.After(handleEnds):
		return verdict.Note(checkTime, verdict.CodeExpired, "", "")
	}
	return verdict.OK(checkTime, "")
}

// statusChecks judges state and dates; each wrong state has a code of its own, so that nobody hears "not found" for a
// license that was revoked.
func statusChecks(r Row, now time.Time) []verdict.Check {
	status := verdict.OK(checkStatus, "")
	switch r.State {
	case Issued:
	case Draft, Accepted:
		status = verdict.Note(checkStatus, verdict.StatusPending, "", "")
	case Suspended:
		status = verdict.Note(checkStatus, verdict.StatusSuspended, "", "")
	case Revoked:
		status = verdict.Note(checkStatus, verdict.StatusRevoked, "", "")
	case Expired:
		status = verdict.Note(checkStatus, verdict.StatusExpired, "", "")
	case Superseded:
		status = verdict.Note(checkStatus, verdict.StatusSuperseded, "", "")
	case Cancelled:
		status = verdict.Note(checkStatus, verdict.StatusCancelled, "", "")
	case Archived:
		status = verdict.Note(checkStatus, verdict.StatusNotInForce, "", "")
	}
	return []verdict.Check{status, validityCheck(r.ValidFrom, r.ValidTo, now)}
}

// validityCheck judges dates yyyy-mm-dd; no end is empty.
func validityCheck(from, to string, now time.Time) verdict.Check {
	switch day := today(now); {
	case to != "" && to < day:
		return verdict.Note(checkValidity, verdict.StatusExpired, "", "")
	case from > day:
		return verdict.Note(checkValidity, verdict.StatusNotYetValid, "", "")
	}
	return verdict.OK(checkValidity, "")
}

func verifierAct(by Verifier) Act {
	act := by.Act
	if act.Office == "" {
		act.Office = by.Audience
	}
	return act
}
