package ram

import (
	"strconv"
	"strings"

	"warifu/policy"
)

// Rules returns the statements as rules. id names the policy and its version; the
// rest of each rule's id is filled in here.
func (d *Document) Rules(id policy.RuleID) []policy.Rule {
	rules := make([]policy.Rule, len(d.statements))
	for i, s := range d.statements {
		id.Index = i
		id.Line, id.Column = position(d.src, s.off)
		rules[i] = policy.Rule{
			ID: id, Lang: Language, Effect: policy.Allow,
			Who: s.who(), What: s.what(), Where: s.where(), When: s.when(),
		}
		if s.deny {
			rules[i].Effect = policy.Deny
		}
	}
	return rules
}

// who turns principals into a test. A trust policy never suffices by itself for a
// user or role that it names: the policies of the principal's own account must
// allow as well. Naming the account as well as the principal says so.
func (s *statement) who() policy.Expr {
	if s.principals == nil {
		return nil
	}
	var anybody policy.Any
	for _, l := range s.principals {
		for _, v := range l.items {
			p, _ := parseWho(l.name.s, v.s)
			one := isPrincipal(p.who)
			if p.account != "" {
				one = policy.All{isPrincipal(policy.Who{Kind: policy.InAccount, Name: p.account}), one}
			}
			anybody = append(anybody, one)
		}
	}
	return anybody
}

func isPrincipal(w policy.Who) policy.Expr {
	return policy.Test{Of: policy.FromPrincipal, Op: policy.IsPrincipal, Values: []policy.Value{w}}
}

func (s *statement) what() policy.Expr {
	t := policy.Test{Of: policy.FromAction, Op: policy.LikeFold}
	for _, v := range s.actions().items {
		t.Values = append(t.Values, pattern(v.s))
		// For a provider of identities, sts:AssumeRole stands for its own way in.
		if s.principals != nil && strings.EqualFold(v.s, "sts:AssumeRole") {
			t.Values = append(t.Values, pattern("sts:AssumeRoleWithSAML"), pattern("sts:AssumeRoleWithOIDC"))
		}
	}
	if s.notAction != nil {
		return policy.Not{X: t}
	}
	return t
}

func (s *statement) where() policy.Expr {
	if s.resource == nil {
		return nil
	}
	t := policy.Test{Of: policy.FromResource, Op: policy.LikeFields}
	for _, v := range s.resource.items {
		if v.s == "*" {
			t.Values = append(t.Values, pattern(v.s))
		} else {
			t.Values = append(t.Values, fields(v.s))
		}
	}
	return t
}

// when turns the conditions into a conjunction: all operators, and all keys of
// each, must hold. A request without the key fails a positive operator and
// satisfies a negated one.
func (s *statement) when() policy.Expr {
	var all policy.All
	for _, o := range s.conditions {
		for i := range o.keys {
			all = append(all, o.test(&o.keys[i]))
		}
	}
	if all == nil {
		return nil
	}
	return all
}

func (o *operator) test(key *list) policy.Expr {
	t := policy.Test{Key: key.name.s, Op: o.form.op, Label: o.label(key)}
	for _, v := range key.items {
		value, _ := o.form.value(v.s) // checked before
		t.Values = append(t.Values, value)
	}
	if o.form.negate {
		return policy.Not{X: t}
	}
	return t
}

// label writes a condition as one line.
func (o *operator) label(key *list) string {
	var b strings.Builder
	b.WriteString(o.name.s + " " + key.name.s + " [")
	for i, v := range key.items {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(v.s))
	}
	return b.String() + "]"
}

// ContextKeys returns the condition keys that the document asks about: each once,
// in the order of first appearance.
func (d *Document) ContextKeys() []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range d.statements {
		for _, o := range s.conditions {
			for _, key := range o.keys {
				if low := strings.ToLower(key.name.s); !seen[low] {
					seen[low] = true
					out = append(out, key.name.s)
				}
			}
		}
	}
	return out
}
