package ops

import (
	"strconv"
	"time"

	"warifu/internal/insight"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// FindUsersIn selects users; conditions that are set must all hold.
type FindUsersIn struct {
	Search        string // part of the name, without case
	NoMFA         bool   // can sign in to the console, and has no device
	Blocked       bool
	NeverSignedIn bool // can sign in to the console, and never did
	HasKeys       bool
	Listing
}

// UserRow is a user with what a list says of it.
type UserRow = store.UserRow

// FindUsers lists the users that a search selects, by name.
var FindUsers = Op[FindUsersIn, page.Page[UserRow]]{
	Name:   "FindUsers",
	Grants: Names{AWS: "iam:ListUsers"},
	Target: func(env *Env, _ FindUsersIn) (Target, error) {
		return Target{Noun: "users", Resources: []string{name.UserARN(env.Call.Caller.Account, "/", "")}}, nil
	},
	Do: func(env *Env, in FindUsersIn) (page.Page[UserRow], error) {
		f := store.UserFilter{
			Account: env.Call.Caller.Account, Search: in.Search, NoMFA: in.NoMFA, Blocked: in.Blocked,
			NeverSignedIn: in.NeverSignedIn, HasKeys: in.HasKeys, Lockout: signin.MaxFailures,
		}
		filter := []string{in.Search}
		for _, on := range []bool{in.NoMFA, in.Blocked, in.NeverSignedIn, in.HasKeys} {
			filter = append(filter, strconv.FormatBool(on))
		}
		return paged(env, "FindUsers", filter, in.Listing, func(after string, limit int) ([]UserRow, error) {
			f.After, f.Limit = after, limit
			return env.Tx.FindUsers(f)
		}, func(u UserRow) string { return u.Name })
	},
}

// FindIn selects nouns by a part of their name, without case.
type FindIn struct {
	Search string
	Listing
}

// GroupRow and RoleRow are nouns with what a list says of them.
type (
	GroupRow = store.GroupRow
	RoleRow  = store.RoleRow
)

// FindGroups lists the groups that a search selects, by name.
var FindGroups = Op[FindIn, page.Page[GroupRow]]{
	Name:   "FindGroups",
	Grants: Names{AWS: "iam:ListGroups"},
	Target: func(env *Env, _ FindIn) (Target, error) {
		return Target{Noun: "groups", Resources: []string{name.GroupARN(env.Call.Caller.Account, "/", "")}}, nil
	},
	Do: func(env *Env, in FindIn) (page.Page[GroupRow], error) {
		return paged(env, "FindGroups", []string{in.Search}, in.Listing, func(after string, limit int) ([]GroupRow, error) {
			return env.Tx.FindGroups(env.Call.Caller.Account, in.Search, after, limit)
		}, func(g GroupRow) string { return g.Name })
	},
}

// FindRoles lists the roles that a search selects, by name.
var FindRoles = Op[FindIn, page.Page[RoleRow]]{
	Name:   "FindRoles",
	Grants: Names{AWS: "iam:ListRoles"},
	Target: func(env *Env, _ FindIn) (Target, error) {
		return Target{Noun: "roles", Resources: []string{name.RoleARN(env.Call.Caller.Account, "/", "")}}, nil
	},
	Do: func(env *Env, in FindIn) (page.Page[RoleRow], error) {
		return paged(env, "FindRoles", []string{in.Search}, in.Listing, func(after string, limit int) ([]RoleRow, error) {
			return env.Tx.FindRoles(env.Call.Caller.Account, in.Search, after, limit)
		}, func(r RoleRow) string { return r.Name })
	},
}

// FindPoliciesIn selects managed policies.
type FindPoliciesIn struct {
	Search   string // part of the name, without case
	Scope    Scope
	Attached bool // in use only
	Listing
}

// FindPolicies lists the managed policies that a search selects, by name.
var FindPolicies = Op[FindPoliciesIn, page.Page[PolicyUse]]{
	Name:   "FindPolicies",
	Grants: Names{AWS: "iam:ListPolicies"},
	Target: func(env *Env, _ FindPoliciesIn) (Target, error) {
		return Target{Noun: "policies", Resources: []string{name.PolicyARN(env.Call.Caller.Account, "/", "")}}, nil
	},
	Do: func(env *Env, in FindPoliciesIn) (page.Page[PolicyUse], error) {
		f := store.PolicyFilter{Account: env.Call.Caller.Account, Scope: in.Scope, OnlyAttached: in.Attached, Search: in.Search}
		list := policySection(env, f)
		filter := []string{in.Search, string(in.Scope), strconv.FormatBool(in.Attached)}
		return pagedBy(env, "FindPolicies", filter, in.Listing, list.read, list.key)
	},
}

// When the health of an account asks for attention.
const (
	KeyOld   = insight.KeyOld   // age at which a key should be replaced
	KeyIdle  = insight.KeyNever // age at which a key that was never used should go
	keysTold = 5                // of each list
	Lately   = 24 * time.Hour   // of refusals
)

// Health is what an administrator should look at.
type Health struct {
	store.Health
	RootPassword bool
	Old, Unused  []KeyRow // the oldest few
}

// KeyRow is an access key and whose it is.
type KeyRow = store.KeyRow

// GetAccountHealth tells what an administrator should look at.
var GetAccountHealth = Op[struct{}, Health]{
	Name:   "GetAccountHealth",
	Grants: Names{AWS: "iam:GetAccountSummary"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "account"}, nil },
	Do: func(env *Env, _ struct{}) (h Health, err error) {
		a := env.Call.Caller.Account
		old, idle := env.Now.Add(-KeyOld), env.Now.Add(-KeyIdle)
		if h.Health, err = env.Tx.Health(a, signin.MaxFailures, old, idle, env.Now.Add(-Lately)); err != nil {
			return h, err
		}
		if h.OldKeys > 0 {
			if h.Old, err = env.Tx.ActiveKeys(a, old, false, keysTold); err != nil {
				return h, err
			}
		}
		if h.UnusedKeys > 0 {
			if h.Unused, err = env.Tx.ActiveKeys(a, idle, true, keysTold); err != nil {
				return h, err
			}
		}
		root, err := env.Tx.RootUser(a)
		if err != nil {
			return h, ignoreMissing(err)
		}
		if _, err = env.Tx.LoginProfile(a, root.ID); err == nil {
			h.RootPassword = true
		}
		return h, ignoreMissing(err)
	},
}
