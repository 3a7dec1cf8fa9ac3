package alibaba

import (
	"warifu/internal/ops"
)

func ramAccount() []action {
	of := serviceRAM
	return []action{
		plain(of, "SetAccountAlias", ops.CreateAccountAlias, func(s *aliasInput) ops.AliasIn { return ops.AliasIn{Alias: s.AccountAlias} }, none),
		plain(of, "GetAccountAlias", ops.ListAccountAliases, noInput, func(alias string) aliasOutput { return aliasOutput{alias} }),
		plain(of, "ClearAccountAlias", ops.ClearAccountAlias, noInput, none),
		plain(of, "GetSecurityPreference", ops.GetSecurityPreferences, noInput, ramPreferences),
		plain(of, "SetSecurityPreference", ops.SetSecurityPreference, func(s *ramPreferenceInput) ops.SetSecurityPreferenceIn { return s.in() }, ramPreferences),
		plain(of, "GetPasswordPolicy", ops.GetPasswordPolicy, noInput, ramPasswords),
		plain(of, "SetPasswordPolicy", ops.ChangePasswordPolicy, (*ramPasswordInput).in, ramPasswords),
		plain(of, "DecodeDiagnosticMessage", ops.DecodeDiagnosticMessage, func(s *diagnosticInput) ops.DecodeAuthorizationMessageIn {
			return ops.DecodeAuthorizationMessageIn{Encoded: s.EncodedDiagnosticMessage}
		}, func(d *ops.Diagnosis) diagnosticOutput { return diagnosticOutput{*d} }),
	}
}

type aliasInput struct {
	AccountAlias string `req:"true" len:"3,32"`
}

type aliasOutput struct{ AccountAlias string }

type diagnosticInput struct {
	EncodedDiagnosticMessage string `req:"true"`
}

type diagnosticOutput struct{ DecodedDiagnosticMessage ops.Diagnosis }

type ramPreferenceInput struct {
	ramPreferenceFields
	AllowUserToManagePublicKeys *bool // there are no public keys of users
}

// ramPreferenceFields are the preferences that both versions have.
type ramPreferenceFields struct {
	EnableSaveMFATicket         *bool
	AllowUserToChangePassword   *bool
	AllowUserToManageAccessKeys *bool
	AllowUserToManageMFADevices *bool
	LoginSessionDuration        *int
	LoginNetworkMasks           *string
}

func (s *ramPreferenceFields) in() ops.SetSecurityPreferenceIn {
	return ops.SetSecurityPreferenceIn{
		EnableSaveMFATicket: s.EnableSaveMFATicket, AllowUserToChangePassword: s.AllowUserToChangePassword,
		AllowUserToManageAccessKeys: s.AllowUserToManageAccessKeys, AllowUserToManageMFADevices: s.AllowUserToManageMFADevices,
		LoginSessionDuration: s.LoginSessionDuration, LoginNetworkMasks: s.LoginNetworkMasks,
	}
}

type ramPreferenceOutput struct{ SecurityPreference ramPreference }

type ramPreference struct {
	AccessKeyPreference    struct{ AllowUserToManageAccessKeys bool }
	LoginProfilePreference struct {
		AllowUserToChangePassword bool
		EnableSaveMFATicket       bool
		LoginNetworkMasks         string
		LoginSessionDuration      int
	}
	MFAPreference       struct{ AllowUserToManageMFADevices bool }
	PublicKeyPreference struct{ AllowUserToManagePublicKeys bool } // never: there are no public keys of users
}

func ramPreferences(p ops.SecurityPreferences) (out ramPreferenceOutput) {
	x := &out.SecurityPreference
	x.AccessKeyPreference.AllowUserToManageAccessKeys = p.OwnAccessKeys
	x.LoginProfilePreference.AllowUserToChangePassword = p.OwnPassword
	x.LoginProfilePreference.EnableSaveMFATicket = p.Remember
	x.LoginProfilePreference.LoginNetworkMasks = p.NetworkMasks
	x.LoginProfilePreference.LoginSessionDuration = p.SessionHours
	x.MFAPreference.AllowUserToManageMFADevices = p.OwnFactors
	return out
}
