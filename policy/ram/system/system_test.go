package system_test

import (
	"slices"
	"testing"

	"warifu/policy"
	"warifu/policy/ram"
	"warifu/policy/ram/system"
)

func TestDocuments(t *testing.T) {
	var names []string
	for _, p := range system.All() {
		names = append(names, p.Name)
		d, err := ram.Parse([]byte(p.Document), ram.SystemPolicy)
		if err != nil || d.Len() != 1 || len(d.Findings()) != 0 {
			t.Errorf("%s: %v", p.Name, err)
		}
		if p.Version < 1 || p.Description == "" || p.Created.IsZero() {
			t.Errorf("%+v", p)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(names)) != len(system.All()) {
		t.Error("the table is not sorted by name")
	}
}

func TestWhatTheyAllow(t *testing.T) {
	sets := map[string]*policy.Set{}
	for _, p := range system.All() {
		d, err := ram.Parse([]byte(p.Document), ram.SystemPolicy)
		if err != nil {
			t.Fatal(err)
		}
		sets[p.Name] = policy.Compile(d.Rules(policy.RuleID{Policy: p.Name}), nil)
	}
	for _, c := range []struct {
		policy, action string
		want           bool
	}{
		{"AdministratorAccess", "ram:DeleteUser", true},
		{"ReadOnlyAccess", "ecs:DescribeInstances", true},
		{"ReadOnlyAccess", "ecs:StopInstance", false},
		{"AliyunRAMReadOnlyAccess", "ram:GetUser", true},
		{"AliyunRAMReadOnlyAccess", "ram:CreateUser", false},
		{"AliyunVPCFullAccess", "vpc:CreateVSwitch", true},
		{"AliyunVPCFullAccess", "vpc:AllocateEipAddress", false},
		{"AliyunEIPFullAccess", "vpc:AllocateEipAddress", true},
		{"AliyunSTSAssumeRoleAccess", "sts:AssumeRole", true},
	} {
		req := policy.Request{Principal: policy.Principal{Kind: policy.User}}
		req.Actions[ram.Language], req.Resources[ram.Language] = c.action, "acs:x::1:y"
		if got := policy.Decide(&req, sets[c.policy].Layer(policy.Identity)).Allowed(); got != c.want {
			t.Errorf("%s allows %s: %v", c.policy, c.action, got)
		}
	}
}
