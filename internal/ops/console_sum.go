package ops

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/aws/catalog"
)

// SumIn names a user or role.
type SumIn struct {
	Kind iam.PrincipalKind // user or role; "" means user
	Who  Ref
}

// Sum is what the policies of a user or role add up to.
type Sum struct {
	Root       bool // nothing but control policies limits it
	Sources    []PolicySource
	Boundary   *PolicySource
	Statements []Stated // denials first
	Services   []ServiceSum
	More       int  // services that are named and not in Services
	Uncounted  bool // some statement is of another cloud's language: its actions are not in Services
}

// maxSummed bounds the services that are counted: a policy that reads everything
// names hundreds.
const maxSummed = 40

// PolicySource is a policy and how it comes to somebody.
type PolicySource struct {
	Policy  string // ARN; name of an inline one
	Name    string
	Version string // "" for an inline one
	Group   string // through which it comes; "" = directly
	Inline  bool
	Vendor  bool // one of those that exist from the start
}

// Stated is one statement in words.
type Stated struct {
	Source       int // index in Sources; -1 = the boundary
	Sid          string
	Line         int
	Deny         bool
	Actions      []string
	NotActions   bool // all but those
	Resources    []string
	NotResources bool
	Conditions   []string
}

// ServiceSum counts the actions of a service that are allowed on all or on some
// resources.
type ServiceSum struct {
	Prefix string // "*" stands for every service that no statement names
	Name   string
	All    int // actions that there are
	Ways   [len(Ways)]Reach
}

// Reach counts actions.
type Reach struct {
	Everywhere int // allowed on every resource
	Somewhere  int // allowed on some only
}

// Level says in a word how much of n actions that is.
func (r Reach) Level(n int) string {
	switch {
	case r.Everywhere == n:
		return "all"
	case r.Everywhere+r.Somewhere > 0:
		return "some"
	}
	return "none"
}

// SumUpAccess adds up what the policies of a user or role give: where they come
// from, each statement in words, and for each service that they name how many
// actions are allowed, with and without MFA.
//
// Errors: NotFound.
var SumUpAccess = Op[SumIn, *Sum]{
	Name:   "SumUpAccess",
	Grants: Names{AWS: "iam:SimulatePrincipalPolicy"},
	Target: func(env *Env, in SumIn) (Target, error) { return env.triedTarget(in.Kind, in.Who) },
	Record: SumIn.record,
	Do: func(env *Env, in SumIn) (*Sum, error) {
		c, _, err := env.supposed(in.Kind, in.Who)
		if err != nil {
			return nil, err
		}
		kind := iam.KindUser
		if c.Kind == policy.RoleSession {
			kind = iam.KindRole
		}
		held, err := env.Tx.PrincipalPolicies(c.Account, kind, c.ID())
		if err != nil {
			return nil, err
		}
		s := &summing{env: env, caller: c, out: &Sum{Root: c.Kind == policy.Root}}
		if err := s.read(held); err != nil {
			return nil, err
		}
		slices.SortStableFunc(s.out.Statements, func(a, b Stated) int { return before(a.Deny, b.Deny) })
		s.services()
		return s.out, nil
	},
}

func (in SumIn) record() audit.Fields { return audit.Fields{"principal": in.Who.String()} }

// summing adds up.
type summing struct {
	env    *Env
	caller Caller
	out    *Sum
	named  map[string]bool // services that statements name

	identity []*reading
	boundary *reading // nil if there is none

	depends bool // some condition asks how the caller signed in
}

// read reads every policy that somebody holds.
func (s *summing) read(held *store.Grants) error {
	s.named = map[string]bool{}
	for i := range held.Managed {
		g := &held.Managed[i]
		r, err := s.managed(g, g.Holder, len(s.out.Sources))
		if err != nil {
			return err
		}
		s.identity = append(s.identity, r)
	}
	for _, in := range held.Inline {
		src := PolicySource{Policy: in.Name, Name: in.Name, Inline: true}
		if in.Holder.Kind == iam.KindGroup {
			src.Group = in.Holder.Name
		}
		s.out.Sources = append(s.out.Sources, src)
		r, err := s.text(in.Document, aws.Inline, len(s.out.Sources)-1)
		if err != nil {
			return err
		}
		s.identity = append(s.identity, r)
	}
	if held.Boundary == nil {
		return nil
	}
	var err error
	s.boundary, err = s.managed(held.Boundary, store.Entity{}, -1)
	return err
}

