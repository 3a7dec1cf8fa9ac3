package policy

// compiler carries what the parts of one Set share.
type compiler struct {
	keys *Keys
	seen map[string]*Key
}

func (c *compiler) key(name string) *Key {
	if k := c.seen[name]; k != nil {
		return k
	}
	k := c.keys.Key(name)
	if c.seen == nil {
		c.seen = map[string]*Key{}
	}
	c.seen[name] = k
	return k
}

// rule is a compiled Rule.
type rule struct {
	where []glob // one of them must match the resource; empty: no such test
	tests []test // When, and the rest of Where, as far as they are a plain conjunction
	more  *node  // what is left of them; nil: nothing
	who   *node  // nil: everyone
	what  *node  // nil: every action
	src   *Rule
}

// node is a compiled Expr of any form.
type node struct {
	kind nodeKind
	kids []node
	test test
}

type nodeKind uint8

const (
	nodeAll nodeKind = iota
	nodeAny
	nodeNot
	nodeTest
)

func (c *compiler) node(x Expr) node {
	kids := func(kind nodeKind, xs []Expr) node {
		n := node{kind: kind, kids: make([]node, len(xs))}
		for i := range xs {
			n.kids[i] = c.node(xs[i])
		}
		return n
	}
	switch x := x.(type) {
	case All:
		return kids(nodeAll, x)
	case Any:
		return kids(nodeAny, x)
	case Not:
		return kids(nodeNot, []Expr{x.X})
	case Test:
		return node{kind: nodeTest, test: c.compileTest(x)}
	}
	return node{kind: nodeAll} // nil: no restriction
}

func (n *node) holds(e *env) bool {
	switch n.kind {
	case nodeTest:
		return n.test.holds(e)
	case nodeNot:
		return !n.kids[0].holds(e)
	}
	for i := range n.kids {
		if n.kids[i].holds(e) == (n.kind == nodeAny) {
			return n.kind == nodeAny
		}
	}
	return n.kind == nodeAll
}

// matches evaluates a What for a lowered action, which is not part of env: the name
// lives in a buffer on the stack, and env is seen by foreign code.
func (n *node) matches(action string, e *env) bool {
	switch n.kind {
	case nodeTest:
		if n.test.of == FromAction {
			return n.test.text(action, e) != n.test.negate
		}
		return n.test.holds(e)
	case nodeNot:
		return !n.kids[0].matches(action, e)
	}
	for i := range n.kids {
		if n.kids[i].matches(action, e) == (n.kind == nodeAny) {
			return n.kind == nodeAny
		}
	}
	return n.kind == nodeAll
}

// rule compiles r.
func (c *compiler) rule(r *Rule) rule {
	out := rule{src: r}
	if r.Who != nil {
		n := c.node(r.Who)
		out.who = &n
	}
	if r.What != nil {
		n := c.node(r.What)
		out.what = &n
	}
	var rest All
	c.flatten(&out, &rest, r.Where)
	c.flatten(&out, &rest, r.When)
	if len(rest) > 0 {
		n := c.node(rest)
		out.more = &n
	}
	return out
}

// flatten adds x to the conjunction of a rule, or to the rest if it is not one.
func (c *compiler) flatten(out *rule, rest *All, x Expr) {
	switch x := x.(type) {
	case nil:
		return
	case All:
		for _, y := range x {
			c.flatten(out, rest, y)
		}
		return
	case Test:
		c.addTest(out, x, false)
		return
	case Not:
		if t, ok := x.X.(Test); ok {
			c.addTest(out, t, true)
			return
		}
	}
	*rest = append(*rest, x)
}

func (c *compiler) addTest(out *rule, x Test, negate bool) {
	t := c.compileTest(x)
	t.negate = negate
	if t.of == FromResource && !negate {
		globs := t.globs()
		for i := range globs {
			if globs[i].any() {
				return // any resource will do
			}
		}
		if len(out.where) == 0 && len(globs) > 0 && t.op != EqualsFold && t.op != LikeFold {
			out.where = globs
			return
		}
	}
	out.tests = append(out.tests, t)
}

// applies tells whether a rule whose action is known to match applies.
func (ix *index) applies(m *member, e *env) bool {
	if m[memberGlobs] < m[memberGlobsEnd] && !matchAny(ix.globs[m[memberGlobs]:m[memberGlobsEnd]], e.resource, e) {
		return false
	}
	for i := m[memberTests]; i < m[memberTestsEnd]&^hasMore; i++ {
		if !ix.tests[i].holds(e) {
			return false
		}
	}
	return m[memberTestsEnd]&hasMore == 0 || ix.rules[m[memberRule]&^compareAction].allowsMore(e)
}

// allowsMore evaluates what few rules have.
func (r *rule) allowsMore(e *env) bool {
	return (r.who == nil || r.who.grade(e) != gradeNone) && (r.more == nil || r.more.holds(e))
}

func matchAny(gs []glob, s string, e *env) bool {
	for i := range gs {
		g := &gs[i]
		if n := int(g.pre); n >= tagged && (len(s) < n || word32(s[n-tagged:n]) != g.tag) {
			continue // most patterns that do not match end here, without a call
		}
		if g.match(s, e) {
			return true
		}
	}
	return false
}
