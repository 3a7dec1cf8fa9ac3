package ops

import (
	"cmp"
	"slices"

	"warifu/internal/name"
	"warifu/policy"
	"warifu/policy/oci"
	"warifu/policy/ram"
)

// A request is judged under its names in every language. AWS's are written where
// an operation is declared; what another language calls the same thing follows
// from them, here. Nothing of this is done for a caller about whom no policy
// speaks that language.

// tongue is a policy language besides AWS's.
type tongue struct {
	language policy.Language

	// actions are the language's names of an operation, all of which must be
	// permitted; none if the language does not know it.
	actions func(Names) []string

	// resource is the language's name of what AWS names; "" if it has none.
	resource func(c *Caller, t *Target, arn string) string

	// caller is what the language calls a caller.
	caller func(*Caller) policy.Names
}

var otherTongues = [...]tongue{
	{ram.Language, Names.ram, func(_ *Caller, t *Target, arn string) string { return cmp.Or(t.ACS, name.ACSOf(arn)) }, (*Caller).ramNames},
	{oci.Language, Names.oracle, func(c *Caller, t *Target, _ string) string { return t.oraclePath(c.Account) }, (*Caller).oracleNames},
}

// tongues is a set of languages: bit i is otherTongues[i].
type tongues uint8

// tonguesOf are the languages besides AWS's in which layers have rules.
func tonguesOf(layers []policy.Layer) (spoken tongues) {
	for i := range layers {
		for _, set := range layers[i].Sets {
			for bit := range otherTongues {
				if set.Speaks(otherTongues[bit].language) {
					spoken |= 1 << bit
				}
			}
		}
	}
	return spoken
}

// variants is how many requests say all names of an operation: a language with
// several names for it needs as many.
func (spoken tongues) variants(n Names) int {
	most := 1
	if spoken == 0 {
		return most
	}
	for bit := range otherTongues {
		if spoken&(1<<bit) != 0 {
			most = max(most, len(otherTongues[bit].actions(n)))
		}
	}
	return most
}

// name adds the names in the languages spoken to a request that has AWS's. A
// language with fewer names than there are variants repeats its last.
func (spoken tongues) name(req *policy.Request, c *Caller, target *Target, n Names, variant int) {
	if spoken == 0 {
		return
	}
	for bit := range otherTongues {
		if spoken&(1<<bit) == 0 {
			continue
		}
		t := &otherTongues[bit]
		req.SetAction(t.language, nil)
		req.Resources[t.language] = t.resource(c, target, req.Resources[0])
		req.Principal.Names[t.language] = t.caller(c)
		if all := t.actions(n); len(all) > 0 {
			req.Actions[t.language] = all[min(variant, len(all)-1)]
		}
	}
}

// action is the name that the trail and the console show.
func (n Names) action() string { return cmp.Or(n.AWS, n.RAM, n.OCI) }

// InRAM is the name that Alibaba Cloud has for the operation; "" if it has none.
func (n Names) InRAM() string {
	if all := n.ram(); len(all) > 0 {
		return all[0]
	}
	return ""
}

// NameInRAM is what Alibaba Cloud calls an operation in the trail, without the
// service: of iam:EnableMFADevice, BindMFADevice. What it does not know keeps its name.
func NameInRAM(action string) string {
	n := Names{AWS: action}
	_, op := split(cmp.Or(n.InRAM(), action))
	return op
}

