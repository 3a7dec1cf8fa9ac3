package alibaba

import (
	"strings"

	"warifu/internal/name"
	"warifu/internal/ops"
)

func imsAccount() []action {
	of := serviceIMS
	return []action{
		bind(of, "GetDefaultDomain", ops.ListAccountAliases, func(*nothing, *scene) (struct{}, error) { return struct{}{}, nil },
			func(sc *scene, _ string) domainOutput { return domainOutput{sc.domain()} }),
		bind(of, "SetDefaultDomain", ops.SetDefaultDomain, (*domainInput).in, func(sc *scene, _ struct{}) domainOutput { return domainOutput{sc.domain()} }),
		plain(of, "GetPasswordPolicy", ops.GetPasswordPolicy, noInput, imsPasswords),
		plain(of, "SetPasswordPolicy", ops.ChangePasswordPolicy, (*imsPasswordInput).in, imsPasswords),
		plain(of, "GetSecurityPreference", ops.GetSecurityPreferences, noInput, imsPreferences),
		plain(of, "SetSecurityPreference", ops.SetSecurityPreference, (*imsPreferenceInput).in, imsPreferences),
		plain(of, "GetAccountSummary", ops.GetAccountSummary, noInput, func(s ops.Summary) summaryOutput { return summaryOutput{newSummary(s)} }),
		plain(of, "GetUserSsoSettings", ops.UserSSO, noInput, func(on bool) ssoOutput { return ssoOutput{ssoSettings{SsoEnabled: on}} }),
	}
}

type domainInput struct {
	DefaultDomainName string `req:"true" len:"1,64"`
}

// in is the alias that a default domain has before its first dot. The one with the
// account's number is that of an account without alias.
func (s *domainInput) in(sc *scene) (ops.AliasIn, error) {
	alias, _, _ := strings.Cut(s.DefaultDomainName, ".")
	if alias == "" || name.Domain(sc.Caller.Account, alias) != s.DefaultDomainName {
		return ops.AliasIn{}, &failure{400, "InvalidParameter.DefaultDomainName.Format", `The parameter - "DefaultDomainName" must be an alias and ` + strings.TrimPrefix(name.Domain(sc.Caller.Account, "x"), "x") + "."}
	}
	if alias == sc.Caller.Account.UID() {
		alias = ""
	}
	return ops.AliasIn{Alias: alias}, nil
}

type domainOutput struct{ DefaultDomainName string }

type ssoOutput struct{ UserSsoSettings ssoSettings }

// ssoSettings are empty where users do not sign in at a provider of their own.
type ssoSettings struct {
	AuthnSignAlgo      string
	AuxiliaryDomain    string
	MetadataDocument   string
	SsoEnabled         bool
	SsoLoginWithDomain bool
}

type imsPreferenceInput struct {
	ramPreferenceFields
	AllowUserToLoginWithPasskey         *bool
	AllowUserToManagePersonalDingTalk   *bool
	AllowUserToManageServiceCredentials *bool
	VerificationTypes                   []string
	MFAOperationForLogin                *string
	OperationForRiskLogin               *string
	EnforceMFAForLogin                  *bool
	MaxIdleDaysForUsers                 *int
	MaxIdleDaysForAccessKeys            *int
}

func (s *imsPreferenceInput) in() ops.SetSecurityPreferenceIn {
	in := s.ramPreferenceFields.in()
	in.AllowUserToLoginWithPasskey, in.AllowUserToManagePersonalDingTalk = s.AllowUserToLoginWithPasskey, s.AllowUserToManagePersonalDingTalk
	in.AllowUserToManageServiceCredentials, in.VerificationTypes = s.AllowUserToManageServiceCredentials, s.VerificationTypes
	in.MFAOperationForLogin, in.OperationForRiskLogin, in.EnforceMFAForLogin = s.MFAOperationForLogin, s.OperationForRiskLogin, s.EnforceMFAForLogin
	in.MaxIdleDaysForUsers, in.MaxIdleDaysForAccessKeys = s.MaxIdleDaysForUsers, s.MaxIdleDaysForAccessKeys
	return in
}

type imsPreferenceOutput struct{ SecurityPreference imsPreference }

