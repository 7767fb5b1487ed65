package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

func keys(messages []postgres.Message) (out []string) {
	for _, m := range messages {
		out = append(out, string(m.Key))
	}
	return out
}

func TestOutboxDrainsInOrder(t *testing.T) {
	t.Parallel()
	p := testenv.Postgres(t, 1).Cell(t, 1)
	ctx := background(t)
	var ids []int64
	err := postgres.InTx(ctx, p, func(tx pgx.Tx) error {
		for i := range 5 {
			id, err := postgres.InsertOutbox(ctx, tx, postgres.TopicLedger, fmt.Appendf(nil, "k%d", i), []byte("payload"))
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		_, err := postgres.InsertOutbox(ctx, tx, postgres.TopicDirectory, []byte("other"), nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	box := postgres.NewOutbox(p)
	if n, oldest, err := box.Depth(ctx, postgres.TopicLedger, 3); err != nil || n != 3 || time.Since(oldest) > time.Minute {
		t.Errorf("depth %d since %v, %v", n, oldest, err)
	}
	got, err := box.Pending(ctx, postgres.TopicLedger, 3)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"k0", "k1", "k2"}, keys(got)); diff != "" {
		t.Error(diff)
	}
	if string(got[0].Payload) != "payload" || got[0].ID != ids[0] {
		t.Errorf("message %+v", got[0])
	}
	if err := box.Done(ctx, ids[1], []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := box.DoneAll(ctx, []postgres.Receipt{{ids[1], []byte("second")}, {ids[0], nil}}); err != nil {
		t.Fatal(err)
	}
	var receipt []byte
	if err := p.QueryRow(ctx, `SELECT receipt FROM outbox WHERE id = $1`, ids[1]).Scan(&receipt); err != nil || string(receipt) != "first" {
		t.Errorf("receipt %q %v", receipt, err)
	}
	if got, err = box.Pending(ctx, postgres.TopicLedger, 10); err != nil || cmp.Diff([]string{"k2", "k3", "k4"}, keys(got)) != "" {
		t.Errorf("%v %v", keys(got), err)
	}
	want(t, box.Done(ctx, 1<<40, nil), fault.NotFound, "outbox_message_unknown")
	want(t, postgres.InTx(ctx, p, func(tx pgx.Tx) error {
		_, err := postgres.InsertOutbox(ctx, tx, "gossip", []byte("k"), nil)
		return err
	}), fault.Internal, "constraint_violated")
}

func TestOutboxHasOnePublisher(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1, 2)
	p := env.Cell(t, 1)
	ctx := background(t)
	box := postgres.NewOutbox(p)
	lead, err := box.Lead(ctx, postgres.TopicLedger)
	if err != nil {
		t.Fatal(err)
	}
	_, err = box.Lead(ctx, postgres.TopicLedger)
	want(t, err, fault.Conflict, "outbox_led")
	for _, free := range []struct {
		box   *postgres.Outbox
		topic string
	}{{box, postgres.TopicEvent}, {postgres.NewOutbox(env.Cell(t, 2)), postgres.TopicLedger}, {postgres.NewOutbox(env.Cells.Province()), postgres.TopicLedger}} {
		l, err := free.box.Lead(ctx, free.topic)
		if err != nil {
			t.Fatalf("another topic or cell: %v", err)
		}
		if err := l.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(ctx, p, "e"); err != nil {
		t.Fatal(err)
	}
	if err := lead.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if lead, err = box.Lead(ctx, postgres.TopicEvent); err != nil {
		t.Fatal(err)
	}
	got, err := lead.Pending(ctx, postgres.TopicEvent, 10)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if err := lead.Done(ctx, postgres.Receipt{ID: got[0].ID, Receipt: []byte("r")}); err != nil {
		t.Fatal(err)
	}

	// The publisher's connection is lost: it hears so at its next step, and another may lead.
	if _, err := env.Cell(t, 2).Exec(ctx, `SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`); err != nil {
		t.Fatal(err)
	}
	if _, err := lead.Pending(ctx, postgres.TopicEvent, 1); err == nil {
		t.Error("a publisher without its lock goes on")
	}
	next, err := box.Lead(ctx, postgres.TopicEvent)
	if err != nil {
		t.Fatal(err)
	}
	if err := lead.Close(ctx); err == nil {
		t.Error("closing a lost publisher says nothing")
	}
	if err := next.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestAuditSaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	p := testenv.Postgres(t, 1).Cell(t, 1)
	ctx := background(t)
	full := postgres.Audit{
		At: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), Act: "license.revoke", Subject: []byte{0, 1, 2}, Actor: "a1", OnBehalfOf: "a2",
		Office: "o1", Matter: "m1", CaseNo: "c1", Reason: "withdrawn", LegalBasis: "law", Detail: []byte("sealed"),
	}
	insert := func(a postgres.Audit) error {
		return postgres.InTx(ctx, p, func(tx pgx.Tx) error { return postgres.InsertAudit(ctx, tx, a) })
	}
	if err := insert(full); err != nil {
		t.Fatal(err)
	}
	var got postgres.Audit
	if err := p.QueryRow(ctx, `SELECT at, act, subject, actor, on_behalf_of, office, matter, case_no, reason, legal_basis, detail FROM audit`).
		Scan(&got.At, &got.Act, &got.Subject, &got.Actor, &got.OnBehalfOf, &got.Office, &got.Matter, &got.CaseNo, &got.Reason, &got.LegalBasis, &got.Detail); err != nil {
		t.Fatal(err)
	}
	got.At = got.At.UTC()
	if diff := cmp.Diff(full, got); diff != "" {
		t.Error(diff)
	}
	for _, a := range []postgres.Audit{{Act: "x", Actor: "y"}, {At: full.At, Actor: "y"}, {At: full.At, Act: "x"}} {
		want(t, insert(a), fault.Internal, "audit_incomplete")
	}
}

func ExampleInTx() {
	record := func(ctx context.Context, cells *postgres.Cells, entry []byte) error {
		cell, err := cells.Cell(17)
		if err != nil {
			return err
		}
		return postgres.InTx(ctx, cell, func(tx pgx.Tx) error {
			if _, err := postgres.InsertOutbox(ctx, tx, postgres.TopicLedger, entry[:32], entry); err != nil {
				return err
			}
			return postgres.InsertAudit(ctx, tx, postgres.Audit{At: time.Now(), Act: "license.issue", Actor: "account"})
		})
	}
	_ = record
}
