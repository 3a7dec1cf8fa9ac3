package ops

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/aws"
)

// Simulations ask the evaluator that serves requests, under the same layers: trust
// policies and conditions on MFA count as they will when the request is made.

// SimulateIn is a question about requests that nobody makes.
type SimulateIn struct {
	Source string // ARN of the user, group or role whose policies are asked; "" for those given alone

	Policies       []string // documents that count as identity policies, besides those of the source
	Boundary       []string // documents that are the permissions boundary, in the place of the source's own
	ResourcePolicy string   // document that every resource has; "" = none
	Owner          string   // account or its ARN: of resources whose name tells none, and of the resource policy

	Caller    string   // ARN of the user or role that asks; "" = the source
	Actions   []string // service:Operation
	Resources []string // none means "*"
	Context   []ContextEntry
	Listing
}

// ContextEntry is a context key of the requests.
type ContextEntry struct {
	Key    string
	Type   string // string, numeric, boolean, ip, binary, date, each also with List behind; "" = any text
	Values []string
}

// Simulated is what policy says of one action on one resource.
type Simulated struct {
	Action, Resource string
	Outcome          policy.Outcome
	Matched          []Matched // the statements that decided
	Missing          []string  // context keys that statements about the action ask for and nobody gave
	Boundary         *bool     // the boundary allows it; nil if there is none
	Abroad           bool      // the resource belongs to another account, so that both sides must allow
	ByIdentity       policy.Outcome
	ByResource       policy.Outcome
}

// Matched is a statement that decided.
type Matched struct {
	Policy string // name, or which of the documents given
	Type   SourceType
	Rule   policy.RuleID
}

// SourceType is where a policy is.
type SourceType string

// The places of policies.
const (
	SourceUser     SourceType = "user"
	SourceGroup    SourceType = "group"
	SourceRole     SourceType = "role"
	SourceVendor   SourceType = "aws-managed"
	SourceOwn      SourceType = "user-managed"
	SourceResource SourceType = "resource"
	SourceGiven    SourceType = "none" // in the question itself
)

// maxSimulated is how many pairs of action and resource one question may have (our
// own).
const maxSimulated = 10_000

// SimulatePrincipalPolicy tells what the policies of a user, group or role say of
// requests.
//
// Errors: Invalid field; NotFound source.
var SimulatePrincipalPolicy = Op[SimulateIn, page.Page[Simulated]]{
	Name:   "SimulatePrincipalPolicy",
	Grants: Names{AWS: "iam:SimulatePrincipalPolicy"},
	Target: func(env *Env, in SimulateIn) (Target, error) { return env.sourceTarget(in.Source) },
	Record: SimulateIn.record,
	Do: func(env *Env, in SimulateIn) (page.Page[Simulated], error) {
		return env.simulate("SimulatePrincipalPolicy", in)
	},
}

// SimulateCustomPolicy tells what policies that are given say of requests.
//
// Errors: Invalid field.
var SimulateCustomPolicy = Op[SimulateIn, page.Page[Simulated]]{
	Name:   "SimulateCustomPolicy",
	Grants: Names{AWS: "iam:SimulateCustomPolicy"},
	Target: func(*Env, SimulateIn) (Target, error) { return Target{Noun: "policy document"}, nil },
	Record: SimulateIn.record,
	Do: func(env *Env, in SimulateIn) (page.Page[Simulated], error) {
		in.Source = ""
		return env.simulate("SimulateCustomPolicy", in)
	},
}

// ContextKeysIn names policies.
type ContextKeysIn struct {
	Source   string   // ARN of a user, group or role; "" = none
	Policies []string // documents
}

// GetContextKeysForPrincipalPolicy lists the context keys that the policies of a
// user, group or role ask for.
//
// Errors: Invalid field; NotFound source.
var GetContextKeysForPrincipalPolicy = Op[ContextKeysIn, []string]{
	Name:   "GetContextKeysForPrincipalPolicy",
	Grants: Names{AWS: "iam:GetContextKeysForPrincipalPolicy"},
	Target: func(env *Env, in ContextKeysIn) (Target, error) { return env.sourceTarget(in.Source) },
	Record: func(in ContextKeysIn) audit.Fields { return audit.Fields{"policySourceArn": in.Source} },
	Do: func(env *Env, in ContextKeysIn) ([]string, error) {
		kind, ref, err := env.policySource(in.Source)
		if err != nil {
			return nil, err
		}
		texts, err := env.textsOf(kind, ref)
		if err != nil {
			return nil, err
		}
		return contextKeys(in.Policies, texts)
	},
}

// GetContextKeysForCustomPolicy lists the context keys that policies ask for.
//
// Errors: Invalid field.
var GetContextKeysForCustomPolicy = Op[ContextKeysIn, []string]{
	Name:   "GetContextKeysForCustomPolicy",
	Grants: Names{AWS: "iam:GetContextKeysForCustomPolicy"},
	Target: func(*Env, ContextKeysIn) (Target, error) { return Target{Noun: "policy document"}, nil },
	Do:     func(_ *Env, in ContextKeysIn) ([]string, error) { return contextKeys(in.Policies, nil) },
}

