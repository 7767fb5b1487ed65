package soft_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yinxin-trust/yinxin/hsm"
	"github.com/yinxin-trust/yinxin/hsm/soft"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

// sample is a closed file with two keys, and its bytes.
func sample(t testing.TB) (path string, data []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	p := create(t, path)
	generate(t, p, "seal/a", "seal/b")
	closeProvider(t, p)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, data
}

// redigest renews the digest at the end, as somebody would who alters the file on purpose.
func redigest(data []byte) []byte {
	d := gm.SM3(data[:len(data)-32])
	return append(bytes.Clone(data[:len(data)-32]), d[:]...)
}

func openBytes(t *testing.T, data, passphrase []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := soft.Open(path, passphrase)
	if err == nil {
		closeProvider(t, p)
		return nil
	}
	// What failed must leave the file and its lock free for the right one.
	if now, readErr := os.ReadFile(path); readErr != nil || !bytes.Equal(now, data) {
		t.Errorf("a refused Open changed the file: %v", readErr)
	}
	if _, again := soft.Open(path, passphrase); fault.CodeOf(again) != fault.CodeOf(err) {
		t.Errorf("a second try gives %v, the first gave %v", again, err)
	}
	return err
}

func TestWhatCanBeWrong(t *testing.T) {
	t.Parallel()
	_, good := sample(t)
	alter := func(at int, with ...byte) []byte {
		data := bytes.Clone(good)
		copy(data[at:], with)
		return data
	}
	flip := func(at int) []byte { return alter(at, good[at]^1) }
	tests := []struct {
		name       string
		data       []byte
		passphrase string
		code       string // empty: opens
	}{
		{"nothing", good, string(passphrase), ""},
		{"wrong passphrase", good, "correct horse batterz", soft.CodeWrongPassphrase},
		{"empty passphrase", good, "", soft.CodeWrongPassphrase},
		{"passphrase cut", good, "correct horse", soft.CodeWrongPassphrase},
		{"endless passphrase", good, strings.Repeat("a", soft.MaxPassphrase+1), soft.CodePassphraseLength},
		{"empty file", nil, string(passphrase), soft.CodeDamaged},
		{"another file", []byte("-----BEGIN PRIVATE KEY-----\n"), string(passphrase), soft.CodeDamaged},
		{"line ends changed", bytes.Replace(good, []byte("\r\n"), []byte("\n"), 1), string(passphrase), soft.CodeDamaged},
		{"magic alone", good[:8], string(passphrase), soft.CodeDamaged},
		{"later version", alter(8, 0, 2), string(passphrase), soft.CodeVersionUnknown},
		{"salt damaged", flip(20), string(passphrase), soft.CodeDamaged},
		{"salt damaged, and the passphrase wrong", flip(20), "another one", soft.CodeDamaged},
		{"salt altered on purpose", redigest(flip(20)), string(passphrase), soft.CodeWrongPassphrase},
		{"check damaged", flip(50), string(passphrase), soft.CodeDamaged},
		{"body damaged", flip(100), string(passphrase), soft.CodeDamaged},
		{"body altered on purpose", redigest(flip(100)), string(passphrase), soft.CodeDamaged},
		{"last byte damaged", flip(len(good) - 1), string(passphrase), soft.CodeDamaged},
		{"one byte more", append(bytes.Clone(good), 0), string(passphrase), soft.CodeDamaged},
		{"length altered on purpose", redigest(alter(35, 0xff, 0xff, 0xff, 0xff)), string(passphrase), soft.CodeDamaged},
		{"too much memory", redigest(alter(14, 0xff, 0xff, 0xff, 0xff)), string(passphrase), soft.CodeCostRefused},
		{"100 GB", redigest(alter(14, binary.BigEndian.AppendUint32(nil, 100<<20)...)), string(passphrase), soft.CodeCostRefused},
		{"too many passes", redigest(alter(10, 0xff, 0xff, 0xff, 0xff)), string(passphrase), soft.CodeCostRefused},
		{"passes times memory", redigest(alter(10, 0, 0, 0, 64, 0, 0x10, 0, 0)), string(passphrase), soft.CodeCostRefused},
		{"no pass at all", redigest(alter(10, 0, 0, 0, 0)), string(passphrase), soft.CodeCostRefused},
		{"no lane at all", redigest(alter(18, 0)), string(passphrase), soft.CodeCostRefused},
		{"less memory than lanes need", redigest(alter(14, 0, 0, 0, 1)), string(passphrase), soft.CodeCostRefused},
		{"over 8 MiB", append(bytes.Clone(good), make([]byte, 8<<20)...), string(passphrase), soft.CodeDamaged},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := openBytes(t, test.data, []byte(test.passphrase))
			if test.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantCode(t, "Open", err, test.code)
		})
	}
}

// TestEveryByteCounts: no bit of the file can change unseen, and none of these changes is called a wrong passphrase.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	path, good := sample(t)
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		err := soft.ParseFile(bad)
		if code := fault.CodeOf(err); err == nil || code != soft.CodeDamaged && code != soft.CodeVersionUnknown {
			t.Errorf("byte %d altered: %v", i, err)
		}
		if err := soft.ParseFile(good[:i]); err == nil || fault.CodeOf(err) != soft.CodeDamaged {
			t.Errorf("the first %d bytes: %v", i, err)
		}
	}
	if refs := refsOf(t, reopen(t, path)); len(refs) != 2 {
		t.Errorf("the good file: %v", refs)
	}
}

