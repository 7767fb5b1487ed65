//go:build heavy

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestSchemathesis lets a generator that knows only the OpenAPI document loose on the API: no answer may be a fault of ours,
// and none may be one that the document does not name.
func TestSchemathesis(t *testing.T) {
	cache := os.Getenv("YINXIN_CACHE")
	if cache == "" {
		home, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(home, "yinxin")
	}
	tool := filepath.Join(cache, "py", "bin", "schemathesis")
	if _, err := os.Stat(tool); err != nil {
		t.Fatalf("schemathesis is missing: run `make schema`, which installs it from PyPI (%v)", err)
	}
	r := shared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 14*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, "run", r.record.BaseURL+"/api/v1/openapi.json",
		"--header", "Authorization: Bearer "+r.token,
		"--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance",
		"--max-examples", "60", "--seed", "1", "--workers", "1", "--no-color", "--suppress-health-check", "all")
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, tail(out, 12_000))
	}
	t.Logf("%s", tail(out, 1500))
}

func tail(b []byte, n int) string {
	if len(b) > n {
		b = b[len(b)-n:]
	}
	return string(b)
}
