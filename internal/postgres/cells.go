package postgres

import (
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// ProvinceCode is the code of the province's schema: what is not any one office's.
const ProvinceCode uint16 = 0

// CellConfig says where one cell (分区) is kept.
type CellConfig struct {
	Code   uint16 // 0 the province's schema, 1 to 17 the prefectures, 18 the province's own offices
	Name   string // for people, e.g. 武汉市
	URL    string // of the database; empty for a cell: the province's
	Schema string // empty: province, or cell_NN
}

// SchemaName is the schema of a code where the configuration names no other.
func SchemaName(code uint16) string {
	if code == ProvinceCode {
		return "province"
	}
	return fmt.Sprintf("cell_%02d", code)
}

// Cells is the map of the province: from the code that an id starts with to the pool of its cell. It is the only
// thing about sharding that is ours.
type Cells struct {
	province *Pool
	cells    map[uint16]*Pool
	codes    []uint16
}

// OpenCells opens the map. Nothing is connected yet: a cell that is down says so to whoever asks for it, and to
// nobody else.
func OpenCells(province CellConfig, cells []CellConfig, opts PoolOptions) (_ *Cells, err error) {
	opts = opts.withDefaults()
	if province.Code != ProvinceCode {
		return nil, fault.New(fault.Invalid, "cell_config", fmt.Sprintf("the province has code 0, not %d", province.Code))
	}
	c := &Cells{cells: make(map[uint16]*Pool, len(cells))}
	defer func() {
		if err != nil {
			c.Close()
		}
	}()
	if c.province, err = openOne(province, province.URL, opts, opts.ProvinceMaxConns); err != nil {
		return nil, err
	}
	places := map[[2]string]bool{{c.province.cell.URL, c.province.cell.Schema}: true}
	for _, cfg := range cells {
		if cfg.Code == ProvinceCode || c.cells[cfg.Code] != nil {
			return nil, fault.New(fault.Invalid, "cell_config", fmt.Sprintf("cell code %d is used twice", cfg.Code))
		}
		pool, err := openOne(cfg, province.URL, opts, opts.MaxConns)
		if err != nil {
			return nil, err
		}
		c.cells[cfg.Code] = pool
		c.codes = append(c.codes, cfg.Code)
		place := [2]string{pool.cell.URL, pool.cell.Schema}
		if places[place] {
			return nil, fault.New(fault.Invalid, "cell_config", fmt.Sprintf("cell %d has the same database and schema as another", cfg.Code))
		}
		places[place] = true
	}
	slices.Sort(c.codes)
	return c, nil
}

func openOne(cfg CellConfig, url string, opts PoolOptions, maxConns int32) (*Pool, error) {
	if cfg.URL == "" {
		cfg.URL = url
	}
	if cfg.URL == "" {
		return nil, fault.New(fault.Invalid, "cell_url", fmt.Sprintf("cell %d has no database URL", cfg.Code))
	}
	if cfg.Schema == "" {
		cfg.Schema = SchemaName(cfg.Code)
	}
	if cfg.Name == "" {
		cfg.Name = cfg.Schema
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`).MatchString(cfg.Schema) {
		return nil, fault.New(fault.Invalid, "cell_config", fmt.Sprintf("the schema name of cell %d is not in small letters, digits and underscores", cfg.Code))
	}
	return newPool(cfg, opts, maxConns)
}

// Province is the pool of the province's schema.
func (c *Cells) Province() *Pool { return c.province }

// Cell is the pool of a cell; an unknown code is cell_unknown.
func (c *Cells) Cell(code uint16) (*Pool, error) {
	if p := c.cells[code]; p != nil {
		return p, nil
	}
	return nil, fault.New(fault.NotFound, "cell_unknown", fmt.Sprintf("no office keeps records under cell code %d", code)).
		WithHint("check that the identifier was copied whole")
}

// Codes are the codes of all cells, ascending, without the province's.
func (c *Cells) Codes() []uint16 { return slices.Clone(c.codes) }

// All are the pools of the province and then of every cell in the order of their codes.
func (c *Cells) All() []*Pool {
	all := []*Pool{c.province}
	for _, code := range c.codes {
		all = append(all, c.cells[code])
	}
	return all
}

// closeTimeout bounds how long Close waits: the driver takes its time over a connection whose server is silent.
const closeTimeout = 3 * time.Second

// Close gives all connections back. It waits for those in use, but not for long: a caller that still holds one, or a
// cell that is silent, does not keep the process from ending.
func (c *Cells) Close() {
	var closing sync.WaitGroup
	for _, p := range c.cells {
		closing.Go(p.close)
	}
	if c.province != nil {
		closing.Go(c.province.close)
	}
	done := make(chan struct{})
	go func() {
		closing.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(closeTimeout):
	}
}