func (in SimulateIn) record() audit.Fields {
	return audit.Fields{
		"policySourceArn": in.Source, "callerArn": in.Caller, "actionNames": strings.Join(in.Actions, " "), "resourceArns": strings.Join(in.Resources, " "),
	}
}

// policySource finds out what the ARN of a policy source names in the caller's account.
func (env *Env) policySource(arn string) (iam.PrincipalKind, Ref, error) {
	for _, kind := range []iam.PrincipalKind{iam.KindUser, iam.KindGroup, iam.KindRole} {
		if account, _, called, ok := name.SplitIAM(arn, string(kind)); ok {
			if account != env.Call.Caller.Account {
				return kind, Ref{}, fault.Of(fault.NotFound, string(kind), called)
			}
			return kind, Ref{Name: called}, nil
		}
	}
	return "", Ref{}, fault.Field("policySourceArn", "%s is not the ARN of a user, group or role", arn)
}

// sourceTarget is the target of a question about a source's policies.
func (env *Env) sourceTarget(arn string) (Target, error) {
	kind, ref, err := env.policySource(arn)
	if err != nil {
		return Target{Noun: "policy source", Resources: []string{arn}}, ignoreMissing(err)
	}
	return env.holderTarget(kind, ref)
}

// textsOf reads the documents of AWS's language that a principal holds.
func (env *Env) textsOf(kind iam.PrincipalKind, ref Ref) ([]string, error) {
	held, err := env.heldBy(kind, ref)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, g := range held.Managed {
		v, err := env.Tx.Version(g.Account, g.ID, g.Number)
		if err != nil {
			return nil, err
		}
		texts = append(texts, v.Document)
	}
	for _, in := range held.Inline {
		texts = append(texts, in.Document)
	}
	return texts, nil
}

func (env *Env) heldBy(kind iam.PrincipalKind, ref Ref) (*store.Grants, error) {
	h, err := env.holder(kind, ref)
	if err != nil {
		return nil, err
	}
	return env.Tx.PrincipalPolicies(env.Call.Caller.Account, kind, h.id)
}

