package ops

import (
	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// Operations in files ram_….go are those of Alibaba Cloud's RAM and IMS that take,
// answer or refuse more than AWS's of the same meaning. They are variants: what
// they are authorised as, what they are about and what is recorded is that of the
// operation they vary.

// varied is op with other input and output. in says what of the input is op's.
func varied[In, Out, In2, Out2 any](op Op[In, Out], in func(In2) In, do func(*Env, In2) (Out2, error)) Op[In2, Out2] {
	v := Op[In2, Out2]{Name: op.Name, Grants: op.Grants, Permission: op.Permission, Mode: op.Mode, Needs: op.Needs, Do: do}
	v.Target = func(env *Env, x In2) (Target, error) { return op.Target(env, in(x)) }
	if op.Record != nil {
		v.Record = func(x In2) audit.Fields { return op.Record(in(x)) }
	}
	return v
}

// asIs is the input of a variant that takes what its operation takes.
func asIs[In any](in In) In { return in }

// RAMUser is a user with what is kept of it for people to read.
type RAMUser struct {
	iam.User
	iam.Attributes
}

// userDetail adds a user's attributes.
func (env *Env) ramUser(u *iam.User) (*RAMUser, error) {
	x, err := env.Tx.Attributes(u.Account, u.ID)
	return &RAMUser{*u, x}, err
}

// CreateRAMUserIn is the input of CreateRAMUser.
type CreateRAMUserIn struct {
	CreateUserIn
	Email string
	iam.Attributes
}

// CreateRAMUser makes a user with attributes.
var CreateRAMUser = varied(CreateUser, func(in CreateRAMUserIn) CreateUserIn { return in.CreateUserIn },
	func(env *Env, in CreateRAMUserIn) (*RAMUser, error) {
		made, err := CreateUser.Do(env, in.CreateUserIn)
		if err != nil {
			return nil, err
		}
		u := &RAMUser{made.User, in.Attributes}
		u.Updated = env.Now
		if u.Email = in.Email; u.Email != "" {
			if err := env.Tx.UpdateUser(&u.User); err != nil {
				return nil, err
			}
		}
		return u, env.describe(u.Account, u.ID, &u.Attributes)
	})

// describe keeps attributes.
func (env *Env) describe(a name.Account, id name.ID, x *iam.Attributes) error {
	if err := x.Check(); err != nil {
		return err
	}
	return env.Tx.SetAttributes(a, id, *x)
}

// GetRAMUser reads a user with attributes.
var GetRAMUser = varied(GetUser, asIs, func(env *Env, in UserIn) (*RAMUser, error) {
	if in.User.Name != "" {
		u, x, err := env.Tx.UserWithAttributes(env.Call.Caller.Account, in.User.Name)
		if err != nil {
			return nil, err
		}
		return &RAMUser{*u, x}, nil
	}
	u, err := env.user(in.User)
	if err != nil {
		return nil, err
	}
	return env.ramUser(u)
})

// ListRAMUsers lists users with attributes.
var ListRAMUsers = varied(ListUsers, asIs, func(env *Env, in Listing) (out page.Page[RAMUser], err error) {
	rows, err := ListUsers.Do(env, in)
	if err != nil {
		return out, err
	}
	out.Next = rows.Next
	for i := range rows.Items {
		d, err := env.ramUser(&rows.Items[i])
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, *d)
	}
	return out, nil
})

// UpdateRAMUserIn is the input of UpdateRAMUser; what is nil stays.
type UpdateRAMUserIn struct {
	UpdateUserIn
	Email                        *string
	DisplayName, Comments, Phone *string
}

// UpdateRAMUser renames a user or sets its attributes.
var UpdateRAMUser = varied(UpdateUser, func(in UpdateRAMUserIn) UpdateUserIn { return in.UpdateUserIn },
	func(env *Env, in UpdateRAMUserIn) (*RAMUser, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		if in.NewName != "" && in.NewName != u.Name {
			if u, err = UpdateUser.Do(env, in.UpdateUserIn); err != nil {
				return nil, err
			}
		}
		if in.Email != nil && *in.Email != u.Email {
			if u.Root {
				return nil, fault.New(fault.Unmodifiable, "the root user's address is what it signs in with")
			}
			u.Email = *in.Email
			if err := env.Tx.UpdateUser(u); err != nil {
				return nil, err
			}
		}
		d, err := env.ramUser(u)
		if err != nil {
			return nil, err
		}
		set(&d.DisplayName, in.DisplayName)
		set(&d.Comments, in.Comments)
		set(&d.Phone, in.Phone)
		d.Updated = env.Now
		return d, env.describe(u.Account, u.ID, &d.Attributes)
	})

