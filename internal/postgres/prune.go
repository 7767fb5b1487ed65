package postgres

import (
	"context"
	"errors"
	"time"
)

// How long what has done its duty is kept, for whoever looks into a question soon after. What must last stands in the audit
// and in the ledger.
const (
	KeepSettled = 30 * 24 * time.Hour // settled messages of the outboxes
	KeepHandles = 30 * 24 * time.Hour // handles of codes, used or not; a code itself lives a minute
)

// Prune removes settled messages and old handles from the province and from every cell. A cell that does not answer keeps
// its own until the next time and takes nothing else with it. It gives how many rows went.
func (c *Cells) Prune(ctx context.Context, now time.Time) (rows int64, err error) {
	var errs []error
	remove := func(p *Pool, sql string, before any) {
		tag, err := p.Exec(ctx, sql, before)
		if err != nil {
			errs = append(errs, Fault(err))
			return
		}
		rows += tag.RowsAffected()
	}
	for _, p := range c.All() {
		remove(p, `DELETE FROM outbox WHERE done_at < $1`, now.Add(-KeepSettled))
		if p.Code() != ProvinceCode {
			remove(p, `DELETE FROM code_handle WHERE day < $1`, now.Add(-KeepHandles).Unix()/86400)
		}
	}
	return rows, errors.Join(errs...)
}
