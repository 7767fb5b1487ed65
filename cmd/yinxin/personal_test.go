package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/sample"
)

// TestNothingPersonalInPlain searches everything that the service keeps, after it has worked, for what must never stand there
// in plain: every natural person's name, number and phone in ledger, logs, database and files; every enterprise's name and
// code in ledger and logs. Departments are public.
func TestNothingPersonalInPlain(t *testing.T) {
	r := shared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	id := issued(ctx, t, r, "PLAIN-1", 7)
	if status, body, err := r.call(ctx, "POST", "/licenses/"+id+"/revoke", map[string]string{"reason": "applicant_request"}, nil); err != nil || status != 200 {
		t.Fatalf("revoke: %d %s %v", status, body, err)
	}
	// Mistakes are where personal data like to slip into logs: a wrong number, a stranger's search, a broken request.
	person := sample.PersonAt(0)
	for path, in := range map[string]any{
		"/licenses/search": map[string]any{"holder": map[string]string{"type": "111", "code": person.Number}, "matter": "990115000300", "reason": "case"},
		"/licenses":        map[string]any{"kind": person.Number, "business_no": person.Name, "holders": []any{}, "fields": map[string]string{"X": person.Phone}},
	} {
		if _, _, err := r.call(ctx, "POST", path, in, nil); err != nil {
			t.Fatal(err)
		}
	}

	people, enterprises := map[string]string{}, map[string]string{}
	for i := range sample.People {
		p := sample.PersonAt(i)
		people[p.Name], people[p.Number], people[p.Phone] = "a person's name", "a citizen number", "a phone number"
	}
	for i := range sample.Enterprises {
		e := sample.EnterpriseAt(i)
		enterprises[e.Name], enterprises[e.USCC] = "an enterprise's name", "an enterprise's code"
	}
	dump := databaseDump(ctx, t, r)
	if !bytes.Contains(dump, []byte("CREATE TABLE cell_01.license ")) || len(dump) < 100_000 {
		t.Fatalf("the dump of %d bytes is not the database", len(dump))
	}
	search(t, "database dump", dump, people)
	places := map[string][]map[string]string{
		"ledger":  {people, enterprises},
		"witness": {people, enterprises},
		"files":   {people, enterprises},
	}
	logs, err := filepath.Glob(filepath.Join(r.dir, "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatalf("no log: %v", err)
	}
	for _, l := range append(logs, filepath.Join(r.dir, "postgres", "postgres.log")) {
		searchFile(t, l, people, enterprises)
	}
	for place, what := range places {
		n := 0
		err := filepath.WalkDir(filepath.Join(r.dir, place), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			n++
			searchFile(t, path, what...)
			return nil
		})
		if err != nil || n == 0 {
			t.Errorf("%s: %d files, %v", place, n, err)
		}
	}
}

// TestSearchFinds plants a name and wants the search to find it.
func TestSearchFinds(t *testing.T) {
	t.Parallel()
	p := sample.PersonAt(5)
	if hits := find([]byte("…"+p.Name+"…"), map[string]string{p.Name: "a person's name"}); len(hits) != 1 {
		t.Errorf("a planted name gives %d hits", len(hits))
	}
	// pg_dump writes bytea in hex; a name in such a column must not hide behind it.
	hexed := "\\x00" + hexOf(p.Number) + "ff"
	if hits := find([]byte(hexed), map[string]string{p.Number: "a citizen number"}); len(hits) != 1 {
		t.Errorf("a planted number in hex gives %d hits", len(hits))
	}
}

func searchFile(t *testing.T, path string, what ...map[string]string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		if os.IsNotExist(err) {
			return // a partial tile or a temporary file that has gone meanwhile
		}
		t.Fatal(err)
	}
	for _, w := range what {
		search(t, filepath.Base(path), b, w)
	}
}

func search(t *testing.T, place string, b []byte, what map[string]string) {
	t.Helper()
	for _, hit := range find(b, what) {
		t.Errorf("%s holds %s in plain", place, hit)
	}
}

// find gives what of the needles stands in b, as it is or in hex.
func find(b []byte, needles map[string]string) []string {
	var hits []string
	for needle, kind := range needles {
		if bytes.Contains(b, []byte(needle)) || bytes.Contains(b, []byte(hexOf(needle))) {
			at := max(bytes.Index(b, []byte(needle)), bytes.Index(b, []byte(hexOf(needle))))
			hits = append(hits, fmt.Sprintf("%s (%s, at byte %d: %q)", kind, needle, at, b[max(0, at-20):min(len(b), at+60)]))
		}
	}
	return hits
}

func hexOf(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// databaseDump is what pg_dump says of the running service's database.
func databaseDump(ctx context.Context, t *testing.T, r *running) []byte {
	t.Helper()
	matches, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
	if err != nil || len(matches) == 0 {
		t.Fatal("pg_dump is missing: install the Debian package postgresql")
	}
	socket := socketOf(t, r.dir)
	cmd := exec.CommandContext(ctx, matches[len(matches)-1], "-h", socket, "-U", "postgres", "-d", database)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("pg_dump: %v: %s", err, complaint.String())
	}
	return out
}

// socketOf reads from PostgreSQL's own pid file where its socket is; the server writes it relative to its data.
func socketOf(t *testing.T, dir string) string {
	t.Helper()
	data := filepath.Join(dir, "postgres", "data")
	b, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	if len(lines) < 5 {
		t.Fatalf("the pid file has %d lines", len(lines))
	}
	socket := strings.TrimSpace(lines[4])
	if !filepath.IsAbs(socket) {
		socket = filepath.Join(data, socket)
	}
	return socket
}
