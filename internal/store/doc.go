// Package store is the cellar: everything that outlives a process, in SQLite
// or in PostgreSQL, behind one concrete type, Tx. It owns the SQL, the schema
// and its migrations, the atomicity of single-use steps and counters, and the
// account's revision. It decides nothing: what may be done, to whom and when
// is settled by the caller inside the same transaction.
//
// One SQL text serves both databases. What differs is in three functions of
// the dialect: how to open, how to begin, and what kind of error an error is.
//
// Every method that names an account touches rows of that account only; a row
// of another account is answered with fault.NotFound, as if it did not exist.
//
// Called by package ops and by cmd for start and host commands; never by a
// door.
package store