// contextKeys lists what documents ask for, each once. Those given must be valid;
// stored ones in another language ask in another way.
func contextKeys(given, stored []string) ([]string, error) {
	var keys []string
	for i, text := range given {
		doc, err := givenDocument("policyInputList", i, text)
		if err != nil {
			return nil, err
		}
		keys = append(keys, doc.ContextKeys()...)
	}
	for _, text := range stored {
		if doc, err := aws.Parse([]byte(text), aws.VendorPolicy); err == nil {
			keys = append(keys, doc.ContextKeys()...)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.CompactFunc(keys, strings.EqualFold), nil
}

// givenDocument reads a document of a question. The quotas of stored ones do not bind
// it.
func givenDocument(field string, i int, text string) (*aws.Document, error) {
	kind := aws.VendorPolicy
	if field == "resourcePolicy" {
		kind = aws.ResourcePolicy
	}
	doc, err := aws.Parse([]byte(text), kind)
	if refused := (*aws.Error)(nil); errors.As(err, &refused) {
		return nil, fault.Field(field, "Invalid Input Policy %d: %s %s", i+1, refused.Message, refused.Error())
	}
	return doc, err
}

// simulation is a question taken apart.
type simulation struct {
	env    *Env
	in     SimulateIn
	caller Caller
	owner  name.Account
	given  policy.Map
	layers []policy.Layer
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

// valueForms are the types of context values, without List behind.
var valueForms = map[string]func(string) bool{
	"string":  func(string) bool { return true },
	"numeric": func(s string) bool { _, ok := policy.ParseNumber(s); return ok },
	"boolean": func(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") },
	"ip": func(s string) bool {
		_, err := netip.ParseAddr(s)
		return err == nil
	},
	"binary": func(s string) bool {
		_, err := base64.StdEncoding.DecodeString(s)
		return err == nil
	},
	"date": func(s string) bool { _, ok := policy.ParseInstant(s); return ok },
}

func (s *simulation) readContext() error {
	s.given = policy.Map{}
	for _, e := range s.in.Context {
		form, list := strings.CutSuffix(cmp.Or(e.Type, "stringList"), "List")
		valid := valueForms[form]
		if valid == nil {
			return fault.Field("contextEntries", "%s is no type of a context key", e.Type)
		}
		if !list && len(e.Values) != 1 {
			return fault.Field("contextEntries", "%s is of type %s and has %d values; it must have one", e.Key, e.Type, len(e.Values))
		}
		for _, v := range e.Values {
			if !valid(v) {
				return fault.Field("contextEntries", "%q is no value of type %s for %s", v, e.Type, e.Key)
			}
		}
		if len(e.Values) == 1 {
			s.given.Set(e.Key, policy.String(e.Values[0]))
		} else {
			s.given.Set(e.Key, policy.Strings(e.Values...))
		}
	}
	return nil
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
		s.caller = c
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
	t, err := s.env.resourceTarget(resource)
	if err != nil {
		return nil, err
	}
	t.Account = s.owner
	if arn, ok := name.ParseARN(resource); ok {
		if a, ok := name.ParseAccount(arn.Account); ok {
			t.Account = a
		}
	}
	layers, err := s.layersFor(action, resource, t.Account)
	if err != nil {
		return nil, err
	}
	call := s.env.Call
	call.Caller = s.caller
	grants := Names{AWS: action}
	known := &supposedFacts{s.given, facts{call: &call, now: s.env.Now, target: &t, mfa: &call.Caller.MFA, grants: &grants}}
	req := policy.Request{Principal: call.Caller.principal(), Context: known}
	req.Actions[aws.Language], req.Resources[aws.Language] = action, resource
	spoken := tonguesOf(layers)
	var trace policy.Trace
	for variant := range spoken.variants(grants) {
		spoken.name(&req, &call.Caller, &t, grants, variant)
		if trace = policy.Explain(&req, layers...); !trace.Decision.Allowed() {
			break
		}
	}
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

// supposedFacts answers for a request that nobody makes: what was given, and what
// follows from the caller, the resource and the clock. Where a request would come from
// and how it would be proved is not known unless it was given.
type supposedFacts struct {
	given policy.Map
	facts
}

func (f *supposedFacts) Lookup(key *policy.Key) policy.Fact {
	if v, ok := f.given[key.Name]; ok {
		return v
	}
	switch key.Slot {
	case keyUsername, keyPrincipalARN, keyACSPrincipalARN:
		if c := &f.call.Caller; c.User.Name != "" || c.Role.Name != "" {
			return f.facts.Lookup(key)
		}
	case keyUserID:
		if f.call.Caller.ID() != 0 {
			return f.facts.Lookup(key)
		}
	case keyPrincipalAccount, keyPrincipalType, keyPrincipalTag, keyCurrentTime, keyACSCurrentTime, keyEpochTime, keyResourceTag, keyIAMResourceTag, keyACSResourceTag, keyResourceAccount, keyViaService, keyIsAWSService:
		return f.facts.Lookup(key)
	}
	return policy.Fact{}
}

// simulated puts a trace in the simulator's terms. Where something denies, only what
// denies counts as matched.
func simulated(action, resource string, trace *policy.Trace) *Simulated {
	out := &Simulated{Action: action, Resource: resource, Outcome: trace.Decision.Outcome}
	for i := range trace.Layers {
		l := &trace.Layers[i]
		outcome := outcomeOf(l)
		switch l.Kind {
		case policy.Boundary:
			allows := outcome == policy.Allowed
			out.Boundary = &allows
		case policy.Identity:
			out.ByIdentity = outcome
		case policy.Resource, policy.Trust:
			out.ByResource = outcome
		}
		for j := range l.Rules {
			r := &l.Rules[j]
			if matters := r.Rule.Effect == policy.Deny || out.Outcome == policy.Allowed && l.Kind != policy.Boundary; r.Applies && matters {
				out.Matched = append(out.Matched, matchedBy(l.Kind, &r.Rule.ID))
			}
			for _, c := range r.Conditions {
				if !c.Found && c.Key != "" {
					out.Missing = append(out.Missing, aws.CanonicalKey(c.Key))
				}
			}
		}
	}
	slices.Sort(out.Missing)
	out.Missing = slices.Compact(out.Missing)
	return out
}

func outcomeOf(l *policy.LayerTrace) policy.Outcome {
	switch {
	case l.Deny:
		return policy.ExplicitDeny
	case l.Allow:
		return policy.Allowed
	}
	return policy.ImplicitDeny
}

// matchedBy says where a statement stands.
func matchedBy(layer policy.LayerKind, id *policy.RuleID) Matched {
	m := Matched{Policy: id.Policy, Type: SourceGiven, Rule: *id}
	inline := strings.Fields(id.Policy)
	arn, managed := name.ParseARN(id.Policy)
	switch {
	case layer == policy.Resource, layer == policy.Trust:
		m.Type = SourceResource
	case managed:
		m.Type = SourceOwn
		if strings.Trim(arn.Account, "0123456789") != "" {
			m.Type = SourceVendor
		}
		m.Policy = id.Policy[strings.LastIndexByte(id.Policy, '/')+1:]
	case len(inline) == 6 && inline[0] == "inline": // inline policy NAME of KIND HOLDER
		m.Policy, m.Type = inline[2], SourceType(inline[4])
	}
	return m
}
