package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"warifu/internal/fault"
)

// Limits bound a query.
type Limits struct {
	Time   time.Duration
	Memory int64 // bytes that the process may grow by
	Rows   int   // of the result
	Events int   // that are looked at
}

// DefaultLimits let a query over a hundred thousand events through and little
// more: about half a second to copy them.
var DefaultLimits = Limits{Time: 5 * time.Second, Memory: 512 << 20, Rows: 1000, Events: 100_000}

// Event is a row of the trail as it is copied.
type Event struct {
	At                                               int64 // microseconds
	ID, Operation, Actor, AccessKey, Target, Service string
	ReadOnly                                         bool
	Result, Body                                     string
}

// Query is what people write.
type Query struct {
	Where string // a condition on events; "" = all
	SQL   string // selects from found, the events that fit the condition
}

// DefaultSQL is what is selected unless a query says.
const DefaultSQL = "SELECT time, actor, event, target, source, result FROM found ORDER BY at DESC"

// Result is what a query found.
type Result struct {
	Columns   []string
	Rows      [][]*string // nil = NULL
	More      bool        // there are more rows than the limit
	Events    int         // that were looked at
	Cut       bool        // the limit of events left older ones out
	Found     int         // events that fit the condition
	Histogram []Bar
	Took      time.Duration
}

// Bar is a column of the histogram: how many of the found events were at From or
// until the next bar.
type Bar struct {
	From    time.Time
	Count   int
	Refused int // of those, refused or failed
}

// slots is how many queries run at once: each can take a processor and its share
// of memory.
const slots = 2

// Engine runs queries.
type Engine struct{ slots chan struct{} }

// New returns an engine.
func New() *Engine { return &Engine{make(chan struct{}, slots)} }

// ErrStopped says that a query was cut off.
var ErrStopped = errors.New("the query was stopped")

// Run runs a query over the events that load hands to add, from a span of time
// that the histogram divides.
//
// Errors: Invalid for a query that is not valid, with the engine's words; Limit
// for one that took too long or too much memory.
func (e *Engine) Run(ctx context.Context, q Query, from, to time.Time, l Limits, load func(limit int, add func(*Event) error) error) (*Result, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, fault.Wrap(ctx.Err(), "wait for other queries")
	}
	began := time.Now()
	b, err := open(ctx)
	if err != nil {
		return nil, fault.Wrap(err, "open the engine of queries")
	}
	defer b.close()
	r := &Result{}
	if err := b.load(ctx, r, l, load); err != nil {
		return nil, err
	}
	bounded, stop := context.WithTimeoutCause(ctx, l.Time, fault.New(fault.Limit, "the query was stopped after %s", l.Time))
	defer stop()
	bounded, watched := watch(bounded, l.Memory)
	defer watched()
	if err := b.run(bounded, r, q, from, to, l.Rows); err != nil {
		if cause := context.Cause(bounded); cause != nil && fault.Is(cause, fault.Limit) {
			return nil, cause
		}
		return nil, err
	}
	r.Took = time.Since(began)
	return r, nil
}

// box is the database of one query.
type box struct {
	db   *sql.DB
	conn *sql.Conn
}

// bounds are SQLite's own limits (sqlite3_limit), set before anything of a query is
// read.
var bounds = map[int]int{
	sqlite3.SQLITE_LIMIT_LENGTH:              1 << 20,
	sqlite3.SQLITE_LIMIT_SQL_LENGTH:          64 << 10,
	sqlite3.SQLITE_LIMIT_COLUMN:              100,
	sqlite3.SQLITE_LIMIT_EXPR_DEPTH:          100,
	sqlite3.SQLITE_LIMIT_COMPOUND_SELECT:     50,
	sqlite3.SQLITE_LIMIT_FUNCTION_ARG:        32,
	sqlite3.SQLITE_LIMIT_ATTACHED:            0, // no other database, by no name
	sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 1000,
	sqlite3.SQLITE_LIMIT_WORKER_THREADS:      0,
}

func open(ctx context.Context) (b *box, err error) {
	b = &box{}
	if b.db, err = sql.Open("sqlite", "file::memory:?_pragma=temp_store(2)&_pragma=trusted_schema(0)&_pragma=journal_mode(OFF)&_pragma=synchronous(0)"); err != nil {
		return nil, err
	}
	if b.conn, err = b.db.Conn(ctx); err != nil {
		b.db.Close()
		return nil, err
	}
	if _, err = b.conn.ExecContext(ctx, schema); err == nil {
		for id, most := range bounds {
			if _, err = sqlite.Limit(b.conn, id, most); err != nil {
				break
			}
		}
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *box) close() {
	b.conn.Close()
	b.db.Close()
}

// schema are the columns that people see. What is not a column of the trail is read
// out of the event when a query asks for it.
const schema = `
CREATE TABLE trail (at INTEGER, id TEXT, operation TEXT, actor TEXT, access_key TEXT, target TEXT, service TEXT, read_only INTEGER, result TEXT, body TEXT);
CREATE VIEW events AS SELECT
	strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || printf('.%06dZ', at % 1000000) AS time,
	at, id, operation AS event, body ->> '$.action' AS action, body ->> '$.operation' AS operation, service, body ->> '$.door' AS door,
	body ->> '$.region' AS region, read_only,
	actor, body ->> '$.actor.kind' AS actor_kind, coalesce(body ->> '$.root', 0) AS root, body ->> '$.actor.arn' AS actor_arn, access_key, body ->> '$.actor.session' AS session,
	coalesce(body ->> '$.mfa.present', 0) AS mfa, coalesce(body -> '$.mfa.methods', '[]') AS mfa_methods, body ->> '$.mfa.at' AS mfa_at, coalesce(body ->> '$.mfa.remembered', 0) AS remembered,
	body ->> '$.target.noun' AS target_kind, target, body ->> '$.target.arn' AS target_arn,
	body ->> '$.source' AS source, body ->> '$.chain' AS chain, body ->> '$.userAgent' AS user_agent, body ->> '$.requestId' AS request_id,
	result, body ->> '$.code' AS code, body ->> '$.why' AS why, body -> '$.params' AS params, body AS json
FROM trail;`

// Columns are those of events, for people who write queries.
var Columns = strings.Fields(`time at id event action operation service door region read_only actor actor_kind root actor_arn access_key session
	mfa mfa_methods mfa_at remembered target_kind target target_arn source chain user_agent request_id result code why params json`)

// load copies events into the box.
func (b *box) load(ctx context.Context, r *Result, l Limits, load func(int, func(*Event) error) error) error {
	if _, err := b.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return fault.Wrap(err, "copy events")
	}
	insert, err := b.conn.PrepareContext(ctx, "INSERT INTO trail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return fault.Wrap(err, "copy events")
	}
	defer insert.Close()
	err = load(l.Events+1, func(e *Event) error {
		if r.Events++; r.Events > l.Events {
			r.Events, r.Cut = l.Events, true
			return nil
		}
		_, err := insert.Exec(e.At, e.ID, e.Operation, e.Actor, e.AccessKey, e.Target, e.Service, e.ReadOnly, e.Result, e.Body)
		return err
	})
	if err == nil {
		_, err = b.conn.ExecContext(ctx, "COMMIT")
	}
	return err
}

