package aws

import (
	"cmp"
	"math"
	"time"

	"warifu/internal/ops"
	"warifu/internal/seal"
)

func accountActions() []action {
	return []action{
		iamAction("CreateLoginProfile", ops.CreateLoginProfile, (*createLoginInput).in, newLogin),
		iamAction("GetLoginProfile", ops.GetLoginProfile, (*loginInput).in, newLogin),
		iamAction("UpdateLoginProfile", ops.UpdateLoginProfile, func(s *updateLoginInput) ops.UpdateLoginProfileIn {
			return ops.UpdateLoginProfileIn{User: s.ref(), Password: secret(s.Password), ResetRequired: s.PasswordResetRequired}
		}, none),
		iamAction("DeleteLoginProfile", ops.DeleteLoginProfile, (*loginInput).in, none),
		iamAction("ChangePassword", ops.ChangePassword, func(s *changePasswordInput) ops.ChangePasswordIn {
			return ops.ChangePasswordIn{Old: secret(s.OldPassword), New: secret(s.NewPassword)}
		}, none),
		iamAction("GetAccountPasswordPolicy", ops.GetAccountPasswordPolicy, nothing, newPasswordPolicy),
		iamAction("UpdateAccountPasswordPolicy", ops.UpdateAccountPasswordPolicy, (*passwordPolicyInput).in, none),
		iamAction("DeleteAccountPasswordPolicy", ops.DeleteAccountPasswordPolicy, nothing, none),
		iamAction("CreateAccountAlias", ops.CreateAccountAlias, (*aliasInput).in, none),
		iamAction("DeleteAccountAlias", ops.DeleteAccountAlias, (*aliasInput).in, none),
		iamAction("ListAccountAliases", ops.ListAccountAliases, func(*listInput) struct{} { return struct{}{} }, aliasPage),
		iamAction("GetAccountSummary", ops.GetAccountSummary, nothing, summary),
	}
}

// nothing is the input of an operation without input.
func nothing(*struct{}) struct{} { return struct{}{} }

func secret(s string) seal.Secret { return seal.NewSecret([]byte(s)) }

// login is a login profile in an answer.
type login struct {
	UserName              string
	CreateDate            time.Time
	PasswordResetRequired bool
}

type loginOutput struct{ LoginProfile login }

func newLogin(l *ops.Login) loginOutput {
	return loginOutput{login{l.UserName, l.Created, l.ResetRequired}}
}

// loginInput names a user, or means the caller.
type loginInput struct {
	UserName string `len:"1,64" pattern:"[\\w+=,.@-]+"`
}

func (s *loginInput) in() ops.UserIn { return ops.UserIn{User: ops.Ref{Name: s.UserName}} }

type createLoginInput struct {
	loginInput
	Password              string `aws:",secret" len:"1,128" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	PasswordResetRequired bool
}

func (s *createLoginInput) in() ops.CreateLoginProfileIn {
	return ops.CreateLoginProfileIn{User: ops.Ref{Name: s.UserName}, Password: secret(s.Password), ResetRequired: s.PasswordResetRequired}
}

type updateLoginInput struct {
	shortUserInput
	Password              string `aws:",secret" len:"1,128" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	PasswordResetRequired *bool
}

type changePasswordInput struct {
	OldPassword string `aws:",required,secret" len:"1,128" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	NewPassword string `aws:",required,secret" len:"1,128" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
}

// passwordPolicy is the account's password policy in an answer.
type passwordPolicy struct {
	MinimumPasswordLength      int
	RequireSymbols             bool
	RequireNumbers             bool
	RequireUppercaseCharacters bool
	RequireLowercaseCharacters bool
	AllowUsersToChangePassword bool
	ExpirePasswords            bool
	MaxPasswordAge             *int
	PasswordReusePrevention    *int
	HardExpiry                 bool
}

type passwordPolicyOutput struct{ PasswordPolicy passwordPolicy }

func newPasswordPolicy(p ops.PasswordPolicy) passwordPolicyOutput {
	return passwordPolicyOutput{passwordPolicy{
		MinimumPasswordLength: p.MinimumLength, RequireSymbols: p.RequireSymbols, RequireNumbers: p.RequireNumbers,
		RequireUppercaseCharacters: p.RequireUppercase, RequireLowercaseCharacters: p.RequireLowercase,
		AllowUsersToChangePassword: p.AllowUsersToChange, ExpirePasswords: p.ExpirePasswords(),
		MaxPasswordAge: some(p.MaxAge), PasswordReusePrevention: some(p.ReusePrevention), HardExpiry: p.HardExpiry,
	}}
}

