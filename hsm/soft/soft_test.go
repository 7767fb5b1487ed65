package soft_test

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/hsmtest"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/internal/fault"
)

// cheap keeps the tests fast; nobody may take it for a real file.
var cheap = soft.Options{Cost: soft.Cost{Passes: 1, MemoryKiB: 8, Lanes: 1}}

var passphrase = []byte("correct horse battery")

func sealPolicy() hsm.Policy { return hsm.Policy{Algorithm: hsm.SM2, Purpose: "seal"} }

func create(t testing.TB, path string) *soft.Provider {
	t.Helper()
	p, err := soft.Create(path, passphrase, cheap)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeProvider(t, p) })
	return p
}

func reopen(t testing.TB, path string) *soft.Provider {
	t.Helper()
	p, err := soft.Open(path, passphrase)
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.CodeOf(err))
	}
	t.Cleanup(func() { closeProvider(t, p) })
	return p
}

func closeProvider(t testing.TB, p *soft.Provider) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func generate(t testing.TB, p *soft.Provider, refs ...hsm.Ref) {
	t.Helper()
	for _, ref := range refs {
		if _, err := p.GenerateKey(t.Context(), ref, sealPolicy()); err != nil {
			t.Fatal(err)
		}
	}
}

func refsOf(t testing.TB, p *soft.Provider) []hsm.Ref {
	t.Helper()
	refs, err := p.Refs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

func wantCode(t testing.TB, what string, err error, code string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code {
		t.Errorf("%s: %v (%s), want %s", what, err, fault.CodeOf(err), code)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	hsmtest.Run(t, func(t *testing.T) hsm.Provider { return create(t, filepath.Join(t.TempDir(), "keys")) })
}

func TestKeysOutliveTheProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	p := create(t, path)
	ctx := t.Context()
	requests := []hsm.KeyRequest{
		{Ref: "token/rs256", Policy: hsm.Policy{Algorithm: hsm.RS256, Purpose: "token"}},
		{Ref: "seal/a", Policy: hsm.Policy{Algorithm: hsm.SM2, Purpose: "seal"}},
		{Ref: "token/es256", Policy: hsm.Policy{Algorithm: hsm.ES256, Purpose: "token"}},
		{Ref: "data/cell05", Policy: hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}},
	}
	if err := p.GenerateKeys(ctx, requests); err != nil {
		t.Fatal(err)
	}
	secret, err := p.Secret(ctx, "data/cell05")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := secret.Seal(ctx, []byte("text"), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	mac, err := secret.MAC(ctx, []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	publics := map[hsm.Ref]crypto.PublicKey{}
	for _, r := range requests[:3] {
		k, err := p.Key(ctx, r.Ref)
		if err != nil {
			t.Fatal(err)
		}
		publics[r.Ref] = k.Public()
	}
	closeProvider(t, p)

	p = reopen(t, path)
	if diff := cmp.Diff([]hsm.Ref{"data/cell05", "seal/a", "token/es256", "token/rs256"}, refsOf(t, p)); diff != "" {
		t.Error(diff)
	}
	for _, r := range requests {
		if got, err := p.Policy(ctx, r.Ref); err != nil || got != r.Policy {
			t.Errorf("Policy(%s) = %v, %v", r.Ref, got, err)
		}
	}
	for ref, public := range publics {
		k, err := p.Key(ctx, ref)
		if err != nil {
			t.Fatal(err)
		}
		if !public.(interface{ Equal(crypto.PublicKey) bool }).Equal(k.Public()) {
			t.Errorf("%s is another key after reopening", ref)
		}
		if _, err := k.SignDigest(ctx, [32]byte{1}); err != nil {
			t.Errorf("%s does not sign after reopening: %v", ref, err)
		}
	}
	secret, err = p.Secret(ctx, "data/cell05")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := secret.Open(ctx, sealed, []byte("place")); err != nil || string(got) != "text" {
		t.Errorf("Open after reopening: %q, %v", got, err)
	}
	if again, err := secret.MAC(ctx, []byte("text")); err != nil || again != mac {
		t.Errorf("MAC after reopening: %x, %v", again, err)
	}
}

func TestFileOnDisk(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "keys")
	p := create(t, path)
	generate(t, p, "seal/a")
	for _, name := range []string{"keys", "keys.lock"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", name, info, err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("seal/a")) {
		t.Error("the file shows the names of its keys")
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 2 {
		t.Errorf("the folder holds %v, %v, want the key file and its lock", entries, err)
	}
	// The same keys are sealed anew for each write: nonces never repeat under the same key.
	before := data[39:51]
	generate(t, p, "seal/b")
	if data, err = os.ReadFile(path); err != nil || bytes.Equal(before, data[39:51]) {
		t.Errorf("two writes share a nonce: %v", err)
	}
}

func TestBatchIsOneWrite(t *testing.T) {
	t.Parallel()
	disk := &stopping{after: -1}
	p, err := soft.CreateOn(filepath.Join(t.TempDir(), "keys"), passphrase, cheap, disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeProvider(t, p) })
	var requests []hsm.KeyRequest
	for i := range 60 {
		requests = append(requests, hsm.KeyRequest{Ref: hsm.Ref(fmt.Sprintf("seal/office%02d/2026", i)), Policy: sealPolicy()})
	}
	before := disk.writes
	if err := hsm.Ensure(t.Context(), p, requests); err != nil {
		t.Fatal(err)
	}
	if disk.writes != before+1 {
		t.Errorf("60 keys took %d writes", disk.writes-before)
	}
	if err := hsm.Ensure(t.Context(), p, requests); err != nil || disk.writes != before+1 {
		t.Errorf("the same batch again: %v, %d writes", err, disk.writes-before)
	}
	if n := len(refsOf(t, p)); n != 60 {
		t.Errorf("%d keys", n)
	}
}

func TestTooManyKeys(t *testing.T) {
	t.Parallel()
	p := create(t, filepath.Join(t.TempDir(), "keys"))
	var requests []hsm.KeyRequest
	for i := range soft.MaxKeys + 1 {
		requests = append(requests, hsm.KeyRequest{Ref: hsm.Ref(fmt.Sprintf("data/%d", i)), Policy: hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}})
	}
	wantCode(t, "a batch over the limit", p.GenerateKeys(t.Context(), requests), soft.CodeFull)
	if err := p.GenerateKeys(t.Context(), requests[1:]); err != nil {
		t.Errorf("a batch at the limit: %v", err)
	}
	wantCode(t, "one key over the limit", p.GenerateKeys(t.Context(), requests[:1]), soft.CodeFull)
}

