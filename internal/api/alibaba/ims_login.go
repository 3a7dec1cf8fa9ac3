package alibaba

import (
	"warifu/internal/iam"
	"warifu/internal/ops"
)

func imsLogins() []action {
	of := serviceIMS
	return []action{
		bind(of, "CreateLoginProfile", ops.CreateRAMLoginProfile, (*imsLoginInput).created, func(sc *scene, d *ops.LoginDetail) imsLoginOutput {
			return imsLoginOutput{newIMSLogin(sc, d)}
		}),
		bind(of, "GetLoginProfile", ops.GetRAMLoginProfile, (*upnInput).in, func(sc *scene, d *ops.LoginDetail) imsGotLoginOutput {
			return imsGotLoginOutput{imsGotLogin{newIMSLogin(sc, d), idle(d), when(d.User.PasswordUsed)}}
		}),
		bind(of, "UpdateLoginProfile", ops.UpdateRAMLoginProfile, (*imsLoginInput).updated, func(sc *scene, d *ops.LoginDetail) imsUpdatedLoginOutput {
			return imsUpdatedLoginOutput{imsUpdatedLogin{newIMSLogin(sc, d), idle(d)}}
		}),
		bind(of, "DeleteLoginProfile", ops.DeleteLoginProfile, (*upnInput).in, nothingMore),
		plain(of, "ChangePassword", ops.ChangePassword, (*changePasswordInput).in, none),
	}
}

type imsLogin struct {
	UserPrincipalName     string
	PasswordResetRequired bool
	MFABindRequired       bool
	Status                string
	PasswordStatus        string
	UpdateDate            string
}

func newIMSLogin(sc *scene, d *ops.LoginDetail) imsLogin {
	out := imsLogin{sc.upn(d.User.Name), d.ResetRequired, d.MFARequired, "Active", "NotInitial", when(d.Changed)}
	if !d.Disabled.IsZero() {
		out.Status = "Inactive"
	}
	switch {
	case d.Lapsed:
		out.PasswordStatus = "InitialExpired"
	case d.ResetRequired:
		out.PasswordStatus = "InitialValid"
	}
	return out
}

// idle tells whether a password was turned off because nobody used it.
func idle(d *ops.LoginDetail) string {
	if d.DisabledFor == iam.DisabledIdle {
		return "Disabled"
	}
	return "Enabled"
}

type imsLoginOutput struct{ LoginProfile imsLogin }

type imsGotLogin struct {
	imsLogin
	AutoDisableLoginStatus string
	LastLoginTime          string
}

type imsGotLoginOutput struct{ LoginProfile imsGotLogin }

type imsUpdatedLogin struct {
	imsLogin
	AutoDisableLoginStatus string
}

type imsUpdatedLoginOutput struct{ LoginProfile imsUpdatedLogin }

type imsLoginInput struct {
	upnInput
	Password              string
	PasswordResetRequired *bool
	MFABindRequired       *bool
	Status                string
}

func (s *imsLoginInput) created(sc *scene) (ops.RAMLoginIn, error) {
	if s.Password == "" {
		return ops.RAMLoginIn{}, &failure{400, "MissingParameter", `The input parameter "Password" that is mandatory for processing this request is not supplied.`}
	}
	return s.updated(sc)
}

func (s *imsLoginInput) updated(sc *scene) (ops.RAMLoginIn, error) {
	ref, err := sc.user(s.UserPrincipalName)
	in := ops.RAMLoginIn{User: ref, Password: secret(s.Password), ResetRequired: s.PasswordResetRequired, MFARequired: s.MFABindRequired}
	switch s.Status {
	case "":
	case "Active", "Inactive":
		on := s.Status == "Active"
		in.Active = &on
	default:
		return in, &failure{400, "InvalidParameter.Status", `The parameter - "Status" must be Active or Inactive.`}
	}
	return in, err
}
