package policy

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"strings"
	"unsafe"
)

// test is a compiled Test.
type test struct {
	key       *Key    // FromContext
	first     *glob   // of the patterns of a test of text
	vals      *values // nil for most tests of text, and for those of a single number
	single    int64   // with vals nil: the number, instant, or accepted truth values as bits; of text: how many patterns
	of        Subject
	op        Op
	quant     Quant
	ifMissing bool
	negate    bool // holds when the comparison fails
}

// globs are the patterns of a test of text.
func (t *test) globs() []glob {
	if t.first == nil {
		return nil
	}
	return unsafe.Slice(t.first, t.single)
}

// setGlobs sets the patterns of a test of text.
func (t *test) setGlobs(gs []glob) { t.first, t.single = unsafe.SliceData(gs), int64(len(gs)) }

// values are the alternatives of a test that is not about text.
type values struct {
	texts map[string]struct{} // Equals with many literal texts
	nums  []Number
	times []Instant
	truth int64 // bit 0: accepts false, bit 1: true
	blobs []string
	nets4 []net4
	nets6 []netip.Prefix
	who   []Who
}

type net4 struct{ addr, mask uint32 }

// env is what one language's rules see of a request.
type env struct {
	req      *Request
	ctx      Context
	resource string
	lang     Language
	bounded  bool             // a permissions boundary limits the caller; known where principals are compared
	ahead    [readAhead]uint8 // parts that are looked at together
	touched  uint32           // keeps the compiler from leaving out what only touches memory
}

func (e *env) lookup(k *Key) Fact {
	if e.ctx == nil {
		return Fact{}
	}
	return e.ctx.Lookup(k)
}

// holds evaluates the test.
func (t *test) holds(e *env) bool {
	switch t.of {
	case FromContext:
		f := e.lookup(t.key)
		if f.kind == factBool && t.op == BoolIs {
			return (t.single>>(f.n&1)&1 != 0) != t.negate
		}
		return t.judge(f, e) != t.negate
	case FromResource:
		return t.text(e.resource, e) != t.negate
	case FromAction: // outside of What; there, node.matches has the lowered name at hand
		return t.text(lowerASCII(e.req.Actions[e.lang]), e) != t.negate
	}
	return (t.grade(e) != gradeNone) != t.negate
}

// judge compares what a request says with the test's values.
func (t *test) judge(f Fact, e *env) bool {
	switch {
	case t.op == Present:
		return !f.missing()
	case f.kind == absent:
		return t.ifMissing
	case f.kind == factList:
		return t.judgeList(f.list(), e)
	case f.n == 0 && f.kind == factString && t.quant != One:
		return t.ifMissing // a set that holds nothing but "" is an empty one
	}
	return t.one(f, e)
}

func (t *test) judgeList(list []string, e *env) bool {
	if len(list) == 0 || t.quant != One && len(list) == 1 && list[0] == "" {
		return t.ifMissing
	}
	for _, s := range list {
		if t.one(String(s), e) != (t.quant == Each) {
			return t.quant != Each
		}
	}
	return t.quant == Each
}

// one compares a single value.
func (t *test) one(f Fact, e *env) bool {
	switch t.op {
	case Equals, EqualsFold, Like, LikeFold, LikeFields:
		if f.kind == factString {
			return t.text(f.str(), e)
		}
		s, _ := f.Text()
		return t.text(s, e)
	case BoolIs:
		return t.truth(f)
	case NumEquals, NumLess, NumLessEq, NumGreater, NumGreaterEq:
		return t.number(f)
	case DateEquals, DateLess, DateLessEq, DateGreater, DateGreaterEq:
		return t.instant(f)
	case InNetwork:
		return t.network(f)
	case BytesEqual:
		return t.blob(f)
	}
	return false
}

func (t *test) text(s string, e *env) bool {
	if t.vals != nil && t.vals.texts != nil {
		_, ok := t.vals.texts[s]
		return ok
	}
	if t.op == EqualsFold {
		return t.equalFold(s, e)
	}
	if t.op == LikeFold && t.of != FromAction {
		s = lowerASCII(s)
	}
	return matchAny(t.globs(), s, e)
}

// equalFold compares under Unicode folding, which may change the length of a text,
// so that the pattern has to be spelled out first.
func (t *test) equalFold(s string, e *env) bool {
	globs := t.globs()
	for i := range globs {
		g := &globs[i]
		want := g.prefix()
		if g.rest != nil && len(g.rest.segs) == 1 {
			ok := true
			for j := range g.rest.segs[0] {
				var v string
				if v, ok = g.rest.segs[0][j].resolve(e); !ok {
					break
				}
				want += v
			}
			if !ok {
				continue
			}
		}
		if strings.EqualFold(s, want) {
			return true
		}
	}
	return false
}

// truth compares the text of a truth value; holds has dealt with typed ones.
func (t *test) truth(f Fact) bool {
	if f.kind != factString {
		return false
	}
	return t.single&2 != 0 && strings.EqualFold(f.str(), "true") || t.single&1 != 0 && strings.EqualFold(f.str(), "false")
}

func (t *test) number(f Fact) bool {
	var n Number
	switch f.kind {
	case factInt:
		n = Number{Int: int64(f.n), Integer: true}
	case factString:
		var ok bool
		if n, ok = ParseNumber(f.str()); !ok {
			return false
		}
	default:
		return false
	}
	if t.vals == nil {
		c, ok := n.compare(Number{Int: t.single, Integer: true})
		return ok && ordered(t.op-NumEquals, c)
	}
	for _, v := range t.vals.nums {
		c, ok := n.compare(v)
		if ok && ordered(t.op-NumEquals, c) {
			return true
		}
	}
	return false
}

