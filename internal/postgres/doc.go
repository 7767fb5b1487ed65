// Package postgres keeps the facts: one schema for the province and one for each cell (分区, the offices of one
// prefecture), reached through pools that never mix them. StartCluster runs a private server for the demo and the
// tests; OpenCells opens the map of cells; Migrate brings every schema to what this binary knows; InTx runs one
// transaction in one cell; Fault turns what the driver says into what a reader may hear.
//
// No statement and no transaction crosses cells. Queries are written without schema names: each pool's search_path
// is the cell.
package postgres
