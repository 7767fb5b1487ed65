package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

// The rules that keep every table movable between servers. A table says its key column in its comment:
//
//	COMMENT ON TABLE license IS 'key: license_id';
//	COMMENT ON TABLE kind IS 'key: kind_id; reference';
//
// and a reference table is a small one that may be copied everywhere, so that others may refer to it.
//
// Each query returns one line for each thing of the current schema that breaks the rule.
func tableRules() map[string]string {
	const keys = `WITH tables AS (
			SELECT c.oid, c.relname, c.relkind, c.relispartition, COALESCE(obj_description(c.oid, 'pg_class'), '') AS note
			FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')),
		keys AS (SELECT oid, relname, note ~ '; reference$' AS reference,
			string_to_array(regexp_replace(substring(note FROM '^key: ([a-z0-9_, ]+)'), ' ', '', 'g'), ',') AS columns FROM tables) `
	return map[string]string{
		"has a primary key": keys + `SELECT relname FROM tables
			WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = oid AND i.indisprimary)`,
		"says its key": keys + `SELECT relname FROM keys k WHERE columns IS NULL OR EXISTS (SELECT FROM unnest(columns) AS n
			WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.oid AND a.attname = n AND NOT a.attisdropped))`,
		"unique facts contain the key": keys + `SELECT i.indexrelid::regclass::text FROM keys k JOIN pg_index i ON i.indrelid = k.oid AND i.indisunique
			WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.oid AND a.attname = ANY (k.columns)
				AND NOT a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1]))`,
		"no identity columns": keys + `SELECT relname || '.' || attname FROM tables JOIN pg_attribute a ON attrelid = tables.oid WHERE attidentity <> ''`,
		"integer keys are bigint": keys + `SELECT DISTINCT relname || '.' || attname FROM tables
			JOIN pg_index i ON i.indrelid = tables.oid JOIN pg_attribute a ON a.attrelid = tables.oid AND a.attnum = ANY (i.indkey::int2[])
			WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype)`,
		"sequences are bigint": `SELECT seqrelid::regclass::text FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid
			WHERE c.relnamespace = current_schema()::regnamespace AND seqtypid <> 'int8'::regtype`,
		"no triggers": keys + `SELECT relname || ' ' || tgname FROM tables JOIN pg_trigger ON tgrelid = tables.oid WHERE NOT tgisinternal`,
		"no domains":  `SELECT typname::text FROM pg_type WHERE typnamespace = current_schema()::regnamespace AND typtype = 'd'`,
		"no volatile functions": `SELECT proname::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
			AND (provolatile = 'v' OR prokind = 'p')`,
		"foreign keys stay inside one key": keys + `SELECT f.conname::text FROM pg_constraint f
			JOIN keys k ON k.oid = f.conrelid LEFT JOIN keys r ON r.oid = f.confrelid
			WHERE f.contype = 'f' AND (r.oid IS NULL OR NOT r.reference AND NOT EXISTS (
				-- some pair of columns that is the key here and there
				SELECT FROM unnest(f.conkey, f.confkey) AS pair (here, there)
				JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = pair.here AND a.attname = ANY (k.columns)
				JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = pair.there AND b.attname = ANY (r.columns)))`,
		"checks have names": keys + `SELECT conname::text FROM pg_constraint JOIN tables ON tables.oid = conrelid
			WHERE contype = 'c' AND (conname ~ '_check[0-9]*$' OR NOT starts_with(conname, relname || '_'))`,
		"constraint names leave room for a shard's number": keys + `SELECT conname::text FROM pg_constraint JOIN tables ON tables.oid = conrelid WHERE length(conname) > 50`,
		"partitions have one level":                        keys + `SELECT relname FROM tables WHERE relkind = 'p' AND relispartition`,
		"no rules":                                         keys + `SELECT relname || ' ' || rulename FROM tables JOIN pg_rewrite ON ev_class = tables.oid`,
	}
}

// broken lists what in the pool's schema breaks a rule.
func broken(ctx context.Context, p *postgres.Pool, sql string) ([]string, error) {
	r, err := p.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(r, pgx.RowTo[string])
}

func TestEveryTableKeepsTheRules(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	for _, p := range env.Cells.All() {
		for rule, sql := range tableRules() {
			found, err := broken(background(t), p, sql)
			if err != nil {
				t.Fatalf("%s: %v", rule, err)
			}
			for _, what := range found {
				t.Errorf("%s: %s breaks the rule: %s", p.Schema(), what, rule)
			}
		}
	}
}

