package policy

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strings"
)

// index finds the rules of one language that may apply to an action.
//
// An action that some rule names in full has its own list, worked out when the
// index is made. Any other action goes by its service (what stands before the
// colon): the list holds each rule with a wildcard there, marked where the action
// must still be compared. Actions of other services share one list.
type index struct {
	table   table
	members []uint32 // rule numbers; the top bit says that the action must be compared
	gates   []gate   // what most decisions need of each rule
	globs   []glob   // of all rules
	tests   []test   // of all rules
	rules   []rule   // those that deny come first
	other   list     // for actions in no table
	filter  filter
}

// gate is a rule as decisions mostly see it: small, so that several share what the
// processor loads at once.
type gate struct {
	src             *Rule
	globs, globsEnd uint32 // resource patterns; if there are any, one must match
	tests, testsEnd uint32 // all must hold
	more            bool   // there is more to look at in rules
}

// filter tells actions that a policy cannot match, mostly: the services that have
// rules for actions not named in full are hashed to the lower 16 bits, the actions
// named in full to the upper 48.
type filter uint64

const everyService filter = 1<<16 - 1

func serviceFilter(hash uint32) filter { return 1 << (hash >> 28) }
func actionFilter(hash uint32) filter  { return 1 << (16 + uint64(hash)*48>>32) }

// list is a run of members: first the rules that deny, then those that allow. A list
// of one member holds it itself: it is the number from, and to is single.
type list struct{ from, allow, to uint32 }

const (
	compareAction = 1 << 31
	single        = math.MaxUint32
)

// parts returns the members that deny and those that allow; room is for a single one.
func (ix *index) parts(l *list, room *[1]uint32) (deny, allow []uint32) {
	if l.to != single {
		return ix.members[l.from:l.allow], ix.members[l.allow:l.to]
	}
	room[0] = l.from
	return room[:l.allow], room[l.allow:]
}

// table maps action names and services to lists; open addressing, a power of two in
// size.
type table struct {
	slots []slot
	names string
}

type slot struct {
	hash uint32 // 0: free
	off  uint32
	len  uint32 // the top bit marks a service
	list list
}

const serviceName = 1 << 31

// find looks up a name of the kind that mark says.
func (t *table) find(name string, hash, mark uint32) *list {
	n := uint32(len(t.slots))
	if n == 0 {
		return nil
	}
	for i := hash & (n - 1); ; i = (i + 1) & (n - 1) {
		s := &t.slots[i]
		if s.hash == hash && s.len == uint32(len(name))|mark && t.names[s.off:][:len(name)] == name {
			return &s.list
		}
		if s.hash == 0 {
			return nil
		}
	}
}

// tableEntry is what a table is made from.
type tableEntry struct {
	name string
	mark uint32
	list list
}

func makeTable(entries []tableEntry) table {
	if len(entries) == 0 {
		return table{}
	}
	size := 2
	for size < len(entries)+len(entries)/2 {
		size *= 2
	}
	t := table{slots: make([]slot, size)}
	var names strings.Builder
	for _, e := range entries {
		h := hashName(e.name)
		i := h & uint32(size-1)
		for t.slots[i].hash != 0 {
			i = (i + 1) & uint32(size-1)
		}
		t.slots[i] = slot{h, uint32(names.Len()), uint32(len(e.name)) | e.mark, e.list}
		names.WriteString(e.name)
	}
	t.names = names.String()
	return t
}

// lookup returns the candidates for an action.
func (ix *index) lookup(a *actionName) *list {
	if l := ix.table.find(a.name, a.hash, 0); l != nil {
		return l
	}
	if l := ix.table.find(a.service(), a.serviceHash, serviceName); l != nil {
		return l
	}
	return &ix.other
}

// actionName is a request's action, ready to be looked up in any index.
type actionName struct {
	name        string // lower case
	hash        uint32
	serviceHash uint32
	serviceLen  int
	filter      filter
}

func makeActionName(lower string) actionName {
	a := actionName{name: lower, hash: hashName(lower), serviceLen: max(0, strings.IndexByte(lower, ':'))}
	a.serviceHash = hashName(a.service())
	a.filter = serviceFilter(a.serviceHash) | actionFilter(a.hash)
	return a
}

// service is what stands before the first colon, or "".
func (a *actionName) service() string { return a.name[:a.serviceLen] }

// actionUse is what a rule's What says about actions, read off its patterns.
type actionUse struct {
	full     []string        // names in full
	services map[string]bool // services with a wildcard in the name; true: all their actions
	open     bool            // has a pattern that may match in any service
	whole    bool            // has the pattern "*"
	not      bool            // the patterns say what the rule does not match
	complex  bool            // not a list of patterns: compare always
}

