package store

import (
	"math"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/store/query"
)

// CopyEvents hands the newest events of an account in a span of time to add, as
// many as limit, newest first. It ends early when the caller's context does.
func (tx *Tx) CopyEvents(a name.Account, from, to time.Time, limit int, add func(*query.Event) error) error {
	end := int64(math.MaxInt64)
	if !to.IsZero() {
		end = micros(to)
	}
	tx.ctx = tx.caller
	var e query.Event
	return tx.each(func(r row) error {
		if err := r.Scan(&e.At, &e.ID, &e.Operation, &e.Actor, &e.AccessKey, &e.Target, &e.Service, &e.ReadOnly, &e.Result, &e.Body); err != nil {
			return err
		}
		return add(&e)
	}, `SELECT at, id, operation, actor, access_key, target, service, read_only, result, body FROM events
		WHERE account = $1 AND at >= $2 AND at < $3 ORDER BY at DESC, id DESC LIMIT $4`, int64(a), micros(from), end, limit)
}

// KeptQuery is a query over the trail that somebody keeps.
type KeptQuery struct {
	Account name.Account
	Name    string
	query.Query
	Creator string
	Updated time.Time
}

func scanQuery(r row, q *KeptQuery) error {
	return r.Scan((*int64)(&q.Account), &q.Name, &q.Where, &q.SQL, &q.Creator, stamp{&q.Updated})
}

const queryColumns = `account, name, condition, text, creator, updated`

// PutQuery adds a kept query or changes the one of its name.
func (tx *Tx) PutQuery(q *KeptQuery) error {
	_, err := tx.exec(`INSERT INTO trail_queries (`+queryColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, name) DO UPDATE SET condition = excluded.condition, text = excluded.text, creator = excluded.creator, updated = excluded.updated`,
		int64(q.Account), q.Name, q.Where, q.SQL, q.Creator, micros(q.Updated))
	return err
}

// Query is a kept query.
func (tx *Tx) Query(a name.Account, called string) (*KeptQuery, error) {
	return get(tx, scanQuery, "query", called, `SELECT `+queryColumns+` FROM trail_queries WHERE account = $1 AND name = $2`, int64(a), called)
}

// Queries are an account's kept queries by name. There are as many as the quota
// allows.
func (tx *Tx) Queries(a name.Account) ([]KeptQuery, error) {
	return list(tx, scanQuery, `SELECT `+queryColumns+` FROM trail_queries WHERE account = $1 ORDER BY name`, int64(a))
}

// DeleteQuery forgets a kept query. It returns Conflict while an alert asks it.
func (tx *Tx) DeleteQuery(a name.Account, called string) error {
	n, err := tx.count(`SELECT count(*) FROM trail_alerts WHERE account = $1 AND query = $2`, int64(a), called)
	if err == nil && n > 0 {
		return fault.Of(fault.Conflict, "query", called)
	}
	if err != nil {
		return err
	}
	return tx.change("query", called, `DELETE FROM trail_queries WHERE account = $1 AND name = $2`, int64(a), called)
}
