package alibaba

import (
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

// IMS knows the tags of users.
func imsTags() []action {
	of := taggings()["user"]
	return []action{
		bind(serviceIMS, "TagResources", of.tag, func(s *imsTagInput, sc *scene) (ops.NamedTagsIn, error) {
			refs, err := s.some(sc)
			return ops.NamedTagsIn{Kind: of.kind, Refs: refs, Tags: tagsIn(s.Tag)}, err
		}, nothingMore),
		bind(serviceIMS, "UntagResources", of.untag, func(s *imsUntagInput, sc *scene) (ops.NamedTagsIn, error) {
			refs, err := s.some(sc)
			return ops.NamedTagsIn{Kind: of.kind, Refs: refs, Keys: s.TagKey, All: s.All}, err
		}, nothingMore),
		bind(serviceIMS, "ListTagResources", of.list, func(s *imsListTagsInput, sc *scene) (ops.TaggedIn, error) {
			refs, err := s.refs(sc)
			return ops.TaggedIn{Kind: of.kind, Refs: refs, Tags: tagsIn(s.Tag), Listing: s.listing()}, err
		}, func(_ *scene, p page.Page[ops.TagRow]) imsTagRows {
			rows := each(p.Items, func(r *ops.TagRow) imsTagRow { return imsTagRow{r.ID.String(), "user", r.Key, r.Value} })
			return imsTagRows{p.Next != "", string(p.Next), imsTagList{rows}}
		}),
	}
}

// taggedUsers names users: by id, or by principal name.
type taggedUsers struct {
	ResourceType          string   `req:"true"`
	ResourceId            []string `len:"1,64"`
	ResourcePrincipalName []string `len:"1,192"`
}

func (s *taggedUsers) refs(sc *scene) (refs []ops.Ref, err error) {
	if s.ResourceType != "user" {
		return nil, &failure{400, "InvalidParameter.ResourceType", `The parameter - "ResourceType" must be user.`}
	}
	if len(s.ResourceId) > 0 && len(s.ResourcePrincipalName) > 0 {
		return nil, &failure{400, "InvalidParameter.ResourceId", `Give "ResourceId" or "ResourcePrincipalName", not both.`}
	}
	for _, digits := range s.ResourceId {
		id, ok := name.ParseID(digits)
		if !ok {
			return nil, &failure{404, "EntityNotExist.User", "The user does not exist: " + digits + "."}
		}
		refs = append(refs, ops.Ref{ID: id})
	}
	for _, upn := range s.ResourcePrincipalName {
		ref, err := sc.user(upn)
		if err != nil {
			return nil, err
		}
		if ref == (ops.Ref{}) {
			return nil, &failure{400, "InvalidParameter.ResourcePrincipalName", `The parameter - "ResourcePrincipalName" must not hold an empty name.`}
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// some are refs of which there is at least one.
func (s *taggedUsers) some(sc *scene) ([]ops.Ref, error) {
	refs, err := s.refs(sc)
	if err == nil && len(refs) == 0 {
		err = &failure{400, "MissingParameter", "ResourceId or ResourcePrincipalName must be specified."}
	}
	return refs, err
}

type imsTagInput struct {
	taggedUsers
	Tag []tag `req:"true"`
}

type imsUntagInput struct {
	taggedUsers
	TagKey []string `len:"1,128"`
	All    bool
}

type imsListTagsInput struct {
	taggedUsers
	tagPage
}

type imsTagRow struct{ ResourceId, ResourceType, TagKey, TagValue string }

type imsTagList struct{ TagResource []imsTagRow }

type imsTagRows struct {
	IsTruncated  bool
	NextToken    string
	TagResources imsTagList
}
