package ops

import (
	"sort"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// TagRow is one tag of one noun.
type TagRow struct {
	ID   name.ID
	Name string
	iam.Tag
}

// TaggedIn selects tags of nouns of one kind.
type TaggedIn struct {
	Kind iam.PrincipalKind // user or role; "" = the account's own policies
	Refs []Ref             // whose; none = of all
	Tags []iam.Tag         // only nouns that have these; a value of "" means any
	Listing
}

// List operations of the tags of several nouns: by name, then key. Nouns that are
// named and do not exist have none.
var (
	ListTagsOfUsers    = listingTags(ListUserTags.Name, ListUserTags.Grants, name.UserARN)
	ListTagsOfRoles    = listingTags(ListRoleTags.Name, ListRoleTags.Grants, name.RoleARN)
	ListTagsOfPolicies = listingTags(ListPolicyTags.Name, ListPolicyTags.Grants, name.PolicyARN)
)

func listingTags(called string, grants Names, arn func(a name.Account, path, called string) string) Op[TaggedIn, page.Page[TagRow]] {
	return Op[TaggedIn, page.Page[TagRow]]{
		Name: called, Grants: grants,
		Target: func(env *Env, in TaggedIn) (Target, error) {
			t := Target{Noun: string(in.Kind)}
			for _, r := range in.Refs {
				one, err := env.taggedTarget(in.Kind, r)
				if err != nil {
					return t, err
				}
				t.Resources = append(t.Resources, one.Resources...)
			}
			if len(in.Refs) == 0 {
				t.Resources = []string{arn(env.Call.Caller.Account, "/", "*")}
			}
			return t, nil
		},
		Do: func(env *Env, in TaggedIn) (page.Page[TagRow], error) {
			rows, err := env.taggedNouns(in)
			if err != nil {
				return page.Page[TagRow]{}, err
			}
			place := func(r *TagRow) string { return strings.ToLower(r.Name) + "\x00" + r.Key }
			sort.Slice(rows, func(i, j int) bool { return place(&rows[i]) < place(&rows[j]) })
			filter := []string{refsText(in.Refs)}
			for _, t := range in.Tags {
				filter = append(filter, t.Key, t.Value)
			}
			return paged(env, called, filter, in.Listing, func(after string, limit int) ([]TagRow, error) {
				rest := rows[sort.Search(len(rows), func(i int) bool { return place(&rows[i]) > after }):]
				return rest[:min(limit, len(rest))], nil
			}, func(r TagRow) string { return place(&r) })
		},
	}
}

// taggedNouns are the tags of the nouns that are meant.
func (env *Env) taggedNouns(in TaggedIn) (rows []TagRow, err error) {
	add := func(id name.ID, called string, tags []iam.Tag) {
		for _, want := range in.Tags {
			if i := iam.TagIndex(tags, want.Key); i < 0 || want.Value != "" && tags[i].Value != want.Value {
				return
			}
		}
		for _, t := range tags {
			rows = append(rows, TagRow{id, called, t})
		}
	}
	if len(in.Refs) == 0 {
		err = env.Tx.EachTagged(env.Call.Caller.Account, in.Kind, add)
		return rows, err
	}
	for _, r := range in.Refs {
		switch in.Kind {
		case iam.KindUser:
			var u *iam.User
			if u, err = env.user(r); err == nil {
				add(u.ID, u.Name, u.Tags)
			}
		case iam.KindRole:
			var role *iam.Role
			if role, err = env.role(r); err == nil {
				add(role.ID, role.Name, role.Tags)
			}
		default:
			var p *iam.Policy
			if p, err = env.policy(r.Name); err == nil {
				add(p.ID, p.Name, p.Tags)
			}
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	return rows, nil
}
