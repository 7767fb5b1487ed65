package web

import (
	"io/fs"
	"sync"
)

// What the tests look into.

// CleanCode is cleanCode.
func CleanCode(s string) string { return cleanCode(s) }

// Accepted is accepted.
func Accepted(header string) string { return accepted(header) }

// LocalPath is localPath.
func LocalPath(p string) string { return localPath(p) }

// Files are the embedded files.
func Files() fs.FS { return files }

// Words gives the catalogue: key → Chinese, English.
func Words() map[string][2]string {
	w, err := loadWords(files)
	if err != nil {
		panic(err)
	}
	return w.pairs
}

// Operation is one operation as the routes know it.
type Operation struct {
	Method, Path, ID, Body string
	Optional, Required     bool
	Faults                 []int
}

// Operations lists the routes of the API.
func Operations() []Operation {
	var out []Operation
	for _, op := range (&server{}).operations() {
		out = append(out, Operation{
			Method: op.Method, Path: op.Path, ID: op.ID, Body: op.Body, Optional: op.Access == optional,
			Required: op.Access == required, Faults: op.Faults,
		})
	}
	return out
}

var loadedSchemas = sync.OnceValues(func() (*schemas, error) { return loadSchemas(files) })

// CheckSchema holds JSON against a named schema of the API.
func CheckSchema(name string, b []byte) error {
	s, err := loadedSchemas()
	if err != nil {
		return err
	}
	v, err := parseJSON(b)
	if err != nil {
		return err
	}
	return s.check(name, v)
}
