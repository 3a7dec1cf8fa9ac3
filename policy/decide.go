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
	lang, used := 0, 0
	for l := range req.Actions {
		if req.Actions[l] != "" {
			lang, used = l, used+1
		}
	}
	r := req.ready[lang]
	if used == 1 && r != nil && sameString(req.Actions[lang], r.given) && len(layers) == 1 && layers[0].Kind == Identity && !req.Principal.Kind.foreign() {
		return byIdentity(req, lang, &r.actionName, &layers[0]) // the usual question, with nothing to weigh
	}
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
		names[l] = &r.actionName
	}
	return names.decide(req, layers)
}

// byIdentity decides what one layer of identity policies says in one language.
func byIdentity(req *Request, lang int, a *actionName, l *Layer) Decision {
	var e env
	e.set(req, lang)
	var deny, allow *Rule
	for _, s := range l.Sets {
		if s == nil {
			continue
		}
		if deny, allow = s.ask(a, &e, allow); deny != nil {
			return Decision{ExplicitDeny, Identity, 0, &deny.ID}
		}
	}
	switch {
	case allow != nil:
		return Decision{Allowed, Identity, 0, &allow.ID}
	case req.Principal.Kind == Root:
		return Decision{Allowed, Identity, 0, nil} // a root user needs no rule
	}
	return Decision{Layer: Identity}
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
			names[l] = &work[l] // not in a method: work would escape
		}
	}
	return names.decide(req, layers)
}

// set fills in what rules of a language see. Field by field: a struct put together
// elsewhere would be copied in pieces other than those it was written in, and the
// processor waits for that.
func (e *env) set(req *Request, lang int) {
	e.req, e.ctx, e.resource, e.lang = req, req.Context, req.Resources[lang], Language(lang)
}

// names are a request's actions by language; nil where it has none.
type names [MaxLanguages]*actionName

func (n *names) decide(req *Request, layers []Layer) Decision {
	t := tally{identity: nowhere, resource: nowhere, limit: nowhere, control: nowhere}
	limited := bounded(layers)
	for i := range layers {
		l := &layers[i]
		v := verdict{}
		n.judge(req, l, limited, &v)
		if v.deny != nil {
			return Decision{ExplicitDeny, l.Kind, i, &v.deny.ID}
		}
		t.add(req, l, i, &v)
	}
	return t.decide(req, layers)
}

// bounded tells whether a permissions boundary is among the layers.
func bounded(layers []Layer) bool {
	for i := range layers {
		if layers[i].Kind == Boundary {
			return true
		}
	}
	return false
}

// judge evaluates the sets of a layer until the verdict cannot change.
func (n *names) judge(req *Request, l *Layer, limited bool, v *verdict) {
	owned := l.Kind.owned()
	for lang, a := range n {
		if a == nil {
			continue
		}
		var e env
		e.set(req, lang)
		e.bounded = limited
		for _, s := range l.Sets {
			if s == nil {
				continue
			}
			if owned {
				s.grade(a, &e, v)
			} else {
				v.deny, v.allow = s.ask(a, &e, v.allow)
			}
			if v.deny != nil {
				return
			}
		}
	}
}

// ask returns the rule that denies, or else the one that allows: the one given, if
// that is known already.
func (s *Set) ask(a *actionName, e *env, allowed *Rule) (deny, allow *Rule) {
	parts := s.in(e.lang)
	if len(parts) == 1 {
		if parts[0].passes(a) == 0 {
			return nil, allowed
		}
		return parts[0].ix.ask(a, e, allowed)
	}
	for len(parts) > 0 {
		some := parts[:min(len(parts), readAhead)]
		parts = parts[len(some):]
		for _, i := range e.ahead[:e.gather(some, a)] {
			p := &some[i]
			if allowed != nil && p.actions&anyDeny == 0 {
				continue
			}
			if deny, allowed = p.ix.ask(a, e, allowed); deny != nil {
				return deny, nil
			}
		}
	}
	return nil, allowed
}

// readAhead is how many parts are looked at together.
const readAhead = 16

// gather finds the parts that may have rules for the action, and touches where the
// search for it begins in each, so that the processor waits for all of them together.
func (e *env) gather(parts []part, a *actionName) int {
	n := 0
	for i := range parts { // without a branch, which would mostly be mispredicted
		e.ahead[n&(readAhead-1)] = uint8(i)
		n += parts[i].passes(a)
	}
	for _, i := range e.ahead[:n] {
		slots := parts[i].ix.slots
		last := uint32(len(slots) - 1)
		e.touched += slots[a.hash&last].hash + slots[a.serviceHash&last].hash
	}
	return n
}

func (ix *index) ask(a *actionName, e *env, allowed *Rule) (deny, allow *Rule) {
	all, denies := members(ix.lookup(a))
	for i := range all {
		if i >= denies && allowed != nil {
			break
		}
		m := &all[i]
		n := m[memberRule] &^ compareAction
		if m[memberRule] != n && !ix.rules[n].what.matches(a.name, e) || !ix.applies(m, e) {
			continue
		}
		if allowed = ix.srcs[n]; i < denies {
			return allowed, nil
		}
	}
	return nil, allowed
}

// grade is ask for a layer that belongs to a resource: there, of the rules that
// allow, the one counts that names the caller best.
func (s *Set) grade(a *actionName, e *env, v *verdict) {
	parts := s.in(e.lang)
	for i := range parts {
		if parts[i].passes(a) == 0 {
			continue
		}
		if parts[i].ix.grade(a, e, v); v.deny != nil {
			return
		}
	}
}

func (ix *index) grade(a *actionName, e *env, v *verdict) {
	all, denies := members(ix.lookup(a))
	for i := range all {
		if i >= denies && v.grade == gradeFinal {
			return
		}
		m := &all[i]
		n := m[memberRule] &^ compareAction
		if m[memberRule] != n && !ix.rules[n].what.matches(a.name, e) || !ix.applies(m, e) {
			continue
		}
		if i < denies {
			v.deny = ix.srcs[n]
			return
		}
		if g := ix.rules[n].gradeOf(e); g > v.grade {
			v.allow, v.grade = ix.srcs[n], g
		}
	}
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
