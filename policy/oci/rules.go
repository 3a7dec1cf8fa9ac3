package oci

import (
	"strings"
	"time"

	"warifu/policy"
)

// Families are the variables that end in the name of a tag. A request that is
// decided on spells them with a slash before it: target.resource.tag/namespace.key.
var Families = []string{
	"request.principal.group.tag/", "request.principal.compartment.tag/", "request.principal.tag/",
	"target.resource.tag/", "target.resource.compartment.tag/",
}

// Key returns how a variable is spelled as a context key.
func Key(variable string) string {
	variable = strings.ToLower(variable)
	for _, f := range Families {
		if rest, ok := strings.CutPrefix(variable, f[:len(f)-1]+"."); ok {
			return f + rest
		}
	}
	return variable
}

// Path spells a compartment as requests name it: the OCIDs from the tenancy down to
// it, which is where rules look for the compartment that they count in.
func Path(ocids ...string) string {
	return "/" + strings.ToLower(strings.Join(ocids, "/")) + "/"
}

// Clock is what the variables about time are at an instant.
func Clock(key string, now time.Time) policy.Fact {
	now = now.UTC()
	switch key {
	case "request.utc-timestamp":
		return policy.At(now)
	case "request.utc-timestamp.time-of-day":
		return policy.Int(int64(now.Hour()*3600 + now.Minute()*60 + now.Second()))
	case "request.utc-timestamp.day-of-week":
		return policy.String(now.Weekday().String())
	case "request.utc-timestamp.day-of-month":
		return policy.Int(int64(now.Day()))
	case "request.utc-timestamp.month-of-year":
		return policy.Int(int64(now.Month()))
	}
	return policy.Fact{}
}

// Site is where a policy is attached.
type Site struct {
	Tenancy     string   // OCID
	Compartment string   // OCID of the compartment that the policy is attached to; the tenancy's for the root
	Exempt      []string // OCIDs of groups whose members no deny statement binds
}

// Bound is a statement whose names are resolved.
type Bound struct {
	Rule   policy.Rule
	Groups []string // OCIDs of the groups or dynamic groups that it is about
	Others bool     // it is about others than members of Groups: any-user, a service, …
	Place  string   // OCID of the compartment outside of which it does not count; "" if it counts in the whole tenancy
}

// Rules returns the statements as rules. id names the policy; the rest of each
// rule's id is filled in here. A name that names does not have names nobody.
// Statements about other tenancies give no rule.
func (d *Document) Rules(id policy.RuleID, at Site, names Names) []policy.Rule {
	bound := d.Bind(id, at, names)
	rules := make([]policy.Rule, len(bound))
	for i := range bound {
		rules[i] = bound[i].Rule
	}
	return rules
}

// Bind is Rules, and says of each whom it is about, so that a caller with many
// groups need only look at its own.
func (d *Document) Bind(id policy.RuleID, at Site, names Names) []Bound {
	var out []Bound
	for i, s := range d.statements {
		if s.kind != Allow && s.kind != Deny {
			continue
		}
		id.Index, id.Line, id.Column = i, 1, 1
		b := Bound{Rule: policy.Rule{ID: id, Lang: Language, Effect: policy.Allow}}
		b.Rule.Who = s.subject.expr(names, &b)
		b.Rule.What = s.what.expr(s.kind == Deny)
		b.Rule.Where = s.where.expr(&at, names)
		b.Place = s.where.place(&at, names)
		b.Rule.When = s.when.expr()
		if s.kind == Deny {
			b.Rule.Effect = policy.Deny
			b.Rule.Who = unless(at.Exempt, b.Rule.Who)
		}
		out = append(out, b)
	}
	return out
}

// resolve returns the OCID of a noun, "" if there is none.
func (n *noun) resolve(names Names) string {
	if n.id {
		return n.ref.Name
	}
	return strings.ToLower(names[n.ref])
}

// member tests that the caller is in one of some groups.
func member(key string, ocids []string) policy.Expr {
	t := policy.Test{Key: key, Op: policy.Equals, Quant: policy.Some}
	for _, id := range ocids {
		t.Values = append(t.Values, policy.Text(id))
	}
	return t
}

