package query

import (
	"context"
	"encoding/binary"
	"runtime"
	"strings"
	"sync"
)

// The condition of a query is asked once for each combination of values that the
// events have in the columns that it uses. There are few: who did what from where is
// mostly the same. The engine answers, so that the condition means what it says there;
// only what it is asked about is less than all events.

// candidates are the rows that a condition is asked about.
type candidates struct {
	shared []candidate // each for many events: bits of it are in fits
	fits   []bool
	all    []*piece // every event of these by itself
}

type candidate struct {
	p   *piece
	row int
}

// maxShared is how many combinations of a piece are worth telling apart.
const maxShared = PieceLeaves / 4

// worthParallel is from how many candidates on they are shared between processors.
const worthParallel = 100_000

// choose marks the events that fit a condition.
func (e *events) choose(ctx context.Context, g *Engine, where string) error {
	if len(e.pieces) == 0 {
		return nil
	}
	// What the condition uses is known when the engine has planned it.
	probe := &candidates{}
	t, err := g.ask(ctx, e, probe, "EXPLAIN ", where)
	if err != nil {
		return err
	}
	used, together := t.columnsUsed(), true
	if strings.Contains(strings.ToLower(where), "random") {
		together = false // each event by itself
	}
	for _, c := range used {
		together = together && c.listed()
	}
	m := &mapping{e: e, used: used, known: map[string]int{}}
	e.want(used)
	if err := m.read(together); err != nil {
		return err
	}
	if err := m.ask(ctx, g, where); err != nil {
		return err
	}
	return m.mark()
}

// mapping says which candidate stands for which events.
type mapping struct {
	e    *events
	used []column

	mu    sync.Mutex
	known map[string]int // combinations by their spelling: places in shared
	candidates
	groups map[*piece]*grouping
}

// grouping says which candidate stands for each event of a piece.
type grouping struct {
	of     []uint16 // event by event, a place in shared; nil = all are in the first
	shared []int    // places in mapping.shared
}

// read finds the combinations that there are.
func (m *mapping) read(together bool) error {
	m.groups = map[*piece]*grouping{}
	if !together {
		m.all = m.e.pieces
		return nil
	}
	return m.e.each(func(p *piece) error {
		x, err := m.combine(p)
		if err != nil {
			return err
		}
		g, examples := x.group(p)
		m.mu.Lock()
		defer m.mu.Unlock()
		if g == nil {
			m.all = append(m.all, p)
			return nil
		}
		for _, row := range examples {
			spelled := x.spell(row)
			n, ok := m.known[spelled]
			if !ok {
				n = len(m.shared)
				m.known[spelled] = n
				m.shared = append(m.shared, candidate{p, row})
			}
			g.shared = append(g.shared, n)
		}
		m.groups[p] = g
		return nil
	})
}

// ask asks the condition about the candidates.
func (m *mapping) ask(ctx context.Context, g *Engine, where string) error {
	m.fits = make([]bool, len(m.shared))
	n := len(m.shared)
	for _, p := range m.all {
		n += p.Events
	}
	if n == 0 {
		return nil
	}
	workers := runtime.GOMAXPROCS(0)
	if n < worthParallel || workers < 2 {
		_, err := g.ask(ctx, m.e, &m.candidates, "", where)
		return err
	}
	parts := make([]candidates, workers)
	for i, p := range m.all {
		parts[i%workers].all = append(parts[i%workers].all, p)
	}
	parts[0].shared, parts[0].fits = m.shared, m.fits
	errs := make([]error, workers)
	var working sync.WaitGroup
	for i := range parts {
		working.Go(func() { _, errs[i] = g.ask(ctx, m.e, &parts[i], "", where) })
	}
	working.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// mark marks the events whose combination fits.
func (m *mapping) mark() error {
	return m.e.each(func(p *piece) error {
		g := m.groups[p]
		if g == nil {
			return nil // its events were asked about by themselves
		}
		fits := make([]bool, len(g.shared))
		some := false
		for i, n := range g.shared {
			fits[i] = m.fits[n]
			some = some || fits[i]
		}
		for row := 0; some && row < p.Events; row++ {
			if (g.of == nil || fits[g.of[row]]) && p.sees(row) {
				set(p.hit, row)
			}
		}
		return nil
	})
}

// each calls do for every piece, on as many goroutines as there are processors.
func (e *events) each(do func(*piece) error) error {
	workers := min(runtime.GOMAXPROCS(0), len(e.pieces))
	errs := make([]error, workers)
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() {
			for i := w; i < len(e.pieces) && errs[w] == nil; i += workers {
				if errs[w] = e.stopped(); errs[w] == nil {
					errs[w] = do(e.pieces[i])
				}
			}
		})
	}
	working.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// combination makes one number of what an event has in several columns of a piece.
type combination struct {
	cols  []*data
	sizes []uint64
	most  uint64 // how many combinations there can be; 0 = more than can be counted
}

func (m *mapping) combine(p *piece) (*combination, error) {
	x := &combination{most: 1}
	for _, c := range m.used {
		d, err := m.e.column(p, c)
		if err != nil {
			return nil, err
		}
		n := uint64(len(d.values))
		x.cols, x.sizes = append(x.cols, d), append(x.sizes, n)
		if x.most > (1<<62)/n {
			x.most = 0
		}
		x.most *= n
	}
	return x, nil
}

func (x *combination) key(row int) (k uint64) {
	for i, d := range x.cols {
		k *= x.sizes[i]
		if d.codes != nil {
			k += uint64(d.codes[row])
		}
	}
	return k
}

// maxTable is up to how many combinations a table is worth it.
const maxTable = 1 << 18

// group tells the events of a piece apart, with an event of each group as an example;
// nil if there are too many groups.
func (x *combination) group(p *piece) (g *grouping, examples []int) {
	if x.most == 0 {
		return nil, nil
	}
	table, sparse := []uint16(nil), map[uint64]uint16(nil) // place in examples and one
	if x.most <= maxTable {
		table = make([]uint16, x.most)
	} else {
		sparse = map[uint64]uint16{}
	}
	g = &grouping{}
	if x.most > 1 {
		g.of = make([]uint16, p.Events)
	}
	for row := range p.Events {
		if !p.sees(row) {
			continue
		}
		k := x.key(row)
		var n uint16
		if table != nil {
			n = table[k]
		} else {
			n = sparse[k]
		}
		if n == 0 {
			if examples = append(examples, row); len(examples) > maxShared {
				return nil, nil
			}
			n = uint16(len(examples))
			if table != nil {
				table[k] = n
			} else {
				sparse[k] = n
			}
		}
		if g.of == nil {
			break // one group
		}
		g.of[row] = n - 1
	}
	return g, examples
}

// spell spells what an event has, so that it can be recognized in other pieces.
func (x *combination) spell(row int) string {
	var b []byte
	for _, d := range x.cols {
		switch v := d.value(row).(type) {
		case string:
			b = append(binary.AppendUvarint(append(b, 's'), uint64(len(v))), v...)
		case int64:
			b = binary.AppendVarint(append(b, 'i'), v)
		default:
			b = append(b, 'n')
		}
	}
	return string(b)
}
