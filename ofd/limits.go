package ofd

// Limits bounds what a stranger's package may cost. Each line names the attack that it stops.
type Limits struct {
	Package    int // bytes of the file: filling memory before anything is looked at
	Entries    int // entries in the container: millions of empty files
	Name       int // bytes of an entry's name: names that exhaust tables and logs
	PathDepth  int // folders in a name: paths that overflow readers which unpack to disk
	Entry      int // bytes of one entry once inflated: one huge file
	Total      int // bytes of all entries once inflated: many middling files, overlapping entries
	Ratio      int // inflated to deflated size, for entries above RatioFloor: the classic zip bomb
	RatioFloor int // bytes below which the ratio does not matter: short repetitive XML is innocent
	XMLFile    int // bytes of one XML file: trees are many times larger than their text
	XMLDepth   int // nested elements: stack exhaustion
	XMLAttrs   int // attributes of one element: quadratic duplicate checks
	XMLNodes   int // elements in one file: a tree larger than memory
	TotalNodes int // elements in all files of the package: the same, spread
	Bodies     int // DocBody elements: work multiplied by documents that are not there
	Signatures int // signatures in one list: work multiplied by signatures
	References int // references and stamps in one signature: work multiplied by references
	TextLength int // bytes of text gathered for one field: one object referred to many times
	TextTotal  int // bytes of text gathered for all fields: the same, spread
	Findings   int // findings about one document: an answer larger than the question
}

// DefaultLimits fits everything seen in the field with room to spare.
func DefaultLimits() Limits {
	return Limits{
		Package: 64 << 20, Entries: 20_000, Name: 512, PathDepth: 32,
		Entry: 64 << 20, Total: 256 << 20, Ratio: 250, RatioFloor: 1 << 20,
		XMLFile: 16 << 20, XMLDepth: 64, XMLAttrs: 64, XMLNodes: 300_000, TotalNodes: 1_000_000,
		Bodies: 16, Signatures: 128, References: 20_000, TextLength: 64 << 10, TextTotal: 8 << 20, Findings: 1_000,
	}
}