// unless takes the members of exempt groups out of a rule.
func unless(exempt []string, who policy.Expr) policy.Expr {
	if len(exempt) == 0 {
		return who
	}
	var ids []string
	for _, id := range exempt {
		ids = append(ids, strings.ToLower(id))
	}
	not := policy.Not{X: member("request.groups.id", ids)}
	if who == nil {
		return not
	}
	return policy.All{who, not}
}

// nobody holds never.
var nobody = policy.Any{}

func (s *subject) expr(names Names, b *Bound) policy.Expr {
	key := "request.groups.id"
	switch s.kind {
	case anyUser:
		b.Others = true
		return nil
	case anyGroup:
		b.Others = true
		return policy.Not{X: policy.Test{Key: "request.service.name", Op: policy.Present}}
	case services:
		b.Others = true
		return texts("request.service.name", s.texts)
	case resources:
		b.Others = true
		return texts("request.principal.type", s.texts)
	case dynamicGroups:
		key = "request.dynamicgroup.id"
	}
	for i := range s.nouns {
		if id := s.nouns[i].resolve(names); id != "" {
			b.Groups = append(b.Groups, id)
		}
	}
	if len(b.Groups) == 0 {
		return nobody
	}
	return member(key, b.Groups)
}

func texts(key string, values []string) policy.Expr {
	t := policy.Test{Key: key, Op: policy.EqualsFold, Quant: policy.Some}
	for _, v := range values {
		t.Values = append(t.Values, policy.Text(v))
	}
	return t
}

// expr is what a statement grants, or what it forbids: to deny a verb is to deny
// what it adds and all that the verbs above it add.
func (w *what) expr(deny bool) policy.Expr {
	list := w.permissions
	switch {
	case list != nil:
	case w.resource == allResources && !deny && w.verb == manage, w.resource == allResources && deny && w.verb == inspect:
		return nil
	case w.resource == allResources && deny:
		// What no table has is at manage, so that it is denied with that.
		return policy.Not{X: oneOf(granted(allResources, inspect, w.verb-1))}
	case deny:
		list = granted(w.resource, w.verb, manage)
	default:
		list = granted(w.resource, inspect, w.verb)
	}
	if len(list) == 0 {
		return nobody
	}
	return oneOf(list)
}

// oneOf tests that the permission is one of these.
func oneOf(list []string) policy.Expr {
	t := policy.Test{Of: policy.FromAction, Op: policy.LikeFold}
	for _, p := range list {
		t.Values = append(t.Values, policy.Text(p))
	}
	return t
}

