package postgres

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// auditAct stands before a license's acts in the audit.
const auditAct = "license."

// auditDetail is what the audit says of a license's act beyond who and why; nothing in it is personal.
type auditDetail struct {
	By     license.ActorKind `json:"by"`
	State  license.State     `json:"state,omitempty"`
	Fields []string          `json:"fields,omitempty"`
	Code   string            `json:"receipt,omitempty"`
}

func detailOf(r license.Record) ([]byte, error) {
	detail, err := json.Marshal(auditDetail{r.By, r.State, r.Fields, r.Code})
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "audit_detail", "an audit record cannot be written")
	}
	return detail, nil
}

func insertRecord(ctx context.Context, db querier, id license.ID, r license.Record) error {
	detail, err := detailOf(r)
	if err != nil {
		return err
	}
	return InsertAudit(ctx, db, Audit{
		At: r.At, Act: auditAct + string(r.Act), Subject: id[:], Actor: r.Who.Actor, OnBehalfOf: r.Who.OnBehalfOf, Office: r.Who.Office,
		Matter: r.Who.Matter, CaseNo: r.Who.CaseNo, Reason: r.Who.Reason, LegalBasis: r.Who.LegalBasis, Detail: detail,
	})
}

// settleAct writes what goes with a change of state: its message to the directory and its audit record. The revision is
// the new one.
func settleAct(ctx context.Context, tx pgx.Tx, id license.ID, revision int64, r license.Record, out license.Outgoing) error {
	if len(out.Directory) > 0 {
		key := binary.BigEndian.AppendUint64(append([]byte(nil), id[:]...), uint64(revision))
		if _, err := InsertOutbox(ctx, tx, TopicDirectory, key, out.Directory); err != nil {
			return err
		}
	}
	return insertRecord(ctx, tx, id, r)
}

// errState ends a transaction that found its license in another state than it wants.
var errState = errors.New("the license is in another state")

// transition runs an act that has a ledger entry: the entry, one UPDATE that takes the entry's outbox id as its last
// argument and must hit one row, the directory and the audit.
func (s *LicenseStore) transition(ctx context.Context, id license.ID, revision int64, rec license.Record, out license.Outgoing, update string, args ...any) (bool, error) {
	p, err := s.cells.Cell(id.Cell())
	if err != nil {
		return false, err
	}
	err = InTx(ctx, p, func(tx pgx.Tx) error {
		message, err := InsertOutbox(ctx, tx, TopicLedger, out.Leaf, out.Entry)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, update, append(args, message)...)
		if err != nil {
			return Fault(err)
		}
		if tag.RowsAffected() != 1 {
			return errState
		}
		return settleAct(ctx, tx, id, revision+1, rec, out)
	})
	if errors.Is(err, errState) {
		return false, nil
	}
	return err == nil, err
}

// Issue implements license.SealQueue.
func (s *LicenseStore) Issue(ctx context.Context, i license.IssuedRow) (bool, error) {
	r := i.Row
	return s.transition(ctx, r.ID, r.Revision, i.Record, i.Out, `WITH w AS (DELETE FROM seal_work WHERE license_id = $1)
		UPDATE license SET state = 'issued', revision = revision + 1, issued_at = $3, file_blob = $4, file_key = $5,
			document_digest = $6, face_digest = $7, static_sealed = $8, ref = $9, salt = $10, issue_leaf = $11, ledger_outbox = $12
		WHERE id = $1 AND revision = $2 AND state = 'accepted'`,
		r.ID[:], r.Revision, r.IssuedAt, r.FileBlob, r.FileKey, r.DocumentDigest, r.FaceDigest, r.StaticSealed, r.Ref, r.Salt, r.IssueLeaf)
}

// End implements license.Licenses.
func (s *LicenseStore) End(ctx context.Context, e license.EndRow) (bool, error) {
	return s.transition(ctx, e.ID, e.Revision, e.Record, e.Out, `UPDATE license
		SET state = $3, revision = revision + 1, ended_at = $4, end_reason = $5, end_leaf = $6, ledger_outbox = $7
		WHERE id = $1 AND revision = $2 AND state IN ('issued', 'suspended')`,
		e.ID[:], e.Revision, e.State, e.At, e.Reason, e.Out.Leaf)
}

