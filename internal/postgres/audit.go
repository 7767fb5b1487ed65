package postgres

import (
	"context"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// Audit is the record of one act (审计记录): who, for whom, under which matter and why. Persons stand in it by
// their internal account ids only, never by name or number.
type Audit struct {
	At         time.Time
	Act        string // e.g. license.issue
	Subject    []byte // the id of what was acted on
	Actor      string // account or client that acted
	OnBehalfOf string // whom it acted for, where that is another
	Office     string // the actor's office
	Matter     string // 事项编码
	CaseNo     string // 办件编号
	Reason     string
	LegalBasis string
	Detail     []byte // what else the act's own format says; sealed where it is personal
}

// InsertAudit records an act, in the transaction that does it where it changes something.
func InsertAudit(ctx context.Context, db querier, a Audit) error {
	if a.At.IsZero() || a.Act == "" || a.Actor == "" {
		return fault.New(fault.Internal, "audit_incomplete", "an audit record lacks its time, act or actor")
	}
	_, err := db.Exec(ctx, `INSERT INTO audit (id, at, act, subject, actor, on_behalf_of, office, matter, case_no, reason, legal_basis, detail)
		VALUES (nextval('audit_seq'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		a.At, a.Act, notNil(a.Subject), a.Actor, a.OnBehalfOf, a.Office, a.Matter, a.CaseNo, a.Reason, a.LegalBasis, a.Detail)
	return Fault(err)
}

// notNil is b, or empty bytes where a column has no null.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
