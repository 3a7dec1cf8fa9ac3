package ops

import (
	"fmt"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/policy"
)

// Some variables of Oracle's language have to be read: the names and tags of
// compartments, the tags of targets and of the caller's groups. They are read where
// statements ask for them, and nowhere else.

// The families of tags, as keys begin.
const (
	groupTags       = "request.principal.group.tag/"
	targetTags      = "target.resource.tag/"
	compartmentTags = "target.resource.compartment.tag/"
)

// defaultDomain is the only identity domain.
const defaultDomain = "Default"

// asks notes what a statement has to be told.
func (r *oracleRules) asks(rule *policy.Rule) {
	note := func(key string) {
		switch {
		case strings.HasPrefix(key, groupTags):
			r.asksGroups = true
		case strings.HasPrefix(key, targetTags), strings.HasPrefix(key, compartmentTags),
			key == "target.compartment.name", key == "target.tenant.name", key == "target.tenancy.name":
			r.asksTarget = true
		}
	}
	policy.Walk(rule.When, func(t *policy.Test) {
		note(t.Key)
		for _, v := range t.Values {
			if p, ok := v.(policy.Pattern); ok {
				for _, piece := range p {
					note(piece.Text) // of a variable, its key
				}
			}
		}
	})
}

// tagFacts spells tags as keys of a family.
func tagFacts(family string, tags iam.OracleTags, put func(key, value string)) {
	for namespace, keys := range tags.Defined {
		for key, value := range keys {
			put(family+strings.ToLower(namespace+"."+key), fmt.Sprint(value))
		}
	}
}

// addGroupTags adds the tags of a group of the principal's.
func (o *oracleSelf) addGroupTags(env *Env, g *iam.Group) error {
	x, err := env.Tx.OracleExtras(g.Account, g.ID)
	if o.tags == nil {
		o.tags = map[string][]string{}
	}
	tagFacts(groupTags, x.Tags, func(key, value string) { o.tags[key] = append(o.tags[key], value) })
	return err
}

// oracleFacts reads what statements ask about a target.
func (env *Env) oracleFacts(t *Target) (policy.Map, error) {
	facts := policy.Map{}
	put := func(key, value string) { facts.Set(key, policy.String(value)) }
	a := t.account(env.Call.Caller.Account)
	account, err := env.Tx.Account(a)
	if err != nil {
		return nil, err
	}
	put("target.tenant.name", tenancyName(account))
	put("target.tenancy.name", tenancyName(account))
	put("target.compartment.name", tenancyName(account))
	steps := strings.Split(strings.Trim(t.oraclePath(a), "/"), "/")
	if id, ok := name.ParseIDOf(name.OCICompartment, steps[len(steps)-1]); ok {
		c, err := env.Tx.OracleNoun(a, iam.OracleCompartment, id)
		if err != nil {
			return nil, err
		}
		put("target.compartment.name", c.Name)
		tagFacts(compartmentTags, c.Tags, put)
	}
	tags, err := env.oracleTagsOf(a, t)
	tagFacts(targetTags, tags, put)
	return facts, err
}

// oracleTagsOf are the tags of a target; none of what is listed or made.
func (env *Env) oracleTagsOf(a name.Account, t *Target) (iam.OracleTags, error) {
	kind := iam.OracleKind(t.Noun)
	switch {
	case t.ID == 0:
		return iam.OracleTags{}, nil
	case t.Noun == "user" || t.Noun == "group":
		x, err := env.Tx.OracleExtras(a, t.ID)
		return x.Tags, err
	case t.Noun == "oracle policy":
		kind = iam.OraclePolicy
	}
	n, err := env.Tx.OracleNoun(a, kind, t.ID)
	if fault.Is(err, fault.NotFound) { // a noun of another cloud's
		return iam.OracleTags{}, nil
	}
	if err != nil {
		return iam.OracleTags{}, err
	}
	return n.Tags, nil
}

// oracleGroupFact answers target.group.member: whether the caller is in the group.
func (f *facts) oracleGroupFact(t *Target) policy.Fact {
	if f.self == nil {
		return policy.Fact{}
	}
	id := t.ID.OCID(name.OCIGroup)
	for _, own := range f.self.groups {
		if own == id {
			return policy.Bool(true)
		}
	}
	return policy.Bool(false)
}
