package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// PoolOptions are the same for every pool of a map of cells. The zero value is good for one server.
type PoolOptions struct {
	MaxConns         int32         // of each cell; 0: 8
	ProvinceMaxConns int32         // of the province; 0: twice MaxConns
	IdleTime         time.Duration // an idle connection is closed after this; 0: 5 minutes
	ConnectTimeout   time.Duration // 0: 3 s
	AcquireTimeout   time.Duration // longest wait for a free connection; 0: 5 s
	StatementTimeout time.Duration // 0: 30 s
	Cooldown         time.Duration // first pause after a cell did not answer, doubled up to 8 times of it; 0: 500 ms
	// ExecMode is pgx's: cache_statement (also when empty), cache_describe, describe_exec, exec or simple_protocol.
	// Behind a pooler that changes the server connection between transactions: cache_describe.
	ExecMode string
	// Pooler leaves out the settings that such a pooler refuses at the start of a connection. The database entry of
	// the pooler must then set search_path to the cell's schema, which is checked.
	Pooler bool
	// Unchecked serves a schema whether this binary knows it or not: for migrate and doctor, never for serve.
	Unchecked bool
}

func (o PoolOptions) withDefaults() PoolOptions {
	pick := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	if o.MaxConns == 0 {
		o.MaxConns = 8
	}
	if o.ProvinceMaxConns == 0 {
		o.ProvinceMaxConns = 2 * o.MaxConns
	}
	if o.ExecMode == "" {
		o.ExecMode = "cache_statement"
	}
	pick(&o.IdleTime, 5*time.Minute)
	pick(&o.ConnectTimeout, 3*time.Second)
	pick(&o.AcquireTimeout, 5*time.Second)
	pick(&o.StatementTimeout, 30*time.Second)
	pick(&o.Cooldown, 500*time.Millisecond)
	return o
}

// Pool is the connections of one cell, or of the province. It connects when it is first used, and looks at the
// schema's version before it lets the first statement through.
type Pool struct {
	cell     CellConfig
	opts     PoolOptions
	pool     *pgxpool.Pool
	breaker  *breaker
	admitted atomic.Bool // the schema was seen to be the one this binary knows
}

func newPool(cell CellConfig, opts PoolOptions, maxConns int32) (*Pool, error) {
	cfg, err := pgxpool.ParseConfig(cell.URL)
	if err != nil {
		// The parser's message quotes the URL, and a URL may hold a password.
		return nil, fault.New(fault.Invalid, "cell_url", fmt.Sprintf("the database URL of cell %d is malformed", cell.Code)).
			WithHint("write it as postgres://user@host:5432/database?sslmode=verify-full")
	}
	mode, ok := execModes()[opts.ExecMode]
	if !ok {
		return nil, fault.New(fault.Invalid, "exec_mode", fmt.Sprintf("exec mode %q is unknown", opts.ExecMode)).
			WithHint("one of cache_statement, cache_describe, describe_exec, exec, simple_protocol")
	}
	cfg.MaxConns, cfg.MinConns = maxConns, 0
	cfg.MaxConnIdleTime, cfg.PingTimeout = opts.IdleTime, opts.ConnectTimeout
	conn := cfg.ConnConfig
	conn.ConnectTimeout, conn.DefaultQueryExecMode = opts.ConnectTimeout, mode
	conn.RuntimeParams["application_name"] = "yinxin"
	if !opts.Pooler {
		conn.RuntimeParams["search_path"] = pgx.Identifier{cell.Schema}.Sanitize()
		conn.RuntimeParams["timezone"] = "UTC"
		conn.RuntimeParams["statement_timeout"] = fmt.Sprint(opts.StatementTimeout.Milliseconds())
		conn.RuntimeParams["idle_in_transaction_session_timeout"] = fmt.Sprint((2 * opts.StatementTimeout).Milliseconds())
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), cfg)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "cell_url", fmt.Sprintf("the pool of cell %d cannot be made", cell.Code))
	}
	return &Pool{cell: cell, opts: opts, pool: pool, breaker: newBreaker(opts.Cooldown)}, nil
}

