package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Schema says how the schema of the province or of one cell stands against what this binary knows.
type Schema struct {
	Code    uint16
	Name    string
	Schema  string
	Missing []string // steps that it lacks: it lags
	Unknown []string // steps that this binary does not know, or knows with another text
	Err     error    // why it could not be looked at, or why it is refused; nil: good to serve
}

// Schemas is one row for the province and for each cell.
type Schemas []Schema

// Lagging are the schemas that lack steps.
func (s Schemas) Lagging() Schemas {
	return s.where(func(x Schema) bool { return len(x.Missing) > 0 })
}

// Unknown are the schemas that are newer than this binary, or different from what it knows.
func (s Schemas) Unknown() Schemas {
	return s.where(func(x Schema) bool { return len(x.Unknown) > 0 })
}

// Refused are the schemas that are not served, for whatever reason.
func (s Schemas) Refused() Schemas {
	return s.where(func(x Schema) bool { return x.Err != nil })
}

func (s Schemas) where(keep func(Schema) bool) Schemas {
	var out Schemas
	for _, x := range s {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

// Check looks at every schema, and decides anew which are served. A cell whose schema is not exactly the one that
// this binary knows is refused from then on; the others are served.
func (c *Cells) Check(ctx context.Context) Schemas {
	all := c.All()
	out := make(Schemas, len(all))
	var group errgroup.Group
	group.SetLimit(migrateParallel)
	for i, p := range all {
		group.Go(func() error {
			out[i] = p.check(ctx)
			return nil
		})
	}
	_ = group.Wait() // its functions have no error of their own: each stands in its row
	return out
}

func (p *Pool) check(ctx context.Context) Schema {
	p.admitted.Store(false)
	s := Schema{Code: p.Code(), Name: p.Name(), Schema: p.Schema()}
	conn, err := p.connect(ctx)
	if err != nil {
		s.Err = err
		return s
	}
	defer conn.Release()
	found, err := p.look(ctx, conn.Conn())
	s.Missing, s.Unknown, s.Err = found.Missing, found.Unknown, err
	if err == nil {
		p.admitted.Store(true)
	}
	return s
}

// admit lets the pool's statements through once its schema is known to be right; until then it looks each time, so
// that a migration done meanwhile is noticed without a restart.
func (p *Pool) admit(ctx context.Context, conn *pgx.Conn) error {
	if _, err := p.look(ctx, conn); err != nil {
		return err
	}
	p.admitted.Store(true)
	return nil
}

// look compares the schema behind a connection with what this binary knows.
func (p *Pool) look(ctx context.Context, conn *pgx.Conn) (Schema, error) {
	known, err := migrations(embedded, p.Code())
	if err != nil {
		return Schema{}, err
	}
	if err := p.inSchema(ctx, conn); err != nil {
		if fault.CodeOf(err) == "cell_schema_other" { // a schema that does not exist lacks everything
			return compare(known, nil), err
		}
		return Schema{}, err
	}
	have, err := versions(ctx, conn)
	if err != nil {
		if State(err) == "42P01" { // undefined_table: never migrated
			s := compare(known, nil)
			return s, p.refusal(s)
		}
		return Schema{}, err
	}
	s := compare(known, have)
	return s, p.refusal(s)
}

// refusal is why a schema is not served, or nil.
func (p *Pool) refusal(s Schema) error {
	switch {
	case len(s.Unknown) > 0:
		return fault.Wrap(errors.New("unknown: "+strings.Join(s.Unknown, ", ")), fault.Unavailable, "cell_schema_unknown",
			fmt.Sprintf("the records of %s are in a form that this version does not know", p.Name())).
			WithHint("run the version of yinxin that migrated it, or a newer one")
	case len(s.Missing) > 0:
		return fault.Wrap(errors.New("missing: "+strings.Join(s.Missing, ", ")), fault.Unavailable, "cell_schema_behind",
			fmt.Sprintf("the records of %s are still in the form of an earlier version", p.Name())).
			WithHint("start the service: it brings its schemas up to its version")
	}
	return nil
}
