package store

import (
	"context"
	"database/sql"
)

// mode is what a transaction is for.
type mode int

const (
	read      mode = iota
	write          // on disk when committed
	record         // of PostgreSQL: survives the process when committed, perhaps not the machine
	migrating      // the schema: alone, also among processes
)

// errKind is what must be told apart about a database's errors.
type errKind int

const (
	kindOther   errKind = iota
	kindUnique          // a unique index refused
	kindForeign         // a foreign key refused
	kindRetry           // another transaction was in the way; the same may succeed now
)

// database is what differs between SQLite and PostgreSQL.
type database interface {
	begin(ctx context.Context, m mode) (session, error)
	kindOf(err error) errKind
	// dialect is the word that marks schema lines of this database only.
	dialect() string
	// oneWriter reports that writes exclude each other anyway and gain from
	// sharing a commit, and that recorded events gain from waiting for it in a
	// journal.
	oneWriter() bool
	// journals is what the names of the journals begin with, if oneWriter.
	journals() string
	// voucher makes the codes of this database's events.
	voucher() *voucher
	// lead tells whether this node does a job.
	lead(ctx context.Context, job string) (bool, error)
	close() error
}

// session is an open transaction on a connection of its own.
type session interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	commit() error // gives the connection back, whatever it returns
	rollback()     // likewise
}