func useOf(what *node) actionUse {
	u := actionUse{services: map[string]bool{}}
	switch {
	case what == nil:
		u.whole = true
		return u
	case what.kind == nodeNot:
		u.not, what = true, &what.kids[0]
	}
	if what.kind != nodeTest || what.test.of != FromAction {
		return actionUse{complex: true}
	}
	for i := range what.test.globs {
		u.add(&what.test.globs[i])
	}
	return u
}

func (u *actionUse) add(g *glob) {
	service := serviceOf(g.pre)
	switch {
	case g.shape == shapeExact:
		u.full = append(u.full, g.pre)
	case g.any():
		u.whole = true
	case !strings.Contains(g.pre, ":"):
		u.open = true
	case g.shape == shapePrefix && len(g.pre) == len(service)+1:
		u.services[service] = true
	case !u.services[service]:
		u.services[service] = false // used, if not as a whole
	}
}

// in tells whether the rule may match actions of a service that no rule names in
// full, and whether they must be compared.
func (u *actionUse) in(service string) (member, compare bool) {
	if u.complex {
		return true, true
	}
	all, named := u.services[service]
	if u.not {
		return !u.whole && !all, u.open || named
	}
	if u.whole || all {
		return true, false
	}
	return u.open || named, true
}

// everywhere tells whether the rule may match actions of services it does not name.
func (u *actionUse) everywhere() bool {
	return u.complex || u.not || u.open || u.whole
}

// indexer makes an index.
type indexer struct {
	ix      *index
	uses    []actionUse
	entries []tableEntry
	known   map[string]list // lists by content
	key     []byte
}

// newIndex makes an index over rules, which it sorts: those that deny come first.
func newIndex(rules []rule) *index {
	slices.SortStableFunc(rules, func(a, b rule) int { return int(b.src.Effect) - int(a.src.Effect) })
	x := &indexer{ix: &index{rules: rules}, known: map[string]list{}}
	naming := map[string][]uint32{} // by name in full: the rules that have it
	bound := map[string][]uint32{}  // by service: the rules that name it
	var global []uint32
	for i := range rules {
		u := useOf(rules[i].what)
		x.uses = append(x.uses, u)
		for _, name := range u.full {
			naming[name] = appendOnce(naming[name], uint32(i))
			s := serviceOf(name)
			bound[s] = append(bound[s], nil...)
		}
		for s := range u.services {
			bound[s] = appendOnce(bound[s], uint32(i))
		}
		if u.everywhere() {
			global = append(global, uint32(i))
		}
	}
	x.ix.other = x.list(x.inService("", global, false))
	if len(global) > 0 {
		x.ix.filter = everyService
	}
	x.addServices(bound, global)
	x.addActions(naming, bound, global)
	x.ix.table = makeTable(x.entries)
	x.ix.pack()
	return x.ix.gather()
}

// pack moves what decisions read close together: the patterns, tests and literal
// texts of all rules each into one piece of memory.
func (ix *index) pack() {
	var globs []glob
	var tests []test
	var texts strings.Builder
	for i := range ix.rules {
		r := &ix.rules[i]
		globs = append(globs, r.where...)
		for j := range r.tests {
			globs = append(globs, r.tests[j].globs...)
		}
		tests = append(tests, r.tests...)
	}
	texts.WriteString(ix.table.names)
	for i := range globs {
		texts.WriteString(globs[i].pre)
		texts.WriteString(globs[i].suf)
	}
	globs, tests = slices.Clip(globs), slices.Clip(tests)
	ix.globs, ix.tests, ix.gates = globs, tests, make([]gate, len(ix.rules))
	all := texts.String()
	take := func(n int) (s string) {
		s, all = all[:n], all[n:]
		return s
	}
	ix.table.names = take(len(ix.table.names))
	for i := range globs {
		g := &globs[i]
		g.pre, g.suf = take(len(g.pre)), take(len(g.suf))
	}
	ix.refer()
}

// refer makes gates and rules point to the patterns and tests of the index, which lie
// in the order of the rules.
func (ix *index) refer() {
	globs, tests := ix.globs, ix.tests
	for i := range ix.rules {
		r, g := &ix.rules[i], &ix.gates[i]
		g.src, g.more = r.src, r.who != nil || r.more != nil
		g.globs = uint32(len(ix.globs) - len(globs))
		g.globsEnd = g.globs + uint32(len(r.where))
		g.tests = uint32(len(ix.tests) - len(tests))
		g.testsEnd = g.tests + uint32(len(r.tests))
		r.where, globs = split(globs, len(r.where))
		r.tests, tests = split(tests, len(r.tests))
		for j := range r.tests {
			t := &r.tests[j]
			t.globs, globs = split(globs, len(t.globs))
		}
	}
}

