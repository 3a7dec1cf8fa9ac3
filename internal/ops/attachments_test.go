package ops_test

import (
	"fmt"
	"strings"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
)

const trustAccount = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}`

func TestAttachments(t *testing.T) {
	h := newHouse(t)
	h.user("alice")
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "g"})
	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trustAccount})
	arn := h.policy("P", allowS3)

	for _, kind := range []struct {
		noun, holder   string
		attach, detach ops.Op[ops.AttachIn, struct{}]
	}{
		{"user", "alice", ops.AttachUserPolicy, ops.DetachUserPolicy},
		{"group", "g", ops.AttachGroupPolicy, ops.DetachGroupPolicy},
		{"role", "r", ops.AttachRolePolicy, ops.DetachRolePolicy},
	} {
		in := ops.AttachIn{Holder: ref(kind.holder), Policy: arn}
		refused(h, fault.NotFound, "policy", kind.detach, in)
		do(h, kind.attach, in)
		do(h, kind.attach, in)
		if p := do(h, ops.GetPolicy, ops.PolicyIn{Policy: arn}); p.Attached != 1 {
			t.Errorf("%s: attached %d times", kind.noun, p.Attached)
		}
		refused(h, fault.Conflict, "policy in use", ops.DeletePolicy, ops.PolicyIn{Policy: arn})
		do(h, kind.detach, in)
		refused(h, fault.NotFound, "policy", kind.detach, in)
		refused(h, fault.NotFound, "attachable policy", kind.attach, ops.AttachIn{Holder: ref(kind.holder), Policy: arn + "X"})
		refused(h, fault.NotFound, "policy", kind.detach, ops.AttachIn{Holder: ref(kind.holder), Policy: arn + "X"})
		refused(h, fault.Invalid, "policy arn", kind.attach, ops.AttachIn{Holder: ref(kind.holder), Policy: "longpolicynamebutnoarn"})
		refused(h, fault.NotFound, kind.noun, kind.attach, ops.AttachIn{Holder: ref("nobody"), Policy: arn})
		refused(h, fault.NotFound, kind.noun, kind.detach, ops.AttachIn{Holder: ref("nobody"), Policy: arn})
	}
}

func TestAttachmentQuotaAndPages(t *testing.T) {
	h := newHouse(t)
	h.user("alice")
	in := ops.AttachIn{Holder: ref("alice")}
	for i := range 11 {
		in.Policy = do(h, ops.CreatePolicy, ops.CreatePolicyIn{Name: fmt.Sprintf("p%02d", i), Path: fmt.Sprintf("/%d/", i%2), Document: allowS3}).ARN()
		if i < 10 {
			do(h, ops.AttachUserPolicy, in)
			do(h, ops.AttachUserPolicy, in) // a full quota refuses nothing that is there
		}
	}
	refused(h, fault.Limit, "PoliciesPerUser", ops.AttachUserPolicy, in)
	list := func(prefix string) string {
		return pages(t, func(cursor string) ([]iam.Policy, string) {
			p := do(h, ops.ListAttachedUserPolicies, ops.HeldIn{Holder: ref("alice"), Listing: ops.Listing{PathPrefix: prefix, Limit: 4, Cursor: cursor}})
			return p.Items, string(p.Next)
		}, func(p iam.Policy) string { return p.Name })
	}
	if got := list(""); got != "p00 p01 p02 p03|p04 p05 p06 p07|p08 p09" {
		t.Errorf("attached: %s", got)
	}
	if got := list("/1/"); got != "p01 p03 p05 p07|p09" {
		t.Errorf("attached under /1/: %s", got)
	}
	refused(h, fault.Conflict, "attached policies", ops.DeleteUser, ops.UserIn{User: ref("alice")})
}

// What is attached takes effect with the next request, and no longer when it is
// detached; a new default version likewise.
func TestAttachmentsTakeEffect(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	arn := h.policy("P", statement("Allow", "iam:ListGroups", "*"))
	in := ops.AttachIn{Holder: ref("alice"), Policy: arn}
	refused(alice, fault.Denied, "", ops.ListGroups, ops.Listing{})
	do(h, ops.AttachUserPolicy, in)
	do(alice, ops.ListGroups, ops.Listing{})
	do(h, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: statement("Deny", "iam:*", "*"), Default: true})
	refused(alice, fault.Denied, "", ops.ListGroups, ops.Listing{})
	do(h, ops.SetDefaultPolicyVersion, ops.VersionIn{Policy: arn, Version: "v1"})
	do(alice, ops.ListGroups, ops.Listing{})
	do(h, ops.DetachUserPolicy, in)
	refused(alice, fault.Denied, "", ops.ListGroups, ops.Listing{})

	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "g"})
	do(h, ops.AttachGroupPolicy, ops.AttachIn{Holder: ref("g"), Policy: arn})
	do(h, ops.AddUserToGroup, ops.MemberIn{Group: ref("g"), User: ref("alice")})
	do(alice, ops.ListGroups, ops.Listing{})
	do(h, ops.RemoveUserFromGroup, ops.MemberIn{Group: ref("g"), User: ref("alice")})
	refused(alice, fault.Denied, "", ops.ListGroups, ops.Listing{})
}

// iam:PolicyARN and iam:PermissionsBoundary guard who may hand out what.
func TestDelegatedAdministration(t *testing.T) {
	h := newHouse(t)
	limits := h.policy("Limits", statement("Allow", "s3:*", "*"))
	boss := h.user("boss")
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("boss"), Policy: "p", Document: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPermissionsBoundary"],"Resource":"*",
			"Condition":{"ArnEquals":{"iam:PermissionsBoundary":"` + limits + `"}}},
		{"Effect":"Allow","Action":["iam:AttachUserPolicy","iam:DetachUserPolicy","iam:PutUserPolicy"],"Resource":"` + ownPrefix + `user/*",
			"Condition":{"ArnLike":{"iam:PermissionsBoundary":"` + limits + `"}}},
		{"Effect":"Deny","Action":"iam:AttachUserPolicy","Resource":"*",
			"Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::aws:policy/Admin*"}}}]}`})

	refused(boss, fault.Denied, "", ops.CreateUser, ops.CreateUserIn{Name: "free"})
	do(boss, ops.CreateUser, ops.CreateUserIn{Name: "bound", Boundary: limits})
	h.user("free")
	in := ops.AttachIn{Holder: ref("bound"), Policy: ec2Full}
	do(boss, ops.AttachUserPolicy, in)
	do(boss, ops.DetachUserPolicy, in)
	do(boss, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("bound"), Policy: "p", Document: allowS3})
	refused(boss, fault.Denied, "", ops.AttachUserPolicy, ops.AttachIn{Holder: ref("bound"), Policy: "arn:aws:iam::aws:policy/AdministratorAccess"})
	refused(boss, fault.Denied, "", ops.AttachUserPolicy, ops.AttachIn{Holder: ref("free"), Policy: ec2Full})
	refused(boss, fault.Denied, "", ops.AttachUserPolicy, ops.AttachIn{Holder: ref("nobody"), Policy: ec2Full})
	refused(boss, fault.Denied, "", ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("bound"), Boundary: ec2Full})
	do(boss, ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("free"), Boundary: limits})
	refused(boss, fault.Denied, "", ops.DeleteUserPermissionsBoundary, ops.HolderIn{Holder: ref("bound")})
}

