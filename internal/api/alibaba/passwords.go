package alibaba

import (
	"warifu/internal/ops"
)

// passwordRules are what both versions ask of passwords. What is left out stays.
type passwordRules struct {
	MinimumPasswordLength      *int `range:"8,32"`
	RequireLowercaseCharacters *bool
	RequireUppercaseCharacters *bool
	RequireNumbers             *bool
	RequireSymbols             *bool
	MaxLoginAttemps            *int `range:"0,32"`
	MaxPasswordAge             *int `range:"0,1095"`
	PasswordReusePrevention    *int `range:"0,24"`
}

func (s *passwordRules) change() ops.PasswordPolicyChange {
	return ops.PasswordPolicyChange{
		MinimumLength: s.MinimumPasswordLength, MaxAge: s.MaxPasswordAge, ReusePrevention: s.PasswordReusePrevention,
		MaxLoginAttempts: s.MaxLoginAttemps, RequireSymbols: s.RequireSymbols, RequireNumbers: s.RequireNumbers,
		RequireUppercase: s.RequireUppercaseCharacters, RequireLowercase: s.RequireLowercaseCharacters,
	}
}

// passwordRulesOut are the same in an answer.
type passwordRulesOut struct {
	MinimumPasswordLength      int
	RequireLowercaseCharacters bool
	RequireUppercaseCharacters bool
	RequireNumbers             bool
	RequireSymbols             bool
	MaxLoginAttemps            int
	MaxPasswordAge             int
	PasswordReusePrevention    int
}

func newPasswordRules(p ops.PasswordPolicy) passwordRulesOut {
	return passwordRulesOut{
		p.MinimumLength, p.RequireLowercase, p.RequireUppercase, p.RequireNumbers, p.RequireSymbols, p.MaxLoginAttempts, p.MaxAge, p.ReusePrevention,
	}
}

// RAM spells HardExpiry what IMS spells HardExpire.
type ramPasswordInput struct {
	passwordRules
	HardExpiry *bool
}

func (s *ramPasswordInput) in() ops.PasswordPolicyChange {
	c := s.change()
	c.HardExpiry = s.HardExpiry
	return c
}

type ramPasswordPolicy struct {
	passwordRulesOut
	HardExpiry bool
}

type ramPasswordOutput struct{ PasswordPolicy ramPasswordPolicy }

func ramPasswords(p ops.PasswordPolicy) ramPasswordOutput {
	return ramPasswordOutput{ramPasswordPolicy{newPasswordRules(p), p.HardExpiry}}
}

type imsPasswordInput struct {
	passwordRules
	HardExpire                        *bool
	InitialPasswordAge                *int `range:"0,90"`
	MinimumPasswordDifferentCharacter *int `range:"0,8"`
	PasswordNotContainUserName        *bool
	InterceptRiskPasswordOnApi        *bool // widely known passwords are refused whatever it says
}

func (s *imsPasswordInput) in() ops.PasswordPolicyChange {
	c := s.change()
	c.HardExpiry, c.InitialAge, c.DifferentCharacters, c.NotContainName = s.HardExpire, s.InitialPasswordAge, s.MinimumPasswordDifferentCharacter, s.PasswordNotContainUserName
	return c
}

type imsPasswordPolicy struct {
	passwordRulesOut
	HardExpire                        bool
	InitialPasswordAge                int
	MinimumPasswordDifferentCharacter int
	PasswordNotContainUserName        bool
	InterceptRiskPasswordOnApi        bool
}

type imsPasswordOutput struct{ PasswordPolicy imsPasswordPolicy }

func imsPasswords(p ops.PasswordPolicy) imsPasswordOutput {
	return imsPasswordOutput{imsPasswordPolicy{newPasswordRules(p), p.HardExpiry, p.InitialAge, p.DifferentCharacters, p.NotContainName, true}}
}