// managed reads the version in force of a managed policy.
func (s *summing) managed(g *store.ManagedGrant, holder store.Entity, at int) (*reading, error) {
	src := PolicySource{
		Policy: name.PolicyARN(g.Account, g.Path, g.Name), Name: g.Name, Version: versionID(g.Number), Vendor: g.Account != s.caller.Account,
	}
	if holder.Kind == iam.KindGroup {
		src.Group = holder.Name
	}
	if at < 0 {
		s.out.Boundary = &src
	} else {
		s.out.Sources = append(s.out.Sources, src)
	}
	v, err := s.env.Tx.Version(g.Account, g.ID, g.Number)
	if err != nil {
		return nil, err
	}
	kind := aws.Managed
	if src.Vendor {
		kind = aws.VendorPolicy
	}
	return s.text(v.Document, kind, at)
}

// text reads a text and states what it says.
func (s *summing) text(document string, kind aws.Kind, source int) (*reading, error) {
	r, ok := s.env.cache.readings.get(document)
	if !ok {
		var err error
		if r, err = readingOf(document, kind); err != nil {
			return nil, fmt.Errorf("a stored policy is not valid: %w", err)
		}
		s.env.cache.readings.put(document, r)
	}
	for _, st := range r.stated {
		st.Source = source
		s.out.Statements = append(s.out.Statements, st)
	}
	for _, service := range r.named {
		s.named[service] = true
	}
	s.depends = s.depends || r.depends
	s.out.Uncounted = s.out.Uncounted || r.uncounted
	return r, nil
}

// reading is what a text says. It is shared, and but for services nobody changes
// it.
type reading struct {
	stated  []Stated
	named   []string // services that its statements name; "*" for all others
	depends bool     // some condition asks how the caller signed in
	rules   []policy.Rule

	uncounted bool // it is not of AWS's language

	services bounded[string, serviceSets]
}

// maxServices bounds what is kept of one text: more than there are services.
const maxServices = 1000

func readingOf(document string, kind aws.Kind) (*reading, error) {
	rules, err := rulesOf(policy.RuleID{}, document, kind)
	if err != nil {
		return nil, err
	}
	out := &reading{rules: rules, services: bounded[string, serviceSets]{max: maxServices}}
	for i := range rules {
		r := &rules[i]
		st := Stated{Sid: r.ID.Sid, Line: r.ID.Line, Deny: r.Effect == policy.Deny}
		st.Actions, st.NotActions = spelled(r.What)
		st.Resources, st.NotResources = spelled(r.Where)
		policy.Walk(r.When, func(t *policy.Test) {
			st.Conditions = append(st.Conditions, t.Label)
			out.depends = out.depends || asksWay(t.Key)
		})
		out.stated = append(out.stated, st)
		if r.Lang != aws.Language {
			out.uncounted = true
			continue
		}
		out.named = append(out.named, st.services()...)
	}
	slices.Sort(out.named)
	out.named = slices.Compact(out.named)
	return out, nil
}

// services are the services that a statement names.
func (st *Stated) services() (named []string) {
	if st.NotActions {
		named = append(named, "*")
	}
	for _, a := range st.Actions {
		service, _ := split(a)
		if strings.ContainsAny(service, "*?") {
			service = "*"
		}
		named = append(named, strings.ToLower(service))
	}
	return named
}

// asksWay reports whether a condition key tells the ways of signing in apart.
func asksWay(key string) bool {
	key = strings.ToLower(key)
	return strings.HasPrefix(key, "aws:multifactorauth") || strings.HasPrefix(key, "warifu:") || key == "aws:tokenissuetime"
}

// anywhere makes of rules those that tell what is possible on some resource: an
// allow is about every resource, and a deny that is not is left out.
func anywhere(rules []policy.Rule) (out []policy.Rule) {
	for _, r := range rules {
		resources, not := spelled(r.Where)
		switch {
		case r.Effect == policy.Allow:
			r.Where = nil
		case not || len(resources) != 0 && !slices.Contains(resources, "*"):
			continue
		}
		out = append(out, r)
	}
	return out
}

// spelled are the patterns of an expression about actions or resources as they
// are written, and whether it is about all others. None is everything.
func spelled(x policy.Expr) (texts []string, not bool) {
	if n, ok := x.(policy.Not); ok {
		not, x = true, n.X
	}
	policy.Walk(x, func(t *policy.Test) {
		for _, v := range t.Values {
			switch v := v.(type) {
			case policy.Pattern:
				texts = append(texts, patternText(v))
			case policy.Fields:
				parts := make([]string, len(v))
				for i, f := range v {
					parts[i] = patternText(f)
				}
				texts = append(texts, strings.Join(parts, ":"))
			}
		}
	})
	return texts, not
}