func TestListEntitiesForPolicy(t *testing.T) {
	h := newHouse(t)
	arn := h.policy("P", allowS3)
	for _, u := range []string{"u1", "u2"} {
		do(h, ops.CreateUser, ops.CreateUserIn{Name: u, Path: "/x/"})
		do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref(u), Policy: arn})
	}
	do(h, ops.CreateUser, ops.CreateUserIn{Name: "bounded", Boundary: arn})
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "g"})
	do(h, ops.AttachGroupPolicy, ops.AttachIn{Holder: ref("g"), Policy: arn})
	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trustAccount})
	do(h, ops.AttachRolePolicy, ops.AttachIn{Holder: ref("r"), Policy: arn})

	list := func(in ops.EntitiesIn) string {
		in.Policy, in.Limit = arn, 2
		return pages(t, func(cursor string) ([]ops.Entity, string) {
			in.Cursor = cursor
			p := do(h, ops.ListEntitiesForPolicy, in)
			return p.Items, string(p.Next)
		}, func(e ops.Entity) string { return string(e.Kind) + ":" + e.Name })
	}
	for _, test := range []struct {
		in   ops.EntitiesIn
		want string
	}{
		{ops.EntitiesIn{}, "group:g user:u1 user:u2 role:r"},
		{ops.EntitiesIn{Usage: ops.UsagePermissions}, "group:g user:u1 user:u2 role:r"},
		{ops.EntitiesIn{Kind: iam.KindUser, Usage: ops.UsagePermissions}, "user:u1 user:u2"},
		{ops.EntitiesIn{Usage: ops.UsageBoundary}, "user:bounded"},
		{ops.EntitiesIn{Listing: ops.Listing{PathPrefix: "/x/"}}, "user:u1 user:u2"},
		{ops.EntitiesIn{Kind: iam.KindRole}, "role:r"},
	} {
		if got := strings.ReplaceAll(list(test.in), "|", " "); got != test.want {
			t.Errorf("%+v: %s, want %s", test.in, got, test.want)
		}
	}
	refused(h, fault.NotFound, "attachable policy", ops.ListEntitiesForPolicy, ops.EntitiesIn{Policy: arn + "X"})
}

