package license

import (
	"context"
	"encoding/json"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// drainBatch is how many messages one round of DrainDirectory carries.
const drainBatch = 200

// DrainDirectory carries what a cell's outbox has for the directory into the province, until nothing waits. Carrying a
// message again changes nothing, and an older one never covers a newer.
func (s *Service) DrainDirectory(ctx context.Context, cell uint16) (done int, err error) {
	for {
		messages, err := s.Store.PendingDirectory(ctx, cell, drainBatch)
		if err != nil || len(messages) == 0 {
			return done, err
		}
		var rows []DirectoryRow
		ids := make([]int64, len(messages))
		at := map[string]int{}
		for i, m := range messages {
			ids[i] = m.ID
			var e DirectoryEntry
			if err := json.Unmarshal(m.Payload, &e); err != nil {
				return done, fault.Wrap(err, fault.Internal, "directory_entry", "a directory message cannot be read")
			}
			for _, h := range e.Holders {
				row := DirectoryRow{
					Holder: h.Index, License: e.License, Kind: e.Kind, Office: e.Office, State: e.State, Role: h.Role,
					ValidFrom: e.ValidFrom, ValidTo: e.ValidTo, Grade: e.Grade, Revision: e.Revision, UpdatedAt: e.UpdatedAt,
				}
				// One statement may touch a row only once: of several messages the newest counts.
				key := string(h.Index) + string(e.License[:])
				if j, ok := at[key]; !ok {
					at[key], rows = len(rows), append(rows, row)
				} else if rows[j].Revision < row.Revision {
					rows[j] = row
				}
			}
		}
		if err := s.Store.PutDirectory(ctx, rows); err != nil {
			return done, err
		}
		if err := s.Store.DoneDirectory(ctx, cell, ids); err != nil {
			return done, err
		}
		if done += len(messages); len(messages) < drainBatch {
			return done, nil
		}
	}
}

// ListByHolder lists what a person or organisation holds or may use, newest first, from the province's directory alone: no
// cell is asked.
func (s *Service) ListByHolder(ctx context.Context, holder Holder, max int) ([]Card, error) {
	blind, err := s.Vault.Blind(ctx)
	if err != nil {
		return nil, err
	}
	index, err := holderIndex(ctx, blind, holder.Normal())
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ByHolder(ctx, index, bound(max))
	if err != nil {
		return nil, err
	}
	out := make([]Card, len(rows))
	for i, r := range rows {
		name := r.Kind
		if k, err := s.Catalogue.Kind(r.Kind); err == nil { // a kind that has left the catalogue keeps its code
			name = k.Name
		}
		out[i] = Card{
			ID: r.License, Kind: r.Kind, KindName: name, Office: r.Office, OfficeName: s.officeName(r.Office), State: r.State,
			Role: r.Role, ValidTo: r.ValidTo, UpdatedAt: r.UpdatedAt, Grade: r.Grade,
		}
	}
	return out, nil
}
