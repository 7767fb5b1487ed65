package postgres_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
	"github.com/yinxin-trust/yinxin/internal/verdict"
	"github.com/yinxin-trust/yinxin/license"
)

func TestCellDownTakesNothingElseWithIt(t *testing.T) {
	t.Parallel()
	env, ctx := testenv.Postgres(t, 1, 2), background(t)
	p := newProxy(t, env.Cluster.DSN(env.Database))
	configs := append([]postgres.CellConfig(nil), env.Configs...)
	configs[0].URL = p.dsn(env.Database)
	cells, err := postgres.OpenCells(env.Province, configs, postgres.PoolOptions{
		MaxConns: 4, ConnectTimeout: 500 * time.Millisecond, AcquireTimeout: 500 * time.Millisecond, Cooldown: 10 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cells.Close)
	w := worldOn(t, env, cells)
	l := w.issued(t, number(1))
	if _, err := w.DrainDirectory(ctx, 1); err != nil {
		t.Fatal(err)
	}
	code := w.show(t, l.ID).Code
	static, err := w.StaticCode(ctx, l.ID)
	if err != nil {
		t.Fatal(err)
	}
	p.set(refuse)
	for _, c := range []string{code, static} {
		o, err := w.CheckCode(ctx, c, clerk())
		if err != nil || o.Report.Verdict != verdict.CannotDetermine || !cmp.Equal(codes(o), []string{"STATUS_UNKNOWN"}) {
			t.Errorf("a code of the cell that is down: %v %v %v", o.Report.Verdict, codes(o), err)
		}
	}
	if _, err := w.Issue(ctx, propertyRequest(number(2))); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("issuing in the cell that is down: %v", err)
	}
	if cards, err := w.ListByHolder(ctx, owners()[0], 10); err != nil || len(cards) != 1 {
		t.Errorf("the wallet: %+v %v", cards, err)
	}
	other := license.IssueRequest{
		Kind: license.SampleFood, Office: officeTwo, BusinessNo: "JY29901", Act: act("officer-2", officeTwo),
		Holders: []license.Holder{{Type: license.TypeUSCC, Code: company, Name: "示例市样本餐饮有限公司"}},
		Fields:  map[string]string{"FDDBR": "郑试样", "ZS": "样本路1号", "JYCS": "样本路1号", "ZTYT": "餐饮服务经营者", "JYXM": "热食类食品制售", "RCJGJG": "样本区市场监督管理局"},
	}
	if _, err := w.Issue(ctx, other); err != nil {
		t.Errorf("another cell: %v", err)
	}
	if n, err := w.SealPending(ctx, 2, 5); n != 1 || err != nil {
		t.Errorf("sealing in another cell: %d %v", n, err)
	}
	p.set(pass)
	eventually(t, "the cell comes back", func() bool {
		o, err := w.CheckCode(ctx, code, clerk())
		return err == nil && o.Report.Verdict == verdict.Valid
	})
}

// A commit whose answer is lost is read back: issuing says what is true, and asking again gives the same license.
func TestLostAnswerLosesNoLicense(t *testing.T) {
	t.Parallel()
	for _, mode := range []int32{cutBefore, cutAfter} {
		env, ctx := testenv.Postgres(t, 1, 2), background(t)
		p := newProxy(t, env.Cluster.DSN(env.Database))
		configs := append([]postgres.CellConfig(nil), env.Configs...)
		configs[0].URL = p.dsn(env.Database)
		cells, err := postgres.OpenCells(env.Province, configs, postgres.PoolOptions{MaxConns: 4, Cooldown: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cells.Close)
		w := worldOn(t, env, cells)
		p.set(mode)
		l, first := w.Issue(ctx, propertyRequest(number(1)))
		p.set(pass)
		if mode == cutAfter && first != nil {
			t.Errorf("it was stored and the answer is %v", first)
		}
		if mode == cutBefore && fault.CodeOf(first) != "commit_unknown" {
			t.Errorf("nothing was stored and the answer is %v", first)
		}
		var again license.License
		eventually(t, "the request is accepted", func() bool { again, err = w.Issue(ctx, propertyRequest(number(1))); return err == nil })
		if first == nil && again.ID != l.ID {
			t.Errorf("two licenses for one request")
		}
	}
}

// A worker that hears nothing of its commit leaves a license that is issued once or waits: one file, one entry.
func TestLostAnswerIssuesOnce(t *testing.T) {
	t.Parallel()
	for _, mode := range []int32{cutBefore, cutAfter} {
		env, ctx := testenv.Postgres(t, 1, 2), background(t)
		p := newProxy(t, env.Cluster.DSN(env.Database))
		configs := append([]postgres.CellConfig(nil), env.Configs...)
		configs[0].URL = p.dsn(env.Database)
		cells, err := postgres.OpenCells(env.Province, configs, postgres.PoolOptions{MaxConns: 4, Cooldown: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cells.Close)
		w := worldOn(t, env, cells)
		l, err := w.Issue(ctx, propertyRequest(number(1)))
		if err != nil {
			t.Fatal(err)
		}
		p.set(mode)
		n, err := w.SealPending(ctx, 1, 10)
		p.set(pass)
		if n != 0 || fault.CodeOf(unjoin(err)) != "commit_unknown" {
			t.Errorf("sealed %d: %v", n, err)
		}
		eventually(t, "the cell answers", func() bool { _, err := w.Get(ctx, l.ID); return err == nil })
		if n, err := w.SealPending(ctx, 1, 10); n != 0 || err != nil {
			t.Errorf("sealed %d while the lease holds: %v", n, err)
		}
		w.pass(license.SealLease)
		if mode == cutBefore {
			// Until the server notices that the lost connection is gone, its transaction holds the row, and others pass it over.
			again := 0
			eventually(t, "the license is sealed after the lease", func() bool {
				n, err := w.SealPending(ctx, 1, 10)
				if err != nil {
					t.Error(err)
				}
				again += n
				return again > 0
			})
		}
		if n, err := w.SealPending(ctx, 1, 10); n != 0 || err != nil {
			t.Errorf("sealed %d once more: %v", n, err)
		}
		if _, err := w.File(ctx, l.ID); err != nil {
			t.Error(err)
		}
		if depth, _, err := postgres.NewOutbox(env.Cell(t, 1)).Depth(ctx, postgres.TopicLedger, 10); err != nil || depth != 1 {
			t.Errorf("%d ledger entries: %v", depth, err)
		}
	}
}
