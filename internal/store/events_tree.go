package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/audit/tree"
	"warifu/internal/fault"
	"warifu/internal/name"
)

// EventPlace says which event is meant.
type EventPlace struct {
	Account name.Account
	At      time.Time
	ID      string
}

// StoredEvent is an event as it is stored, byte for byte.
type StoredEvent struct {
	EventPlace
	Leaf    int64    // where it is in the tree; -1 = nowhere
	Body    string   // "" = the event is gone
	Differs []string // columns that say something else than the body; nil = none
	Forged  bool     // the event waits to become a leaf, and is not what its code vouches for
	NoCode  bool     // the event waits to become a leaf without a code
}

// storedColumns are what scanStored reads, of an event that may be missing.
const storedColumns = `e.operation, e.actor, e.access_key, e.noun, e.target, e.service, e.read_only, e.result, e.body`

// scanStored scans a place and storedColumns.
func scanStored(r row, s *StoredEvent, check bool) error {
	var text [8]*string
	var readOnly *bool
	err := r.Scan(&s.Leaf, (*int64)(&s.Account), stamp{&s.At}, &s.ID,
		&text[0], &text[1], &text[2], &text[3], &text[4], &text[5], &readOnly, &text[6], &text[7])
	if err != nil || text[7] == nil {
		return err
	}
	s.Body = *text[7]
	if !check {
		return nil
	}
	has := eventRow{
		account: int64(s.Account), at: micros(s.At), id: s.ID, operation: *text[0], actor: *text[1], accessKey: *text[2],
		noun: *text[3], target: *text[4], service: *text[5], readOnly: *readOnly, result: *text[6], body: s.Body,
	}
	s.Differs = has.differs()
	return nil
}

// withLast scans a column more than is asked for.
type withLast struct {
	row
	last any
}

// Scan implements row.
func (w withLast) Scan(dest ...any) error { return w.row.Scan(append(dest, w.last)...) }

// differs names the columns that do not say what the body says. Who changes a
// column hides the event from queries.
func (r *eventRow) differs() (all []string) {
	var e audit.Event
	if json.Unmarshal([]byte(r.body), &e) != nil {
		return []string{"body"}
	}
	want := newRow(&e, r.body)
	for _, c := range []struct {
		column string
		same   bool
	}{
		{"account", r.account == want.account}, {"at", r.at == want.at}, {"id", r.id == want.id},
		{"operation", r.operation == want.operation}, {"actor", r.actor == want.actor}, {"access_key", r.accessKey == want.accessKey},
		{"noun", r.noun == want.noun}, {"target", r.target == want.target}, {"service", r.service == want.service},
		{"read_only", r.readOnly == want.readOnly}, {"result", r.result == want.result},
	} {
		if !c.same {
			all = append(all, c.column)
		}
	}
	return all
}

// PendingEvents are events that are no leaves yet, the oldest first, as many as
// limit. Of one that is gone the body is "".
func (tx *Tx) PendingEvents(after EventPlace, limit int) ([]StoredEvent, error) {
	at := micros(after.At)
	if after.ID == "" {
		at--
	}
	return list(tx, func(r row, s *StoredEvent) error {
		var code []byte
		err := scanStored(withLast{r, &code}, s, true)
		if err == nil && s.Body != "" {
			s.NoCode = code == nil
			s.Forged = s.Differs != nil || code != nil && !tx.vouch.holds(s.Body, code)
		}
		return err
	},
		`SELECT -1, p.account, p.at, p.id, `+storedColumns+`, p.mac FROM trail_pending p
		LEFT JOIN events e ON e.account = p.account AND e.at = p.at AND e.id = p.id
		WHERE (p.at, p.account, p.id) > ($1, $2, $3) AND NOT EXISTS
			(SELECT 1 FROM trail_leaves l WHERE l.account = p.account AND l.at = p.at AND l.id = p.id)
		ORDER BY p.at, p.account, p.id LIMIT $4`, at, int64(after.Account), after.ID, limit)
}

// CountPending is how many events are no leaves yet, but no more than limit, and
// the time of the oldest.
func (tx *Tx) CountPending(limit int) (n int, oldest time.Time, err error) {
	at := int64(0)
	_, err = tx.one(`SELECT count(*), coalesce(min(at), 0) FROM (SELECT at FROM trail_pending ORDER BY at, account, id LIMIT $1) AS waiting`, []any{limit}, &n, &at)
	if at != 0 {
		oldest = time.UnixMicro(at).UTC()
	}
	return n, oldest, err
}

// leavesPerInsert is how many leaves one statement takes.
const leavesPerInsert = 64

