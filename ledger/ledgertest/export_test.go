package ledgertest

// RunReporting runs one case of the suite by name, with a reporter of the caller's.
func RunReporting(name string, t Reporter, log Log) {
	for _, c := range cases {
		if c.name == name {
			c.run(t, log)
			return
		}
	}
	panic("no such case: " + name)
}
