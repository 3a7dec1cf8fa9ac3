package alibaba_test

import (
	"fmt"
	"strings"
	"testing"
)

// attached are the attachments that a filter selects: policy, principal and scope.
func (d *door) attached(pairs ...string) string {
	d.t.Helper()
	r := d.ofDo(manager, "ListPolicyAttachments", append(pairs, "PageSize", "100")...)
	var all []string
	for _, row := range r.at("PolicyAttachments.PolicyAttachment").([]any) {
		m := row.(map[string]any)
		all = append(all, m["PolicyName"].(string)+" "+m["PrincipalName"].(string)+" "+m["ResourceGroupId"].(string))
	}
	return strings.Join(all, ", ")
}

func TestResourceGroups(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		r := d.ofDo(manager, "CreateResourceGroup", "Name", "prod", "DisplayName", "生産", "Tag.1.Key", "k", "Tag.1.Value", "v")
		rg := r.text("ResourceGroup.Id")
		if !strings.HasPrefix(rg, "rg-") || r.text("ResourceGroup.Status") != "OK" || r.text("ResourceGroup.AccountId") != account || r.text("ResourceGroup.RegionStatuses.RegionStatus.0.Status") != "OK" {
			t.Errorf("%s", r.body)
		}
		d.ofFails(manager, 409, "EntityAlreadyExists.ResourceGroup", "CreateResourceGroup", "Name", "PROD", "DisplayName", "x")
		d.ofFails(manager, 400, "InvalidParameter.Name", "CreateResourceGroup", "Name", "1x", "DisplayName", "x")
		d.ofFails(manager, 400, "InvalidParameter.DisplayName.Length", "CreateResourceGroup", "Name", "dev", "DisplayName", strings.Repeat("x", 51))
		if r := d.ofDo(manager, "GetResourceGroup", "ResourceGroupId", rg); r.text("ResourceGroup.DisplayName") != "生産" || r.text("ResourceGroup.Tags.Tag.0.TagKey") != "k" {
			t.Errorf("%s", r.body)
		}
		if r := d.ofDo(manager, "UpdateResourceGroup", "ResourceGroupId", rg, "NewDisplayName", "production"); r.text("ResourceGroup.DisplayName") != "production" {
			t.Errorf("%s", r.body)
		}
		d.ofDo(manager, "CreateResourceGroup", "Name", "dev", "DisplayName", "dev")
		r = d.ofDo(manager, "ListResourceGroups", "PageSize", "1", "PageNumber", "2")
		if r.at("TotalCount") != 2.0 || r.text("ResourceGroups.ResourceGroup.0.Name") != "prod" || r.at("ResourceGroups.ResourceGroup.1") != nil || r.at("PageNumber") != 2.0 {
			t.Errorf("%s", r.body)
		}
		if r := d.ofDo(manager, "ListResourceGroups", "ResourceGroupId", rg, "Status", "OK"); r.at("TotalCount") != 1.0 {
			t.Errorf("%s", r.body)
		}
		if r := d.ofDo(manager, "ListResourceGroups", "Status", "PendingDelete"); r.at("TotalCount") != 0.0 {
			t.Errorf("%s", r.body)
		}
		for i := range 28 {
			d.ofDo(manager, "CreateResourceGroup", "Name", fmt.Sprintf("g%d", 10+i), "DisplayName", "x")
		}
		d.ofFails(manager, 409, "LimitExceeded.ResourceGroup", "CreateResourceGroup", "Name", "over", "DisplayName", "x")
		if r := d.ofDo(manager, "DeleteResourceGroup", "ResourceGroupId", rg); r.text("ResourceGroup.Status") != "PendingDelete" {
			t.Errorf("%s", r.body)
		}
		d.ofFails(manager, 404, "EntityNotExist.ResourceGroup", "GetResourceGroup", "ResourceGroupId", rg)
		d.ofFails(manager, 404, "EntityNotExist.ResourceGroup", "GetResourceGroup", "ResourceGroupId", "rg-x")
		d.ofFails(manager, 404, "EntityNotExist.ResourceGroup", "GetResourceGroup", "ResourceGroupId", account)
	})
}

