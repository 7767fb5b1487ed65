package postgres_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

// fresh is an environment whose schemas are all gone again.
func fresh(t *testing.T, codes ...uint16) *testenv.Env {
	t.Helper()
	env := testenv.Postgres(t, codes...)
	for _, p := range env.Cells.All() {
		if _, err := p.Exec(background(t), `DROP SCHEMA `+p.Schema()+` CASCADE`); err != nil {
			t.Fatal(err)
		}
	}
	return env
}

func TestMigrateFromNothingAndAgain(t *testing.T) {
	t.Parallel()
	env := fresh(t, 1, 2)
	c := open(t, env.Province, env.Configs, quick())
	if before := c.Check(background(t)); len(before.Lagging()) != 3 || len(before.Refused()) != 3 || len(before.Unknown()) != 0 {
		t.Errorf("before: %+v", before)
	}
	var everybody sync.WaitGroup
	for range 3 { // several processes start at the same time
		other := open(t, env.Province, env.Configs, quick())
		everybody.Go(func() {
			if _, err := other.Migrate(background(t)); err != nil {
				t.Error(err)
			}
		})
	}
	everybody.Wait()
	after, err := c.Migrate(background(t))
	if err != nil || len(after.Refused()) != 0 || len(after.Lagging()) != 0 {
		t.Errorf("after: %+v %v", after, err)
	}
	for _, p := range c.All() {
		works(t, p)
		var n, sums int
		if err := p.QueryRow(background(t), `SELECT count(*), count(*) FILTER (WHERE octet_length(checksum) = 32) FROM schema_version`).Scan(&n, &sums); err != nil || n == 0 || n != sums {
			t.Errorf("%s: %d rows, %d checksums, %v", p.Schema(), n, sums, err)
		}
	}
}

// Each of these happens to cell 1 behind our back: it is refused with its own words, the others are served, and once
// it is mended it is served without a restart.
func TestServeRefusesASchemaItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm, mend   string
		code         string
		lags, unknow bool
	}{
		"newer": {
			`INSERT INTO cell_01.schema_version VALUES (9999, 'later', '\x00', now())`,
			`DELETE FROM cell_01.schema_version WHERE number = 9999`, "cell_schema_unknown", false, true,
		},
		"different": {
			`UPDATE cell_01.schema_version SET checksum = sha256(checksum) || checksum WHERE number = 1`,
			`UPDATE cell_01.schema_version SET checksum = (SELECT checksum FROM cell_02.schema_version WHERE number = 1) WHERE number = 1`,
			"cell_schema_unknown", false, true,
		},
		"behind": {
			`DELETE FROM cell_01.schema_version WHERE number = 1`,
			`INSERT INTO cell_01.schema_version SELECT * FROM cell_02.schema_version WHERE number = 1`, "cell_schema_behind", true, false,
		},
		"never migrated": {
			`ALTER TABLE cell_01.schema_version RENAME TO hidden`,
			`ALTER TABLE cell_01.hidden RENAME TO schema_version`, "cell_schema_behind", true, false,
		},
		"gone": {
			`ALTER SCHEMA cell_01 RENAME TO hidden`, `ALTER SCHEMA hidden RENAME TO cell_01`, "cell_schema_other", true, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := testenv.Postgres(t, 1, 2)
			if _, err := env.Cells.Province().Exec(background(t), c.harm); err != nil {
				t.Fatal(err)
			}
			cells := open(t, env.Province, env.Configs, quick())
			_, err := cell(t, cells, 1).Exec(background(t), `SELECT 1`)
			want(t, err, fault.Unavailable, c.code)
			works(t, cells.Province())
			works(t, cell(t, cells, 2))

			found := cells.Check(background(t))
			refused := found.Refused()
			if len(refused) != 1 || refused[0].Schema != "cell_01" || fault.CodeOf(refused[0].Err) != c.code {
				t.Errorf("refused: %+v", refused)
			}
			if (len(found.Lagging()) == 1) != c.lags || (len(found.Unknown()) == 1) != c.unknow {
				t.Errorf("lagging %+v, unknown %+v", found.Lagging(), found.Unknown())
			}
			if c.unknow {
				_, err := cells.Migrate(background(t))
				if err == nil || !strings.Contains(err.Error(), "cell_01") {
					t.Errorf("migrate went over a schema it does not know: %v", err)
				}
			}
			if _, err := cells.Province().Exec(background(t), c.mend); err != nil {
				t.Fatal(err)
			}
			works(t, cell(t, cells, 1))
		})
	}
}

// What a running binary has seen to be right it goes on serving until it is told to look again: an update of one
// machine does not stop the others before their turn.
func TestCheckLooksAgain(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	p := env.Cell(t, 1)
	works(t, p)
	if _, err := p.Exec(background(t), `INSERT INTO schema_version VALUES (9999, 'later', '\x00', now())`); err != nil {
		t.Fatal(err)
	}
	works(t, p)
	if got := env.Cells.Check(background(t)).Unknown(); len(got) != 1 || !slices.Equal(got[0].Unknown, []string{"9999_later"}) {
		t.Fatalf("%+v", got)
	}
	_, err := p.Exec(background(t), `SELECT 1`)
	want(t, err, fault.Unavailable, "cell_schema_unknown")
}

// One cell cannot be reached: the others are migrated, and the error names the one.
func TestMigrateWithoutOneCell(t *testing.T) {
	t.Parallel()
	env := fresh(t, 1, 2)
	way := newProxy(t, env.Cluster.DSN(env.Database))
	way.set(refuse)
	configs := env.Configs
	configs[0].URL = way.dsn(env.Database)
	c := open(t, env.Province, configs, quick())
	found, err := c.Migrate(background(t))
	want(t, err, fault.Internal, "migration_incomplete")
	if !strings.Contains(err.Error(), "cell_01") || strings.Contains(err.Error(), "cell_02") {
		t.Errorf("the error says %v", err)
	}
	if refused := found.Refused(); len(refused) != 1 || refused[0].Code != 1 {
		t.Errorf("refused: %+v", refused)
	}
	works(t, c.Province())
	works(t, cell(t, c, 2))
}

// The idle cost of a map of cells, before its first connection.
func BenchmarkOpenCells(b *testing.B) {
	var configs []postgres.CellConfig
	for code := range uint16(18) {
		configs = append(configs, postgres.CellConfig{Code: code + 1})
	}
	b.ReportAllocs()
	for b.Loop() {
		c, err := postgres.OpenCells(postgres.CellConfig{URL: "postgres://postgres@/yinxin?host=/nowhere"}, configs, postgres.PoolOptions{})
		if err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
}
