package policy

import (
	"strings"
	"unicode/utf8"
	"unsafe"
)

// glob is a compiled Pattern or Fields. Matching never backtracks: the segments
// between two runs are found leftmost, one after the other, which is enough.
//
// Its literal texts lie one behind the other: a decision looks at many globs, and
// two of this size share what the processor loads at once.
type glob struct {
	text *byte
	rest *globRest
	pre  uint32 // length of the literal text before the first wildcard or variable
	suf  uint32 // length of the one behind it; see shape
	tag  uint32 // the last four bytes of the former, to tell most mismatches without loading it
	shape
}

type shape uint8

const (
	shapeExact      shape = iota // pre
	shapePrefix                  // pre*
	shapeAffix                   // pre*suf
	shapeGeneral                 // pre, then rest.segs
	shapeField                   // pre, the rest of a field, suf, then rest.tail
	shapeFieldOpen               // pre, the rest of a field, suf*
	shapeFieldExact              // pre, the rest of a field, suf
	shapeFields                  // pre, then rest.steps, then rest.tail
)

// prefix is the literal text before the first wildcard or variable.
func (g *glob) prefix() string { return unsafe.String(g.text, int(g.pre)) }

// suffix is the literal text behind it.
func (g *glob) suffix() string { return unsafe.String(g.text, int(g.pre)+int(g.suf))[g.pre:] }

// setText sets the literal texts.
func (g *glob) setText(pre, suf string) {
	g.pre, g.suf, g.tag = uint32(len(pre)), uint32(len(suf)), 0
	g.keep(pre + suf)
	if len(pre) >= tagged {
		g.tag = word32(pre[len(pre)-tagged:])
	}
}

// keep makes both be the equal text of all.
func (g *glob) keep(all string) { g.text = unsafe.StringData(all) }

// tagged is the length of a tag.
const tagged = 4

// globRest is what only the rarer shapes need.
type globRest struct {
	segs         []segment // between runs
	openL, openR bool      // a run comes first, last
	steps        []step
	tail         glob
}

// step is a field that is not literal, and the literal text from its closing colon
// to the next such field.
type step struct {
	field glob
	lit   string
}

// segment is what stands between two runs.
type segment []atom

type atom struct {
	kind   PieceKind // Lit, AnyChar or Var
	text   string    // Lit; Var: the default
	hasDef bool
	fold   bool // Var: its value is lowered
	key    *Key // Var
}

// any tells whether the glob matches every string.
func (g *glob) any() bool { return g.shape == shapePrefix && g.pre == 0 }

// match tells whether s matches.
func (g *glob) match(s string, e *env) bool {
	n := int(g.pre)
	if len(s) < n || !same(s[:n], g.prefix()) {
		return false
	}
	switch g.shape {
	case shapeExact:
		return len(s) == n
	case shapePrefix:
		return true
	case shapeAffix:
		m := len(s) - int(g.suf)
		return m >= n && s[m:] == g.suffix()
	case shapeGeneral:
		return g.rest.match(s[n:], e)
	case shapeFields:
		return g.rest.matchFields(s[n:], e)
	}
	return g.matchField(s[n:], e)
}

func (g *glob) matchField(s string, e *env) bool {
	c, n := colon(s), int(g.suf)
	if c < 0 || len(s)-c < n || !same(s[c:c+n], g.suffix()) {
		return false
	}
	s = s[c+n:]
	switch g.shape {
	case shapeFieldOpen:
		return true
	case shapeFieldExact:
		return s == ""
	}
	return g.rest.tail.match(s, e)
}

func (r *globRest) matchFields(s string, e *env) bool {
	for i := range r.steps {
		st := &r.steps[i]
		c := colon(s)
		if c < 0 || !st.field.match(s[:c], e) {
			return false
		}
		s = s[c:]
		if !strings.HasPrefix(s, st.lit) {
			return false
		}
		s = s[len(st.lit):]
	}
	return r.tail.match(s, e)
}

func (r *globRest) match(s string, e *env) bool {
	segs := r.segs
	if !r.openL {
		n, ok := segs[0].atStart(s, e)
		if !ok {
			return false
		}
		s, segs = s[n:], segs[1:]
		if len(segs) == 0 && !r.openR {
			return s == ""
		}
	}
	if !r.openR {
		last := len(segs) - 1
		n, ok := segs[last].atEnd(s, e)
		if !ok {
			return false
		}
		s, segs = s[:len(s)-n], segs[:last]
	}
	for _, sg := range segs {
		end := sg.find(s, e)
		if end < 0 {
			return false
		}
		s = s[end:]
	}
	return true
}

