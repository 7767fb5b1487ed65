package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/identity"
)

// OAuthStore keeps registered applications, waiting requests, consents, grants and access tokens in the province's schema.
type OAuthStore struct{ pool *Pool }

var (
	_ identity.ClientStore      = (*OAuthStore)(nil)
	_ identity.InteractionStore = (*OAuthStore)(nil)
	_ identity.GrantStore       = (*OAuthStore)(nil)
)

// NewOAuthStore makes a store over the province's pool.
func NewOAuthStore(province *Pool) *OAuthStore { return &OAuthStore{pool: province} }

// Client implements identity.ClientStore.
func (s *OAuthStore) Client(ctx context.Context, id string) (identity.ClientRow, error) {
	row := identity.ClientRow{ID: id}
	err := s.pool.QueryRow(ctx, `SELECT secrets, metadata FROM oauth_client WHERE id = $1`, id).Scan(&row.Secrets, &row.Metadata)
	return row, Fault(err)
}

// PutClients implements identity.ClientStore: all of them or none.
func (s *OAuthStore) PutClients(ctx context.Context, rows []identity.ClientRow, at time.Time) error {
	return InTx(ctx, s.pool, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		for _, r := range rows {
			secrets := r.Secrets
			if secrets == nil {
				secrets = [][]byte{}
			}
			batch.Queue(`
				INSERT INTO oauth_client (id, secrets, metadata, updated_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT (id) DO UPDATE SET secrets = excluded.secrets, metadata = excluded.metadata, updated_at = excluded.updated_at`,
				r.ID, secrets, r.Metadata, at)
		}
		return Fault(tx.SendBatch(ctx, batch).Close())
	})
}
