package ops

import (
	"encoding/json"
	"slices"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/insight"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/oci"
)

// power is what a text gives on everything, without a condition.
type power struct {
	everything bool     // every action
	others     bool     // everything about users and permissions: as good as everything
	wild       []string // the actions that are written with a wildcard for a whole service or all
	line       int      // of the first of them
}

// powerOf reads what a text gives. A text without a wildcard gives nothing of the
// kind, and is not read.
func powerOf(document string, kind aws.Kind) (p power, err error) {
	if !strings.Contains(document, "*") {
		return p, nil
	}
	rules, err := rulesOf(policy.RuleID{}, document, kind)
	if err != nil {
		return p, fault.Wrap(err, "read a stored policy")
	}
	for i := range rules {
		p.add(&rules[i])
	}
	return p, nil
}

func (p *power) add(r *policy.Rule) {
	if r.Effect != policy.Allow || !unconditional(r.When) {
		return
	}
	if where, not := spelled(r.Where); not || len(where) > 0 && !slices.ContainsFunc(where, everywhere) {
		return
	}
	actions, not := spelled(r.What)
	if not {
		return // what it leaves out may be what counts
	}
	for _, a := range actions {
		service, op := split(strings.ToLower(a))
		switch {
		case a == "*", service == "*" && op == "*":
			p.everything, p.others = true, true
		case op != "*":
			continue
		case service == "iam", service == "ram":
			p.others = true
		}
		if p.line == 0 {
			p.line = r.ID.Line
		}
		p.wild = append(p.wild, a)
	}
}

// unconditional reports whether a condition is none.
func unconditional(x policy.Expr) bool {
	all, ok := x.(policy.All)
	return x == nil || ok && len(all) == 0
}

// everywhere reports whether a pattern of resources is all of them: nothing but stars
// behind the word that begins it.
func everywhere(pattern string) bool {
	if _, rest, ok := strings.Cut(pattern, ":"); ok {
		pattern = rest
	}
	return strings.Trim(pattern, "*:") == ""
}

// factsOfPower finds who may do everything, and which of the account's own policies
// give everything of a service.
func (env *Env) factsOfPower(f *insight.Facts) error {
	a := env.Call.Caller.Account
	held, err := env.Tx.PoliciesInForce(a)
	if err != nil {
		return err
	}
	for i := range held {
		h := &held[i]
		p, err := env.powerOf(h)
		if err != nil {
			return err
		}
		own := h.Owner == a
		if !p.others && (!own || len(p.wild) == 0) {
			continue
		}
		who, err := env.holding(h)
		if err != nil {
			return err
		}
		called := h.Name
		if h.Policy != 0 {
			called = name.PolicyARN(h.Owner, h.Path, h.Name)
		}
		if own && len(p.wild) > 0 {
			g := insight.Grant{Name: h.Name, Actions: p.wild, Line: p.line, Holders: len(who)}
			if h.Policy != 0 {
				g.Policy = called
			} else if g.Kind = h.Kind; len(who) > 0 {
				g.Holder = who[0].Name
				if who[0].Kind == iam.KindGroup {
					g.Holders--
				}
			}
			f.Wildcards = append(f.Wildcards, g)
		}
		if p.others {
			f.Admins = appendHolders(f.Admins, who, called)
		}
	}
	return env.oracleAdmins(f)
}

func appendHolders(all []insight.Holder, who []store.Entity, policy string) []insight.Holder {
	for _, e := range who {
		if e.Kind == iam.KindGroup {
			continue // its members are counted
		}
		all = append(all, insight.Holder{Kind: string(e.Kind), ID: e.ID, Name: e.Name, Policy: policy})
	}
	return all
}

// powerOf is what a policy in force gives. A version's text never changes, so what it
// gives is kept.
func (env *Env) powerOf(h *store.PowerHolder) (power, error) {
	if h.Policy == 0 {
		return powerOf(h.Document, aws.Inline)
	}
	key := store.PolicyRef{ID: h.Policy, Number: h.Number}
	if p, ok := env.cache.powers.get(key); ok {
		return p, nil
	}
	v, err := env.Tx.Version(h.Owner, h.Policy, h.Number)
	if err != nil {
		return power{}, err
	}
	kind := aws.Managed
	if h.Owner.Vendor() {
		kind = aws.VendorPolicy
	}
	p, err := powerOf(v.Document, kind)
	if err == nil {
		env.cache.powers.put(key, p)
	}
	return p, err
}

// holding are the users and roles that hold a policy.
func (env *Env) holding(h *store.PowerHolder) ([]store.Entity, error) {
	a := env.Call.Caller.Account
	if h.Policy != 0 {
		return env.Tx.Holders(a, h.Policy)
	}
	if h.Kind != string(iam.KindGroup) {
		return env.Tx.Behind(a, h.Principal)
	}
	g, err := env.Tx.GroupByID(a, h.Principal)
	if err != nil {
		return nil, err
	}
	who, err := env.Tx.Behind(a, g.ID)
	return append([]store.Entity{{Kind: iam.KindGroup, ID: g.ID, Name: g.Name, Path: g.Path}}, who...), err
}

// oracleAdmins finds the groups to which a statement of Oracle's language gives
// everything, or everything about users and groups, in the whole tenancy.
func (env *Env) oracleAdmins(f *insight.Facts) error {
	a := env.Call.Caller.Account
	policies, err := env.Tx.OracleNouns(a, iam.OraclePolicy)
	if err != nil {
		return err
	}
	for i := range policies {
		n := OracleNoun{OracleNoun: policies[i]}
		statements, _ := n.Statements()
		for _, s := range statements {
			if !managesAll(s) {
				continue
			}
			groups, err := env.oracleGroups(&n, s)
			if err != nil {
				return err
			}
			for _, id := range groups {
				who, err := env.Tx.Behind(a, id)
				if err != nil {
					return err
				}
				f.Admins = appendHolders(f.Admins, who, n.Name)
			}
		}
	}
	return nil
}

// managesAll reports whether a statement gives power over everything in the tenancy,
// without a condition.
func managesAll(statement string) bool {
	text := strings.Join(strings.Fields(strings.ToLower(statement)), " ")
	return strings.HasPrefix(text, "allow ") && strings.HasSuffix(text, " to manage all-resources in tenancy")
}

// oracleGroups are the groups that a statement of a policy is about.
func (env *Env) oracleGroups(n *OracleNoun, statement string) (ids []name.ID, err error) {
	a := env.Call.Caller.Account
	doc, err := oci.Parse([]string{statement})
	if err != nil {
		return nil, fault.Wrap(err, "read the stored policy "+n.Name)
	}
	body, err := readOraclePolicy(n.Body)
	if err != nil {
		return nil, err
	}
	for _, b := range doc.Bind(policy.RuleID{}, oci.Site{Tenancy: a.Tenancy(), Compartment: compartmentOCID(a, n.Parent)}, body.names()) {
		for _, g := range b.Groups {
			if o, ok := name.ParseOCID(g); ok {
				ids = append(ids, name.ID(o.A))
			}
		}
	}
	return ids, nil
}

func readOraclePolicy(text string) (*oraclePolicyBody, error) {
	body := new(oraclePolicyBody)
	if err := json.Unmarshal([]byte(text), body); err != nil {
		return nil, fault.Wrap(err, "read a stored policy")
	}
	return body, nil
}
