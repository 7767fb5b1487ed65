package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/testenv"
)

// quick are pool options whose waits fit a test.
func quick() postgres.PoolOptions {
	return postgres.PoolOptions{MaxConns: 3, ConnectTimeout: 1500 * time.Millisecond, AcquireTimeout: 3 * time.Second, Cooldown: 50 * time.Millisecond}
}

func open(t *testing.T, province postgres.CellConfig, cells []postgres.CellConfig, opts postgres.PoolOptions) *postgres.Cells {
	t.Helper()
	c, err := postgres.OpenCells(province, cells, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func works(t *testing.T, p *postgres.Pool) {
	t.Helper()
	var schema string
	if err := p.QueryRow(background(t), `SELECT current_schema()`).Scan(&schema); err != nil || schema != p.Schema() {
		t.Fatalf("cell %d answers %q, %v", p.Code(), schema, err)
	}
}

func cell(t *testing.T, c *postgres.Cells, code uint16) *postgres.Pool {
	t.Helper()
	p, err := c.Cell(code)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Whatever way a cell is unreachable, its own callers hear so soon, and nobody else notices; when it is back, it
// serves without a restart.
func TestUnreachableCellTakesNothingElseWithIt(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]int32{"refuses": refuse, "hangs": hang} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := testenv.Postgres(t)
			way := newProxy(t, env.Cluster.DSN(env.Database))
			configs := env.Configs
			configs[0].URL = way.dsn(env.Database)
			c := open(t, env.Province, configs, quick())
			sick := cell(t, c, 1)
			works(t, sick)

			way.set(mode)
			for range 3 {
				began := time.Now()
				_, err := sick.Exec(background(t), `SELECT 1`)
				if err == nil {
					t.Fatal("the cut connection still answers")
				}
				want(t, postgres.Fault(err), fault.Unavailable, "cell_unavailable")
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("the answer took %v", took)
				}
				works(t, c.Province())
				works(t, cell(t, c, 2))
				works(t, cell(t, c, 18))
			}
			refused := c.Check(background(t)).Refused()
			if len(refused) != 1 || refused[0].Code != 1 {
				t.Errorf("refused: %+v", refused)
			}
			way.set(pass)
			eventually(t, "the cell is served again", func() bool {
				_, err := sick.Exec(background(t), `SELECT 1`)
				return err == nil
			})
		})
	}
}

// While a cell is known to be down, its callers do not wait for its connect timeout.
func TestBreakerAnswersAtOnce(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	way := newProxy(t, env.Cluster.DSN(env.Database))
	way.set(hang)
	opts := quick()
	opts.ConnectTimeout, opts.Cooldown = 400*time.Millisecond, time.Minute
	configs := env.Configs
	configs[0].URL = way.dsn(env.Database)
	sick := cell(t, open(t, env.Province, configs, opts), 1)
	for range 2 {
		_, err := sick.Acquire(background(t))
		want(t, err, fault.Unavailable, "cell_unavailable")
	}
	began := time.Now()
	for range 1000 {
		_, err := sick.Acquire(background(t))
		want(t, err, fault.Unavailable, "cell_unavailable")
	}
	if took := time.Since(began); took > 400*time.Millisecond {
		t.Errorf("a thousand refusals took %v, more than one connect timeout", took)
	}
}

