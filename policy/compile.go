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
	c.seen[name] = &k
	return &k
}

// rule is a compiled Rule.
type rule struct {
	tests []test // Where and When as far as they are a plain conjunction
	more  []node // the rest of Where and When
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
	c.flatten(&out, r.Where)
	c.flatten(&out, r.When)
	return out
}

// flatten adds x to the conjunction of a rule.
func (c *compiler) flatten(out *rule, x Expr) {
	switch x := x.(type) {
	case nil:
		return
	case All:
		for _, y := range x {
			c.flatten(out, y)
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
	out.more = append(out.more, c.node(x))
}

func (c *compiler) addTest(out *rule, x Test, negate bool) {
	t := c.compileTest(x)
	t.negate = negate
	if t.of == FromResource && !negate {
		for i := range t.globs {
			if t.globs[i].any() {
				return // any resource will do
			}
		}
	}
	out.tests = append(out.tests, t)
}

// applies tells whether a rule whose action is known to match applies.
func (r *rule) applies(e *env) bool {
	for i := range r.tests {
		if !r.tests[i].holds(e) {
			return false
		}
	}
	if r.who != nil && r.who.grade(e) == gradeNone {
		return false
	}
	for i := range r.more {
		if !r.more[i].holds(e) {
			return false
		}
	}
	return true
}