// AddLeaves makes events leaves of the tree, from leaf n on, and forgets that
// they were to become some.
func (tx *Tx) AddLeaves(n int64, events []StoredEvent) error {
	for some := range slices.Chunk(events, leavesPerInsert) {
		args := make([]any, 0, 4*len(some))
		for _, e := range some {
			args = append(args, n, int64(e.Account), micros(e.At), e.ID)
			n++
		}
		if _, err := tx.exec(leafInsert(len(some)), args...); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		return nil
	}
	last := events[len(events)-1]
	_, err := tx.exec(`DELETE FROM trail_pending WHERE (at, account, id) <= ($1, $2, $3) AND EXISTS
		(SELECT 1 FROM trail_leaves l WHERE l.account = trail_pending.account AND l.at = trail_pending.at AND l.id = trail_pending.id)`,
		micros(last.At), int64(last.Account), last.ID)
	return err
}

// leafInsert is the text for n leaves. Two lengths are common, and so prepared
// once; what is left over at the end of a batch makes others.
func leafInsert(n int) string {
	var b strings.Builder
	b.WriteString(`INSERT INTO trail_leaves (n, account, at, id) VALUES `)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		for j := range 4 {
			b.WriteString([]string{"($", ", $", ", $", ", $"}[j] + strconv.Itoa(4*i+j+1))
		}
		b.WriteString(")")
	}
	return b.String()
}

// ForgetPending forgets that an event was to become a leaf: it is gone.
func (tx *Tx) ForgetPending(p EventPlace) error {
	_, err := tx.exec(`DELETE FROM trail_pending WHERE at = $1 AND account = $2 AND id = $3`, micros(p.At), int64(p.Account), p.ID)
	return err
}

// Leaves are leaves and their events, from leaf n on, as many as limit. Check
// says whether the columns are compared with the body, which takes a while.
func (tx *Tx) Leaves(n int64, limit int, check bool) ([]StoredEvent, error) {
	return list(tx, func(r row, s *StoredEvent) error { return scanStored(r, s, check) },
		`SELECT l.n, l.account, l.at, l.id, `+storedColumns+` FROM trail_leaves l
		LEFT JOIN events e ON e.account = l.account AND e.at = l.at AND e.id = l.id
		WHERE l.n >= $1 ORDER BY l.n LIMIT $2`, n, limit)
}

// StrayEvents are events that neither are leaves nor wait to become some, in the
// order of accounts and time, as many as limit.
func (tx *Tx) StrayEvents(after EventPlace, limit int) ([]StoredEvent, error) {
	return list(tx, func(r row, s *StoredEvent) error { return scanStored(r, s, false) },
		`SELECT -1, e.account, e.at, e.id, `+storedColumns+` FROM events e WHERE (e.account, e.at, e.id) > ($1, $2, $3)
		AND NOT EXISTS (SELECT 1 FROM trail_leaves l WHERE l.account = e.account AND l.at = e.at AND l.id = e.id)
		AND NOT EXISTS (SELECT 1 FROM trail_pending p WHERE p.at = e.at AND p.account = e.account AND p.id = e.id)
		ORDER BY e.account, e.at, e.id LIMIT $4`, int64(after.Account), micros(after.At), after.ID, limit)
}

// TrailTile is the n'th tile of a level of the tree, nil if there is none.
func (tx *Tx) TrailTile(level int, n int64) (data []byte, err error) {
	_, err = tx.one(`SELECT data FROM trail_tiles WHERE level = $1 AND n = $2`, []any{level, n}, &data)
	return data, err
}

// tilesPerQuery is how many tiles one statement reads: more than a proof in a tree of
// a billion events needs, so that it is one text to prepare.
const tilesPerQuery = 12

var readTiles = `SELECT level, n, data FROM trail_tiles WHERE ` + strings.Join(anyPlace(tilesPerQuery), " OR ")

func anyPlace(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("level = $%d AND n = $%d", 2*i+1, 2*i+2))
	}
	return all
}

// TrailTiles reads tiles of the tree, each in the place of where it was asked for;
// nil for one that there is not.
func (tx *Tx) TrailTiles(places []tree.TilePlace) ([][]byte, error) {
	tiles := make([][]byte, len(places))
	for from := 0; from < len(places); from += tilesPerQuery {
		some := places[from:min(from+tilesPerQuery, len(places))]
		args := make([]any, 0, 2*tilesPerQuery)
		for i := range tilesPerQuery {
			at := some[min(i, len(some)-1)]
			args = append(args, at.Level, at.N)
		}
		err := tx.each(func(r row) error {
			var at tree.TilePlace
			var data []byte
			if err := r.Scan(&at.Level, &at.N, &data); err != nil {
				return err
			}
			for i := range some {
				if some[i] == at {
					tiles[from+i] = data
				}
			}
			return nil
		}, readTiles, args...)
		if err != nil {
			return nil, err
		}
	}
	return tiles, nil
}

// SealedEvent is an event as it is stored with its leaf, -1 if it is none yet, and
// the newest checkpoint, "" if there is none. NotFound if there is no such event.
func (tx *Tx) SealedEvent(p EventPlace) (body string, leaf int64, checkpoint string, err error) {
	ok, err := tx.one(`SELECT e.body, coalesce(l.n, -1), coalesce((SELECT note FROM trail_checkpoints ORDER BY size DESC LIMIT 1), '')
		FROM events e LEFT JOIN trail_leaves l ON l.account = e.account AND l.at = e.at AND l.id = e.id
		WHERE e.account = $1 AND e.at = $2 AND e.id = $3`, []any{int64(p.Account), micros(p.At), p.ID}, &body, &leaf, &checkpoint)
	if err == nil && !ok {
		err = fault.Of(fault.NotFound, "event", p.ID)
	}
	return body, leaf, checkpoint, err
}

