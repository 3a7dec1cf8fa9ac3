package ops

import (
	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/signin"
)

// originated notes of every setting whose value differs who changed it, and where.
// aliases are the settings that were set by a name that is out of use.
func (env *Env) originated(old, next audit.Fields, aliases map[string]string) error {
	for setting, value := range next {
		if old[setting] == value {
			continue
		}
		o := iam.Origin{Setting: setting, At: env.Now, By: env.callerName(), Door: env.Call.Source.Door, Alias: aliases[setting]}
		if err := env.Tx.PutOrigin(env.Call.Caller.Account, &o); err != nil {
			return err
		}
	}
	return nil
}

// EffectivePreferences are what an account asks of those who sign in, and all that
// has a say in it besides.
type EffectivePreferences struct {
	SecurityPreferences // with Sources

	// Origins says of settings, called as the trail calls them, who set them last:
	// of the preferences and of the password policy. One that is not there was not
	// set since origins are kept.
	Origins map[string]iam.Origin

	ChangesOwn bool // the password policy lets users change their password, whatever OwnPassword says (AWS: AllowUsersToChangePassword)
	Required   int  // users of whom an administrator asks a second factor, whatever the account asks
	Mail, SMS  bool // the server can send
	Passkeys   bool // the server has an address that passkeys can be bound to
}

// GetEffectivePreferences reads what is in force for those who sign in, and where
// it comes from.
var GetEffectivePreferences = Op[struct{}, *EffectivePreferences]{
	Name:   "GetEffectivePreferences",
	Grants: GetSecurityPreferences.Grants,
	Target: GetSecurityPreferences.Target,
	Do: func(env *Env, _ struct{}) (*EffectivePreferences, error) {
		a := env.Call.Caller.Account
		e := &EffectivePreferences{
			Origins: map[string]iam.Origin{}, Mail: env.post.on(iam.ChannelMail), SMS: env.post.on(iam.ChannelSMS), Passkeys: env.passkeys.rp != nil,
		}
		var err error
		if e.SecurityPreferences, err = env.Tx.Preferences(a); err != nil {
			return nil, err
		}
		if e.Sources, err = oracleSignInFrom(env.Tx, a); err != nil {
			return nil, err
		}
		rules, err := env.passwordPolicy()
		if err != nil {
			return nil, err
		}
		e.ChangesOwn = rules.AllowUsersToChange
		if e.Required, err = env.Tx.CountMFARequired(a); err != nil {
			return nil, err
		}
		all, err := env.Tx.Origins(a)
		for _, o := range all {
			e.Origins[o.Setting] = o
		}
		return e, err
	},
}

// SignInRule is what is in force for one user at sign-in.
type SignInRule = signin.Rule

// GetSignInRule tells when a user is asked for a second factor, and why: what the
// account, an administrator and the user's own factors come to.
//
// Errors: NotFound user.
var GetSignInRule = Op[UserIn, *SignInRule]{
	Name:   "GetSignInRule",
	Grants: GetLoginProfile.Grants,
	Target: func(env *Env, in UserIn) (Target, error) { return env.userTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (*SignInRule, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		wanted, err := env.Tx.Preferences(u.Account)
		if err != nil {
			return nil, err
		}
		bound, err := env.Tx.FactorCount(u.Account, u.ID)
		if err != nil {
			return nil, err
		}
		p, err := env.Tx.LoginProfile(u.Account, u.ID)
		if ignoreMissing(err) != nil {
			return nil, err
		}
		rule := signin.RuleOf(signin.Facts{Root: u.Root, Bound: bound > 0, Wanted: wanted, MFARequired: p != nil && p.MFARequired})
		return &rule, nil
	},
}
