package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// IdentityStore keeps accounts, factors and sessions in the province's schema.
type IdentityStore struct{ pool *Pool }

var _ identity.Store = (*IdentityStore)(nil)

// NewIdentityStore makes a store over the province's pool.
func NewIdentityStore(province *Pool) *IdentityStore { return &IdentityStore{pool: province} }

const accountColumns = `a.id, a.roles, a.office, a.office_name, a.level, a.profile, a.created_at`

func accountTargets(a *identity.AccountRow) []any {
	return []any{&a.ID, &a.Roles, &a.Office, &a.OfficeName, &a.Level, &a.Profile, &a.CreatedAt}
}

// Logins implements identity.Store.
func (s *IdentityStore) Logins(ctx context.Context, indexes [][]byte) (map[string]identity.AccountRow, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT l.login_index, `+accountColumns+`
		FROM identity_login l JOIN identity_account a ON a.id = l.account
		WHERE l.login_index = ANY($1)`, indexes)
	if err != nil {
		return nil, Fault(err)
	}
	defer rows.Close()
	out := make(map[string]identity.AccountRow)
	for rows.Next() {
		var index []byte
		var a identity.AccountRow
		if err := rows.Scan(append([]any{&index}, accountTargets(&a)...)...); err != nil {
			return nil, Fault(err)
		}
		out[string(index)] = a
	}
	return out, Fault(rows.Err())
}

// CreateAccounts implements identity.Store. The records come sorted by nobody, so two callers with the same logins could
// wait for each other: the transaction takes the logins in the order of their indexes.
func (s *IdentityStore) CreateAccounts(ctx context.Context, records []identity.AccountRecord) ([]bool, error) {
	created := make([]bool, len(records))
	err := InTx(ctx, s.pool, func(tx pgx.Tx) error {
		for _, i := range byIndex(records) {
			r := records[i]
			tag, err := tx.Exec(ctx, `INSERT INTO identity_login (login_index, account) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
				r.Login.Index, r.Login.Account)
			if err != nil {
				return Fault(err)
			}
			if tag.RowsAffected() == 0 {
				continue // somebody was first; the caller reads what stands
			}
			created[i] = true
			if err := insertAccount(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return created, nil
}

func insertAccount(ctx context.Context, tx pgx.Tx, r identity.AccountRecord) error {
	a := r.Account
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO identity_account (id, roles, office, office_name, level, profile, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.Roles, a.Office, a.OfficeName, a.Level, a.Profile, a.CreatedAt)
	for _, f := range r.Factors {
		batch.Queue(`INSERT INTO identity_factor (account, id, kind, params, secret, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			f.Account, f.ID, string(f.Kind), f.Params, f.Secret, f.CreatedAt)
	}
	for _, sub := range r.Subjects {
		batch.Queue(`INSERT INTO identity_subject (subject_index, account, relation) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			sub.Index, sub.Account, sub.Relation)
	}
	return Fault(tx.SendBatch(ctx, batch).Close(), Rule{
		Prefix: "identity_subject_relation_known",
		Fault:  fault.New(fault.Invalid, "subject_relation", "a subject is one's own, represented or guarded"),
	})
}

// Login implements identity.Store.
func (s *IdentityStore) Login(ctx context.Context, index []byte, kind identity.FactorKind) (identity.AccountRow, *identity.Factor, error) {
	var a identity.AccountRow
	var id, secret []byte
	var params *string
	var made *time.Time
	err := s.pool.QueryRow(ctx, `
		SELECT `+accountColumns+`, f.id, f.params, f.secret, f.created_at
		FROM identity_login l JOIN identity_account a ON a.id = l.account
		LEFT JOIN identity_factor f ON f.account = a.id AND f.kind = $2
		WHERE l.login_index = $1 ORDER BY f.created_at DESC LIMIT 1`, index, string(kind)).
		Scan(append(accountTargets(&a), &id, &params, &secret, &made)...)
	if err != nil {
		return identity.AccountRow{}, nil, Fault(err)
	}
	if params == nil {
		return a, nil, nil
	}
	return a, &identity.Factor{Account: a.ID, ID: id, Kind: kind, Params: *params, Secret: secret, CreatedAt: *made}, nil
}