type imsPreference struct {
	AccessKeyPreference struct {
		AllowUserToManageAccessKeys         bool
		AllowUserToManageServiceCredentials bool
	}
	LoginProfilePreference struct {
		AllowUserToChangePassword   bool
		AllowUserToLoginWithPasskey bool
		EnableSaveMFATicket         bool
		LoginNetworkMasks           string
		LoginSessionDuration        int
		MFAOperationForLogin        string
		OperationForRiskLogin       string
	}
	MFAPreference struct{ AllowUserToManageMFADevices bool }
	MaxIdleDays   struct {
		MaxIdleDaysForAccessKeys int
		MaxIdleDaysForUsers      int
	}
	PersonalInfoPreference struct{ AllowUserToManagePersonalDingTalk bool }
	VerificationPreference struct{ VerificationTypes []string }
}

func imsPreferences(p ops.SecurityPreferences) (out imsPreferenceOutput) {
	x := &out.SecurityPreference
	x.AccessKeyPreference.AllowUserToManageAccessKeys = p.OwnAccessKeys
	x.AccessKeyPreference.AllowUserToManageServiceCredentials = p.OwnServiceCredentials
	l := &x.LoginProfilePreference
	l.AllowUserToChangePassword, l.AllowUserToLoginWithPasskey, l.EnableSaveMFATicket = p.OwnPassword, p.PasskeySignIn, p.Remember
	l.LoginNetworkMasks, l.LoginSessionDuration = p.NetworkMasks, p.SessionHours
	l.MFAOperationForLogin, l.OperationForRiskLogin = string(p.MFAForLogin), string(p.RiskLogin)
	x.MFAPreference.AllowUserToManageMFADevices = p.OwnFactors
	x.MaxIdleDays.MaxIdleDaysForAccessKeys, x.MaxIdleDays.MaxIdleDaysForUsers = p.IdleDaysKeys, p.IdleDaysUsers
	x.PersonalInfoPreference.AllowUserToManagePersonalDingTalk = p.OwnDingTalk
	x.VerificationPreference.VerificationTypes = p.VerificationTypes()
	return out
}

// summary has what is counted here; a quota of 0 is none.
type summary struct {
	AccessKeysPerUserQuota                   int
	AccountAccessKeysPerAccountQuota         int
	AttachedPoliciesPerGroupQuota            int
	AttachedPoliciesPerRoleQuota             int
	AttachedPoliciesPerUserQuota             int
	AttachedSystemPoliciesPerGroupQuota      int
	AttachedSystemPoliciesPerRoleQuota       int
	AttachedSystemPoliciesPerUserQuota       int
	AuthorizedClientPerUserQuota             int
	ConditionsPerAKPolicyQuota               int
	Groups                                   int
	GroupsPerUserQuota                       int
	GroupsQuota                              int
	IPItemsPerAKPolicyQuota                  int
	MFADevices                               int
	MFADevicesInUse                          int
	Policies                                 int
	PoliciesQuota                            int
	PolicySizeQuota                          int
	Roles                                    int
	RolesQuota                               int
	ServiceCredentialsPerUserPerServiceQuota int
	Users                                    int
	UsersQuota                               int
	VersionsPerPolicyQuota                   int
	VirtualMFADevicesQuota                   int
}

type summaryOutput struct{ SummaryMap summary }

func newSummary(s ops.Summary) summary {
	l := s.Limits
	return summary{
		AccessKeysPerUserQuota: l.KeysPerUser, AccountAccessKeysPerAccountQuota: l.KeysPerUser,
		AttachedPoliciesPerGroupQuota: l.AttachedPerGroup, AttachedPoliciesPerRoleQuota: l.AttachedPerRole, AttachedPoliciesPerUserQuota: l.AttachedPerUser,
		AttachedSystemPoliciesPerGroupQuota: l.AttachedPerGroup, AttachedSystemPoliciesPerRoleQuota: l.AttachedPerRole,
		AttachedSystemPoliciesPerUserQuota: l.AttachedPerUser,
		Groups:                             s.Groups, GroupsPerUserQuota: l.GroupsPerUser, GroupsQuota: l.Groups,
		MFADevices: s.Factors, MFADevicesInUse: s.FactorsInUse, Policies: s.Policies, PoliciesQuota: l.Policies, PolicySizeQuota: l.PolicySize,
		Roles: s.Roles, RolesQuota: l.Roles, Users: s.Users, UsersQuota: l.Users, VersionsPerPolicyQuota: l.VersionsPerPolicy,
	}
}
