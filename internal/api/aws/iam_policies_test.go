package aws_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// desk is a test at which an administrator sends requests with the SDK.
type desk struct {
	*testing.T
	*iam.Client
	ctx context.Context
}

func newDesk(t *testing.T) desk {
	d := open(t, testkit.New(t))
	return desk{t, d.iam(d.admin()), context.Background()}
}

var str = awssdk.String

// ok sends a request that must succeed.
func ok[In, Out any](s desk, send func(context.Context, *In, ...func(*iam.Options)) (*Out, error), in In) *Out {
	s.Helper()
	out, err := send(s.ctx, &in)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// fails sends a request that must be refused with this status, code and message.
func fails[In, Out any](s desk, status int, code, message string, send func(context.Context, *In, ...func(*iam.Options)) (*Out, error), in In) {
	s.Helper()
	_, err := send(s.ctx, &in)
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &answer) {
		s.Errorf("%v, want %s %s", err, code, message)
		return
	}
	if answer.HTTPStatusCode() != status || api.ErrorCode() != code || api.ErrorMessage() != message {
		s.Errorf("%d %s %q\nwant %d %s %q", answer.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(), status, code, message)
	}
}

const (
	own      = "arn:aws:iam::123456789012:"
	ec2Full  = "arn:aws:iam::aws:policy/AmazonEC2FullAccess"
	allowS3  = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}`
	trustOwn = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/admin"},"Action":"sts:AssumeRole"}]}`
)

// decoded is a policy document as it was before the answer encoded it.
func decoded(s desk, document *string) string {
	s.Helper()
	if document == nil || strings.ContainsAny(*document, ` "{`) {
		s.Fatalf("the document is not encoded: %v", document)
	}
	text, err := url.PathUnescape(*document)
	if err != nil {
		s.Fatal(err)
	}
	return text
}

func TestGroupsThroughTheSDK(t *testing.T) {
	s := newDesk(t)
	made := ok(s, s.CreateGroup, iam.CreateGroupInput{GroupName: str("Dev"), Path: str("/a/")}).Group
	if *made.Arn != own+"group/a/Dev" || !strings.HasPrefix(*made.GroupId, "AGPA") || !made.CreateDate.Equal(testkit.Epoch) {
		t.Errorf("made %+v", made)
	}
	fails(s, 409, "EntityAlreadyExists", "Group with name dev already exists.", s.CreateGroup, iam.CreateGroupInput{GroupName: str("dev")})
	fails(s, 404, "NoSuchEntity", "The group with name non-existent-group cannot be found.", s.GetGroup, iam.GetGroupInput{GroupName: str("non-existent-group")})
	fails(s, 404, "NoSuchEntity", "The user with name nobody cannot be found.", s.AddUserToGroup, iam.AddUserToGroupInput{GroupName: str("Dev"), UserName: str("nobody")})
	fails(s, 404, "NoSuchEntity", "The group with name nothing cannot be found.", s.AddUserToGroup, iam.AddUserToGroupInput{GroupName: str("nothing"), UserName: str("admin")})
	fails(s, 400, "ValidationError", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
		s.CreateGroup, iam.CreateGroupInput{GroupName: str("x"), Path: str("a/")})

	ok(s, s.AddUserToGroup, iam.AddUserToGroupInput{GroupName: str("Dev"), UserName: str("admin")})
	if g := ok(s, s.GetGroup, iam.GetGroupInput{GroupName: str("Dev")}); len(g.Users) != 1 || *g.Users[0].UserName != "admin" || g.IsTruncated {
		t.Errorf("read %+v", g)
	}
	if l := ok(s, s.ListGroupsForUser, iam.ListGroupsForUserInput{UserName: str("admin")}); len(l.Groups) != 1 || *l.Groups[0].GroupName != "Dev" {
		t.Errorf("groups of admin: %+v", l)
	}
	fails(s, 409, "DeleteConflict", "Cannot delete entity, must remove users from group first.", s.DeleteGroup, iam.DeleteGroupInput{GroupName: str("Dev")})
	ok(s, s.RemoveUserFromGroup, iam.RemoveUserFromGroupInput{GroupName: str("Dev"), UserName: str("admin")})
	ok(s, s.UpdateGroup, iam.UpdateGroupInput{GroupName: str("Dev"), NewGroupName: str("Ops"), NewPath: str("/")})
	if l := ok(s, s.ListGroups, iam.ListGroupsInput{}); len(l.Groups) != 1 || *l.Groups[0].Arn != own+"group/Ops" || *l.Groups[0].GroupId != *made.GroupId {
		t.Errorf("groups %+v", l)
	}
	ok(s, s.DeleteGroup, iam.DeleteGroupInput{GroupName: str("Ops")})
}

