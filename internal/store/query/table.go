package query

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite/vtab"
)

// moduleName is what the engine knows the tables of events by. Only Run makes such
// tables; no query can.
const moduleName = "warifu_events"

// module hands each table the events of its query.
type module struct {
	mu     sync.Mutex
	last   int
	tables map[string]*table // by the name that the engine is told
}

// add tells the engine's name of a table that is about to be made.
func (m *module) add(t *table) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	called := strconv.Itoa(m.last)
	m.tables[called] = t
	return called
}

func (m *module) remove(called string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tables, called)
}

// Create implements vtab.Module.
func (m *module) Create(c vtab.Context, args []string) (vtab.Table, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.tables[args[len(args)-1]]
	if t == nil {
		return nil, fmt.Errorf("no such table")
	}
	return t, c.Declare(declaration)
}

// Connect implements vtab.Module.
func (m *module) Connect(c vtab.Context, args []string) (vtab.Table, error) { return m.Create(c, args) }

// table is what a query sees as events or found, or what its condition is asked about.
type table struct {
	e          *events
	found      bool        // only those that fit the condition
	candidates *candidates // in place of all events
	binary     bool        // the query compares texts byte by byte, as it does unless it says

	used atomic.Uint64 // columns that a plan uses, as bits

	mu     sync.Mutex
	sorted map[string][]uint32 // events in an order: place of the piece, and row
}

// columnsUsed are the columns that plans so far use.
func (t *table) columnsUsed() (all []column) {
	for c := range numColumns {
		if t.used.Load()>>c&1 != 0 {
			all = append(all, c)
		}
	}
	return all
}

// Disconnect implements vtab.Table.
func (t *table) Disconnect() error { return nil }

// Destroy implements vtab.Table.
func (t *table) Destroy() error { return nil }

// BestIndex implements vtab.Table. A plan is spelled as the columns whose values are
// given and the order; see cursor.Filter.
func (t *table) BestIndex(info *vtab.IndexInfo) error {
	t.used.Or(info.ColUsed &^ (1 << colHit))
	info.EstimatedRows = int64(max(1, t.e.rows))
	info.EstimatedCost = float64(info.EstimatedRows)
	var plan strings.Builder
	given := 0
	for i := range info.Constraints {
		c := &info.Constraints[i]
		if c.Usable && c.Op == vtab.OpEQ && t.binary && c.Column >= 0 && column(c.Column).kept() {
			c.ArgIndex = given
			given++
			fmt.Fprintf(&plan, "=%d", c.Column)
			info.EstimatedRows = max(1, info.EstimatedRows/10)
			info.EstimatedCost /= 10
		}
	}
	if order := t.order(info.OrderBy); order != "" && t.candidates == nil {
		info.OrderByConsumed = true
		plan.WriteString(order)
	}
	info.IdxStr = plan.String()
	return nil
}

// order spells an order that events can be given in; "" for another.
func (t *table) order(by []vtab.OrderBy) string {
	if len(by) == 0 {
		return ""
	}
	timely, listed := true, true
	var s strings.Builder
	for _, o := range by {
		c := column(o.Column)
		if o.Column < 0 || c >= numColumns {
			return ""
		}
		timely = timely && columns[c].form == derived && o.Desc == by[0].Desc
		listed = listed && c.listed() && c.kept()
		mark := "<"
		if o.Desc {
			mark = ">"
		}
		s.WriteString(mark + strconv.Itoa(o.Column))
	}
	switch {
	case timely && by[0].Desc:
		return ">"
	case timely:
		return "<"
	case listed:
		return s.String()
	}
	return ""
}

// Open implements vtab.Table.
func (t *table) Open() (vtab.Cursor, error) {
	if t.candidates != nil {
		return &asked{t: t}, nil
	}
	return &cursor{t: t}, nil
}

// cursor goes through events.
type cursor struct {
	t       *table
	wanted  []wanted
	order   []span // those that are left
	back    bool   // from the last to the first
	listed  []uint32
	inOrder bool // by listed

	p     *piece
	row   int
	spans span // the present one
	end   bool
	count int

	of   *piece // whose columns these are
	cols [numColumns]*data
}

// wanted is a value that a column must have.
type wanted struct {
	c column
	v driver.Value

	of   *piece
	data *data
	code int      // in of; -1 = it does not occur
	raw  [16]byte // of a UUID
	uuid bool
}

// fits tells whether an event has the value.
func (w *wanted) fits(e *events, p *piece, row int) (bool, error) {
	if w.of != p {
		d, err := e.column(p, w.c)
		if err != nil {
			e.failed.CompareAndSwap(nil, &err)
			return false, err
		}
		w.of, w.data, w.code = p, d, slices.Index(d.values, w.v)
	}
	if w.data.uuids != nil {
		return w.uuid && [16]byte(w.data.uuids[16*row:]) == w.raw, nil
	}
	return w.code == w.data.code(row), nil
}

// readWanted reads the values that a plan begins with, and returns the rest of it.
func readWanted(plan string, vals []vtab.Value) (all []wanted, rest string, err error) {
	for strings.HasPrefix(plan, "=") {
		text := plan[1:]
		plan = ""
		if i := strings.IndexAny(text, "=<>"); i >= 0 {
			text, plan = text[:i], text[i:]
		}
		n, err := strconv.Atoi(text)
		if err != nil || len(vals) == 0 {
			return nil, "", fmt.Errorf("a plan that was not made here")
		}
		w := wanted{c: column(n), v: vals[0]}
		// What is not of the column's own type is left to the engine, which converts it.
		switch v := vals[0].(type) {
		case string:
			w.v = strings.Clone(v)
			w.raw, w.uuid = readUUID(v)
			if columns[n].form != numbers {
				all = append(all, w)
			}
		case int64:
			if columns[n].form == numbers {
				all = append(all, w)
			}
		}
		vals = vals[1:]
	}
	return all, plan, nil
}

