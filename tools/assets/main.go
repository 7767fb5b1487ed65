// Command assets bundles the sources of internal/web/assets into internal/web/static: one script, one style sheet. The
// result is committed and embedded, so that building the service needs nothing but Go; a test checks that it is fresh.
//
//	go run ./tools/assets
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "assets: error:", err)
		os.Exit(1)
	}
}

// run bundles the sources below root and writes what changed.
func run(root string) error {
	bundled, err := bundle(root)
	if err != nil {
		return err
	}
	for name, body := range bundled {
		if err := os.WriteFile(filepath.Join(root, "internal/web/static", name), body, 0o644); err != nil { //nolint:gosec // public files
			return err
		}
	}
	return nil
}

// bundle gives the bundled files by name. The same sources give the same bytes.
func bundle(root string) (map[string][]byte, error) {
	dir, err := filepath.Abs(filepath.Join(root, "internal/web/assets"))
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:     dir,
		EntryPoints:       []string{"app.ts", "app.css"},
		Outdir:            filepath.Join(dir, "out"),
		Bundle:            true,
		MinifyWhitespace:  true,
		MinifySyntax:      true,
		MinifyIdentifiers: true,
		Format:            api.FormatESModule,
		Target:            api.ES2020,
		Charset:           api.CharsetUTF8,
		External:          []string{"/static/*"},
		LegalComments:     api.LegalCommentsNone,
		LogLevel:          api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		lines := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
		return nil, fmt.Errorf("esbuild: %s", strings.Join(lines, "\n"))
	}
	files := make(map[string][]byte, len(result.OutputFiles))
	for _, f := range result.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	return files, nil
}
