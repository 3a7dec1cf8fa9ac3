package policy

import "cmp"

// grade is how closely a rule names the caller, and with it how much an allow in a
// resource policy is worth.
type grade uint8

const (
	gradeNone   grade = iota
	gradeAsks         // names the account: the account's own policies decide
	gradeGrants       // names the role or user behind a session: boundary and session policy still limit
	gradeFinal        // names the caller itself, or everyone: nothing of the caller's need allow
)

// grade returns how closely the expression names the caller.
func (n *node) grade(e *env) grade {
	switch n.kind {
	case nodeTest:
		g := n.test.grade(e)
		if n.test.of != FromPrincipal && n.test.holds(e) {
			return gradeFinal
		}
		return g
	case nodeNot:
		if n.kids[0].grade(e) == gradeNone {
			return gradeFinal
		}
		return gradeNone
	case nodeAny:
		best := gradeNone
		for i := range n.kids {
			best = max(best, n.kids[i].grade(e))
		}
		return best
	}
	worst := gradeFinal
	for i := range n.kids {
		worst = min(worst, n.kids[i].grade(e))
	}
	return worst
}

func (t *test) grade(e *env) grade {
	best := gradeNone
	if t.op == IsBounded && e.bounded {
		return gradeFinal
	}
	if t.of == FromPrincipal && t.vals != nil {
		for i := range t.vals.who {
			best = max(best, t.vals.who[i].grade(&e.req.Principal, e.lang))
		}
	}
	return best
}

func (w *Who) grade(p *Principal, lang Language) grade {
	n := &p.Names[lang]
	switch w.Kind {
	case Everyone:
		return gradeFinal
	case InAccount:
		if !p.Kind.foreign() && w.Name != "" && w.Name == cmp.Or(n.Account, p.Account) {
			return gradeAsks
		}
	case Named:
		if w.Name == "" {
			return gradeNone
		}
		if w.Name == n.Session {
			return gradeFinal
		}
		if w.Name == n.Name {
			return p.Kind.named()
		}
	case WithID:
		if w.Name != "" && w.Name == cmp.Or(n.ID, p.ID) {
			return p.Kind.named()
		}
	}
	return gradeNone
}

// named is the grade of an allow that names Names.Name.
func (k PrincipalKind) named() grade {
	switch k {
	case RoleSession, FederatedUser:
		return gradeGrants
	case Root:
		return gradeAsks
	}
	return gradeFinal
}