func TestCloseZeroes(t *testing.T) {
	t.Parallel()
	p := create(t, filepath.Join(t.TempDir(), "keys"))
	if err := p.GenerateKeys(t.Context(), []hsm.KeyRequest{
		{Ref: "a", Policy: sealPolicy()},
		{Ref: "b", Policy: hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}},
	}); err != nil {
		t.Fatal(err)
	}
	all := p.Material()
	if !slices.ContainsFunc(all, func(b []byte) bool { return !zero(b) }) {
		t.Fatal("there was nothing to zero")
	}
	closeProvider(t, p)
	for i, b := range all {
		if !zero(b) {
			t.Errorf("key bytes %d survive Close", i)
		}
	}
}

func zero(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }

func TestUnverifiedSignatureIsWithheld(t *testing.T) {
	t.Parallel()
	p := create(t, filepath.Join(t.TempDir(), "keys"))
	ctx := t.Context()
	for _, a := range []hsm.Algorithm{hsm.SM2, hsm.ES256} {
		name := hsm.Ref(strings.ToLower(string(a)))
		one, two := "one/"+name, "two/"+name
		for _, ref := range []hsm.Ref{one, two} {
			if _, err := p.GenerateKey(ctx, ref, hsm.Policy{Algorithm: a, Purpose: "seal"}); err != nil {
				t.Fatal(err)
			}
		}
		p.BreakPublic(one, two)
		k, err := p.Key(ctx, one)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := k.SignDigest(ctx, [32]byte{1})
		wantCode(t, string(a), err, hsm.CodeSignatureWrong)
		if sig != nil {
			t.Errorf("%s: the wrong signature left the device", a)
		}
	}
}

func TestSealedVersion(t *testing.T) {
	t.Parallel()
	p := create(t, filepath.Join(t.TempDir(), "keys"))
	s, err := p.GenerateSecret(t.Context(), "data", hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.Seal(t.Context(), []byte("text"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(sealed) != len("text")+soft.Overhead {
		t.Errorf("%d bytes for 4", len(sealed))
	}
	sealed[0] = 2
	_, err = s.Open(t.Context(), sealed, nil)
	wantCode(t, "bytes of a later version", err, hsm.CodeSealedVersion)
}

func TestReplacedUnderUs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	p := create(t, path)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	generate(t, p, "seal/a")
	k, err := p.Key(t.Context(), "seal/a")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Health(t.Context()); err != nil {
		t.Errorf("Health: %v", err)
	}
	if err := os.WriteFile(path, old, 0o600); err != nil { // somebody restores a backup
		t.Fatal(err)
	}
	wantCode(t, "Health", p.Health(t.Context()), soft.CodeReplaced)
	_, err = p.GenerateKey(t.Context(), "seal/b", sealPolicy())
	wantCode(t, "GenerateKey", err, soft.CodeReplaced)
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the restored file was overwritten: %v", err)
	}
	if _, err := k.SignDigest(t.Context(), [32]byte{1}); err != nil {
		t.Errorf("signing with what is in memory: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "Health without a file", p.Health(t.Context()), soft.CodeReplaced)
}

func Example() {
	folder, err := os.MkdirTemp("", "keys")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()

	p, err := soft.Create(filepath.Join(folder, "keys"), []byte("correct horse battery"), soft.Options{})
	if err != nil {
		panic(err)
	}
	k, err := p.GenerateKey(ctx, "seal/11990000000000001g/2026", hsm.Policy{Algorithm: hsm.SM2, Purpose: "seal"})
	if err != nil {
		panic(err)
	}
	_, err = k.SignDigest(ctx, [32]byte{1, 2, 3}) // verified before it is returned
	fmt.Println(k.Ref(), k.Algorithm(), err)

	_, err = soft.Open(filepath.Join(folder, "keys"), []byte("correct horse battery"))
	fmt.Println(fault.CodeOf(err))
	if err := p.Close(); err != nil {
		panic(err)
	}
	_, err = soft.Open(filepath.Join(folder, "keys"), []byte("wrong horse battery"))
	fmt.Println(fault.CodeOf(err))
	// Output:
	// seal/11990000000000001g/2026 SM2 <nil>
	// soft_locked
	// soft_wrong_passphrase
}
