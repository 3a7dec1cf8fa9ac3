package policy

// verdict is what one layer says.
type verdict struct {
	deny  *rule
	allow *rule
	grade grade // of the allow, in a layer that belongs to a resource
}

// Decide answers a request. The layers count in the order in which they are given
// where several of them would refuse, so that the reason is always the same one;
// there should be at most one Resource or Trust layer. Decide neither allocates nor
// locks.
func Decide(req *Request, layers ...Layer) Decision {
	var buf [nameBuffer]byte
	var names names
	used := 0
	for l := range req.Actions {
		if a := req.Actions[l]; a != "" {
			names[l] = makeActionName(lowerInto(&buf, used, a))
			used = min(used+len(a), nameBuffer)
		}
	}
	var t tally
	for i := range layers {
		l := &layers[i]
		v := verdict{}
		names.judge(req, l, &v)
		if v.deny != nil {
			return Decision{ExplicitDeny, l.Kind, i, &v.deny.src.ID}
		}
		t.add(req, l, i, &v)
	}
	return t.decide(req)
}

// names are a request's actions by language.
type names [MaxLanguages]actionName

func (req *Request) env(l int) env {
	return env{req: req, ctx: req.Context, lang: Language(l), resource: req.Resources[l]}
}

// judge evaluates the sets of a layer until the verdict cannot change.
func (n *names) judge(req *Request, l *Layer, v *verdict) {
	owned := l.Kind.owned()
	for lang := range n {
		a := &n[lang]
		if a.name == "" {
			continue
		}
		e := req.env(lang)
		bit := serviceBit(a.serviceHash)
		for _, s := range l.Sets {
			if s == nil {
				continue
			}
			for i := range s.parts[lang] {
				p := &s.parts[lang][i]
				if p.mask&bit == 0 {
					continue
				}
				if p.ix.judge(a, &e, owned, v); v.deny != nil {
					return
				}
			}
		}
	}
}

func (ix *index) judge(a *actionName, e *env, owned bool, v *verdict) {
	l := ix.lookup(a)
	for _, m := range ix.members[l.from:l.allow] {
		if r := ix.candidate(m, a.name, e); r != nil && r.applies(e) {
			v.deny = r
			return
		}
	}
	if v.allow != nil && (!owned || v.grade == gradeFinal) {
		return
	}
	for _, m := range ix.members[l.allow:l.to] {
		r := ix.candidate(m, a.name, e)
		if r == nil || !r.applies(e) {
			continue
		}
		if !owned {
			v.allow = r
			return
		}
		if g := r.gradeOf(e); g > v.grade {
			v.allow, v.grade = r, g
			if g == gradeFinal {
				return
			}
		}
	}
}

// candidate returns the rule of a member if its action matches.
func (ix *index) candidate(m uint32, action string, e *env) *rule {
	r := &ix.rules[m&^compareAction]
	if m&compareAction != 0 && !r.what.matches(action, e) {
		return nil
	}
	return r
}

func (r *rule) gradeOf(e *env) grade {
	if r.who == nil {
		return gradeFinal
	}
	return r.who.grade(e)
}

// owned tells whether the layer belongs to a resource.
func (k LayerKind) owned() bool { return k == Resource || k == Trust }

// tally gathers what the layers say until all have been heard.
type tally struct {
	identity allowance
	limit    Decision // first boundary or session layer that does not allow
	control  Decision // first control layer that does not allow
	resource allowance
	grade    grade
	owned    bool // there is a layer that belongs to a resource
	must     bool // it must allow, whatever the identity policies say
	abroad   bool // the resource belongs to another account
}

// allowance is where a kind of layer stands, and its first allow.
type allowance struct {
	kind  LayerKind
	index int
	rule  *rule
}

func (a *allowance) add(l *Layer, i int, r *rule) {
	if a.kind == 0 || a.rule == nil && r != nil {
		*a = allowance{l.Kind, i, r}
	}
}

func (t *tally) add(req *Request, l *Layer, i int, v *verdict) {
	switch l.Kind {
	case Identity:
		t.identity.add(l, i, v.allow)
	case Boundary, Session:
		refuse(&t.limit, l, i, v)
	case Control, ResourceControl:
		refuse(&t.control, l, i, v)
	case Resource, Trust:
		t.owned = true
		t.must = t.must || l.Explicit || l.Kind == Trust
		t.abroad = t.abroad || l.Owner != req.Principal.Account
		if t.resource.kind == 0 || v.grade > t.grade {
			t.resource = allowance{l.Kind, i, v.allow}
			t.grade = v.grade
		}
	}
}

// refuse notes the first layer that had to allow and does not.
func refuse(d *Decision, l *Layer, i int, v *verdict) {
	if v.allow == nil && d.Layer == 0 {
		*d = Decision{Layer: l.Kind, Index: i}
	}
}

// decide puts the layers together; none of them denies.
func (t *tally) decide(req *Request) Decision {
	if t.control.Layer != 0 {
		return t.control
	}
	if t.owned {
		if d, ok := t.byResource(req); ok {
			return d
		}
	} else if req.Principal.Kind.foreign() {
		return Decision{Layer: Resource, Index: -1}
	}
	if t.identity.rule == nil && req.Principal.Kind != Root {
		if t.identity.kind == 0 {
			return Decision{Layer: Identity, Index: -1}
		}
		return Decision{Layer: Identity, Index: t.identity.index}
	}
	if t.limit.Layer != 0 {
		return t.limit
	}
	return t.identity.allowed()
}

// byResource decides what the resource's policy settles alone.
func (t *tally) byResource(req *Request) (Decision, bool) {
	refused := Decision{Layer: t.resource.kind, Index: t.resource.index}
	switch foreign := req.Principal.Kind.foreign(); {
	case t.grade == gradeNone:
		return refused, foreign || t.must || t.abroad
	case foreign:
		return t.resource.allowed(), true
	case t.abroad || t.grade == gradeAsks:
		return Decision{}, false // the caller's own account must allow as well
	case t.grade == gradeGrants && t.limit.Layer != 0:
		return t.limit, true
	}
	return t.resource.allowed(), true
}

func (a *allowance) allowed() Decision {
	d := Decision{Outcome: Allowed, Layer: a.kind, Index: a.index}
	if a.rule != nil {
		d.Rule = &a.rule.src.ID
	} else {
		d.Layer, d.Index = Identity, -1 // a root user needs no rule
	}
	return d
}
