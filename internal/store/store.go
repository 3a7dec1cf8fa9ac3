package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
)

// Options tunes a store; the zero value is right for most.
type Options struct {
	// Connections is how many transactions can be open at once: readers of
	// SQLite (default 4; writes have a connection of their own), all of
	// PostgreSQL (default 16), and one besides.
	Connections int
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	db        database
	writer    *writer
	journal   *journal   // nil on PostgreSQL
	slow      sync.Mutex // held by a transaction that lost too often; see retry
	revisions revisions
	vouch     *voucher // the database's own
}

// Open opens the database that dsn names and brings its schema up to date.
// The name is a path (or sqlite:PATH), a PostgreSQL URL (postgres://…), or
// memory: for a database that is gone when it is closed.
//
// It returns an error when the database is newer than this program or its
// migrations are not the ones this program knows.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	open := openSQLite
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		open = openPostgres
	}
	db, err := open(ctx, dsn, o)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db, schemaFiles); err != nil {
		db.close()
		return nil, err
	}
	s := &Store{db: db, vouch: db.voucher()}
	if !db.oneWriter() {
		s.writer = startWriter(db, record, func() {})
		return s, nil
	}
	s.writer = startWriter(db, write, s.revisions.changed)
	if err := replay(db.journals(), s.moveEvents); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.journal = startJournal(db.journals(), s.moveEvents, s.vouch)
	return s, nil
}

// Close finishes the writes that were handed in and closes the database. No
// other method may be called during it or after it.
func (s *Store) Close() (err error) {
	if s.journal != nil {
		err = s.journal.close()
	}
	s.writer.close()
	return errors.Join(err, s.db.close())
}

// Ping returns an error when the database does not answer.
func (s *Store) Ping(ctx context.Context) error {
	return s.View(ctx, func(tx *Tx) error {
		_, err := tx.Meta("")
		return err
	})
}

// View runs fn over one snapshot of the database; fn writes nothing. The error
// is fn's own, or Internal when the database fails. fn may run more than once.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) error {
	return s.attempt(ctx, read, fn)
}

// Update runs fn in a transaction that is on disk when Update returns nil. On
// an error everything that fn wrote is rolled back, and nothing else is.
//
// fn may run more than once, on another goroutine, and beside the functions of
// other callers' updates: it touches nothing but tx and variables that it sets
// anew each time, and it does not wait for anything. Once it was begun it is
// completed, even if ctx ends. After an error from the database, as opposed to
// a fault about a noun, fn can do nothing more than return.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	if s.db.oneWriter() {
		return s.writer.do(ctx, &job{ctx: ctx, fn: fn})
	}
	err := s.attempt(ctx, write, fn)
	if err == nil {
		s.revisions.changed()
	}
	return err
}

// Record appends events to the trail by themselves: those of operations that
// changed nothing. They survive the death of the process when Record returns
// nil; a power cut can take the last moments of them, which is why changes do
// not record their events so but with Tx.AppendEvents. Without events it reports
// whether any could be recorded.
func (s *Store) Record(ctx context.Context, events ...audit.Event) error {
	if s.journal != nil {
		return s.journal.add(ctx, events)
	}
	return s.writer.do(ctx, &job{ctx: ctx, events: encodeEvents(events, s.vouch)})
}

// Flush returns when what this process has recorded so far is on disk, and in
// every transaction that begins afterwards. Whoever reads the trail calls it
// first.
func (s *Store) Flush() error {
	if s.journal == nil {
		return nil
	}
	return s.journal.move()
}

// moveEvents takes events from a journal into the database.
func (s *Store) moveEvents(rows []eventRow) error {
	return s.Update(context.Background(), func(tx *Tx) error { return tx.moveRows(rows) })
}

// A transaction that meets another one is tried again. Past patience tries it
// goes alone among those of this process that lost as often, so that a crowd
// at one row gets through one by one.
const (
	maxTries = 30
	patience = 4
)

// attempt runs fn in a transaction of its own and tries again what lost
// against another transaction.
func (s *Store) attempt(ctx context.Context, m mode, fn func(*Tx) error) (err error) {
	for try := 1; try <= maxTries; try++ {
		if err = ctx.Err(); err != nil {
			return fault.Wrap(err, "begin a transaction")
		}
		if try == patience {
			s.slow.Lock()
			defer s.slow.Unlock()
		}
		err = once(ctx, s.db, m, fn)
		if s.db.kindOf(err) != kindRetry {
			return err
		}
		time.Sleep(time.Duration(rand.Int64N(int64(try) * int64(2*time.Millisecond))))
	}
	return fault.Wrap(err, "the transaction lost against others too often")
}

// once runs fn in a transaction and commits it unless fn fails.
func once(ctx context.Context, db database, m mode, fn func(*Tx) error) error {
	var s session = &lateRead{db: db, ctx: ctx}
	if m != read {
		var err error
		if s, err = db.begin(ctx, m); err != nil {
			return fault.Wrap(err, "begin a transaction")
		}
	}
	open := true
	defer func() {
		if open { // fn failed or, as t.Fatal does, ended its goroutine
			s.rollback()
		}
	}()
	if err := run(ctx, db, s, fn); err != nil {
		return err
	}
	open = false
	if err := s.commit(); err != nil {
		return fault.Wrap(err, "commit")
	}
	return nil
}

// run calls fn and turns a panic of it into an error, for it may run on the
// writer's goroutine among others' updates. An error that the database gave
// stands even if fn swallowed it, because PostgreSQL ends the transaction at
// it and the two databases shall behave alike.
func run(ctx context.Context, db database, s session, fn func(*Tx) error) (err error) {
	tx := Tx{ctx: context.WithoutCancel(ctx), caller: ctx, s: s, kindOf: db.kindOf, oneWriter: db.oneWriter(), vouch: db.voucher()}
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fmt.Errorf("panic: %v\n%s", p, debug.Stack()), "run a transaction")
		}
	}()
	err = fn(&tx)
	if tx.err != nil && (err == nil || db.kindOf(tx.err) == kindRetry) {
		return tx.err
	}
	return err
}
