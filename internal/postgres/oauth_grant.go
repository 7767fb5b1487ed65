package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yinxin-trust/yinxin/identity"
)

// queryer is what a pool and a transaction have in common here.
type queryer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// PutGrant implements identity.GrantStore: one statement finishes the interaction, adds to the consent and stores the
// grant, or does nothing of it.
func (s *OAuthStore) PutGrant(ctx context.Context, g identity.GrantRow, interaction *identity.Key, consent *identity.ConsentRow) (bool, error) {
	var iDay, given *time.Time
	var iHash []byte
	var agreed []string
	if interaction != nil {
		day := interaction.Day.Time()
		iDay, iHash = &day, interaction.Hash[:]
	}
	if consent != nil {
		agreed, given = consent.Scopes, &consent.At
	}
	tag, err := s.pool.Exec(ctx, `
		WITH waiting AS (
			UPDATE oauth_interaction SET done_at = $10
			WHERE expires_day = $13 AND hash = $14 AND done_at IS NULL AND expires_at > $10
			RETURNING 1
		), going AS (
			SELECT 1 WHERE $14::bytea IS NULL OR EXISTS (SELECT 1 FROM waiting)
		), agreed AS (
			INSERT INTO oauth_consent (account, client, scopes, given_at)
			SELECT $4, $3, $15::text[], $16::timestamptz FROM going WHERE $16::timestamptz IS NOT NULL
			ON CONFLICT (account, client) DO UPDATE SET given_at = excluded.given_at,
				scopes = ARRAY(SELECT DISTINCT unnest(oauth_consent.scopes || excluded.scopes) ORDER BY 1)
		)
		INSERT INTO oauth_grant (expires_day, hash, client, account, sid, offline, scopes, detail, generation, created_at, expires_at, code_until)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM going`,
		g.Key.Day.Time(), g.Key.Hash[:], g.Client, g.Account, g.SID, g.Offline, g.Scopes, g.Detail, g.Generation, g.CreatedAt, g.ExpiresAt, g.CodeUntil,
		iDay, iHash, agreed, given)
	return tag.RowsAffected() == 1, Fault(err)
}

const grantColumns = `g.client, g.account, g.sid, g.offline, g.scopes, g.detail, g.generation, g.created_at, g.expires_at, g.code_until, g.used_at, g.rotated_at, g.ended_at`

// grantScan reads a grant whose columns may all be null.
type grantScan struct {
	client, account, sid       *string
	offline                    *bool
	scopes                     []string
	detail                     []byte
	generation                 *int64
	created, expires, until    *time.Time
	usedAt, rotatedAt, endedAt *time.Time
}

func (g *grantScan) targets() []any {
	return []any{&g.client, &g.account, &g.sid, &g.offline, &g.scopes, &g.detail, &g.generation, &g.created, &g.expires, &g.until, &g.usedAt, &g.rotatedAt, &g.endedAt}
}

// row is the grant, or nil when there is none.
func (g *grantScan) row(key identity.Key) *identity.GrantRow {
	if g.client == nil {
		return nil
	}
	return &identity.GrantRow{
		Key: key, Client: *g.client, Account: *g.account, SID: *g.sid, Offline: *g.offline, Scopes: g.scopes, Detail: g.detail,
		Generation: *g.generation, CreatedAt: *g.created, ExpiresAt: *g.expires, CodeUntil: *g.until,
		UsedAt: orZero(g.usedAt), RotatedAt: orZero(g.rotatedAt), EndedAt: orZero(g.endedAt),
	}
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func readGrant(ctx context.Context, db queryer, key identity.Key, lock string) (identity.GrantRow, error) {
	var g grantScan
	err := db.QueryRow(ctx, `SELECT `+grantColumns+` FROM oauth_grant g WHERE g.expires_day = $1 AND g.hash = $2`+lock, key.Day.Time(), key.Hash[:]).Scan(g.targets()...)
	if err != nil {
		return identity.GrantRow{}, Fault(err)
	}
	return *g.row(key), nil
}

func endGrant(ctx context.Context, db queryer, key identity.Key, at time.Time) error {
	_, err := db.Exec(ctx, `UPDATE oauth_grant SET ended_at = $3 WHERE expires_day = $1 AND hash = $2 AND ended_at IS NULL`, key.Day.Time(), key.Hash[:], at)
	return Fault(err)
}

// Grant implements identity.GrantStore.
func (s *OAuthStore) Grant(ctx context.Context, key identity.Key) (identity.GrantRow, error) {
	return readGrant(ctx, s.pool, key, "")
}

// EndGrant implements identity.GrantStore.
func (s *OAuthStore) EndGrant(ctx context.Context, key identity.Key, at time.Time) error {
	return endGrant(ctx, s.pool, key, at)
}

// Redeem implements identity.GrantStore.
func (s *OAuthStore) Redeem(ctx context.Context, fn func(identity.GrantTx) error) error {
	return InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(grantTx{tx: tx}) })
}

// grantTx is one redemption under way.
type grantTx struct {
	tx pgx.Tx
}

// Lock implements identity.GrantTx. Read committed makes the second of two redemptions see what the first left.
func (t grantTx) Lock(ctx context.Context, key identity.Key) (identity.GrantRow, error) {
	return readGrant(ctx, t.tx, key, ` FOR UPDATE`)
}

// Use implements identity.GrantTx.
func (t grantTx) Use(ctx context.Context, key identity.Key, at time.Time) (bool, error) {
	tag, err := t.tx.Exec(ctx, `UPDATE oauth_grant SET used_at = $3 WHERE expires_day = $1 AND hash = $2 AND used_at IS NULL AND ended_at IS NULL`,
		key.Day.Time(), key.Hash[:], at)
	return tag.RowsAffected() == 1, Fault(err)
}

// Rotate implements identity.GrantTx.
func (t grantTx) Rotate(ctx context.Context, key identity.Key, from int64, at time.Time) (bool, error) {
	tag, err := t.tx.Exec(ctx, `
		UPDATE oauth_grant SET generation = generation + 1, rotated_at = $4
		WHERE expires_day = $1 AND hash = $2 AND generation = $3 AND ended_at IS NULL`, key.Day.Time(), key.Hash[:], from, at)
	return tag.RowsAffected() == 1, Fault(err)
}

// EndGrant implements identity.GrantTx.
func (t grantTx) EndGrant(ctx context.Context, key identity.Key, at time.Time) error {
	return endGrant(ctx, t.tx, key, at)
}

// PutAccess implements identity.GrantTx.
func (t grantTx) PutAccess(ctx context.Context, row identity.AccessRow) error {
	return putAccess(ctx, t.tx, row)
}
