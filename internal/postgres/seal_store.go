package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/seal"
)

// SealStore keeps seals, their history and the drafts of sealings, each in its cell. It implements seal.DraftStore and
// seal.Registry.
type SealStore struct {
	cells *Cells
}

// NewSealStore is the store over the cells.
func NewSealStore(c *Cells) *SealStore { return &SealStore{cells: c} }

const sealColumns = `id, office, name, state, since, key_ref, der, signer_cert, maker_cert, matters, per_day, created_at`

func scanSeal(row pgx.Row, cell uint16) (seal.Row, error) {
	r := seal.Row{Cell: cell}
	var perDay int64
	err := row.Scan(&r.ID, &r.Office, &r.Name, &r.State, &r.Since, &r.KeyRef, &r.DER, &r.SignerCert, &r.MakerCert,
		&r.Limits.Matters, &perDay, &r.CreatedAt)
	r.Limits.PerDay = int(perDay)
	r.Since, r.CreatedAt = r.Since.UTC(), r.CreatedAt.UTC()
	return r, err
}

// InsertSeal implements seal.Registry.
func (s *SealStore) InsertSeal(ctx context.Context, r seal.Row, act seal.Act) error {
	p, err := s.cells.Cell(r.Cell)
	if err != nil {
		return err
	}
	if r.State != seal.StateRequested {
		return seal.ErrSealState()
	}
	matters := r.Limits.Matters
	if matters == nil {
		matters = []string{}
	}
	return InTx(ctx, p, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `WITH s AS (
				INSERT INTO seal (id, office, name, state, since, key_ref, matters, per_day, created_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $5) ON CONFLICT DO NOTHING RETURNING id, since, state
			) INSERT INTO seal_history (seal_id, since, state) SELECT id, since, state FROM s`,
			r.ID, r.Office, r.Name, r.State, r.CreatedAt, r.KeyRef, matters, int64(r.Limits.PerDay))
		if err != nil {
			return Fault(err)
		}
		if tag.RowsAffected() == 0 {
			return seal.ErrSealExists()
		}
		return InsertAudit(ctx, tx, sealAudit("seal."+string(r.State), []byte(r.ID), act, r.CreatedAt))
	})
}

// Seal implements seal.Registry and seal.DraftStore.
func (s *SealStore) Seal(ctx context.Context, cell uint16, id string) (seal.Row, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return seal.Row{}, err
	}
	r, err := scanSeal(p.QueryRow(ctx, `SELECT `+sealColumns+` FROM seal WHERE id = $1`, id), cell)
	if errors.Is(err, pgx.ErrNoRows) {
		return seal.Row{}, seal.ErrSealUnknown()
	}
	return r, Fault(err)
}

// Seals implements seal.Registry.
func (s *SealStore) Seals(ctx context.Context, cell uint16, office string) ([]seal.Row, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return nil, err
	}
	rows, err := p.Query(ctx, `SELECT `+sealColumns+` FROM seal WHERE office = $1 ORDER BY id LIMIT 1000`, office)
	if err != nil {
		return nil, Fault(err)
	}
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (seal.Row, error) { return scanSeal(row, cell) })
	return out, Fault(err)
}

