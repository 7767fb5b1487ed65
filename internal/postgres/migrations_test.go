package postgres

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestMigrationFiles(t *testing.T) {
	t.Parallel()
	file := func(names ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for _, n := range names {
			m["migrations/cell/"+n] = &fstest.MapFile{Data: []byte("SELECT 1 -- " + n)}
		}
		return m
	}
	got, err := migrations(file("0100_seal.sql", "0001_core.sql", "0020_license.sql"), 1)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, m := range got {
		order = append(order, m.String())
	}
	if s := strings.Join(order, " "); s != "0001_core 0020_license 0100_seal" {
		t.Errorf("order %s", s)
	}
	if got[0].checksum == got[1].checksum {
		t.Error("two texts have one checksum")
	}
	for name, files := range map[string]fstest.MapFS{
		"a number twice": file("0001_core.sql", "0001_other.sql"),
		"no number":      file("core.sql"),
		"capitals":       file("0001_Core.sql"),
		"no folder":      {},
	} {
		if _, err := migrations(files, 1); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, code := range []uint16{ProvinceCode, 1} { // those that are shipped
		all, err := migrations(embedded, code)
		if err != nil || len(all) == 0 || all[0].String() != "0001_core" {
			t.Errorf("code %d: %v %v", code, all, err)
		}
	}
}
