package postgres_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/identity"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

// Every session that starts has a record of the sign-in, which names the account and nothing else about the person; a
// session that cannot be stored leaves none.
func TestSignInIsAudited(t *testing.T) {
	t.Parallel()
	env, ctx := testenv.Postgres(t, 1), background(t)
	p := env.Cells.Province()
	store := postgres.NewIdentityStore(p)
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	start := func(account string, replaces *identity.Key) identity.SessionRow {
		t.Helper()
		ends := now.Add(time.Hour)
		_, key, err := identity.NewHandle(rand.Reader, identity.DayOf(ends))
		if err != nil {
			t.Fatal(err)
		}
		row := identity.SessionRow{
			Key: key, SID: rand.Text(), Account: account, AuthTime: now, AMR: []string{"pwd"}, ACR: "2", CreatedAt: now, ExpiresAt: ends,
		}
		if _, err := store.StartSession(ctx, row, replaces); err != nil {
			t.Fatal(err)
		}
		return row
	}
	first := start("account-1", nil)
	now = now.Add(time.Minute)
	start("account-1", &first.Key)
	now = now.Add(time.Minute)
	if _, err := store.StartSession(ctx, first, nil); err == nil {
		t.Error("the same token twice was stored")
	}
	start("account-2", nil)

	type record struct {
		At           time.Time
		Act, Subject string
		Actor        string
		Detail       string
	}
	rows, err := p.Query(ctx, `SELECT at, act, convert_from(subject, 'UTF8'), actor, convert_from(detail, 'UTF8') FROM audit ORDER BY at, id`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[record])
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].At = got[i].At.UTC()
	}
	const detail = `{"amr":["pwd"],"acr":"2"}`
	begin := first.CreatedAt
	want := []record{
		{begin, "identity.sign_in", "account-1", "account-1", detail},
		{begin.Add(time.Minute), "identity.sign_in", "account-1", "account-1", detail},
		{begin.Add(2 * time.Minute), "identity.sign_in", "account-2", "account-2", detail},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
