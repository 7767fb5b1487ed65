package postgres_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

// fakeLog has every entry but those that it lacks, or does not answer.
type fakeLog struct {
	lacks map[[32]byte]bool
	away  bool
	asked int
}

func (f *fakeLog) Included(_ context.Context, leaf [32]byte) (bool, error) {
	f.asked++
	if f.away {
		return false, fault.New(fault.Unavailable, "ledger_away", "the ledger does not answer")
	}
	return !f.lacks[leaf], nil
}

// settleLedger takes everything that a cell has for the ledger as promised.
func settleLedger(t *testing.T, env *testenv.Env, cell uint16) {
	t.Helper()
	box := postgres.NewOutbox(env.Cell(t, cell))
	waiting, err := box.Pending(t.Context(), postgres.TopicLedger, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range waiting {
		if err := box.Done(t.Context(), m.ID, []byte("promise")); err != nil {
			t.Fatal(err)
		}
	}
}

// An office's list says of each license how far the ledger is with its latest entry, as the license's own page does.
func TestListOfAnOfficeSaysWhatTheLedgerHas(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t), background(t)
	covered, promised := w.issued(t, number(1)), w.issued(t, number(2))
	settleLedger(t, w.env, 1)
	queued := w.issued(t, number(3))
	waiting, err := w.Issue(ctx, propertyRequest(number(4)))
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.Opening(ctx, promised.ID)
	if err != nil {
		t.Fatal(err)
	}
	states := func(log *fakeLog) map[string]string {
		t.Helper()
		w.Included = log
		list, err := w.ListByOffice(ctx, officeOne, 10)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, l := range list {
			got[l.BusinessNo] = l.LedgerState
			one, err := w.Get(ctx, l.ID)
			if err != nil || one.LedgerState != l.LedgerState {
				t.Errorf("%s: %q in the list, %q alone: %v", l.BusinessNo, l.LedgerState, one.LedgerState, err)
			}
		}
		return got
	}
	want := map[string]string{
		covered.BusinessNo: "included", promised.BusinessNo: "promised", queued.BusinessNo: "queued", waiting.BusinessNo: "none",
	}
	if diff := cmp.Diff(want, states(&fakeLog{lacks: map[[32]byte]bool{o.IssueLeaf: true}})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A ledger that does not answer leaves promises, and is asked once for the whole list.
	away := &fakeLog{away: true}
	want[covered.BusinessNo] = "promised"
	if diff := cmp.Diff(want, states(away)); diff != "" {
		t.Errorf("away (-want +got):\n%s", diff)
	}
	if away.asked != 1+2 { // once by the list, once for each of the two promised licenses alone
		t.Errorf("asked %d times", away.asked)
	}
}
