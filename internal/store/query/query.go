package query

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	Events int   // that are looked at although they are in no piece yet
}

// DefaultLimits let a query over ten million events through that are in pieces.
var DefaultLimits = Limits{Time: 15 * time.Second, Memory: 512 << 20, Rows: 1000, Events: 100_000}

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
	Cut       bool        // more events are in no piece yet than the limit: older ones were left out
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
type Engine struct {
	slots  chan struct{}
	driver *sqlite.Driver // which knows the module, and no other does
	module *module
}

// New returns an engine.
func New() *Engine {
	e := &Engine{slots: make(chan struct{}, slots), driver: &sqlite.Driver{}, module: &module{tables: map[string]*table{}}}
	if err := e.driver.RegisterModule(moduleName, e.module); err != nil {
		panic("query: a new driver knows no module: " + err.Error())
	}
	return e
}

// Run runs a query over the events of a trail in a span of time, which the histogram
// divides.
//
// Errors: Invalid for a query that is not valid, with the engine's words; Limit
// for one that took too long or too much memory.
func (g *Engine) Run(ctx context.Context, q Query, from, to time.Time, l Limits, trail Trail) (*Result, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	select {
	case g.slots <- struct{}{}:
		defer func() { <-g.slots }()
	case <-ctx.Done():
		return nil, fault.Wrap(ctx.Err(), "wait for other queries")
	}
	began := time.Now()
	bounded, stop := context.WithTimeoutCause(ctx, l.Time, fault.New(fault.Limit, "the query was stopped after %s", l.Time))
	defer stop()
	bounded, watched := watch(bounded, l.Memory)
	defer watched()
	r := &Result{}
	if err := g.run(bounded, r, q, from, to, l, trail); err != nil {
		if cause := context.Cause(bounded); cause != nil && fault.Is(cause, fault.Limit) {
			return nil, cause
		}
		return nil, err
	}
	r.Took = time.Since(began)
	return r, nil
}

func (g *Engine) run(ctx context.Context, r *Result, q Query, from, to time.Time, l Limits, trail Trail) error {
	e, err := openEvents(ctx, trail, from, to, l.Events)
	if err != nil {
		return err
	}
	r.Events, r.Cut = e.rows, e.cut
	where, text := q.parts()
	if err := e.choose(ctx, g, where); err != nil {
		return err
	}
	e.chosen.Store(true)
	if err := e.histogram(r, from, to); err != nil {
		return err
	}
	return g.tell(ctx, e, r, text, l.Rows)
}

// box is a database in memory that has nothing but tables of events.
type box struct {
	db   *sql.DB
	conn *sql.Conn

	module *module
	names  []string // of its tables, in the module
}

// connector opens connections of the engine's own driver.
type connector struct{ driver *sqlite.Driver }

// inMemory is a database that nobody else sees.
const inMemory = "file::memory:?_pragma=temp_store(2)&_pragma=trusted_schema(0)&_pragma=journal_mode(OFF)&_pragma=synchronous(0)"

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(inMemory) }

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

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

// open makes a box with tables, by their names.
func (g *Engine) open(ctx context.Context, tables map[string]*table) (b *box, err error) {
	b = &box{db: sql.OpenDB(connector{g.driver}), module: g.module}
	defer func() {
		if err != nil {
			b.close()
			err = fault.Wrap(err, "open the engine of queries")
		}
	}()
	if b.conn, err = b.db.Conn(ctx); err != nil {
		return b, err
	}
	for called, t := range tables {
		name := g.module.add(t)
		b.names = append(b.names, name)
		if _, err = b.conn.ExecContext(ctx, "CREATE VIRTUAL TABLE "+called+" USING "+moduleName+"("+name+")"); err != nil {
			return b, err
		}
	}
	for id, most := range bounds {
		if _, err = sqlite.Limit(b.conn, id, most); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (b *box) close() {
	if b.conn != nil {
		b.conn.Close()
	}
	b.db.Close()
	for _, name := range b.names {
		b.module.remove(name)
	}
}

// exec runs a step of a query, whose faults are those of a field.
func (b *box) exec(ctx context.Context, e *events, field, text string) error {
	_, err := b.conn.ExecContext(ctx, text)
	switch failed := e.failed.Load(); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Wrap(err, "run the query")
	case failed != nil:
		return *failed
	}
	return fault.Field(field, "%s", said(err))
}

// ask asks a condition about candidates and marks those that fit it; with "EXPLAIN "
// before it nothing is asked, only planned.
func (g *Engine) ask(ctx context.Context, e *events, x *candidates, before, where string) (*table, error) {
	t := &table{e: e, candidates: x, binary: comparesBytes(where)}
	b, err := g.open(ctx, map[string]*table{"candidate": t, "events": {e: e, binary: comparesBytes(where)}})
	if err != nil {
		return nil, err
	}
	defer b.close()
	return t, b.exec(ctx, e, "where", before+`CREATE TABLE chosen AS SELECT count("a row fits") FROM candidate AS events WHERE (`+"\n"+where+"\n)")
}

// tell runs what selects from found. The result goes into a table first, in one step
// that can be interrupted wherever it is; the table's definition is also what keeps a
// query from being a statement.
func (g *Engine) tell(ctx context.Context, e *events, r *Result, text string, rows int) error {
	plain := comparesBytes(text)
	b, err := g.open(ctx, map[string]*table{"events": {e: e, binary: plain}, "found": {e: e, found: true, binary: plain}})
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.exec(ctx, e, "sql", "CREATE TABLE result AS SELECT * FROM (\n"+text+"\n) LIMIT "+strconv.Itoa(rows+1)); err != nil {
		return err
	}
	if err := b.read(ctx, r, rows); err != nil {
		return fault.Wrap(err, "read the result of the query")
	}
	return nil
}

// comparesBytes tells whether a query compares texts as they are. One that says COLLATE
// compares them in ways that only the engine knows.
func comparesBytes(text string) bool { return !strings.Contains(strings.ToLower(text), "collate") }

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

// histogram counts the events that fit the condition.
func (e *events) histogram(r *Result, from, to time.Time) error {
	span := max(to.Sub(from), Bars*time.Microsecond).Microseconds()
	width := (span + Bars - 1) / Bars
	r.Histogram = make([]Bar, Bars)
	for i := range r.Histogram {
		r.Histogram[i].From = from.Add(time.Duration(int64(i)*width) * time.Microsecond)
	}
	e.want([]column{colResult})
	var mu sync.Mutex
	return e.each(func(p *piece) error {
		var counts, refused [Bars]int
		if !slices.ContainsFunc(p.hit, func(bits uint64) bool { return bits != 0 }) {
			return nil
		}
		times, err := e.at(p)
		if err != nil {
			return err
		}
		result, err := e.column(p, colResult)
		if err != nil {
			return err
		}
		allowed := slices.Index(result.values, driver.Value("allowed"))
		for row, at := range times {
			if !has(p.hit, row) {
				continue
			}
			bar := min(max((at-e.from)/width, 0), Bars-1)
			counts[bar]++
			if result.code(row) != allowed {
				refused[bar]++
			}
		}
		mu.Lock()
		defer mu.Unlock()
		for i := range r.Histogram {
			r.Histogram[i].Count += counts[i]
			r.Histogram[i].Refused += refused[i]
			r.Found += counts[i]
		}
		return nil
	})
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