func patternText(p policy.Pattern) string {
	var b strings.Builder
	for _, piece := range p {
		switch piece.Kind {
		case policy.Lit:
			b.WriteString(piece.Text)
		case policy.AnyRun:
			b.WriteString("*")
		case policy.AnyChar:
			b.WriteString("?")
		case policy.Var:
			b.WriteString("${" + piece.Text + "}")
		}
	}
	return b.String()
}

// services counts for every service that a statement names, and for one that
// stands for all others.
func (s *summing) services() {
	for _, service := range slices.SortedFunc(maps.Keys(s.named), func(a, b string) int {
		return cmp.Or(before(a != "*", b != "*"), cmp.Compare(a, b))
	}) {
		if len(s.out.Services) >= maxSummed && service != "*" {
			s.out.More++
			continue
		}
		row := ServiceSum{Prefix: service}
		var actions []string
		if service == "*" {
			actions = []string{otherAction}
		} else {
			actions = SuggestActions(service)
		}
		row.All = len(actions)
		if row.All == 0 {
			continue // no service of that name
		}
		real, some := s.layersOf(service)
		for w, way := range Ways {
			if w > 0 && !s.depends {
				row.Ways[w] = row.Ways[0]
				continue
			}
			row.Ways[w] = s.reach(actions, way, real, some)
		}
		s.out.Services = append(s.out.Services, row)
	}
	names := serviceTitles()
	for i := range s.out.Services {
		s.out.Services[i].Name = names[s.out.Services[i].Prefix]
	}
}

// serviceTitles are the names of services by their prefixes.
func serviceTitles() map[string]string {
	names := map[string]string{}
	for _, known := range catalog.Services() {
		names[known.Prefix] = known.Name
	}
	return names
}

// otherAction is an action of no service, which only wildcards match.
const otherAction = "-:-"

// layersOf are the policies as far as they speak of one service: as they are, and
// with every statement that allows being about every resource.
func (s *summing) layersOf(service string) (real, some []policy.Layer) {
	add := func(kind policy.LayerKind, texts ...*reading) {
		written, possible := policy.Layer{Kind: kind}, policy.Layer{Kind: kind}
		for _, r := range texts {
			sets := r.about(service, s.env.contextKeys)
			written.Sets, possible.Sets = append(written.Sets, sets.real), append(possible.Sets, sets.some)
		}
		real, some = append(real, written), append(some, possible)
	}
	add(policy.Identity, s.identity...)
	if s.boundary != nil {
		add(policy.Boundary, s.boundary)
	}
	return real, some
}

// serviceSets are the rules of one text that can be about a service's actions: as
// they are, and as what is possible on some resource.
type serviceSets struct{ real, some *policy.Set }

// about compiles what the text says of one service, and keeps it. Most policies
// name few actions of a service, and some name thousands of all: asked whole, such
// a one would be searched for each action.
func (r *reading) about(service string, keys *policy.Keys) serviceSets {
	sets, ok := r.services.get(service)
	if !ok {
		rules := about(service, r.rules)
		sets = serviceSets{policy.Compile(rules, keys), policy.Compile(anywhere(rules), keys)}
		r.services.put(service, sets)
	}
	return sets
}

// about are the rules without the actions that they name of other services.
func about(service string, rules []policy.Rule) (out []policy.Rule) {
	for _, r := range rules {
		if t, ok := r.What.(policy.Test); ok {
			values := make([]policy.Value, 0, 8)
			for _, v := range t.Values {
				if p, ok := v.(policy.Pattern); !ok || couldName(p, service) {
					values = append(values, v)
				}
			}
			if len(values) == 0 {
				continue
			}
			t.Values = values
			r.What = t
		}
		out = append(out, r)
	}
	return out
}

// couldName reports whether a pattern may match an action of a service.
func couldName(p policy.Pattern, service string) bool {
	if len(p) == 0 || p[0].Kind != policy.Lit {
		return true
	}
	named, _, ends := strings.Cut(p[0].Text, ":")
	if ends {
		return strings.EqualFold(named, service)
	}
	return len(p) > 1 // a wildcard stands in the service's name
}

func (s *summing) reach(actions []string, way Way, real, some []policy.Layer) (r Reach) {
	call := s.env.Call
	call.Caller = s.caller
	call.Caller.MFA = way.mfa(s.env)
	known := facts{call: &call, now: s.env.Now, target: &Target{}, mfa: &call.Caller.MFA}
	req := policy.Request{Principal: call.Caller.principal(), Context: &known}
	req.Resources[aws.Language] = "*"
	for _, a := range actions {
		req.SetAction(aws.Language, policy.NewAction(a))
		switch {
		case policy.Decide(&req, real...).Allowed():
			r.Everywhere++
		case policy.Decide(&req, some...).Allowed():
			r.Somewhere++
		}
	}
	return r
}
