package postgres_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
	"github.com/yinxin-trust/yinxin/seal"
	"github.com/yinxin-trust/yinxin/seal/sealtest"
)

var (
	_ seal.DraftStore = (*postgres.SealStore)(nil)
	_ seal.Registry   = (*postgres.SealStore)(nil)
)

func TestSealStore(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t)
	sealtest.Suite(t, 2, postgres.NewSealStore(env.Cells))
}

// A seal is sealed with from its cell only, and every step has its audit record.
func TestSealStoreAuditsAndStaysInItsCell(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t)
	ctx := background(t)
	store, p := postgres.NewSealStore(env.Cells), sealtest.New(t)
	row := p.Row(t, 1, "42010000000001")
	row.State = seal.StateRequested
	if err := store.InsertSeal(ctx, row, sealtest.TestAct()); err != nil {
		t.Fatal(err)
	}
	steps := []seal.State{seal.StateRequested, seal.StateApproved, seal.StateMade, seal.StateFiled, seal.StateActive}
	for i, to := range steps[1:] {
		var made *seal.Made
		if to == seal.StateMade {
			made = &seal.Made{DER: row.DER, SignerCert: row.SignerCert, MakerCert: row.MakerCert, KeyRef: row.KeyRef}
		}
		if err := store.ChangeSeal(ctx, 1, row.ID, steps[i], to, made, sealtest.TestAct(), sealtest.Now().Add(time.Duration(i+1)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	now := sealtest.Now().Add(sealtest.Day)
	service := seal.NewService(store, p.Keys(), func() time.Time { return now }, sealtest.Random())
	req := seal.Request{Cell: 1, SealID: row.ID, PropertyInfo: "/a", Act: sealtest.TestAct()}
	draft, err := service.Prepare(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := service.Apply(ctx, draft.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := service.Apply(ctx, draft.ID); fault.CodeOf(err) != "draft_redeemed" {
		t.Errorf("applied twice: %v", err)
	}
	req.Cell = 2
	if _, err := service.Prepare(ctx, req); fault.CodeOf(err) != "seal_unknown" {
		t.Errorf("another cell knows the seal: %v", err)
	}
	acts := func(code uint16) []string {
		rows, err := env.Cell(t, code).Query(ctx, `SELECT act FROM audit ORDER BY at, id`)
		if err != nil {
			t.Fatal(err)
		}
		out, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := []string{"seal.requested", "seal.approved", "seal.made", "seal.filed", "seal.active", "seal.prepare", "seal.applied"}
	if got := acts(1); !slices.Equal(got, want) {
		t.Errorf("audit %v, want %v", got, want)
	}
	if got := acts(2); len(got) != 0 {
		t.Errorf("audit of another cell: %v", got)
	}
}

// The states of the Go types and of the CHECK constraints are the same.
func TestSealStatesAreTheDatabases(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t)
	for constraint, want := range map[string][]string{
		"seal_state_known":       words(seal.States()),
		"seal_draft_state_known": words(seal.DraftStates()),
	} {
		var def string
		if err := env.Cell(t, 1).QueryRow(background(t), `SELECT pg_get_constraintdef(oid) FROM pg_constraint
			WHERE conname = $1 AND connamespace = current_schema()::regnamespace`, constraint).Scan(&def); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range regexp.MustCompile(`'([a-z]+)'`).FindAllStringSubmatch(def, -1) {
			got = append(got, m[1])
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", constraint, got, want)
		}
	}
}

func words[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}
