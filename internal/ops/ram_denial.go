package ops

import (
	"encoding/json"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/policy"
	"warifu/policy/ram"
)

// Diagnosis is why policy said no, in the words of Alibaba Cloud (RAM API
// reference, DecodeDiagnosticMessage).
type Diagnosis struct {
	AuthAction             string
	AuthConditions         []DiagnosedCondition
	AuthPrincipal          DiagnosedPrincipal
	AuthResource           string
	ExplicitDeny           bool
	MatchedPolicies        []DiagnosedPolicy
	NoPermissionPolicyType string
}

// DiagnosedCondition is a context key that a statement tested.
type DiagnosedCondition struct {
	ConditionKey    string
	ConditionValues []string
}

// DiagnosedPrincipal is who asked.
type DiagnosedPrincipal struct {
	AuthPrincipalDisplayName string
	AuthPrincipalOwnerId     string
	AuthPrincipalType        string
}

// DiagnosedPolicy is a policy with a statement about the action.
type DiagnosedPolicy struct {
	AttachedEntityType string
	AttachedScope      string
	Effect             string
	PolicyIdentifier   string
	PolicyType         string
	PolicyVersion      string
}

// ramLayers are the types of policy that a no can come from.
var ramLayers = map[policy.LayerKind]string{
	policy.Identity: "AccountLevelIdentityBasedPolicy", policy.Boundary: "PermissionsBoundary", policy.Session: "SessionPolicy",
	policy.Control: "ControlPolicy", policy.ResourceControl: "ControlPolicy", policy.Resource: "ResourceBasedPolicy", policy.Trust: "AssumeRolePolicy",
}

var ramPrincipals = map[policy.PrincipalKind]string{
	policy.Root: "RootUser", policy.User: "SubUser", policy.RoleSession: "AssumedRoleUser",
	policy.FederatedUser: "Federated", policy.Federated: "Federated",
}

// diagnosedAtMost bounds the policies that a diagnosis lists.
const diagnosedAtMost = 20

// Diagnose says why policy said no, as Alibaba Cloud says it.
func (d *Denial) Diagnose() Diagnosis {
	out := Diagnosis{
		AuthAction: d.Grants.InRAM(), AuthResource: name.ACSOf(d.Resource), ExplicitDeny: d.Decision.Outcome == policy.ExplicitDeny,
		NoPermissionPolicyType: ramLayers[d.Decision.Layer], AuthConditions: []DiagnosedCondition{}, MatchedPolicies: []DiagnosedPolicy{},
	}
	scope := "Account"
	if d.scoped {
		scope = "ResourceGroup"
		if out.NoPermissionPolicyType == ramLayers[policy.Identity] {
			out.NoPermissionPolicyType = "ResourceGroupLevelIdentityBasedPolicy"
		}
	}
	if out.AuthAction == "" {
		out.AuthAction = d.Action
	}
	if out.AuthResource == "" {
		out.AuthResource = d.Resource
	}
	if d.request.Resources[ram.Language] != "" {
		out.AuthResource = d.request.Resources[ram.Language]
	}
	p := &d.request.Principal
	account, _ := name.ParseAccount(p.Account)
	out.AuthPrincipal = DiagnosedPrincipal{d.shown, account.UID(), ramPrincipals[p.Kind]}
	seen := map[string]bool{}
	for i := range d.Trace.Layers {
		l := &d.Trace.Layers[i]
		for j := range l.Rules {
			r := &l.Rules[j]
			for _, c := range r.Conditions {
				if !seen[c.Key] && c.Found {
					seen[c.Key] = true
					out.AuthConditions = append(out.AuthConditions, DiagnosedCondition{c.Key, c.Saw})
				}
			}
			if r.Applies && len(out.MatchedPolicies) < diagnosedAtMost {
				out.MatchedPolicies = append(out.MatchedPolicies, DiagnosedPolicy{
					AttachedScope: scope, Effect: r.Rule.Effect.String(), PolicyIdentifier: r.Rule.ID.Policy,
					PolicyType: ramLayers[l.Kind], PolicyVersion: r.Rule.ID.Version,
				})
			}
		}
	}
	return out
}

// EncodeDiagnosis puts a diagnosis into a message that anybody may see and only
// DecodeDiagnosticMessage reads; "" if even its shortest form is too long.
func (s *Server) EncodeDiagnosis(d *Denial, what Diagnosis) string {
	account, ok := name.ParseAccount(d.request.Principal.Account)
	if !ok {
		return ""
	}
	for {
		text, err := json.Marshal(what)
		if err != nil {
			return ""
		}
		if m, err := s.sessions.EncodeMessage(s.rand, account, text); err == nil {
			return m
		}
		if len(what.MatchedPolicies)+len(what.AuthConditions) == 0 {
			return ""
		}
		what.MatchedPolicies = what.MatchedPolicies[:len(what.MatchedPolicies)/2]
		what.AuthConditions = what.AuthConditions[:len(what.AuthConditions)/2]
	}
}

// DecodeDiagnosticMessage reads what EncodeDiagnosis wrote. Messages of another
// account, and those that the AWS door gave out, stay shut.
//
// Errors: Invalid, noun "diagnostic message".
var DecodeDiagnosticMessage = Op[DecodeAuthorizationMessageIn, *Diagnosis]{
	Name:   "DecodeDiagnosticMessage",
	Grants: DecodeAuthorizationMessage.Grants,
	Target: DecodeAuthorizationMessage.Target,
	Record: func(DecodeAuthorizationMessageIn) audit.Fields { return nil },
	Do: func(env *Env, in DecodeAuthorizationMessageIn) (*Diagnosis, error) {
		text, err := env.sessions.DecodeMessage(env.Call.Caller.Account, in.Encoded)
		var out Diagnosis
		if err == nil {
			err = json.Unmarshal(text, &out)
		}
		if err != nil || out.AuthAction == "" {
			return nil, fault.Of(fault.Invalid, "diagnostic message", "")
		}
		return &out, nil
	},
}