// atStart matches the segment at the beginning of s and returns its length there.
func (sg segment) atStart(s string, e *env) (int, bool) {
	n := 0
	for i := range sg {
		if sg[i].kind == AnyChar {
			_, w := utf8.DecodeRuneInString(s[n:])
			if w == 0 {
				return 0, false
			}
			n += w
			continue
		}
		t, ok := sg[i].resolve(e)
		if !ok || !strings.HasPrefix(s[n:], t) {
			return 0, false
		}
		n += len(t)
	}
	return n, true
}

// atEnd matches the segment at the end of s and returns its length there.
func (sg segment) atEnd(s string, e *env) (int, bool) {
	n := len(s)
	for i := len(sg) - 1; i >= 0; i-- {
		if sg[i].kind == AnyChar {
			_, w := utf8.DecodeLastRuneInString(s[:n])
			if w == 0 {
				return 0, false
			}
			n -= w
			continue
		}
		t, ok := sg[i].resolve(e)
		if !ok || !strings.HasSuffix(s[:n], t) {
			return 0, false
		}
		n -= len(t)
	}
	return len(s) - n, true
}

// longSegment is the length from which trying a segment at each position would
// cost noticeably more than the set-up of a search whose cost does not depend on
// the text.
const longSegment = 64

// find returns the end of the leftmost place in s where the segment matches, or -1.
func (sg segment) find(s string, e *env) int {
	if len(sg) == 1 && sg[0].kind == Lit {
		i := strings.Index(s, sg[0].text)
		if i < 0 {
			return -1
		}
		return i + len(sg[0].text)
	}
	total, chars := 0, false
	for i := range sg {
		if sg[i].kind == AnyChar {
			total, chars = total+1, true
			continue
		}
		t, ok := sg[i].resolve(e)
		if !ok {
			return -1
		}
		total += len(t)
	}
	switch {
	case total <= longSegment:
		return sg.findShort(s, e)
	case !chars:
		return sg.findText(s, e)
	}
	return sg.findLong(s, e)
}

// findShort tries each position: at most longSegment comparisons for each.
func (sg segment) findShort(s string, e *env) int {
	for i := 0; i <= len(s); i++ {
		if n, ok := sg.atStart(s[i:], e); ok {
			return i + n
		}
	}
	return -1
}

// findText searches for the text that literals and variables spell together.
func (sg segment) findText(s string, e *env) int {
	var b strings.Builder
	for i := range sg {
		t, _ := sg[i].resolve(e)
		b.WriteString(t)
	}
	i := strings.Index(s, b.String())
	if i < 0 {
		return -1
	}
	return i + b.Len()
}

// findLong runs the segment as a bit-parallel automaton (Shift-And): one step per
// character of s, each of length/64 words.
func (sg segment) findLong(s string, e *env) int {
	var want []rune // -1 is any character
	for i := range sg {
		if sg[i].kind == AnyChar {
			want = append(want, -1)
			continue
		}
		t, _ := sg[i].resolve(e)
		want = append(want, []rune(t)...)
	}
	words := (len(want) + 63) / 64
	wild := make([]uint64, words)
	masks := map[rune][]uint64{}
	for i, r := range want {
		if r < 0 {
			wild[i/64] |= 1 << (i % 64)
		} else if masks[r] == nil {
			masks[r] = make([]uint64, words)
		}
	}
	for i, r := range want {
		if r >= 0 {
			masks[r][i/64] |= 1 << (i % 64)
		}
	}
	for _, m := range masks {
		for i := range m {
			m[i] |= wild[i]
		}
	}
	state := make([]uint64, words)
	last := uint64(1) << ((len(want) - 1) % 64)
	for i, r := range s {
		m := masks[r]
		if m == nil {
			m = wild
		}
		carry := uint64(1)
		for w := range state {
			next := state[w] >> 63
			state[w] = (state[w]<<1 | carry) & m[w]
			carry = next
		}
		if state[words-1]&last != 0 {
			_, n := utf8.DecodeRuneInString(s[i:])
			return i + n
		}
	}
	return -1
}

