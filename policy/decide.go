package policy

// verdict is what one layer says.
type verdict struct {
	deny  *Rule
	allow *Rule
	grade grade // of the allow, in a layer that belongs to a resource
}

// Decide answers a request. The layers count in the order in which they are given
// where several of them would refuse, so that the reason is always the same one;
// there should be at most one Resource or Trust layer. Decide neither allocates nor
// locks.
func Decide(req *Request, layers ...Layer) Decision {
	var names names
	for l := range req.Actions {
		a := req.Actions[l]
		if a == "" {
			continue
		}
		r := req.ready[l]
		if r == nil || !sameString(a, r.given) {
			return decideUnprepared(req, layers)
		}
		names.action[names.n], names.lang[names.n] = &r.actionName, Language(l)
		names.n++
	}
	return names.decide(req, layers)
}

// decideUnprepared works out the actions first.
func decideUnprepared(req *Request, layers []Layer) Decision {
	var buf [nameBuffer]byte
	var work [MaxLanguages]actionName
	var names names
	used := 0
	for l := range req.Actions {
		if a := req.Actions[l]; a != "" {
			work[l] = makeActionName(lowerInto(&buf, used, a))
			used = min(used+len(a), nameBuffer)
			names.action[names.n], names.lang[names.n] = &work[l], Language(l) // not in a method: work would escape
			names.n++
		}
	}
	return names.decide(req, layers)
}

// names are a request's actions in those languages that have one.
type names struct {
	n      int
	action [MaxLanguages]*actionName
	lang   [MaxLanguages]Language
}

func (n *names) decide(req *Request, layers []Layer) Decision {
	t := tally{identity: nowhere, resource: nowhere, limit: nowhere, control: nowhere}
	for i := range layers {
		l := &layers[i]
		v := verdict{}
		n.judge(req, l, &v)
		if v.deny != nil {
			return Decision{ExplicitDeny, l.Kind, i, &v.deny.ID}
		}
		if len(layers) == 1 && l.Kind == Identity && v.allow != nil && !req.Principal.Kind.foreign() {
			return Decision{Allowed, Identity, 0, &v.allow.ID} // the usual case: there is nothing to weigh
		}
		t.add(req, l, i, &v)
	}
	return t.decide(req, layers)
}

func (req *Request) env(l int) env {
	return env{req: req, ctx: req.Context, lang: Language(l), resource: req.Resources[l]}
}

// judge evaluates the sets of a layer until the verdict cannot change.
func (n *names) judge(req *Request, l *Layer, v *verdict) {
	owned := l.Kind.owned()
	for k := range n.n {
		a, lang := n.action[k], n.lang[k]
		// Field by field: a struct put together elsewhere would be copied in pieces
		// other than those it was written in, and the processor waits for that.
		var e env
		e.req, e.ctx, e.resource, e.lang = req, req.Context, req.Resources[lang], lang
		for _, s := range l.Sets {
			if s == nil {
				continue
			}
			parts := s.parts[lang]
			for i := range parts {
				p := &parts[i]
				if p.filter&a.filter == 0 {
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
	var room [1]uint32
	deny, allow := ix.parts(ix.lookup(a), &room)
	for _, m := range deny {
		if ix.named(m, a.name, e) && ix.applies(m&^compareAction, e) {
			v.deny = ix.gates[m&^compareAction].src
			return
		}
	}
	if v.allow != nil && (!owned || v.grade == gradeFinal) {
		return
	}
	for _, m := range allow {
		n := m &^ compareAction
		if !ix.named(m, a.name, e) || !ix.applies(n, e) {
			continue
		}
		if !owned {
			v.allow = ix.gates[n].src
			return
		}
		if g := ix.rules[n].gradeOf(e); g > v.grade {
			v.allow, v.grade = ix.gates[n].src, g
			if g == gradeFinal {
				return
			}
		}
	}
}

// named tells whether the action matches the rule of a member.
func (ix *index) named(m uint32, action string, e *env) bool {
	return m&compareAction == 0 || ix.rules[m&^compareAction].what.matches(action, e)
}

func (r *rule) gradeOf(e *env) grade {
	if r.who == nil {
		return gradeFinal
	}
	return r.who.grade(e)
}

// owned tells whether the layer belongs to a resource.
func (k LayerKind) owned() bool { return k == Resource || k == Trust }

// tally gathers what the layers say until all have been heard. Layers are kept by
// their position.
type tally struct {
	identity     int // the first that allows, or else the first
	limit        int // the first boundary or session layer that does not allow
	control      int // the first control layer that does not allow
	resource     int // the one that allows with the best grade
	identityRule *Rule
	resourceRule *Rule
	grade        grade
	must         bool // the resource's layer must allow, whatever the identity policies say
	abroad       bool // the resource belongs to another account
}

// nowhere is the position of no layer.
const nowhere = -1

func (t *tally) add(req *Request, l *Layer, i int, v *verdict) {
	switch l.Kind {
	case Identity:
		if t.identity == nowhere || t.identityRule == nil && v.allow != nil {
			t.identity, t.identityRule = i, v.allow
		}
	case Boundary, Session:
		if v.allow == nil && t.limit == nowhere {
			t.limit = i
		}
	case Control, ResourceControl:
		if v.allow == nil && t.control == nowhere {
			t.control = i
		}
	case Resource, Trust:
		t.must = t.must || l.Explicit || l.Kind == Trust
		t.abroad = t.abroad || l.Owner != req.Principal.Account
		if t.resource == nowhere || v.grade > t.grade {
			t.resource, t.resourceRule, t.grade = i, v.allow, v.grade
		}
	}
}

// decide puts the layers together; none of them denies.
func (t *tally) decide(req *Request, layers []Layer) Decision {
	if t.control != nowhere {
		return refused(layers, t.control, 0)
	}
	if t.resource != nowhere {
		if d, ok := t.byResource(req, layers); ok {
			return d
		}
	} else if req.Principal.Kind.foreign() {
		return refused(layers, nowhere, Resource)
	}
	if t.identityRule == nil && req.Principal.Kind != Root {
		return refused(layers, t.identity, Identity)
	}
	if t.limit != nowhere {
		return refused(layers, t.limit, 0)
	}
	if t.identityRule == nil {
		return Decision{Allowed, Identity, t.identity, nil} // a root user needs no rule
	}
	return Decision{Allowed, Identity, t.identity, &t.identityRule.ID}
}

// byResource decides what the resource's policy settles alone.
func (t *tally) byResource(req *Request, layers []Layer) (Decision, bool) {
	switch foreign := req.Principal.Kind.foreign(); {
	case t.grade == gradeNone:
		return refused(layers, t.resource, 0), foreign || t.must || t.abroad
	case foreign:
	case t.abroad || t.grade == gradeAsks:
		return Decision{}, false // the caller's own account must allow as well
	case t.grade == gradeGrants && t.limit != nowhere:
		return refused(layers, t.limit, 0), true
	}
	return Decision{Allowed, layers[t.resource].Kind, t.resource, &t.resourceRule.ID}, true
}

// refused is the implicit deny of the layer at a position, or of a kind that there
// is none of.
func refused(layers []Layer, at int, kind LayerKind) Decision {
	if at != nowhere {
		kind = layers[at].Kind
	}
	return Decision{Layer: kind, Index: at}
}
