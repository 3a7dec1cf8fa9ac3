package ops

import (
	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/policy"
)

// Ref names a noun by its id or by its name; a door fills in what its cloud
// gives. A zero Ref of a user means the caller, where an operation says so.
type Ref struct {
	ID   name.ID
	Name string
}

func (r Ref) String() string {
	if r.Name != "" {
		return r.Name
	}
	if r.ID != 0 {
		return r.ID.String()
	}
	return ""
}

// Listing is the part of a list request that every list has.
type Listing struct {
	PathPrefix string // "" lists all
	Limit      int    // items on a page; 0 means DefaultPage
	Cursor     string // what the page before gave
}

// Sizes of pages (AWS: MaxItems).
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// CreateUserIn is the input of CreateUser.
type CreateUserIn struct {
	Name     string
	Path     string // "" means "/"
	Boundary string // ARN of a managed policy; "" means none
	Tags     []iam.Tag
}

// User is a user with the name of the policy that bounds it.
type User struct {
	iam.User
	BoundaryARN string // "" if there is none
}

// CreateUser makes a user without credentials or permissions.
//
// Errors: Invalid name, path or tags; Exists; Limit; NotFound boundary.
var CreateUser = Op[CreateUserIn, *User]{
	Name:   "CreateUser",
	Grants: Names{AWS: "iam:CreateUser"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in CreateUserIn) (Target, error) {
		u := iam.User{Account: env.Call.Caller.Account, Name: in.Name, Path: rooted(in.Path)}
		t := userTarget(&u)
		t.RequestTags, t.Also = in.Tags, tagging(in.Tags, "iam:TagUser")
		t.bound(in.Boundary)
		return t, nil
	},
	Record: func(in CreateUserIn) audit.Fields {
		return audit.Fields{"userName": in.Name, "path": in.Path, "permissionsBoundary": in.Boundary}
	},
	Do: func(env *Env, in CreateUserIn) (*User, error) {
		u := &User{BoundaryARN: in.Boundary}
		u.User = iam.User{Account: env.Call.Caller.Account, Name: in.Name, Path: rooted(in.Path), Tags: in.Tags, Created: env.Now}
		var err error
		if err := checkNamed("userName", u.Name, iam.MaxUserName, u.Path, u.Tags); err != nil {
			return u, err
		}
		if err := env.quota("UsersPerAccount", env.limits.Users, env.Tx.UserCount); err != nil {
			return u, err
		}
		if u.Boundary, err = env.boundary(in.Boundary); err != nil {
			return u, err
		}
		if u.ID, err = name.NewID(env.rand); err != nil {
			return u, fault.Wrap(err, "create a user")
		}
		return u, env.Tx.InsertUser(&u.User)
	},
}

// UserIn names a user; a zero Ref means the caller.
type UserIn struct{ User Ref }

func (in UserIn) record() audit.Fields { return audit.Fields{"userName": in.User.String()} }

