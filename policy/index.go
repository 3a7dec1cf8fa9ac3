package policy

import (
	"maps"
	"slices"
	"strings"
	"unsafe"
)

// index finds the rules of one language that may apply to an action.
//
// An action that some rule names in full has its own list, worked out when the
// index is made. Any other action goes by its service (what stands before the
// colon): the list holds each rule with a wildcard there, marked where the action
// must still be compared. Actions of other services share one list.
type index struct {
	slots  []slot   // open addressing, a power of two in size
	lists  []uint32 // candidates by action: see list
	globs  []glob   // the resource patterns of all rules, then the patterns of their tests
	tests  []test   // of all rules
	srcs   []*Rule  // of all rules
	filter filter
	rules  []rule // those that deny come first
}

// slot is the place of a name in the table: hash 0 is a free one.
type slot struct{ hash, list uint32 }

// filter tells actions that a policy cannot match, mostly, before its index is
// touched: by their service and, where no rule of the service has a wildcard, by their
// whole name.
type filter struct {
	// services are hashed to 32 bits, twice: the lower half has those that rules are
	// about, the upper half those with rules for actions not named in full.
	services uint64

	// actions are those named in full, hashed to 63 bits; the top bit says that some rule
	// denies.
	actions uint64
}

const (
	everyService = 1<<64 - 1
	anyDeny      = 1 << 63
)

func serviceBit(hash uint32) uint8 { return uint8(hash >> 27) }
func actionBit(hash uint32) uint8  { return uint8(uint64(hash) * 63 >> 32) }

// passes is 1 if the policy may have rules for the action, and else 0.
func (f *filter) passes(a *actionName) int {
	s := f.services >> (a.serviceBit & 63)
	return int(s & (s>>32 | f.actions>>(a.actionBit&63)) & 1)
}

func (f *filter) addService(hash uint32) { f.services |= (1 | 1<<32) << serviceBit(hash) }

func (f *filter) addAction(service, hash uint32) {
	f.services |= 1 << serviceBit(service)
	f.actions |= 1 << actionBit(hash)
}

// A list begins with these words. Its name follows, in as many words as it takes, and
// its members: first the rules that deny, then those that allow.
const (
	listDeny = iota // how many rules deny
	listAll         // how many there are
	listLen         // length of the name; serviceName marks a service
	listName
)

// member is a rule as a list has it, with all that most decisions need of it: what is
// looked at together lies together.
type member [5]uint32

const (
	memberRule     = iota // its number; compareAction if the action must be compared
	memberGlobs           // resource patterns; if there are any, one must match
	memberGlobsEnd        //
	memberTests           // all must hold
	memberTestsEnd        // hasMore if there is more to look at in rules
)

const (
	compareAction = 1 << 31
	hasMore       = 1 << 31
	serviceName   = 1 << 31
	otherActions  = 0 // the list for actions that are not in the table
)

// nameWords is how many words a name of a length takes.
func nameWords(n uint32) uint32 { return (n + 3) / 4 }

// members returns the members of a list, and how many of them deny.
func members(list []uint32) (all []member, denies int) {
	n := int(list[listAll])
	if n == 0 {
		return nil, 0
	}
	first := list[listName+nameWords(list[listLen]&^serviceName):][:n*len(member{})]
	return unsafe.Slice((*member)(first), n), int(list[listDeny])
}

// tableEntry is what a table is made from.
type tableEntry struct {
	name    string
	mark    uint32
	members []uint32
}

// lookup returns the list for an action: its own, that of its service, or the one of
// all others.
func (ix *index) lookup(a *actionName) []uint32 {
	last := uint32(len(ix.slots) - 1)
	for i := a.hash; ; i++ {
		s := ix.slots[i&last]
		if s.hash == a.hash {
			if l := ix.lists[s.list:]; named(l, a.name, 0) {
				return l
			}
		}
		if s.hash == 0 {
			break
		}
	}
	for i := a.serviceHash; ; i++ {
		s := ix.slots[i&last]
		if s.hash == a.serviceHash {
			if l := ix.lists[s.list:]; named(l, a.service(), serviceName) {
				return l
			}
		}
		if s.hash == 0 {
			return ix.lists[otherActions:]
		}
	}
}