func TestPoliciesThroughTheSDK(t *testing.T) {
	s := newDesk(t)
	p := ok(s, s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("P"), Path: str("/a/b/"), Description: str("d é"), PolicyDocument: str(allowS3),
		Tags: []types.Tag{{Key: str("k"), Value: str("")}}}).Policy
	arn := p.Arn
	if *arn != own+"policy/a/b/P" || *p.DefaultVersionId != "v1" || *p.AttachmentCount != 0 || *p.PermissionsBoundaryUsageCount != 0 || !p.IsAttachable ||
		!strings.HasPrefix(*p.PolicyId, "ANPA") || len(p.Tags) != 1 || p.UpdateDate == nil {
		t.Errorf("made %+v", p)
	}
	if got := ok(s, s.GetPolicy, iam.GetPolicyInput{PolicyArn: arn}).Policy; *got.Description != "d é" || *got.PolicyId != *p.PolicyId {
		t.Errorf("read %+v", got)
	}
	v := ok(s, s.GetPolicyVersion, iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: str("v1")}).PolicyVersion
	if decoded(s, v.Document) != allowS3 || !v.IsDefaultVersion || *v.VersionId != "v1" {
		t.Errorf("version %+v", v)
	}
	for range 4 {
		if v := ok(s, s.CreatePolicyVersion, iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: str(allowS3), SetAsDefault: true}).PolicyVersion; !v.IsDefaultVersion || v.Document != nil {
			t.Errorf("version %+v", v)
		}
	}
	list := ok(s, s.ListPolicyVersions, iam.ListPolicyVersionsInput{PolicyArn: arn, MaxItems: awssdk.Int32(3)})
	if len(list.Versions) != 3 || *list.Versions[0].VersionId != "v5" || !list.Versions[0].IsDefaultVersion || !list.IsTruncated {
		t.Errorf("versions %+v", list)
	}
	list = ok(s, s.ListPolicyVersions, iam.ListPolicyVersionsInput{PolicyArn: arn, Marker: list.Marker})
	if len(list.Versions) != 2 || *list.Versions[1].VersionId != "v1" || list.IsTruncated || list.Marker != nil {
		t.Errorf("more versions %+v", list)
	}
	ok(s, s.TagPolicy, iam.TagPolicyInput{PolicyArn: arn, Tags: []types.Tag{{Key: str("K"), Value: str("2")}}})
	ok(s, s.UntagPolicy, iam.UntagPolicyInput{PolicyArn: arn, TagKeys: []string{"k"}})
	if l := ok(s, s.ListPolicyTags, iam.ListPolicyTagsInput{PolicyArn: arn}); len(l.Tags) != 1 || *l.Tags[0].Key != "K" {
		t.Errorf("tags %+v", l)
	}
	if l := ok(s, s.ListPolicies, iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal, PathPrefix: str("/a/")}); len(l.Policies) != 1 || l.Policies[0].Description != nil || l.Policies[0].Tags != nil {
		t.Errorf("policies %+v", l)
	}
	vendor := ok(s, s.ListPolicies, iam.ListPoliciesInput{Scope: types.PolicyScopeTypeAws, OnlyAttached: true}).Policies
	if len(vendor) != 1 || *vendor[0].Arn != "arn:aws:iam::aws:policy/AdministratorAccess" || *vendor[0].PolicyId != "ANPAIWMBCKSKIEE64ZLYK" || *vendor[0].AttachmentCount != 1 {
		t.Errorf("vendor's policies %+v", vendor)
	}
}