// some is a number of an answer, nil if it is 0.
func some(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

type passwordPolicyInput struct {
	MinimumPasswordLength      *int32 `range:"6,128"`
	RequireSymbols             bool
	RequireNumbers             bool
	RequireUppercaseCharacters bool
	RequireLowercaseCharacters bool
	AllowUsersToChangePassword bool
	MaxPasswordAge             *int32 `range:"1,1095"`
	PasswordReusePrevention    *int32 `range:"1,24"`
	HardExpiry                 bool
}

func (s *passwordPolicyInput) in() ops.PasswordPolicy {
	return ops.PasswordPolicy{
		MinimumLength: number(s.MinimumPasswordLength), RequireSymbols: s.RequireSymbols, RequireNumbers: s.RequireNumbers,
		RequireUppercase: s.RequireUppercaseCharacters, RequireLowercase: s.RequireLowercaseCharacters,
		AllowUsersToChange: s.AllowUsersToChangePassword, MaxAge: number(s.MaxPasswordAge),
		ReusePrevention: number(s.PasswordReusePrevention), HardExpiry: s.HardExpiry,
	}
}

// number is a number of a request, 0 if it was left out.
func number(n *int32) int {
	if n == nil {
		return 0
	}
	return int(*n)
}

type aliasInput struct {
	AccountAlias string `aws:",required" len:"3,63" re:"[a-z0-9]+(-[a-z0-9]+)*" pattern:"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$"`
}

func (s *aliasInput) in() ops.AliasIn { return ops.AliasIn{Alias: s.AccountAlias} }

type aliasesOutput struct {
	AccountAliases []string `aws:",keep"`
	paging
}

func aliasPage(alias string) aliasesOutput {
	if alias == "" {
		return aliasesOutput{}
	}
	return aliasesOutput{AccountAliases: []string{alias}}
}

type summaryOutput struct {
	SummaryMap map[string]int32 `aws:",keep"`
}

// summary gives the counters and quotas their names. What this server does not
// have counts 0.
func summary(s ops.Summary) summaryOutput {
	l := &s.Limits
	return summaryOutput{map[string]int32{
		"Users": whole(s.Users), "Groups": whole(s.Groups), "Roles": whole(s.Roles), "Policies": whole(s.Policies),
		"PolicyVersionsInUse": whole(s.PolicyVersions), "MFADevices": whole(s.Factors), "MFADevicesInUse": whole(s.FactorsInUse),
		"AccountMFAEnabled": present(s.RootFactors > 0), "AccountAccessKeysPresent": present(s.RootKeys > 0), "AccountPasswordPresent": present(s.RootPassword),
		"AccountSigningCertificatesPresent": 0, "InstanceProfiles": 0, "Providers": 0, "ServerCertificates": 0,

		"UsersQuota": quota(l.Users), "GroupsQuota": quota(l.Groups), "RolesQuota": quota(l.Roles), "PoliciesQuota": quota(l.Policies),
		"GroupsPerUserQuota": quota(l.GroupsPerUser), "AccessKeysPerUserQuota": quota(l.KeysPerUser),
		"AttachedPoliciesPerUserQuota": quota(l.AttachedPerUser), "AttachedPoliciesPerGroupQuota": quota(l.AttachedPerGroup),
		"AttachedPoliciesPerRoleQuota": quota(l.AttachedPerRole), "VersionsPerPolicyQuota": quota(l.VersionsPerPolicy),
		"PolicySizeQuota": quota(l.PolicySize), "UserPolicySizeQuota": quota(l.UserInline), "GroupPolicySizeQuota": quota(l.GroupInline),
		"RolePolicySizeQuota": quota(l.RoleInline), "AssumeRolePolicySizeQuota": quota(l.TrustSize),
		"PolicyVersionsInUseQuota": quota(0), "InstanceProfilesQuota": 1000, "ServerCertificatesQuota": 20,
		"SigningCertificatesPerUserQuota": 2, "GlobalEndpointTokenVersion": 1,
	}}
}

func whole(n int) int32 { return int32(min(n, math.MaxInt32)) }

// quota is a limit, the largest number there is when there is none.
func quota(n int) int32 { return whole(cmp.Or(n, math.MaxInt32)) }

func present(b bool) int32 {
	if b {
		return 1
	}
	return 0
}
