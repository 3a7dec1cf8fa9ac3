package policy

// Set is an immutable compiled policy, or several joined. It may be shared between
// principals and used by any number of goroutines.
type Set struct {
	parts [MaxLanguages][]part
	size  int // rules
	keys  *Keys
}

// part is an index behind the services that it has rules for, so that a policy
// that cannot match is skipped without touching its memory.
type part struct {
	mask uint64
	ix   *index
}

// Compile compiles rules, which must not be changed afterwards. keys numbers the
// context keys for the Context that will be asked; nil if it goes by name.
func Compile(rules []Rule, keys *Keys) *Set {
	c := &compiler{keys: keys}
	s := &Set{size: len(rules), keys: keys}
	var byLang [MaxLanguages][]rule
	for i := range rules {
		l := rules[i].Lang
		byLang[l] = append(byLang[l], c.rule(&rules[i]))
	}
	for l, rs := range byLang {
		if len(rs) > 0 {
			ix := newIndex(rs)
			s.parts[l] = []part{{ix.mask, ix}}
		}
	}
	return s
}

// Join returns a set that stands for all the sets given. They stay shared: it costs
// 16 bytes for each of them.
func Join(sets ...*Set) *Set {
	out := &Set{}
	var n [MaxLanguages]int
	for _, s := range sets {
		for l := range s.parts {
			n[l] += len(s.parts[l])
		}
	}
	for l := range n {
		if n[l] > 0 {
			out.parts[l] = make([]part, 0, n[l])
		}
	}
	for _, s := range sets {
		out.size += s.size
		out.keys = s.keys
		for l := range s.parts {
			out.parts[l] = append(out.parts[l], s.parts[l]...)
		}
	}
	return out
}

// Merge returns a set like Join, but with one index over all rules: decisions over
// many policies get faster, and the index takes memory of its own. It pays for a
// principal with hundreds of rules that is asked about often.
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
		ix := newIndex(rules)
		out.parts[l] = []part{{ix.mask, ix}}
	}
	return out
}

// Len returns the number of rules.
func (s *Set) Len() int { return s.size }
