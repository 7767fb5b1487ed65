package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

// assets serves static/: bytes that the program carries, under addresses that change with their content, so that browsers
// may keep them for good.
type assets struct {
	byName map[string]*asset
}

// asset is one file.
type asset struct {
	body   []byte
	digest string
	kind   string
	packed func() []byte // gzip, made on first use; nil when it does not pay
}

// loadAssets reads static/.
func loadAssets(fsys embed.FS) (*assets, error) {
	a := &assets{byName: make(map[string]*asset)}
	err := fs.WalkDir(fsys, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fsys.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		one := &asset{body: body, digest: hex.EncodeToString(sum[:8]), kind: contentType(name)}
		if len(body) > 1024 && !strings.HasPrefix(one.kind, "image/png") {
			one.packed = sync.OnceValue(func() []byte { return pack(body) })
		}
		a.byName["/"+name] = one
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: static files: %w", err)
	}
	return a, nil
}

func pack(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(body)
	if cerr := z.Close(); err != nil || cerr != nil {
		return nil // a buffer does not fail; without it the plain bytes are sent
	}
	return b.Bytes()
}

// contentType names types ourselves: the machine's own table differs from place to place.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".wasm":
		return "application/wasm"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return "text/plain; charset=utf-8"
}

// address is where a file is found, with its digest.
func (a *assets) address(name string) (string, error) {
	one, ok := a.byName["/static/"+name]
	if !ok {
		return "", fmt.Errorf("web: no static file %q", name)
	}
	return "/static/" + name + "?v=" + one.digest, nil
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path
	if name == "/favicon.ico" {
		name = "/static/mark.svg"
	}
	one, ok := a.byName[name]
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if !ok {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	h.Set("Content-Type", one.kind)
	h.Set("ETag", `"`+one.digest+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == one.digest {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if r.Header.Get("If-None-Match") == `"`+one.digest+`"` {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := one.body
	if one.packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if p := one.packed; strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			if z := p(); z != nil {
				h.Set("Content-Encoding", "gzip")
				body = z
			}
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the reader is gone; nobody is left to tell
	}
}