func split[T any](s []T, n int) (head, tail []T) { return s[:n:n], s[n:] }

func appendOnce(ns []uint32, n uint32) []uint32 {
	if len(ns) > 0 && ns[len(ns)-1] == n {
		return ns
	}
	return append(ns, n)
}

// merge returns two ascending lists as one.
func merge(a, b []uint32) []uint32 {
	out := make([]uint32, 0, len(a)+len(b))
	out = append(append(out, a...), b...)
	slices.Sort(out)
	return slices.Compact(out)
}

// inService marks those of the rules that may match in a service; bound is false
// for the services that no rule names.
func (x *indexer) inService(service string, rules []uint32, bound bool) []uint32 {
	var out []uint32
	for _, n := range rules {
		u := &x.uses[n]
		if !bound {
			u = &actionUse{open: u.open, whole: u.whole, not: u.not, complex: u.complex}
		}
		if member, compare := u.in(service); member {
			if compare {
				n |= compareAction
			}
			out = append(out, n)
		}
	}
	return out
}

// list stores the members; equal lists are stored once.
func (x *indexer) list(members []uint32) list {
	x.key = x.key[:0]
	denies := uint32(0)
	for _, m := range members {
		x.key = binary.LittleEndian.AppendUint32(x.key, m)
		if x.ix.rules[m&^compareAction].src.Effect == Deny {
			denies++
		}
	}
	if len(members) == 1 {
		return list{members[0], denies, single}
	}
	if l, ok := x.known[string(x.key)]; ok {
		return l
	}
	from := uint32(len(x.ix.members))
	x.ix.members = append(x.ix.members, members...)
	l := list{from, from + denies, uint32(len(x.ix.members))}
	x.known[string(x.key)] = l
	return l
}

// addServices makes lists for the services that some rule names; one whose list is
// that of any other service needs no entry.
func (x *indexer) addServices(bound map[string][]uint32, global []uint32) {
	for _, s := range slices.Sorted(maps.Keys(bound)) {
		members := x.inService(s, merge(bound[s], global), true)
		if len(members) > 0 {
			x.ix.filter |= serviceFilter(hashName(s))
		}
		if l := x.list(members); l != x.ix.other {
			x.entries = append(x.entries, tableEntry{s, serviceName, l})
		}
	}
}

func (x *indexer) addActions(naming, bound map[string][]uint32, global []uint32) {
	var none env // no name in full depends on a request
	for _, name := range slices.Sorted(maps.Keys(naming)) {
		var members []uint32
		for _, n := range merge(merge(bound[serviceOf(name)], global), naming[name]) {
			switch r := &x.ix.rules[n]; {
			case x.uses[n].complex:
				members = append(members, n|compareAction)
			case r.what == nil || r.what.matches(name, &none):
				members = append(members, n)
			}
		}
		x.ix.filter |= actionFilter(hashName(name))
		x.entries = append(x.entries, tableEntry{name, 0, x.list(members)})
	}
}

// smallRoom and mediumRoom are an index and what decisions read of it in one piece of
// memory: policies are many and small, and pieces here and there cost more than
// their size.
type smallRoom struct {
	index
	room struct {
		slots   [16]slot
		gates   [4]gate
		members [8]uint32
		globs   [8]glob
		tests   [4]test
	}
}

type mediumRoom struct {
	index
	room struct {
		slots   [32]slot
		gates   [8]gate
		members [24]uint32
		globs   [20]glob
		tests   [10]test
	}
}

// gather moves the index into the smallest room that it fits in, if any.
func (ix *index) gather() *index {
	if r := new(smallRoom); ix.moveTo(&r.index, r.room.slots[:], r.room.gates[:], r.room.members[:], r.room.globs[:], r.room.tests[:]) {
		return &r.index
	}
	if r := new(mediumRoom); ix.moveTo(&r.index, r.room.slots[:], r.room.gates[:], r.room.members[:], r.room.globs[:], r.room.tests[:]) {
		return &r.index
	}
	return ix
}

func (ix *index) moveTo(to *index, slots []slot, gates []gate, members []uint32, globs []glob, tests []test) bool {
	if len(ix.table.slots) > len(slots) || len(ix.gates) > len(gates) || len(ix.members) > len(members) || len(ix.globs) > len(globs) || len(ix.tests) > len(tests) {
		return false
	}
	*to = *ix
	to.table.slots = slots[:copy(slots, ix.table.slots)]
	to.gates = gates[:copy(gates, ix.gates)]
	to.members = members[:copy(members, ix.members)]
	to.globs = globs[:copy(globs, ix.globs)]
	to.tests = tests[:copy(tests, ix.tests)]
	to.refer()
	return true
}
