package postgres_test

import (
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

// TestPrune removes what has done its duty and nothing else.
func TestPrune(t *testing.T) {
	t.Parallel()
	env, ctx := testenv.Postgres(t), background(t)
	now := time.Now().UTC()
	old := now.Add(-postgres.KeepSettled - time.Hour)
	pool, err := env.Cells.Cell(1)
	if err != nil {
		t.Fatal(err)
	}
	for id, done := range map[int]any{1: old, 2: now, 3: nil} {
		if _, err := pool.Exec(ctx, `INSERT INTO outbox (id, topic, key, payload, created_at, done_at) VALUES ($1, 'ledger', 'k', '', $2, $3)`, id, old, done); err != nil {
			t.Fatal(err)
		}
	}
	for i, at := range []time.Time{old.Add(-24 * time.Hour), now} {
		if _, err := pool.Exec(ctx, `INSERT INTO code_handle (day, handle, license_id, holder_index, minted_at, expires_at, used_by)
			VALUES ($1, $2, 'l', 'h', $3, $3, '')`, at.Unix()/86400, append(make([]byte, 19), byte(i)), at); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := env.Cells.Prune(ctx, now); err != nil || n != 2 {
		t.Errorf("removed %d rows, %v; want the settled old message and the old handle", n, err)
	}
	var messages, handles int
	if err := pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM code_handle)`).Scan(&messages, &handles); err != nil || messages != 2 || handles != 1 {
		t.Errorf("left are %d messages and %d handles, %v", messages, handles, err)
	}
}
