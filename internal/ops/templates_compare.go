package ops

import (
	"maps"
	"slices"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/ram/jobs"
)

// TemplatePair is what separates two templates.
type TemplatePair struct {
	A, B         string   // names
	OnlyA, OnlyB []string // actions, as written, that one gives and the other does not
	Both         []string
	People       []iam.User // who have both, by name
}

// CompareTemplates tells, of each two templates, what one gives and the other does
// not, and who has both: duties that are kept apart should not meet in one person.
var CompareTemplates = Op[struct{}, []TemplatePair]{
	Name:   "CompareTemplates",
	Grants: Names{AWS: "warifu:ListTemplates", RAM: "ram:ListTemplates"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "template"}, nil },
	Do: func(env *Env, _ struct{}) (pairs []TemplatePair, err error) {
		all := jobs.All()
		gives, members := make([][]string, len(all)), make([][]iam.User, len(all))
		for i := range all {
			if gives[i], err = env.givenBy(&all[i]); err != nil {
				return nil, err
			}
			if members[i], err = env.membersOf(all[i].Group); err != nil {
				return nil, err
			}
		}
		for i := range all {
			for j := i + 1; j < len(all); j++ {
				p := TemplatePair{A: all[i].Name, B: all[j].Name}
				p.OnlyA, p.Both = apart(gives[i], gives[j])
				var shared []string
				p.OnlyB, shared = apart(gives[j], gives[i])
				p.Both = union(p.Both, shared)
				p.People = inBoth(members[i], members[j])
				pairs = append(pairs, p)
			}
		}
		return pairs, nil
	},
}

// givenBy are the actions that a template's policies allow, as written, in order.
func (env *Env) givenBy(j *jobs.Job) ([]string, error) {
	given := map[string]bool{}
	add := func(document string, kind aws.Kind) error {
		rules, err := rulesOf(policy.RuleID{}, document, kind)
		for i := range rules {
			if actions, not := spelled(rules[i].What); rules[i].Effect == policy.Allow && !not {
				for _, a := range actions {
					given[a] = true
				}
			}
		}
		return err
	}
	for _, s := range j.System {
		p, err := policyByARN(env.Tx, env.Call.Caller.Account, name.PolicyARN(name.AlibabaVendor, "/", s))
		if err != nil {
			return nil, err
		}
		v, err := env.Tx.Version(p.Account, p.ID, p.Default)
		if err == nil {
			err = add(v.Document, aws.VendorPolicy)
		}
		if err != nil {
			return nil, err
		}
	}
	for i := range j.Policies {
		if err := add(j.Policies[i].Document(nil), aws.Managed); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(given)), nil
}

// membersOf are the members of a group, none if there is no group.
func (env *Env) membersOf(group string) ([]iam.User, error) {
	a := env.Call.Caller.Account
	g, err := env.Tx.GroupByName(a, group)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	return env.Tx.Members(a, g.ID, "", allOfThem)
}

// apart divides actions into those that others do not give and those that they do.
func apart(actions, others []string) (only, both []string) {
	for _, a := range actions {
		if slices.ContainsFunc(others, func(o string) bool { return covers(o, a) }) {
			both = append(both, a)
		} else {
			only = append(only, a)
		}
	}
	return only, both
}

// covers reports whether all that pattern b names, a names as well. Actions are
// compared without case.
func covers(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	parts := strings.Split(a, "*")
	if len(parts) == 1 {
		return a == b
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(b, first) || !strings.HasSuffix(b[len(first):], last) {
		return false
	}
	b = b[len(first) : len(b)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(b, p)
		if !found {
			return false
		}
		b = rest
	}
	return true
}

func union(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// inBoth are users who are in two lists that are in the order of names.
func inBoth(a, b []iam.User) (both []iam.User) {
	there := make(map[name.ID]bool, len(b))
	for i := range b {
		there[b[i].ID] = true
	}
	for i := range a {
		if there[a[i].ID] {
			both = append(both, a[i])
		}
	}
	return both
}