// named tells whether a list has a name of the kind that mark says.
func named(list []uint32, name string, mark uint32) bool {
	n := len(name)
	return list[listLen] == uint32(n)|mark && (n == 0 || same(unsafe.String((*byte)(unsafe.Pointer(&list[listName])), n), name))
}

// actionName is a request's action, ready to be looked up in any index.
type actionName struct {
	name        string // lower case
	hash        uint32
	serviceHash uint32
	serviceLen  int
	serviceBit  uint8
	actionBit   uint8
}

func makeActionName(lower string) actionName {
	a := actionName{name: lower, hash: hashName(lower), serviceLen: max(0, strings.IndexByte(lower, ':'))}
	a.serviceHash = hashName(a.service())
	a.serviceBit, a.actionBit = serviceBit(a.serviceHash), actionBit(a.hash)
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
	for i := range what.test.globs() {
		u.add(&what.test.globs()[i])
	}
	return u
}

func (u *actionUse) add(g *glob) {
	service := serviceOf(g.prefix())
	switch {
	case g.shape == shapeExact:
		u.full = append(u.full, g.prefix())
	case g.any():
		u.whole = true
	case !strings.Contains(g.prefix(), ":"):
		u.open = true
	case g.shape == shapePrefix && int(g.pre) == len(service)+1:
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
	other   []uint32
	entries []tableEntry
	members []member // by rule
}

// newIndex makes an index over rules, which it sorts: those that deny come first.
func newIndex(rules []rule) *index {
	slices.SortStableFunc(rules, func(a, b rule) int { return int(b.src.Effect) - int(a.src.Effect) })
	x := &indexer{ix: &index{rules: rules}}
	naming := map[string][]uint32{} // by name in full: the rules that have it
	bound := map[string][]uint32{}  // by service: the rules that name it
	var global []uint32
	for i := range rules {
		u := useOf(rules[i].what)
		x.uses = append(x.uses, u)
		for _, name := range u.full {
			naming[name] = appendOnce(naming[name], uint32(i))
			s := serviceOf(name)
			bound[s] = append(bound[s], nil...) // the service is named, if no rule goes by it
		}
		for s := range u.services {
			bound[s] = appendOnce(bound[s], uint32(i))
		}
		if u.everywhere() {
			global = append(global, uint32(i))
		}
	}
	x.other = x.inService("", global, false)
	if len(rules) > 0 && rules[0].src.Effect == Deny {
		x.ix.filter.actions = anyDeny
	}
	if len(global) > 0 {
		x.ix.filter.services = everyService
	}
	x.addServices(bound, global)
	x.addActions(naming, bound, global)
	x.place()
	x.makeTable()
	x.ix.pack()
	return x.ix.gather()
}

// makeTable writes the lists and the table over their names.
func (x *indexer) makeTable() {
	size := 2
	for size < 2*len(x.entries) {
		size *= 2
	}
	ix := x.ix
	ix.slots = make([]slot, size)
	x.addList("", 0, x.other)
	for _, e := range x.entries {
		h := hashName(e.name)
		i := h & uint32(size-1)
		for ix.slots[i].hash != 0 {
			i = (i + 1) & uint32(size-1)
		}
		ix.slots[i] = slot{h, uint32(len(ix.lists))}
		x.addList(e.name, e.mark, e.members)
	}
	ix.lists = slices.Clip(ix.lists)
}

func (x *indexer) addList(name string, mark uint32, rules []uint32) {
	denies := uint32(0)
	for _, r := range rules {
		if x.ix.rules[r&^compareAction].src.Effect == Deny {
			denies++
		}
	}
	words := make([]uint32, nameWords(uint32(len(name))))
	if len(words) > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(name)), name)
	}
	lists := append(append(x.ix.lists, denies, uint32(len(rules)), uint32(len(name))|mark), words...)
	for _, r := range rules {
		m := x.members[r&^compareAction]
		m[memberRule] = r
		lists = append(lists, m[:]...)
	}
	x.ix.lists = lists
}

// place works out where the patterns and tests of each rule will lie.
func (x *indexer) place() {
	globs, tests := uint32(0), uint32(0)
	for i := range x.ix.rules {
		r := &x.ix.rules[i]
		m := member{memberGlobs: globs, memberTests: tests}
		globs, tests = globs+uint32(len(r.where)), tests+uint32(len(r.tests))
		m[memberGlobsEnd], m[memberTestsEnd] = globs, tests
		if r.who != nil || r.more != nil {
			m[memberTestsEnd] |= hasMore
		}
		x.members = append(x.members, m)
	}
}

