// Package query runs SQL that people write over events of one account. The
// engine is SQLite, in memory and by itself: before a query runs, the events that
// it may see are copied into a database of its own, which knows no other file,
// can attach none, and is thrown away afterwards. A query is an expression, not a
// statement: the grammar leaves it nothing to write to. Time, memory, rows and
// the length of every value are bounded.
//
// It owns the engine and the columns that people see. It decides nothing about who
// may ask, and reads no trail itself: ops hands the events in, from whichever
// database. Only ops calls it.
package query
