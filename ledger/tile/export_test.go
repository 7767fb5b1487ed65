package tile

// Export the seams that tests use.

// WithStep makes Open call f between any two durable steps.
func (o Options) WithStep(f func(string)) Options { o.step = f; return o }

// WithRotateAt makes journals short.
func (o Options) WithRotateAt(n int64) Options { o.rotateAt = n; return o }

// ReadJournal is readJournal, for the fuzz target.
func ReadJournal(b []byte) (entries int, good int64, err error) {
	frames, good, err := readJournal(b)
	for _, f := range frames {
		entries += len(f.entries)
	}
	return entries, good, err
}

// TileName is tileName.
func TileName(level string, n uint64, w int) string { return tileName(level, n, w) }
