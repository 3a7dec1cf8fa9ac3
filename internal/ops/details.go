package ops

import (
	"slices"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/page"
	"warifu/internal/store"
)

// DetailKind is a kind of noun in GetAccountAuthorizationDetails.
type DetailKind string

// The kinds, in the order in which they are listed.
const (
	DetailUsers          DetailKind = "users"
	DetailGroups         DetailKind = "groups"
	DetailRoles          DetailKind = "roles"
	DetailOwnPolicies    DetailKind = "own policies"
	DetailVendorPolicies DetailKind = "vendor policies" // those in use
)

var detailKinds = []DetailKind{DetailUsers, DetailGroups, DetailRoles, DetailOwnPolicies, DetailVendorPolicies}

// DetailsIn selects what GetAccountAuthorizationDetails tells.
type DetailsIn struct {
	Kinds []DetailKind // none means all
	Listing
}

// Held are the policies of a user, group or role.
type Held struct {
	Inline   []iam.InlinePolicy
	Attached []iam.Policy
}

// Detail is one noun with everything that decides what it allows; exactly one
// of its pointers is set.
type Detail struct {
	User   *UserDetail
	Group  *GroupDetail
	Role   *RoleDetail
	Policy *PolicyDetail
}

// UserDetail is a user with its groups' names and its policies.
type UserDetail struct {
	iam.User
	Held
	Groups      []string
	BoundaryARN string
}

// GroupDetail is a group with its policies.
type GroupDetail struct {
	iam.Group
	Held
}

// RoleDetail is a role with its policies.
type RoleDetail struct {
	Role
	Held
}

// PolicyDetail is a managed policy with its texts: all of the account's own,
// the one in force of the vendor's.
type PolicyDetail struct {
	PolicyUse
	Versions []PolicyVersion
}

// GetAccountAuthorizationDetails lists the users, groups, roles and managed
// policies of an account, each with its policies, one kind after the other.
var GetAccountAuthorizationDetails = Op[DetailsIn, page.Page[Detail]]{
	Name:   "GetAccountAuthorizationDetails",
	Grants: Names{AWS: "iam:GetAccountAuthorizationDetails"},
	Target: func(*Env, DetailsIn) (Target, error) { return Target{Noun: "account"}, nil },
	Do: func(env *Env, in DetailsIn) (page.Page[Detail], error) {
		var lists []section[Detail]
		var filter []string
		for _, kind := range detailKinds {
			if len(in.Kinds) == 0 || slices.Contains(in.Kinds, kind) {
				lists, filter = append(lists, details(env, kind)), append(filter, string(kind))
			}
		}
		p, err := pagedSections(env, "GetAccountAuthorizationDetails", []string{strings.Join(filter, ",")}, in.Listing, lists)
		for i := range p.Items {
			if err == nil {
				err = env.fill(&p.Items[i])
			}
		}
		return p, err
	},
}

// details is the list of one kind; its rows hold the noun alone.
func details(env *Env, kind DetailKind) section[Detail] {
	a := env.Call.Caller.Account
	switch kind {
	case DetailUsers:
		return byName(func(after string, limit int) ([]Detail, error) {
			rows, err := env.Tx.Users(a, "", after, limit)
			return wrap(rows, func(u iam.User) Detail { return Detail{User: &UserDetail{User: u}} }), err
		}, func(d Detail) string { return d.User.Name })
	case DetailGroups:
		return byName(func(after string, limit int) ([]Detail, error) {
			rows, err := env.Tx.Groups(a, "", after, limit)
			return wrap(rows, func(g iam.Group) Detail { return Detail{Group: &GroupDetail{Group: g}} }), err
		}, func(d Detail) string { return d.Group.Name })
	case DetailRoles:
		return byName(func(after string, limit int) ([]Detail, error) {
			rows, err := env.Tx.Roles(a, "", after, limit)
			return wrap(rows, func(r iam.Role) Detail { return Detail{Role: &RoleDetail{Role: Role{Role: r}}} }), err
		}, func(d Detail) string { return d.Role.Name })
	}
	f := store.PolicyFilter{Account: a, Scope: ScopeOwn}
	if kind == DetailVendorPolicies {
		f.Scope, f.OnlyAttached = ScopeVendor, true
	}
	list := policySection(env, f)
	return section[Detail]{
		read: func(after page.Key, limit int) ([]Detail, error) {
			rows, err := list.read(after, limit)
			return wrap(rows, func(p PolicyUse) Detail { return Detail{Policy: &PolicyDetail{PolicyUse: p}} }), err
		},
		key: func(d Detail) page.Key { return list.key(d.Policy.PolicyUse) },
	}
}

func wrap[T any](rows []T, as func(T) Detail) []Detail {
	var out []Detail
	for _, row := range rows {
		out = append(out, as(row))
	}
	return out
}

// fill reads what belongs to a row.
func (env *Env) fill(d *Detail) (err error) {
	switch {
	case d.User != nil:
		u := d.User
		if u.Held, err = env.held(holder{kind: iam.KindUser, id: u.ID}); err != nil {
			return err
		}
		groups, err := env.Tx.GroupsOf(u.Account, u.ID, "", MaxPage)
		if err != nil {
			return err
		}
		for _, g := range groups {
			u.Groups = append(u.Groups, g.Name)
		}
		u.BoundaryARN, err = env.boundaryARN(u.Boundary)
		return err
	case d.Group != nil:
		d.Group.Held, err = env.held(holder{kind: iam.KindGroup, id: d.Group.ID})
		return err
	case d.Role != nil:
		shown, err := env.shown(&d.Role.Role.Role)
		if err != nil {
			return err
		}
		d.Role.Role = *shown
		d.Role.Held, err = env.held(holder{kind: iam.KindRole, id: d.Role.ID})
		return err
	}
	p := &d.Policy.Policy
	if p.Account == env.Call.Caller.Account {
		d.Policy.Versions, err = env.versions(p, 0, MaxPage)
		return err
	}
	v, err := env.Tx.Version(p.Account, p.ID, p.Default)
	if err == nil {
		d.Policy.Versions = []PolicyVersion{{*v, true}}
	}
	return err
}

// held reads the policies of a user, group or role.
func (env *Env) held(h holder) (out Held, err error) {
	a := env.Call.Caller.Account
	if out.Inline, err = env.Tx.Inlines(a, h.kind, h.id); err != nil {
		return out, err
	}
	out.Attached, err = env.Tx.AttachedTo(a, h.kind, h.id, "", store.After{}, MaxPage)
	return out, err
}
