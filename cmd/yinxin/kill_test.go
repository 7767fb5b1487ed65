//go:build heavy

package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/yinxin-trust/yinxin/internal/postgres"
	"github.com/yinxin-trust/yinxin/internal/sample"
	"github.com/yinxin-trust/yinxin/ledger"
	"github.com/yinxin-trust/yinxin/ledger/tile"
	"github.com/yinxin-trust/yinxin/license"
)

// acknowledged is what the service said it did before it was killed.
type acknowledged struct {
	mu       sync.Mutex
	accepted map[string]string // license ID → business number
	revoked  map[string]bool
	// published are the checkpoints that a client got between the kills.
	published []ledger.Checkpoint
}

// TestKill kills the service at random instants while licenses are issued and revoked, and audits everything afterwards: no
// acknowledged act is lost, each license is whole, and database and ledger agree entry for entry, both ways.
func TestKill(t *testing.T) {
	kills := 50
	if s := os.Getenv("YINXIN_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		kills = n
	}
	dir, addr := t.TempDir(), freeAddr(t)
	said := &acknowledged{accepted: map[string]string{}, revoked: map[string]bool{}}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for round := range kills {
		r := startDemo(t, dir, addr)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		said.published = append(said.published, publishedNow(ctx, t, r))
		if err := r.login(ctx); err != nil {
			t.Fatal(err)
		}
		var workers sync.WaitGroup
		for worker := range 4 {
			workers.Add(1)
			go func() { defer workers.Done(); work(ctx, r, said, round, worker) }()
		}
		wait := time.Duration(50+random.IntN(1200)) * time.Millisecond
		select {
		case <-time.After(wait): // the instant of the kill, not a wait for a condition
		case err := <-r.ended:
			t.Fatalf("round %d: the service ended by itself: %v", round, err)
		}
		r.kill()
		cancel()
		workers.Wait()
	}
	r := startDemo(t, dir, addr)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := r.login(ctx); err != nil {
		t.Fatal(err)
	}
	settle(ctx, t, r, said)
	r.stop()
	audit(ctx, t, dir, said)
	t.Logf("%d kills: %d licenses acknowledged, %d revocations", kills, len(said.accepted), len(said.revoked))
	if len(said.accepted) < kills || len(said.revoked) < kills/2 {
		t.Errorf("too little happened to mean anything: %d and %d", len(said.accepted), len(said.revoked))
	}
}

// work issues licenses and revokes every second one once it is sealed, until the service is gone.
func work(ctx context.Context, r *running, said *acknowledged, round, worker int) {
	for n := 0; ; n++ {
		e := sample.EnterpriseAt((round*7 + worker*13 + n) % sample.Enterprises)
		number := fmt.Sprintf("K%03d%02d%05d", round, worker, n)
		var got struct {
			ID    string `json:"id"`
			State string `json:"state"`
		}
		status, _, err := r.call(ctx, "POST", "/licenses", issueBody(sample.FoodLicense(e, number, "")), &got)
		if err != nil || status >= 500 {
			return // killed
		}
		if got.ID == "" {
			r.t.Errorf("issue: status %d without an ID", status)
			return
		}
		said.mu.Lock()
		said.accepted[got.ID] = number
		said.mu.Unlock()
		for n%2 == 0 && got.State != "issued" {
			if status, _, err := r.call(ctx, "GET", "/licenses/"+got.ID, nil, &got); err != nil || status != 200 {
				return
			}
		}
		if n%2 == 0 {
			status, body, err := r.call(ctx, "POST", "/licenses/"+got.ID+"/revoke", map[string]string{"reason": "applicant_request"}, nil)
			if err != nil || status >= 500 {
				return
			}
			if status != 200 {
				r.t.Errorf("revoke: %d %s", status, body)
				return
			}
			said.mu.Lock()
			said.revoked[got.ID] = true
			said.mu.Unlock()
		}
	}
}

