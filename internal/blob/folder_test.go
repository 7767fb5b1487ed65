package blob_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yinxin-trust/yinxin/internal/blob"
	"github.com/yinxin-trust/yinxin/internal/fault"
	"github.com/yinxin-trust/yinxin/internal/gm"
)

func open(t testing.TB, root string, maxSize int) *blob.Folder {
	t.Helper()
	f, err := blob.Open(root, maxSize)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func put(t testing.TB, f *blob.Folder, data []byte) gm.Digest {
	t.Helper()
	name, err := f.Put(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func pathOf(root string, name gm.Digest) string {
	digits := hex.EncodeToString(name[:])
	return filepath.Join(root, digits[:2], digits[2:4], digits)
}

func wantCode(t testing.TB, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil || fault.CodeOf(err) != code || fault.KindOf(err) != kind {
		t.Errorf("%s: %v (%s, kind %d), want %s, kind %d", what, err, fault.CodeOf(err), fault.KindOf(err), code, kind)
	}
}

// filesBelow lists all regular files, so that a test sees what the store does not show.
func filesBelow(t testing.TB, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, root+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFolder(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "blobs")
	f, ctx := open(t, root, 0), t.Context()
	data := []byte("abc")
	name := put(t, f, data)
	// SM3("abc") is the first example of GB/T 32905.
	const digits = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
	if hex.EncodeToString(name[:]) != digits {
		t.Errorf("the name is %x", name)
	}
	if diff := cmp.Diff([]string{"66/c7/" + digits}, filesBelow(t, root)); diff != "" {
		t.Error(diff)
	}
	info, err := os.Stat(pathOf(root, name))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the file: %v, %v", info, err)
	}
	for range 2 { // idempotent
		if again := put(t, f, data); again != name {
			t.Errorf("the same bytes have another name: %x", again)
		}
	}
	if got, err := f.Get(ctx, name); err != nil || !bytes.Equal(got, data) {
		t.Errorf("Get: %q, %v", got, err)
	}
	if got, err := open(t, root, 0).Get(ctx, name); err != nil || !bytes.Equal(got, data) {
		t.Errorf("Get after opening again: %q, %v", got, err)
	}
	if has, err := f.Has(ctx, name); err != nil || !has {
		t.Errorf("Has: %v, %v", has, err)
	}
	for range 2 {
		if err := f.Delete(ctx, name); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	if err := f.Delete(ctx, gm.Digest{1}); err != nil { // not even its sub-folder is there
		t.Errorf("Delete of what never was: %v", err)
	}
	if has, err := f.Has(ctx, name); err != nil || has {
		t.Errorf("Has after Delete: %v, %v", has, err)
	}
	_, err = f.Get(ctx, name)
	wantCode(t, "Get after Delete", err, fault.NotFound, blob.CodeUnknown)
	if files := filesBelow(t, root); len(files) != 0 {
		t.Errorf("after Delete there is %v", files)
	}
	if put(t, f, data) != name {
		t.Error("stored again under another name")
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	tests := map[string]func([]byte) []byte{
		"bit flipped": func(b []byte) []byte { b[3] ^= 4; return b },
		"cut":         func(b []byte) []byte { return b[:len(b)-1] },
		"empty":       func([]byte) []byte { return nil },
		"longer":      func(b []byte) []byte { return append(b, 0) },
		"other":       func([]byte) []byte { return []byte("another file") },
	}
	for what, damage := range tests {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			f := open(t, root, 0)
			data := []byte("a sealed file")
			name := put(t, f, data)
			if err := os.WriteFile(pathOf(root, name), damage(bytes.Clone(data)), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := f.Get(t.Context(), name)
			wantCode(t, "Get", err, fault.Internal, blob.CodeDamaged)
			if got != nil {
				t.Error("damaged bytes left the store")
			}
			put(t, f, data) // repairs
			if got, err := f.Get(t.Context(), name); err != nil || !bytes.Equal(got, data) {
				t.Errorf("Get after the repair: %q, %v", got, err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	f, ctx := open(t, root, 16), t.Context()
	_, err := f.Put(ctx, nil)
	wantCode(t, "nothing", err, fault.Invalid, blob.CodeEmpty)
	_, err = f.Put(ctx, make([]byte, 17))
	wantCode(t, "over the limit", err, fault.TooLarge, blob.CodeTooLarge)
	name := put(t, f, make([]byte, 16))
	large := put(t, open(t, root, 0), make([]byte, 17))
	_, err = f.Get(ctx, large)
	wantCode(t, "a file over the limit", err, fault.TooLarge, blob.CodeTooLarge)

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = f.Put(cancelled, []byte("x"))
	wantCode(t, "Put, cancelled", err, fault.Unavailable, blob.CodeIO)
	_, err = f.Get(cancelled, name)
	wantCode(t, "Get, cancelled", err, fault.Unavailable, blob.CodeIO)
	_, err = f.Has(cancelled, name)
	wantCode(t, "Has, cancelled", err, fault.Unavailable, blob.CodeIO)
	wantCode(t, "Delete, cancelled", f.Delete(cancelled, name), fault.Unavailable, blob.CodeIO)
	if has, err := f.Has(ctx, name); err != nil || !has {
		t.Errorf("a cancelled Delete deleted: %v", err)
	}
	_, err = blob.Open(filepath.Join(root, "none", "blobs"), 0)
	wantCode(t, "a parent that is not there", err, fault.Unavailable, blob.CodeIO)
}

// TestPutFails: when the disk refuses, nothing of the file is there, and once it is well again the same Put works.
func TestPutFails(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	f := open(t, root, 0)
	data := []byte("a sealed file")
	name := gm.SM3(data)
	inTheWay := filepath.Join(pathOf(root, name), "in-the-way") // a folder in the place of the file: the rename fails
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := f.Put(t.Context(), data)
	wantCode(t, "Put", err, fault.Unavailable, blob.CodeIO)
	if files := filesBelow(t, root); len(files) != 0 {
		t.Errorf("the refused Put left %v", files)
	}
	if err := os.RemoveAll(pathOf(root, name)); err != nil {
		t.Fatal(err)
	}
	put(t, f, data)
}

func TestUnfinishedFilesAreSwept(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	open(t, root, 0)
	old, young := filepath.Join(root, "unfinished", "put-1"), filepath.Join(root, "unfinished", "put-2")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	open(t, root, 0)
	if diff := cmp.Diff([]string{"unfinished/put-2"}, filesBelow(t, root)); diff != "" {
		t.Error(diff) // the young one may belong to another process that is writing now
	}
}

func TestEach(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	f := open(t, root, 0)
	var want []string
	for i := range 20 {
		name := put(t, f, fmt.Appendf(nil, "file %d", i))
		want = append(want, hex.EncodeToString(name[:]))
	}
	slices.Sort(want)
	for _, foreign := range []string{"README", "unfinished/put-1", want[0][:2] + "/" + want[0], want[0][:2] + "/" + want[0][2:4] + "/note"} {
		if err := os.WriteFile(filepath.Join(root, foreign), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	if err := f.Each(t.Context(), func(name gm.Digest) error {
		got = append(got, hex.EncodeToString(name[:]))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("enough")
	calls := 0
	if err := f.Each(t.Context(), func(gm.Digest) error { calls++; return stop }); !errors.Is(err, stop) || calls != 1 {
		t.Errorf("Each after an error: %v, %d calls", err, calls)
	}
}

// TestManyWriters: goroutines of two stores over one folder put, read and delete the same few files.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	stores := []*blob.Folder{open(t, root, 0), open(t, root, 0)}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			f := stores[g%2]
			for i := range 8 {
				data := fmt.Appendf(nil, "file %d", i%3)
				name, err := f.Put(t.Context(), data)
				if err != nil {
					t.Errorf("Put: %v", err)
					return
				}
				got, err := f.Get(t.Context(), name)
				if err != nil && fault.CodeOf(err) != blob.CodeUnknown || err == nil && !bytes.Equal(got, data) {
					t.Errorf("Get: %q, %v", got, err)
				}
				if g == 0 {
					if err := f.Delete(t.Context(), name); err != nil {
						t.Errorf("Delete: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, path := range filesBelow(t, root) {
		if strings.HasPrefix(path, "unfinished/") {
			t.Errorf("left behind: %s", path)
		}
	}
}
