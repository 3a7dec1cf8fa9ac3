package ops

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/policy"
	"warifu/policy/aws"
)

// simulation is a question taken apart.
type simulation struct {
	env    *Env
	in     SimulateIn
	caller Caller
	owner  name.Account
	given  policy.Map
	layers []policy.Layer
	held   *principal // the source, if it can be a caller; nil if not
}

func (env *Env) simulate(op string, in SimulateIn) (none page.Page[Simulated], err error) {
	if len(in.Resources) == 0 {
		in.Resources = everything
	}
	if len(in.Actions)*len(in.Resources) > maxSimulated {
		return none, fault.Field("actionNames", "a simulation has at most %d pairs of action and resource", maxSimulated)
	}
	for _, a := range in.Actions {
		if service, name := split(a); service == "" || name == "" || strings.ContainsAny(a, "*? ") {
			return none, fault.Field("actionNames", "%s is not an action: it is written service:Operation, without wildcards", a)
		}
	}
	s := &simulation{env: env, in: in}
	for _, prepare := range []func() error{s.readContext, s.readPolicies, s.readCaller, s.readResource} {
		if err := prepare(); err != nil {
			return none, err
		}
	}
	pairs := len(in.Actions) * len(in.Resources)
	list := page.List{Operation: op, Filter: []string{env.Call.Caller.Account.String(), in.Source, strconv.Itoa(pairs)}}
	return s.page(list, pairs)
}

// page judges the pairs of one page, and no others.
func (s *simulation) page(list page.List, pairs int) (p page.Page[Simulated], err error) {
	limit, err := s.in.limit()
	if err != nil {
		return p, err
	}
	after, err := s.env.cursors.Decode(list, page.Cursor(s.in.Cursor))
	if err != nil {
		return p, err
	}
	from := 0
	if after != nil {
		if from, err = strconv.Atoi(after[0]); err != nil {
			return p, fault.Field("cursor", "the cursor belongs to another list")
		}
	}
	for i := from; i < min(pairs, from+limit); i++ {
		one, err := s.judge(s.in.Actions[i/len(s.in.Resources)], s.in.Resources[i%len(s.in.Resources)])
		if err != nil {
			return p, err
		}
		p.Items = append(p.Items, *one)
	}
	if from+limit < pairs {
		p.Next, err = s.env.cursors.Encode(list, page.Key{strconv.Itoa(from + limit)})
	}
	return p, err
}

// readPolicies gathers the layers of the caller's side.
func (s *simulation) readPolicies() error {
	var boundary []*policy.Set
	identity, err := s.compile("policyInputList", "PolicyInputList.%d", s.in.Policies)
	if err == nil {
		boundary, err = s.compile("permissionsBoundaryPolicyInputList", "PermissionsBoundaryPolicyInputList.%d", s.in.Boundary)
	}
	if err != nil {
		return err
	}
	if s.in.Source != "" {
		own, err := s.sourceLayers()
		if err != nil {
			return err
		}
		for _, l := range own {
			switch {
			case l.Kind == policy.Identity:
				identity = append(slices.Clip(l.Sets), identity...)
			case boundary == nil:
				boundary = l.Sets
			}
		}
	}
	s.layers = []policy.Layer{{Kind: policy.Identity, Sets: identity}}
	if boundary != nil {
		s.layers = append(s.layers, policy.Layer{Kind: policy.Boundary, Sets: boundary})
	}
	return nil
}

// sourceLayers are the policies of the source, who becomes the caller if it can be
// one.
func (s *simulation) sourceLayers() ([]policy.Layer, error) {
	kind, ref, err := s.env.policySource(s.in.Source)
	if err != nil {
		return nil, err
	}
	s.caller = Caller{Account: s.env.Call.Caller.Account, Kind: policy.User}
	if kind != iam.KindGroup {
		c, p, err := s.env.supposed(kind, ref)
		if err != nil {
			return nil, err
		}
		s.caller, s.held = c, p
		return p.layers, nil
	}
	held, err := s.env.heldBy(kind, ref)
	if err != nil {
		return nil, err
	}
	sets, err := s.env.heldSets(held)
	return []policy.Layer{{Kind: policy.Identity, Sets: sets}}, err
}

// compile reads documents of the question; each goes by its place.
func (s *simulation) compile(field, called string, texts []string) (sets []*policy.Set, err error) {
	for i, text := range texts {
		doc, err := givenDocument(field, i, text)
		if err != nil {
			return nil, err
		}
		sets = append(sets, policy.Compile(doc.Rules(policy.RuleID{Policy: fmt.Sprintf(called, i+1)}), s.env.contextKeys))
	}
	return sets, nil
}

