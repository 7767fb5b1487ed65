package postgres

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/identity"
)

// PutAccess implements identity.GrantStore.
func (s *OAuthStore) PutAccess(ctx context.Context, row identity.AccessRow) error {
	return putAccess(ctx, s.pool, row)
}

func putAccess(ctx context.Context, db queryer, r identity.AccessRow) error {
	var day *time.Time
	var hash []byte
	if r.Grant != (identity.Key{}) {
		d := r.Grant.Day.Time()
		day, hash = &d, r.Grant.Hash[:]
	}
	_, err := db.Exec(ctx, `
		INSERT INTO oauth_access (expires_day, hash, grant_day, grant_hash, client, account, scopes, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.Key.Day.Time(), r.Key.Hash[:], day, hash, r.Client, r.Account, r.Scopes, r.CreatedAt, r.ExpiresAt)
	return Fault(err)
}

// Access implements identity.GrantStore: one statement by whole primary keys.
func (s *OAuthStore) Access(ctx context.Context, key identity.Key) (identity.Access, error) {
	out := identity.Access{AccessRow: identity.AccessRow{Key: key}}
	var grantDay *time.Time
	var grantHash []byte
	var g grantScan
	var p struct {
		id, office, officeName *string
		roles                  []string
		level                  *int
		profile                []byte
		created                *time.Time
	}
	err := s.pool.QueryRow(ctx, `
		SELECT t.grant_day, t.grant_hash, t.client, t.account, t.scopes, t.created_at, t.expires_at, `+grantColumns+`, `+accountColumns+`
		FROM oauth_access t
		LEFT JOIN oauth_grant g ON g.expires_day = t.grant_day AND g.hash = t.grant_hash
		LEFT JOIN identity_account a ON a.id = t.account
		WHERE t.expires_day = $1 AND t.hash = $2`, key.Day.Time(), key.Hash[:]).
		Scan(append(append([]any{&grantDay, &grantHash, &out.Client, &out.Account, &out.Scopes, &out.CreatedAt, &out.ExpiresAt}, g.targets()...),
			&p.id, &p.roles, &p.office, &p.officeName, &p.level, &p.profile, &p.created)...)
	if err != nil {
		return identity.Access{}, Fault(err)
	}
	if grantDay != nil {
		out.Grant = identity.Key{Day: identity.DayOf(*grantDay), Hash: [32]byte(grantHash)}
		out.GrantRow = g.row(out.Grant)
	}
	if p.id != nil {
		out.Person = &identity.AccountRow{
			ID: *p.id, Roles: p.roles, Office: *p.office, OfficeName: *p.officeName, Level: *p.level,
			Profile: p.profile, CreatedAt: *p.created,
		}
	}
	return out, nil
}

// EndAccess implements identity.GrantStore.
func (s *OAuthStore) EndAccess(ctx context.Context, key identity.Key) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM oauth_access WHERE expires_day = $1 AND hash = $2`, key.Day.Time(), key.Hash[:])
	return Fault(err)
}

// Prune removes what ended before the given day: sessions, waiting requests, grants and access tokens. It is for a daily
// task; a deployment that cuts the tables into partitions drops those instead.
func (s *OAuthStore) Prune(ctx context.Context, before identity.Day) (int64, error) {
	var n int64
	for _, table := range []string{"oauth_access", "oauth_interaction", "oauth_grant", "identity_session"} {
		tag, err := s.pool.Exec(ctx, `DELETE FROM `+table+` WHERE expires_day < $1`, before.Time())
		if err != nil {
			return n, Fault(err)
		}
		n += tag.RowsAffected()
	}
	return n, nil
}
