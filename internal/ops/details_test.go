package ops_test

import (
	"strings"
	"testing"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

func detailName(d ops.Detail) string {
	switch {
	case d.User != nil:
		return "user:" + d.User.Name
	case d.Group != nil:
		return "group:" + d.Group.Name
	case d.Role != nil:
		return "role:" + d.Role.Name
	}
	return "policy:" + d.Policy.Name
}

func TestAccountDetails(t *testing.T) {
	h := newHouse(t)
	arn := h.policy("P", allowS3)
	do(h, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: statement("Deny", "s3:*", "*")})
	do(h, ops.CreateUser, ops.CreateUserIn{Name: "alice", Boundary: arn, Tags: []iam.Tag{{Key: "k", Value: "v"}}})
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "in", Document: allowS3})
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "g"})
	do(h, ops.AttachGroupPolicy, ops.AttachIn{Holder: ref("g"), Policy: ec2Full})
	do(h, ops.AddUserToGroup, ops.MemberIn{Group: ref("g"), User: ref("alice")})
	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trusting(`"` + ownPrefix + `user/alice"`)})
	do(h, ops.AttachRolePolicy, ops.AttachIn{Holder: ref("r"), Policy: arn})

	read := func(limit int, kinds ...ops.DetailKind) string {
		return pages(t, func(cursor string) ([]ops.Detail, string) {
			p := do(h, ops.GetAccountAuthorizationDetails, ops.DetailsIn{Kinds: kinds, Listing: ops.Listing{Limit: limit, Cursor: cursor}})
			return p.Items, string(p.Next)
		}, detailName)
	}
	const all = "user:admin user:alice group:g role:r policy:P policy:AdministratorAccess policy:AmazonEC2FullAccess"
	for limit := 1; limit <= 8; limit++ {
		if got := strings.ReplaceAll(read(limit), "|", " "); got != all {
			t.Errorf("pages of %d: %s", limit, got)
		}
	}
	if got := read(3); got != "user:admin user:alice group:g|role:r policy:P policy:AdministratorAccess|policy:AmazonEC2FullAccess" {
		t.Errorf("pages of 3: %s", got)
	}
	if got := read(0, ops.DetailVendorPolicies, ops.DetailRoles); got != "role:r policy:AdministratorAccess policy:AmazonEC2FullAccess" {
		t.Errorf("two kinds: %s", got)
	}

	items := do(h, ops.GetAccountAuthorizationDetails, ops.DetailsIn{}).Items
	alice, group, role, own, vendor := items[1].User, items[2].Group, items[3].Role, items[4].Policy, items[6].Policy
	if alice.BoundaryARN != arn || len(alice.Groups) != 1 || alice.Groups[0] != "g" || len(alice.Inline) != 1 || alice.Inline[0].Document != allowS3 || len(alice.Tags) != 1 {
		t.Errorf("alice: %+v", alice)
	}
	if len(group.Attached) != 1 || group.Attached[0].ARN() != ec2Full {
		t.Errorf("group: %+v", group)
	}
	if len(role.Attached) != 1 || !strings.Contains(role.Trust, "user/alice") {
		t.Errorf("role: %+v", role)
	}
	if len(own.Versions) != 2 || own.Versions[0].Number != 2 || !own.Versions[1].Default || own.Attached != 1 || own.Bounding != 1 {
		t.Errorf("own policy: %+v", own)
	}
	if len(vendor.Versions) != 1 || !strings.Contains(vendor.Versions[0].Document, "ec2:*") {
		t.Errorf("vendor policy: %+v", vendor)
	}
}
