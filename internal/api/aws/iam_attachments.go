package aws

import (
	"strings"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func attachmentActions() []action {
	return []action{
		iamAction("AttachUserPolicy", ops.AttachUserPolicy, (*userPolicyInput).in, none),
		iamAction("AttachGroupPolicy", ops.AttachGroupPolicy, (*groupPolicyInput).in, none),
		iamAction("AttachRolePolicy", ops.AttachRolePolicy, (*rolePolicyInput).in, none),
		iamAction("DetachUserPolicy", ops.DetachUserPolicy, (*userPolicyInput).in, none),
		iamAction("DetachGroupPolicy", ops.DetachGroupPolicy, (*groupPolicyInput).in, none),
		iamAction("DetachRolePolicy", ops.DetachRolePolicy, (*rolePolicyInput).in, none),
		iamAction("ListAttachedUserPolicies", ops.ListAttachedUserPolicies, func(s *attachedToUserInput) ops.HeldIn {
			return ops.HeldIn{Holder: s.ref(), Listing: s.listing()}
		}, attachedPage),
		iamAction("ListAttachedGroupPolicies", ops.ListAttachedGroupPolicies, func(s *attachedToGroupInput) ops.HeldIn {
			return ops.HeldIn{Holder: s.ref(), Listing: s.listing()}
		}, attachedPage),
		iamAction("ListAttachedRolePolicies", ops.ListAttachedRolePolicies, func(s *attachedToRoleInput) ops.HeldIn {
			return ops.HeldIn{Holder: s.ref(), Listing: s.listing()}
		}, attachedPage),
		iamAction("ListEntitiesForPolicy", ops.ListEntitiesForPolicy, (*entitiesInput).in, entityPage),
		iamAction("PutUserPermissionsBoundary", ops.PutUserPermissionsBoundary, func(s *boundUserInput) ops.BoundaryIn {
			return ops.BoundaryIn{Holder: s.ref(), Boundary: s.PermissionsBoundary}
		}, none),
		iamAction("PutRolePermissionsBoundary", ops.PutRolePermissionsBoundary, func(s *boundRoleInput) ops.BoundaryIn {
			return ops.BoundaryIn{Holder: s.ref(), Boundary: s.PermissionsBoundary}
		}, none),
		iamAction("DeleteUserPermissionsBoundary", ops.DeleteUserPermissionsBoundary, func(s *shortUserInput) ops.HolderIn {
			return ops.HolderIn{Holder: s.ref()}
		}, none),
		iamAction("DeleteRolePermissionsBoundary", ops.DeleteRolePermissionsBoundary, func(s *roleInput) ops.HolderIn {
			return ops.HolderIn{Holder: s.ref()}
		}, none),
	}
}

// attachedPolicy is a managed policy in the list of what is attached.
type attachedPolicy struct {
	PolicyName string
	PolicyArn  string
}

func attachedPolicies(all []iam.Policy) []attachedPolicy {
	var out []attachedPolicy
	for i := range all {
		out = append(out, attachedPolicy{all[i].Name, all[i].ARN()})
	}
	return out
}

type attachedOutput struct {
	AttachedPolicies []attachedPolicy `aws:",keep"`
	paging
}

func attachedPage(p page.Page[iam.Policy]) attachedOutput {
	return attachedOutput{attachedPolicies(p.Items), pagingOf(p.Next)}
}

type policyGroup struct{ GroupName, GroupId string }

type policyUser struct{ UserName, UserId string }

type policyRole struct{ RoleName, RoleId string }

type entitiesOutput struct {
	PolicyGroups []policyGroup `aws:",keep"`
	PolicyUsers  []policyUser  `aws:",keep"`
	PolicyRoles  []policyRole  `aws:",keep"`
	paging
}

func entityPage(p page.Page[ops.Entity]) entitiesOutput {
	out := entitiesOutput{paging: pagingOf(p.Next)}
	for _, e := range p.Items {
		switch e.Kind {
		case iam.KindGroup:
			out.PolicyGroups = append(out.PolicyGroups, policyGroup{e.Name, e.ID.Unique(name.PrefixGroup)})
		case iam.KindUser:
			out.PolicyUsers = append(out.PolicyUsers, policyUser{e.Name, e.ID.Unique(name.PrefixUser)})
		case iam.KindRole:
			out.PolicyRoles = append(out.PolicyRoles, policyRole{e.Name, e.ID.Unique(name.PrefixRole)})
		}
	}
	return out
}

// shortUserInput names a user where the model allows 64 characters.
type shortUserInput struct {
	UserName string `aws:",required" len:"1,64" pattern:"[\\w+=,.@-]+"`
}

func (s *shortUserInput) ref() ops.Ref { return ops.Ref{Name: s.UserName} }

type userPolicyInput struct {
	shortUserInput
	policyInput
}

func (s *userPolicyInput) in() ops.AttachIn {
	return ops.AttachIn{Holder: s.ref(), Policy: s.PolicyArn}
}

type groupPolicyInput struct {
	groupInput
	policyInput
}

func (s *groupPolicyInput) in() ops.AttachIn {
	return ops.AttachIn{Holder: s.ref(), Policy: s.PolicyArn}
}

type rolePolicyInput struct {
	roleInput
	policyInput
}

func (s *rolePolicyInput) in() ops.AttachIn {
	return ops.AttachIn{Holder: s.ref(), Policy: s.PolicyArn}
}

// attachedInput is a list of attached policies.
type attachedInput struct {
	PathPrefix string `len:"1,512" pattern:"((/[A-Za-z0-9\\.,\\+@=_-]+)*)/"`
	listInput
}

func (s *attachedInput) listing() ops.Listing { return s.listInput.listing(s.PathPrefix) }

type attachedToUserInput struct {
	shortUserInput
	attachedInput
}

type attachedToGroupInput struct {
	groupInput
	attachedInput
}

type attachedToRoleInput struct {
	roleInput
	attachedInput
}

type entitiesInput struct {
	policyInput
	EntityFilter      string `enum:"User Role Group LocalManagedPolicy AWSManagedPolicy"`
	PathPrefix        string `len:"1,512" re:"/([!-~]+/)?" pattern:"(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)"`
	PolicyUsageFilter string `enum:"PermissionsPolicy PermissionsBoundary"`
	listInput
}

// in takes a filter for policies, which the model allows, as a kind of which
// there is none.
func (s *entitiesInput) in() ops.EntitiesIn {
	return ops.EntitiesIn{
		Policy: s.PolicyArn, Kind: iam.PrincipalKind(strings.ToLower(s.EntityFilter)),
		Usage: usages[s.PolicyUsageFilter], Listing: s.listing(s.PathPrefix),
	}
}

type boundUserInput struct {
	shortUserInput
	PermissionsBoundary string `aws:",required" len:"20,2048"`
}

type boundRoleInput struct {
	roleInput
	PermissionsBoundary string `aws:",required" len:"20,2048"`
}
