package aws

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func detailActions() []action {
	return []action{
		iamAction("GetAccountAuthorizationDetails", ops.GetAccountAuthorizationDetails, (*detailsInput).in, detailPage),
	}
}

var detailKinds = map[string]ops.DetailKind{
	"User": ops.DetailUsers, "Role": ops.DetailRoles, "Group": ops.DetailGroups,
	"LocalManagedPolicy": ops.DetailOwnPolicies, "AWSManagedPolicy": ops.DetailVendorPolicies,
}

type detailsInput struct {
	Filter []string `eachenum:"User Role Group LocalManagedPolicy AWSManagedPolicy"`
	listInput
}

func (s *detailsInput) in() ops.DetailsIn {
	in := ops.DetailsIn{Listing: s.listing("")}
	for _, f := range s.Filter {
		in.Kinds = append(in.Kinds, detailKinds[f])
	}
	return in
}

type detailsOutput struct {
	UserDetailList  []userDetail   `aws:",keep"`
	GroupDetailList []groupDetail  `aws:",keep"`
	RoleDetailList  []roleDetail   `aws:",keep"`
	Policies        []policyDetail `aws:",keep"`
	paging
}

func detailPage(p page.Page[ops.Detail]) detailsOutput {
	out := detailsOutput{paging: pagingOf(p.Next)}
	for _, d := range p.Items {
		switch {
		case d.User != nil:
			out.UserDetailList = append(out.UserDetailList, newUserDetail(d.User))
		case d.Group != nil:
			out.GroupDetailList = append(out.GroupDetailList, newGroupDetail(d.Group))
		case d.Role != nil:
			out.RoleDetailList = append(out.RoleDetailList, newRoleDetail(d.Role))
		case d.Policy != nil:
			out.Policies = append(out.Policies, newPolicyDetail(d.Policy))
		}
	}
	return out
}

// policyText is an inline policy in a list.
type policyText struct {
	PolicyName     string
	PolicyDocument string `aws:",urlencoded"`
}

func policyTexts(all []iam.InlinePolicy) []policyText {
	var out []policyText
	for _, p := range all {
		out = append(out, policyText{p.Name, plain(p.Document)})
	}
	return out
}

type userDetail struct {
	Path                    string
	UserName                string
	UserId                  string
	Arn                     string
	CreateDate              time.Time
	UserPolicyList          []policyText
	GroupList               []string         `aws:",keep"`
	AttachedManagedPolicies []attachedPolicy `aws:",keep"`
	PermissionsBoundary     *boundary
	Tags                    []tag `aws:",keep"`
}

func newUserDetail(u *ops.UserDetail) userDetail {
	out := userDetail{
		Path: u.Path, UserName: u.Name, UserId: u.ID.Unique(name.PrefixUser), Arn: u.ARN(), CreateDate: u.Created,
		UserPolicyList: policyTexts(u.Inline), GroupList: u.Groups, AttachedManagedPolicies: attachedPolicies(u.Attached),
		Tags: tagsOut(u.Tags),
	}
	if u.BoundaryARN != "" {
		out.PermissionsBoundary = &boundary{"Policy", u.BoundaryARN}
	}
	return out
}

type groupDetail struct {
	group
	GroupPolicyList         []policyText     `aws:",keep"`
	AttachedManagedPolicies []attachedPolicy `aws:",keep"`
}

func newGroupDetail(g *ops.GroupDetail) groupDetail {
	return groupDetail{newGroup(&g.Group), policyTexts(g.Inline), attachedPolicies(g.Attached)}
}

type roleDetail struct {
	Path                     string
	RoleName                 string
	RoleId                   string
	Arn                      string
	CreateDate               time.Time
	AssumeRolePolicyDocument string           `aws:",urlencoded"`
	InstanceProfileList      []string         `aws:",keep"` // empty: there are none, and tools look for the list
	RolePolicyList           []policyText     `aws:",keep"`
	AttachedManagedPolicies  []attachedPolicy `aws:",keep"`
	PermissionsBoundary      *boundary
	Tags                     []tag `aws:",keep"`
	RoleLastUsed             *roleLastUsed
}

func newRoleDetail(r *ops.RoleDetail) roleDetail {
	all := roleWithAll(&r.Role).Role
	return roleDetail{
		Path: all.Path, RoleName: all.RoleName, RoleId: all.RoleId, Arn: all.Arn, CreateDate: all.CreateDate,
		AssumeRolePolicyDocument: all.AssumeRolePolicyDocument, RolePolicyList: policyTexts(r.Inline),
		AttachedManagedPolicies: attachedPolicies(r.Attached), PermissionsBoundary: all.PermissionsBoundary,
		Tags: all.Tags, RoleLastUsed: all.RoleLastUsed,
	}
}

type policyDetail struct {
	PolicyName                    string
	PolicyId                      string
	Arn                           string
	Path                          string
	DefaultVersionId              string
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string
	CreateDate                    time.Time
	UpdateDate                    time.Time
	PolicyVersionList             []version
}

func newPolicyDetail(p *ops.PolicyDetail) policyDetail {
	all := newPolicy(&p.PolicyUse)
	out := policyDetail{
		PolicyName: all.PolicyName, PolicyId: all.PolicyId, Arn: all.Arn, Path: all.Path, DefaultVersionId: all.DefaultVersionId,
		AttachmentCount: all.AttachmentCount, PermissionsBoundaryUsageCount: all.PermissionsBoundaryUsageCount,
		IsAttachable: true, Description: p.Description, CreateDate: all.CreateDate, UpdateDate: all.UpdateDate,
	}
	for i := range p.Versions {
		out.PolicyVersionList = append(out.PolicyVersionList, versionWithText(&p.Versions[i]))
	}
	return out
}
