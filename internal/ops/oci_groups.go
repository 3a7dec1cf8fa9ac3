package ops

import (
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// OracleGroup is a group as Oracle's door shows it.
type OracleGroup struct {
	Group  iam.Group
	Extras iam.OracleExtras
	ETag   string
}

func (env *Env) oracleGroup(g *iam.Group) (*OracleGroup, error) {
	x, err := env.Tx.OracleExtras(g.Account, g.ID)
	return &OracleGroup{*g, x, etagOf(g.ID, g.Name, g.Path, x)}, err
}

// OracleCreateGroupIn is the input of OracleCreateGroup.
type OracleCreateGroupIn struct {
	Compartment string
	Name        string
	Described
	Retry Retry
}

// OracleCreateGroup makes a group without members.
//
// Errors: Invalid; Exists; Limit.
var OracleCreateGroup = Op[OracleCreateGroupIn, *OracleGroup]{
	Name:   "CreateGroup",
	Grants: Names{AWS: "iam:CreateGroup", OCI: "CreateGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleCreateGroupIn) (Target, error) {
		return groupTarget(&iam.Group{Account: env.Call.Caller.Account, Name: in.Name, Path: "/"}), nil
	},
	Record: func(in OracleCreateGroupIn) audit.Fields { return audit.Fields{"groupName": clipped(in.Name)} },
	Do: func(env *Env, in OracleCreateGroupIn) (*OracleGroup, error) {
		return once(env, "CreateGroup", in.Retry, func() (*OracleGroup, error) {
			if err := env.inRoot(in.Compartment); err != nil {
				return nil, err
			}
			if err := checkOracleName(in.Name); err != nil {
				return nil, err
			}
			var x iam.OracleExtras
			if err := in.describe(env, &x.Description, &x.Tags, true); err != nil {
				return nil, err
			}
			if err := env.tagNew(0, &x.Tags); err != nil {
				return nil, err
			}
			if err := env.quota("GroupsPerAccount", least(env.limits.Groups, env.oracleLimits.Groups), env.Tx.GroupCount); err != nil {
				return nil, err
			}
			g := iam.Group{Account: env.Call.Caller.Account, Name: in.Name, Path: "/", Created: env.Now}
			var err error
			if g.ID, err = name.NewID(env.rand); err != nil {
				return nil, fault.Wrap(err, "create a group")
			}
			if err := env.Tx.InsertGroup(&g); err != nil {
				return nil, err
			}
			if err := env.Tx.SetOracleExtras(g.Account, g.ID, x); err != nil {
				return nil, err
			}
			return env.oracleGroup(&g)
		})
	},
}

// OracleGetGroup reads a group.
var OracleGetGroup = Op[Matching, *OracleGroup]{
	Name:   "GetGroup",
	Grants: Names{AWS: "iam:GetGroup", OCI: "GetGroup"},
	Target: func(env *Env, in Matching) (Target, error) { return env.groupTarget(Ref{ID: in.ID}) },
	Do: func(env *Env, in Matching) (*OracleGroup, error) {
		g, err := env.group(Ref{ID: in.ID})
		if err != nil {
			return nil, err
		}
		return env.oracleGroup(g)
	},
}

// OracleListGroups lists groups by name.
var OracleListGroups = Op[OracleListIn, page.Page[OracleGroup]]{
	Name:   "ListGroups",
	Grants: Names{AWS: "iam:ListGroups", OCI: "ListGroups"},
	Target: func(env *Env, in OracleListIn) (Target, error) {
		return Target{Noun: "groups", Resources: []string{name.GroupARN(env.Call.Caller.Account, "/", "")}}, nil
	},
	Do: func(env *Env, in OracleListIn) (out page.Page[OracleGroup], err error) {
		return principals(env, "OracleListGroups", in, env.Tx.Groups, env.Tx.GroupByName, func(g iam.Group) string { return g.Name }, env.oracleGroup)
	},
}

// OracleUpdateIn is the input of updates that change a description and tags only.
type OracleUpdateIn struct {
	Matching
	Described
}

// OracleUpdateGroup changes what people read of a group.
var OracleUpdateGroup = Op[OracleUpdateIn, *OracleGroup]{
	Name:   "UpdateGroup",
	Grants: Names{AWS: "iam:UpdateGroup", OCI: "UpdateGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleUpdateIn) (Target, error) { return env.groupTarget(Ref{ID: in.ID}) },
	Record: func(in OracleUpdateIn) audit.Fields { return audit.Fields{"group": in.ID.String()} },
	Do: func(env *Env, in OracleUpdateIn) (*OracleGroup, error) {
		seen, err := env.matchingGroup(in.Matching)
		if err != nil {
			return nil, err
		}
		x := seen.Extras
		if err := in.describe(env, &x.Description, &x.Tags, false); err != nil {
			return nil, err
		}
		if err := env.Tx.SetOracleExtras(seen.Group.Account, seen.Group.ID, x); err != nil {
			return nil, err
		}
		return env.oracleGroup(&seen.Group)
	},
}

// matchingGroup reads a group that is as the client saw it.
func (env *Env) matchingGroup(in Matching) (*OracleGroup, error) {
	g, err := env.group(Ref{ID: in.ID})
	if err != nil {
		return nil, err
	}
	seen, err := env.oracleGroup(g)
	if err == nil {
		err = matches(in.IfMatch, seen.ETag)
	}
	return seen, err
}

// OracleDeleteGroup deletes a group that is empty.
//
// Errors: NotFound; Conflict while it has members or policies of other clouds.
var OracleDeleteGroup = Op[Matching, struct{}]{
	Name:   "DeleteGroup",
	Grants: Names{AWS: "iam:DeleteGroup", OCI: "DeleteGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in Matching) (Target, error) { return env.groupTarget(Ref{ID: in.ID}) },
	Record: func(in Matching) audit.Fields { return audit.Fields{"group": in.ID.String()} },
	Do: func(env *Env, in Matching) (none struct{}, err error) {
		seen, err := env.matchingGroup(in)
		if err != nil {
			return none, err
		}
		if _, err := DeleteGroup.Do(env, GroupIn{Ref{ID: seen.Group.ID}}); err != nil {
			return none, err
		}
		return none, env.Tx.DeleteOracleExtras(seen.Group.Account, seen.Group.ID)
	},
}

// OracleMembership is a user's membership of a group.
type OracleMembership struct {
	Account     name.Account
	Group, User name.ID
	Created     time.Time // of the younger of the two: the directory does not keep when they met
	ETag        string
}

func oracleMembership(g *iam.Group, u *iam.User) *OracleMembership {
	at := g.Created
	if u.Created.After(at) {
		at = u.Created
	}
	return &OracleMembership{g.Account, g.ID, u.ID, at, etagOf(g.ID, u.ID)}
}

// OracleMemberIn names a group and a user.
type OracleMemberIn struct {
	Group, User name.ID
	IfMatch     string
	Retry       Retry
}

func (in OracleMemberIn) record() audit.Fields {
	return audit.Fields{"group": in.Group.String(), "user": in.User.String()}
}

// OracleAddUserToGroup makes a user a member.
//
// Errors: NotFound user or group; Exists; Limit.
var OracleAddUserToGroup = Op[OracleMemberIn, *OracleMembership]{
	Name:   "AddUserToGroup",
	Grants: Names{AWS: "iam:AddUserToGroup", OCI: "AddUserToGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleMemberIn) (Target, error) { return env.groupTarget(Ref{ID: in.Group}) },
	Record: OracleMemberIn.record,
	Do: func(env *Env, in OracleMemberIn) (*OracleMembership, error) {
		return once(env, "AddUserToGroup", in.Retry, func() (*OracleMembership, error) {
			u, g, err := env.member(MemberIn{Group: Ref{ID: in.Group}, User: Ref{ID: in.User}})
			if err != nil {
				return nil, err
			}
			changed, err := env.Tx.AddMember(g.Account, g.ID, u.ID)
			if err != nil {
				return nil, err
			}
			if !changed {
				return nil, fault.Of(fault.Exists, "membership", u.Name)
			}
			n, err := env.Tx.GroupsOfCount(g.Account, u.ID)
			if most := env.oracleLimits.GroupsPerUser; err == nil && most > 0 && n > most {
				err = limited("GroupsPerUser", most)
			}
			if most := env.oracleLimits.UsersPerGroup; err == nil && most > 0 {
				if n, err = env.Tx.MemberCount(g.Account, g.ID); err == nil && n > most {
					err = limited("UsersPerGroup", most)
				}
			}
			return oracleMembership(g, u), err
		})
	},
}

// OracleRemoveUserFromGroup ends a membership.
//
// Errors: NotFound.
var OracleRemoveUserFromGroup = Op[OracleMemberIn, struct{}]{
	Name:   "RemoveUserFromGroup",
	Grants: Names{AWS: "iam:RemoveUserFromGroup", OCI: "RemoveUserFromGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleMemberIn) (Target, error) { return env.groupTarget(Ref{ID: in.Group}) },
	Record: OracleMemberIn.record,
	Do: func(env *Env, in OracleMemberIn) (none struct{}, err error) {
		m, err := env.membership(in)
		if err != nil {
			return none, err
		}
		if err := matches(in.IfMatch, m.ETag); err != nil {
			return none, err
		}
		_, err = env.Tx.RemoveMember(env.Call.Caller.Account, in.Group, in.User)
		return none, err
	},
}

// membership reads a membership that there is.
func (env *Env) membership(in OracleMemberIn) (*OracleMembership, error) {
	u, err := env.oracleUserOf(in.User)
	if err != nil {
		return nil, err
	}
	groups, err := env.Tx.GroupsOf(u.Account, u.ID, "", maxGroupsOfUser)
	if err != nil {
		return nil, err
	}
	for i := range groups {
		if groups[i].ID == in.Group {
			return oracleMembership(&groups[i], u), nil
		}
	}
	return nil, fault.Of(fault.NotFound, "membership", in.User.String())
}

// GetUserGroupMembership reads a membership.
var GetUserGroupMembership = Op[OracleMemberIn, *OracleMembership]{
	Name:   "GetUserGroupMembership",
	Grants: Names{AWS: "iam:ListGroupsForUser", OCI: "GetUserGroupMembership"},
	Target: func(env *Env, in OracleMemberIn) (Target, error) { return env.oracleUserTarget(in.User, false) },
	Do:     func(env *Env, in OracleMemberIn) (*OracleMembership, error) { return env.membership(in) },
}

// OracleMembershipsIn selects the memberships of a user, of a group, or of both.
type OracleMembershipsIn struct {
	Group, User name.ID
	OracleList
}

// ListUserGroupMemberships lists memberships by the name of the other side.
//
// Errors: Invalid when neither user nor group is given; NotFound.
var ListUserGroupMemberships = Op[OracleMembershipsIn, page.Page[OracleMembership]]{
	Name:   "ListUserGroupMemberships",
	Grants: Names{AWS: "iam:ListGroupsForUser", OCI: "ListUserGroupMemberships"},
	Target: func(env *Env, in OracleMembershipsIn) (Target, error) {
		t := Target{Noun: "memberships"}
		if in.User != 0 {
			u, err := env.userTarget(Ref{ID: in.User})
			t.Resources = u.Resources
			return t, err
		}
		t.Resources = []string{name.UserARN(env.Call.Caller.Account, "/", "*")}
		return t, nil
	},
	Do: func(env *Env, in OracleMembershipsIn) (page.Page[OracleMembership], error) {
		switch {
		case in.User == 0 && in.Group == 0:
			return page.Page[OracleMembership]{}, fault.Field("userId", "userId or groupId must be given")
		case in.User != 0 && in.Group != 0:
			m, err := env.membership(OracleMemberIn{Group: in.Group, User: in.User})
			if err != nil {
				return page.Page[OracleMembership]{}, ignoreMissing(err)
			}
			return page.Page[OracleMembership]{Items: []OracleMembership{*m}}, nil
		case in.User != 0:
			return env.membershipsOfUser(in)
		}
		return env.membershipsOfGroup(in)
	},
}

func (env *Env) membershipsOfUser(in OracleMembershipsIn) (out page.Page[OracleMembership], err error) {
	u, err := env.oracleUserOf(in.User)
	if err != nil {
		return out, err
	}
	p, err := paged(env, "ListUserGroupMemberships", []string{"user", u.ID.String()}, in.listing(), func(after string, limit int) ([]iam.Group, error) {
		return env.Tx.GroupsOf(u.Account, u.ID, after, limit)
	}, func(g iam.Group) string { return g.Name })
	out.Next = p.Next
	for i := range p.Items {
		out.Items = append(out.Items, *oracleMembership(&p.Items[i], u))
	}
	return out, err
}

func (env *Env) membershipsOfGroup(in OracleMembershipsIn) (out page.Page[OracleMembership], err error) {
	g, err := env.group(Ref{ID: in.Group})
	if err != nil {
		return out, err
	}
	p, err := paged(env, "ListUserGroupMemberships", []string{"group", g.ID.String()}, in.listing(), func(after string, limit int) ([]iam.User, error) {
		return env.Tx.Members(g.Account, g.ID, after, limit)
	}, func(u iam.User) string { return u.Name })
	out.Next = p.Next
	for i := range p.Items {
		out.Items = append(out.Items, *oracleMembership(g, &p.Items[i]))
	}
	return out, err
}