// The sentences that AWS was recorded to answer with.
func TestPolicyErrorsThroughTheSDK(t *testing.T) {
	s := newDesk(t)
	arn := ok(s, s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("P"), PolicyDocument: str(allowS3)}).Policy.Arn
	none := str(own + "policy/NotAPolicy")
	fails(s, 409, "EntityAlreadyExists", "A policy called P already exists. Duplicate names are not allowed.",
		s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("P"), PolicyDocument: str(allowS3)})
	fails(s, 400, "MalformedPolicyDocument", "Syntax errors in policy.", s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("Q"), PolicyDocument: str("{}")})
	fails(s, 400, "MalformedPolicyDocument", "Policy document must be version 2012-10-17 or greater.",
		s.CreatePolicyVersion, iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: str(strings.Replace(allowS3, "2012", "2008", 1))})
	fails(s, 404, "NoSuchEntity", "Policy "+*none+" was not found.", s.GetPolicy, iam.GetPolicyInput{PolicyArn: none})
	fails(s, 404, "NoSuchEntity", "Policy "+*none+" was not found.", s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: none})
	fails(s, 404, "NoSuchEntity", "Policy "+*none+" was not found.", s.UntagPolicy, iam.UntagPolicyInput{PolicyArn: none, TagKeys: []string{"a"}})
	fails(s, 404, "NoSuchEntity", "Policy "+*none+" does not exist or is not attachable.", s.ListEntitiesForPolicy, iam.ListEntitiesForPolicyInput{PolicyArn: none})
	fails(s, 404, "NoSuchEntity", "Policy "+*none+" version v1 does not exist or is not attachable.", s.GetPolicyVersion, iam.GetPolicyVersionInput{PolicyArn: none, VersionId: str("v1")})
	fails(s, 404, "NoSuchEntity", "Policy "+*arn+" version v9 does not exist or is not attachable.", s.GetPolicyVersion, iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: str("v9")})
	fails(s, 404, "NoSuchEntity", "Policy "+*arn+" version v4 does not exist or is not attachable.", s.SetDefaultPolicyVersion, iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: str("v4")})
	fails(s, 400, "ValidationError", `1 validation error detected: Value at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`,
		s.GetPolicyVersion, iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: str("1")})
	fails(s, 409, "DeleteConflict", "Cannot delete the default version of a policy.", s.DeletePolicyVersion, iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: str("v1")})
	for range 4 {
		ok(s, s.CreatePolicyVersion, iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: str(allowS3)})
	}
	fails(s, 409, "LimitExceeded", "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
		s.CreatePolicyVersion, iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: str(allowS3)})
	fails(s, 409, "DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
		s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: arn})
	fails(s, 409, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144",
		s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("Q"), PolicyDocument: str(strings.Replace(allowS3, `"s3:*"`, `"s3:`+strings.Repeat("a", 6144)+`"`, 1))})

	fails(s, 403, "AccessDenied", "Cannot delete policies outside your own account.", s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: str(ec2Full)})
	fails(s, 403, "AccessDenied", "Cannot delete policy versions for policies outside your own account.", s.DeletePolicyVersion, iam.DeletePolicyVersionInput{PolicyArn: str(ec2Full), VersionId: str("v1")})
	fails(s, 403, "AccessDenied", "Cannot update policies outside your own account.", s.SetDefaultPolicyVersion, iam.SetDefaultPolicyVersionInput{PolicyArn: str(ec2Full), VersionId: str("v1")})

	fails(s, 400, "InvalidInput", "Duplicate tag keys found.", s.TagPolicy, iam.TagPolicyInput{PolicyArn: arn, Tags: []types.Tag{{Key: str("a"), Value: str("1")}, {Key: str("a"), Value: str("2")}}})
	fails(s, 400, "ValidationError", `1 validation error detected: Value at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128`,
		s.TagPolicy, iam.TagPolicyInput{PolicyArn: arn, Tags: []types.Tag{{Key: str(strings.Repeat("a", 129)), Value: str("1")}}})
}