// Claim implements license.SealQueue. One statement takes the work and reads the licenses.
func (s *LicenseStore) Claim(ctx context.Context, cell uint16, now time.Time, lease time.Duration, max int) ([]license.Claim, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return nil, err
	}
	rows, err := p.Query(ctx, `WITH due AS (
			SELECT license_id FROM seal_work WHERE next_at <= $1 ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED
		), taken AS (
			UPDATE seal_work w SET next_at = $2, attempts = w.attempts + 1 FROM due WHERE w.license_id = due.license_id
			RETURNING w.license_id, w.attempts
		)
		SELECT `+licenseColumns+`, taken.attempts FROM taken JOIN license l ON l.id = taken.license_id ORDER BY l.accepted_at`,
		now, now.Add(lease), max)
	if err != nil {
		return nil, Fault(err)
	}
	defer rows.Close()
	var out []license.Claim
	for rows.Next() {
		var c license.Claim
		if c.Row, err = scanLicense(rows, &c.Attempts); err != nil {
			return nil, Fault(err)
		}
		out = append(out, c)
	}
	return out, Fault(rows.Err())
}

// Postpone implements license.SealQueue.
func (s *LicenseStore) Postpone(ctx context.Context, id license.ID, until time.Time, code string) error {
	p, err := s.cells.Cell(id.Cell())
	if err != nil {
		return err
	}
	_, err = p.Exec(ctx, `UPDATE seal_work SET next_at = $2, last_code = $3 WHERE license_id = $1`, id[:], until, code)
	return Fault(err)
}

// Record implements license.Licenses.
func (s *LicenseStore) Record(ctx context.Context, id license.ID, r license.Record) error {
	p, err := s.cells.Cell(id.Cell())
	if err != nil {
		return err
	}
	return insertRecord(ctx, p, id, r)
}

// Records implements license.Licenses.
func (s *LicenseStore) Records(ctx context.Context, id license.ID, max int) ([]license.Record, error) {
	p, err := s.cells.Cell(id.Cell())
	if err != nil {
		return nil, err
	}
	return readRecords(ctx, p, id, max)
}

// readRecords reads what a schema's audit has of a license.
func readRecords(ctx context.Context, db querier, id license.ID, max int) ([]license.Record, error) {
	rows, err := db.Query(ctx, `SELECT at, act, actor, on_behalf_of, office, matter, case_no, reason, legal_basis, detail
		FROM audit WHERE subject = $1 ORDER BY at DESC, id DESC LIMIT $2`, id[:], max)
	if err != nil {
		return nil, Fault(err)
	}
	defer rows.Close()
	var out []license.Record
	for rows.Next() {
		var r license.Record
		var act string
		var detail []byte
		err := rows.Scan(&r.At, &act, &r.Who.Actor, &r.Who.OnBehalfOf, &r.Who.Office, &r.Who.Matter, &r.Who.CaseNo, &r.Who.Reason,
			&r.Who.LegalBasis, &detail)
		if err != nil {
			return nil, Fault(err)
		}
		name, ours := strings.CutPrefix(act, auditAct)
		if !ours {
			continue
		}
		var d auditDetail
		if err := json.Unmarshal(detail, &d); err != nil {
			return nil, fault.Wrap(err, fault.Internal, "audit_detail", "an audit record cannot be read")
		}
		r.At, r.Act, r.By, r.State, r.Fields, r.Code = r.At.UTC(), license.EventAct(name), d.By, d.State, d.Fields, d.Code
		out = append(out, r)
	}
	return out, Fault(rows.Err())
}

// ReleaseClaims lets all of a cell's waiting licenses be sealed at once. It is for a start that knows itself alone: what an
// earlier process had claimed when it was killed need not wait for the end of its lease.
func (s *LicenseStore) ReleaseClaims(ctx context.Context, cell uint16, now time.Time) error {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return err
	}
	_, err = p.Exec(ctx, `UPDATE seal_work SET next_at = $1 WHERE next_at > $1`, now)
	return Fault(err)
}
