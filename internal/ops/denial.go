package ops

import (
	"encoding/json"
	"slices"
	"strings"

	"warifu/internal/name"
	"warifu/policy"
)

// The text inside an authorization message, in the fields and order of AWS's
// (STS API reference, DecodeAuthorizationMessage), and the place of each
// statement besides.
type explained struct {
	Allowed           bool             `json:"allowed"`
	ExplicitDeny      bool             `json:"explicitDeny"`
	MatchedStatements items[statement] `json:"matchedStatements"`
	Failures          items[statement] `json:"failures"`
	Context           explainedContext `json:"context"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

type statement struct {
	StatementID string           `json:"statementId"`
	Effect      string           `json:"effect"`
	Decided     bool             `json:"decided"` // the statement that denied
	PolicyType  string           `json:"policyType"`
	Policy      string           `json:"policy"`
	Version     string           `json:"policyVersion,omitempty"`
	Line        int              `json:"line"`
	Column      int              `json:"column"`
	Principal   bool             `json:"principalMatches"`
	Resource    bool             `json:"resourceMatches"`
	Conditions  items[condition] `json:"conditions"`
}

type condition struct {
	Condition string        `json:"condition"`
	Key       string        `json:"key"`
	Holds     bool          `json:"holds"`
	Present   bool          `json:"present"` // the request had the key
	Values    items[string] `json:"values"`  // that the request had
}

type explainedContext struct {
	Principal  explainedPrincipal  `json:"principal"`
	Action     string              `json:"action"`
	Resource   string              `json:"resource"`
	Conditions items[contextValue] `json:"conditions"`
}

type explainedPrincipal struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	ARN  string `json:"arn"`
}

type contextValue struct {
	Key    string        `json:"key"`
	Values items[string] `json:"values"`
}

var layerNames = map[policy.LayerKind]string{
	policy.Identity: "identity-based policy", policy.Boundary: "permissions boundary", policy.Session: "session policy",
	policy.Control: "service control policy", policy.ResourceControl: "resource control policy",
	policy.Resource: "resource-based policy", policy.Trust: "role trust policy",
}

// EncodeDenial puts the reason of a refusal into a message that anybody may see
// and only DecodeAuthorizationMessage reads. It is "" when even the shortest
// form is too long.
func (s *Server) EncodeDenial(d *Denial) string {
	account, ok := name.ParseAccount(d.request.Principal.Account)
	if !ok {
		return ""
	}
	x := d.explain()
	for {
		text, err := json.Marshal(x)
		if err != nil {
			return ""
		}
		if m, err := s.sessions.EncodeMessage(s.rand, account, text); err == nil {
			return m
		}
		if !x.shorten() {
			return ""
		}
	}
}

// shorten halves the near misses, then the matches, of which the deciding one
// goes last; false when nothing is left.
func (x *explained) shorten() bool {
	for _, list := range []*[]statement{&x.Failures.Items, &x.MatchedStatements.Items} {
		if n := len(*list); n > 0 {
			*list = (*list)[:n/2]
			return true
		}
	}
	return false
}

// explain tells which statements spoke for the action, the deciding one first,
// and what each of their conditions saw.
func (d *Denial) explain() *explained {
	x := &explained{
		Allowed: d.Decision.Allowed(), ExplicitDeny: d.Decision.Outcome == policy.ExplicitDeny,
		MatchedStatements: items[statement]{[]statement{}}, Failures: items[statement]{[]statement{}},
	}
	seen := map[string]bool{}
	x.Context = explainedContext{Action: d.Action, Resource: d.Resource, Conditions: items[contextValue]{[]contextValue{}}}
	x.Context.Principal = explainedPrincipal{ID: d.request.Principal.ID, Name: d.Caller[strings.LastIndexAny(d.Caller, "/:")+1:], ARN: d.Caller}
	for i := range d.Trace.Layers {
		l := &d.Trace.Layers[i]
		for j := range l.Rules {
			st := statementOf(l.Kind, &l.Rules[j])
			st.Decided = d.Decision.Rule != nil && l.Kind == d.Decision.Layer && l.Rules[j].Rule.ID == *d.Decision.Rule
			switch {
			case st.Decided:
				x.MatchedStatements.Items = slices.Insert(x.MatchedStatements.Items, 0, st)
			case l.Rules[j].Applies:
				x.MatchedStatements.Items = append(x.MatchedStatements.Items, st)
			default:
				x.Failures.Items = append(x.Failures.Items, st)
			}
			for _, c := range st.Conditions.Items {
				if c.Present && !seen[c.Key] {
					seen[c.Key] = true
					x.Context.Conditions.Items = append(x.Context.Conditions.Items, contextValue{c.Key, c.Values})
				}
			}
		}
	}
	return x
}

func statementOf(kind policy.LayerKind, r *policy.RuleTrace) statement {
	id := &r.Rule.ID
	st := statement{
		StatementID: id.Sid, Effect: r.Rule.Effect.String(), PolicyType: layerNames[kind],
		Policy: id.Policy, Version: id.Version, Line: id.Line, Column: id.Column,
		Principal: r.Who, Resource: r.Where, Conditions: items[condition]{[]condition{}},
	}
	for _, t := range r.Conditions {
		values := t.Saw
		if values == nil {
			values = []string{}
		}
		st.Conditions.Items = append(st.Conditions.Items, condition{t.Label, t.Key, t.Holds, t.Found, items[string]{values}})
	}
	return st
}