// Policies count in a resource group where the account's do not speak, and nowhere
// else.
func TestPoliciesInResourceGroups(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		rg := d.ofDo(manager, "CreateResourceGroup", "Name", "prod", "DisplayName", "prod").text("ResourceGroup.Id")
		other := d.ofDo(manager, "CreateResourceGroup", "Name", "dev", "DisplayName", "dev").text("ResourceGroup.Id")
		alice := d.userKey("alice")
		bob := d.userKey("bob")
		d.do("CreateGroup", "GroupName", "ops")
		d.do("AddUserToGroup", "UserName", "bob", "GroupName", "ops")
		d.do("CreateRole", "RoleName", "app", "AssumeRolePolicyDocument", `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs.aliyuncs.com"},"Action":"sts:AssumeRole"}]}`)
		read := `{"Version":"1","Statement":[{"Effect":"Allow","Action":["resourcemanager:Get*","resourcemanager:ListPolicyAttachments"],"Resource":"*"}]}`
		d.do("CreatePolicy", "PolicyName", "read", "PolicyDocument", read)

		get := func(as *door, group string) int {
			return as.of(manager, "GetResourceGroup", "ResourceGroupId", group).status
		}
		if get(alice, rg) != 403 {
			t.Error("alice sees the group without a policy")
		}
		to := []string{"PolicyType", "Custom", "PolicyName", "read"}
		of := func(group, kind, called string) []string {
			return append([]string{"ResourceGroupId", group, "PrincipalType", kind, "PrincipalName", called}, to...)
		}
		d.ofDo(manager, "AttachPolicy", of(rg, "IMSUser", "alice@acme.onaliyun.com")...)
		d.ofFails(manager, 409, "EntityAlreadyExists.User.Policy", "AttachPolicy", of(rg, "IMSUser", "alice@acme.onaliyun.com")...)
		d.ofDo(manager, "AttachPolicy", of(other, "IMSGroup", "ops@group.acme.onaliyun.com")...)
		d.ofDo(manager, "AttachPolicy", of(account, "ServiceRole", "app@role.acme.onaliyunservice.com")...)
		if get(alice, rg) != 200 || get(alice, other) != 403 || get(bob, rg) != 403 || get(bob, other) != 200 {
			t.Errorf("alice %d %d, bob %d %d", get(alice, rg), get(alice, other), get(bob, rg), get(bob, other))
		}
		alice.fails(403, "NoPermission", "GetUser", "UserName", "alice")

		// The no of a resource group's policies says whose it was.
		no := alice.of(manager, "DeleteResourceGroup", "ResourceGroupId", rg)
		if no.text("AccessDeniedDetail.PolicyType") != "ResourceGroupLevelIdentityBasedPolicy" {
			t.Errorf("%s", no.body)
		}
		if why := d.do("DecodeDiagnosticMessage", "EncodedDiagnosticMessage", no.text("AccessDeniedDetail.EncodedDiagnosticMessage")); why.text("DecodedDiagnosticMessage.NoPermissionPolicyType") != "ResourceGroupLevelIdentityBasedPolicy" ||
			why.text("DecodedDiagnosticMessage.AuthAction") != "resourcemanager:DeleteResourceGroup" {
			t.Errorf("%s", why.body)
		}
		// What the account's policies say comes first: their deny, and their allow
		// before a deny of the group's.
		d.do("CreatePolicy", "PolicyName", "deny", "PolicyDocument", `{"Version":"1","Statement":[{"Effect":"Deny","Action":"resourcemanager:GetResourceGroup","Resource":"acs:resourcemanager:*:*:resourcegroup/`+rg+`"}]}`)
		d.do("AttachPolicyToUser", "UserName", "alice", "PolicyName", "deny", "PolicyType", "Custom")
		if get(alice, rg) != 403 {
			t.Error("a deny of the account's does not stop what the group allows")
		}
		d.do("DetachPolicyFromUser", "UserName", "alice", "PolicyName", "deny", "PolicyType", "Custom")
		d.do("AttachPolicyToUser", "UserName", "alice", "PolicyName", "deny", "PolicyType", "Custom", "ResourceGroupId", rg)
		if get(alice, rg) != 403 {
			t.Error("a deny of the group's does not stop what the group allows")
		}
		d.do("AttachPolicyToUser", "UserName", "alice", "PolicyName", "read", "PolicyType", "Custom")
		if get(alice, rg) != 200 {
			t.Error("a deny of the group's stops what the account allows")
		}

		if got := d.attached("ResourceGroupId", rg, "PrincipalType", "IMSUser", "PrincipalName", "alice@acme.onaliyun.com"); got != "deny alice@acme.onaliyun.com "+rg+", read alice@acme.onaliyun.com "+rg {
			t.Error(got)
		}
		if got := d.attached("PolicyType", "Custom", "PolicyName", "read"); got != "read alice@acme.onaliyun.com "+account+", read alice@acme.onaliyun.com "+rg+", read ops@group.acme.onaliyun.com "+other+", read app@role.acme.onaliyunservice.com "+account {
			t.Error(got)
		}
		if got := d.attached("PolicyType", "System", "PrincipalType", "IMSUser", "ResourceGroupId", rg); got != "AdministratorAccess admin@acme.onaliyun.com "+rg {
			t.Error(got)
		}
		page := d.ofDo(manager, "ListPolicyAttachments", "PolicyType", "Custom", "PolicyName", "read", "PageSize", "1", "PageNumber", "4")
		if page.at("TotalCount") != 4.0 || page.text("PolicyAttachments.PolicyAttachment.0.PrincipalType") != "ServiceRole" || page.at("PolicyAttachments.PolicyAttachment.1") != nil {
			t.Errorf("%s", page.body)
		}
		// What is attached in a group is in the way like everything else, and goes
		// with the whole.
		d.do("RemoveUserFromGroup", "UserName", "bob", "GroupName", "ops")
		d.fails(409, "DeleteConflict.Group.Policy", "DeleteGroup", "GroupName", "ops")
		d.ofDo(manager, "DetachPolicy", of(other, "IMSGroup", "ops@group.acme.onaliyun.com")...)
		d.ofFails(manager, 404, "EntityNotExist.Group.Policy", "DetachPolicy", of(other, "IMSGroup", "ops@group.acme.onaliyun.com")...)
		d.do("DeleteGroup", "GroupName", "ops")
		d.do("DeletePolicy", "PolicyName", "read", "CascadingDelete", "true")
		d.ofDo(manager, "DeleteResourceGroup", "ResourceGroupId", rg)
		d.do("DeletePolicy", "PolicyName", "deny")

		for _, c := range [][]string{
			{"InvalidParameter.PrincipalType", "PrincipalType", "Robot", "PrincipalName", "x"}, {"EntityNotExist.User", "PrincipalType", "IMSUser", "PrincipalName", "alice@other.onaliyun.com"},
			{"EntityNotExist.Group", "PrincipalType", "IMSGroup", "PrincipalName", "ops@acme.onaliyun.com"}, {"EntityNotExist.Role", "PrincipalType", "ServiceRole", "PrincipalName", "app@role.acme.onaliyun.com"},
			{"EntityNotExist.ResourceGroup", "PrincipalType", "IMSUser", "PrincipalName", "alice@acme.onaliyun.com", "ResourceGroupId", "rg-x"},
			{"EntityNotExist.Policy", "PrincipalType", "IMSUser", "PrincipalName", "alice@acme.onaliyun.com", "PolicyName", "none"},
		} {
			r := d.of(manager, "AttachPolicy", append([]string{"ResourceGroupId", other, "PolicyType", "System", "PolicyName", "ReadOnlyAccess"}, c[1:]...)...)
			if r.text("Code") != c[0] {
				t.Errorf("%q: %s", c, r.body)
			}
		}
	})
}
