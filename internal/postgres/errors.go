package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// ErrCommitUnknown stands in the chain of an error after which nobody knows whether the transaction was committed:
// the connection was lost while COMMIT was under way. The caller reads back by the idempotency key of the act before
// it says anything; doing the act again with the same key is safe too.
var ErrCommitUnknown = errors.New("the outcome of the commit is unknown")

// Rule says what the violation of one constraint means to the caller. Constraints are matched by the beginning of
// their name, because a spread table's shards append to it.
type Rule struct {
	Prefix string
	Fault  *fault.Error
}

// Fault turns an error of the driver into one for a reader: by SQLSTATE, and for a violated constraint by the
// longest matching rule. An error that already has a reader passes unchanged, nil stays nil.
func Fault(err error, rules ...Rule) error {
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		if pg.ConstraintName != "" {
			if rule := match(rules, pg.ConstraintName); rule != nil {
				f := *rule.Fault
				f.Err = err
				return &f
			}
		}
		return fromState(pg.Code, err)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fault.Wrap(err, fault.NotFound, "not_found", "there is no such record")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.Unavailable, "timeout", "the database took too long")
	case errors.Is(err, context.Canceled):
		return fault.Wrap(err, fault.Unavailable, "cancelled", "the request was given up before the database answered")
	case lostConnection(err):
		return unavailable(err)
	}
	return fault.Wrap(err, fault.Internal, "internal", "the database call is wrong")
}

// State is the SQLSTATE in err's chain, or "".
func State(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// Violates says whether err is the violation of a constraint whose name begins with prefix.
func Violates(err error, prefix string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName != "" && strings.HasPrefix(pg.ConstraintName, prefix)
}

func match(rules []Rule, constraint string) *Rule {
	var best *Rule
	for i, r := range rules {
		if strings.HasPrefix(constraint, r.Prefix) && (best == nil || len(r.Prefix) > len(best.Prefix)) {
			best = &rules[i]
		}
	}
	return best
}

// fromState is the one table from SQLSTATE to fault (PostgreSQL documentation, appendix A).
func fromState(state string, err error) error {
	switch state {
	case "23505", "23P01": // unique_violation, exclusion_violation
		return fault.Wrap(err, fault.Conflict, "conflict", "there is already such a record")
	case "23503": // foreign_key_violation
		return fault.Wrap(err, fault.Conflict, "reference_missing", "something this record refers to does not exist, or is still referred to")
	case "23514": // check_violation: an invariant stopped us; a caller who may cause it brings a rule
		return fault.Wrap(err, fault.Internal, "constraint_violated", "the database refused a record that breaks a rule")
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return fault.Wrap(err, fault.Unavailable, "busy", "the record is being changed at this moment").WithHint("try again")
	case "57014": // query_canceled, by us or by statement_timeout
		return fault.Wrap(err, fault.Unavailable, "timeout", "the database took too long")
	case "25006": // read_only_sql_transaction: a standby answers during a switch
		return unavailable(err)
	case "42P01", "3F000", "42703": // undefined_table, invalid_schema_name, undefined_column
		// To whoever asks this is a cell that cannot answer, whatever took its tables away; operators read the code.
		return fault.Wrap(err, fault.Unavailable, "schema_behind", "the database schema lacks what this version needs").WithHint("start the service: it brings its schemas up to its version")
	}
	switch state[:min(2, len(state))] {
	case "08", "28", "3D", "57": // connection, authorization, database unknown, operator intervention
		return unavailable(err)
	case "53", "58": // out of resources, system error
		return fault.Wrap(err, fault.Unavailable, "database_exhausted", "the database has run out of something it needs").WithHint("try later")
	}
	return fault.Wrap(err, fault.Internal, "internal", "the database refused a statement")
}

func unavailable(err error) *fault.Error {
	return fault.Wrap(err, fault.Unavailable, "cell_unavailable", "the database of this office does not answer").WithHint("try again later; other offices are not affected")
}

// lostConnection says whether err means that the server could not be reached or went away.
func lostConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, pgconn.ErrConnClosed) {
		return true
	}
	if state := State(err); len(state) == 5 {
		return state[:2] == "08" || state[:3] == "57P"
	}
	return false
}