// run asks. The result goes into a table first, in one step that can be
// interrupted wherever it is; the table's definition is also what keeps a query
// from being a statement.
func (b *box) run(ctx context.Context, r *Result, q Query, from, to time.Time, rows int) error {
	where, text := q.parts()
	for _, step := range []struct{ field, text string }{
		{"where", "CREATE TABLE matched AS SELECT at, id FROM events WHERE (\n" + where + "\n)"},
		{"", "CREATE VIEW found AS SELECT * FROM events WHERE id IN (SELECT id FROM matched)"},
		{"sql", "CREATE TABLE result AS SELECT * FROM (\n" + text + "\n) LIMIT " + strconv.Itoa(rows+1)},
	} {
		if _, err := b.conn.ExecContext(ctx, step.text); err != nil {
			if ctx.Err() != nil {
				return fault.Wrap(err, "run the query")
			}
			return fault.Field(step.field, "%s", said(err))
		}
	}
	if err := b.read(ctx, r, rows); err != nil {
		return fault.Wrap(err, "read the result of the query")
	}
	if err := b.histogram(ctx, r, from, to); err != nil {
		return fault.Wrap(err, "count events for the histogram")
	}
	return nil
}

// read reads the result.
func (b *box) read(ctx context.Context, r *Result, most int) error {
	rows, err := b.conn.QueryContext(ctx, "SELECT * FROM result")
	if err != nil {
		return err
	}
	defer rows.Close()
	if r.Columns, err = rows.Columns(); err != nil {
		return err
	}
	cells := make([]any, len(r.Columns))
	for i := range cells {
		cells[i] = new(any)
	}
	size := 0
	for rows.Next() {
		if len(r.Rows) == most || size > maxResult {
			r.More = true
			break
		}
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		row := make([]*string, len(cells))
		for i := range cells {
			if row[i] = spelled(*cells[i].(*any)); row[i] != nil {
				size += len(*row[i])
			}
		}
		r.Rows = append(r.Rows, row)
	}
	return rows.Err()
}

// maxResult bounds, in bytes, what is handed out.
const maxResult = 16 << 20

// spelled is a value as text; nil for NULL.
func spelled(v any) *string {
	var s string
	switch x := v.(type) {
	case nil:
		return nil
	case string:
		s = x
	case []byte:
		s = fmt.Sprintf("%x", x)
	case int64:
		s = strconv.FormatInt(x, 10)
	case float64:
		s = strconv.FormatFloat(x, 'g', -1, 64)
	case time.Time:
		s = x.UTC().Format(time.RFC3339Nano)
	default:
		s = fmt.Sprint(x)
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	return &s
}

// Bars is how many columns a histogram has.
const Bars = 60

func (b *box) histogram(ctx context.Context, r *Result, from, to time.Time) error {
	span := max(to.Sub(from), Bars*time.Microsecond).Microseconds()
	width := (span + Bars - 1) / Bars
	r.Histogram = make([]Bar, Bars)
	for i := range r.Histogram {
		r.Histogram[i].From = from.Add(time.Duration(int64(i)*width) * time.Microsecond)
	}
	rows, err := b.conn.QueryContext(ctx, `SELECT (m.at - ?) / ?, count(*), sum(t.result <> 'allowed') FROM matched m JOIN trail t ON t.id = m.id GROUP BY 1`,
		from.UnixMicro(), width)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var bar, n, refused int
		if err := rows.Scan(&bar, &n, &refused); err != nil {
			return err
		}
		r.Found += n
		if bar >= 0 && bar < Bars {
			r.Histogram[bar].Count += n
			r.Histogram[bar].Refused += refused
		}
	}
	return rows.Err()
}

// said is what the engine says about a query, without its own prefix and code.
func said(err error) string {
	s := err.Error()
	s = strings.TrimPrefix(s, "SQL logic error: ")
	if i := strings.LastIndex(s, " ("); i > 0 && strings.HasSuffix(s, ")") {
		s = s[:i]
	}
	return s
}
