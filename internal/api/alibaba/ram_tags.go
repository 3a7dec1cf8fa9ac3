package alibaba

import (
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

// tagging are the operations on the tags of one kind of noun.
type tagging struct {
	kind       iam.PrincipalKind // "" = policy
	tag, untag ops.Op[ops.NamedTagsIn, struct{}]
	list       ops.Op[ops.TaggedIn, page.Page[ops.TagRow]]
}

func taggings() map[string]tagging {
	return map[string]tagging{
		"user":   {iam.KindUser, ops.TagUsers, ops.UntagUsers, ops.ListTagsOfUsers},
		"role":   {iam.KindRole, ops.TagRoles, ops.UntagRoles, ops.ListTagsOfRoles},
		"policy": {"", ops.TagPolicies, ops.UntagPolicies, ops.ListTagsOfPolicies},
	}
}

func ramTags() []action {
	tag, untag, list := map[string]action{}, map[string]action{}, map[string]action{}
	for called, of := range taggings() {
		tag[called] = bind(serviceRAM, "TagResources", of.tag, func(s *tagInput, sc *scene) (ops.NamedTagsIn, error) {
			refs, err := resourceRefs(sc, of.kind, s.ResourceNames)
			return ops.NamedTagsIn{Kind: of.kind, Refs: refs, Tags: tagsIn(s.Tag)}, err
		}, nothingMore)
		untag[called] = bind(serviceRAM, "UntagResources", of.untag, func(s *untagInput, sc *scene) (ops.NamedTagsIn, error) {
			refs, err := resourceRefs(sc, of.kind, s.ResourceNames)
			return ops.NamedTagsIn{Kind: of.kind, Refs: refs, Keys: s.TagKeys, All: s.All}, err
		}, nothingMore)
		list[called] = bind(serviceRAM, "ListTagResources", of.list, func(s *listTagsInput, sc *scene) (ops.TaggedIn, error) {
			refs, err := resourceRefs(sc, of.kind, s.ResourceNames)
			return ops.TaggedIn{Kind: of.kind, Refs: refs, Tags: tagsIn(s.Tag), Listing: s.listing()}, err
		}, func(_ *scene, p page.Page[ops.TagRow]) ramTagRows {
			return ramTagRows{string(p.Next), each(p.Items, func(r *ops.TagRow) ramTagRow { return ramTagRow{r.Name, called, r.Key, r.Value} })}
		})
	}
	return []action{
		choice(serviceRAM, "TagResources", func(s *tagInput) (action, error) { return typed(tag, s.ResourceType) }, tag["role"]),
		choice(serviceRAM, "UntagResources", func(s *untagInput) (action, error) { return typed(untag, s.ResourceType) }, untag["role"]),
		choice(serviceRAM, "ListTagResources", func(s *listTagsInput) (action, error) { return typed(list, s.ResourceType) }, list["role"]),
	}
}

func typed(of map[string]action, kind string) (action, error) {
	a, ok := of[kind]
	if !ok {
		return a, &failure{400, "InvalidParameter.ResourceType", `The parameter - "ResourceType" must be user, role or policy.`}
	}
	return a, nil
}

// resourceRefs are the nouns of names. An empty name would mean the caller.
func resourceRefs(sc *scene, kind iam.PrincipalKind, names []string) ([]ops.Ref, error) {
	refs := make([]ops.Ref, len(names))
	for i, n := range names {
		if n == "" {
			return nil, &failure{400, "InvalidParameter.ResourceNames", `The parameter - "ResourceNames" must not hold an empty name.`}
		}
		if refs[i].Name = n; kind == "" {
			refs[i].Name = name.RAM(sc.Caller.Account, "policy", n)
		}
	}
	return refs, nil
}

type tagInput struct {
	ResourceType  string   `req:"true"`
	ResourceNames []string `req:"true" len:"1,128"`
	Tag           []tag    `req:"true"`
}

type untagInput struct {
	ResourceType  string   `req:"true"`
	ResourceNames []string `req:"true" len:"1,128"`
	TagKeys       []string `len:"1,128"`
	All           bool
}

// tagPage selects a page of tags.
type tagPage struct {
	Tag       []tag
	NextToken string
	PageSize  int `range:"1,1000"`
}

func (s *tagPage) listing() ops.Listing { return ops.Listing{Limit: s.PageSize, Cursor: s.NextToken} }

type listTagsInput struct {
	ResourceType  string   `req:"true"`
	ResourceNames []string `len:"1,128"`
	tagPage
}

type ramTagRow struct{ ResourceName, ResourceType, TagKey, TagValue string }

type ramTagRows struct {
	NextToken    string
	TagResources []ramTagRow
}
