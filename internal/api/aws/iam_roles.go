package aws

import (
	"time"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func roleActions() []action {
	return []action{
		iamAction("CreateRole", ops.CreateRole, (*createRoleInput).in, createdRole),
		iamAction("GetRole", ops.GetRole, (*roleInput).in, roleWithAll),
		iamAction("ListRoles", ops.ListRoles, (*pathListInput).in, rolePage),
		iamAction("UpdateRole", ops.UpdateRole, (*updateRoleInput).in, func(*ops.Role) updateRoleOutput { return updateRoleOutput{} }),
		iamAction("UpdateRoleDescription", ops.UpdateRoleDescription, func(s *describeRoleInput) ops.UpdateRoleIn {
			return ops.UpdateRoleIn{Role: s.ref(), Description: &s.Description}
		}, roleWithAll),
		iamAction("UpdateAssumeRolePolicy", ops.UpdateAssumeRolePolicy, func(s *updateTrustInput) ops.UpdateTrustIn {
			return ops.UpdateTrustIn{Role: s.ref(), Trust: s.PolicyDocument}
		}, none),
		iamAction("DeleteRole", ops.DeleteRole, (*roleInput).in, none),
		iamAction("TagRole", ops.TagRole, func(s *tagRoleInput) ops.TagIn {
			return ops.TagIn{Ref: s.ref(), Tags: tagsIn(s.Tags)}
		}, none),
		iamAction("UntagRole", ops.UntagRole, func(s *untagRoleInput) ops.UntagIn {
			return ops.UntagIn{Ref: s.ref(), Keys: s.TagKeys}
		}, none),
		iamAction("ListRoleTags", ops.ListRoleTags, func(s *roleListInput) ops.TagsIn {
			return ops.TagsIn{Ref: s.ref(), Listing: s.listing("")}
		}, tagPage),
	}
}

// role is a role in an answer.
type role struct {
	Path                     string
	RoleName                 string
	RoleId                   string
	Arn                      string
	CreateDate               time.Time
	AssumeRolePolicyDocument string `aws:",urlencoded"`
	Description              string
	MaxSessionDuration       *int
	PermissionsBoundary      *boundary
	Tags                     []tag
	RoleLastUsed             *roleLastUsed
}

type roleLastUsed struct {
	LastUsedDate *time.Time
	Region       string
}

// newRole is a role as it is listed.
func newRole(r *ops.Role) role {
	seconds := int(r.MaxSession / time.Second)
	return role{
		Path: r.Path, RoleName: r.Name, RoleId: r.ID.Unique(name.PrefixRole), Arn: r.ARN(), CreateDate: r.Created,
		AssumeRolePolicyDocument: plain(r.Trust), Description: r.Description, MaxSessionDuration: &seconds,
	}
}

type roleOutput struct{ Role role }

func roleWithAll(r *ops.Role) roleOutput {
	out := roleOutput{newRole(r)}
	out.Role.Tags = tagsOut(r.Tags)
	out.Role.RoleLastUsed = &roleLastUsed{when(r.LastUsed), r.LastRegion}
	if r.BoundaryARN != "" {
		out.Role.PermissionsBoundary = &boundary{"Policy", r.BoundaryARN}
	}
	return out
}

// createdRole is a role as CreateRole tells it: without what is the same for
// every new role.
func createdRole(r *ops.Role) roleOutput {
	out := roleWithAll(r)
	out.Role.MaxSessionDuration, out.Role.RoleLastUsed = nil, nil
	return out
}

type rolesOutput struct {
	Roles []role `aws:",keep"`
	paging
}

func rolePage(p page.Page[ops.Role]) rolesOutput {
	out := rolesOutput{paging: pagingOf(p.Next)}
	for i := range p.Items {
		out.Roles = append(out.Roles, newRole(&p.Items[i]))
	}
	return out
}

// updateRoleOutput has no members, and yet a Result.
type updateRoleOutput struct{}

type createRoleInput struct {
	roleInput
	Path                     string `len:"1,512" re:"/([!-~]+/)?" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)" says:"It must begin and end with / and contain only alphanumeric characters and/or / characters."`
	AssumeRolePolicyDocument string `aws:",required" len:"1,131072" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	Description              string `len:",1000" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*"`
	MaxSessionDuration       *int32 `range:"3600,43200"`
	PermissionsBoundary      string `len:"20,2048"`
	Tags                     []tag  `len:",50"`
}

func (s *createRoleInput) in() ops.CreateRoleIn {
	return ops.CreateRoleIn{
		Name: s.RoleName, Path: s.Path, Trust: s.AssumeRolePolicyDocument, Description: s.Description,
		MaxSession: secondsIn(s.MaxSessionDuration), Boundary: s.PermissionsBoundary, Tags: tagsIn(s.Tags),
	}
}

// secondsIn is a duration that was given in seconds; 0 if none was.
func secondsIn(n *int32) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Second
}

// roleInput names a role.
type roleInput struct {
	RoleName string `aws:",required" len:"1,64" pattern:"[\\w+=,.@-]+"`
}

func (s *roleInput) ref() ops.Ref { return ops.Ref{Name: s.RoleName} }

func (s *roleInput) in() ops.RoleIn { return ops.RoleIn{Role: s.ref()} }

// roleListInput is a list that belongs to a role.
type roleListInput struct {
	roleInput
	listInput
}

type updateRoleInput struct {
	roleInput
	Description        *string `len:",1000" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*"`
	MaxSessionDuration *int32  `range:"3600,43200"`
}

func (s *updateRoleInput) in() ops.UpdateRoleIn {
	return ops.UpdateRoleIn{Role: s.ref(), Description: s.Description, MaxSession: secondsIn(s.MaxSessionDuration)}
}

type describeRoleInput struct {
	roleInput
	Description string `aws:",required" len:",1000" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*"`
}

type updateTrustInput struct {
	roleInput
	PolicyDocument string `aws:",required" len:"1,131072" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
}

type tagRoleInput struct {
	roleInput
	Tags []tag `aws:",required" len:",50"`
}

type untagRoleInput struct {
	roleInput
	TagKeys []string `aws:",required" len:",50" eachlen:"1,128" eachpattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"`
}
