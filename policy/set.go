package policy

// Set is an immutable compiled policy, or several joined. It may be shared between
// principals and used by any number of goroutines.
type Set struct {
	self  [1]*Set // backs Layer.Sets, so that a decision finds the parts where it found the set
	parts [MaxLanguages][]part
	size  int // rules
	keys  *Keys
}

// part is an index behind its filter, so that a policy that cannot match is skipped
// without touching its memory.
type part struct {
	filter filter
	ix     *index
}

// inlineParts is for how many parts a set has room of its own, next to its head.
const inlineParts = 16

// roomySet is a Set and the parts of one language in one piece of memory.
type roomySet struct {
	Set
	room [inlineParts]part
}

func newSet(parts int) (*Set, []part) {
	var s *Set
	var room []part
	switch {
	case parts <= 1:
		one := &struct {
			Set
			room [1]part
		}{}
		s, room = &one.Set, one.room[:0]
	case parts <= inlineParts:
		r := &roomySet{}
		s, room = &r.Set, r.room[:0]
	default:
		s, room = &Set{}, make([]part, 0, parts)
	}
	s.self[0] = s
	return s, room
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
	s, _ := newSet(1)
	s.size, s.keys = len(rules), keys
	for l, rs := range byLang {
		if len(rs) > 0 {
			s.parts[l] = []part{newPart(rs)}
		}
	}
	return s
}

func newPart(rules []rule) part {
	ix := newIndex(rules)
	return part{ix.filter, ix}
}

// Join returns a set that stands for all the sets given. They stay shared: it costs
// 16 bytes for each of them.
func Join(sets ...*Set) *Set {
	most := 0
	for _, s := range sets {
		n := 0
		for l := range s.parts {
			n += len(s.parts[l])
		}
		most += n
	}
	out, room := newSet(most)
	for l := range out.parts {
		start := len(room)
		for _, s := range sets {
			room = append(room, s.parts[l]...)
		}
		out.parts[l] = room[start:len(room):len(room)]
	}
	for _, s := range sets {
		out.size += s.size
		out.keys = s.keys
	}
	return out
}

// Merge returns a set like Join, but with one index over all rules: decisions over
// many policies get faster, and the index takes memory of its own. It pays for a
// principal with hundreds of rules, or one that is asked about often.
func Merge(sets ...*Set) *Set {
	out := Join(sets...)
	for l := range out.parts {
		if len(out.parts[l]) < 2 {
			continue
		}
		var rules []rule
		for _, p := range out.parts[l] {
			rules = append(rules, p.ix.rules...)
		}
		out.parts[l] = []part{newPart(rules)}
	}
	return out
}

// Layer returns a layer of this set alone.
func (s *Set) Layer(kind LayerKind) Layer { return Layer{Kind: kind, Sets: s.self[:]} }

// Len returns the number of rules.
func (s *Set) Len() int { return s.size }

// Speaks tells whether the set has rules of a language.
func (s *Set) Speaks(l Language) bool { return len(s.parts[l]) > 0 }
