package ops

import (
	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// Users and access keys that are deleted at Alibaba Cloud's door can be brought back
// for iam.RecycleLife. Meanwhile they are good for nothing, and no other door shows
// them. A user comes back with its id, attributes and tags; what hung on it had to go
// first. A key comes back turned off.

// recycleUser deletes a user on which nothing hangs.
func (env *Env) recycleUser(u *iam.User) error {
	kept := iam.RecycledUser{User: *u, Recycled: env.Now}
	var err error
	if kept.Attributes, err = env.Tx.Attributes(u.Account, u.ID); err != nil {
		return err
	}
	if _, err := DeleteUser.Do(env, UserIn{User: Ref{ID: u.ID}}); err != nil {
		return err
	}
	return env.Tx.RecycleUser(&kept)
}

// RecycleAccessKey deletes a key as DeleteAccessKey does, and keeps it in the recycle
// bin.
var RecycleAccessKey = varied(DeleteAccessKey, asIs, func(env *Env, in KeyIn) (none struct{}, err error) {
	u, err := env.owner(in.User)
	if err != nil {
		return none, err
	}
	return none, noSuchKey(env.Tx.RecycleKey(u.Account, u.ID, in.Key, env.Now), in.Key)
})

// RecycledIn names what is in the recycle bin: a user by id, a key of a user.
type RecycledIn struct {
	User name.ID // of a key: 0 = whoever's it is; of a list of keys: 0 = the caller
	Key  string  // "" = the user itself
}

func (in RecycledIn) record() audit.Fields {
	return audit.Fields{"userId": in.User.String(), "accessKeyId": clipped(in.Key)}
}

// recycledTarget is the target of an operation on a deleted user, under the name that
// it had.
func recycledTarget(env *Env, in RecycledIn) (Target, error) {
	u, err := env.recycledUser(in)
	if err != nil {
		u = &iam.RecycledUser{User: iam.User{Account: env.Call.Caller.Account, Name: nameless(in), Path: "/"}}
		if err = ignoreMissing(err); err != nil {
			return Target{Noun: "user"}, err
		}
	}
	return userTarget(&u.User), nil
}

// nameless is the name under which somebody who does not exist is authorised.
func nameless(in RecycledIn) string {
	if in.User != 0 {
		return in.User.String()
	}
	return in.Key
}

// recycledUser reads a deleted user. Keys do not outlive their users here, so that a
// key names none.
func (env *Env) recycledUser(in RecycledIn) (*iam.RecycledUser, error) {
	if in.User == 0 {
		return nil, fault.Of(fault.NotFound, "user", in.Key)
	}
	u, err := env.Tx.RecycledUser(env.Call.Caller.Account, in.User)
	if err == nil && env.Now.Sub(u.Recycled) >= iam.RecycleLife {
		err = fault.Of(fault.NotFound, "user", in.User.String())
	}
	return u, err
}

// FindRecycledIn selects deleted users.
type FindRecycledIn struct {
	Search string // part of the name
	Listing
}

// ListRecycledUsers lists deleted users by name.
var ListRecycledUsers = Op[FindRecycledIn, page.Page[iam.RecycledUser]]{
	Name:   "ListUsersInRecycleBin",
	Grants: Names{AWS: "iam:ListUsers", RAM: "ram:ListUsersInRecycleBin"},
	Target: func(env *Env, _ FindRecycledIn) (Target, error) {
		return Target{Noun: "users", Resources: []string{name.UserARN(env.Call.Caller.Account, "/", "")}}, nil
	},
	Do: func(env *Env, in FindRecycledIn) (page.Page[iam.RecycledUser], error) {
		return pagedBy(env, "ListUsersInRecycleBin", []string{in.Search}, in.Listing, func(after page.Key, limit int) ([]iam.RecycledUser, error) {
			return env.Tx.RecycledUsers(env.Call.Caller.Account, in.Search, placeOf(after), limit)
		}, func(u iam.RecycledUser) page.Key { return page.Key{u.Name, u.ID.String()} })
	},
}

// GetRecycledUser reads a deleted user.
//
// Errors: NotFound user.
var GetRecycledUser = Op[RecycledIn, *iam.RecycledUser]{
	Name:   "GetUserInRecycleBin",
	Grants: Names{AWS: "iam:GetUser", RAM: "ram:GetUserInRecycleBin"},
	Target: recycledTarget,
	Record: RecycledIn.record,
	Do:     func(env *Env, in RecycledIn) (*iam.RecycledUser, error) { return env.recycledUser(in) },
}

// RestoreUser brings a deleted user back.
//
// Errors: NotFound user, or the boundary that it had; Exists; Limit.
var RestoreUser = Op[RecycledIn, struct{}]{
	Name:   "RestoreUserFromRecycleBin",
	Grants: Names{AWS: "iam:CreateUser", RAM: "ram:RestoreUserFromRecycleBin"},
	Mode:   Write,
	Needs:  recently,
	Target: recycledTarget,
	Record: RecycledIn.record,
	Do: func(env *Env, in RecycledIn) (none struct{}, err error) {
		u, err := env.recycledUser(in)
		if err != nil {
			return none, err
		}
		if err := env.quota("UsersPerAccount", env.limits.Users, env.Tx.UserCount); err != nil {
			return none, err
		}
		if u.Boundary != 0 { // without it the user could do more than before
			if _, err := env.Tx.PolicyByID(u.Account, u.Boundary); fault.Is(err, fault.NotFound) {
				return none, fault.Of(fault.NotFound, "boundary", u.Boundary.String())
			} else if err != nil {
				return none, err
			}
		}
		if err := env.Tx.DeleteRecycledUser(u.Account, u.ID); err != nil {
			return none, err
		}
		if err := env.Tx.InsertUser(&u.User); err != nil {
			return none, err
		}
		return none, env.describe(u.Account, u.ID, &u.Attributes)
	},
}

// DeleteRecycledUser deletes a user for good.
//
// Errors: NotFound user.
var DeleteRecycledUser = Op[RecycledIn, struct{}]{
	Name:   "DeleteUserInRecycleBin",
	Grants: Names{AWS: "iam:DeleteUser", RAM: "ram:DeleteUserInRecycleBin"},
	Mode:   Write,
	Needs:  recently,
	Target: recycledTarget,
	Record: RecycledIn.record,
	Do: func(env *Env, in RecycledIn) (none struct{}, err error) {
		u, err := env.recycledUser(in)
		if err != nil {
			return none, err
		}
		return none, env.Tx.DeleteRecycledUser(u.Account, u.ID)
	},
}

// RecycledKey is a deleted key and whose it is.
type RecycledKey struct {
	iam.RecycledKey
	UserName string
}

// recycledKeysTarget is the target of an operation on deleted keys: their user.
func recycledKeysTarget(env *Env, in RecycledIn) (Target, error) {
	ref := Ref{ID: in.User}
	if in.User == 0 && in.Key != "" {
		k, err := env.Tx.RecycledKey(env.Call.Caller.Account, in.Key)
		if err != nil {
			return Target{Noun: "access key", Name: clipped(in.Key)}, ignoreMissing(err)
		}
		ref.ID = k.User
	}
	return env.userTarget(ref)
}

// ownerOfRecycled reads the user of a deleted key; root's are root's alone.
func (env *Env) ownerOfRecycled(in RecycledIn) (*iam.User, error) {
	if in.User != 0 {
		return env.owner(Ref{ID: in.User})
	}
	k, err := env.Tx.RecycledKey(env.Call.Caller.Account, in.Key)
	if err != nil {
		return nil, err
	}
	return env.owner(Ref{ID: k.User})
}

// shownRecycled adds the user's name to a key that can still be brought back.
func (env *Env) shownRecycled(k iam.RecycledKey) (*RecycledKey, error) {
	if env.Now.Sub(k.Recycled) >= iam.RecycleLife {
		return nil, fault.Of(fault.NotFound, "access key", k.ID)
	}
	u, err := env.Tx.UserByID(env.Call.Caller.Account, k.User)
	if err != nil {
		return nil, err
	}
	return &RecycledKey{k, u.Name}, nil
}

// ListRecycledKeys lists the deleted keys of a user, 0 = the caller.
//
// Errors: NotFound user.
var ListRecycledKeys = Op[RecycledIn, []RecycledKey]{
	Name:   "ListAccessKeysInRecycleBin",
	Grants: Names{AWS: "iam:ListAccessKeys", RAM: "ram:ListAccessKeysInRecycleBin"},
	Target: recycledKeysTarget,
	Record: RecycledIn.record,
	Do: func(env *Env, in RecycledIn) (out []RecycledKey, err error) {
		u, err := env.user(Ref{ID: in.User})
		if err != nil {
			return nil, err
		}
		keys, err := env.Tx.RecycledKeys(u.Account, u.ID)
		for _, k := range keys {
			shown, err := env.shownRecycled(k)
			switch {
			case err == nil:
				out = append(out, *shown)
			case !fault.Is(err, fault.NotFound):
				return nil, err
			}
		}
		return out, err
	},
}

// GetRecycledKey reads a deleted key.
//
// Errors: NotFound access key.
var GetRecycledKey = Op[RecycledIn, *RecycledKey]{
	Name:   "GetAccessKeyInfoInRecycleBin",
	Grants: Names{AWS: "iam:ListAccessKeys", RAM: "ram:GetAccessKeyInfoInRecycleBin"},
	Target: recycledKeysTarget,
	Record: RecycledIn.record,
	Do: func(env *Env, in RecycledIn) (*RecycledKey, error) {
		k, err := env.Tx.RecycledKey(env.Call.Caller.Account, in.Key)
		if err != nil {
			return nil, err
		}
		return env.shownRecycled(*k)
	},
}

// RestoreAccessKey brings a deleted key back. It is turned off.
//
// Errors: NotFound user or access key; Limit.
var RestoreAccessKey = Op[RecycledIn, struct{}]{
	Name:   "RestoreAccessKeyFromRecycleBin",
	Grants: Names{AWS: "iam:CreateAccessKey", RAM: "ram:RestoreAccessKeyFromRecycleBin"},
	Mode:   Write,
	Needs:  freshly,
	Target: recycledKeysTarget,
	Record: RecycledIn.record,
	Do: func(env *Env, in RecycledIn) (none struct{}, err error) {
		u, err := env.ownerOfRecycled(in)
		if err != nil {
			return none, err
		}
		k, err := env.Tx.RecycledKey(u.Account, in.Key)
		if err != nil {
			return none, err
		}
		if _, err := env.shownRecycled(*k); err != nil {
			return none, err
		}
		err = env.quota("AccessKeysPerUser", env.limits.KeysPerUser, func(a name.Account) (int, error) { return env.Tx.KeyCount(a, u.ID) })
		if err != nil {
			return none, err
		}
		return none, noSuchKey(env.Tx.RestoreKey(u.Account, u.ID, in.Key), in.Key)
	},
}

// DeleteRecycledKey deletes a key for good.
//
// Errors: NotFound user or access key.
var DeleteRecycledKey = Op[RecycledIn, struct{}]{
	Name:   "DeleteAccessKeyInRecycleBin",
	Grants: Names{AWS: "iam:DeleteAccessKey", RAM: "ram:DeleteAccessKeyInRecycleBin"},
	Mode:   Write,
	Needs:  freshly,
	Target: recycledKeysTarget,
	Record: RecycledIn.record,
	Do: func(env *Env, in RecycledIn) (none struct{}, err error) {
		u, err := env.ownerOfRecycled(in)
		if err != nil {
			return none, err
		}
		return none, noSuchKey(env.Tx.DeleteRecycledKey(u.Account, u.ID, in.Key), in.Key)
	},
}