// readCaller finds who asks, if that is not the source. A user or role that does not
// exist may be supposed.
func (s *simulation) readCaller() error {
	if s.in.Caller == "" {
		if s.in.Source == "" {
			s.caller = Caller{Account: s.env.Call.Caller.Account, Kind: policy.User}
		}
		return nil
	}
	if a, path, called, ok := name.SplitIAM(s.in.Caller, "user"); ok {
		s.caller = Caller{Account: a, Kind: policy.User, User: iam.User{Account: a, Path: path, Name: called}}
		u, err := s.env.Tx.UserByName(a, called)
		if err == nil && u.ARN() == s.in.Caller && a == s.env.Call.Caller.Account {
			s.caller.User = *u
		}
		return ignoreMissing(err)
	}
	if a, path, called, ok := name.SplitIAM(s.in.Caller, "role"); ok {
		s.caller = Caller{Account: a, Kind: policy.RoleSession, Role: iam.Role{Account: a, Path: path, Name: called}}
		r, err := s.env.Tx.RoleByName(a, called)
		if err == nil && r.ARN() == s.in.Caller && a == s.env.Call.Caller.Account {
			s.caller.Role = *r
		}
		return ignoreMissing(err)
	}
	return fault.Field("callerArn", "%s is not the ARN of a user or role", s.in.Caller)
}

// readResource adds the policy of the resources.
func (s *simulation) readResource() error {
	s.owner = s.caller.Account
	if s.in.Owner != "" {
		text := s.in.Owner
		if arn, ok := name.ParseARN(text); ok {
			text = arn.Account
		}
		account, ok := name.ParseAccount(text)
		if !ok {
			return fault.Field("resourceOwner", "%s is not an account", s.in.Owner)
		}
		s.owner = account
	}
	if s.in.ResourcePolicy == "" {
		return nil
	}
	doc, err := givenDocument("resourcePolicy", 0, s.in.ResourcePolicy)
	if err != nil {
		return err
	}
	set := policy.Compile(doc.Rules(policy.RuleID{Policy: resourcePolicy}), s.env.contextKeys)
	s.layers = append(s.layers, policy.Layer{Kind: policy.Resource, Sets: []*policy.Set{set}})
	return nil
}

// resourcePolicy is what the policy of the resources goes by.
const resourcePolicy = "ResourcePolicy"

// judge answers for one action on one resource.
func (s *simulation) judge(action, resource string) (*Simulated, error) {
	grants, t, arn, err := s.env.asked(action, resource)
	if err != nil {
		return nil, err
	}
	t.Account = s.owner
	if parsed, ok := name.ParseARN(resource); ok {
		if a, ok := name.ParseAccount(parsed.Account); ok {
			t.Account = a
		}
	}
	layers, err := s.layersFor(action, resource, t.Account)
	if err != nil {
		return nil, err
	}
	call := s.env.Call
	call.Caller = s.caller
	known := &supposedFacts{s.given, facts{call: &call, now: s.env.Now, target: &t, mfa: &call.Caller.MFA, grants: &grants}}
	if s.held != nil {
		known.self = s.held.oracle
	}
	req := policy.Request{Principal: call.Caller.principal(), Context: known}
	req.Actions[aws.Language], req.Resources[aws.Language] = grants.AWS, arn
	trace := s.held.explain(&req, &call.Caller, &t, grants, layers)
	out := simulated(action, resource, &trace)
	out.Abroad = t.Account != s.caller.Account && resource != "*"
	return out, nil
}

// layersFor adds the layers that only this action on this resource has: a role that is
// to be assumed has a trust policy, a KMS key's policy must allow whatever else does.
func (s *simulation) layersFor(action, resource string, owner name.Account) ([]policy.Layer, error) {
	layers := slices.Clone(s.layers)
	for i := range layers {
		if layers[i].Kind == policy.Resource {
			layers[i].Owner, layers[i].Explicit = owner.String(), strings.EqualFold(serviceOf(action), "kms")
		}
	}
	if len(action) < len(assume) || !strings.EqualFold(action[:len(assume)], assume) {
		return layers, nil
	}
	role, err := s.env.roleByARN(resource)
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && role.Account != s.env.Call.Caller.Account:
		return layers, nil // nothing is known of other accounts' roles
	case err != nil:
		return nil, err
	}
	set, err := s.env.compiled(policy.RuleID{Policy: "trust policy of " + role.ARN()}, role.Trust, aws.TrustPolicy)
	return append(layers, policy.Layer{Kind: policy.Trust, Owner: role.Account.String(), Sets: []*policy.Set{set}}), err
}

// assume is how the actions begin that a trust policy is about.
const assume = "sts:AssumeRole"