// set changes a value unless the new one was left out.
func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// DeleteRAMUser deletes a user, and names what still hangs on it: Conflict with the
// nouns "User.Group", "User.Policy", "User.AccessKey", "User.LoginProfile" and
// "User.MFADevice". The user goes into the recycle bin.
var DeleteRAMUser = varied(DeleteUser, asIs, func(env *Env, in UserIn) (none struct{}, err error) {
	u, err := env.user(in.User)
	if err != nil {
		return none, err
	}
	a := u.Account
	count := func(n int, err error) (bool, error) { return n > 0, err }
	for _, held := range []struct {
		noun string
		any  func() (bool, error)
	}{
		{"User.Group", func() (bool, error) { return count(env.Tx.GroupsOfCount(a, u.ID)) }},
		{"User.Policy", func() (bool, error) { return count(env.Tx.AttachedCount(a, iam.KindUser, u.ID)) }},
		{"User.AccessKey", func() (bool, error) { return count(env.Tx.KeyCount(a, u.ID)) }},
		{"User.LoginProfile", func() (bool, error) {
			_, err := env.Tx.LoginProfile(a, u.ID)
			return err == nil, ignoreMissing(err)
		}},
		{"User.MFADevice", func() (bool, error) { return count(env.Tx.FactorCount(a, u.ID)) }},
	} {
		held, noun := held.any, held.noun
		found, err := held()
		if err != nil {
			return none, err
		}
		if found {
			return none, fault.Of(fault.Conflict, noun, u.Name)
		}
	}
	return none, env.recycleUser(u)
})

// RAMGroup is a group with its comments.
type RAMGroup struct {
	iam.Group
	iam.Attributes
}

func (env *Env) ramGroup(g *iam.Group) (*RAMGroup, error) {
	x, err := env.Tx.Attributes(g.Account, g.ID)
	return &RAMGroup{*g, x}, err
}

func (env *Env) ramGroups(rows page.Page[iam.Group]) (out page.Page[RAMGroup], err error) {
	out.Next = rows.Next
	for i := range rows.Items {
		d, err := env.ramGroup(&rows.Items[i])
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, *d)
	}
	return out, nil
}

// CreateRAMGroupIn is the input of CreateRAMGroup.
type CreateRAMGroupIn struct {
	CreateGroupIn
	iam.Attributes
}

// CreateRAMGroup makes a group with comments.
var CreateRAMGroup = varied(CreateGroup, func(in CreateRAMGroupIn) CreateGroupIn { return in.CreateGroupIn },
	func(env *Env, in CreateRAMGroupIn) (*RAMGroup, error) {
		g, err := CreateGroup.Do(env, in.CreateGroupIn)
		if err != nil {
			return nil, err
		}
		d := &RAMGroup{*g, in.Attributes}
		d.Updated = env.Now
		return d, env.describe(g.Account, g.ID, &d.Attributes)
	})

// GetRAMGroup reads a group with its comments; its members are ListUsersForGroup's.
var GetRAMGroup = Op[GroupIn, *RAMGroup]{
	Name:   "GetGroup",
	Grants: Names{AWS: "iam:GetGroup", RAM: "ram:GetGroup"},
	Target: func(env *Env, in GroupIn) (Target, error) { return env.groupTarget(in.Group) },
	Record: GroupIn.record,
	Do: func(env *Env, in GroupIn) (*RAMGroup, error) {
		g, err := env.group(in.Group)
		if err != nil {
			return nil, err
		}
		return env.ramGroup(g)
	},
}

// ListUsersForGroup lists a group's members with attributes.
var ListUsersForGroup = Op[GetGroupIn, page.Page[RAMUser]]{
	Name:   "ListUsersForGroup",
	Grants: Names{AWS: "iam:GetGroup", RAM: "ram:ListUsersForGroup"},
	Target: func(env *Env, in GetGroupIn) (Target, error) { return env.groupTarget(in.Group) },
	Do: func(env *Env, in GetGroupIn) (out page.Page[RAMUser], err error) {
		g, err := GetGroup.Do(env, in)
		if err != nil {
			return out, err
		}
		out.Next = g.Members.Next
		for i := range g.Members.Items {
			d, err := env.ramUser(&g.Members.Items[i])
			if err != nil {
				return out, err
			}
			out.Items = append(out.Items, *d)
		}
		return out, nil
	},
}