// A caller's own short patience says nothing against the cell, and a busy pool is not a broken one.
func TestBusyIsNotDown(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	opts := quick()
	opts.MaxConns, opts.AcquireTimeout = 1, 1500*time.Millisecond
	p := cell(t, open(t, env.Province, env.Configs, opts), 1)
	conn, err := p.Acquire(background(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		_, err = p.Acquire(background(t))
		want(t, err, fault.Unavailable, "cell_busy")
	}
	gone, cancel := context.WithCancel(background(t))
	cancel()
	_, err = p.Acquire(gone)
	want(t, err, fault.Unavailable, "cancelled")
	conn.Release()
	works(t, p)
	if held, used := p.Connections(); held != 1 || used != 0 {
		t.Errorf("%d connections held, %d used", held, used)
	}
}

func TestRowsGiveTheirConnectionBack(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	opts := quick()
	opts.MaxConns = 1
	p := cell(t, open(t, env.Province, env.Configs, opts), 1)
	for range 3 {
		r, err := p.Query(background(t), `SELECT generate_series(1, 3)`)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for r.Next() {
			n++
		}
		if r.Err() != nil || n != 3 {
			t.Fatal(n, r.Err())
		}
		var one int
		if err := p.QueryRow(background(t), `SELECT 1`).Scan(&one); err != nil || one != 1 {
			t.Fatal(err)
		}
		want(t, postgres.Fault(p.QueryRow(background(t), `SELECT 1 WHERE false`).Scan(&one)), fault.NotFound, "not_found")
		want(t, postgres.Fault(p.QueryRow(background(t), `SELECT 1 / (random() * 0)::int`).Scan(&one)), fault.Internal, "internal")
		if err := p.QueryRow(background(t), `SELECT 'word'`).Scan(&one); err == nil {
			t.Fatal("a word was read as a number")
		}
	}
}

func TestCellMapRefusesWhatItCannotMean(t *testing.T) {
	t.Parallel()
	const url = "postgres://postgres@/yinxin?host=/nowhere"
	province := postgres.CellConfig{URL: url}
	for name, c := range map[string]struct {
		province postgres.CellConfig
		cells    []postgres.CellConfig
		opts     postgres.PoolOptions
		code     string
	}{
		"a code twice":           {province, []postgres.CellConfig{{Code: 1}, {Code: 1, Schema: "other"}}, postgres.PoolOptions{}, "cell_config"},
		"a place twice":          {province, []postgres.CellConfig{{Code: 1}, {Code: 2, Schema: "cell_01"}}, postgres.PoolOptions{}, "cell_config"},
		"the province as a cell": {province, []postgres.CellConfig{{Code: 0}}, postgres.PoolOptions{}, "cell_config"},
		"a cell as the province": {postgres.CellConfig{Code: 3, URL: url}, nil, postgres.PoolOptions{}, "cell_config"},
		"a schema with a quote":  {province, []postgres.CellConfig{{Code: 1, Schema: `a"b`}}, postgres.PoolOptions{}, "cell_config"},
		"no URL":                 {postgres.CellConfig{}, nil, postgres.PoolOptions{}, "cell_url"},
		"a broken URL":           {postgres.CellConfig{URL: "postgres://u:secret@h:port/x"}, nil, postgres.PoolOptions{}, "cell_url"},
		"an unknown exec mode":   {province, nil, postgres.PoolOptions{ExecMode: "fast"}, "exec_mode"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.OpenCells(c.province, c.cells, c.opts)
			want(t, err, fault.Invalid, c.code)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
	c := open(t, province, []postgres.CellConfig{{Code: 2}, {Code: 1}}, postgres.PoolOptions{})
	for _, code := range []uint16{0, 3, 65535} {
		_, err := c.Cell(code)
		want(t, err, fault.NotFound, "cell_unknown")
	}
	if all := c.All(); len(all) != 3 || all[0].Code() != 0 || all[1].Code() != 1 || all[2].Schema() != "cell_02" {
		t.Errorf("pools %v", all)
	}
}

func TestExecModes(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec", "simple_protocol"} {
		opts := quick()
		opts.ExecMode = mode
		p := cell(t, open(t, env.Province, env.Configs, opts), 1)
		for range 2 {
			var n int64
			var b []byte
			if err := p.QueryRow(background(t), `SELECT $1::bigint, $2::bytea`, int64(7), []byte("x")).Scan(&n, &b); err != nil || n != 7 || string(b) != "x" {
				t.Errorf("%s: %d %q %v", mode, n, b, err)
			}
		}
	}
}

// A pooler that forgets the search_path would send a cell's statements elsewhere: that is refused.
func TestWrongSchemaBehindAPoolerIsRefused(t *testing.T) {
	t.Parallel()
	env := testenv.Postgres(t, 1)
	opts := quick()
	opts.Pooler = true
	p := cell(t, open(t, env.Province, env.Configs, opts), 1)
	_, err := p.Exec(background(t), `SELECT 1`)
	want(t, err, fault.Unavailable, "cell_schema_other")

	configs := env.Configs
	configs[0].URL += "&search_path=cell_01" // as the pooler's own entry would set it
	works(t, cell(t, open(t, env.Province, configs, opts), 1))
}
