package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestFresh holds the committed bundle against its sources.
func TestFresh(t *testing.T) {
	t.Parallel()
	bundled, err := bundle("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(bundled) != 2 {
		t.Fatalf("%d files were bundled, want app.js and app.css", len(bundled))
	}
	for name, want := range bundled {
		got, err := os.ReadFile(filepath.Join("../../internal/web/static", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("static/%s is older than its sources; run: go run ./tools/assets", name)
		}
	}
}

// TestDeterministic bundles twice; the bytes are committed, so they must not depend on the moment.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	a, err := bundle("../..")
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s differs from run to run", name)
		}
	}
}
