package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	defaultConnections = 16

	// statementTimeout ends a statement that hangs, in milliseconds, unless
	// the URL says otherwise.
	statementTimeout = "30000"

	// migrationLock is the advisory lock that a migrating process holds: an
	// arbitrary number of our own.
	migrationLock = 0x77617269_6675
)

// postgresDB is a PostgreSQL server, 15 or later.
type postgresDB struct {
	db     *sql.DB
	vouch  voucher
	leader leader
}

// postgresTx is a session: a transaction and the connection it is on.
type postgresTx struct {
	*sql.Tx
	conn *sql.Conn
}

func openPostgres(ctx context.Context, dsn string, o Options) (database, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The cause would repeat the URL with its password.
		return nil, errors.New("the PostgreSQL URL cannot be read: want postgres://user:password@host:port/database")
	}
	if _, set := cfg.RuntimeParams["statement_timeout"]; !set {
		cfg.RuntimeParams["statement_timeout"] = statementTimeout
	}
	n := o.Connections
	if n <= 0 {
		n = defaultConnections
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(n + 1) // one for what the node leads
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("reach PostgreSQL at %s: %w", cfg.Host, err)
	}
	return &postgresDB{db: db}, nil
}

func (d *postgresDB) dialect() string { return "postgres" }

func (d *postgresDB) oneWriter() bool { return false }

func (d *postgresDB) voucher() *voucher { return &d.vouch }

func (d *postgresDB) journals() string { return "" }

func (d *postgresDB) close() error {
	d.leader.mu.Lock()
	defer d.leader.mu.Unlock()
	d.leader.drop()
	return d.db.Close()
}

func (d *postgresDB) begin(ctx context.Context, m mode) (session, error) {
	opts := &sql.TxOptions{Isolation: sql.LevelSerializable}
	setup := ""
	switch m {
	case read:
		// A snapshot suffices: what is decided on and then changed is read
		// again in the transaction that changes it.
		opts = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	case record:
		return d.recording(ctx)
	case migrating:
		// Not serializable: what another process did while this one waited for
		// the lock must be seen.
		opts.Isolation = sql.LevelReadCommitted
		setup = fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock)
	}
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // a transaction that was begun is completed
	tx, err := conn.BeginTx(ctx, opts)
	if err != nil {
		conn.Close()
		return nil, err
	}
	t := &postgresTx{tx, conn}
	if setup != "" {
		if _, err := tx.ExecContext(ctx, setup); err != nil {
			t.rollback()
			return nil, err
		}
	}
	return t, nil
}

// postgresRecording is a session that only appends, to nothing that it has read. Its
// statements go to the server together with the end of the transaction, in one trip
// instead of four.
type postgresRecording struct {
	conn  *sql.Conn
	batch pgx.Batch
}

func (d *postgresDB) recording(ctx context.Context) (session, error) {
	conn, err := d.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	r := &postgresRecording{conn: conn}
	r.batch.Queue("SELECT set_config('synchronous_commit', 'off', true)")
	return r, nil
}

// ExecContext implements session; how many rows were written is not told.
func (r *postgresRecording) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	r.batch.Queue(query, slices.Clone(args)...)
	return driver.RowsAffected(0), nil
}

// QueryContext implements session.
func (r *postgresRecording) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errors.New("what is recorded is not read")
}

// commit sends the statements, which are one transaction: nothing ends it before the
// last of them.
func (r *postgresRecording) commit() error {
	defer r.conn.Close()
	return r.conn.Raw(func(c any) error {
		return c.(*stdlib.Conn).Conn().SendBatch(context.Background(), &r.batch).Close()
	})
}

func (r *postgresRecording) rollback() { r.conn.Close() }

func (t *postgresTx) commit() error {
	defer t.conn.Close()
	return t.Tx.Commit()
}

func (t *postgresTx) rollback() {
	t.Tx.Rollback() //nolint:errcheck // the connection is discarded when it cannot
	t.conn.Close()
}

// kindOf reads SQLSTATE (PostgreSQL manual, appendix A).
func (d *postgresDB) kindOf(err error) errKind {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return kindOther
	}
	switch e.Code {
	case "23505":
		return kindUnique
	case "23503":
		return kindForeign
	case "40001", "40P01": // serialization failure, deadlock
		return kindRetry
	}
	return kindOther
}