func TestAttachmentsThroughTheSDK(t *testing.T) {
	s := newDesk(t)
	arn := ok(s, s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("P"), PolicyDocument: str(allowS3)}).Policy.Arn
	none := str(*arn + "123")
	ok(s, s.CreateUser, iam.CreateUserInput{UserName: str("alice")})
	ok(s, s.CreateGroup, iam.CreateGroupInput{GroupName: str("g")})
	ok(s, s.CreateRole, iam.CreateRoleInput{RoleName: str("r"), AssumeRolePolicyDocument: str(trustOwn)})

	fails(s, 400, "ValidationError", "ARN longpolicynamebutnoarn is not valid.", s.AttachUserPolicy, iam.AttachUserPolicyInput{UserName: str("alice"), PolicyArn: str("longpolicynamebutnoarn")})
	fails(s, 404, "NoSuchEntity", "Policy "+*none+" does not exist or is not attachable.", s.AttachUserPolicy, iam.AttachUserPolicyInput{UserName: str("alice"), PolicyArn: none})
	fails(s, 404, "NoSuchEntity", "Policy "+*arn+" was not found.", s.DetachGroupPolicy, iam.DetachGroupPolicyInput{GroupName: str("g"), PolicyArn: arn})
	ok(s, s.AttachUserPolicy, iam.AttachUserPolicyInput{UserName: str("alice"), PolicyArn: arn})
	ok(s, s.AttachGroupPolicy, iam.AttachGroupPolicyInput{GroupName: str("g"), PolicyArn: arn})
	ok(s, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: str("r"), PolicyArn: arn})
	ok(s, s.AttachRolePolicy, iam.AttachRolePolicyInput{RoleName: str("r"), PolicyArn: str(ec2Full)})
	fails(s, 409, "DeleteConflict", "Cannot delete a policy attached to entities.", s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: arn})
	fails(s, 409, "DeleteConflict", "Cannot delete entity, must detach all policies first.", s.DeleteRole, iam.DeleteRoleInput{RoleName: str("r")})

	if l := ok(s, s.ListAttachedRolePolicies, iam.ListAttachedRolePoliciesInput{RoleName: str("r")}).AttachedPolicies; len(l) != 2 || *l[0].PolicyArn != ec2Full || *l[1].PolicyName != "P" {
		t.Errorf("attached to r: %+v", l)
	}
	if l := ok(s, s.ListAttachedUserPolicies, iam.ListAttachedUserPoliciesInput{UserName: str("alice"), PathPrefix: str("/x/")}).AttachedPolicies; l == nil || len(l) != 0 {
		t.Errorf("attached to alice under /x/: %+v", l)
	}
	if l := ok(s, s.ListAttachedGroupPolicies, iam.ListAttachedGroupPoliciesInput{GroupName: str("g")}).AttachedPolicies; len(l) != 1 {
		t.Errorf("attached to g: %+v", l)
	}
	e := ok(s, s.ListEntitiesForPolicy, iam.ListEntitiesForPolicyInput{PolicyArn: arn})
	if len(e.PolicyGroups) != 1 || len(e.PolicyUsers) != 1 || len(e.PolicyRoles) != 1 || !strings.HasPrefix(*e.PolicyRoles[0].RoleId, "AROA") || *e.PolicyUsers[0].UserName != "alice" {
		t.Errorf("entities %+v", e)
	}
	e = ok(s, s.ListEntitiesForPolicy, iam.ListEntitiesForPolicyInput{PolicyArn: arn, EntityFilter: types.EntityTypeRole})
	if len(e.PolicyGroups)+len(e.PolicyUsers) != 0 || len(e.PolicyRoles) != 1 {
		t.Errorf("roles %+v", e)
	}
	ok(s, s.DetachRolePolicy, iam.DetachRolePolicyInput{RoleName: str("r"), PolicyArn: arn})
	ok(s, s.DetachGroupPolicy, iam.DetachGroupPolicyInput{GroupName: str("g"), PolicyArn: arn})
	ok(s, s.DetachUserPolicy, iam.DetachUserPolicyInput{UserName: str("alice"), PolicyArn: arn})

	fails(s, 400, "InvalidInput", "ARN "+own+"not_a_policy/invalid is not valid.", s.PutRolePermissionsBoundary, iam.PutRolePermissionsBoundaryInput{RoleName: str("r"), PermissionsBoundary: str(own + "not_a_policy/invalid")})
	fails(s, 404, "NoSuchEntity", "Scope ARN: "+*none+" does not exist or is not attachable.", s.PutRolePermissionsBoundary, iam.PutRolePermissionsBoundaryInput{RoleName: str("r"), PermissionsBoundary: none})
	fails(s, 404, "NoSuchEntity", "The role with name nobody cannot be found.", s.PutRolePermissionsBoundary, iam.PutRolePermissionsBoundaryInput{RoleName: str("nobody"), PermissionsBoundary: arn})
	ok(s, s.PutRolePermissionsBoundary, iam.PutRolePermissionsBoundaryInput{RoleName: str("r"), PermissionsBoundary: arn})
	ok(s, s.PutUserPermissionsBoundary, iam.PutUserPermissionsBoundaryInput{UserName: str("alice"), PermissionsBoundary: arn})
	if r := ok(s, s.GetRole, iam.GetRoleInput{RoleName: str("r")}).Role; *r.PermissionsBoundary.PermissionsBoundaryArn != *arn {
		t.Errorf("boundary of r: %+v", r.PermissionsBoundary)
	}
	if p := ok(s, s.GetPolicy, iam.GetPolicyInput{PolicyArn: arn}).Policy; *p.PermissionsBoundaryUsageCount != 2 || *p.AttachmentCount != 0 {
		t.Errorf("policy %+v", p)
	}
	ok(s, s.DeleteRolePermissionsBoundary, iam.DeleteRolePermissionsBoundaryInput{RoleName: str("r")})
	ok(s, s.DeleteUserPermissionsBoundary, iam.DeleteUserPermissionsBoundaryInput{UserName: str("alice")})
	ok(s, s.DeletePolicy, iam.DeletePolicyInput{PolicyArn: arn})
}