// settle waits until every acknowledged license is sealed and its proof is out.
func settle(ctx context.Context, t *testing.T, r *running, said *acknowledged) {
	t.Helper()
	for id := range said.accepted {
		for {
			status, body, err := r.call(ctx, "GET", "/licenses/"+id+"/proof", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if status == 200 {
				break
			}
			if status != 409 {
				t.Fatalf("acknowledged license %s: %d %s", id, status, body)
			}
			select {
			case <-ctx.Done():
				t.Fatalf("license %s does not settle: %s", id, body)
			case <-time.After(50 * time.Millisecond):
			}
		}
		status, _, err := r.call(ctx, "GET", "/licenses/"+id+"/file", nil, nil)
		if err != nil || status != 200 {
			t.Errorf("license %s: file gives %d, %v", id, status, err)
		}
	}
}

// row is what the audit reads of a license.
type row struct {
	id                  string
	state               string
	file, issue, ending []byte
}

// audit opens what the service left behind, without the service.
func audit(ctx context.Context, t *testing.T, dir string, said *acknowledged) {
	t.Helper()
	cluster, err := postgres.StartCluster(ctx, postgres.ClusterOptions{Dir: filepath.Join(dir, "postgres")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := cluster.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	var cells []postgres.CellConfig
	for code := uint16(1); code <= sample.ProvinceCell; code++ {
		cells = append(cells, postgres.CellConfig{Code: code})
	}
	pools, err := postgres.OpenCells(postgres.CellConfig{URL: cluster.DSN(database)}, cells, postgres.PoolOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pools.Close()

	wanted := map[string]string{} // leaf → which act of which license
	licenses := map[string]row{}
	for _, code := range pools.Codes() {
		pool, err := pools.Cell(code)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := pool.Query(ctx, `SELECT id, state, file_blob, issue_leaf, end_leaf FROM license`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id []byte
			var r row
			if err := rows.Scan(&id, &r.state, &r.file, &r.issue, &r.ending); err != nil {
				t.Fatal(err)
			}
			r.id = license.ID(id).String()
			licenses[r.id] = r
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	for id, r := range licenses {
		if r.state == "accepted" {
			t.Errorf("license %s was never sealed", id)
			continue
		}
		if _, err := os.Stat(blobPath(dir, r.file)); err != nil {
			t.Errorf("license %s: its file is not there: %v", id, err)
		}
		wanted[hex.EncodeToString(r.issue)] = "issue of " + id
		if (r.state == "revoked") != (len(r.ending) > 0) {
			t.Errorf("license %s: state %s, ending entry %x", id, r.state, r.ending)
		}
		if len(r.ending) > 0 {
			wanted[hex.EncodeToString(r.ending)] = "revocation of " + id
		}
	}
	for id := range said.accepted {
		if _, ok := licenses[id]; !ok {
			t.Errorf("license %s was acknowledged and is lost", id)
		}
	}
	for id := range said.revoked {
		if licenses[id].state != "revoked" {
			t.Errorf("the revocation of %s was acknowledged and is lost: %s", id, licenses[id].state)
		}
	}
	seen := map[string]int{}
	for _, entry := range readLog(ctx, t, dir, said.published) {
		parsed, err := ledger.ParseEntry(entry)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, digest := parsed.(ledger.DigestEntry); digest {
			continue // about no license
		}
		leaf := ledger.LeafHash(entry)
		seen[hex.EncodeToString(leaf[:])]++
	}
	for leaf, act := range wanted {
		if seen[leaf] != 1 {
			t.Errorf("the %s has %d entries", act, seen[leaf])
		}
	}
	for leaf := range seen {
		if wanted[leaf] == "" {
			t.Errorf("entry %s has no act", leaf)
		}
	}
}

// publishedNow is the checkpoint that the service gives to anybody.
func publishedNow(ctx context.Context, t *testing.T, r *running) ledger.Checkpoint {
	t.Helper()
	status, body, err := r.call(ctx, "GET", "/ledger/checkpoint", nil, nil)
	if err != nil || status != 200 {
		t.Fatalf("checkpoint: %d %v", status, err)
	}
	cp, err := ledger.ParseCheckpoint(body)
	if err != nil {
		t.Fatal(err)
	}
	return cp.Checkpoint
}

// readLog reads every entry, and checks the root of every checkpoint that was ever published against the entries alone.
func readLog(ctx context.Context, t *testing.T, dir string, published []ledger.Checkpoint) [][]byte {
	t.Helper()
	keys, err := openKeys(ctx, filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	signer, err := keys.Key(ctx, keyLedger)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := tile.Open(ctx, tile.Options{Dir: filepath.Join(dir, "ledger"), Origin: logOrigin, Signer: signer, Interval: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	err = filepath.WalkDir(filepath.Join(dir, "ledger", "checkpoints"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		cp, err := ledger.ParseCheckpoint(text)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		published = append(published, cp.Checkpoint)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	var frontier ledger.Frontier
	roots := map[uint64]ledger.Hash{0: frontier.Root()}
	for {
		batch, err := engine.Entries(ctx, uint64(len(out)), ledger.MaxBatch)
		if err != nil {
			t.Fatal(err)
		}
		if len(batch) == 0 {
			break
		}
		for _, e := range batch {
			frontier.Append(ledger.LeafHash(e))
			out = append(out, e)
			roots[frontier.Size()] = frontier.Root()
		}
	}
	for _, cp := range published {
		if roots[cp.Size] != cp.Root {
			t.Errorf("the checkpoint of size %d that was published is not one of this log", cp.Size)
		}
	}
	if len(published) < 10 {
		t.Errorf("only %d checkpoints were ever published", len(published))
	}
	return out
}

// blobPath is where a sealed file of a license lies.
func blobPath(dir string, name []byte) string {
	digits := hex.EncodeToString(name)
	return filepath.Join(dir, "files", digits[:2], digits[2:4], digits)
}
