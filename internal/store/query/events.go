package query

import (
	"cmp"
	"container/heap"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"warifu/internal/fault"
)

// Trail is what a query reads events from: those of one account in a span of time.
// It is asked by several goroutines.
type Trail interface {
	// Open tells of the pieces that may have events of the span, and hands the newest
	// events of it that are in no piece to add, as many as limit. Events of leaves before
	// kept are not seen.
	Open(ctx context.Context, limit int, add func(*Event)) (pieces []Piece, kept int64, err error)

	// Columns reads columns of a piece by their keys.
	Columns(ctx context.Context, first int64, keys []int) (map[int][]byte, error)

	// Bodies reads events as they are stored; "" for one that is gone.
	Bodies(ctx context.Context, places []Place) ([]string, error)
}

// Place says which event of the account is meant.
type Place struct {
	At int64
	ID string
}

// piece is a piece of which a query has loaded what it needs.
type piece struct {
	Piece
	place uint32   // in events.pieces
	gone  []uint64 // events that are not seen, as bits; nil = none
	hit   []uint64 // events that fit the condition

	mu     sync.Mutex // guards loading, and the rest
	times  atomic.Pointer[[]int64]
	cols   [numColumns]atomic.Pointer[data]
	used   int64    // when a column was loaded last, counted
	bodies []string // nil = not read; "" = not read yet, or gone
}

func has(bits []uint64, row int) bool { return bits[row>>6]>>(row&63)&1 != 0 }

func set(bits []uint64, row int) { bits[row>>6] |= 1 << (row & 63) }

// events are what a query looks at.
type events struct {
	trail    Trail
	ctx      context.Context
	from, to int64 // microseconds, half open
	pieces   []*piece
	rows     int // that are looked at
	cut      bool

	wanted atomic.Uint64 // columns that are read together, as bits
	loaded atomic.Int64  // bytes
	clock  atomic.Int64  // of loads

	chosen atomic.Bool           // the events are marked that fit the condition
	failed atomic.Pointer[error] // of the trail, inside of the engine

	ordering sync.Mutex
	order    []span // by time; nil = not worked out
}

// maxLoaded is how many bytes of columns are kept in memory: beyond it, those that
// were loaded long ago go.
const maxLoaded = 256 << 20

