package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
)

func TestFault(t *testing.T) {
	t.Parallel()
	pg := func(state, constraint string) error {
		return fmt.Errorf("insert: %w", &pgconn.PgError{Code: state, ConstraintName: constraint, Message: "refused"})
	}
	rules := []postgres.Rule{
		{"license", fault.New(fault.Internal, "license_other", "another rule of licenses")},
		{"license_number", fault.New(fault.Conflict, "number_taken", "this number has been issued with other content")},
	}
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
		code string
	}{
		"the longest rule":         {pg("23505", "license_number_pk"), fault.Conflict, "number_taken"},
		"a shard's constraint":     {pg("23505", "license_number_pk_102008"), fault.Conflict, "number_taken"},
		"a shorter rule":           {pg("23514", "license_state_known"), fault.Internal, "license_other"},
		"unique without a rule":    {pg("23505", "code_pk"), fault.Conflict, "conflict"},
		"check without a rule":     {pg("23514", "code_size"), fault.Internal, "constraint_violated"},
		"foreign key":              {pg("23503", "code_license_fk"), fault.Conflict, "reference_missing"},
		"statement timeout":        {pg("57014", ""), fault.Unavailable, "timeout"},
		"deadlock":                 {pg("40P01", ""), fault.Unavailable, "busy"},
		"serialization":            {pg("40001", ""), fault.Unavailable, "busy"},
		"server stops":             {pg("57P01", ""), fault.Unavailable, "cell_unavailable"},
		"wrong password":           {pg("28P01", ""), fault.Unavailable, "cell_unavailable"},
		"a standby":                {pg("25006", ""), fault.Unavailable, "cell_unavailable"},
		"no database":              {pg("3D000", ""), fault.Unavailable, "cell_unavailable"},
		"too many connections":     {pg("53300", ""), fault.Unavailable, "database_exhausted"},
		"no table":                 {pg("42P01", ""), fault.Unavailable, "schema_behind"},
		"syntax":                   {pg("42601", ""), fault.Internal, "internal"},
		"no state":                 {pg("", ""), fault.Internal, "internal"},
		"no row":                   {pgx.ErrNoRows, fault.NotFound, "not_found"},
		"deadline":                 {context.DeadlineExceeded, fault.Unavailable, "timeout"},
		"given up":                 {context.Canceled, fault.Unavailable, "cancelled"},
		"end of stream":            {io.ErrUnexpectedEOF, fault.Unavailable, "cell_unavailable"},
		"something else":           {errors.New("scan"), fault.Internal, "internal"},
		"already one for a reader": {fault.New(fault.TooMany, "slow_down", "too many"), fault.TooMany, "slow_down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := postgres.Fault(c.err, rules...)
			want(t, got, c.kind, c.code)
			if !errors.Is(got, c.err) {
				t.Error("the cause is lost")
			}
		})
	}
	if postgres.Fault(nil, rules...) != nil {
		t.Error("nil became an error")
	}
	if rules[1].Fault.Err != nil {
		t.Error("the rule itself was written to")
	}
	if err := pg("23505", "license_number_pk"); !postgres.Violates(err, "license_number") || postgres.Violates(err, "code") || postgres.State(err) != "23505" {
		t.Error("the violation is not told")
	}
}
