package witness_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/ledgertest"
	"github.com/yinxin-trust/yinxin/ledger/tile"
	"github.com/yinxin-trust/yinxin/ledger/witness"
)

func TestHTTP(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.open(t)
	server := httptest.NewServer(w.Handler())
	defer server.Close()
	first, proof := d.grow(t, 5, 0)
	second, _ := d.grow(t, 6, 5)
	other := newDesk(t)
	foreign, foreignProof := other.grow(t, 11, 5)

	post := func(body string) (int, string, string) {
		t.Helper()
		resp, err := http.Post(server.URL+"/add-checkpoint", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
	}
	request := func(old uint64, proof []ledger.Hash, text []byte) string {
		return string(witness.FormatRequest(old, proof, text))
	}
	steps := []struct {
		name, body string
		status     int
		answer     string
	}{
		{"first", request(0, proof, first.Text), 200, "— " + name + " "},
		{"stale", request(0, nil, second.Text), 409, "5\n"},
		{"bad proof", request(5, foreignProof, second.Text), 422, ""},
		{"unknown log", request(5, foreignProof, foreign.Text), 403, ""},
		{"backwards", request(7, nil, first.Text), 400, ""},
		{"no old size", string(first.Text), 400, ""},
		{"leading zero", "old 05\n\n" + string(first.Text), 400, ""},
		{"bad hash", "old 5\nAAAA\n\n" + string(first.Text), 400, ""},
		{"too long", request(0, nil, []byte(strings.Repeat("x", 1<<20))), 413, ""},
	}
	for _, s := range steps {
		status, contentType, answer := post(s.body)
		if status != s.status || !strings.HasPrefix(answer, s.answer) {
			t.Errorf("%s: %d %q, want %d %q", s.name, status, answer, s.status, s.answer)
		}
		if s.name == "stale" && contentType != "text/x.tlog.size" {
			t.Errorf("stale: %s", contentType)
		}
	}
	for path, status := range map[string]int{"/healthz": 200, "/checkpoint": 200, "/checkpoint?origin=unknown": 404, "/add-checkpoint": 405} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != status {
			t.Errorf("GET %s: %d, want %d", path, resp.StatusCode, status)
		}
	}
}

// TestTileEngine runs the suite on a log whose three witnesses stand behind HTTP.
func TestTileEngine(t *testing.T) {
	t.Parallel()
	ledgertest.Run(t, func(t *testing.T) ledgertest.Log {
		const origin = "yinxin.example/ledger/http"
		signer := ledgertest.NewSigner(t)
		trust := ledger.Trust{LogKeys: []ledger.Key{signer.LogKey(origin)}, Quorum: 2}
		o := tile.Options{Dir: filepath.Join(t.TempDir(), "log"), Origin: origin, Signer: signer, Interval: 20 * time.Millisecond}
		for i := range 3 {
			d := witness.Options{
				Dir: filepath.Join(t.TempDir(), "witness"), Name: fmt.Sprintf("witness.example/%d", i),
				Signer: ledgertest.NewSigner(t), Logs: trust.LogKeys,
			}
			w, err := witness.Open(d)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(w.Handler())
			t.Cleanup(func() {
				server.Close()
				if err := w.Close(); err != nil {
					t.Error(err)
				}
			})
			client, err := witness.NewClient(d.Name, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			o.Cosigners = append(o.Cosigners, client)
			trust.WitnessKeys = append(trust.WitnessKeys, w.Key())
		}
		o.Trust = trust
		l, err := tile.Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
		return ledgertest.Log{Engine: l, Trust: trust}
	})
}

func TestClient(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.open(t)
	server := httptest.NewServer(w.Handler())
	defer server.Close()
	c, err := witness.NewClient(name, server.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := c.Checkpoint(ctx, ledgertest.Origin); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("before the first: %v", err)
	}
	cp, proof := d.grow(t, 5, 0)
	line, err := c.Cosign(ctx, 0, proof, cp.Text)
	if err != nil {
		t.Fatal(err)
	}
	d.check(t, cp, line)
	if got, err := c.Checkpoint(ctx, ledgertest.Origin); err != nil || got.Size != 5 {
		t.Fatalf("checkpoint %d (%v)", got.Size, err)
	}
	var stale *ledger.StaleError
	if _, err := c.Cosign(ctx, 0, proof, cp.Text); !errors.As(err, &stale) || stale.Size != 5 {
		t.Fatalf("stale: %v", err)
	}
	other := d.sign(t, ledger.Checkpoint{Origin: ledgertest.Origin, Size: 5, Root: ledger.Hash{1}})
	if _, err := c.Cosign(ctx, 5, nil, other); fault.CodeOf(err) != witness.CodeFork {
		t.Fatalf("fork: %v", err)
	}
	server.Close()
	if _, err := c.Cosign(ctx, 5, nil, cp.Text); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("no server: %v", err)
	}
	for _, bad := range []string{"", "ftp://x", "http://", "http://u:p@x/", "http://x/?q"} {
		if _, err := witness.NewClient(name, bad, nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("address %q: %v", bad, err)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	d := newDesk(f)
	cp, _ := d.grow(f, 7, 0)
	proof, err := d.log.Consistency(context.Background(), 3, 7)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(witness.FormatRequest(3, proof, cp.Text))
	f.Add(witness.FormatRequest(0, nil, cp.Text))
	f.Add([]byte("old 1\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		old, proof, checkpoint, err := witness.ParseRequest(b)
		if err == nil && string(witness.FormatRequest(old, proof, checkpoint)) != string(b) {
			t.Fatalf("%q has two spellings", b)
		}
	})
}
