package testenv_test

import (
	"context"
	"os"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

func TestPostgresGivesEachTestItsOwnDatabase(t *testing.T) {
	t.Parallel()
	a, b := testenv.Postgres(t), testenv.Postgres(t, 5)
	ctx := context.Background()
	if _, err := a.Cells.Province().Exec(ctx, `CREATE TABLE mine (id bigint PRIMARY KEY)`); err != nil {
		t.Fatal(err)
	}
	var there *string
	if err := b.Cells.Province().QueryRow(ctx, `SELECT to_regclass('mine')::text`).Scan(&there); err != nil || there != nil {
		t.Fatalf("the other database has the table too: %v %v", there, err)
	}
	if got := b.Cells.Codes(); len(got) != 1 || got[0] != 5 {
		t.Fatalf("cells %v", got)
	}
	for _, s := range a.Cells.Check(ctx) {
		if s.Err != nil {
			t.Errorf("%s is refused: %v", s.Schema, s.Err)
		}
	}
	if got := a.Cell(t, 18).Schema(); got != "cell_18" {
		t.Errorf("schema %s", got)
	}
}

func TestChromiumIsAProgram(t *testing.T) {
	t.Parallel()
	if info, err := os.Stat(testenv.Chromium(t)); err != nil || info.Mode()&0o111 == 0 {
		t.Fatalf("%v %v", info, err)
	}
}
