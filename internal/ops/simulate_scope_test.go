package ops_test

import (
	"testing"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/policy"
)

// What is tried and simulated is judged as a request is: in every language, and in a
// resource group by what is attached there.
func TestSupposedRequestsInOtherLanguages(t *testing.T) {
	h := newHouse(t)
	h.user("rina")
	do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("rina"), Policy: "arn:aws:iam::acs:policy/AliyunRAMReadOnlyAccess"})
	do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("rina"), Policy: "arn:aws:iam::acs:policy/AliyunECSReadOnlyAccess"})
	prod := do(h, ops.CreateResourceGroup, ops.ResourceGroupIn{Name: "prod", DisplayName: "prod"})
	dev := do(h, ops.CreateResourceGroup, ops.ResourceGroupIn{Name: "dev", DisplayName: "dev"})
	do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("rina"), Policy: "arn:aws:iam::acs:policy/AdministratorAccess", Scope: prod.ID})

	group := func(id name.ID) string { return name.ResourceGroupACS(h.caller.Account, id) }
	const instance = "acs:ecs:cn-hangzhou:1000123456789012:instance/i-1"
	for _, c := range []struct {
		action, resource string
		allowed          bool
	}{
		{"iam:GetUser", ownPrefix + "user/rina", true},
		{"iam:DeleteUser", ownPrefix + "user/rina", false},
		{"iam:ListMFADevices", "", true}, // ram:GetUserMFAInfo
		{"ecs:DescribeInstances", instance, true},
		{"ecs:StopInstance", instance, false},
		{"resourcemanager:DeleteResourceGroup", group(prod.ID), true},
		{"resourcemanager:DeleteResourceGroup", group(dev.ID), false},
	} {
		for _, v := range do(h, ops.TryAccess, ops.TryIn{Who: ref("rina"), Action: c.action, Resource: c.resource}).Verdicts {
			if v.Allowed != c.allowed {
				t.Errorf("tried %s on %s (%s): %t", c.action, c.resource, v.Way, v.Allowed)
			}
		}
		in := ops.SimulateIn{Source: ownPrefix + "user/rina", Actions: []string{c.action}}
		if c.resource != "" {
			in.Resources = []string{c.resource}
		}
		if got := do(h, ops.SimulatePrincipalPolicy, in).Items[0]; (got.Outcome == policy.Allowed) != c.allowed {
			t.Errorf("simulated %s on %s: %v", c.action, c.resource, got.Outcome)
		}
	}
	refused(h, fault.Invalid, "field", ops.TryAccess, ops.TryIn{Who: ref("rina"), Action: "ram:GetUser", Resource: "acs:ram::1000123456789012:user/rina"})
}
