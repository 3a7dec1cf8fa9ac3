package query

import (
	"cmp"
	"database/sql/driver"
	"slices"
	"strconv"
	"strings"
)

// inOrder puts events in the order of columns that have few values, as a plan spells
// it: each event is counted once for each column, which takes a fraction of what
// comparing them would. Where columns say nothing, they stay in the order of time.
func (t *table) inOrder(plan string) ([]uint32, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.sorted[plan]; ok {
		return known, nil
	}
	all, err := t.events()
	if err != nil {
		return nil, err
	}
	other := make([]uint32, len(all))
	for plan := plan; plan != ""; {
		i := strings.LastIndexAny(plan, "<>")
		n, err := strconv.Atoi(plan[i+1:])
		if err != nil {
			return nil, err
		}
		if err := t.sortBy(all, other, column(n), plan[i] == '>'); err != nil {
			return nil, err
		}
		all, other, plan = other, all, plan[:i]
	}
	if t.sorted == nil {
		t.sorted = map[string][]uint32{}
	}
	t.sorted[plan] = all
	return all, nil
}

// events lists what the table has, in the order of time.
func (t *table) events() (all []uint32, err error) {
	order, err := t.e.byTime()
	if err != nil {
		return nil, err
	}
	for _, s := range order {
		if err := t.e.stopped(); err != nil {
			return nil, err
		}
		for row := s.from; row < s.to; row++ {
			if (!t.found || has(s.p.hit, row)) && s.p.sees(row) {
				all = append(all, s.p.place<<16|uint32(row))
			}
		}
	}
	return all, nil
}

// sortBy moves events to to, sorted by a column: a counting sort, which is stable.
func (t *table) sortBy(from, to []uint32, c column, down bool) error {
	ranks, values, err := t.ranks(c, down)
	if err != nil {
		return err
	}
	starts := make([]int, values+1)
	rank := func(x uint32) uint32 {
		p := x >> 16
		return ranks[p].of[ranks[p].data.code(int(x&0xffff))]
	}
	for _, x := range from {
		starts[rank(x)+1]++
	}
	for i := range values {
		starts[i+1] += starts[i]
	}
	for _, x := range from {
		r := rank(x)
		to[starts[r]] = x
		starts[r]++
	}
	return t.e.stopped()
}

// ranking says which place each value of a column has among those of all pieces.
type ranking struct {
	data *data
	of   []uint32
}

func (t *table) ranks(c column, down bool) ([]ranking, int, error) {
	places := map[driver.Value]uint32{}
	all := make([]ranking, len(t.e.pieces))
	for i, p := range t.e.pieces {
		d, err := t.e.column(p, c)
		if err != nil {
			return nil, 0, err
		}
		all[i].data = d
		for _, v := range d.values {
			places[v] = 0
		}
	}
	values := make([]driver.Value, 0, len(places))
	for v := range places {
		values = append(values, v)
	}
	slices.SortFunc(values, compare)
	if down {
		slices.Reverse(values)
	}
	for i, v := range values {
		places[v] = uint32(i)
	}
	for i := range all {
		for _, v := range all[i].data.values {
			all[i].of = append(all[i].of, places[v])
		}
	}
	return all, len(values), nil
}

// compare compares values as SQLite does: NULL, numbers, texts.
func compare(a, b driver.Value) int {
	kind := func(v driver.Value) int {
		switch v.(type) {
		case nil:
			return 0
		case int64:
			return 1
		}
		return 2
	}
	if kind(a) != kind(b) {
		return cmp.Compare(kind(a), kind(b))
	}
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return strings.Compare(a, b.(string))
	}
	return 0
}
