package aws

import (
	"strings"

	"warifu/policy"
)

// Denial is what the sentence about a refused request is made of.
type Denial struct {
	Caller   string // ARN of the caller
	Action   string
	Resource string // left out if empty, as EC2 does
	Decision policy.Decision
	Bare     bool   // no reason is given, as STS does for AssumeRole
	Policy   string // if set, names the policy with the explicit deny
}

// Message is AWS's sentence for an access-denied answer (IAM User Guide, "Access
// denied error messages"). It names exactly one type of policy.
func (d Denial) Message() string {
	var b strings.Builder
	b.WriteString("User: " + d.Caller + " is not authorized to perform: " + d.Action)
	if d.Resource != "" {
		b.WriteString(" on resource: " + d.Resource)
	}
	if d.Bare {
		return b.String()
	}
	layer := policyTypes[d.Decision.Layer]
	// A control policy that does not allow is reported like one that denies.
	control := d.Decision.Layer == policy.Control || d.Decision.Layer == policy.ResourceControl
	if d.Decision.Outcome == policy.ExplicitDeny || control {
		b.WriteString(" with an explicit deny in " + layer.article + " " + layer.name)
		if d.Policy != "" {
			b.WriteString(": " + d.Policy)
		}
		return b.String()
	}
	b.WriteString(" because no " + layer.name + " allows the " + d.Action + " action")
	return b.String()
}

type policyType struct{ article, name string }

var policyTypes = map[policy.LayerKind]policyType{
	policy.Identity:        {"an", "identity-based policy"},
	policy.Boundary:        {"a", "permissions boundary"},
	policy.Session:         {"a", "session policy"},
	policy.Control:         {"a", "service control policy"},
	policy.ResourceControl: {"a", "resource control policy"},
	policy.Resource:        {"a", "resource-based policy"},
	policy.Trust:           {"a", "role trust policy"},
}
