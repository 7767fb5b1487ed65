package postgres

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

//go:embed migrations/province/*.sql migrations/cell/*.sql
var embedded embed.FS

// migrateParallel bounds how many schemas are migrated at the same time.
const migrateParallel = 4

// migration is one forward step of a schema. Once released its file never changes: the checksum is recorded.
type migration struct {
	number   int64
	name     string
	sql      string
	checksum gm.Digest
}

func (m migration) String() string { return fmt.Sprintf("%04d_%s", m.number, m.name) }

// migrations are the steps of the province's schema or of a cell's, in the order of their numbers, which may have
// gaps.
func migrations(files fs.FS, code uint16) ([]migration, error) {
	kind := "cell"
	if code == ProvinceCode {
		kind = "province"
	}
	entries, err := fs.ReadDir(files, "migrations/"+kind)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "migration_files", "the migrations cannot be read")
	}
	form := regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.sql$`)
	var all []migration
	for _, e := range entries {
		m := form.FindStringSubmatch(e.Name())
		if m == nil {
			return nil, fault.New(fault.Internal, "migration_files", "the migration file "+e.Name()+" is not named NNNN_name.sql")
		}
		number, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			return nil, fault.Wrap(err, fault.Internal, "migration_files", "a migration has no number")
		}
		sql, err := fs.ReadFile(files, "migrations/"+kind+"/"+e.Name())
		if err != nil {
			return nil, fault.Wrap(err, fault.Internal, "migration_files", "a migration cannot be read")
		}
		all = append(all, migration{number, m[2], string(sql), gm.SM3(sql)})
	}
	slices.SortFunc(all, func(a, b migration) int { return cmp.Compare(a.number, b.number) })
	for i := 1; i < len(all); i++ {
		if all[i].number == all[i-1].number {
			return nil, fault.New(fault.Internal, "migration_files", fmt.Sprintf("two %s migrations have the number %04d", kind, all[i].number))
		}
	}
	return all, nil
}

// Migrate brings the schema of the province and of every cell to what this binary knows, several at a time, and
// tells how each stands afterwards. A schema that fails does not stop the others; the error then names them. The
// schemas are made where they do not exist, the databases are not.
func (c *Cells) Migrate(ctx context.Context) (Schemas, error) {
	var group errgroup.Group
	group.SetLimit(migrateParallel)
	all := c.All()
	errs := make([]error, len(all))
	for i, p := range all {
		group.Go(func() error {
			if err := p.migrate(ctx, embedded); err != nil {
				errs[i] = fmt.Errorf("%s: %w", p.Schema(), err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	found := c.Check(ctx)
	for i, err := range errs {
		if err != nil {
			found[i].Err = err
		}
	}
	if err := errors.Join(errs...); err != nil {
		return found, fault.Wrap(err, fault.Internal, "migration_incomplete", "not every schema could be migrated").
			WithHint("correct the cause and start again: what is done stays done")
	}
	return found, nil
}

func (p *Pool) migrate(ctx context.Context, files fs.FS) error {
	all, err := migrations(files, p.Code())
	if err != nil {
		return err
	}
	conn, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if err := p.prepareSchema(ctx, conn.Conn()); err != nil {
		return err
	}
	for _, m := range all {
		if err := p.apply(ctx, conn.Conn(), m, all); err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
	}
	p.admitted.Store(false) // to be looked at again
	return nil
}

// prepareSchema makes the schema and its table of versions.
func (p *Pool) prepareSchema(ctx context.Context, conn *pgx.Conn) error {
	return p.locked(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+pgx.Identifier{p.Schema()}.Sanitize())
		if err != nil {
			return Fault(err)
		}
		if err := p.inSchema(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS schema_version (
			number     bigint      NOT NULL,
			name       text        NOT NULL,
			checksum   bytea       NOT NULL,
			applied_at timestamptz NOT NULL,
			CONSTRAINT schema_version_pk PRIMARY KEY (number));
			COMMENT ON TABLE schema_version IS 'key: number'`)
		return Fault(err)
	})
}

// apply runs one step unless it has been run: in a transaction with the record of it, so that a step is there whole
// or not at all.
func (p *Pool) apply(ctx context.Context, conn *pgx.Conn, m migration, all []migration) error {
	return p.locked(ctx, conn, func(tx pgx.Tx) error {
		if err := p.inSchema(ctx, tx); err != nil {
			return err
		}
		have, err := versions(ctx, tx)
		if err != nil {
			return err
		}
		if s := compare(all, have); len(s.Unknown) > 0 {
			return p.refusal(s)
		}
		if slices.ContainsFunc(have, func(v migration) bool { return v.number == m.number }) {
			return nil
		}
		if _, err := tx.Exec(ctx, m.sql); err != nil {
			return Fault(err)
		}
		_, err = tx.Exec(ctx, `INSERT INTO schema_version (number, name, checksum, applied_at) VALUES ($1, $2, $3, now())`,
			m.number, m.name, m.checksum[:])
		return Fault(err)
	})
}

// locked runs fn in a transaction that waits for other migrations of the same schema, but not long for those who
// use it: a change that queues behind a long query would hold up everybody behind itself.
func (p *Pool) locked(ctx context.Context, conn *pgx.Conn, fn func(pgx.Tx) error) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return Fault(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)`); err != nil {
		return Fault(err)
	}
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockKey("migrate", p.Schema())); err != nil {
		return Fault(err)
	}
	if _, err := tx.Exec(ctx, `SELECT set_config('lock_timeout', '10s', true)`); err != nil {
		return Fault(err)
	}
	if err := fn(tx); err != nil {
		return err
	}
	return commitFault(tx.Commit(ctx))
}

// inSchema makes sure that what follows happens in the cell's own schema, whatever stands between us and the server.
func (p *Pool) inSchema(ctx context.Context, db querier) error {
	var current *string
	if err := db.QueryRow(ctx, `SELECT current_schema()`).Scan(&current); err != nil {
		return Fault(err)
	}
	if current == nil || *current != p.Schema() {
		return fault.New(fault.Unavailable, "cell_schema_other", fmt.Sprintf("the connection to %s does not lead to the schema %s", p.Name(), p.Schema())).
			WithHint("behind a pooler, set search_path in the pooler's entry for this cell")
	}
	return nil
}

// versions are the steps that a schema records, without their text.
func versions(ctx context.Context, db querier) ([]migration, error) {
	r, err := db.Query(ctx, `SELECT number, name, checksum FROM schema_version ORDER BY number`)
	if err != nil {
		return nil, Fault(err)
	}
	have, err := pgx.CollectRows(r, func(row pgx.CollectableRow) (migration, error) {
		var m migration
		var sum []byte
		err := row.Scan(&m.number, &m.name, &sum)
		copy(m.checksum[:], sum)
		return m, err
	})
	return have, Fault(err)
}

// compare holds what a schema records against what this binary knows.
func compare(known, have []migration) Schema {
	var s Schema
	for _, k := range known {
		if !slices.ContainsFunc(have, func(h migration) bool { return h.number == k.number }) {
			s.Missing = append(s.Missing, k.String())
		}
	}
	for _, h := range have {
		i := slices.IndexFunc(known, func(k migration) bool { return k.number == h.number })
		if i < 0 || !bytes.Equal(known[i].checksum[:], h.checksum[:]) {
			s.Unknown = append(s.Unknown, h.String())
		}
	}
	return s
}
