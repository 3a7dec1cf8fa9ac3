package alibaba

import (
	"time"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func ramRoles() []action {
	of := serviceRAM
	return []action{
		plain(of, "CreateRole", ops.CreateRole, (*createRoleInput).in, func(r *ops.Role) createdRole { return createdRole{newRole(r).roleHead} }),
		plain(of, "GetRole", ops.GetRole, func(s *roleInput) ops.RoleIn { return ops.RoleIn{Role: s.ref()} }, roleAnswer),
		plain(of, "UpdateRole", ops.UpdateRAMRole, (*updateRoleInput).in, roleAnswer),
		plain(of, "DeleteRole", ops.DeleteRAMRole, func(s *roleInput) ops.RoleIn { return ops.RoleIn{Role: s.ref()} }, none),
		plain(of, "ListRoles", ops.ListRoles, (*listInput).listing, func(p page.Page[ops.Role]) rolesOutput {
			return rolesOutput{pagingOf(p.Next), roleList{each(p.Items, func(r *ops.Role) listedRole {
				return listedRole{
					r.ID.String(), r.Name, roleARN(r.Account, r.Name), r.Description, int(r.MaxSession / time.Second),
					when(r.Created), when(r.Created), newTags(r.Tags),
				}
			})}}
		}),
	}
}

// roleARN is what RAM calls the ARN of a role.
func roleARN(a name.Account, called string) string { return name.RAM(a, "role", called) }

type roleHead struct {
	RoleId                   string
	RoleName                 string
	Arn                      string
	Description              string
	AssumeRolePolicyDocument string
	MaxSessionDuration       int
	CreateDate               string
}

type role struct {
	roleHead
	UpdateDate string
}

// newRole is a role with its trust policy. When it was changed is not kept.
func newRole(r *ops.Role) role {
	return role{roleHead{
		r.ID.String(), r.Name, roleARN(r.Account, r.Name), r.Description, handed(r.Trust), int(r.MaxSession / time.Second), when(r.Created),
	}, when(r.Created)}
}

type createdRole struct{ Role roleHead }

type roleOutput struct{ Role role }

func roleAnswer(r *ops.Role) roleOutput { return roleOutput{newRole(r)} }

type listedRole struct {
	RoleId             string
	RoleName           string
	Arn                string
	Description        string
	MaxSessionDuration int
	CreateDate         string
	UpdateDate         string
	Tags               tagsOut
}

type roleList struct{ Role []listedRole }

type rolesOutput struct {
	paging
	Roles roleList
}

type createRoleInput struct {
	RoleName                 string `req:"true" len:"1,64" chars:"A-Za-z0-9.-"`
	Description              string `len:"1,1024"`
	AssumeRolePolicyDocument string `req:"true"`
	MaxSessionDuration       int    `range:"3600,43200"`
	Tag                      []tag
}

func (s *createRoleInput) in() ops.CreateRoleIn {
	return ops.CreateRoleIn{
		Name: s.RoleName, Description: s.Description, Trust: s.AssumeRolePolicyDocument,
		MaxSession: seconds(s.MaxSessionDuration), Tags: tagsIn(s.Tag),
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

type updateRoleInput struct {
	roleInput
	NewAssumeRolePolicyDocument string
	NewDescription              *string `len:"1,1024"`
	NewMaxSessionDuration       int     `range:"3600,43200"`
}

func (s *updateRoleInput) in() ops.UpdateRAMRoleIn {
	return ops.UpdateRAMRoleIn{
		UpdateRoleIn: ops.UpdateRoleIn{Role: s.ref(), Description: s.NewDescription, MaxSession: seconds(s.NewMaxSessionDuration)},
		Trust:        s.NewAssumeRolePolicyDocument,
	}
}