// ActionsOfRAM is the reverse: the names in the trail of all that Alibaba Cloud calls
// so, at least one.
func ActionsOfRAM(called string) (all []string) {
	other := false // what has this name in the trail is called differently there
	for action, names := range ramActions {
		_, op := split(action)
		_, first := split(names[0])
		if first == called {
			all = append(all, op)
		}
		other = other || op == called && first != called
	}
	if !other || all == nil {
		all = append(all, called)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ramCodes are Alibaba Cloud's codes of the services that have operations here.
var ramCodes = map[string]string{
	"iam": "ram", "sts": "sts", "warifu": "warifu", "signin": "signin", "cloudtrail": "actiontrail", "access-analyzer": "accessanalyzer",
}

// ramActions are the operations whose name in the RAM language is not that of
// AWS with the service's code exchanged (RAM API reference, "List of operations
// by function"). Several names: each must be permitted.
var ramActions = map[string][]string{
	"iam:GetGroup":                    {"ram:GetGroup", "ram:ListUsersForGroup"},
	"iam:UpdateAssumeRolePolicy":      {"ram:UpdateRole"},
	"iam:UpdateRoleDescription":       {"ram:UpdateRole"},
	"iam:AttachUserPolicy":            {"ram:AttachPolicyToUser"},
	"iam:AttachGroupPolicy":           {"ram:AttachPolicyToGroup"},
	"iam:AttachRolePolicy":            {"ram:AttachPolicyToRole"},
	"iam:DetachUserPolicy":            {"ram:DetachPolicyFromUser"},
	"iam:DetachGroupPolicy":           {"ram:DetachPolicyFromGroup"},
	"iam:DetachRolePolicy":            {"ram:DetachPolicyFromRole"},
	"iam:ListAttachedUserPolicies":    {"ram:ListPoliciesForUser"},
	"iam:ListAttachedGroupPolicies":   {"ram:ListPoliciesForGroup"},
	"iam:ListAttachedRolePolicies":    {"ram:ListPoliciesForRole"},
	"iam:EnableMFADevice":             {"ram:BindMFADevice"},
	"iam:DeactivateMFADevice":         {"ram:UnbindMFADevice"},
	"iam:ListMFADevices":              {"ram:GetUserMFAInfo"},
	"iam:GetMFADevice":                {"ram:GetUserMFAInfo"},
	"iam:CreateAccountAlias":          {"ram:SetAccountAlias"},
	"iam:DeleteAccountAlias":          {"ram:ClearAccountAlias"},
	"iam:ListAccountAliases":          {"ram:GetAccountAlias"},
	"iam:GetAccountPasswordPolicy":    {"ram:GetPasswordPolicy"},
	"iam:UpdateAccountPasswordPolicy": {"ram:SetPasswordPolicy"},
	"iam:DeleteAccountPasswordPolicy": {"ram:SetPasswordPolicy"},
	"warifu:GetSecurityPreferences":   {"ram:GetSecurityPreference"},
	"warifu:SetSecurityPreferences":   {"ram:SetSecurityPreference"},
	"iam:TagUser":                     {"ram:TagResources"},
	"iam:TagRole":                     {"ram:TagResources"},
	"iam:TagPolicy":                   {"ram:TagResources"},
	"iam:TagMFADevice":                {"ram:TagResources"},
	"iam:UntagUser":                   {"ram:UntagResources"},
	"iam:UntagRole":                   {"ram:UntagResources"},
	"iam:UntagPolicy":                 {"ram:UntagResources"},
	"iam:UntagMFADevice":              {"ram:UntagResources"},
	"iam:ListUserTags":                {"ram:ListTagResources"},
	"iam:ListRoleTags":                {"ram:ListTagResources"},
	"iam:ListPolicyTags":              {"ram:ListTagResources"},
	"iam:ListMFADeviceTags":           {"ram:ListTagResources"},
	"sts:DecodeAuthorizationMessage":  {"ram:DecodeDiagnosticMessage"},
	"sts:AssumeRoleWithWebIdentity":   {"sts:AssumeRoleWithOIDC"},
}

// ram are the names of an operation in the RAM language.
func (n Names) ram() []string {
	if n.RAM != "" {
		return []string{n.RAM}
	}
	if all, ok := ramActions[n.AWS]; ok {
		return all
	}
	service, op := split(n.AWS)
	code, ok := ramCodes[service]
	if !ok {
		return nil
	}
	return []string{code + ":" + op}
}

// ramNames is what the RAM language calls a caller.
func (c *Caller) ramNames() policy.Names {
	n := policy.Names{Account: c.Account.UID(), ID: c.ID().String()}
	switch c.Kind {
	case policy.Anonymous:
		return policy.Names{}
	case policy.Root:
		n.Name = name.RAMRoot(c.Account)
	case policy.RoleSession:
		n.Name = name.RAM(c.Account, "role", c.Role.Name)
		n.Session = name.RAMSession(c.Account, c.Role.Name, c.SessionName())
	default:
		n.Name = name.RAM(c.Account, "user", c.User.Name)
		n.Session = c.ramSession()
	}
	return n
}

// ramSession names a federated user; Alibaba Cloud has none of its own.
func (c *Caller) ramSession() string {
	if c.Kind != policy.FederatedUser {
		return ""
	}
	return name.RAMFederated(c.Account, c.SessionName())
}
