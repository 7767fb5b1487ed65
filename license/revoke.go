package license

import (
	"context"
	"slices"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Revoke ends a license (撤销). It is out of force from the commit of this act on; the ledger follows. Revoking again is a
// Conflict "already_revoked".
func (s *Service) Revoke(ctx context.Context, req RevokeRequest) (License, error) {
	r, err := s.Store.License(ctx, req.License)
	if err != nil {
		return License{}, err
	}
	if err := mayAct(req.Act, r.Office); err != nil {
		return License{}, err
	}
	k, err := s.Catalogue.Version(r.Kind, r.KindVersion)
	if err != nil {
		return License{}, err
	}
	if !slices.ContainsFunc(k.RevokeReasons, func(v Reason) bool { return v.Code == req.Reason }) {
		return License{}, fault.New(fault.Invalid, "reason_unknown", "this is none of the kind's reasons to revoke").
			WithHint("choose one of the reason codes of the catalogue")
	}
	for range 3 { // somebody else may change the state at the same moment
		if err := mayEnd(r.State, Revoked); err != nil {
			return License{}, err
		}
		row, err := s.endRow(r, Revoked, req)
		if err != nil {
			return License{}, err
		}
		ended, err := s.Store.End(ctx, row)
		if err != nil && fault.CodeOf(err) != "commit_unknown" {
			return License{}, err
		}
		unknown := err
		if r, err = s.Store.License(ctx, req.License); err != nil {
			return License{}, err
		}
		if ended || unknown != nil && r.State == Revoked && r.Revision == row.Revision+1 && r.EndedAt.Equal(row.At) {
			l, _, err := s.open(ctx, r)
			return l, err
		}
		if unknown != nil {
			return License{}, unknown
		}
	}
	return License{}, fault.New(fault.Unavailable, "busy", "the license is being changed at this moment").WithHint("try again")
}

// mayEnd tells why a license in this state cannot be moved to end.
func mayEnd(now, end State) error {
	switch {
	case now.To(end):
		return nil
	case now == Revoked:
		return fault.New(fault.Conflict, "already_revoked", "the license is revoked already")
	case now.Ended():
		return fault.New(fault.Conflict, "already_ended", "the license is out of force already")
	}
	return sealingPending()
}

func (s *Service) endRow(r Row, state State, req RevokeRequest) (EndRow, error) {
	now := s.now()
	if len(r.Ref) != 32 {
		return EndRow{}, fault.New(fault.Internal, "license_row", "an issued license has no ledger reference")
	}
	entry, leaf, err := s.Encoder.EncodeStatus(StatusFact{At: now, Ref: [32]byte(r.Ref), Status: state, Effective: now, Reason: req.Reason})
	if err != nil {
		return EndRow{}, err
	}
	directory, err := directoryEntry(r, state, r.Revision+1, now)
	if err != nil {
		return EndRow{}, err
	}
	act := req.Act
	if act.Reason == "" {
		act.Reason = req.Reason
	}
	return EndRow{
		ID: r.ID, State: state, Revision: r.Revision, At: now, Reason: req.Reason,
		Record: Record{At: now, Act: ActRevoked, By: ActorOfficer, Who: act, State: state},
		Out:    Outgoing{Entry: entry, Leaf: leaf[:], Directory: directory},
	}, nil
}
