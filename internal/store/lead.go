package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"time"

	"warifu/internal/fault"
)

// Lead tells whether this node is the one among those that share the database that
// does a job, which a name stands for: the first that asks, until it closes the store
// or its connection breaks. Of SQLite there is one server. It is asked again before
// each piece of the job, for another node may have taken over.
func (s *Store) Lead(ctx context.Context, job string) (bool, error) {
	mine, err := s.db.lead(ctx, job)
	if err != nil {
		return false, fault.Wrap(err, "find out which node "+job)
	}
	return mine, nil
}

func (d *sqliteDB) lead(context.Context, string) (bool, error) { return true, nil }

// leader holds advisory locks of PostgreSQL, which belong to a connection, one besides
// those of transactions: when that breaks, or the node dies, the server gives them to others.
type leader struct {
	mu   sync.Mutex
	conn *sql.Conn // nil until the first job
	held map[string]bool
}

// jobLocks is the first half of the numbers of our locks, an arbitrary one of our own;
// the job's name makes the other.
const jobLocks = 0x77617269

// leadTimeout bounds the question, so that a server that does not answer holds up
// neither the jobs nor the end of the program.
const leadTimeout = 5 * time.Second

func (d *postgresDB) lead(ctx context.Context, job string) (mine bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, leadTimeout)
	defer cancel()
	l := &d.leader
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil && l.held[job] {
		if l.conn.PingContext(ctx) == nil {
			return true, nil
		}
		l.drop()
	}
	if l.conn == nil {
		if l.conn, err = d.db.Conn(ctx); err != nil {
			return false, err
		}
		l.held = map[string]bool{}
	}
	if err = l.conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1, hashtext($2))", jobLocks, job).Scan(&mine); err != nil {
		l.drop()
		return false, err
	}
	l.held[job] = mine
	return mine, nil
}

// drop ends the connection, not only its use: it may hold locks.
func (l *leader) drop() {
	if l.conn == nil {
		return
	}
	l.conn.Raw(func(any) error { return driver.ErrBadConn }) //nolint:errcheck // it is the one that was asked for
	l.conn.Close()
	l.conn, l.held = nil, nil
}