func TestInlinePoliciesThroughTheSDK(t *testing.T) {
	s := newDesk(t)
	ok(s, s.CreateUser, iam.CreateUserInput{UserName: str("Alice")})
	ok(s, s.PutUserPolicy, iam.PutUserPolicyInput{UserName: str("alice"), PolicyName: str("p"), PolicyDocument: str(allowS3)})
	if p := ok(s, s.GetUserPolicy, iam.GetUserPolicyInput{UserName: str("alice"), PolicyName: str("p")}); *p.UserName != "Alice" || decoded(s, p.PolicyDocument) != allowS3 {
		t.Errorf("policy of Alice %+v", p)
	}
	if l := ok(s, s.ListUserPolicies, iam.ListUserPoliciesInput{UserName: str("alice")}); len(l.PolicyNames) != 1 || l.PolicyNames[0] != "p" {
		t.Errorf("policies of Alice %+v", l)
	}
	fails(s, 409, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user Alice",
		s.PutUserPolicy, iam.PutUserPolicyInput{UserName: str("alice"), PolicyName: str("q"), PolicyDocument: str(strings.Replace(allowS3, `"s3:*"`, `"s3:`+strings.Repeat("a", 2000)+`"`, 1))})
	fails(s, 409, "DeleteConflict", "Cannot delete entity, must delete policies first.", s.DeleteUser, iam.DeleteUserInput{UserName: str("alice")})
	ok(s, s.DeleteUserPolicy, iam.DeleteUserPolicyInput{UserName: str("alice"), PolicyName: str("p")})
	fails(s, 404, "NoSuchEntity", "The user policy with name p cannot be found.", s.DeleteUserPolicy, iam.DeleteUserPolicyInput{UserName: str("alice"), PolicyName: str("p")})

	ok(s, s.CreateGroup, iam.CreateGroupInput{GroupName: str("g")})
	fails(s, 404, "NoSuchEntity", "The group policy with name p cannot be found.", s.GetGroupPolicy, iam.GetGroupPolicyInput{GroupName: str("g"), PolicyName: str("p")})
	ok(s, s.PutGroupPolicy, iam.PutGroupPolicyInput{GroupName: str("g"), PolicyName: str("p"), PolicyDocument: str(allowS3)})
	if p := ok(s, s.GetGroupPolicy, iam.GetGroupPolicyInput{GroupName: str("g"), PolicyName: str("p")}); *p.GroupName != "g" {
		t.Errorf("policy of g %+v", p)
	}
	ok(s, s.DeleteGroupPolicy, iam.DeleteGroupPolicyInput{GroupName: str("g"), PolicyName: str("p")})
	if l := ok(s, s.ListGroupPolicies, iam.ListGroupPoliciesInput{GroupName: str("g")}); l.PolicyNames == nil || len(l.PolicyNames) != 0 {
		t.Errorf("policies of g %+v", l)
	}

	ok(s, s.CreateRole, iam.CreateRoleInput{RoleName: str("r"), AssumeRolePolicyDocument: str(trustOwn)})
	fails(s, 404, "NoSuchEntity", "The role policy with name p cannot be found.", s.GetRolePolicy, iam.GetRolePolicyInput{RoleName: str("r"), PolicyName: str("p")})
	ok(s, s.PutRolePolicy, iam.PutRolePolicyInput{RoleName: str("r"), PolicyName: str("p"), PolicyDocument: str(allowS3)})
	if p := ok(s, s.GetRolePolicy, iam.GetRolePolicyInput{RoleName: str("r"), PolicyName: str("p")}); *p.RoleName != "r" {
		t.Errorf("policy of r %+v", p)
	}
	if l := ok(s, s.ListRolePolicies, iam.ListRolePoliciesInput{RoleName: str("r")}); len(l.PolicyNames) != 1 {
		t.Errorf("policies of r %+v", l)
	}
	ok(s, s.DeleteRolePolicy, iam.DeleteRolePolicyInput{RoleName: str("r"), PolicyName: str("p")})
}

