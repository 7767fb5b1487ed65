package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yinxin-trust/yinxin/internal/fault"
)

// supported are the major versions that the statements are tested with, the preferred first.
func supported() []string { return []string{"17", "16", "15"} }

// dataVersion is the major version that made a data folder, or "" when there is none yet.
func dataVersion(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// findBinaries is the folder with initdb and postgres: the given one, Debian's newest supported version, or what
// PATH has. A data folder is only ever opened by the major version that made it.
func findBinaries(dir, want string) (string, error) {
	var candidates []string
	if dir != "" {
		candidates = []string{dir}
	} else {
		for _, v := range supported() {
			candidates = append(candidates, filepath.Join("/usr/lib/postgresql", v, "bin"))
		}
		if p, err := exec.LookPath("postgres"); err == nil {
			if p, err = filepath.EvalSymlinks(p); err == nil {
				candidates = append(candidates, filepath.Dir(p))
			}
		}
	}
	var seen []string
	for _, c := range candidates {
		v := binaryVersion(c)
		if v == "" {
			continue
		}
		if want == v || want == "" && isSupported(v) {
			return c, nil
		}
		seen = append(seen, v)
	}
	switch {
	case want != "" && !isSupported(want):
		return "", fault.New(fault.Invalid, "postgres_version", fmt.Sprintf("the data folder was made by PostgreSQL %s, which is not supported", want)).
			WithHint("PostgreSQL 15, 16 and 17 are supported")
	case want != "":
		return "", fault.New(fault.Invalid, "postgres_version", fmt.Sprintf("the data folder was made by PostgreSQL %s, which is not installed", want)).
			WithHint("install it: apt-get install postgresql-" + want)
	case len(seen) > 0:
		return "", fault.New(fault.Invalid, "postgres_version", fmt.Sprintf("the installed PostgreSQL %s is not supported", strings.Join(seen, ", "))).
			WithHint("PostgreSQL 15, 16 and 17 are supported: apt-get install postgresql")
	}
	return "", fault.New(fault.Unavailable, "postgres_missing", "there is no PostgreSQL server on this machine").
		WithHint("install it: apt-get install postgresql")
}

func isSupported(v string) bool {
	for _, s := range supported() {
		if s == v {
			return true
		}
	}
	return false
}

// binaryVersion is the major version of the server in a folder, or "" when it has no whole server.
func binaryVersion(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return ""
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return ""
	}
	m := regexp.MustCompile(`PostgreSQL\) (\d+)`).FindSubmatch(out)
	if m == nil {
		return ""
	}
	return string(m[1])
}
