package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// LicenseStore keeps licenses in their cells and the directory in the province's schema.
type LicenseStore struct{ cells *Cells }

var _ license.Store = (*LicenseStore)(nil)

// NewLicenseStore makes a store over the map of cells.
func NewLicenseStore(cells *Cells) *LicenseStore { return &LicenseStore{cells: cells} }

const licenseColumns = `l.id, l.identifier, l.kind, l.kind_version, l.office, l.version, l.state, l.revision,
	l.accepted_at, l.issue_date::text, l.issued_at, l.ended_at, l.end_reason, l.valid_from::text, COALESCE(l.valid_to::text, ''),
	l.status_list, l.status_index, l.grade, l.sealed, l.photo_blob, l.photo_key, l.file_blob, l.file_key,
	l.document_digest, l.face_digest, l.static_sealed, l.ref, l.salt, l.issue_leaf, l.end_leaf,
	CASE WHEN l.ledger_outbox IS NULL THEN 'none'
		WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.id = l.ledger_outbox AND o.done_at IS NULL) THEN 'queued' ELSE 'promised' END,
	ARRAY(SELECT h.role FROM license_holder h WHERE h.license_id = l.id ORDER BY h.n),
	ARRAY(SELECT h.holder_index FROM license_holder h WHERE h.license_id = l.id ORDER BY h.n),
	ARRAY(SELECT h.sealed FROM license_holder h WHERE h.license_id = l.id ORDER BY h.n)`

// scanLicense reads licenseColumns and then more.
func scanLicense(r pgx.Row, more ...any) (license.Row, error) {
	var (
		l               license.Row
		id              []byte
		issued, ended   *time.Time
		list, index     int64
		roles           []string
		indexes, sealed [][]byte
	)
	err := r.Scan(append([]any{
		&id, &l.Identifier, &l.Kind, &l.KindVersion, &l.Office, &l.Version, &l.State, &l.Revision,
		&l.AcceptedAt, &l.IssueDate, &issued, &ended, &l.EndReason, &l.ValidFrom, &l.ValidTo,
		&list, &index, &l.Grade, &l.Sealed, &l.PhotoBlob, &l.PhotoKey, &l.FileBlob, &l.FileKey,
		&l.DocumentDigest, &l.FaceDigest, &l.StaticSealed, &l.Ref, &l.Salt, &l.IssueLeaf, &l.EndLeaf,
		&l.LedgerState, &roles, &indexes, &sealed,
	}, more...)...)
	if err != nil {
		return license.Row{}, err
	}
	if len(id) != len(l.ID) || len(indexes) != len(roles) || len(sealed) != len(roles) {
		return license.Row{}, fault.New(fault.Internal, "license_row", "a stored license cannot be read")
	}
	l.ID = license.ID(id)
	l.AcceptedAt, l.IssuedAt, l.EndedAt = l.AcceptedAt.UTC(), timeOf(issued), timeOf(ended)
	l.StatusList, l.StatusIndex = uint32(list), uint32(index)
	for i := range roles {
		l.Holders = append(l.Holders, license.HolderRow{Role: roles[i], Index: indexes[i], Sealed: sealed[i]})
	}
	return l, nil
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// dateOf is a date for the database; an empty one is null.
func dateOf(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// errTaken ends a transaction that found its number taken.
var errTaken = errors.New("the number is taken")

// Accept implements license.Licenses. The number comes first: whoever has it, has the act, and another with the same number
// waits for the commit and then finds it taken.
func (s *LicenseStore) Accept(ctx context.Context, cell uint16, a license.AcceptRow) (license.AcceptResult, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return license.AcceptResult{}, err
	}
	var out license.AcceptResult
	r := a.Row
	err = InTx(ctx, p, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO license_number (number_index, office, kind, version, license_id, content)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, a.Number, r.Office, r.Kind, r.Version, r.ID[:], a.Content)
		if err != nil {
			return Fault(err)
		}
		if tag.RowsAffected() == 0 {
			return errTaken
		}
		if out.List, out.Index, err = takeSlot(ctx, tx, cell, r, a.Candidates); err != nil {
			return err
		}
		if err := insertLicense(ctx, tx, r, out); err != nil {
			return err
		}
		return settleAct(ctx, tx, r.ID, r.Revision, a.Record, license.Outgoing{Directory: a.Out.Directory})
	})
	if !errors.Is(err, errTaken) {
		return out, err
	}
	taken, err := s.ByNumber(ctx, cell, license.NumberKey{Office: r.Office, Kind: r.Kind, Number: a.Number, Version: r.Version})
	if err == nil && taken == nil {
		err = fault.New(fault.Unavailable, "busy", "the number is being used at this moment").WithHint("try again")
	}
	return license.AcceptResult{Taken: taken}, err
}

