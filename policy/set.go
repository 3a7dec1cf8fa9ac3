package policy

// Set is an immutable compiled policy, or several joined. It may be shared between
// principals and used by any number of goroutines.
//
// Its head is what the processor loads at once; the parts follow in the same piece of
// memory, as far as there is room.
type Set struct {
	self  [1]*Set // backs Layer.Sets, so that a decision finds the parts where it found the set
	parts []part  // by language
	keys  *Keys
	size  uint32                   // rules
	from  [MaxLanguages + 1]uint32 // where the parts of a language begin, and the last end
}

// part is an index behind its filter, so that a policy that cannot match is skipped
// without touching its memory.
type part struct {
	filter
	ix *index
}

// in returns the parts of a language.
func (s *Set) in(l Language) []part { return s.parts[s.from[l]:s.from[l+1]] }

// roomySet is a Set with room for the parts of most principals.
type roomySet struct {
	Set
	room [16]part
}

// newSet makes a set of parts by language.
func newSet(keys *Keys, size int, by [MaxLanguages][]part) *Set {
	n := 0
	for _, parts := range by {
		n += len(parts)
	}
	var s *Set
	var room []part
	if one := new(struct {
		Set
		room [1]part
	}); n <= len(one.room) {
		s, room = &one.Set, one.room[:0]
	} else if r := new(roomySet); n <= len(r.room) {
		s, room = &r.Set, r.room[:0]
	} else {
		s, room = new(Set), make([]part, 0, n)
	}
	s.self[0], s.keys, s.size = s, keys, uint32(size)
	for l, parts := range by {
		room = append(room, parts...)
		s.from[l+1] = uint32(len(room))
	}
	s.parts = room
	return s
}

// Compile compiles rules, which must not be changed afterwards. keys numbers the
// context keys for the Context that will be asked; nil if it goes by name.
func Compile(rules []Rule, keys *Keys) *Set {
	c := &compiler{keys: keys}
	var byLang [MaxLanguages][]rule
	for i := range rules {
		l := rules[i].Lang
		byLang[l] = append(byLang[l], c.rule(&rules[i]))
	}
	var parts [MaxLanguages][]part
	for l, rs := range byLang {
		if len(rs) > 0 {
			parts[l] = []part{newPart(rs)}
		}
	}
	return newSet(keys, len(rules), parts)
}

func newPart(rules []rule) part {
	ix := newIndex(rules)
	return part{ix.filter, ix}
}

// Join returns a set that stands for all the sets given. They stay shared: it costs
// 16 bytes for each of them.
func Join(sets ...*Set) *Set { return join(sets, func(parts []part) []part { return parts }) }

// join gathers the parts of each language and hands them to pack.
func join(sets []*Set, pack func([]part) []part) *Set {
	var by [MaxLanguages][]part
	var keys *Keys
	size := 0
	for _, s := range sets {
		for l := range by {
			by[l] = append(by[l], s.in(Language(l))...)
		}
		keys, size = s.keys, size+s.Len()
	}
	for l := range by {
		by[l] = pack(by[l])
	}
	return newSet(keys, size, by)
}

// Merge returns a set like Join, but with one index over all rules: decisions over
// many policies get faster, and the index takes memory of its own. It pays for a
// principal with hundreds of rules, or one that is asked about often.
func Merge(sets ...*Set) *Set {
	return join(sets, func(parts []part) []part {
		if len(parts) < 2 {
			return parts
		}
		var rules []rule
		for _, p := range parts {
			rules = append(rules, p.ix.rules...)
		}
		return []part{newPart(rules)}
	})
}

// Layer returns a layer of this set alone.
func (s *Set) Layer(kind LayerKind) Layer { return Layer{Kind: kind, Sets: s.self[:]} }

// Len returns the number of rules.
func (s *Set) Len() int { return int(s.size) }

// Speaks tells whether the set has rules of a language.
func (s *Set) Speaks(l Language) bool { return len(s.in(l)) > 0 }
