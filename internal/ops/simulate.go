package ops

import (
	"cmp"
	"errors"
	"slices"
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