// ChangeSeal implements seal.Registry.
func (s *SealStore) ChangeSeal(ctx context.Context, cell uint16, id string, from, to seal.State, made *seal.Made, act seal.Act, at time.Time) error {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return err
	}
	if !from.Can(to) || (made != nil) != (to == seal.StateMade) {
		return seal.ErrSealState()
	}
	var m seal.Made
	if made != nil {
		m = *made
	}
	return InTx(ctx, p, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `WITH s AS (
				UPDATE seal SET state = $3, since = $4, der = COALESCE($5, der), signer_cert = COALESCE($6, signer_cert),
					maker_cert = COALESCE($7, maker_cert), key_ref = COALESCE(NULLIF($8, ''), key_ref)
				WHERE id = $1 AND state = $2 AND since < $4 RETURNING id, since, state
			) INSERT INTO seal_history (seal_id, since, state) SELECT id, since, state FROM s`,
			id, from, to, at, m.DER, m.SignerCert, m.MakerCert, m.KeyRef)
		if err != nil {
			return Fault(err)
		}
		if tag.RowsAffected() == 0 {
			var known bool
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM seal WHERE id = $1)`, id).Scan(&known); err != nil {
				return Fault(err)
			}
			if !known {
				return seal.ErrSealUnknown()
			}
			return seal.ErrSealState()
		}
		return InsertAudit(ctx, tx, sealAudit("seal."+string(to), []byte(id), act, at))
	})
}

// SealAt implements seal.Registry.
func (s *SealStore) SealAt(ctx context.Context, cell uint16, id string, at time.Time) (seal.State, time.Time, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return "", time.Time{}, err
	}
	var state seal.State
	var since time.Time
	err = p.QueryRow(ctx, `SELECT state, since FROM seal_history WHERE seal_id = $1 AND since <= $2 ORDER BY since DESC LIMIT 1`,
		id, at).Scan(&state, &since)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", time.Time{}, seal.ErrSealUnknown()
	}
	return state, since.UTC(), Fault(err)
}

// CountDrafts implements seal.DraftStore.
func (s *SealStore) CountDrafts(ctx context.Context, cell uint16, id string, since time.Time) (int, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return 0, err
	}
	var n int64
	err = p.QueryRow(ctx, `SELECT count(*) FROM seal_draft WHERE seal_id = $1 AND created_at >= $2`, id, since).Scan(&n)
	return int(n), Fault(err)
}

// InsertDraft implements seal.DraftStore.
func (s *SealStore) InsertDraft(ctx context.Context, d seal.Draft) error {
	p, err := s.cells.Cell(d.ID.Cell())
	if err != nil {
		return err
	}
	a := d.Act
	return InTx(ctx, p, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO seal_draft (id, seal_id, tbs, digest, created_at, expires_at, state,
				actor, on_behalf_of, office, matter, case_no, reason, legal_basis)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			d.ID[:], d.SealID, d.TBS, d.Digest[:], d.CreatedAt, d.ExpiresAt, d.State,
			a.Actor, a.OnBehalfOf, a.Office, a.Matter, a.CaseNo, a.Reason, a.LegalBasis); err != nil {
			return Fault(err)
		}
		return InsertAudit(ctx, tx, sealAudit("seal.prepare", d.ID[:], a, d.CreatedAt))
	})
}

// RedeemDraft implements seal.DraftStore: one conditional statement decides who gets it.
func (s *SealStore) RedeemDraft(ctx context.Context, id seal.DraftID, now time.Time) (seal.Draft, error) {
	p, err := s.cells.Cell(id.Cell())
	if err != nil {
		return seal.Draft{}, err
	}
	d := seal.Draft{ID: id}
	var digest []byte
	a := &d.Act
	err = p.QueryRow(ctx, `UPDATE seal_draft SET state = 'redeemed', redeemed_at = $2
		WHERE id = $1 AND state = 'prepared' AND expires_at > $2
		RETURNING seal_id, tbs, digest, created_at, expires_at, state,
			actor, on_behalf_of, office, matter, case_no, reason, legal_basis`, id[:], now).
		Scan(&d.SealID, &d.TBS, &digest, &d.CreatedAt, &d.ExpiresAt, &d.State,
			&a.Actor, &a.OnBehalfOf, &a.Office, &a.Matter, &a.CaseNo, &a.Reason, &a.LegalBasis)
	if errors.Is(err, pgx.ErrNoRows) {
		return seal.Draft{}, s.whyNot(ctx, p, id)
	}
	if err != nil {
		return seal.Draft{}, Fault(err)
	}
	if len(digest) != len(d.Digest) {
		return seal.Draft{}, fault.New(fault.Internal, "seal_draft_damaged", "the stored draft is damaged")
	}
	d.Digest = [32]byte(digest)
	d.CreatedAt, d.ExpiresAt = d.CreatedAt.UTC(), d.ExpiresAt.UTC()
	return d, nil
}

// whyNot says why a draft could not be redeemed.
func (s *SealStore) whyNot(ctx context.Context, p *Pool, id seal.DraftID) error {
	var state seal.DraftState
	err := p.QueryRow(ctx, `SELECT state FROM seal_draft WHERE id = $1`, id[:]).Scan(&state)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return seal.ErrDraftUnknown()
	case err != nil:
		return Fault(err)
	case state != seal.DraftPrepared:
		return seal.ErrDraftRedeemed()
	}
	return seal.ErrDraftExpired()
}

// FinishDraft implements seal.DraftStore.
func (s *SealStore) FinishDraft(ctx context.Context, id seal.DraftID, state seal.DraftState, now time.Time) error {
	p, err := s.cells.Cell(id.Cell())
	if err != nil {
		return err
	}
	return InTx(ctx, p, func(tx pgx.Tx) error {
		var a seal.Act
		err := tx.QueryRow(ctx, `UPDATE seal_draft SET state = $2, settled_at = $3, tbs = '' WHERE id = $1 AND state = 'redeemed'
			RETURNING actor, on_behalf_of, office, matter, case_no, reason, legal_basis`, id[:], state, now).
			Scan(&a.Actor, &a.OnBehalfOf, &a.Office, &a.Matter, &a.CaseNo, &a.Reason, &a.LegalBasis)
		if errors.Is(err, pgx.ErrNoRows) {
			return seal.ErrDraftUnknown()
		}
		if err != nil {
			return Fault(err)
		}
		return InsertAudit(ctx, tx, sealAudit("seal."+string(state), id[:], a, now))
	})
}

func sealAudit(act string, subject []byte, a seal.Act, at time.Time) Audit {
	return Audit{
		At: at, Act: act, Subject: subject, Actor: a.Actor, OnBehalfOf: a.OnBehalfOf, Office: a.Office,
		Matter: a.Matter, CaseNo: a.CaseNo, Reason: a.Reason, LegalBasis: a.LegalBasis,
	}
}