// ordered tells whether the outcome c of a comparison satisfies an operator, which
// is counted from the equality of its kind.
func ordered(op Op, c int) bool {
	switch op {
	case 0:
		return c == 0
	case NumLess - NumEquals:
		return c < 0
	case NumLessEq - NumEquals:
		return c <= 0
	case NumGreater - NumEquals:
		return c > 0
	}
	return c >= 0
}

func (t *test) instant(f Fact) bool {
	var at Instant
	switch f.kind {
	case factTime:
		at = Instant(f.n)
	case factInt:
		at = seconds(int64(f.n))
	case factString:
		var ok bool
		if at, ok = ParseInstant(f.str()); !ok {
			return false
		}
	default:
		return false
	}
	if t.vals == nil {
		return ordered(t.op-DateEquals, cmp.Compare(at, Instant(t.single)))
	}
	for _, v := range t.vals.times {
		if ordered(t.op-DateEquals, cmp.Compare(at, v)) {
			return true
		}
	}
	return false
}

func (t *test) network(f Fact) bool {
	if f.kind == factString {
		a, err := netip.ParseAddr(f.str())
		if err != nil {
			return false
		}
		f = Addr(a)
	}
	switch f.kind {
	case factIPv4:
		for _, n := range t.vals.nets4 {
			if uint32(f.n)&n.mask == n.addr {
				return true
			}
		}
	case factIPv6:
		a := f.ipv6()
		for _, n := range t.vals.nets6 {
			if n.Contains(a) {
				return true
			}
		}
	}
	return false
}

func (t *test) blob(f Fact) bool {
	s, _ := f.Text()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return false
	}
	for _, v := range t.vals.blobs {
		if v == string(b) {
			return true
		}
	}
	return false
}

// manyTexts is from how many literal alternatives on a table beats a scan.
const manyTexts = 8

// compileTest compiles t. Values of a type that the operator does not take match
// nothing, and so are left out.
func (c *compiler) compileTest(t Test) test {
	out := test{of: t.Of, op: t.Op, quant: t.Quant, ifMissing: t.IfMissing}
	if t.Of == FromContext {
		out.key = c.key(t.Key)
	}
	if t.Of == FromAction {
		out.op = LikeFold
	}
	switch out.op {
	case Equals, EqualsFold, Like, LikeFold, LikeFields:
		c.compileTexts(&out, t.Values)
	case Present:
	default:
		out.setValues(compileValues(t.Values))
	}
	return out
}

func (c *compiler) compileTexts(out *test, vals []Value) {
	fold := out.op == LikeFold
	exact := 0
	var globs []glob
	for _, v := range vals {
		var g glob
		switch v := v.(type) {
		case Pattern:
			if out.op == Equals || out.op == EqualsFold {
				v = plain(v)
			}
			g = c.compileGlob(v, fold)
		case Fields:
			g = c.compileFields(v, fold)
		default:
			continue
		}
		if g.shape == shapeExact {
			exact++
		}
		globs = append(globs, g)
	}
	out.setGlobs(globs)
	if exact == len(globs) && exact > manyTexts && (out.op == Equals || out.op == Like) {
		out.vals = &values{texts: make(map[string]struct{}, exact)}
		for i := range globs {
			out.vals.texts[globs[i].prefix()] = struct{}{}
		}
		out.setGlobs(nil)
	}
}

// plain makes wildcards the characters that they are written with: comparisons for
// equality have none.
func plain(p Pattern) Pattern {
	out := make(Pattern, len(p))
	for i, x := range p {
		switch x.Kind {
		case AnyRun:
			x = Piece{Kind: Lit, Text: "*"}
		case AnyChar:
			x = Piece{Kind: Lit, Text: "?"}
		}
		out[i] = x
	}
	return out
}

// setValues keeps a single whole number, an instant and truth values in the test
// itself.
func (t *test) setValues(v *values) {
	t.vals = v
	switch t.op {
	case BoolIs:
		t.single, t.vals = v.truth, nil
	case NumEquals, NumLess, NumLessEq, NumGreater, NumGreaterEq:
		if len(v.nums) == 1 && v.nums[0].Integer {
			t.single, t.vals = v.nums[0].Int, nil
		}
	case DateEquals, DateLess, DateLessEq, DateGreater, DateGreaterEq:
		if len(v.times) == 1 {
			t.single, t.vals = int64(v.times[0]), nil
		}
	}
}

func compileValues(vals []Value) *values {
	out := &values{}
	for _, v := range vals {
		switch v := v.(type) {
		case Number:
			out.nums = append(out.nums, v)
		case Instant:
			out.times = append(out.times, v)
		case Truth:
			if v {
				out.truth |= 2
			} else {
				out.truth |= 1
			}
		case Bytes:
			out.blobs = append(out.blobs, string(v))
		case Network:
			out.network(netip.Prefix(v))
		case Who:
			out.who = append(out.who, v)
		}
	}
	return out
}

func (v *values) network(p netip.Prefix) {
	if !p.IsValid() {
		return
	}
	if p.Addr().Is4() {
		m := ^uint32(0)
		if p.Bits() < 32 {
			m <<= 32 - p.Bits()
		}
		v.nets4 = append(v.nets4, net4{be32(p.Addr().As4()) & m, m})
		return
	}
	v.nets6 = append(v.nets6, p.Masked())
}
