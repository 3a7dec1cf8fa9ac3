package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	defaultReaders = 4

	// busyMillis is how long a connection waits for another process, such as a
	// host command, that is writing.
	busyMillis = 10_000

	// pagesPerCheckpoint of 4 KiB are gathered in the write-ahead log before
	// they are moved to the database: 16 MiB, so that a busy server moves a
	// page that was changed many times once.
	pagesPerCheckpoint = 4096
)

// sqliteDB is a file in write-ahead mode: one connection that writes, several
// that read a snapshot meanwhile.
type sqliteDB struct {
	db      *sql.DB
	vouch   voucher
	path    string
	temp    string // folder of a throw-away database, or ""
	writer  chan *sqliteConn
	readers chan *sqliteConn
	all     []*sqliteConn
}

// sqliteConn is a connection with the statements that were prepared on it:
// preparing costs more than most statements take.
type sqliteConn struct {
	home  chan *sqliteConn // where it waits between transactions
	c     *sql.Conn
	stmts map[string]*sql.Stmt
}

func openSQLite(ctx context.Context, dsn string, o Options) (_ database, err error) {
	d := &sqliteDB{}
	path, sync := strings.TrimPrefix(dsn, "sqlite:"), "synchronous(FULL)"
	if dsn == "memory:" {
		sync = "synchronous(OFF)"
		if path, err = d.throwAway(); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if err := createPrivate(path); err != nil {
		return nil, err
	}
	// Files beside the database stand beside it, not beside a link to it.
	if d.path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	q := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyMillis),
		"journal_mode(WAL)",
		"foreign_keys(1)",
		sync,
		fmt.Sprintf("wal_autocheckpoint(%d)", pagesPerCheckpoint),
		"cache_size(-16384)", // KiB
		"mmap_size(0)",       // mapping anew after every change costs more than it saves
	}}
	// The path is escaped so that ? and # in it are no query.
	d.db, err = sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	n := o.Connections
	if n <= 0 {
		n = defaultReaders
	}
	d.writer = make(chan *sqliteConn, 1)
	d.readers = make(chan *sqliteConn, n)
	if err := d.connect(ctx, d.writer, ""); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	for range n {
		if err := d.connect(ctx, d.readers, "PRAGMA query_only = 1"); err != nil {
			return nil, fmt.Errorf("open the database %s: %w", path, err)
		}
	}
	return d, nil
}

// throwAway makes a folder for a database that lives as long as the store. It
// is a file all the same, in memory if the machine offers that, so that tests
// run the code that servers run.
func (d *sqliteDB) throwAway() (path string, err error) {
	parent := "/dev/shm"
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		parent = ""
	}
	if d.temp, err = os.MkdirTemp(parent, "warifu-*"); err != nil {
		return "", fmt.Errorf("make a folder for a throw-away database: %w", err)
	}
	return filepath.Join(d.temp, "warifu.db"), nil
}

// createPrivate makes the file for its owner only, before SQLite makes it for
// everybody; the files beside it take its mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return f.Close()
}

func (d *sqliteDB) connect(ctx context.Context, home chan *sqliteConn, pragma string) error {
	c, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	conn := &sqliteConn{home: home, c: c, stmts: map[string]*sql.Stmt{}}
	d.all = append(d.all, conn)
	home <- conn
	if pragma == "" {
		return nil
	}
	_, err = c.ExecContext(ctx, pragma)
	return err
}

func (d *sqliteDB) dialect() string { return "sqlite" }

func (d *sqliteDB) oneWriter() bool { return true }

func (d *sqliteDB) voucher() *voucher { return &d.vouch }

func (d *sqliteDB) journals() string { return d.path + "-events-" }

// close waits until every connection is home.
func (d *sqliteDB) close() (err error) {
	for _, c := range d.all {
		<-c.home
	}
	for _, c := range d.all {
		for _, s := range c.stmts {
			s.Close()
		}
		c.c.Close()
	}
	if d.db != nil {
		err = d.db.Close()
	}
	if d.temp != "" {
		err = errors.Join(err, os.RemoveAll(d.temp))
	}
	return err
}

func (d *sqliteDB) begin(ctx context.Context, m mode) (session, error) {
	home, begin := d.writer, "BEGIN IMMEDIATE"
	if m == read {
		home, begin = d.readers, "BEGIN"
	}
	var c *sqliteConn
	select {
	case c = <-home:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if _, err := c.ExecContext(context.Background(), begin); err != nil {
		home <- c
		return nil, err
	}
	return c, nil
}

// prepared returns the statement of a text, which it keeps: there are as many
// texts as the program has.
func (c *sqliteConn) prepared(query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	s, err := c.c.PrepareContext(context.Background(), query)
	if err == nil {
		c.stmts[query] = s
	}
	return s, err
}

// ExecContext implements session.
func (c *sqliteConn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext implements session.
func (c *sqliteConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (c *sqliteConn) commit() error {
	_, err := c.ExecContext(context.Background(), "COMMIT")
	if err != nil {
		c.rollback()
		return err
	}
	c.home <- c
	return nil
}

// rollback ignores errors: SQLite has rolled back by itself after the worst of
// them, and says so by refusing.
func (c *sqliteConn) rollback() {
	c.ExecContext(context.Background(), "ROLLBACK") //nolint:errcheck
	c.home <- c
}

func (d *sqliteDB) kindOf(err error) errKind {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return kindOther
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return kindUnique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return kindForeign
	}
	if code := e.Code() & 0xff; code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED {
		return kindRetry
	}
	return kindOther
}
