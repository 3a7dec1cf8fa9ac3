package aws

import (
	"warifu/internal/ops"
	"warifu/internal/page"
	"warifu/policy"
)

func simulateActions() []action {
	return []action{
		iamAction("SimulatePrincipalPolicy", ops.SimulatePrincipalPolicy, (*simulatePrincipalInput).in, simulatedPage),
		iamAction("SimulateCustomPolicy", ops.SimulateCustomPolicy, (*simulateCustomInput).in, simulatedPage),
		iamAction("GetContextKeysForPrincipalPolicy", ops.GetContextKeysForPrincipalPolicy, func(s *principalKeysInput) ops.ContextKeysIn {
			return ops.ContextKeysIn{Source: s.PolicySourceArn, Policies: s.PolicyInputList}
		}, keysFound),
		iamAction("GetContextKeysForCustomPolicy", ops.GetContextKeysForCustomPolicy, func(s *customKeysInput) ops.ContextKeysIn {
			return ops.ContextKeysIn{Policies: s.PolicyInputList}
		}, keysFound),
	}
}

// simulateInput is what both simulations take.
type simulateInput struct {
	ActionNames                        []string `aws:",required" eachlen:"3,128"`
	ResourceArns                       []string `eachlen:"1,2048"`
	ResourcePolicy                     string   `len:"1,131072" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	ResourceOwner                      string   `len:"1,2048"`
	CallerArn                          string   `len:"1,2048"`
	ContextEntries                     []contextEntry
	PermissionsBoundaryPolicyInputList []string `eachlen:"1,131072" eachpattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	listInput
}

type contextEntry struct {
	ContextKeyName   string `len:"5,256"`
	ContextKeyType   string `enum:"string stringList numeric numericList boolean booleanList ip ipList binary binaryList date dateList"`
	ContextKeyValues []string
}

func (s *simulateInput) question(source string, policies []string) ops.SimulateIn {
	in := ops.SimulateIn{
		Source: source, Policies: policies, Boundary: s.PermissionsBoundaryPolicyInputList, ResourcePolicy: s.ResourcePolicy,
		Owner: s.ResourceOwner, Caller: s.CallerArn, Actions: s.ActionNames, Resources: s.ResourceArns, Listing: s.listing(""),
	}
	for _, e := range s.ContextEntries {
		in.Context = append(in.Context, ops.ContextEntry{Key: e.ContextKeyName, Type: e.ContextKeyType, Values: e.ContextKeyValues})
	}
	return in
}

type simulatePrincipalInput struct {
	PolicySourceArn string   `aws:",required" len:"20,2048"`
	PolicyInputList []string `eachlen:"1,131072" eachpattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	simulateInput
}

func (s *simulatePrincipalInput) in() ops.SimulateIn {
	return s.question(s.PolicySourceArn, s.PolicyInputList)
}

type simulateCustomInput struct {
	PolicyInputList []string `aws:",required" eachlen:"1,131072" eachpattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	simulateInput
}

func (s *simulateCustomInput) in() ops.SimulateIn { return s.question("", s.PolicyInputList) }

type simulatedOutput struct {
	EvaluationResults []evaluation
	paging
}

// evaluation is the answer for one action on one resource.
type evaluation struct {
	EvalActionName                    string
	EvalResourceName                  string
	EvalDecision                      string
	MatchedStatements                 []matchedStatement `aws:",keep"`
	MissingContextValues              []string           `aws:",keep"`
	PermissionsBoundaryDecisionDetail *boundaryDetail
	EvalDecisionDetails               map[string]string
	ResourceSpecificResults           []resourceResult
}

// resourceResult is the same, once more, for a resource that was named.
type resourceResult struct {
	EvalResourceName                  string
	EvalResourceDecision              string
	MatchedStatements                 []matchedStatement `aws:",keep"`
	MissingContextValues              []string           `aws:",keep"`
	EvalDecisionDetails               map[string]string
	PermissionsBoundaryDecisionDetail *boundaryDetail
}

type boundaryDetail struct {
	AllowedByPermissionsBoundary bool
}

type matchedStatement struct {
	SourcePolicyId   string
	SourcePolicyType string
	StartPosition    position
	EndPosition      position
}

type position struct{ Line, Column int }

// decisions are the simulator's words for outcomes.
var decisions = map[policy.Outcome]string{policy.Allowed: "allowed", policy.ExplicitDeny: "explicitDeny", policy.ImplicitDeny: "implicitDeny"}

func simulatedPage(p page.Page[ops.Simulated]) simulatedOutput {
	out := simulatedOutput{paging: pagingOf(p.Next)}
	for i := range p.Items {
		out.EvaluationResults = append(out.EvaluationResults, newEvaluation(&p.Items[i]))
	}
	return out
}

func newEvaluation(s *ops.Simulated) evaluation {
	e := evaluation{EvalActionName: s.Action, EvalResourceName: s.Resource, EvalDecision: decisions[s.Outcome]}
	for _, m := range s.Matched {
		e.MatchedStatements = append(e.MatchedStatements, matchedStatement{
			m.Policy, string(m.Type), position{m.Rule.Line, m.Rule.Column}, position{m.Rule.EndLine, m.Rule.EndColumn},
		})
	}
	if s.Boundary != nil {
		e.PermissionsBoundaryDecisionDetail = &boundaryDetail{*s.Boundary}
	}
	if s.Abroad {
		e.EvalDecisionDetails = map[string]string{
			"identity-based policy": decisions[s.ByIdentity], "resource-based policy": decisions[s.ByResource],
		}
	}
	if s.Resource == "*" {
		e.MissingContextValues = s.Missing
		return e
	}
	e.ResourceSpecificResults = []resourceResult{{
		s.Resource, e.EvalDecision, e.MatchedStatements, s.Missing, e.EvalDecisionDetails, e.PermissionsBoundaryDecisionDetail,
	}}
	return e
}

type principalKeysInput struct {
	PolicySourceArn string   `aws:",required" len:"20,2048"`
	PolicyInputList []string `eachlen:"1,131072" eachpattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
}

type customKeysInput struct {
	PolicyInputList []string `aws:",required" eachlen:"1,131072" eachpattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
}

type contextKeysOutput struct {
	ContextKeyNames []string `aws:",keep"`
}

func keysFound(names []string) contextKeysOutput { return contextKeysOutput{names} }