// Filter implements vtab.Cursor.
func (c *cursor) Filter(_ int, plan string, vals []vtab.Value) (err error) {
	*c = cursor{t: c.t}
	if c.wanted, plan, err = readWanted(plan, vals); err != nil {
		return err
	}
	if len(plan) > 1 {
		c.inOrder = true
		c.listed, err = c.t.inOrder(plan)
	} else {
		c.back = plan == ">"
		c.order, err = c.t.e.byTime()
	}
	if err != nil {
		return err
	}
	return c.Next()
}

// Next implements vtab.Cursor.
func (c *cursor) Next() error {
	for c.step() {
		if c.count++; c.count&0xfff == 0 {
			if err := c.t.e.stopped(); err != nil {
				return err
			}
		}
		if c.t.found && !has(c.p.hit, c.row) || !c.p.sees(c.row) {
			continue
		}
		ok, err := c.fits()
		if ok || err != nil {
			return err
		}
	}
	c.end = true
	return nil
}

// step goes to the next event, whether or not it is to be seen.
func (c *cursor) step() bool {
	if c.inOrder {
		if len(c.listed) == 0 {
			return false
		}
		c.p, c.row = c.t.e.pieces[c.listed[0]>>16], int(c.listed[0]&0xffff)
		c.listed = c.listed[1:]
		return true
	}
	if c.p != nil {
		if c.back {
			c.row--
		} else {
			c.row++
		}
	}
	for c.p == nil || c.row >= c.spans.to || c.row < c.spans.from {
		switch {
		case len(c.order) == 0:
			return false
		case c.back:
			c.spans, c.order = c.order[len(c.order)-1], c.order[:len(c.order)-1]
			c.p, c.row = c.spans.p, c.spans.to-1
		default:
			c.spans, c.order = c.order[0], c.order[1:]
			c.p, c.row = c.spans.p, c.spans.from
		}
	}
	return true
}

// fits tells whether the event has the values that are wanted.
func (c *cursor) fits() (bool, error) {
	for i := range c.wanted {
		if ok, err := c.wanted[i].fits(c.t.e, c.p, c.row); !ok {
			return false, err
		}
	}
	return true, nil
}

// Eof implements vtab.Cursor.
func (c *cursor) Eof() bool { return c.end }

// Column implements vtab.Cursor.
func (c *cursor) Column(n int) (vtab.Value, error) {
	if n >= int(numColumns) {
		return nil, nil
	}
	if c.of != c.p {
		c.of, c.cols = c.p, [numColumns]*data{}
	}
	if d := c.cols[n]; d != nil {
		return d.value(c.row), nil
	}
	v, err := c.t.e.value(c.p, c.row, column(n))
	if err == nil {
		c.cols[n] = c.p.cols[n].Load() // nil for those that are made event by event
	}
	return v, err
}

// Rowid implements vtab.Cursor.
func (c *cursor) Rowid() (int64, error) { return int64(c.p.place)<<16 | int64(c.row), nil }

// Close implements vtab.Cursor.
func (c *cursor) Close() error { return nil }

// asked goes through candidates.
type asked struct {
	t      *table
	wanted []wanted
	n      int // of shared
	piece  int // behind those
	row    int
	count  int
}

// Filter implements vtab.Cursor.
func (a *asked) Filter(_ int, plan string, vals []vtab.Value) (err error) {
	*a = asked{t: a.t, n: -1, row: -1}
	if a.wanted, _, err = readWanted(plan, vals); err != nil {
		return err
	}
	return a.Next()
}

// Next implements vtab.Cursor.
func (a *asked) Next() error {
	x := a.t.candidates
	if a.n < len(x.shared) {
		if a.n++; a.n < len(x.shared) {
			return nil // what has other values than are wanted, the engine sorts out
		}
	}
	for ; a.piece < len(x.all); a.piece, a.row = a.piece+1, -1 {
		p := x.all[a.piece]
		for a.row++; a.row < p.Events; a.row++ {
			if a.count++; a.count&0xfff == 0 {
				if err := a.t.e.stopped(); err != nil {
					return err
				}
			}
			ok := p.sees(a.row)
			for i := range a.wanted {
				var err error
				if ok {
					ok, err = a.wanted[i].fits(a.t.e, p, a.row)
				}
				if err != nil {
					return err
				}
			}
			if ok {
				return nil
			}
		}
	}
	return nil
}

// Eof implements vtab.Cursor.
func (a *asked) Eof() bool {
	return a.n >= len(a.t.candidates.shared) && a.piece >= len(a.t.candidates.all)
}

// Column implements vtab.Cursor. The last column is read of those that the condition
// let through, and of no others.
func (a *asked) Column(n int) (vtab.Value, error) {
	x := a.t.candidates
	if a.n < len(x.shared) {
		if n >= int(numColumns) {
			x.fits[a.n] = true
			return int64(1), nil
		}
		return a.t.e.value(x.shared[a.n].p, x.shared[a.n].row, column(n))
	}
	p := x.all[a.piece]
	if n >= int(numColumns) {
		set(p.hit, a.row)
		return int64(1), nil
	}
	return a.t.e.value(p, a.row, column(n))
}

// Rowid implements vtab.Cursor.
func (a *asked) Rowid() (int64, error) {
	if x := a.t.candidates; a.n >= len(x.shared) {
		return 1<<48 | int64(x.all[a.piece].place)<<16 | int64(a.row), nil
	}
	return int64(a.n), nil
}

// Close implements vtab.Cursor.
func (a *asked) Close() error { return nil }