// GetUser reads a user.
//
// Errors: NotFound; Invalid when the caller is no user and names none.
var GetUser = Op[UserIn, *User]{
	Name:   "GetUser",
	Grants: Names{AWS: "iam:GetUser"},
	Target: func(env *Env, in UserIn) (Target, error) { return env.userTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (*User, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		arn, err := env.boundaryARN(u.Boundary)
		return &User{*u, arn}, err
	},
}

// ListUsers lists users by name.
var ListUsers = Op[Listing, page.Page[iam.User]]{
	Name:   "ListUsers",
	Grants: Names{AWS: "iam:ListUsers"},
	Target: func(env *Env, in Listing) (Target, error) {
		return Target{Noun: "users", Resources: []string{name.UserARN(env.Call.Caller.Account, rooted(in.PathPrefix), "")}}, nil
	},
	Do: func(env *Env, in Listing) (page.Page[iam.User], error) {
		return list(env, "ListUsers", in, env.Tx.Users, func(u iam.User) string { return u.Name })
	},
}

// UpdateUserIn is the input of UpdateUser; what is empty stays as it is.
type UpdateUserIn struct {
	User    Ref
	NewName string
	NewPath string
}

// UpdateUser renames a user or moves it to another path. Its id, keys,
// memberships and policies stay.
//
// Errors: NotFound; Exists; Invalid; Unmodifiable for the root user.
var UpdateUser = Op[UpdateUserIn, *iam.User]{
	Name:   "UpdateUser",
	Grants: Names{AWS: "iam:UpdateUser"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UpdateUserIn) (Target, error) {
		t, err := env.userTarget(in.User)
		if err != nil || in.NewName == "" && in.NewPath == "" {
			return t, err
		}
		// The new name must be allowed, too: a rename must not carry a user into
		// or out of a name pattern that some policy guards.
		u, err := env.user(in.User)
		if err != nil {
			return t, ignoreMissing(err)
		}
		moved := renamed(u, in)
		t.Resources = append(t.Resources, moved.ARN())
		return t, nil
	},
	Record: func(in UpdateUserIn) audit.Fields {
		return audit.Fields{"userName": in.User.String(), "newUserName": in.NewName, "newPath": in.NewPath}
	},
	Do: func(env *Env, in UpdateUserIn) (*iam.User, error) {
		u, err := env.user(in.User)
		if err != nil {
			return u, err
		}
		if u.Root {
			return u, fault.New(fault.Unmodifiable, "the root user has no name to change")
		}
		u = renamed(u, in)
		if err := checkNamed("newUserName", u.Name, iam.MaxUserName, u.Path, nil); err != nil {
			return u, err
		}
		return u, env.Tx.UpdateUser(u)
	},
}

// renamed is a copy of u with its new name and path.
func renamed(old *iam.User, in UpdateUserIn) *iam.User {
	u := *old
	if in.NewName != "" {
		u.Name = in.NewName
	}
	if in.NewPath != "" {
		u.Path = in.NewPath
	}
	return &u
}

// DeleteUser deletes a user that nothing depends on any more.
//
// Errors: NotFound; Conflict while the user has policies, groups, keys, a login
// profile or factors; Unmodifiable for the root user and oneself; Denied, noun
// "above the caller".
var DeleteUser = Op[UserIn, struct{}]{
	Name:   "DeleteUser",
	Grants: Names{AWS: "iam:DeleteUser"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UserIn) (Target, error) { return env.userTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (none struct{}, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return none, err
		}
		if u.Root {
			return none, fault.New(fault.Unmodifiable, "the root user cannot be deleted")
		}
		if err := env.mayEnd(u); err != nil {
			return none, err
		}
		if err := env.forgetOthers(u); err != nil {
			return none, err
		}
		if err := env.unused(u.ID); err != nil {
			return none, err
		}
		return none, env.Tx.DeleteUser(u.Account, u.ID)
	},
}

// unused refuses while something hangs on a user.
func (env *Env) unused(user name.ID) error {
	a := env.Call.Caller.Account
	if err := env.noPolicies(iam.KindUser, user); err != nil {
		return err
	}
	groups, err := env.Tx.GroupsOfCount(a, user)
	if err != nil {
		return err
	}
	keys, err := env.Tx.KeyCount(a, user)
	if err != nil {
		return err
	}
	factors, err := env.Tx.FactorCount(a, user)
	if err != nil {
		return err
	}
	_, err = env.Tx.LoginProfile(a, user)
	switch {
	case err != nil && !fault.Is(err, fault.NotFound):
		return err
	case groups > 0:
		return fault.Of(fault.Conflict, "group memberships", "")
	case keys+factors > 0 || err == nil:
		return fault.Of(fault.Conflict, "referenced objects", "")
	}
	return nil
}

// noPolicies refuses while a principal has attached or inline policies.
func (env *Env) noPolicies(kind iam.PrincipalKind, id name.ID) error {
	a := env.Call.Caller.Account
	attached, err := env.Tx.AttachedCount(a, kind, id)
	if err != nil {
		return err
	}
	inline, err := env.Tx.InlineNames(a, kind, id, "", 1)
	switch {
	case err != nil:
		return err
	case attached > 0:
		return fault.Of(fault.Conflict, "attached policies", "")
	case len(inline) > 0:
		return fault.Of(fault.Conflict, "inline policies", "")
	}
	return nil
}

// TagIn sets tags on a noun.
type TagIn struct {
	Ref  Ref
	Tags []iam.Tag
}

// UntagIn removes tags from a noun; keys it does not have are no error.
type UntagIn struct {
	Ref  Ref
	Keys []string
}

// TagsIn lists the tags of a noun.
type TagsIn struct {
	Ref Ref
	Listing
}

// TagUser adds tags to a user or replaces their values.
//
// Errors: NotFound; Invalid; Limit above iam.MaxTags in all.
var TagUser = Op[TagIn, struct{}]{
	Name:   "TagUser",
	Grants: Names{AWS: "iam:TagUser"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in TagIn) (Target, error) {
		t, err := env.userTarget(in.Ref)
		t.RequestTags = in.Tags
		return t, err
	},
	Record: func(in TagIn) audit.Fields { return audit.Fields{"userName": in.Ref.String()} },
	Do: func(env *Env, in TagIn) (none struct{}, err error) {
		u, err := env.user(in.Ref)
		if err != nil {
			return none, err
		}
		if u.Tags, err = tagged(u.Tags, in.Tags, true); err != nil {
			return none, err
		}
		return none, env.Tx.UpdateUser(u)
	},
}

// UntagUser removes tags from a user.
var UntagUser = Op[UntagIn, struct{}]{
	Name:   "UntagUser",
	Grants: Names{AWS: "iam:UntagUser"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UntagIn) (Target, error) {
		t, err := env.userTarget(in.Ref)
		t.TagKeys = in.Keys
		return t, err
	},
	Record: func(in UntagIn) audit.Fields { return audit.Fields{"userName": in.Ref.String()} },
	Do: func(env *Env, in UntagIn) (none struct{}, err error) {
		u, err := env.user(in.Ref)
		if err != nil {
			return none, err
		}
		u.Tags = iam.Untagged(u.Tags, in.Keys, true)
		return none, env.Tx.UpdateUser(u)
	},
}

// ListUserTags lists a user's tags by key.
var ListUserTags = Op[TagsIn, page.Page[iam.Tag]]{
	Name:   "ListUserTags",
	Grants: Names{AWS: "iam:ListUserTags"},
	Target: func(env *Env, in TagsIn) (Target, error) { return env.userTarget(in.Ref) },
	Do: func(env *Env, in TagsIn) (page.Page[iam.Tag], error) {
		u, err := env.user(in.Ref)
		if err != nil {
			return page.Page[iam.Tag]{}, err
		}
		return listTags(env, "ListUserTags", u.ID, in.Listing, u.Tags)
	},
}

// user reads the user of a Ref; a zero Ref means the caller.
func (env *Env) user(r Ref) (*iam.User, error) {
	c := &env.Call.Caller
	switch {
	case r.Name != "":
		return env.Tx.UserByName(c.Account, r.Name)
	case r.ID != 0:
		return env.Tx.UserByID(c.Account, r.ID)
	case c.Kind == policy.User, c.Kind == policy.Root:
		return &c.User, nil
	}
	return nil, fault.Of(fault.Invalid, "caller is no user", "")
}

// userTarget is the target of an operation on the user of a Ref. A user that
// does not exist is authorised under the name that was given.
func (env *Env) userTarget(r Ref) (Target, error) {
	u, err := env.user(r)
	if fault.Is(err, fault.NotFound) {
		u, err = &iam.User{Account: env.Call.Caller.Account, Name: r.String(), Path: "/"}, nil
	}
	if err != nil {
		return Target{Noun: "user", Name: r.String()}, err
	}
	return userTarget(u), nil
}

func userTarget(u *iam.User) Target {
	return Target{Noun: "user", Name: u.Name, ID: u.ID, Resources: []string{u.ARN()}, ResourceTags: u.Tags}
}