func insertLicense(ctx context.Context, tx pgx.Tx, r license.Row, place license.AcceptResult) error {
	ns, roles := make([]int64, len(r.Holders)), make([]string, len(r.Holders))
	indexes, sealed := make([][]byte, len(r.Holders)), make([][]byte, len(r.Holders))
	for i, h := range r.Holders {
		ns[i], roles[i], indexes[i], sealed[i] = int64(i), h.Role, h.Index, h.Sealed
	}
	_, err := tx.Exec(ctx, `WITH l AS (
			INSERT INTO license (id, identifier, kind, kind_version, office, version, state, revision, accepted_at, issue_date,
				end_reason, valid_from, valid_to, status_list, status_index, grade, sealed, photo_blob, photo_key)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::date, '', $11::text::date, $12::text::date, $13, $14, $15, $16, $17, $18)
		), h AS (
			INSERT INTO license_holder (license_id, n, role, holder_index, sealed)
			SELECT $1, v.n, v.role, v.holder_index, v.sealed
			FROM unnest($19::bigint[], $20::text[], $21::bytea[], $22::bytea[]) AS v(n, role, holder_index, sealed)
		)
		INSERT INTO seal_work (license_id, next_at, attempts, last_code) VALUES ($1, $9, 0, '')`,
		r.ID[:], r.Identifier, r.Kind, r.KindVersion, r.Office, r.Version, r.State, r.Revision, r.AcceptedAt, r.IssueDate,
		r.ValidFrom, dateOf(r.ValidTo), int64(place.List), int64(place.Index), r.Grade, r.Sealed, r.PhotoBlob, r.PhotoKey,
		ns, roles, indexes, sealed)
	return Fault(err, Rule{"license_holder_once", fault.New(fault.Invalid, "holder_twice", "the same holder stands there twice")})
}

// takeSlot takes the first of the candidates that is free in the cell's open status list. When none is, the list is nearly
// full (with eight candidates, at 75 % in one of ten cases) and the next one is opened.
func takeSlot(ctx context.Context, tx pgx.Tx, cell uint16, r license.Row, candidates []uint32) (list, index uint32, err error) {
	slots := make([]int64, len(candidates))
	for i, c := range candidates {
		slots[i] = int64(c)
	}
	for range 4 {
		var l, i int64
		err := tx.QueryRow(ctx, `WITH place AS (SELECT GREATEST($1::bigint, (SELECT max(list) FROM status_list)) AS list)
			INSERT INTO status_slot (list, slot, license_id)
			SELECT place.list, c.slot, $3 FROM place, unnest($2::bigint[]) WITH ORDINALITY AS c(slot, n)
			WHERE NOT EXISTS (SELECT 1 FROM status_slot s WHERE s.list = place.list AND s.slot = c.slot)
			ORDER BY c.n LIMIT 1
			ON CONFLICT DO NOTHING RETURNING list, slot`, int64(cell)<<16, slots, r.ID[:]).Scan(&l, &i)
		if err == nil {
			return uint32(l), uint32(i), nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return 0, 0, Fault(err)
		}
		// Either another request was faster by a moment, or all candidates are taken; the second look tells.
		var free bool
		err = tx.QueryRow(ctx, `WITH place AS (SELECT GREATEST($1::bigint, (SELECT max(list) FROM status_list)) AS list)
			SELECT place.list, EXISTS (SELECT 1 FROM unnest($2::bigint[]) AS c(slot)
				WHERE NOT EXISTS (SELECT 1 FROM status_slot s WHERE s.list = place.list AND s.slot = c.slot)) FROM place`,
			int64(cell)<<16, slots).Scan(&l, &free)
		if err != nil {
			return 0, 0, Fault(err)
		}
		if free {
			continue
		}
		if uint16((l+1)>>16) != cell {
			return 0, 0, fault.New(fault.Internal, "status_lists_full", "the cell has no status list left")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO status_list (list, opened_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, l+1, r.AcceptedAt); err != nil {
			return 0, 0, Fault(err)
		}
	}
	return 0, 0, fault.New(fault.Unavailable, "busy", "no place in the status list was to be had").WithHint("try again")
}

// ByNumber implements license.Licenses.
func (s *LicenseStore) ByNumber(ctx context.Context, cell uint16, k license.NumberKey) (*license.Taken, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return nil, err
	}
	var id []byte
	var t license.Taken
	err = p.QueryRow(ctx, `SELECT license_id, content FROM license_number
		WHERE number_index = $1 AND office = $2 AND kind = $3 AND version = $4`, k.Number, k.Office, k.Kind, k.Version).Scan(&id, &t.Content)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, Fault(err)
	case len(id) != len(t.License):
		return nil, fault.New(fault.Internal, "license_row", "a stored license cannot be read")
	}
	t.License = license.ID(id)
	return &t, nil
}

// License implements license.Licenses.
func (s *LicenseStore) License(ctx context.Context, id license.ID) (license.Row, error) {
	p, err := s.cells.Cell(id.Cell())
	if err != nil {
		return license.Row{}, err
	}
	l, err := scanLicense(p.QueryRow(ctx, `SELECT `+licenseColumns+` FROM license l WHERE l.id = $1`, id[:]))
	if errors.Is(err, pgx.ErrNoRows) {
		return license.Row{}, fault.New(fault.NotFound, "license_unknown", "there is no such license")
	}
	return l, Fault(err)
}

// ByOffice implements license.Licenses.
func (s *LicenseStore) ByOffice(ctx context.Context, cell uint16, office string, max int) ([]license.Row, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return nil, err
	}
	rows, err := p.Query(ctx, `SELECT `+licenseColumns+` FROM license l WHERE l.office = $1 ORDER BY l.accepted_at DESC LIMIT $2`, office, max)
	if err != nil {
		return nil, Fault(err)
	}
	defer rows.Close()
	var out []license.Row
	for rows.Next() {
		l, err := scanLicense(rows)
		if err != nil {
			return nil, Fault(err)
		}
		out = append(out, l)
	}
	return out, Fault(rows.Err())
}