// ListRAMGroups lists groups with comments.
var ListRAMGroups = varied(ListGroups, asIs, func(env *Env, in Listing) (out page.Page[RAMGroup], err error) {
	rows, err := ListGroups.Do(env, in)
	if err != nil {
		return out, err
	}
	return env.ramGroups(rows)
})

// ListRAMGroupsForUser lists a user's groups with comments.
var ListRAMGroupsForUser = varied(ListGroupsForUser, asIs, func(env *Env, in GroupsOfIn) (out page.Page[RAMGroup], err error) {
	rows, err := ListGroupsForUser.Do(env, in)
	if err != nil {
		return out, err
	}
	return env.ramGroups(rows)
})

// UpdateRAMGroupIn is the input of UpdateRAMGroup; what is nil stays.
type UpdateRAMGroupIn struct {
	UpdateGroupIn
	DisplayName, Comments *string
}

// UpdateRAMGroup renames a group or sets its comments.
var UpdateRAMGroup = varied(UpdateGroup, func(in UpdateRAMGroupIn) UpdateGroupIn { return in.UpdateGroupIn },
	func(env *Env, in UpdateRAMGroupIn) (*RAMGroup, error) {
		g, err := env.group(in.Group)
		if err != nil {
			return nil, err
		}
		if in.NewName != "" && in.NewName != g.Name {
			if g, err = UpdateGroup.Do(env, in.UpdateGroupIn); err != nil {
				return nil, err
			}
		}
		d, err := env.ramGroup(g)
		if err != nil {
			return nil, err
		}
		set(&d.DisplayName, in.DisplayName)
		set(&d.Comments, in.Comments)
		d.Updated = env.Now
		return d, env.describe(g.Account, g.ID, &d.Attributes)
	})

// DeleteRAMGroup deletes a group, and names what hangs on it: Conflict with the
// nouns "Group.User" and "Group.Policy".
var DeleteRAMGroup = varied(DeleteGroup, asIs, func(env *Env, in GroupIn) (none struct{}, err error) {
	g, err := env.group(in.Group)
	if err != nil {
		return none, err
	}
	n, err := env.Tx.MemberCount(g.Account, g.ID)
	if err == nil && n > 0 {
		err = fault.Of(fault.Conflict, "Group.User", g.Name)
	}
	if err != nil {
		return none, err
	}
	n, err = env.Tx.AttachedCount(g.Account, iam.KindGroup, g.ID)
	if err == nil && n > 0 {
		err = fault.Of(fault.Conflict, "Group.Policy", g.Name)
	}
	if err != nil {
		return none, err
	}
	return DeleteGroup.Do(env, in)
})

// JoinRAMGroup makes a user a member who is none. Errors, besides: Exists, noun
// "User.Group".
var JoinRAMGroup = changingMembers(AddUserToGroup, fault.Exists)

// LeaveRAMGroup ends a membership. Errors, besides: NotFound, noun "User.Group",
// when there is none.
var LeaveRAMGroup = changingMembers(RemoveUserFromGroup, fault.NotFound)

// changingMembers is op with a fault where it changes nothing.
func changingMembers(op Op[MemberIn, struct{}], unchanged fault.Kind) Op[MemberIn, struct{}] {
	return varied(op, asIs, func(env *Env, in MemberIn) (none struct{}, err error) {
		u, g, err := env.member(in)
		if err != nil {
			return none, err
		}
		before, err := env.Tx.GroupsOfCount(g.Account, u.ID)
		if err != nil {
			return none, err
		}
		if none, err = op.Do(env, in); err != nil {
			return none, err
		}
		after, err := env.Tx.GroupsOfCount(g.Account, u.ID)
		if err == nil && after == before {
			err = fault.Of(unchanged, "User.Group", u.Name)
		}
		return none, err
	})
}

// ClearAccountAlias takes the account's alias away, whatever it is.
var ClearAccountAlias = varied(DeleteAccountAlias, func(struct{}) AliasIn { return AliasIn{} }, func(env *Env, _ struct{}) (none struct{}, err error) {
	a, err := env.Tx.Account(env.Call.Caller.Account)
	if err != nil || a.Alias == "" {
		return none, err
	}
	return DeleteAccountAlias.Do(env, AliasIn{a.Alias})
})