// resolve returns the text that an atom stands for, and false if a variable has no
// single value and no default.
func (a *atom) resolve(e *env) (string, bool) {
	if a.kind == Lit {
		return a.text, true
	}
	f := e.lookup(a.key)
	if f.missing() {
		return a.text, a.hasDef
	}
	s, ok := f.Text()
	if ok && a.fold {
		s = lowerASCII(s)
	}
	return s, ok
}

// compileGlob compiles a pattern; fold lowers its literals.
func (c *compiler) compileGlob(p Pattern, fold bool) glob {
	p = tidy(p, fold)
	var g glob
	pre, suf := "", ""
	if len(p) > 0 && p[0].Kind == Lit {
		pre, p = p[0].Text, p[1:]
	}
	switch {
	case len(p) == 0:
	case len(p) == 1 && p[0].Kind == AnyRun:
		g.shape = shapePrefix
	case len(p) == 2 && p[0].Kind == AnyRun && p[1].Kind == Lit:
		g.shape, suf = shapeAffix, p[1].Text
	default:
		g.shape, g.rest = shapeGeneral, c.compileSegments(p, fold)
	}
	g.setText(pre, suf)
	return g
}

// compileSegments compiles what comes behind the literal beginning.
func (c *compiler) compileSegments(p Pattern, fold bool) *globRest {
	r := &globRest{openL: p[0].Kind == AnyRun, openR: p[len(p)-1].Kind == AnyRun}
	var sg segment
	flush := func() {
		if len(sg) > 0 {
			r.segs, sg = append(r.segs, sg), nil
		}
	}
	for _, x := range p {
		switch x.Kind {
		case AnyRun:
			flush()
		case Var:
			a := atom{kind: Var, text: x.Default, hasDef: x.HasDefault, fold: fold, key: c.key(x.Text)}
			if fold {
				a.text = lowerASCII(a.text)
			}
			sg = append(sg, a)
		default:
			sg = append(sg, atom{kind: x.Kind, text: x.Text})
		}
	}
	flush()
	return r
}

// tidy joins neighbouring literals and neighbouring runs.
func tidy(p Pattern, fold bool) Pattern {
	out := make(Pattern, 0, len(p))
	for _, x := range p {
		if x.Kind == Lit {
			if x.Text == "" {
				continue
			}
			if fold {
				x.Text = lowerASCII(x.Text)
			}
		}
		if n := len(out); n > 0 && out[n-1].Kind == x.Kind {
			switch x.Kind {
			case AnyRun:
				continue
			case Lit:
				out[n-1].Text += x.Text
				continue
			}
		}
		out = append(out, x)
	}
	return out
}

// compileFields compiles a colon-delimited pattern. Literal fields are joined, so
// that a pattern whose wildcards are all in the last field becomes a plain glob.
func (c *compiler) compileFields(f Fields, fold bool) glob {
	var lead Pattern // literal text and the fields so far
	for i, p := range f {
		last := i == len(f)-1
		if !last && !literal(p) {
			return c.compileSteps(tidy(lead, fold), f[i:], fold)
		}
		lead = append(lead, p...)
		if !last {
			lead = append(lead, Piece{Kind: Lit, Text: ":"})
		}
	}
	return c.compileGlob(lead, fold)
}

func (c *compiler) compileSteps(lead Pattern, f Fields, fold bool) glob {
	g := glob{shape: shapeFields, rest: &globRest{}}
	pre, suf := "", ""
	if len(lead) > 0 {
		pre = lead[0].Text
	}
	last := len(f) - 1
	for i := 0; i < last; {
		st := step{field: c.compileGlob(f[i], fold), lit: ":"}
		for i++; i < last && literal(f[i]); i++ {
			for _, x := range tidy(f[i], fold) {
				st.lit += x.Text
			}
			st.lit += ":"
		}
		g.rest.steps = append(g.rest.steps, st)
	}
	tail := c.compileGlob(f[last], fold)
	g.rest.tail = tail
	if len(g.rest.steps) == 1 && g.rest.steps[0].field.any() {
		suf = g.rest.steps[0].lit
		switch tail.shape {
		case shapePrefix:
			g.shape, g.rest, suf = shapeFieldOpen, nil, suf+tail.prefix()
		case shapeExact:
			g.shape, g.rest, suf = shapeFieldExact, nil, suf+tail.prefix()
		default:
			g.shape, g.rest.steps = shapeField, nil
		}
	}
	g.setText(pre, suf)
	return g
}

func literal(p Pattern) bool {
	for _, x := range p {
		if x.Kind != Lit {
			return false
		}
	}
	return true
}
