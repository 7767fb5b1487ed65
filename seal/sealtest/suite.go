package sealtest

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/seal"
)

// Store is what the suite runs against.
type Store interface {
	seal.DraftStore
	seal.Registry
}

// TestAct is an act that says everything a store asks for.
func TestAct() seal.Act {
	return seal.Act{Actor: "acc-1", Office: "12990000MB0000000X", Matter: "0100001", CaseNo: "C-1", Reason: "issue", LegalBasis: "§1"}
}

// Suite checks a store that holds the given cell.
func Suite(t *testing.T, cell uint16, store Store) {
	ctx := context.Background()
	p := New(t)
	code := func(t *testing.T, err error, want string) {
		t.Helper()
		if err == nil || fault.CodeOf(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ok := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	blank := func(id string) seal.Row {
		return seal.Row{
			ID: id, Cell: cell, Office: "12990000MB0000000X", Name: "测试局", State: seal.StateRequested, CreatedAt: Now(),
			Limits: seal.Limits{Matters: []string{"0100001"}, PerDay: 9},
		}
	}
	alive := func(t *testing.T, id string) seal.Row {
		t.Helper()
		row := p.Row(t, cell, id)
		ok(t, store.InsertSeal(ctx, blank(id), TestAct()))
		made := &seal.Made{DER: row.DER, SignerCert: row.SignerCert, MakerCert: row.MakerCert, KeyRef: row.KeyRef}
		steps := []seal.State{seal.StateRequested, seal.StateApproved, seal.StateMade, seal.StateFiled, seal.StateActive}
		for i, to := range steps[1:] {
			var m *seal.Made
			if to == seal.StateMade {
				m = made
			}
			ok(t, store.ChangeSeal(ctx, cell, id, steps[i], to, m, TestAct(), Now().Add(time.Duration(i+1)*time.Hour)))
		}
		return row
	}

	t.Run("life", func(t *testing.T) {
		row := alive(t, "42990000000010")
		code(t, store.InsertSeal(ctx, blank(row.ID), TestAct()), "seal_exists")
		got, err := store.Seal(ctx, cell, row.ID)
		ok(t, err)
		if got.State != seal.StateActive || !bytes.Equal(got.DER, row.DER) || !bytes.Equal(got.SignerCert, row.SignerCert) ||
			!bytes.Equal(got.MakerCert, row.MakerCert) || got.KeyRef != row.KeyRef || got.Office != row.Office || got.Name != row.Name ||
			got.Cell != cell || got.Limits.PerDay != 9 || len(got.Limits.Matters) != 1 || !got.Since.Equal(Now().Add(4*time.Hour)) {
			t.Errorf("got another seal: %+v", got)
		}
		list, err := store.Seals(ctx, cell, row.Office)
		ok(t, err)
		if len(list) == 0 || list[0].ID != row.ID {
			t.Errorf("the office's list has %d seals", len(list))
		}
		at := Now().Add(5 * time.Hour)
		code(t, store.ChangeSeal(ctx, cell, row.ID, seal.StateActive, seal.StateApproved, nil, TestAct(), at), "seal_state")
		code(t, store.ChangeSeal(ctx, cell, row.ID, seal.StateSuspended, seal.StateActive, nil, TestAct(), at), "seal_state")
		code(t, store.ChangeSeal(ctx, cell, "nobody", seal.StateActive, seal.StateSuspended, nil, TestAct(), at), "seal_unknown")
		ok(t, store.ChangeSeal(ctx, cell, row.ID, seal.StateActive, seal.StateSuspended, nil, TestAct(), at))
		for _, past := range []struct {
			at   time.Time
			want seal.State
		}{
			{Now(), seal.StateRequested},
			{Now().Add(4 * time.Hour), seal.StateActive},
			{at.Add(-time.Second), seal.StateActive},
			{at, seal.StateSuspended},
			{at.Add(Day), seal.StateSuspended},
		} {
			s, since, err := store.SealAt(ctx, cell, row.ID, past.at)
			ok(t, err)
			if s != past.want || since.After(past.at) {
				t.Errorf("at %s: %s since %s, want %s", past.at, s, since, past.want)
			}
		}
		_, _, err = store.SealAt(ctx, cell, row.ID, Now().Add(-time.Second))
		code(t, err, "seal_unknown")
		_, err = store.Seal(ctx, cell, "nobody")
		code(t, err, "seal_unknown")
	})

	t.Run("draft", func(t *testing.T) {
		row := alive(t, "42990000000011")
		now := Now().Add(Day)
		service := seal.NewService(store, p.Keys(), func() time.Time { return now }, Random())
		draft, err := service.Prepare(ctx, seal.Request{Cell: cell, SealID: row.ID, PropertyInfo: "/a", Act: TestAct()})
		ok(t, err)
		n, err := store.CountDrafts(ctx, cell, row.ID, now.Add(-time.Minute))
		ok(t, err)
		if n != 1 {
			t.Errorf("%d drafts counted", n)
		}
		got, err := store.RedeemDraft(ctx, draft.ID, now)
		ok(t, err)
		if got.State != seal.DraftRedeemed || !bytes.Equal(got.TBS, draft.TBS) || got.Digest != draft.Digest || got.SealID != row.ID ||
			got.Act != draft.Act || !got.ExpiresAt.Equal(draft.ExpiresAt) || !got.CreatedAt.Equal(draft.CreatedAt) {
			t.Errorf("got another draft: %+v", got)
		}
		_, err = store.RedeemDraft(ctx, draft.ID, now)
		code(t, err, "draft_redeemed")
		ok(t, store.FinishDraft(ctx, draft.ID, seal.DraftApplied, now))
		code(t, store.FinishDraft(ctx, draft.ID, seal.DraftFailed, now), "draft_unknown")
		unknown := draft.ID
		unknown[17] ^= 1
		_, err = store.RedeemDraft(ctx, unknown, now)
		code(t, err, "draft_unknown")
		late, err := service.Prepare(ctx, seal.Request{Cell: cell, SealID: row.ID, PropertyInfo: "/a", Act: TestAct()})
		ok(t, err)
		_, err = store.RedeemDraft(ctx, late.ID, late.ExpiresAt)
		code(t, err, "draft_expired")
	})

	t.Run("one redemption", func(t *testing.T) {
		row := p.Row(t, cell, "42990000000012")
		for range 100 {
			d := seal.Draft{
				SealID: row.ID, TBS: []byte("tbs"), CreatedAt: Now(), ExpiresAt: Now().Add(time.Minute),
				State: seal.DraftPrepared, Act: TestAct(),
			}
			d.ID[0], d.ID[1] = byte(cell>>8), byte(cell)
			if _, err := Random().Read(d.ID[2:]); err != nil {
				t.Fatal(err)
			}
			ok(t, store.InsertDraft(ctx, d))
			var won, refused atomic.Int32
			var wg sync.WaitGroup
			start := make(chan struct{})
			for range 8 {
				wg.Go(func() {
					<-start
					switch _, err := store.RedeemDraft(ctx, d.ID, Now()); {
					case err == nil:
						won.Add(1)
					case fault.CodeOf(err) == "draft_redeemed":
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			close(start)
			wg.Wait()
			if won.Load() != 1 || refused.Load() != 7 {
				t.Fatalf("%d redemptions succeeded, %d were refused", won.Load(), refused.Load())
			}
		}
	})
}