func TestRolesThroughTheSDK(t *testing.T) {
	s := newDesk(t)
	made := ok(s, s.CreateRole, iam.CreateRoleInput{RoleName: str("R"), Path: str("/a/"), AssumeRolePolicyDocument: str(trustOwn),
		Tags: []types.Tag{{Key: str("k"), Value: str("v")}}}).Role
	if *made.Arn != own+"role/a/R" || made.MaxSessionDuration != nil || made.RoleLastUsed != nil || decoded(s, made.AssumeRolePolicyDocument) != trustOwn || len(made.Tags) != 1 {
		t.Errorf("made %+v", made)
	}
	got := ok(s, s.GetRole, iam.GetRoleInput{RoleName: str("r")}).Role
	if *got.MaxSessionDuration != 3600 || got.RoleLastUsed == nil || got.RoleLastUsed.LastUsedDate != nil || decoded(s, got.AssumeRolePolicyDocument) != trustOwn {
		t.Errorf("read %+v", got)
	}
	ok(s, s.UpdateRole, iam.UpdateRoleInput{RoleName: str("r"), MaxSessionDuration: awssdk.Int32(7200), Description: str("d")})
	if r := ok(s, s.UpdateRoleDescription, iam.UpdateRoleDescriptionInput{RoleName: str("r"), Description: str("")}).Role; r.Description != nil || *r.MaxSessionDuration != 7200 {
		t.Errorf("updated %+v", r)
	}
	l := ok(s, s.ListRoles, iam.ListRolesInput{PathPrefix: str("/a")}).Roles
	if len(l) != 1 || l[0].Tags != nil || *l[0].MaxSessionDuration != 7200 || l[0].RoleLastUsed != nil {
		t.Errorf("roles %+v", l)
	}
	ok(s, s.TagRole, iam.TagRoleInput{RoleName: str("r"), Tags: []types.Tag{{Key: str("K"), Value: str("w")}}})
	if tags := ok(s, s.ListRoleTags, iam.ListRoleTagsInput{RoleName: str("r")}).Tags; len(tags) != 1 || *tags[0].Value != "w" {
		t.Errorf("tags %+v", tags)
	}
	ok(s, s.UntagRole, iam.UntagRoleInput{RoleName: str("r"), TagKeys: []string{"k"}})

	fails(s, 409, "EntityAlreadyExists", "Role with name r already exists.", s.CreateRole, iam.CreateRoleInput{RoleName: str("r"), AssumeRolePolicyDocument: str(trustOwn)})
	fails(s, 400, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
		s.TagRole, iam.TagRoleInput{RoleName: str("r"), Tags: []types.Tag{{Key: str("a"), Value: str("1")}, {Key: str("A"), Value: str("2")}}})
	for document, message := range map[string]string{
		"{": "This policy contains invalid Json",
		strings.Replace(trustOwn, "sts:AssumeRole", "s3:*", 1):                      "AssumeRole policy may only specify STS AssumeRole actions.",
		strings.Replace(trustOwn, `"Action"`, `"Resource":"*","Action"`, 1):         "Has prohibited field Resource",
		strings.Replace(trustOwn, "user/admin", "user/nobody", 1):                   `Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:user/nobody"`,
		strings.Replace(trustOwn, "arn:aws:iam::123456789012:user/admin", "b:d", 1): `Invalid principal in policy: "AWS":"b:d"`,
	} {
		fails(s, 400, "MalformedPolicyDocument", message, s.UpdateAssumeRolePolicy, iam.UpdateAssumeRolePolicyInput{RoleName: str("r"), PolicyDocument: str(document)})
	}
	fails(s, 409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048",
		s.UpdateAssumeRolePolicy, iam.UpdateAssumeRolePolicyInput{RoleName: str("r"), PolicyDocument: str(strings.Replace(trustOwn, `"Action"`, `"Sid":"`+strings.Repeat("a", 2000)+`","Action"`, 1))})
	fails(s, 400, "ValidationError", "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value less than or equal to 43200",
		s.UpdateRole, iam.UpdateRoleInput{RoleName: str("r"), MaxSessionDuration: awssdk.Int32(43201)})
	ok(s, s.UpdateAssumeRolePolicy, iam.UpdateAssumeRolePolicyInput{RoleName: str("r"), PolicyDocument: str(strings.Replace(trustOwn, "user/admin", "root", 1))})
	ok(s, s.DeleteRole, iam.DeleteRoleInput{RoleName: str("r")})
	fails(s, 404, "NoSuchEntity", "The role with name r cannot be found.", s.GetRole, iam.GetRoleInput{RoleName: str("r")})
}

