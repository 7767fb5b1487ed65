package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

func put(ctx context.Context, p *postgres.Pool, key string) error {
	return postgres.InTx(ctx, p, func(tx pgx.Tx) error {
		_, err := postgres.InsertOutbox(ctx, tx, postgres.TopicEvent, []byte(key), nil)
		return err
	})
}

func has(t *testing.T, p *postgres.Pool, key string) bool {
	t.Helper()
	var n int
	if err := p.QueryRow(background(t), `SELECT count(*) FROM outbox WHERE key = $1`, []byte(key)).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n == 1
}

func TestInTx(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	p := env.Cell(t, 1)
	ctx := background(t)
	if err := put(ctx, p, "good"); err != nil || !has(t, p, "good") {
		t.Fatal(err)
	}
	mine := errors.New("no")
	err := postgres.InTx(ctx, p, func(tx pgx.Tx) error {
		if _, err := postgres.InsertOutbox(ctx, tx, postgres.TopicEvent, []byte("refused"), nil); err != nil {
			return err
		}
		return mine
	})
	if !errors.Is(err, mine) || has(t, p, "refused") {
		t.Errorf("after an error: %v", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = postgres.InTx(ctx, p, func(tx pgx.Tx) error {
			if _, err := postgres.InsertOutbox(ctx, tx, postgres.TopicEvent, []byte("panicked"), nil); err != nil {
				return err
			}
			panic("oh")
		})
	}()
	if has(t, p, "panicked") {
		t.Error("a panic committed")
	}
	// A statement refused and its error dropped: the commit is a rollback, and that is known.
	err = postgres.InTx(ctx, p, func(tx pgx.Tx) error {
		_, _ = tx.Exec(ctx, `SELECT 1 / 0`)
		return nil
	})
	if err == nil || errors.Is(err, postgres.ErrCommitUnknown) {
		t.Errorf("a failed transaction said %v", err)
	}
	// A caller who goes away between its yes and the commit.
	leaving, cancel := context.WithCancel(ctx)
	err = postgres.InTx(leaving, p, func(tx pgx.Tx) error {
		_, err := postgres.InsertOutbox(leaving, tx, postgres.TopicEvent, []byte("left"), nil)
		cancel()
		return err
	})
	if err != nil || !has(t, p, "left") {
		t.Errorf("a caller who left: %v", err)
	}
	if held, used := p.Connections(); used != 0 {
		t.Errorf("%d of %d connections are still in use", used, held)
	}
}

// The connection is lost at COMMIT, before or after the server did it: the error is the same, the truth is not, and
// the key tells it.
func TestLostCommitIsUnknown(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	way := newProxy(t, env.Cluster.DSN(env.Database))
	configs := env.Configs
	configs[0].URL = way.dsn(env.Database)
	p := cell(t, open(t, env.Province, configs, quick()), 1)
	for key, c := range map[string]struct {
		mode int32
		done bool
	}{"before": {cutBefore, false}, "after": {cutAfter, true}} {
		works(t, p)
		way.set(c.mode)
		err := put(background(t), p, key)
		way.set(pass)
		want(t, err, fault.Unavailable, "commit_unknown")
		if !errors.Is(err, postgres.ErrCommitUnknown) {
			t.Errorf("%s: ErrCommitUnknown is not in %v", key, err)
		}
		if c.done {
			eventually(t, "the commit that arrived is there", func() bool { return has(t, p, key) })
		} else if has(t, p, key) {
			t.Errorf("a commit that never arrived is there")
		}
	}
}

// The server was restarted, or a firewall forgot us: every pooled connection is dead, and nobody hears of it.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1, 2)
	p, other := env.Cell(t, 1), env.Cell(t, 2)
	for round := range 3 {
		var busy sync.WaitGroup
		for range 5 {
			busy.Go(func() {
				if err := postgres.InTx(background(t), p, func(tx pgx.Tx) error {
					_, err := tx.Exec(background(t), `SELECT pg_sleep(0.05)`)
					return err
				}); err != nil {
					t.Error(err)
				}
			})
		}
		busy.Wait()
		if _, err := other.Exec(background(t), `SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
		if err := put(background(t), p, string(rune('a'+round))); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
}

func BenchmarkInTx(b *testing.B) {
	env := testenv.Postgres(b, 1)
	p := env.Cell(b, 1)
	ctx := context.Background()
	at := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		err := postgres.InTx(ctx, p, func(tx pgx.Tx) error {
			return postgres.InsertAudit(ctx, tx, postgres.Audit{At: at, Act: "license.issue", Subject: []byte("subject"), Actor: "account"})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