// pack moves what decisions read close together: the patterns, tests and literal
// texts of all rules each into one piece of memory.
func (ix *index) pack() {
	var where, globs []glob
	var tests []test
	for i := range ix.rules {
		r := &ix.rules[i]
		where = append(where, r.where...)
		for j := range r.tests {
			globs = append(globs, r.tests[j].globs()...)
		}
		tests = append(tests, r.tests...)
		ix.srcs = append(ix.srcs, r.src)
	}
	ix.globs, ix.tests, ix.srcs = slices.Concat(where, globs), slices.Clip(tests), slices.Clip(ix.srcs)
	var texts strings.Builder
	for i := range ix.globs {
		texts.WriteString(ix.globs[i].prefix())
		texts.WriteString(ix.globs[i].suffix())
	}
	all := texts.String()
	for i := range ix.globs {
		g := &ix.globs[i]
		g.keep(all)
		all = all[g.pre+g.suf:]
	}
	ix.refer()
}

// refer makes the rules point to the patterns and tests of the index, which lie in
// their order.
func (ix *index) refer() {
	n := 0
	for i := range ix.rules {
		n += len(ix.rules[i].where)
	}
	where, globs, tests := ix.globs[:n], ix.globs[n:], ix.tests
	for i := range ix.rules {
		r := &ix.rules[i]
		r.where, where = split(where, len(r.where))
		r.tests, tests = split(tests, len(r.tests))
		for j := range r.tests {
			t := &r.tests[j]
			if n := len(t.globs()); n > 0 {
				var own []glob
				own, globs = split(globs, n)
				t.setGlobs(own)
			}
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

// addServices makes lists for the services that some rule names; one whose list is
// that of any other service needs no entry.
func (x *indexer) addServices(bound map[string][]uint32, global []uint32) {
	for _, s := range slices.Sorted(maps.Keys(bound)) {
		members := x.inService(s, merge(bound[s], global), true)
		if len(members) > 0 {
			x.ix.filter.addService(hashName(s))
		}
		if !slices.Equal(members, x.other) {
			x.entries = append(x.entries, tableEntry{s, serviceName, members})
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
		if len(members) > 0 {
			x.ix.filter.addAction(hashName(serviceOf(name)), hashName(name))
		}
		x.entries = append(x.entries, tableEntry{name, 0, members})
	}
}

// smallRoom and mediumRoom are an index and what decisions read of it in one piece of
// memory: policies are many and small, and pieces here and there cost more than
// their size.
type smallRoom struct {
	index
	room struct {
		slots [16]slot
		lists [96]uint32
		srcs  [4]*Rule
		globs [8]glob
		tests [4]test
	}
}

type mediumRoom struct {
	index
	room struct {
		slots [32]slot
		lists [224]uint32
		srcs  [8]*Rule
		globs [20]glob
		tests [8]test
	}
}

// gather moves the index into the smallest room that it fits in, if any.
func (ix *index) gather() *index {
	if r := new(smallRoom); ix.moveTo(&r.index, r.room.slots[:], r.room.lists[:], r.room.globs[:], r.room.tests[:], r.room.srcs[:]) {
		return &r.index
	}
	if r := new(mediumRoom); ix.moveTo(&r.index, r.room.slots[:], r.room.lists[:], r.room.globs[:], r.room.tests[:], r.room.srcs[:]) {
		return &r.index
	}
	return ix
}

func (ix *index) moveTo(to *index, slots []slot, lists []uint32, globs []glob, tests []test, srcs []*Rule) bool {
	if len(ix.slots) > len(slots) || len(ix.lists) > len(lists) || len(ix.globs) > len(globs) || len(ix.tests) > len(tests) || len(ix.srcs) > len(srcs) {
		return false
	}
	*to = *ix
	to.slots = slots[:copy(slots, ix.slots)]
	to.lists = lists[:copy(lists, ix.lists)]
	to.srcs = srcs[:copy(srcs, ix.srcs)]
	to.globs = globs[:copy(globs, ix.globs)]
	to.tests = tests[:copy(tests, ix.tests)]
	to.refer()
	return true
}
