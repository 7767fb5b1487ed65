package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// auditSignIn is a sign-in in the audit; its subject and actor are the account.
const auditSignIn = "identity.sign_in"

// StartSession implements identity.Store. The same statement records the sign-in: there is no session without its record.
func (s *IdentityStore) StartSession(ctx context.Context, n identity.SessionRow, replaces *identity.Key) (string, error) {
	var oldDay *time.Time
	var oldHash []byte
	if replaces != nil {
		day := replaces.Day.Time()
		oldDay, oldHash = &day, replaces.Hash[:]
	}
	detail, err := json.Marshal(struct {
		AMR []string `json:"amr"`
		ACR string   `json:"acr"`
	}{n.AMR, n.ACR})
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "audit_detail", "an audit record cannot be written")
	}
	var sid string
	err = s.pool.QueryRow(ctx, `
		WITH old AS (
			UPDATE identity_session SET ended_at = $8
			WHERE expires_day = $10 AND hash = $11 AND ended_at IS NULL AND expires_at > $8
			RETURNING sid, account
		), stranger AS (
			UPDATE oauth_grant g SET ended_at = $8
			FROM old WHERE g.sid = old.sid AND old.account <> $4 AND g.ended_at IS NULL AND NOT g.offline
		), audited AS (
			INSERT INTO audit (id, at, act, subject, actor, on_behalf_of, office, matter, case_no, reason, legal_basis, detail)
			VALUES (nextval('audit_seq'), $8, $12, convert_to($4, 'UTF8'), $4, '', '', '', '', '', '', $13)
		)
		INSERT INTO identity_session (expires_day, hash, sid, account, auth_time, amr, acr, created_at, expires_at)
		VALUES ($1, $2, COALESCE((SELECT sid FROM old WHERE account = $4), $3), $4, $5, $6, $7, $8, $9)
		RETURNING sid`,
		n.Key.Day.Time(), n.Key.Hash[:], n.SID, n.Account, n.AuthTime, n.AMR, n.ACR, n.CreatedAt, n.ExpiresAt, oldDay, oldHash,
		auditSignIn, detail).Scan(&sid)
	return sid, Fault(err)
}

// Session implements identity.Store.
func (s *IdentityStore) Session(ctx context.Context, key identity.Key, now time.Time) (identity.SessionRow, identity.AccountRow, error) {
	row := identity.SessionRow{Key: key}
	var a identity.AccountRow
	err := s.pool.QueryRow(ctx, `
		SELECT s.sid, s.account, s.auth_time, s.amr, s.acr, s.created_at, s.expires_at, `+accountColumns+`
		FROM identity_session s JOIN identity_account a ON a.id = s.account
		WHERE s.expires_day = $1 AND s.hash = $2 AND s.ended_at IS NULL AND s.expires_at > $3`,
		key.Day.Time(), key.Hash[:], now).
		Scan(append([]any{&row.SID, &row.Account, &row.AuthTime, &row.AMR, &row.ACR, &row.CreatedAt, &row.ExpiresAt}, accountTargets(&a)...)...)
	if err != nil {
		return identity.SessionRow{}, identity.AccountRow{}, Fault(err)
	}
	return row, a, nil
}

// EndSession implements identity.Store.
func (s *IdentityStore) EndSession(ctx context.Context, key identity.Key, at time.Time) error {
	_, err := s.pool.Exec(ctx, `
		WITH ended AS (
			UPDATE identity_session SET ended_at = $3
			WHERE expires_day = $1 AND hash = $2 AND ended_at IS NULL RETURNING sid, account
		)
		UPDATE oauth_grant g SET ended_at = $3
		FROM ended WHERE g.sid = ended.sid AND g.account = ended.account AND g.ended_at IS NULL AND NOT g.offline`,
		key.Day.Time(), key.Hash[:], at)
	return Fault(err)
}

// EndSessions implements identity.Store.
func (s *IdentityStore) EndSessions(ctx context.Context, sid string, at time.Time) error {
	_, err := s.pool.Exec(ctx, `
		WITH ended AS (
			UPDATE identity_session SET ended_at = $2 WHERE sid = $1 AND ended_at IS NULL
		)
		UPDATE oauth_grant SET ended_at = $2 WHERE sid = $1 AND ended_at IS NULL AND NOT offline`, sid, at)
	return Fault(err)
}

// byIndex is the order of records by their login's index.
func byIndex(records []identity.AccountRecord) []int {
	order := make([]int, len(records))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(records[a].Login.Index, records[b].Login.Index) })
	return order
}