// PutTrailTile writes a tile.
func (tx *Tx) PutTrailTile(level int, n int64, data []byte) error {
	_, err := tx.exec(`INSERT INTO trail_tiles (level, n, data) VALUES ($1, $2, $3)
		ON CONFLICT (level, n) DO UPDATE SET data = excluded.data`, level, n, data)
	return err
}

// TrailNote is a signed checkpoint of the tree at a size.
type TrailNote struct {
	Size int64
	At   time.Time
	Note string
}

func scanNote(r row, c *TrailNote) error { return r.Scan(&c.Size, stamp{&c.At}, &c.Note) }

// LastCheckpoint is the newest checkpoint, NotFound if there is none.
func (tx *Tx) LastCheckpoint() (*TrailNote, error) {
	return get(tx, scanNote, "checkpoint", "", `SELECT size, at, note FROM trail_checkpoints ORDER BY size DESC LIMIT 1`)
}

// CheckpointAt is the newest checkpoint of a size or less, NotFound if there is
// none.
func (tx *Tx) CheckpointAt(size int64) (*TrailNote, error) {
	return get(tx, scanNote, "checkpoint", "", `SELECT size, at, note FROM trail_checkpoints WHERE size <= $1 ORDER BY size DESC LIMIT 1`, size)
}

// Checkpoints are those of more than a size, as many as limit, by size.
func (tx *Tx) Checkpoints(size int64, limit int) ([]TrailNote, error) {
	return list(tx, scanNote, `SELECT size, at, note FROM trail_checkpoints WHERE size > $1 ORDER BY size LIMIT $2`, size, limit)
}

// InsertCheckpoint adds a checkpoint. It returns Exists when somebody else
// added one of that size.
func (tx *Tx) InsertCheckpoint(c *TrailNote) error {
	return tx.insert("checkpoint", strconv.FormatInt(c.Size, 10),
		`INSERT INTO trail_checkpoints (size, at, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, c.Size, micros(c.At), c.Note)
}

// ThinCheckpoints forgets checkpoints of a span of time but the last of each
// hour.
func (tx *Tx) ThinCheckpoints(from, to time.Time) (int64, error) {
	return tx.exec(`DELETE FROM trail_checkpoints WHERE at >= $1 AND at < $2 AND size NOT IN
		(SELECT max(size) FROM trail_checkpoints WHERE at >= $1 AND at < $2 GROUP BY at / 3600000000)`, micros(from), micros(to))
}

// TrailState is what a worker of the trail remembers, "" if nothing.
func (tx *Tx) TrailState(key string) (value string, err error) {
	_, err = tx.one(`SELECT value FROM trail_state WHERE key = $1`, []any{key}, &value)
	return value, err
}

// SetTrailState changes it.
func (tx *Tx) SetTrailState(key, value string) error {
	_, err := tx.exec(`INSERT INTO trail_state (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return err
}

// RemoveExpired removes the events of leaves from n up to but without end, whose
// time has come, and returns how many there were. The leaves stay.
func (tx *Tx) RemoveExpired(n, end int64) (int64, error) {
	return tx.exec(`DELETE FROM events WHERE (account, at, id) IN (SELECT account, at, id FROM trail_leaves WHERE n >= $1 AND n < $2)`, n, end)
}

// LeafOlder is the first leaf from n on whose event is not older than a moment;
// it looks at as many as limit. more says that there may be more that are older.
func (tx *Tx) LeafOlder(n int64, than time.Time, limit int) (end int64, more bool, err error) {
	end = n
	seen := 0
	err = tx.each(func(r row) error {
		var leaf, at int64
		if err := r.Scan(&leaf, &at); err != nil {
			return err
		}
		if seen++; at < micros(than) && leaf == end {
			end++
		}
		return nil
	}, `SELECT n, at FROM trail_leaves WHERE n >= $1 ORDER BY n LIMIT $2`, n, limit)
	return end, seen == limit && end == n+int64(limit), err
}

// TrailStates are what the trail's workers remember under keys that begin with a
// prefix.
func (tx *Tx) TrailStates(prefix string) (map[string]string, error) {
	all := map[string]string{}
	err := tx.each(func(r row) error {
		var key, value string
		if err := r.Scan(&key, &value); err != nil {
			return err
		}
		all[key] = value
		return nil
	}, `SELECT key, value FROM trail_state WHERE key >= $1 AND key < $2`, prefix, prefix+lastID)
	return all, err
}

// DeleteTrailState forgets what a worker remembers.
func (tx *Tx) DeleteTrailState(key string) error {
	_, err := tx.exec(`DELETE FROM trail_state WHERE key = $1`, key)
	return err
}
