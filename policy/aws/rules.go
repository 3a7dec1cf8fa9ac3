package aws

import (
	"encoding/base64"
	"strings"

	"warifu/policy"
)

// Rules returns the statements as rules. id names the policy and its version; the
// rest of each rule's id is filled in here.
func (d *Document) Rules(id policy.RuleID) []policy.Rule {
	c := converter{variables: d.version.s == version2012}
	rules := make([]policy.Rule, len(d.statements))
	for i, s := range d.statements {
		id.Index, id.Sid = i, ""
		if s.sid != nil {
			id.Sid = s.sid.s
		}
		id.Line, id.Column = position(d.src, s.off)
		id.EndLine, id.EndColumn = position(d.src, s.end)
		rules[i] = c.rule(s)
		rules[i].ID = id
	}
	return rules
}

// converter turns statements into rules; variables exist from version 2012-10-17 on.
type converter struct{ variables bool }

func (c *converter) rule(s *statement) policy.Rule {
	r := policy.Rule{Lang: Language, Effect: policy.Allow}
	if s.effect.s == "Deny" {
		r.Effect = policy.Deny
	}
	r.Who = c.who(s.principal)
	if s.notPrinc != nil {
		r.Who = c.others(s.notPrinc, r.Effect)
	}
	r.What = unless(s.notAction != nil, c.what(cmpOr(s.action, s.notAction)))
	if l := cmpOr(s.resource, s.notResource); l != nil {
		r.Where = unless(s.notResource != nil, c.where(l))
	}
	r.When = c.when(s.condition)
	return r
}

func unless(not bool, x policy.Expr) policy.Expr {
	if not {
		return policy.Not{X: x}
	}
	return x
}

func (c *converter) who(p *principals) policy.Expr {
	if p == nil {
		return nil
	}
	t := policy.Test{Of: policy.FromPrincipal, Op: policy.IsPrincipal}
	if p.all {
		t.Values = []policy.Value{policy.Who{Kind: policy.Everyone}}
	}
	for _, l := range p.by {
		for _, v := range l.items {
			w, _ := parseWho(l.name, v.s)
			t.Values = append(t.Values, w)
		}
	}
	return t
}

// others are all but the principals named.
//
// With Deny, NotPrincipal names the caller together with what it belongs to: a user
// with its account, a session with its role and account. The account in such a list
// spares nobody but its root user, and the role none of its other sessions; alone, they
// spare all of theirs. And whoever has a permissions boundary is always denied. (IAM
// User Guide, "AWS JSON policy elements: NotPrincipal".)
func (c *converter) others(p *principals, effect policy.Effect) policy.Expr {
	named := c.who(p).(policy.Test)
	if effect == policy.Allow {
		return policy.Not{X: named}
	}
	named.Values = withoutCompanions(named.Values)
	return policy.Any{policy.Not{X: named}, policy.Test{Of: policy.FromPrincipal, Op: policy.IsBounded}}
}

// withoutCompanions reduces an account to its root user where a principal of the
// account is listed, too, and leaves out a role of which a session is.
func withoutCompanions(all []policy.Value) (out []policy.Value) {
	inside := map[string]bool{} // accounts and roles that more is said of
	for _, v := range all {
		if w := v.(policy.Who); w.Kind == policy.Named {
			account, role, _ := whose(w.Name)
			inside[account], inside[role] = true, true
		}
	}
	for _, v := range all {
		w := v.(policy.Who)
		switch _, _, self := whose(w.Name); {
		case w.Kind == policy.InAccount && inside[w.Name]:
			for _, p := range partitions {
				out = append(out, policy.Who{Kind: policy.Named, Name: "arn:" + p + ":iam::" + w.Name + ":root"})
			}
		case w.Kind == policy.Named && self != "" && inside[self]:
		default:
			out = append(out, w)
		}
	}
	return out
}

// whose takes the name of a principal apart: its account; if it is a role's session,
// the role; if it is a role, that role itself. A role is told by account and name, for
// sessions do not tell its path.
func whose(arn string) (account, role, self string) {
	f := strings.SplitN(arn, ":", 6)
	if len(f) < 6 {
		return "", "", ""
	}
	kind, rest, _ := strings.Cut(f[5], "/")
	switch kind {
	case "role":
		self = f[4] + "/" + rest[strings.LastIndexByte(rest, '/')+1:]
	case "assumed-role":
		name, _, _ := strings.Cut(rest, "/")
		role = f[4] + "/" + name
	}
	return f[4], role, self
}