func TestAccountDetailsThroughTheSDK(t *testing.T) {
	s := newDesk(t)
	arn := ok(s, s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("P"), PolicyDocument: str(allowS3)}).Policy.Arn
	ok(s, s.CreateUser, iam.CreateUserInput{UserName: str("alice"), PermissionsBoundary: arn})
	ok(s, s.PutUserPolicy, iam.PutUserPolicyInput{UserName: str("alice"), PolicyName: str("p"), PolicyDocument: str(allowS3)})
	ok(s, s.CreateGroup, iam.CreateGroupInput{GroupName: str("g")})
	ok(s, s.AddUserToGroup, iam.AddUserToGroupInput{GroupName: str("g"), UserName: str("alice")})
	ok(s, s.CreateRole, iam.CreateRoleInput{RoleName: str("r"), AssumeRolePolicyDocument: str(trustOwn)})

	var users, groups, roles, policies []string
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(s.Client, &iam.GetAccountAuthorizationDetailsInput{MaxItems: awssdk.Int32(2)})
	for pages.HasMorePages() {
		p, err := pages.NextPage(s.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range p.UserDetailList {
			users = append(users, *u.UserName)
			if *u.UserName == "alice" && (u.GroupList[0] != "g" || *u.PermissionsBoundary.PermissionsBoundaryArn != *arn || decoded(s, u.UserPolicyList[0].PolicyDocument) != allowS3) {
				t.Errorf("alice %+v", u)
			}
		}
		for _, g := range p.GroupDetailList {
			groups = append(groups, *g.GroupName)
		}
		for _, r := range p.RoleDetailList {
			roles = append(roles, *r.RoleName)
			if decoded(s, r.AssumeRolePolicyDocument) != trustOwn {
				t.Errorf("role %+v", r)
			}
		}
		for _, q := range p.Policies {
			policies = append(policies, *q.PolicyName)
			if *q.PolicyName == "P" && (len(q.PolicyVersionList) != 1 || decoded(s, q.PolicyVersionList[0].Document) != allowS3 || *q.PermissionsBoundaryUsageCount != 1) {
				t.Errorf("policy %+v", q)
			}
		}
	}
	if got := strings.Join([]string{strings.Join(users, " "), strings.Join(groups, " "), strings.Join(roles, " "), strings.Join(policies, " ")}, "|"); got != "admin alice|g|r|P AdministratorAccess" {
		t.Errorf("details: %s", got)
	}
	some := ok(s, s.GetAccountAuthorizationDetails, iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeLocalManagedPolicy}})
	if len(some.Policies) != 1 || len(some.UserDetailList)+len(some.GroupDetailList)+len(some.RoleDetailList) != 0 {
		t.Errorf("own policies: %+v", some)
	}
}

