package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/license"
)

// Mint implements license.Codes.
func (s *LicenseStore) Mint(ctx context.Context, h license.HandleRow, device []byte, r license.Record) ([]byte, error) {
	id := h.License.ID
	p, err := s.cells.Cell(id.Cell())
	if err != nil {
		return nil, err
	}
	var sealed []byte
	for range 2 { // a device key that another session made at the same moment is seen by the second look only
		err = InTx(ctx, p, func(tx pgx.Tx) error {
			err := tx.QueryRow(ctx, `WITH d AS (
					INSERT INTO wallet_device (license_id, holder_index, sealed, created_at) VALUES ($1, $2, $3, $4)
					ON CONFLICT DO NOTHING RETURNING sealed
				), h AS (
					INSERT INTO code_handle (day, handle, license_id, holder_index, minted_at, expires_at, used_by)
					VALUES ($5, $6, $1, $2, $4, $7, '')
				)
				SELECT sealed FROM d UNION ALL SELECT sealed FROM wallet_device WHERE license_id = $1 AND holder_index = $2 LIMIT 1`,
				id[:], h.Holder, device, h.MintedAt, int64(h.Handle.Day()), h.Handle[:], h.ExpiresAt).Scan(&sealed)
			if err != nil {
				return err
			}
			return insertRecord(ctx, tx, id, r)
		})
		if !errors.Is(err, pgx.ErrNoRows) {
			break
		}
	}
	return sealed, Fault(err)
}

// Handle implements license.Codes. One statement by primary keys alone.
func (s *LicenseStore) Handle(ctx context.Context, h license.Handle) (license.HandleRow, error) {
	out := license.HandleRow{Handle: h}
	p, err := s.cells.Cell(h.Cell())
	if err != nil {
		return out, err
	}
	var used *time.Time
	out.License, err = scanLicense(p.QueryRow(ctx, `SELECT `+licenseColumns+`,
			c.holder_index, d.sealed, c.minted_at, c.expires_at, c.used_at, c.used_by, c.receipt
		FROM code_handle c JOIN license l ON l.id = c.license_id
		JOIN wallet_device d ON d.license_id = c.license_id AND d.holder_index = c.holder_index
		WHERE c.day = $1 AND c.handle = $2`, int64(h.Day()), h[:]),
		&out.Holder, &out.Device, &out.MintedAt, &out.ExpiresAt, &used, &out.UsedBy, &out.Receipt)
	if errors.Is(err, pgx.ErrNoRows) {
		return out, fault.New(fault.NotFound, "handle_unknown", "there is no such code")
	}
	out.MintedAt, out.ExpiresAt, out.UsedAt = out.MintedAt.UTC(), out.ExpiresAt.UTC(), timeOf(used)
	return out, Fault(err)
}

// Consume implements license.Codes.
func (s *LicenseStore) Consume(ctx context.Context, h license.Handle, id license.ID, revision int64, at time.Time, by string, receipt license.ID, r license.Record) (bool, error) {
	p, err := s.cells.Cell(h.Cell())
	if err != nil {
		return false, err
	}
	err = InTx(ctx, p, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE code_handle SET used_at = $3, used_by = $4, receipt = $5
			WHERE day = $1 AND handle = $2 AND used_at IS NULL AND license_id = $6
			AND EXISTS (SELECT 1 FROM license l WHERE l.id = $6 AND l.revision = $7 AND l.state = 'issued')`,
			int64(h.Day()), h[:], at, by, receipt[:], id[:], revision)
		if err != nil {
			return Fault(err)
		}
		if tag.RowsAffected() != 1 {
			return errState
		}
		return insertRecord(ctx, tx, id, r)
	})
	if errors.Is(err, errState) {
		return false, nil
	}
	return err == nil, err
}

// Lists implements license.StatusLists. A cell's first list is open from the beginning and has no row.
func (s *LicenseStore) Lists(ctx context.Context, cell uint16) ([]uint32, error) {
	p, err := s.cells.Cell(cell)
	if err != nil {
		return nil, err
	}
	rows, err := p.Query(ctx, `SELECT list FROM status_list ORDER BY list`)
	if err != nil {
		return nil, Fault(err)
	}
	more, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, Fault(err)
	}
	out := []uint32{uint32(cell) << 16}
	for _, l := range more {
		out = append(out, uint32(l))
	}
	return out, nil
}

// NotIssued implements license.StatusLists.
func (s *LicenseStore) NotIssued(ctx context.Context, list uint32) ([]license.Slot, error) {
	p, err := s.cells.Cell(uint16(list >> 16))
	if err != nil {
		return nil, err
	}
	rows, err := p.Query(ctx, `SELECT s.slot, l.state FROM status_slot s JOIN license l ON l.id = s.license_id
		WHERE s.list = $1 AND l.state <> 'issued'`, int64(list))
	if err != nil {
		return nil, Fault(err)
	}
	defer rows.Close()
	var out []license.Slot
	for rows.Next() {
		var slot int64
		var v license.Slot
		if err := rows.Scan(&slot, &v.State); err != nil {
			return nil, Fault(err)
		}
		v.Index = uint32(slot)
		out = append(out, v)
	}
	return out, Fault(rows.Err())
}