func TestBoundaries(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("alice"), Policy: "arn:aws:iam::aws:policy/IAMReadOnlyAccess"})
	do(alice, ops.ListGroups, ops.Listing{})
	arn := h.policy("B", allowS3)
	in := ops.BoundaryIn{Holder: ref("alice"), Boundary: arn}
	do(h, ops.PutUserPermissionsBoundary, in)
	refused(alice, fault.Denied, "", ops.ListGroups, ops.Listing{})
	refused(h, fault.Conflict, "policy in use", ops.DeletePolicy, ops.PolicyIn{Policy: arn})
	do(h, ops.DeleteUserPermissionsBoundary, ops.HolderIn{Holder: ref("alice")})
	do(h, ops.DeleteUserPermissionsBoundary, ops.HolderIn{Holder: ref("alice")})
	do(alice, ops.ListGroups, ops.Listing{})

	refused(h, fault.NotFound, "boundary", ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("alice"), Boundary: arn + "X"})
	refused(h, fault.Invalid, "boundary", ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("alice"), Boundary: ownPrefix + "not_a_policy/invalid"})
	refused(h, fault.Invalid, "boundary", ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("alice")})
	refused(h, fault.NotFound, "user", ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("nobody"), Boundary: arn})
	refused(h, fault.NotFound, "role", ops.DeleteRolePermissionsBoundary, ops.HolderIn{Holder: ref("nobody")})

	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trustAccount})
	do(h, ops.PutRolePermissionsBoundary, ops.BoundaryIn{Holder: ref("r"), Boundary: arn})
	if r := do(h, ops.GetRole, ops.RoleIn{Role: ref("r")}); r.BoundaryARN != arn {
		t.Errorf("boundary %q", r.BoundaryARN)
	}
	do(h, ops.DeleteRolePermissionsBoundary, ops.HolderIn{Holder: ref("r")})
	do(h, ops.DeletePolicy, ops.PolicyIn{Policy: arn})
}

// An ARN in another case names nothing: it would slip past a policy that denies
// the ARN.
func TestPolicyARNsHaveCase(t *testing.T) {
	h := newHouse(t)
	h.policy("P", allowS3)
	do(h, ops.CreateUser, ops.CreateUserIn{Name: "alice"})
	for _, arn := range []string{ownPrefix + "policy/p", "arn:aws:iam::aws:policy/administratorAccess"} {
		refused(h, fault.NotFound, "policy", ops.GetPolicy, ops.PolicyIn{Policy: arn})
		refused(h, fault.NotFound, "attachable policy", ops.AttachUserPolicy, ops.AttachIn{Holder: ref("alice"), Policy: arn})
		refused(h, fault.NotFound, "boundary", ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("alice"), Boundary: arn})
		refused(h, fault.NotFound, "boundary", ops.CreateUser, ops.CreateUserIn{Name: "bob", Boundary: arn})
	}
	refused(h, fault.NotFound, "policy", ops.DeletePolicy, ops.PolicyIn{Policy: ownPrefix + "policy/p"})
}
