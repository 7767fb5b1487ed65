package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// The topics of an outbox.
const (
	TopicLedger    = "ledger"    // entries for the log (账本)
	TopicDirectory = "directory" // who holds what, for the province
	TopicEvent     = "event"     // for other systems
)

// Message is one row of an outbox (发件箱): what another place must learn of a fact of this cell.
type Message struct {
	ID        int64
	Key       []byte // the receiver does the same key only once
	Payload   []byte
	CreatedAt time.Time
}

// Receipt is a receiver's answer to one message.
type Receipt struct {
	ID      int64
	Receipt []byte
}

// InsertOutbox adds a message in the transaction of its fact, and returns its id.
func InsertOutbox(ctx context.Context, tx pgx.Tx, topic string, key, payload []byte) (int64, error) {
	var id int64
	err := tx.QueryRow(ctx, `INSERT INTO outbox (id, topic, key, payload, created_at)
		VALUES (nextval('outbox_seq'), $1, $2, $3, now()) RETURNING id`, topic, key, notNil(payload)).Scan(&id)
	return id, Fault(err)
}

// Outbox reads and settles one cell's messages.
type Outbox struct {
	pool *Pool
}

// NewOutbox is the outbox of a cell or of the province.
func NewOutbox(p *Pool) *Outbox { return &Outbox{pool: p} }

// Pending are the oldest unsettled messages of a topic in the order of their ids. Ids are drawn before their commit:
// a smaller one may still appear after a greater one was settled, and comes with the next call.
func (o *Outbox) Pending(ctx context.Context, topic string, limit int) ([]Message, error) {
	return pending(ctx, o.pool, topic, limit)
}

// Done settles a message. Settling it again keeps the first receipt.
func (o *Outbox) Done(ctx context.Context, id int64, receipt []byte) error {
	return done(ctx, o.pool, []Receipt{{id, receipt}})
}

// DoneAll settles several messages in one statement.
func (o *Outbox) DoneAll(ctx context.Context, receipts []Receipt) error {
	return done(ctx, o.pool, receipts)
}

// Depth is how many messages of a topic wait, counted up to limit, and since when the oldest does (zero: none).
func (o *Outbox) Depth(ctx context.Context, topic string, limit int) (n int, oldest time.Time, err error) {
	var at *time.Time
	err = o.pool.QueryRow(ctx, `SELECT count(*), min(created_at) FROM
		(SELECT created_at FROM outbox WHERE topic = $1 AND done_at IS NULL ORDER BY id LIMIT $2) AS waiting`, topic, limit).Scan(&n, &at)
	if at != nil {
		oldest = *at
	}
	return n, oldest, Fault(err)
}

// Publisher is the one session that drains a topic of a cell. Its lock and its statements share a connection: when
// that is lost, so is the right to publish, and the next call says so.
type Publisher struct {
	conn *pgxpool.Conn
	lock int64
}

// Lead makes the caller the only publisher of a topic; while another is, the error is a Conflict with the code
// outbox_led. A publisher does not go through a transaction pooler.
func (o *Outbox) Lead(ctx context.Context, topic string) (*Publisher, error) {
	conn, err := o.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	p := &Publisher{conn: conn, lock: lockKey("outbox", o.pool.Schema(), topic)}
	var mine bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, p.lock).Scan(&mine); err != nil {
		conn.Release()
		return nil, Fault(err)
	}
	if !mine {
		conn.Release()
		return nil, fault.New(fault.Conflict, "outbox_led", "another process publishes this outbox")
	}
	return p, nil
}

// Pending are the oldest unsettled messages of a topic, as Outbox.Pending.
func (p *Publisher) Pending(ctx context.Context, topic string, limit int) ([]Message, error) {
	return pending(ctx, p.conn, topic, limit)
}

// Done settles messages.
func (p *Publisher) Done(ctx context.Context, receipts ...Receipt) error {
	return done(ctx, p.conn, receipts)
}

// Close lets another publish.
func (p *Publisher) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, err := p.conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, p.lock)
	if err != nil { // the lock must not outlive us in a pooled connection
		err = errors.Join(err, p.conn.Hijack().Close(ctx))
		return Fault(err)
	}
	p.conn.Release()
	return nil
}

// querier is what a pool, a connection and a transaction have in common.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func pending(ctx context.Context, db querier, topic string, limit int) ([]Message, error) {
	r, err := db.Query(ctx, `SELECT id, key, payload, created_at FROM outbox
		WHERE topic = $1 AND done_at IS NULL ORDER BY id LIMIT $2`, topic, limit)
	if err != nil {
		return nil, Fault(err)
	}
	messages, err := pgx.CollectRows(r, pgx.RowToStructByPos[Message])
	return messages, Fault(err)
}

func done(ctx context.Context, db querier, receipts []Receipt) error {
	ids, bytes := make([]int64, len(receipts)), make([][]byte, len(receipts))
	for i, r := range receipts {
		ids[i], bytes[i] = r.ID, r.Receipt
	}
	tag, err := db.Exec(ctx, `UPDATE outbox SET done_at = COALESCE(done_at, now()), receipt = COALESCE(outbox.receipt, settled.receipt)
		FROM (SELECT unnest($1::bigint[]) AS id, unnest($2::bytea[]) AS receipt) AS settled WHERE outbox.id = settled.id`, ids, bytes)
	if err != nil {
		return Fault(err)
	}
	if int(tag.RowsAffected()) != len(receipts) {
		return fault.New(fault.NotFound, "outbox_message_unknown", "a message to settle is not in this outbox")
	}
	return nil
}

// lockKey is the number of an advisory lock. They are shared by a whole database, so the schema is part of it.
func lockKey(parts ...string) int64 {
	var text []byte
	for _, p := range parts {
		text = append(append(text, p...), 0)
	}
	d := gm.SM3([]byte("yinxin lock\x00"), text)
	var n int64
	for _, b := range d[:8] {
		n = n<<8 | int64(b)
	}
	return n
}
