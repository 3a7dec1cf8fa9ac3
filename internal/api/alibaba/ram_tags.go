package alibaba

import (
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
)

func ramTags() []action {
	tagged := func(kind iam.PrincipalKind, op ops.Op[ops.NamedTagsIn, struct{}]) action {
		return bind(serviceRAM, "TagResources", op, func(s *tagInput, sc *scene) (ops.NamedTagsIn, error) {
			return ops.NamedTagsIn{Kind: kind, Names: resourceNames(sc, kind, s.ResourceNames), Tags: tagsIn(s.Tag)}, nil
		}, nothingMore)
	}
	untagged := func(kind iam.PrincipalKind, op ops.Op[ops.NamedTagsIn, struct{}]) action {
		return bind(serviceRAM, "UntagResources", op, func(s *untagInput, sc *scene) (ops.NamedTagsIn, error) {
			return ops.NamedTagsIn{Kind: kind, Names: resourceNames(sc, kind, s.ResourceNames), Keys: s.TagKeys, All: s.All}, nil
		}, nothingMore)
	}
	tag := map[string]action{
		"user": tagged(iam.KindUser, ops.TagUsers), "role": tagged(iam.KindRole, ops.TagRoles), "policy": tagged("", ops.TagPolicies),
	}
	untag := map[string]action{
		"user": untagged(iam.KindUser, ops.UntagUsers), "role": untagged(iam.KindRole, ops.UntagRoles), "policy": untagged("", ops.UntagPolicies),
	}
	return []action{
		choice(serviceRAM, "TagResources", func(s *tagInput) (action, error) { return typed(tag, s.ResourceType) }, tag["role"]),
		choice(serviceRAM, "UntagResources", func(s *untagInput) (action, error) { return typed(untag, s.ResourceType) }, untag["role"]),
	}
}

func typed(of map[string]action, kind string) (action, error) {
	a, ok := of[kind]
	if !ok {
		return a, &failure{400, "InvalidParameter.ResourceType", `The parameter - "ResourceType" must be user, role or policy.`}
	}
	return a, nil
}

func resourceNames(sc *scene, kind iam.PrincipalKind, names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		if out[i] = n; kind == "" {
			out[i] = name.RAM(sc.Caller.Account, "policy", n)
		}
	}
	return out
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
