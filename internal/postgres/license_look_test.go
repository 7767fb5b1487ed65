package postgres_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
	"github.com/yinxin-trust/yinxin/license"
)

// Who looked stands in the license's log: looks in its cell, searches in the province, told together by time.
func TestWhoLookedIsRecorded(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	one, two := w.issued(t, number(1)), w.issued(t, number(2))
	search := license.Act{Actor: "acceptance", OnBehalfOf: "citizen-9", Office: officeTwo, Matter: "990100007", CaseNo: "2026-77", Reason: "acceptance", LegalBasis: "条例第五条"}
	w.pass(time.Minute)
	at := w.now()
	steps := []func() error{
		func() error {
			return w.Looked(ctx, one.ID, license.ActOpened, license.ActorOfficer, act("officer-1", officeOne))
		},
		func() error { return w.Found(ctx, []license.ID{one.ID, two.ID}, license.ActorClient, search) },
		func() error { return w.Looked(ctx, one.ID, license.ActFetched, license.ActorClient, search) },
		func() error { return w.Found(ctx, nil, license.ActorClient, search) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
	}
	found := license.Event{
		At: at.Add(time.Second), Act: license.ActFound, ActorKind: license.ActorClient, Actor: "acceptance", OnBehalfOf: "citizen-9",
		Office: officeTwo, Matter: "990100007", CaseNo: "2026-77", Reason: "acceptance",
	}
	fetched := found
	fetched.At, fetched.Act = at.Add(2*time.Second), license.ActFetched
	opened := license.Event{
		At: at, Act: license.ActOpened, ActorKind: license.ActorOfficer, Actor: "officer-1", Office: officeOne, Matter: "990100001", CaseNo: "2026-1",
	}
	for id, want := range map[license.ID][]license.Event{one.ID: {fetched, found, opened}, two.ID: {found}} {
		events, err := w.Events(ctx, id, 50)
		if err != nil || len(events) < len(want) || !cmp.Equal(events[:len(want)], want) {
			t.Errorf("%v: (-want +got) %s", err, cmp.Diff(want, events))
		}
		if last, err := w.Events(ctx, id, 1); err != nil || !cmp.Equal(last, want[:1]) {
			t.Errorf("the newest alone: %+v %v", last, err)
		}
	}
	want(t, w.Looked(ctx, one.ID, license.ActOpened, license.ActorOfficer, license.Act{}), fault.Unauthenticated, "actor_missing")
	want(t, w.Found(ctx, []license.ID{one.ID}, license.ActorClient, license.Act{}), fault.Unauthenticated, "actor_missing")
	want(t, w.Looked(ctx, one.ID, license.ActRevoked, license.ActorOfficer, search), fault.Internal, "look_unknown")
}

// A look that cannot be recorded is refused; a search needs the province alone.
func TestLookNeedsItsCellAndSearchDoesNot(t *testing.T) {
	t.Parallel()
	env, ctx := testenv.Postgres(t, 1, 2), background(t)
	p := newProxy(t, env.Cluster.DSN(env.Database))
	configs := append([]postgres.CellConfig(nil), env.Configs...)
	configs[0].URL = p.dsn(env.Database)
	cells, err := postgres.OpenCells(env.Province, configs, postgres.PoolOptions{
		MaxConns: 2, ConnectTimeout: 500 * time.Millisecond, AcquireTimeout: 500 * time.Millisecond, Cooldown: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cells.Close)
	w := worldOn(t, env, cells)
	l := w.issued(t, number(1))
	w.pass(time.Second)
	p.set(refuse)
	by := act("officer-1", officeOne)
	if err := w.Looked(ctx, l.ID, license.ActOpened, license.ActorOfficer, by); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a look that was not recorded: %v", err)
	}
	if err := w.Found(ctx, []license.ID{l.ID}, license.ActorOfficer, by); err != nil {
		t.Errorf("a search while the cell is down: %v", err)
	}
	p.set(pass)
	eventually(t, "the cell comes back", func() bool {
		events, err := w.Events(ctx, l.ID, 1)
		return err == nil && events[0].Act == license.ActFound
	})
}
