package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRestart: Ctrl-C stops everything that was started, the next start goes on with the same data, and so does one after
// kill -9.
func TestRestart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	// A space and other letters in the path: people have such folders.
	dir, addr := filepath.Join(t.TempDir(), "数据 folder"), freeAddr(t)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r := startDemo(t, dir, addr)
	if err := r.login(ctx); err != nil {
		t.Fatal(err)
	}
	id := issued(ctx, t, r, "RESTART-1", 0)
	secret := r.record.Clients[0].ClientSecret
	second(t, dir)
	r.stop()
	if left := leftovers(t, dir); left != "" {
		t.Errorf("after a clean stop there is still:\n%s", left)
	}
	if _, err := os.Stat(filepath.Join(dir, "demo.json")); err != nil {
		t.Errorf("demo.json does not outlive a stop: %v", err)
	}
	for i, how := range []string{"a clean stop", "kill -9"} {
		r = startDemo(t, dir, addr)
		if err := r.login(ctx); err != nil {
			t.Fatalf("after %s: %v", how, err)
		}
		if r.record.Clients[0].ClientSecret != secret {
			t.Errorf("after %s the client has another secret", how)
		}
		if status, body, err := r.call(ctx, "GET", "/licenses/"+id+"/file", nil, nil); err != nil || status != 200 {
			t.Errorf("after %s the license is gone: %d %s %v", how, status, body, err)
		}
		issued(ctx, t, r, fmt.Sprintf("RESTART-2-%d", i), 1)
		if i == 0 {
			r.kill()
		}
	}
	r.stop()
}

// second wants a second service on the same folder to be refused in words.
func second(t *testing.T, dir string) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "demo", "-data", dir, "-addr", freeAddr(t)).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "yinxin: hint:") {
		t.Errorf("a second service on the same folder: %v\n%s", err, out)
	}
}

// leftovers are processes that still have the folder in their command line.
func leftovers(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err == nil && strings.Contains(string(b), dir) {
			fmt.Fprintf(&out, "%s: %s\n", f, strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	return out.String()
}

// TestWitnessIsStartedAgain: a witness that dies takes nothing with it. The ledger goes on, and proofs come once it is back.
func TestWitnessIsStartedAgain(t *testing.T) {
	r := shared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var ready witnessReady
	file := filepath.Join(r.dir, "witness", "ready.json")
	read := func() {
		b, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(b, &ready)
		}
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	read()
	before := ready
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	id := issued(ctx, t, r, "WITNESS-1", 9)
	for {
		status, body, err := r.call(ctx, "GET", "/licenses/"+id+"/proof", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status == 200 {
			break
		}
		if status != 409 {
			t.Fatalf("proof: %d %s", status, body)
		}
		select {
		case <-ctx.Done():
			t.Fatal("no proof after the witness's end")
		case <-time.After(50 * time.Millisecond):
		}
	}
	if read(); ready.PID == before.PID || ready.URL != before.URL {
		t.Errorf("the witness was %+v and is %+v", before, ready)
	}
}
