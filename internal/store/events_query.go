package store

import (
	"strconv"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/store/query"
)

// statePieces is how many leaves are in pieces.
const statePieces = "pieces"

// PiecedLeaves is how many leaves of the tree are in pieces.
func (tx *Tx) PiecedLeaves() (int64, error) {
	text, err := tx.TrailState(statePieces)
	if err != nil || text == "" {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

// eventFields are what an event has for queries.
const eventFields = `e.at, e.id, e.operation, e.actor, e.access_key, e.target, e.service, e.read_only, e.result, e.body`

func scanFields(r row, leaf, account *int64, e *query.Event) error {
	return r.Scan(leaf, account, &e.At, &e.ID, &e.Operation, &e.Actor, &e.AccessKey, &e.Target, &e.Service, &e.ReadOnly, &e.Result, &e.Body)
}

// LeafEvents hands the events of leaves from n up to but without end to add. Those
// that are gone are left out.
func (tx *Tx) LeafEvents(n, end int64, add func(name.Account, query.Event)) error {
	return tx.each(func(r row) error {
		var e query.Event
		var a int64
		if err := scanFields(r, &e.Leaf, &a, &e); err != nil {
			return err
		}
		add(name.Account(a), e)
		return nil
	}, `SELECT l.n, l.account, `+eventFields+` FROM trail_leaves l JOIN events e ON e.account = l.account AND e.at = l.at AND e.id = l.id
		WHERE l.n >= $1 AND l.n < $2`, n, end)
}

// AddPieces adds the pieces of a stretch of so many leaves that begins where the last
// one ended, and returns Conflict if it does not any more.
func (tx *Tx) AddPieces(first, leaves int64, pieces map[name.Account]*query.Built) error {
	n, err := tx.PiecedLeaves()
	if err != nil {
		return err
	}
	if n != first {
		return fault.Of(fault.Conflict, "piece", strconv.FormatInt(first, 10))
	}
	for a, p := range pieces {
		if err := tx.addPiece(a, p); err != nil {
			return err
		}
	}
	return tx.SetTrailState(statePieces, strconv.FormatInt(first+leaves, 10))
}

func (tx *Tx) addPiece(a name.Account, p *query.Built) error {
	_, err := tx.exec(`INSERT INTO trail_pieces (account, first, events, oldest, newest) VALUES ($1, $2, $3, $4, $5)`,
		int64(a), p.First, p.Events, p.Oldest, p.Newest)
	if err != nil {
		return err
	}
	for key, data := range p.Encoded() {
		if _, err := tx.exec(`INSERT INTO trail_columns (account, first, name, data) VALUES ($1, $2, $3, $4)`, int64(a), p.First, key, data); err != nil {
			return err
		}
	}
	return nil
}

// RemovePieces removes the pieces, of so many leaves, that begin before a leaf, and
// returns where those begin that have leaves behind it, too; -1 if there is none such.
func (tx *Tx) RemovePieces(before, leaves int64) (cut int64, err error) {
	cut = -1
	_, err = tx.one(`SELECT first FROM trail_pieces WHERE first < $1 AND first > $2 ORDER BY first LIMIT 1`, []any{before, before - leaves}, &cut)
	for _, table := range []string{"trail_columns", "trail_pieces"} {
		if err == nil {
			_, err = tx.exec(`DELETE FROM `+table+` WHERE first < $1`, before)
		}
	}
	return cut, err
}

// PutPieces adds pieces in the place of those that RemovePieces has cut.
func (tx *Tx) PutPieces(pieces map[name.Account]*query.Built) error {
	for a, p := range pieces {
		if err := tx.addPiece(a, p); err != nil {
			return err
		}
	}
	return nil
}

// Pieces are the pieces of an account that have events of a span of time.
func (tx *Tx) Pieces(a name.Account, from, to time.Time) ([]query.Piece, error) {
	return list(tx, func(r row, p *query.Piece) error { return r.Scan(&p.First, &p.Events, &p.Oldest, &p.Newest) },
		`SELECT first, events, oldest, newest FROM trail_pieces WHERE account = $1 AND newest >= $2 AND oldest < $3 ORDER BY first`,
		int64(a), micros(from), micros(to))
}

// PieceColumns are columns of a piece by their keys.
func (tx *Tx) PieceColumns(a name.Account, first int64, keys []int) (map[int][]byte, error) {
	all := make(map[int][]byte, len(keys))
	tx.ctx = tx.caller
	for _, key := range keys {
		var data []byte
		ok, err := tx.one(`SELECT data FROM trail_columns WHERE account = $1 AND first = $2 AND name = $3`, []any{int64(a), first, key}, &data)
		if err != nil {
			return nil, err
		}
		if ok {
			all[key] = data
		}
	}
	return all, nil
}

// LooseEvents hands the newest events of an account in a span of time that are in no
// piece to add, as many as limit. It ends early when the caller's context does.
func (tx *Tx) LooseEvents(a name.Account, from, to time.Time, limit int, add func(*query.Event)) error {
	pieced, err := tx.PiecedLeaves()
	if err != nil {
		return err
	}
	tx.ctx = tx.caller
	hand := func(r row) error {
		var e query.Event
		var account int64
		if err := scanFields(r, &e.Leaf, &account, &e); err != nil {
			return err
		}
		limit--
		add(&e)
		return nil
	}
	err = tx.each(hand, `SELECT -1, e.account, `+eventFields+` FROM trail_pending p JOIN events e ON e.account = p.account AND e.at = p.at AND e.id = p.id
		WHERE p.account = $1 AND p.at >= $2 AND p.at < $3 AND NOT EXISTS
			(SELECT 1 FROM trail_leaves l WHERE l.account = p.account AND l.at = p.at AND l.id = p.id)
		ORDER BY p.at DESC, p.id DESC LIMIT $4`, int64(a), micros(from), micros(to), limit)
	if err != nil || limit <= 0 {
		return err
	}
	return tx.each(hand, `SELECT l.n, e.account, `+eventFields+` FROM trail_leaves l JOIN events e ON e.account = l.account AND e.at = l.at AND e.id = l.id
		WHERE l.n >= $1 AND l.account = $2 AND l.at >= $3 AND l.at < $4 ORDER BY l.n DESC LIMIT $5`, pieced, int64(a), micros(from), micros(to), limit)
}

// Bodies are events of an account as they are stored; "" for one that is gone.
func (tx *Tx) Bodies(a name.Account, places []query.Place) ([]string, error) {
	all := make([]string, len(places))
	tx.ctx = tx.caller
	for i, at := range places {
		if _, err := tx.one(`SELECT body FROM events WHERE account = $1 AND at = $2 AND id = $3`, []any{int64(a), at.At, at.ID}, &all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
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