// TestBodyForms: a body that decrypts and breaks the encoding is refused, so that one set of keys has one encoding.
func TestBodyForms(t *testing.T) {
	t.Parallel()
	p := create(t, filepath.Join(t.TempDir(), "keys"))
	generate(t, p, "seal/a", "seal/b")
	good, err := p.Body()
	if err != nil {
		t.Fatal(err)
	}
	entry := (len(good) - 4) / 2
	a, b := good[4:4+entry], good[4+entry:]
	count := func(n uint32, parts ...[]byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, n), bytes.Join(parts, nil)...)
	}
	tests := []struct {
		name string
		body []byte
		good bool
	}{
		{"as it is", count(2, a, b), true},
		{"none", count(0), true},
		{"out of order", count(2, b, a), false},
		{"twice", count(2, a, a), false},
		{"one missing", count(2, a), false},
		{"one more", count(1, a, b), false},
		{"absurd count", count(1<<31, a, b), false},
		{"unknown algorithm", count(1, bytes.Replace(a, []byte("SM2"), []byte("SM9"), 1)), false},
		{"malformed name", count(1, bytes.Replace(a, []byte("seal/a"), []byte("SEAL/a"), 1)), false},
		{"key of zero", count(1, append(bytes.Clone(a[:len(a)-32]), make([]byte, 32)...)), false},
		{"key above the order", count(1, append(bytes.Clone(a[:len(a)-32]), bytes.Repeat([]byte{0xff}, 32)...)), false},
		{"empty", nil, false},
	}
	for _, test := range tests {
		data, err := soft.Reseal(passphrase, cheap.Cost, cheap.Cost, test.body)
		if err != nil {
			t.Fatal(err)
		}
		err = openBytes(t, data, passphrase)
		if test.good && err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if !test.good {
			wantCode(t, test.name, err, soft.CodeDamaged)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	path, good := sample(t)
	_, err := soft.Create(path, passphrase, cheap)
	wantCode(t, "a file that exists", err, soft.CodeExists)
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, good) {
		t.Errorf("Create changed the file: %v", err)
	}
	folder := t.TempDir()
	fresh := filepath.Join(folder, "keys")
	_, err = soft.Create(fresh, []byte("short"), cheap)
	wantCode(t, "a short passphrase", err, soft.CodePassphraseLength)
	_, err = soft.Create(fresh, bytes.Repeat([]byte{'a'}, soft.MaxPassphrase+1), cheap)
	wantCode(t, "an endless passphrase", err, soft.CodePassphraseLength)
	_, err = soft.Create(fresh, passphrase, soft.Options{Cost: soft.Cost{Passes: 1, MemoryKiB: 1 << 21, Lanes: 1}})
	wantCode(t, "absurd costs", err, soft.CodeCostRefused)
	_, err = soft.Create(filepath.Join(folder, "none", "keys"), passphrase, cheap)
	wantCode(t, "a folder that is not there", err, soft.CodeIO)
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
		t.Errorf("refused requests left %v, %v", entries, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	path, _ := sample(t)
	folder := filepath.Dir(path)

	_, err := soft.Open(filepath.Join(folder, "other"), passphrase)
	wantCode(t, "no file", err, soft.CodeAbsent)
	if _, err := os.Stat(filepath.Join(folder, "other.lock")); !os.IsNotExist(err) {
		t.Errorf("a mistyped path left a lock: %v", err)
	}
	_, err = soft.Open(folder, passphrase)
	wantCode(t, "a folder", err, soft.CodeNotFile)
	link := filepath.Join(folder, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	_, err = soft.Open(link, passphrase)
	wantCode(t, "a link", err, soft.CodeNotFile)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err = soft.Open(path, passphrase)
		wantCode(t, "others may read", err, soft.CodeModeOpen)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}

	p := reopen(t, path)
	_, err = soft.Open(path, passphrase)
	wantCode(t, "a second writer", err, soft.CodeLocked)
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second writer: kind %v", fault.KindOf(err))
	}
	_, err = soft.Create(path, passphrase, cheap)
	wantCode(t, "a second creator", err, soft.CodeLocked)
	closeProvider(t, p)
	generate(t, reopen(t, path), "seal/c")
}

func FuzzParseFile(f *testing.F) {
	_, good := sample(f)
	f.Add(good)
	f.Add(good[:60])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, d := range [][]byte{data, withDigest(data)} {
			if err := soft.ParseFile(d); err != nil && fault.KindOf(err) != fault.Invalid {
				t.Fatalf("%v is no Invalid fault", err)
			}
		}
	})
}

func withDigest(data []byte) []byte {
	d := gm.SM3(data)
	return append(bytes.Clone(data), d[:]...)
}

func FuzzParseBody(f *testing.F) {
	p := create(f, filepath.Join(f.TempDir(), "keys"))
	if err := p.GenerateKeys(f.Context(), []hsm.KeyRequest{
		{Ref: "a", Policy: sealPolicy()},
		{Ref: "b", Policy: hsm.Policy{Algorithm: hsm.ES256, Purpose: "token"}},
		{Ref: "c", Policy: hsm.Policy{Algorithm: hsm.SM4, Purpose: "data"}},
	}); err != nil {
		f.Fatal(err)
	}
	body, err := p.Body()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		again, err := soft.Recode(body)
		if err == nil && !bytes.Equal(again, body) {
			t.Fatalf("one set of keys has two encodings: %x and %x", body, again)
		}
	})
}
