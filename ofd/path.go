package ofd

import "strings"

// Resolution of ST_Loc (GB/T 33190-2016 table 2). Paths are absolute inside the package: "/Doc_0/Document.xml".

// join resolves loc against the folder base. It is false when loc leaves the package.
func join(base, loc string) (string, bool) {
	loc = strings.ReplaceAll(strings.TrimSpace(loc), `\`, "/")
	if loc == "" {
		return "", false
	}
	if !strings.HasPrefix(loc, "/") {
		loc = base + "/" + loc
	}
	var parts []string
	for part := range strings.SplitSeq(loc, "/") {
		switch part {
		case "", ".":
		case "..":
			if len(parts) == 0 {
				return "", false
			}
			parts = parts[:len(parts)-1]
		default:
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "", false
	}
	return "/" + strings.Join(parts, "/"), true
}

// folder is the folder of an absolute path; the root is "".
func folder(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return ""
}

// how a reference was found.
type found uint8

const (
	foundNot found = iota
	foundExact
	foundFallback // relative to the package's or the document's root although it should not be
	foundCase     // only when case is ignored
)

// resolve finds the file that loc means: as written, then from the root, then from the document's folder, then the one
// file whose path differs in case alone. Real files need all of these; each but the first is worth a remark.
func (p *Package) resolve(loc, base, docBase string) (string, found) {
	first, ok := join(base, loc)
	if ok && p.files[first] != nil {
		return first, foundExact
	}
	if !ok && strings.TrimSpace(loc) == "" {
		return "", foundNot
	}
	for _, b := range []string{"", docBase} {
		if path, ok := join(b, loc); ok && p.files[path] != nil {
			return path, foundFallback
		}
	}
	for _, b := range []string{base, "", docBase} {
		path, ok := join(b, loc)
		if !ok {
			continue
		}
		if real, ok := p.folded[strings.ToLower(path)]; ok && real != "" {
			return real, foundCase
		}
	}
	return first, foundNot
}
