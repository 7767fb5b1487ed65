package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

const (
	commitTimeout   = 10 * time.Second
	rollbackTimeout = 2 * time.Second
)

// InTx runs fn in one transaction (read committed) of one cell. An error or panic of fn rolls back and comes out
// unchanged. Once fn has said yes, a caller who goes away no longer stops the commit.
//
// When the connection is lost while the commit is under way the error has ErrCommitUnknown in its chain and the code
// commit_unknown: the caller reads back by its idempotency key before it says anything.
func InTx(ctx context.Context, p *Pool, fn func(pgx.Tx) error) error {
	conn, tx, err := p.begin(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	finished := false
	defer func() {
		if !finished {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
			defer cancel()
			_ = tx.Rollback(ctx) // when it fails the connection is closed, which rolls back as well
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	finished = true
	if tx.Conn().IsClosed() { // lost before: COMMIT is not even sent, and the server rolls back
		return Fault(pgconn.ErrConnClosed)
	}
	commitCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	return commitFault(tx.Commit(commitCtx))
}

// begin starts a transaction. Nothing has been said yet, so a pooled connection that turns out to be dead is
// replaced.
func (p *Pool) begin(ctx context.Context) (*pgxpool.Conn, pgx.Tx, error) {
	for {
		conn, err := p.Acquire(ctx)
		if err != nil {
			return nil, nil, err
		}
		tx, err := conn.Begin(ctx)
		if err == nil {
			return conn, tx, nil
		}
		dead := ctx.Err() == nil && lostConnection(err)
		conn.Release() // a dead connection does not return to the pool, so this loop is bounded by the pool's size
		if !dead {
			return nil, nil, Fault(err)
		}
	}
}

// commitFault tells a refused commit from one whose outcome nobody knows. Only the server's own word counts: the
// driver calls a connection that broke after COMMIT was sent closed and safe to try again, which it is not.
func commitFault(err error) error {
	if err == nil {
		return nil
	}
	known := false
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrTxCommitRollback), errors.Is(err, pgx.ErrTxClosed):
		known = true
	case errors.As(err, &pg):
		// 57P01 may come after the commit was written, while it waited for the standby.
		known = !(pg.Code == "XX000" || len(pg.Code) == 5 && (pg.Code[:2] == "08" || pg.Code[:3] == "57P"))
	}
	if known {
		return Fault(err)
	}
	return fault.Wrap(errors.Join(ErrCommitUnknown, err), fault.Unavailable, "commit_unknown", "it is not known whether the act was recorded").
		WithHint("ask again with the same request: it will not be done twice")
}
