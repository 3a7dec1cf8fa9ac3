package ops

import (
	"fmt"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/page"
	"warifu/policy/aws"
)

// InlineIn names an inline policy.
type InlineIn struct {
	Holder Ref
	Policy string
}

// PutInlineIn is an inline policy with its text.
type PutInlineIn struct {
	Holder   Ref
	Policy   string
	Document string
	Comments bool // the document may have comments, which are kept
}

// Put operations write an inline policy of a user, group or role; one of the
// same name is replaced.
//
// Errors: NotFound holder; Invalid name; Malformed document; Limit of the size
// of all inline policies together.
var (
	PutUserPolicy  = puttingInline(iam.KindUser, "PutUserPolicy")
	PutGroupPolicy = puttingInline(iam.KindGroup, "PutGroupPolicy")
	PutRolePolicy  = puttingInline(iam.KindRole, "PutRolePolicy")
)

// Get operations read an inline policy.
//
// Errors: NotFound holder; NotFound "user policy", "group policy", "role policy".
var (
	GetUserPolicy  = gettingInline(iam.KindUser, "GetUserPolicy")
	GetGroupPolicy = gettingInline(iam.KindGroup, "GetGroupPolicy")
	GetRolePolicy  = gettingInline(iam.KindRole, "GetRolePolicy")
)

// Delete operations delete an inline policy; errors as for Get.
var (
	DeleteUserPolicy  = deletingInline(iam.KindUser, "DeleteUserPolicy")
	DeleteGroupPolicy = deletingInline(iam.KindGroup, "DeleteGroupPolicy")
	DeleteRolePolicy  = deletingInline(iam.KindRole, "DeleteRolePolicy")
)

// List operations list the names of inline policies.
//
// Errors: NotFound holder.
var (
	ListUserPolicies  = listingInline(iam.KindUser, "ListUserPolicies")
	ListGroupPolicies = listingInline(iam.KindGroup, "ListGroupPolicies")
	ListRolePolicies  = listingInline(iam.KindRole, "ListRolePolicies")
)

// InlinePolicy is an inline policy and whose it is.
type InlinePolicy struct {
	iam.InlinePolicy
	HolderName string
}

func puttingInline(kind iam.PrincipalKind, op string) Op[PutInlineIn, struct{}] {
	return Op[PutInlineIn, struct{}]{
		Name: op, Grants: Names{AWS: "iam:" + op}, Mode: Write, Needs: recently,
		Target: func(env *Env, in PutInlineIn) (Target, error) { return env.holderTarget(kind, in.Holder) },
		Record: func(in PutInlineIn) audit.Fields {
			return audit.Fields{string(kind) + "Name": in.Holder.String(), "policyName": in.Policy, "policyDocument": excerpt(in.Document)}
		},
		Do: func(env *Env, in PutInlineIn) (none struct{}, err error) {
			if err := iam.CheckName("policyName", in.Policy, iam.MaxName); err != nil {
				return none, err
			}
			h, err := env.holder(kind, in.Holder)
			if err != nil {
				return none, err
			}
			plain, err := incoming(in.Document, in.Comments)
			if err != nil {
				return none, err
			}
			if err := env.fitsInline(h, in.Policy, aws.Size([]byte(plain))); err != nil {
				return none, err
			}
			if err := checkDocument(plain, aws.Inline, iam.LanguageAWS); err != nil {
				return none, err
			}
			return none, env.Tx.PutInline(env.Call.Caller.Account, kind,
				&iam.InlinePolicy{Principal: h.id, Name: in.Policy, Language: iam.LanguageAWS, Document: in.Document})
		},
	}
}

// fitsInline refuses a document of a size with which the inline policies of a holder
// would be larger than they may be together.
func (env *Env) fitsInline(h holder, policy string, size int) error {
	limit := env.limits.UserInline
	switch h.kind {
	case iam.KindGroup:
		limit = env.limits.GroupInline
	case iam.KindRole:
		limit = env.limits.RoleInline
	}
	others, err := env.Tx.InlineSize(env.Call.Caller.Account, h.kind, h.id, policy)
	if err == nil && others+size > limit {
		err = fault.Of(fault.Limit, "inline policies", fmt.Sprintf("%d bytes exceeded for %s %s", limit, h.kind, h.target.Name))
	}
	return err
}

func gettingInline(kind iam.PrincipalKind, op string) Op[InlineIn, *InlinePolicy] {
	return Op[InlineIn, *InlinePolicy]{
		Name: op, Grants: Names{AWS: "iam:" + op},
		Target: inlineTarget(kind), Record: inlineRecord(kind),
		Do: func(env *Env, in InlineIn) (*InlinePolicy, error) {
			h, err := env.holder(kind, in.Holder)
			if err != nil {
				return nil, err
			}
			p, err := env.Tx.Inline(env.Call.Caller.Account, kind, h.id, in.Policy)
			if err != nil {
				return nil, noInline(err, kind, in.Policy)
			}
			return &InlinePolicy{*p, h.target.Name}, nil
		},
	}
}

func deletingInline(kind iam.PrincipalKind, op string) Op[InlineIn, struct{}] {
	return Op[InlineIn, struct{}]{
		Name: op, Grants: Names{AWS: "iam:" + op}, Mode: Write, Needs: recently,
		Target: inlineTarget(kind), Record: inlineRecord(kind),
		Do: func(env *Env, in InlineIn) (none struct{}, err error) {
			h, err := env.holder(kind, in.Holder)
			if err != nil {
				return none, err
			}
			return none, noInline(env.Tx.DeleteInline(env.Call.Caller.Account, kind, h.id, in.Policy), kind, in.Policy)
		},
	}
}

func listingInline(kind iam.PrincipalKind, op string) Op[HeldIn, page.Page[string]] {
	return Op[HeldIn, page.Page[string]]{
		Name: op, Grants: Names{AWS: "iam:" + op},
		Target: heldTarget(kind),
		Do: func(env *Env, in HeldIn) (page.Page[string], error) {
			h, err := env.holder(kind, in.Holder)
			if err != nil {
				return page.Page[string]{}, err
			}
			return paged(env, op, []string{h.id.String()}, in.Listing, func(after string, limit int) ([]string, error) {
				return env.Tx.InlineNames(env.Call.Caller.Account, kind, h.id, after, limit)
			}, func(s string) string { return s })
		},
	}
}

func inlineTarget(kind iam.PrincipalKind) func(*Env, InlineIn) (Target, error) {
	return func(env *Env, in InlineIn) (Target, error) { return env.holderTarget(kind, in.Holder) }
}

func inlineRecord(kind iam.PrincipalKind) func(InlineIn) audit.Fields {
	return func(in InlineIn) audit.Fields {
		return audit.Fields{string(kind) + "Name": in.Holder.String(), "policyName": in.Policy}
	}
}

// noInline says whose inline policy is missing.
func noInline(err error, kind iam.PrincipalKind, policy string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Of(fault.NotFound, string(kind)+" policy", policy)
	}
	return err
}