// expr tests that the request is about something in the location. A policy that is
// attached below the root counts nowhere else, also after the compartment that it
// names has moved.
func (l *location) expr(at *Site, names Names) policy.Expr {
	var all policy.All
	if l.compartment != nil {
		id := l.compartment.resolve(names)
		if id == "" {
			return nobody
		}
		all = append(all, within(id))
	}
	if at.Compartment != at.Tenancy {
		all = append(all, within(strings.ToLower(at.Compartment)))
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

// place is the compartment outside of which a location never is, "" for none.
func (l *location) place(at *Site, names Names) string {
	switch {
	case l.compartment != nil:
		return l.compartment.resolve(names)
	case at.Compartment != at.Tenancy:
		return strings.ToLower(at.Compartment)
	}
	return ""
}

func within(ocid string) policy.Expr {
	run := policy.Piece{Kind: policy.AnyRun}
	return policy.Test{Of: policy.FromResource, Op: policy.Like, Values: []policy.Value{
		policy.Pattern{run, {Kind: policy.Lit, Text: "/" + ocid + "/"}, run},
	}}
}

func (c *cond) expr() policy.Expr {
	switch {
	case c == nil:
		return nil
	case c.test != nil:
		return c.test.expr()
	case c.any:
		var out policy.Any
		for _, s := range c.sub {
			out = append(out, s.expr())
		}
		return out
	}
	var out policy.All
	for _, s := range c.sub {
		out = append(out, s.expr())
	}
	return out
}

// expr is a test as an expression. A variable that the request does not have makes
// any comparison fail, also a negated one.
func (t *test) expr() policy.Expr {
	base := policy.Test{Key: Key(t.variable), Quant: policy.Some, Label: t.label}
	if t.variable == "request.permission" {
		base.Of, base.Key = policy.FromAction, ""
	}
	switch t.op {
	case opAbsent:
		if base.Of == policy.FromAction {
			return nobody // each request has one
		}
		base.Op = policy.Present
		return policy.Not{X: base}
	case opSetsEqual:
		return t.setsEqual(base)
	case opBefore, opAfter, opBetween:
		return t.span(base)
	}
	any := t.comparisons(base)
	if !t.op.negated() {
		return any
	}
	return t.negation(base, any)
}

// negation holds if the variable, and each that it is compared with, is there and no
// comparison holds.
func (t *test) negation(base policy.Test, any policy.Expr) policy.Expr {
	all := policy.All{policy.Not{X: any}}
	if base.Of == policy.FromContext {
		all = append(all, policy.Test{Key: base.Key, Op: policy.Present, Label: base.Label})
	}
	for _, v := range t.values {
		if v.kind == reference {
			all = append(all, policy.Test{Key: Key(v.text), Op: policy.Present, Label: base.Label})
		}
	}
	return all
}

// comparisons holds if the variable equals one of the values.
func (t *test) comparisons(base policy.Test) policy.Expr {
	exact, like := base, base
	like.Op = policy.LikeFold
	switch kindOf(t.variable) {
	case ofInstant:
		exact.Op = policy.DateEquals
	case ofClock, ofNumber:
		exact.Op = policy.NumEquals
	default:
		exact.Op = policy.EqualsFold
	}
	for i := range t.values {
		v := &t.values[i]
		if v.kind == pattern {
			like.Values = append(like.Values, v.pattern())
		} else {
			exact.Values = append(exact.Values, t.value(v))
		}
	}
	switch {
	case len(like.Values) == 0:
		return exact
	case len(exact.Values) == 0:
		return like
	}
	return policy.Any{exact, like}
}

// value is a value that is no pattern.
func (t *test) value(v *value) policy.Value {
	switch kindOf(t.variable) {
	case ofInstant:
		at, _ := policy.ParseInstant(v.text)
		return at
	case ofClock:
		n, _ := clock(v.text)
		return policy.Number{Int: n, Integer: true}
	case ofNumber:
		n, _ := policy.ParseNumber(v.text)
		return n
	}
	if v.kind == reference {
		return policy.Pattern{{Kind: policy.Var, Text: Key(v.text)}}
	}
	return policy.Text(v.text)
}

// pattern has * as its only wildcard.
func (v *value) pattern() policy.Pattern {
	var out policy.Pattern
	for i, part := range strings.Split(v.text, "*") {
		if i > 0 {
			out = append(out, policy.Piece{Kind: policy.AnyRun})
		}
		if part != "" {
			out = append(out, policy.Piece{Kind: policy.Lit, Text: part})
		}
	}
	return out
}

// setsEqual holds if the variable has these values, each of them, and no other.
func (t *test) setsEqual(base policy.Test) policy.Expr {
	each := base
	each.Quant = policy.Each
	all := policy.All{t.comparisons(each)}
	for i := range t.values {
		one := *t
		one.values = t.values[i : i+1]
		all = append(all, one.comparisons(base))
	}
	return all
}

// span compares in time. A time of day may lie across midnight.
func (t *test) span(base policy.Test) policy.Expr {
	ops := map[operator][]policy.Op{opBefore: {policy.DateLess}, opAfter: {policy.DateGreater}, opBetween: {policy.DateGreaterEq, policy.DateLessEq}}[t.op]
	day := kindOf(t.variable) == ofClock
	if day {
		ops = map[operator][]policy.Op{opBefore: {policy.NumLess}, opAfter: {policy.NumGreater}, opBetween: {policy.NumGreaterEq, policy.NumLessEq}}[t.op]
	}
	var parts []policy.Expr
	for i, op := range ops {
		x := base
		x.Op = op
		x.Values = []policy.Value{t.value(&t.values[i])}
		parts = append(parts, x)
	}
	if day && t.op == opBetween {
		from, _ := clock(t.values[0].text)
		if to, _ := clock(t.values[1].text); from > to {
			return policy.Any(parts)
		}
	}
	return policy.All(parts)
}
