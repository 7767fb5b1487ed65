package postgres

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// PendingDirectory implements license.Directory.
func (s *LicenseStore) PendingDirectory(ctx context.Context, cell uint16, max int) ([]license.DirectoryMessage, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return nil, err
	}
	messages, err := NewOutbox(p).Pending(ctx, TopicDirectory, max)
	out := make([]license.DirectoryMessage, len(messages))
	for i, m := range messages {
		out[i] = license.DirectoryMessage{ID: m.ID, Payload: m.Payload}
	}
	return out, err
}

// DoneDirectory implements license.Directory.
func (s *LicenseStore) DoneDirectory(ctx context.Context, cell uint16, ids []int64) error {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return err
	}
	receipts := make([]Receipt, len(ids))
	for i, id := range ids {
		receipts[i].ID = id
	}
	return NewOutbox(p).DoneAll(ctx, receipts)
}

// PutDirectory implements license.Directory.
func (s *LicenseStore) PutDirectory(ctx context.Context, rows []license.DirectoryRow) error {
	if len(rows) == 0 {
		return nil
	}
	n := len(rows)
	holders, licenses := make([][]byte, n), make([][]byte, n)
	kinds, offices, states, roles, grades, from, to := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]*string, n)
	revisions, updated := make([]int64, n), make([]time.Time, n)
	for i, r := range rows {
		holders[i], licenses[i] = r.Holder, append([]byte(nil), r.License[:]...)
		kinds[i], offices[i], states[i], roles[i], grades[i] = r.Kind, r.Office, string(r.State), r.Role, r.Grade
		from[i], to[i], revisions[i], updated[i] = r.ValidFrom, dateOf(r.ValidTo), r.Revision, r.UpdatedAt
	}
	_, err := s.cells.Province().Exec(ctx, `INSERT INTO directory
			(holder_index, license_id, kind, office, state, role, grade, valid_from, valid_to, revision, updated_at)
		SELECT v.holder_index, v.license_id, v.kind, v.office, v.state, v.role, v.grade, v.valid_from::date, v.valid_to::date, v.revision, v.updated_at
		FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::timestamptz[])
			AS v(holder_index, license_id, kind, office, state, role, grade, valid_from, valid_to, revision, updated_at)
		ORDER BY v.holder_index, v.license_id
		ON CONFLICT (holder_index, license_id) DO UPDATE SET state = EXCLUDED.state, role = EXCLUDED.role, grade = EXCLUDED.grade,
			valid_from = EXCLUDED.valid_from, valid_to = EXCLUDED.valid_to, revision = EXCLUDED.revision, updated_at = EXCLUDED.updated_at
		WHERE directory.revision < EXCLUDED.revision`,
		holders, licenses, kinds, offices, states, roles, grades, from, to, revisions, updated)
	return Fault(err)
}

// ByHolder implements license.Directory.
func (s *LicenseStore) ByHolder(ctx context.Context, holder []byte, max int) ([]license.DirectoryRow, error) {
	rows, err := s.cells.Province().Query(ctx, `SELECT license_id, kind, office, state, role, grade, valid_from::text, COALESCE(valid_to::text, ''), revision, updated_at
		FROM directory WHERE holder_index = $1 ORDER BY updated_at DESC, license_id LIMIT $2`, holder, max)
	if err != nil {
		return nil, Fault(err)
	}
	defer rows.Close()
	var out []license.DirectoryRow
	for rows.Next() {
		r := license.DirectoryRow{Holder: holder}
		var id []byte
		if err := rows.Scan(&id, &r.Kind, &r.Office, &r.State, &r.Role, &r.Grade, &r.ValidFrom, &r.ValidTo, &r.Revision, &r.UpdatedAt); err != nil {
			return nil, Fault(err)
		}
		if len(id) != len(r.License) {
			return nil, fault.New(fault.Internal, "directory_row", "a directory row cannot be read")
		}
		r.License, r.UpdatedAt = license.ID(id), r.UpdatedAt.UTC()
		out = append(out, r)
	}
	return out, Fault(rows.Err())
}

// RecordFound implements license.Directory. One statement, however many licenses the search listed.
func (s *LicenseStore) RecordFound(ctx context.Context, licenses []license.ID, r license.Record) error {
	detail, err := detailOf(r)
	if err != nil {
		return err
	}
	subjects := make([][]byte, len(licenses))
	for i, id := range licenses {
		subjects[i] = append([]byte(nil), id[:]...)
	}
	_, err = s.cells.Province().Exec(ctx, `INSERT INTO audit (id, at, act, subject, actor, on_behalf_of, office, matter, case_no, reason, legal_basis, detail)
		SELECT nextval('audit_seq'), $1, $2, v.subject, $4, $5, $6, $7, $8, $9, $10, $11 FROM unnest($3::bytea[]) AS v(subject)`,
		r.At, auditAct+string(r.Act), subjects, r.Who.Actor, r.Who.OnBehalfOf, r.Who.Office, r.Who.Matter, r.Who.CaseNo, r.Who.Reason,
		r.Who.LegalBasis, detail)
	return Fault(err)
}

// FoundRecords implements license.Directory.
func (s *LicenseStore) FoundRecords(ctx context.Context, id license.ID, max int) ([]license.Record, error) {
	return readRecords(ctx, s.cells.Province(), id, max)
}
