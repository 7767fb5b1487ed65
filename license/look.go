package license

import (
	"context"
	"slices"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Events is what happened to a license and who looked, newest first: what its cell recorded, and the province's record of
// searches, which find licenses without asking their cells.
func (s *Service) Events(ctx context.Context, id ID, max int) ([]Event, error) {
	if _, err := s.Store.License(ctx, id); err != nil {
		return nil, err
	}
	records, err := s.Store.Records(ctx, id, bound(max))
	if err != nil {
		return nil, err
	}
	found, err := s.Store.FoundRecords(ctx, id, bound(max))
	if err != nil {
		return nil, err
	}
	records = append(records, found...)
	slices.SortStableFunc(records, func(a, b Record) int { return b.At.Compare(a.At) })
	records = records[:min(len(records), bound(max))]
	out := make([]Event, len(records))
	for i, r := range records {
		out[i] = Event{
			At: r.At, Act: r.Act, ActorKind: r.By, Actor: r.Who.Actor, OnBehalfOf: r.Who.OnBehalfOf, Office: r.Who.Office,
			Matter: r.Who.Matter, CaseNo: r.Who.CaseNo, Reason: r.Who.Reason, Receipt: r.Code, Fields: r.Fields, State: r.State,
		}
	}
	return out, nil
}

// Looked records for its holder that somebody else opened a license's face (ActOpened) or fetched its file or static code
// (ActFetched). Whoever lets somebody look calls it first, and shows nothing when it fails: there is no access without its
// record. It asks the license's cell alone, neither ledger nor device.
func (s *Service) Looked(ctx context.Context, id ID, what EventAct, by ActorKind, act Act) error {
	if what != ActOpened && what != ActFetched {
		return fault.New(fault.Internal, "look_unknown", "this is no way of looking at a license")
	}
	if act.Actor == "" {
		return fault.New(fault.Unauthenticated, "actor_missing", "the act does not say who acts")
	}
	return s.Store.Record(ctx, id, Record{At: s.now(), Act: what, By: by, Who: act})
}

// Found records for their holder that a search by somebody else listed licenses (ActFound), as Looked does for one. It asks
// the province alone, like the search itself: a cell that is down keeps nobody from searching.
func (s *Service) Found(ctx context.Context, ids []ID, by ActorKind, act Act) error {
	if act.Actor == "" {
		return fault.New(fault.Unauthenticated, "actor_missing", "the act does not say who acts")
	}
	if len(ids) > MaxList {
		return fault.New(fault.TooLarge, "list_too_long", "too many licenses at once")
	}
	if len(ids) == 0 {
		return nil
	}
	return s.Store.RecordFound(ctx, ids, Record{At: s.now(), Act: ActFound, By: by, Who: act})
}
