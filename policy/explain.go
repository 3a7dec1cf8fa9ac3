package policy

// Trace tells how a decision came about.
type Trace struct {
	Decision Decision
	Layers   []LayerTrace // as given
}

// LayerTrace is what one layer said.
type LayerTrace struct {
	Kind  LayerKind
	Owner string
	Deny  bool        // some rule denies
	Allow bool        // some rule allows
	Rules []RuleTrace // those whose action matches: first those that apply, then the near misses
}

// RuleTrace is how one rule fared whose action matches.
type RuleTrace struct {
	Rule       *Rule
	Applies    bool
	Who        bool        // it is about this principal
	Where      bool        // it is about this resource
	When       bool        // its conditions hold
	Conditions []TestTrace // each condition of When, in order
}

// TestTrace is how one condition fared.
type TestTrace struct {
	Label string   // the condition in its language's words
	Key   string   // the context key
	Holds bool     // what the condition contributed; a negation around it is counted in
	Found bool     // the request has the key
	Saw   []string // the values that the request has for it
}

// Explain answers like Decide and tells why. It looks at every rule, and allocates.
func Explain(req *Request, layers ...Layer) Trace {
	t := Trace{Decision: Decide(req, layers...)}
	limited := bounded(layers)
	for i := range layers {
		t.Layers = append(t.Layers, trace(req, &layers[i], limited))
	}
	return t
}

func trace(req *Request, l *Layer, limited bool) LayerTrace {
	out := LayerTrace{Kind: l.Kind, Owner: l.Owner}
	var misses []RuleTrace
	for lang := range req.Actions {
		if req.Actions[lang] == "" {
			continue
		}
		action := lowerASCII(req.Actions[lang])
		var e env
		e.set(req, lang)
		e.bounded = limited
		for _, s := range l.Sets {
			if s == nil {
				continue
			}
			for _, p := range s.in(Language(lang)) {
				for i := range p.ix.rules {
					r := &p.ix.rules[i]
					if r.what != nil && !r.what.matches(action, &e) {
						continue
					}
					rt := s.traceRule(r.src, &e)
					if !rt.Applies {
						misses = append(misses, rt)
						continue
					}
					out.Deny = out.Deny || r.src.Effect == Deny
					out.Allow = out.Allow || r.src.Effect == Allow
					out.Rules = append(out.Rules, rt)
				}
			}
		}
	}
	out.Rules = append(out.Rules, misses...)
	return out
}

func (s *Set) traceRule(r *Rule, e *env) RuleTrace {
	c := &compiler{keys: s.keys}
	t := RuleTrace{Rule: r, Who: c.holds(r.Who, e), Where: c.holds(r.Where, e), When: c.holds(r.When, e)}
	t.Applies = t.Who && t.Where && t.When
	c.conditions(&t.Conditions, r.When, false, e)
	return t
}

func (c *compiler) holds(x Expr, e *env) bool {
	n := c.node(x)
	return n.holds(e)
}

// conditions lists the tests of x; negated counts the negations around them.
func (c *compiler) conditions(out *[]TestTrace, x Expr, negated bool, e *env) {
	switch x := x.(type) {
	case All:
		for _, y := range x {
			c.conditions(out, y, negated, e)
		}
	case Any:
		for _, y := range x {
			c.conditions(out, y, negated, e)
		}
	case Not:
		c.conditions(out, x.X, !negated, e)
	case Test:
		t := TestTrace{Label: x.Label, Key: x.Key, Holds: c.holds(x, e) != negated}
		if x.Of == FromContext {
			f := e.lookup(c.key(x.Key))
			t.Found, t.Saw = !f.Absent(), f.Values()
		}
		*out = append(*out, t)
	}
}