func execModes() map[string]pgx.QueryExecMode {
	return map[string]pgx.QueryExecMode{
		"cache_statement": pgx.QueryExecModeCacheStatement,
		"cache_describe":  pgx.QueryExecModeCacheDescribe,
		"describe_exec":   pgx.QueryExecModeDescribeExec,
		"exec":            pgx.QueryExecModeExec,
		"simple_protocol": pgx.QueryExecModeSimpleProtocol,
	}
}

// Code is the cell's code: what the ids of its making start with.
func (p *Pool) Code() uint16 { return p.cell.Code }

// Name is the cell's name for people.
func (p *Pool) Name() string { return p.cell.Name }

// Schema is the PostgreSQL schema that the pool's statements run in.
func (p *Pool) Schema() string { return p.cell.Schema }

// Acquire takes a connection, which the caller releases. A cell that does not answer gives cell_unavailable, after
// at most the connect timeout, and at once while it is known to be down.
func (p *Pool) Acquire(ctx context.Context) (*pgxpool.Conn, error) {
	conn, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	if p.opts.Unchecked || p.admitted.Load() {
		return conn, nil
	}
	if err := p.admit(ctx, conn.Conn()); err != nil {
		conn.Release()
		return nil, err
	}
	return conn, nil
}

// connect takes a connection without looking at the schema.
func (p *Pool) connect(ctx context.Context) (*pgxpool.Conn, error) {
	// A connection at hand needs no new one, so a server that is only slow to greet keeps being asked through it.
	if p.pool.Stat().IdleConns() == 0 && !p.breaker.allow(time.Now()) {
		return nil, p.unavailable(errors.New("not asked: it did not answer a moment ago"))
	}
	waiting, cancel := context.WithTimeout(ctx, p.opts.AcquireTimeout)
	defer cancel()
	conn, err := p.pool.Acquire(waiting)
	switch {
	case err == nil:
		p.breaker.succeeded()
		return conn, nil
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded): // the caller went away: says nothing about the cell
		p.breaker.undecided()
		return nil, Fault(ctx.Err())
	case waiting.Err() != nil && p.pool.Stat().AcquiredConns() >= p.pool.Stat().MaxConns(): // it answers, but everybody is at it
		p.breaker.undecided()
		return nil, fault.Wrap(err, fault.Unavailable, "cell_busy", fmt.Sprintf("the database of %s is busy", p.cell.Name)).WithHint("try again in a moment")
	}
	p.breaker.failed(time.Now())
	return nil, p.unavailable(err)
}

func (p *Pool) unavailable(err error) error {
	return fault.Wrap(err, fault.Unavailable, "cell_unavailable", fmt.Sprintf("the database of %s does not answer", p.cell.Name)).
		WithHint("try again later; other offices are not affected")
}

// Exec runs one statement outside a transaction.
func (p *Pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer conn.Release()
	return conn.Exec(ctx, sql, args...)
}

// Query runs one query outside a transaction. The connection returns to the pool when the rows are closed or read
// to their end.
func (p *Pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	r, err := conn.Query(ctx, sql, args...)
	if err != nil {
		conn.Release()
		return nil, err
	}
	return &rows{Rows: r, conn: conn}, nil
}

// QueryRow runs a query for one row outside a transaction; its error comes from Scan.
func (p *Pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	r, err := p.Query(ctx, sql, args...)
	return row{rows: r, err: err}
}

// Connections is how many connections the pool holds at this moment, and how many of them are in use.
func (p *Pool) Connections() (held, used int32) {
	s := p.pool.Stat()
	return s.TotalConns(), s.AcquiredConns()
}

func (p *Pool) close() { p.pool.Close() }

// rows gives its connection back when it is done.
type rows struct {
	pgx.Rows
	conn *pgxpool.Conn
}

func (r *rows) Close() {
	r.Rows.Close()
	if r.conn != nil {
		r.conn.Release()
		r.conn = nil
	}
}

func (r *rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Scan closes the rows on an error, as pgx's own do.
func (r *rows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return err
}

type row struct {
	rows pgx.Rows
	err  error
}

func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close() // what went wrong after the first row is known only now
	return r.rows.Err()
}