func (c *converter) what(l *list) policy.Expr {
	t := policy.Test{Of: policy.FromAction, Op: policy.LikeFold}
	plain := converter{} // actions have wildcards but no variables
	for _, v := range l.items {
		t.Values = append(t.Values, plain.pattern(v.s, true))
	}
	return t
}

func (c *converter) where(l *list) policy.Expr {
	t := policy.Test{Of: policy.FromResource, Op: policy.LikeFields}
	for _, v := range l.items {
		if v.s == "*" {
			t.Values = append(t.Values, c.pattern(v.s, true))
			continue
		}
		f := c.fields(v.s)
		f[0] = policy.Text("arn")
		for len(f) < 6 {
			f = append(f, policy.Pattern{{Kind: policy.AnyRun}})
		}
		t.Values = append(t.Values, f)
	}
	return t
}

// when turns the condition block into a conjunction: all operators, and all keys of
// each, must hold.
func (c *converter) when(cond *conditions) policy.Expr {
	var all policy.All
	for _, o := range cond.operators() {
		op, _ := parseOperator(o.name.s)
		for i := range o.keys {
			all = append(all, c.condition(o.name.s, op, &o.keys[i]))
		}
	}
	if all == nil {
		return nil
	}
	return all
}

func (c *converter) condition(name string, op condOp, key *list) policy.Expr {
	t := policy.Test{Key: key.name, Op: op.form.op, Quant: op.quant, Label: label(name, key)}
	if op.form.family == famNull {
		return null(t, key)
	}
	// A negated operator is the negation of the whole test, so its quantifier turns
	// round: "some value equals none" is "not every value equals one".
	switch {
	case !op.form.negate:
	case op.quant == policy.Some:
		t.Quant = policy.Each
	case op.quant == policy.Each:
		t.Quant = policy.Some
	}
	holds := op.ifExists || op.quant == policy.Each || op.quant == policy.One && op.form.negate
	t.IfMissing = holds != op.form.negate
	for _, v := range key.items {
		t.Values = append(t.Values, c.value(&t, op.form.family, v.s))
	}
	return unless(op.form.negate, t)
}

// null is the operator that asks whether a key is there; "true" means absent.
func null(t policy.Test, key *list) policy.Expr {
	var alternatives policy.Any
	for _, v := range key.items {
		alternatives = append(alternatives, unless(strings.EqualFold(v.s, "true"), t))
	}
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	return alternatives
}

// value reads a value of a condition. The check before has seen to it that it can
// be read.
func (c *converter) value(t *policy.Test, f family, s string) policy.Value {
	switch f {
	case famNumeric:
		n, _ := policy.ParseNumber(s)
		return n
	case famDate:
		at, _ := policy.ParseInstant(s)
		return at
	case famIP:
		p, _ := parseNetwork(s)
		return policy.Network(p)
	case famBinary:
		b, _ := base64.StdEncoding.DecodeString(s)
		return policy.Bytes(b)
	case famArn:
		if s == "*" {
			return c.pattern(s, true)
		}
		if f := c.fields(s); len(f) == 6 {
			return f
		}
		return policy.Truth(false) // not an ARN: matches none
	case famBool:
		return c.boolean(t, s)
	}
	return c.pattern(s, t.Op == policy.Like)
}

// boolean reads the value of Bool. One with a variable is compared as text, which
// all values of the test then are.
func (c *converter) boolean(t *policy.Test, s string) policy.Value {
	switch {
	case strings.EqualFold(s, "true") && t.Op == policy.BoolIs:
		return policy.Truth(true)
	case strings.EqualFold(s, "false") && t.Op == policy.BoolIs:
		return policy.Truth(false)
	}
	t.Op = policy.EqualsFold
	for i, v := range t.Values {
		if b, ok := v.(policy.Truth); ok {
			t.Values[i] = policy.Text(map[policy.Truth]string{true: "true", false: "false"}[b])
		}
	}
	return c.pattern(s, false)
}

// label writes a condition as one line.
func label(name string, key *list) string {
	var b strings.Builder
	b.WriteString(name + " " + key.name + " [")
	for i, v := range key.items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(v))
	}
	return b.String() + "]"
}
