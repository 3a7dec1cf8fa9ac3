package ops

import (
	"slices"
	"strings"

	"warifu/internal/name"
	"warifu/policy"
	"warifu/policy/aws"
)

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