// Each rule sees what is planted against it, and only that rule does.
func TestPlantedViolationsAreSeen(t *testing.T) {
	t.Parallel()
	const good = `CREATE TABLE good (good_id bigint, part bigint, CONSTRAINT good_pk PRIMARY KEY (good_id)); COMMENT ON TABLE good IS 'key: good_id';`
	table := func(columns, note string) string {
		return fmt.Sprintf(`CREATE TABLE bad (%s); COMMENT ON TABLE bad IS '%s';`, columns, note)
	}
	planted := map[string][]string{
		"has a primary key": {table(`id bigint`, `key: id`)},
		"says its key":      {table(`id bigint PRIMARY KEY`, ``), table(`id bigint PRIMARY KEY`, `key: other`), table(`id bigint PRIMARY KEY`, `of ids`)},
		"unique facts contain the key": {
			table(`id bigint PRIMARY KEY, n text UNIQUE`, `key: id`),
			table(`id bigint PRIMARY KEY, n text`, `key: id`) + `CREATE UNIQUE INDEX ON bad (lower(n))`,
			table(`id bigint, at bigint PRIMARY KEY`, `key: id`),
			table(`id bigint PRIMARY KEY, at bigint`, `key: id`) + `CREATE UNIQUE INDEX ON bad (at) INCLUDE (id)`,
		},
		"no identity columns":     {table(`id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`, `key: id`)},
		"integer keys are bigint": {table(`id int PRIMARY KEY`, `key: id`), table(`id bigint, n smallint, PRIMARY KEY (id, n)`, `key: id`)},
		"sequences are bigint":    {`CREATE SEQUENCE bad_seq AS int`},
		"no triggers": {table(`id bigint PRIMARY KEY`, `key: id`) +
			`CREATE TRIGGER bad BEFORE UPDATE ON bad FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`},
		"no domains":            {`CREATE DOMAIN bad AS text`},
		"no volatile functions": {`CREATE FUNCTION bad() RETURNS int LANGUAGE sql AS 'SELECT 1'`, `CREATE PROCEDURE bad() LANGUAGE sql AS 'SELECT 1'`},
		"foreign keys stay inside one key": {
			good + table(`id bigint PRIMARY KEY, g bigint REFERENCES good`, `key: id`),
			`CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.good (good_id bigint PRIMARY KEY); COMMENT ON TABLE elsewhere.good IS 'key: good_id';` +
				table(`good_id bigint PRIMARY KEY REFERENCES elsewhere.good`, `key: good_id`),
		},
		"checks have names": {table(`id bigint PRIMARY KEY CHECK (id > 0)`, `key: id`), table(`id bigint PRIMARY KEY CONSTRAINT positive CHECK (id > 0)`, `key: id`)},
		"constraint names leave room for a shard's number": {table(`id bigint PRIMARY KEY CONSTRAINT bad_`+strings.Repeat("x", 50)+` CHECK (id > 0)`, `key: id`)},
		"partitions have one level": {`CREATE TABLE bad (id bigint PRIMARY KEY) PARTITION BY RANGE (id); COMMENT ON TABLE bad IS 'key: id';
			CREATE TABLE bad_1 PARTITION OF bad FOR VALUES FROM (1) TO (2) PARTITION BY RANGE (id); COMMENT ON TABLE bad_1 IS 'key: id'`},
		"no rules": {table(`id bigint PRIMARY KEY`, `key: id`) + `CREATE RULE bad AS ON DELETE TO bad DO INSTEAD NOTHING`},
	}
	harmless := []string{
		good + table(`good_id bigint, n bigint, PRIMARY KEY (good_id, n), FOREIGN KEY (good_id) REFERENCES good`, `key: good_id`),
		`CREATE TABLE few (few_id text PRIMARY KEY); COMMENT ON TABLE few IS 'key: few_id; reference';` +
			table(`id bigint PRIMARY KEY CONSTRAINT bad_id_positive CHECK (id > 0), few_id text REFERENCES few, n int`, `key: id`),
		`CREATE FUNCTION fine(n bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT $1'`,
	}
	rules := tableRules()
	if len(planted) != len(rules) {
		t.Errorf("%d rules, %d of them planted against", len(rules), len(planted))
	}
	env := testenv.Postgres(t, 1)
	p := env.Cells.Province()
	try := func(sql string) (seen []string) {
		t.Helper()
		ctx := background(t)
		if _, err := p.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		for rule, query := range rules {
			found, err := broken(ctx, p, query)
			if err != nil {
				t.Fatal(err)
			}
			if len(found) > 0 {
				seen = append(seen, rule)
			}
		}
		if _, err := p.Exec(ctx, `DROP TABLE IF EXISTS bad, good, few CASCADE; DROP SCHEMA IF EXISTS elsewhere CASCADE;
			DROP SEQUENCE IF EXISTS bad_seq; DROP DOMAIN IF EXISTS bad; DROP ROUTINE IF EXISTS bad, fine`); err != nil {
			t.Fatal(err)
		}
		slices.Sort(seen)
		return seen
	}
	for rule, attempts := range planted {
		for _, sql := range attempts {
			if seen := try(sql); !slices.Equal(seen, []string{rule}) {
				t.Errorf("%s\nbreaks %q, seen: %q", sql, rule, seen)
			}
		}
	}
	for _, sql := range harmless {
		if seen := try(sql); len(seen) > 0 {
			t.Errorf("%s\nbreaks nothing, seen: %q", sql, seen)
		}
	}
}
