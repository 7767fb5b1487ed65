package postgres

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// PutInteraction implements identity.InteractionStore.
func (s *OAuthStore) PutInteraction(ctx context.Context, r identity.InteractionRow) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO oauth_interaction (expires_day, hash, client, detail, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.Key.Day.Time(), r.Key.Hash[:], r.Client, r.Detail, r.CreatedAt, r.ExpiresAt)
	return Fault(err)
}

// Interaction implements identity.InteractionStore.
func (s *OAuthStore) Interaction(ctx context.Context, key identity.Key, now time.Time) (identity.InteractionRow, error) {
	r := identity.InteractionRow{Key: key}
	err := s.pool.QueryRow(ctx, `
		SELECT client, detail, created_at, expires_at FROM oauth_interaction
		WHERE expires_day = $1 AND hash = $2 AND done_at IS NULL AND expires_at > $3`,
		key.Day.Time(), key.Hash[:], now).Scan(&r.Client, &r.Detail, &r.CreatedAt, &r.ExpiresAt)
	return r, Fault(err)
}

// EndInteraction implements identity.InteractionStore.
func (s *OAuthStore) EndInteraction(ctx context.Context, key identity.Key, at time.Time) (bool, error) {
	tag, err := s.pool.Exec(ctx, `UPDATE oauth_interaction SET done_at = $3 WHERE expires_day = $1 AND hash = $2 AND done_at IS NULL`,
		key.Day.Time(), key.Hash[:], at)
	return tag.RowsAffected() == 1, Fault(err)
}

// Consent implements identity.InteractionStore.
func (s *OAuthStore) Consent(ctx context.Context, account, client string) ([]string, error) {
	var scopes []string
	err := Fault(s.pool.QueryRow(ctx, `SELECT scopes FROM oauth_consent WHERE account = $1 AND client = $2`, account, client).Scan(&scopes))
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	return scopes, err
}