// openEvents finds out what there is.
func openEvents(ctx context.Context, trail Trail, from, to time.Time, limit int) (*events, error) {
	e := &events{trail: trail, ctx: ctx, from: from.UnixMicro(), to: to.UnixMicro()}
	var loose []Event
	pieces, kept, err := trail.Open(ctx, limit+1, func(ev *Event) { loose = append(loose, *ev) })
	if err != nil {
		return nil, err
	}
	if len(loose) > limit {
		loose, e.cut = loose[:limit], true
		pieces = nil // but for moments they are older than what is left out here
	}
	for _, p := range pieces {
		if p.Newest >= e.from && p.Oldest < e.to && p.Events > 0 {
			e.pieces = append(e.pieces, &piece{Piece: p})
		}
	}
	slices.SortFunc(loose, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	for some := range slices.Chunk(loose, PieceLeaves) {
		e.pieces = append(e.pieces, looseEvents(some))
	}
	for i, p := range e.pieces {
		p.place = uint32(i)
		if err := e.trim(p, kept); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// looseEvents makes a piece in memory.
func looseEvents(some []Event) *piece {
	b := Build(-1, some)
	p := &piece{Piece: b.Piece, bodies: b.bodies}
	p.times.Store(&b.times)
	for c := range numColumns {
		if c.kept() {
			p.cols[c].Store(b.cols[c].data(columns[c].form))
		}
	}
	return p
}

// trim marks the events of a piece that are not in the span, or removed.
func (e *events) trim(p *piece, kept int64) error {
	p.hit = make([]uint64, (p.Events+63)/64)
	e.rows += p.Events
	if p.Oldest >= e.from && p.Newest < e.to && (p.First < 0 || p.First >= kept) {
		return nil
	}
	times, err := e.at(p)
	if err != nil {
		return err
	}
	var leaves []byte
	if p.First >= 0 && p.First < kept {
		all, err := e.trail.Columns(e.ctx, p.First, []int{keyLeaves})
		if err != nil {
			return err
		}
		if leaves = all[keyLeaves]; len(leaves) != 2*p.Events {
			return errPiece
		}
	}
	p.gone = make([]uint64, len(p.hit))
	for row, at := range times {
		if at < e.from || at >= e.to || leaves != nil && p.First+int64(binary.LittleEndian.Uint16(leaves[2*row:])) < kept {
			set(p.gone, row)
			e.rows--
		}
	}
	return nil
}

// sees tells whether an event is looked at.
func (p *piece) sees(row int) bool { return p.gone == nil || !has(p.gone, row) }

// at are the times of a piece's events.
func (e *events) at(p *piece) ([]int64, error) {
	if t := p.times.Load(); t != nil {
		return *t, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.times.Load(); t != nil {
		return *t, nil
	}
	all, err := e.trail.Columns(e.ctx, p.First, []int{keyTimes})
	if err != nil {
		return nil, err
	}
	times, err := decodeTimes(all[keyTimes], p.Events)
	if err != nil {
		return nil, err
	}
	p.times.Store(&times)
	return times, nil
}

// column is a column of a piece, which is loaded with the others that the query uses.
func (e *events) column(p *piece, c column) (*data, error) {
	if d := p.cols[c].Load(); d != nil {
		return d, nil
	}
	if c == colHour || c == colDay {
		return e.spelledTimes(p, c)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.cols[c].Load(); d != nil {
		return d, nil
	}
	e.wanted.Or(1 << c)
	var which []column
	var keys []int
	for w := range numColumns {
		if e.wanted.Load()>>w&1 != 0 && w.kept() && p.cols[w].Load() == nil {
			which, keys = append(which, w), append(keys, columns[w].key)
		}
	}
	all, err := e.trail.Columns(e.ctx, p.First, keys)
	if err != nil {
		return nil, err
	}
	var own *data
	for i, w := range which {
		d, err := decode(all[keys[i]], columns[w].form, p.Events)
		if err != nil {
			return nil, err
		}
		if w == c {
			own = d
		}
		p.cols[w].Store(d)
		e.loaded.Add(int64(d.size()))
	}
	p.used = e.clock.Add(1)
	if e.loaded.Load() > maxLoaded {
		e.forget(p)
	}
	return own, nil
}

// want says which columns will be used, so that they are loaded together.
func (e *events) want(some []column) {
	for _, c := range some {
		e.wanted.Or(1 << c)
	}
}

// forget drops the columns of the pieces that were loaded long ago.
func (e *events) forget(but *piece) {
	newest := e.clock.Load()
	for _, p := range e.pieces {
		if p == but || p.First < 0 || !p.mu.TryLock() {
			continue
		}
		if p.used > 0 && p.used < newest-int64(len(e.pieces))/4 {
			for c := range numColumns {
				if d := p.cols[c].Load(); d != nil {
					p.cols[c].Store(nil)
					e.loaded.Add(-int64(d.size()))
				}
			}
			p.used = 0
		}
		p.mu.Unlock()
	}
}

// hourLong and dayLong are how many characters of a spelled time name the hour and the
// day.
const (
	hourLong = len("2006-01-02T15")
	dayLong  = len("2006-01-02")
)

// spelledTimes makes the column of hours or days of a piece.
func (e *events) spelledTimes(p *piece, c column) (*data, error) {
	times, err := e.at(p)
	if err != nil {
		return nil, err
	}
	long, unit := hourLong, time.Hour.Microseconds()
	if c == colDay {
		long, unit = dayLong, 24*time.Hour.Microseconds()
	}
	d := &data{codes: make([]uint16, len(times))}
	last := int64(-1 << 62)
	for i, at := range times {
		n := at / unit
		if at < 0 {
			n = (at - unit + 1) / unit
		}
		if n != last {
			last = n
			d.values = append(d.values, spellTime(at)[:long])
		}
		d.codes[i] = uint16(len(d.values) - 1)
	}
	p.cols[c].Store(d)
	return d, nil
}

// timeLayout spells the time of an event: text that sorts like the time.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// spellTime spells a time: some queries do it for every event.
func spellTime(at int64) string {
	t := time.UnixMicro(at).UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.Format(timeLayout)
	}
	hour, minute, second := t.Clock()
	var b [len(timeLayout)]byte
	copy(b[:], timeLayout)
	for i, n := range [...]int{year / 100, year % 100, int(month), day, hour, minute, second} {
		from := [...]int{0, 2, 5, 8, 11, 14, 17}[i]
		b[from], b[from+1] = byte('0'+n/10), byte('0'+n%10)
	}
	for i, n := 25, t.Nanosecond()/1000; i >= 20; i, n = i-1, n/10 {
		b[i] = byte('0' + n%10)
	}
	return string(b[:])
}

// value is what an event has in a column. An error is kept, for the engine takes no
// more than its text.
func (e *events) value(p *piece, row int, c column) (driver.Value, error) {
	v, err := e.read(p, row, c)
	if err != nil {
		e.failed.CompareAndSwap(nil, &err)
	}
	return v, err
}

func (e *events) read(p *piece, row int, c column) (driver.Value, error) {
	switch c {
	case colTime, colAt:
		times, err := e.at(p)
		if err != nil {
			return nil, err
		}
		if c == colAt {
			return times[row], nil
		}
		return spellTime(times[row]), nil
	case colJSON:
		return e.body(p, row)
	}
	d, err := e.column(p, c)
	if err != nil {
		return nil, err
	}
	return d.value(row), nil
}

// bodiesAtOnce is how many events are read together: those behind the one that is
// asked for which fit the condition are asked for next, mostly.
const bodiesAtOnce = 64

// body is an event as it is stored.
func (e *events) body(p *piece, row int) (driver.Value, error) {
	p.mu.Lock()
	if p.bodies == nil {
		p.bodies = make([]string, p.Events)
	}
	known := p.bodies[row]
	p.mu.Unlock()
	if known != "" || p.First < 0 {
		return known, nil
	}
	times, err := e.at(p)
	if err != nil {
		return nil, err
	}
	id, err := e.column(p, colID)
	if err != nil {
		return nil, err
	}
	var rows []int
	var places []Place
	for r := row; r < p.Events && len(rows) < bodiesAtOnce; r++ {
		if r == row || !e.chosen.Load() || has(p.hit, r) {
			called, _ := id.value(r).(string)
			rows, places = append(rows, r), append(places, Place{times[r], called})
		}
	}
	bodies, err := e.trail.Bodies(e.ctx, places)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, r := range rows {
		p.bodies[r] = bodies[i]
	}
	return bodies[0], nil
}

// span is some events of a piece, from one until before another.
type span struct {
	p        *piece
	from, to int
}

// byTime puts all events in the order of time.
func (e *events) byTime() ([]span, error) {
	e.ordering.Lock()
	defer e.ordering.Unlock()
	if e.order != nil {
		return e.order, nil
	}
	pieces := slices.Clone(e.pieces)
	slices.SortStableFunc(pieces, func(a, b *piece) int { return cmp.Compare(a.Oldest, b.Oldest) })
	order := make([]span, 0, len(pieces))
	for len(pieces) > 0 {
		n, newest := 1, pieces[0].Newest
		for n < len(pieces) && pieces[n].Oldest < newest {
			newest = max(newest, pieces[n].Newest)
			n++
		}
		if n == 1 {
			order = append(order, span{pieces[0], 0, pieces[0].Events})
		} else if err := e.interleave(&order, pieces[:n]); err != nil {
			return nil, err
		}
		pieces = pieces[n:]
	}
	e.order = order
	return order, nil
}

// head is where merging has got in a piece.
type head struct {
	p     *piece
	times []int64
	row   int
}

type heads []head

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return h[i].times[h[i].row] < h[j].times[h[j].row] }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heads) Push(x any)        { *h = append(*h, x.(head)) }
func (h *heads) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

// interleave merges pieces whose times overlap.
func (e *events) interleave(order *[]span, pieces []*piece) error {
	var h heads
	for _, p := range pieces {
		times, err := e.at(p)
		if err != nil {
			return err
		}
		h = append(h, head{p, times, 0})
	}
	heap.Init(&h)
	for len(h) > 0 {
		first := &h[0]
		until := len(first.times)
		if len(h) > 1 {
			next := h[1].times[h[1].row]
			if len(h) > 2 {
				next = min(next, h[2].times[h[2].row])
			}
			for n := first.row + 1; n < until; n++ {
				if first.times[n] > next {
					until = n
				}
			}
		}
		*order = append(*order, span{first.p, first.row, until})
		if first.row = until; until == len(first.times) {
			heap.Pop(&h)
		} else {
			heap.Fix(&h, 0)
		}
	}
	return nil
}

// stopped is why the query must end; nil if it need not.
func (e *events) stopped() error {
	if e.ctx.Err() != nil {
		return fault.Wrap(context.Cause(e.ctx), "run the query")
	}
	return nil
}
