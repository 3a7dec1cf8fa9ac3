package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"time"

	"warifu/internal/name"
)

// revisionLife is how long a revision that was read counts while this process
// writes nothing: how long a change made by another node or by a host command
// can stay unseen by reads. The checklist's A-11 allows a second.
const revisionLife = 500 * time.Millisecond

// revisions remembers accounts' revisions between the writes of this process.
type revisions struct {
	changes atomic.Int64 // counts this process's committed updates
	known   sync.Map     // name.Account to knownRevision
}

type knownRevision struct {
	revision int64
	changes  int64     // the count before the revision was read
	read     time.Time // when
}

// changed is told of a committed update before it is answered, so that whoever
// saw the answer reads the revision anew.
func (r *revisions) changed() { r.changes.Add(1) }

// Revision returns an account's revision: after every update that this process
// has answered, and at most revisionLife old where another process wrote.
// Transactions that write ask Tx.Revision, which is exact.
func (s *Store) Revision(ctx context.Context, id name.Account) (int64, error) {
	r := &s.revisions
	if v, ok := r.known.Load(id); ok {
		if k := v.(knownRevision); k.changes == r.changes.Load() && time.Since(k.read) < revisionLife {
			return k.revision, nil
		}
	}
	k := knownRevision{changes: r.changes.Load(), read: time.Now()}
	err := s.View(ctx, func(tx *Tx) (err error) {
		k.revision, err = tx.Revision(id)
		return err
	})
	if err == nil {
		r.known.Store(id, k)
	}
	return k.revision, err
}

// lateRead is a snapshot that is taken at the first query: many operations find
// all they need in memory and never ask.
type lateRead struct {
	db  database
	ctx context.Context
	s   session
}

func (l *lateRead) begun() (session, error) {
	if l.s == nil {
		s, err := l.db.begin(l.ctx, read)
		if err != nil {
			return nil, err
		}
		l.s = s
	}
	return l.s, nil
}

// ExecContext implements session.
func (l *lateRead) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := l.begun()
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, query, args...)
}

// QueryContext implements session.
func (l *lateRead) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := l.begun()
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, query, args...)
}

func (l *lateRead) commit() error {
	if l.s == nil {
		return nil
	}
	return l.s.commit()
}

func (l *lateRead) rollback() {
	if l.s != nil {
		l.s.rollback()
	}
}
