package ops

import (
	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// CreateGroupIn is the input of CreateGroup.
type CreateGroupIn struct {
	Name string
	Path string // "" means "/"
}

// CreateGroup makes a group without members or permissions.
//
// Errors: Invalid name or path; Exists; Limit.
var CreateGroup = Op[CreateGroupIn, *iam.Group]{
	Name:   "CreateGroup",
	Grants: Names{AWS: "iam:CreateGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in CreateGroupIn) (Target, error) {
		return groupTarget(&iam.Group{Account: env.Call.Caller.Account, Name: in.Name, Path: rooted(in.Path)}), nil
	},
	Record: func(in CreateGroupIn) audit.Fields {
		return audit.Fields{"groupName": in.Name, "path": in.Path}
	},
	Do: func(env *Env, in CreateGroupIn) (g *iam.Group, err error) {
		g = &iam.Group{Account: env.Call.Caller.Account, Name: in.Name, Path: rooted(in.Path), Created: env.Now}
		if err := checkNamed("groupName", g.Name, iam.MaxName, g.Path, nil); err != nil {
			return g, err
		}
		if err := env.quota("GroupsPerAccount", env.limits.Groups, env.Tx.GroupCount); err != nil {
			return g, err
		}
		if g.ID, err = name.NewID(env.rand); err != nil {
			return g, fault.Wrap(err, "create a group")
		}
		return g, env.Tx.InsertGroup(g)
	},
}

// GroupIn names a group.
type GroupIn struct{ Group Ref }

func (in GroupIn) record() audit.Fields { return audit.Fields{"groupName": in.Group.String()} }

// GetGroupIn names a group and a stretch of its members.
type GetGroupIn struct {
	Group Ref
	Listing
}

// GroupMembers is a group and a page of its users by name.
type GroupMembers struct {
	Group   *iam.Group
	Members page.Page[iam.User]
}

// GetGroup reads a group and its members.
//
// Errors: NotFound.
var GetGroup = Op[GetGroupIn, GroupMembers]{
	Name:   "GetGroup",
	Grants: Names{AWS: "iam:GetGroup"},
	Target: func(env *Env, in GetGroupIn) (Target, error) { return env.groupTarget(in.Group) },
	Record: func(in GetGroupIn) audit.Fields { return audit.Fields{"groupName": in.Group.String()} },
	Do: func(env *Env, in GetGroupIn) (out GroupMembers, err error) {
		if out.Group, err = env.group(in.Group); err != nil {
			return out, err
		}
		g := out.Group
		out.Members, err = paged(env, "GetGroup", []string{g.ID.String()}, in.Listing, func(after string, limit int) ([]iam.User, error) {
			return env.Tx.Members(g.Account, g.ID, after, limit)
		}, func(u iam.User) string { return u.Name })
		return out, err
	},
}

// ListGroups lists groups by name.
var ListGroups = Op[Listing, page.Page[iam.Group]]{
	Name:   "ListGroups",
	Grants: Names{AWS: "iam:ListGroups"},
	Target: func(env *Env, in Listing) (Target, error) {
		return Target{Noun: "groups", Resources: []string{name.GroupARN(env.Call.Caller.Account, rooted(in.PathPrefix), "")}}, nil
	},
	Do: func(env *Env, in Listing) (page.Page[iam.Group], error) {
		return list(env, "ListGroups", in, env.Tx.Groups, func(g iam.Group) string { return g.Name })
	},
}

// UpdateGroupIn is the input of UpdateGroup; what is empty stays as it is.
type UpdateGroupIn struct {
	Group   Ref
	NewName string
	NewPath string
}

// UpdateGroup renames a group or moves it to another path. Its id, members and
// policies stay.
//
// Errors: NotFound; Exists; Invalid.
var UpdateGroup = Op[UpdateGroupIn, *iam.Group]{
	Name:   "UpdateGroup",
	Grants: Names{AWS: "iam:UpdateGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UpdateGroupIn) (Target, error) {
		t, err := env.groupTarget(in.Group)
		if err != nil {
			return t, err
		}
		g, err := env.group(in.Group)
		if err != nil {
			return t, ignoreMissing(err)
		}
		if moved := renamedGroup(g, in).ARN(); moved != g.ARN() {
			t.Resources = append(t.Resources, moved) // as in UpdateUser: both names must be allowed
		}
		return t, nil
	},
	Record: func(in UpdateGroupIn) audit.Fields {
		return audit.Fields{"groupName": in.Group.String(), "newGroupName": in.NewName, "newPath": in.NewPath}
	},
	Do: func(env *Env, in UpdateGroupIn) (*iam.Group, error) {
		g, err := env.group(in.Group)
		if err != nil {
			return g, err
		}
		g = renamedGroup(g, in)
		if err := checkNamed("newGroupName", g.Name, iam.MaxName, g.Path, nil); err != nil {
			return g, err
		}
		return g, env.Tx.UpdateGroup(g)
	},
}

// renamedGroup is a copy of a group with its new name and path.
func renamedGroup(old *iam.Group, in UpdateGroupIn) *iam.Group {
	g := *old
	if in.NewName != "" {
		g.Name = in.NewName
	}
	if in.NewPath != "" {
		g.Path = in.NewPath
	}
	return &g
}

// DeleteGroup deletes a group that is empty in every way.
//
// Errors: NotFound; Conflict while the group has members or policies.
var DeleteGroup = Op[GroupIn, struct{}]{
	Name:   "DeleteGroup",
	Grants: Names{AWS: "iam:DeleteGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in GroupIn) (Target, error) { return env.groupTarget(in.Group) },
	Record: GroupIn.record,
	Do: func(env *Env, in GroupIn) (none struct{}, err error) {
		g, err := env.group(in.Group)
		if err != nil {
			return none, err
		}
		members, err := env.Tx.MemberCount(g.Account, g.ID)
		switch {
		case err != nil:
			return none, err
		case members > 0:
			return none, fault.Of(fault.Conflict, "group memberships", "")
		}
		if err := env.noPolicies(iam.KindGroup, g.ID); err != nil {
			return none, err
		}
		return none, env.Tx.DeleteGroup(g.Account, g.ID)
	},
}

// MemberIn names a user and a group.
type MemberIn struct {
	Group Ref
	User  Ref
}

func (in MemberIn) record() audit.Fields {
	return audit.Fields{"groupName": in.Group.String(), "userName": in.User.String()}
}

// AddUserToGroup makes a user a member. One who is a member already stays one.
//
// Errors: NotFound user or group; Limit of groups per user.
var AddUserToGroup = Op[MemberIn, struct{}]{
	Name:   "AddUserToGroup",
	Grants: Names{AWS: "iam:AddUserToGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in MemberIn) (Target, error) { return env.groupTarget(in.Group) },
	Record: MemberIn.record,
	Do: func(env *Env, in MemberIn) (none struct{}, err error) {
		u, g, err := env.member(in)
		if err != nil {
			return none, err
		}
		changed, err := env.Tx.AddMember(g.Account, g.ID, u.ID)
		if err != nil || !changed {
			return none, err
		}
		n, err := env.Tx.GroupsOfCount(g.Account, u.ID)
		if err == nil && n > env.limits.GroupsPerUser {
			err = limited("GroupsPerUser", env.limits.GroupsPerUser)
		}
		return none, err
	},
}

// RemoveUserFromGroup ends a membership; one that is not there is no error.
//
// Errors: NotFound user or group.
var RemoveUserFromGroup = Op[MemberIn, struct{}]{
	Name:   "RemoveUserFromGroup",
	Grants: Names{AWS: "iam:RemoveUserFromGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in MemberIn) (Target, error) { return env.groupTarget(in.Group) },
	Record: MemberIn.record,
	Do: func(env *Env, in MemberIn) (none struct{}, err error) {
		u, g, err := env.member(in)
		if err != nil {
			return none, err
		}
		_, err = env.Tx.RemoveMember(g.Account, g.ID, u.ID)
		return none, err
	},
}

// member reads both sides of a membership. The root user is in no group.
func (env *Env) member(in MemberIn) (*iam.User, *iam.Group, error) {
	u, err := env.user(in.User)
	if err != nil {
		return nil, nil, err
	}
	if u.Root {
		return nil, nil, fault.New(fault.Unmodifiable, "the root user is in no group")
	}
	g, err := env.group(in.Group)
	return u, g, err
}

// GroupsOfIn names a user and a stretch of its groups.
type GroupsOfIn struct {
	User Ref
	Listing
}

// ListGroupsForUser lists the groups that a user is in by name.
//
// Errors: NotFound.
var ListGroupsForUser = Op[GroupsOfIn, page.Page[iam.Group]]{
	Name:   "ListGroupsForUser",
	Grants: Names{AWS: "iam:ListGroupsForUser"},
	Target: func(env *Env, in GroupsOfIn) (Target, error) { return env.userTarget(in.User) },
	Do: func(env *Env, in GroupsOfIn) (page.Page[iam.Group], error) {
		u, err := env.user(in.User)
		if err != nil {
			return page.Page[iam.Group]{}, err
		}
		return paged(env, "ListGroupsForUser", []string{u.ID.String()}, in.Listing, func(after string, limit int) ([]iam.Group, error) {
			return env.Tx.GroupsOf(u.Account, u.ID, after, limit)
		}, func(g iam.Group) string { return g.Name })
	},
}

// group reads the group of a Ref.
func (env *Env) group(r Ref) (*iam.Group, error) {
	a := env.Call.Caller.Account
	if r.Name != "" {
		return env.Tx.GroupByName(a, r.Name)
	}
	return env.Tx.GroupByID(a, r.ID)
}

// groupTarget is the target of an operation on the group of a Ref. A group that
// does not exist is authorised under the name that was given.
func (env *Env) groupTarget(r Ref) (Target, error) {
	h, err := env.holder(iam.KindGroup, r)
	return h.target, ignoreMissing(err)
}

func groupTarget(g *iam.Group) Target {
	return Target{Noun: "group", Name: g.Name, ID: g.ID, Resources: []string{g.ARN()}}
}
