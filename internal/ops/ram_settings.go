package ops

import (
	"context"
	"strconv"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/insight"
)

// GetPasswordPolicy reads the password policy that is in force, whether the account
// has set one or not.
var GetPasswordPolicy = varied(GetAccountPasswordPolicy, asIs, func(env *Env, _ struct{}) (PasswordPolicy, error) {
	return env.passwordPolicy()
})

// PasswordPolicyChange is the input of ChangePasswordPolicy; what is nil stays.
type PasswordPolicyChange struct {
	MinimumLength, MaxAge, ReusePrevention                             *int
	MaxLoginAttempts, InitialAge, DifferentCharacters                  *int
	RequireSymbols, RequireNumbers, RequireUppercase, RequireLowercase *bool
	HardExpiry, NotContainName                                         *bool
}

func (c *PasswordPolicyChange) apply(p *PasswordPolicy) {
	set(&p.MinimumLength, c.MinimumLength)
	set(&p.MaxAge, c.MaxAge)
	set(&p.ReusePrevention, c.ReusePrevention)
	set(&p.MaxLoginAttempts, c.MaxLoginAttempts)
	set(&p.InitialAge, c.InitialAge)
	set(&p.DifferentCharacters, c.DifferentCharacters)
	set(&p.RequireSymbols, c.RequireSymbols)
	set(&p.RequireNumbers, c.RequireNumbers)
	set(&p.RequireUppercase, c.RequireUppercase)
	set(&p.RequireLowercase, c.RequireLowercase)
	set(&p.HardExpiry, c.HardExpiry)
	set(&p.NotContainName, c.NotContainName)
}

func (c PasswordPolicyChange) record() audit.Fields {
	f := audit.Fields{}
	for called, n := range map[string]*int{
		"minimumPasswordLength": c.MinimumLength, "maxPasswordAge": c.MaxAge, "passwordReusePrevention": c.ReusePrevention,
		"maxLoginAttempts": c.MaxLoginAttempts, "initialPasswordAge": c.InitialAge, "minimumPasswordDifferentCharacter": c.DifferentCharacters,
	} {
		if n != nil {
			f[called] = strconv.Itoa(*n)
		}
	}
	for called, b := range map[string]*bool{
		"requireSymbols": c.RequireSymbols, "requireNumbers": c.RequireNumbers, "requireUppercaseCharacters": c.RequireUppercase,
		"requireLowercaseCharacters": c.RequireLowercase, "hardExpiry": c.HardExpiry, "passwordNotContainUserName": c.NotContainName,
	} {
		if b != nil {
			f[called] = strconv.FormatBool(*b)
		}
	}
	return f
}

// ChangePasswordPolicy sets some of the account's password policy, and tells all of
// it.
//
// Errors: Invalid.
var ChangePasswordPolicy = Op[PasswordPolicyChange, PasswordPolicy]{
	Name:   SetPasswordPolicy.Name,
	Grants: SetPasswordPolicy.Grants,
	Mode:   Write,
	Needs:  recently,
	Target: passwordPolicyTarget[PasswordPolicyChange],
	Record: PasswordPolicyChange.record,
	Do: func(env *Env, in PasswordPolicyChange) (PasswordPolicy, error) {
		p, err := env.passwordPolicy()
		if err != nil {
			return p, err
		}
		in.apply(&p)
		return p, env.setPasswordPolicy(p)
	},
}

// SetDefaultDomain makes the account's alias that of a default domain; "" takes the
// alias away.
//
// Errors: Invalid; Exists when another account has it.
var SetDefaultDomain = Op[AliasIn, struct{}]{
	Name:   "SetDefaultDomain",
	Grants: Names{AWS: "iam:CreateAccountAlias", RAM: "ram:SetDefaultDomain"},
	Mode:   Write,
	Needs:  recently,
	Target: aliasTarget,
	Record: AliasIn.record,
	Do: func(env *Env, in AliasIn) (none struct{}, err error) {
		if in.Alias == "" {
			return none, env.Tx.SetAlias(env.Call.Caller.Account, "")
		}
		return CreateAccountAlias.Do(env, in)
	},
}

// UserSSO tells whether users sign in by the word of an identity provider of their own.
// They never do: a provider vouches for roles (AssumeRoleWithSAML, AssumeRoleWithOIDC),
// and users prove their own password and factors here.
var UserSSO = Op[struct{}, bool]{
	Name:   "GetUserSsoSettings",
	Grants: Names{AWS: "iam:GetAccountSummary", RAM: "ram:GetUserSsoSettings"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "account"}, nil },
	Do:     func(*Env, struct{}) (bool, error) { return false, nil },
}

// Practice is how well an account keeps to what Alibaba Cloud advises. Score is that of
// GetInsight.
type Practice struct {
	Score                                 int // 0 to 100
	RootMFA                               bool
	RootKeys, Users, UsersWithMFA         int
	OldKeys, UnusedKeys                   int // of users
	UsersWithOldKeys, UsersWithUnusedKeys int
	Passwords                             PasswordPolicy
}

// GetAccountSecurityPracticeReport tells how well the account keeps to good practice.
var GetAccountSecurityPracticeReport = Op[struct{}, *Practice]{
	Name:   "GetAccountSecurityPracticeReport",
	Grants: Names{AWS: "iam:GetAccountSummary", RAM: "ram:GetAccountSecurityPracticeReport"},
	Before: func(ctx context.Context, s *Server, _ *Call, none struct{}) (struct{}, error) {
		return none, s.refresh(ctx)
	},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "account"}, nil },
	Do: func(env *Env, _ struct{}) (*Practice, error) {
		f, err := env.facts()
		if err != nil {
			return nil, err
		}
		p := &Practice{Score: insight.Judge(f).Score}
		if p.Passwords, err = env.passwordPolicy(); err != nil {
			return nil, err
		}
		for i := range f.Rows {
			p.add(env, &f.Rows[i])
		}
		return p, nil
	},
}

func (p *Practice) add(env *Env, r *iam.CredentialRow) {
	if r.Root {
		p.RootMFA, p.RootKeys = r.MFA, len(r.Keys)
		return
	}
	p.Users++
	if r.MFA {
		p.UsersWithMFA++
	}
	old, unused := 0, 0
	for _, k := range r.Keys {
		if !k.Active {
			continue
		}
		if env.Now.Sub(k.Created) > KeyOld {
			old++
		}
		last := k.Created
		if k.Used.After(last) {
			last = k.Used
		}
		if env.Now.Sub(last) > KeyIdle {
			unused++
		}
	}
	p.OldKeys, p.UnusedKeys = p.OldKeys+old, p.UnusedKeys+unused
	p.UsersWithOldKeys, p.UsersWithUnusedKeys = p.UsersWithOldKeys+min(old, 1), p.UsersWithUnusedKeys+min(unused, 1)
}
