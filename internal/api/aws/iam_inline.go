package aws

import (
	"warifu/internal/ops"
	"warifu/internal/page"
)

func inlineActions() []action {
	return []action{
		iamAction("PutUserPolicy", ops.PutUserPolicy, func(s *putUserPolicyInput) ops.PutInlineIn { return s.put(s.ref()) }, none),
		iamAction("PutGroupPolicy", ops.PutGroupPolicy, func(s *putGroupPolicyInput) ops.PutInlineIn { return s.put(s.ref()) }, none),
		iamAction("PutRolePolicy", ops.PutRolePolicy, func(s *putRolePolicyInput) ops.PutInlineIn { return s.put(s.ref()) }, none),
		iamAction("GetUserPolicy", ops.GetUserPolicy, (*inUserInput).in, func(p *ops.InlinePolicy) userPolicyOutput {
			return userPolicyOutput{p.HolderName, p.Name, plain(p.Document)}
		}),
		iamAction("GetGroupPolicy", ops.GetGroupPolicy, (*inGroupInput).in, func(p *ops.InlinePolicy) groupPolicyOutput {
			return groupPolicyOutput{p.HolderName, p.Name, plain(p.Document)}
		}),
		iamAction("GetRolePolicy", ops.GetRolePolicy, (*inRoleInput).in, func(p *ops.InlinePolicy) rolePolicyOutput {
			return rolePolicyOutput{p.HolderName, p.Name, plain(p.Document)}
		}),
		iamAction("DeleteUserPolicy", ops.DeleteUserPolicy, (*inUserInput).in, none),
		iamAction("DeleteGroupPolicy", ops.DeleteGroupPolicy, (*inGroupInput).in, none),
		iamAction("DeleteRolePolicy", ops.DeleteRolePolicy, (*inRoleInput).in, none),
		iamAction("ListUserPolicies", ops.ListUserPolicies, func(s *userListInput) ops.HeldIn {
			return ops.HeldIn{Holder: s.ref(), Listing: s.listing("")}
		}, policyNames),
		iamAction("ListGroupPolicies", ops.ListGroupPolicies, func(s *groupListInput) ops.HeldIn {
			return ops.HeldIn{Holder: s.ref(), Listing: s.listing("")}
		}, policyNames),
		iamAction("ListRolePolicies", ops.ListRolePolicies, func(s *roleListInput) ops.HeldIn {
			return ops.HeldIn{Holder: s.ref(), Listing: s.listing("")}
		}, policyNames),
	}
}

type userPolicyOutput struct {
	UserName       string
	PolicyName     string
	PolicyDocument string `aws:",urlencoded"`
}

type groupPolicyOutput struct {
	GroupName      string
	PolicyName     string
	PolicyDocument string `aws:",urlencoded"`
}

type rolePolicyOutput struct {
	RoleName       string
	PolicyName     string
	PolicyDocument string `aws:",urlencoded"`
}

type policyNamesOutput struct {
	PolicyNames []string `aws:",keep"`
	paging
}

func policyNames(p page.Page[string]) policyNamesOutput {
	return policyNamesOutput{p.Items, pagingOf(p.Next)}
}

// inlineInput names an inline policy beside its holder.
type inlineInput struct {
	PolicyName string `aws:",required" len:"1,128" pattern:"[\\w+=,.@-]+"`
}

type inUserInput struct {
	userInput
	inlineInput
}

func (s *inUserInput) in() ops.InlineIn { return ops.InlineIn{Holder: s.ref(), Policy: s.PolicyName} }

type inGroupInput struct {
	groupInput
	inlineInput
}

func (s *inGroupInput) in() ops.InlineIn { return ops.InlineIn{Holder: s.ref(), Policy: s.PolicyName} }

type inRoleInput struct {
	roleInput
	inlineInput
}

func (s *inRoleInput) in() ops.InlineIn { return ops.InlineIn{Holder: s.ref(), Policy: s.PolicyName} }

// putInlineInput is an inline policy beside its holder.
type putInlineInput struct {
	inlineInput
	PolicyDocument string `aws:",required" len:"1,131072" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
}

func (s *putInlineInput) put(holder ops.Ref) ops.PutInlineIn {
	return ops.PutInlineIn{Holder: holder, Policy: s.PolicyName, Document: s.PolicyDocument}
}

type putUserPolicyInput struct {
	userInput
	putInlineInput
}

type putGroupPolicyInput struct {
	groupInput
	putInlineInput
}

type putRolePolicyInput struct {
	roleInput
	putInlineInput
}