// What somebody has written with comments in the console is JSON for the SDK,
// with everything else where it stood; the door itself takes none.
func TestCommentsStayInside(t *testing.T) {
	w := testkit.New(t)
	d := open(t, w)
	s := desk{t, d.iam(d.admin()), context.Background()}
	text, want := "{ // why\n"+allowS3[1:], "{       \n"+allowS3[1:]
	trust, wantTrust := "/* who */"+trustOwn, "         "+trustOwn

	p := testkit.Do(t, w, w.Admin(t), ops.CreatePolicy, ops.CreatePolicyIn{Name: "P", Document: text, Comments: true})
	testkit.Do(t, w, w.Admin(t), ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trust, Comments: true})
	testkit.Do(t, w, w.Admin(t), ops.PutRolePolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "r"}, Policy: "in", Document: text, Comments: true})
	testkit.Do(t, w, w.Admin(t), ops.CreateGroup, ops.CreateGroupIn{Name: "g"})
	testkit.Do(t, w, w.Admin(t), ops.PutGroupPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "g"}, Policy: "in", Document: text, Comments: true})
	testkit.Do(t, w, w.Admin(t), ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "admin"}, Policy: "in", Document: text, Comments: true})

	documents := map[string]*string{
		"GetPolicyVersion": ok(s, s.GetPolicyVersion, iam.GetPolicyVersionInput{PolicyArn: str(p.ARN()), VersionId: str("v1")}).PolicyVersion.Document,
		"GetRolePolicy":    ok(s, s.GetRolePolicy, iam.GetRolePolicyInput{RoleName: str("r"), PolicyName: str("in")}).PolicyDocument,
		"GetGroupPolicy":   ok(s, s.GetGroupPolicy, iam.GetGroupPolicyInput{GroupName: str("g"), PolicyName: str("in")}).PolicyDocument,
		"GetUserPolicy":    ok(s, s.GetUserPolicy, iam.GetUserPolicyInput{UserName: str("admin"), PolicyName: str("in")}).PolicyDocument,
	}
	all := ok(s, s.GetAccountAuthorizationDetails, iam.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeRole, types.EntityTypeLocalManagedPolicy}})
	documents["details of a role"] = all.RoleDetailList[0].RolePolicyList[0].PolicyDocument
	documents["details of a policy"] = all.Policies[0].PolicyVersionList[0].Document
	for name, document := range documents {
		if got := decoded(s, document); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, document := range map[string]*string{
		"GetRole": ok(s, s.GetRole, iam.GetRoleInput{RoleName: str("r")}).Role.AssumeRolePolicyDocument, "details": all.RoleDetailList[0].AssumeRolePolicyDocument,
	} {
		if got := decoded(s, document); got != wantTrust {
			t.Errorf("trust, %s: %q, want %q", name, got, wantTrust)
		}
	}
	fails(s, 400, "MalformedPolicyDocument", "Syntax errors in policy.", s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("Q"), PolicyDocument: &text})
}
