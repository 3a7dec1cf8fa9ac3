package ops

import (
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/signin"
	"warifu/internal/store"
	"warifu/policy"
)

// SecurityPreferences are what an account asks of those who sign in.
type SecurityPreferences = iam.Preferences

// GetSecurityPreferences reads what the account asks of those who sign in: the
// defaults, if it set none.
var GetSecurityPreferences = Op[struct{}, SecurityPreferences]{
	Name:   "GetSecurityPreferences",
	Grants: Names{AWS: "warifu:GetSecurityPreferences"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "preferences"}, nil },
	Do: func(env *Env, _ struct{}) (SecurityPreferences, error) {
		return env.Tx.Preferences(env.Call.Caller.Account)
	},
}

// preferencesTarget is the target of an operation that sets preferences. As with
// blocks: who may not manage IAM may not do this.
func preferencesTarget(mode iam.MFAMode) Target {
	t := Target{Noun: "preferences", Also: []Need{{Grants: Names{AWS: "iam:UpdateAccountPasswordPolicy"}}}}
	if mode != "" {
		t.key("ram:MFAOperationForLogin", policy.String(string(mode)))
	}
	return t
}

// SetSecurityPreferencesIn are preferences as a whole, as a page has them.
type SetSecurityPreferencesIn struct {
	SecurityPreferences
	Confirmed bool // the person was told that it would shut itself out
}

// SetSecurityPreferences sets what the account asks of those who sign in, as a
// whole. It takes effect at once, on open sessions, too.
//
// Errors: Invalid; Conflict, noun "own way in", when the person who asks could not
// sign in from here any more and has not confirmed it.
var SetSecurityPreferences = Op[SetSecurityPreferencesIn, struct{}]{
	Name:   "SetSecurityPreferences",
	Grants: Names{AWS: "warifu:SetSecurityPreferences"},
	Mode:   Write,
	Needs:  recently,
	Target: func(_ *Env, in SetSecurityPreferencesIn) (Target, error) {
		return preferencesTarget(in.MFAForLogin), nil
	},
	Record: func(in SetSecurityPreferencesIn) audit.Fields { return preferenceFields(&in.SecurityPreferences) },
	Do: func(env *Env, in SetSecurityPreferencesIn) (none struct{}, err error) {
		if err := in.Check(); err != nil {
			return none, err
		}
		out, err := env.shutsOut(&in.SecurityPreferences)
		if err != nil {
			return none, err
		}
		if out && !in.Confirmed {
			return none, fault.Of(fault.Conflict, "own way in", "")
		}
		return none, env.setPreferences(in.SecurityPreferences, nil)
	},
}

// shutsOut reports whether the person in the console who asks could not sign in
// from where it is now, or with the factors that it has.
func (env *Env) shutsOut(p *iam.Preferences) (bool, error) {
	c := &env.Call.Caller
	if c.Console == nil || c.User.Root {
		return false, nil
	}
	if !p.Admits(env.Call.Source.IP) {
		return true, nil
	}
	all, err := env.Tx.Factors(c.Account, c.User.ID)
	if err != nil {
		return false, err
	}
	bound, usable := false, false
	for i := range all {
		if k := all[i].Kind; k.Primary() {
			bound, usable = true, usable || p.Accepts(k)
		}
	}
	if bound {
		return !usable, nil
	}
	profile, err := env.Tx.LoginProfile(c.Account, c.User.ID)
	if err != nil {
		return false, ignoreMissing(err)
	}
	return p.LinkOnly && asksToBind(p, profile.MFARequired) == signin.AskedToBind, nil
}

// setPreferences keeps preferences that were checked, and who changed which of
// them. What browsers remembered is void once they may not remember any more.
func (env *Env) setPreferences(p iam.Preferences, aliases map[string]string) error {
	a := env.Call.Caller.Account
	now, err := env.Tx.Preferences(a)
	if err != nil {
		return err
	}
	if err := env.originated(preferenceFields(&now), preferenceFields(&p), aliases); err != nil {
		return err
	}
	p.Root = now.Root // which SetRootRules alone sets
	p.Changed, p.By, p.Sources = env.Now, env.callerName(), ""
	if !p.Remember {
		if _, err := env.Tx.DeleteAllRemembered(a, 0); err != nil {
			return err
		}
	}
	return env.Tx.SetPreferences(a, p)
}

// preferenceFields are preferences as the trail has them.
func preferenceFields(p *iam.Preferences) audit.Fields {
	return audit.Fields{
		"allowUserToChangePassword": strconv.FormatBool(p.OwnPassword), "allowUserToManageAccessKeys": strconv.FormatBool(p.OwnAccessKeys),
		"allowUserToManageMFADevices": strconv.FormatBool(p.OwnFactors), "allowUserToManagePersonalDingTalk": strconv.FormatBool(p.OwnDingTalk),
		"allowUserToManageServiceCredentials": strconv.FormatBool(p.OwnServiceCredentials),
		"allowUserToLoginWithPasskey":         strconv.FormatBool(p.PasskeySignIn), "enableSaveMFATicket": strconv.FormatBool(p.Remember),
		"loginSessionDuration": strconv.Itoa(p.SessionHours), "sessionIdle": strconv.Itoa(p.SessionIdle),
		"loginNetworkMasks": p.NetworkMasks, "verificationTypes": strings.Join(p.VerificationTypes(), ","), "emailCodes": strconv.FormatBool(p.EmailCodes), "smsCodes": strconv.FormatBool(p.SMSCodes),
		"mfaOperationForLogin": string(p.MFAForLogin), "operationForRiskLogin": string(p.RiskLogin),
		"maxIdleDaysForUsers": strconv.Itoa(p.IdleDaysUsers), "maxIdleDaysForAccessKeys": strconv.Itoa(p.IdleDaysKeys),
		"linkOnly": strconv.FormatBool(p.LinkOnly), "ownBindingOnly": strconv.FormatBool(p.OwnBindingOnly),
		"bindMore": strconv.FormatBool(p.BindMore), "factorsPerUser": strconv.Itoa(p.FactorsPerUser),
		"rememberedIsMFA": strconv.FormatBool(p.RememberedIsMFA), "shadow": strconv.FormatBool(p.Shadow),
	}
}

// SetSecurityPreferenceIn are the parameters of Alibaba Cloud's operation (IMS
// API). What is nil was left out.
type SetSecurityPreferenceIn struct {
	EnableSaveMFATicket                 *bool
	AllowUserToChangePassword           *bool
	AllowUserToManageAccessKeys         *bool
	AllowUserToManageMFADevices         *bool
	AllowUserToLoginWithPasskey         *bool
	AllowUserToManagePersonalDingTalk   *bool
	AllowUserToManageServiceCredentials *bool
	LoginSessionDuration                *int
	LoginNetworkMasks                   *string
	VerificationTypes                   []string // nil = left out; empty = none
	MFAOperationForLogin                *string
	OperationForRiskLogin               *string // deprecated
	EnforceMFAForLogin                  *bool   // older than MFAOperationForLogin, which wins
	MaxIdleDaysForUsers                 *int
	MaxIdleDaysForAccessKeys            *int
}

// mode is the mode that the parameters ask for, "" when they say nothing of it.
func (in *SetSecurityPreferenceIn) mode() iam.MFAMode {
	switch {
	case in.MFAOperationForLogin != nil:
		return iam.MFAMode(*in.MFAOperationForLogin)
	case in.EnforceMFAForLogin != nil && *in.EnforceMFAForLogin:
		return iam.MFAMandatory
	case in.EnforceMFAForLogin != nil:
		return iam.MFAIndependent
	}
	return ""
}

// aliases are the settings that are set by a parameter which Alibaba Cloud has
// deprecated.
func (in *SetSecurityPreferenceIn) aliases() map[string]string {
	out := map[string]string{}
	if in.EnforceMFAForLogin != nil && in.MFAOperationForLogin == nil {
		out["mfaOperationForLogin"] = "EnforceMFAForLogin"
	}
	if in.OperationForRiskLogin != nil {
		out["operationForRiskLogin"] = "OperationForRiskLogin"
	}
	return out
}

// apply changes what was asked for. As at Alibaba Cloud, LoginNetworkMasks left
// out are cleared and LoginSessionDuration left out is 6 hours again; everything
// else that was left out stays.
func (in *SetSecurityPreferenceIn) apply(p *iam.Preferences) error {
	for _, b := range []struct {
		from *bool
		to   *bool
	}{
		{in.EnableSaveMFATicket, &p.Remember}, {in.AllowUserToChangePassword, &p.OwnPassword},
		{in.AllowUserToManageAccessKeys, &p.OwnAccessKeys}, {in.AllowUserToManageMFADevices, &p.OwnFactors},
		{in.AllowUserToLoginWithPasskey, &p.PasskeySignIn}, {in.AllowUserToManagePersonalDingTalk, &p.OwnDingTalk},
		{in.AllowUserToManageServiceCredentials, &p.OwnServiceCredentials},
	} {
		if b.from != nil {
			*b.to = *b.from
		}
	}
	if mode := in.mode(); mode != "" {
		p.MFAForLogin = mode
	} else if in.MFAOperationForLogin != nil {
		return fault.Field("MFAOperationForLogin", "MFAOperationForLogin must be mandatory, independent or adaptive")
	}
	if in.OperationForRiskLogin != nil {
		p.RiskLogin = iam.RiskMode(*in.OperationForRiskLogin)
	}
	p.NetworkMasks, p.SessionHours = "", iam.DefaultPreferences().SessionHours
	if in.LoginNetworkMasks != nil {
		p.NetworkMasks = *in.LoginNetworkMasks
	}
	if in.LoginSessionDuration != nil {
		p.SessionHours = *in.LoginSessionDuration
	}
	if in.MaxIdleDaysForUsers != nil {
		p.IdleDaysUsers = *in.MaxIdleDaysForUsers
	}
	if in.MaxIdleDaysForAccessKeys != nil {
		p.IdleDaysKeys = *in.MaxIdleDaysForAccessKeys
	}
	if in.VerificationTypes != nil {
		return p.SetVerificationTypes(in.VerificationTypes)
	}
	return nil
}

func (in *SetSecurityPreferenceIn) record() audit.Fields {
	fields := audit.Fields{}
	for name, b := range map[string]*bool{
		"enableSaveMFATicket": in.EnableSaveMFATicket, "allowUserToChangePassword": in.AllowUserToChangePassword,
		"allowUserToManageAccessKeys": in.AllowUserToManageAccessKeys, "allowUserToManageMFADevices": in.AllowUserToManageMFADevices,
		"allowUserToLoginWithPasskey": in.AllowUserToLoginWithPasskey, "allowUserToManagePersonalDingTalk": in.AllowUserToManagePersonalDingTalk,
		"allowUserToManageServiceCredentials": in.AllowUserToManageServiceCredentials, "enforceMFAForLogin": in.EnforceMFAForLogin,
	} {
		if b != nil {
			fields[name] = strconv.FormatBool(*b)
		}
	}
	for name, n := range map[string]*int{
		"loginSessionDuration": in.LoginSessionDuration, "maxIdleDaysForUsers": in.MaxIdleDaysForUsers,
		"maxIdleDaysForAccessKeys": in.MaxIdleDaysForAccessKeys,
	} {
		if n != nil {
			fields[name] = strconv.Itoa(*n)
		}
	}
	for name, s := range map[string]*string{
		"loginNetworkMasks": in.LoginNetworkMasks, "mfaOperationForLogin": in.MFAOperationForLogin, "operationForRiskLogin": in.OperationForRiskLogin,
	} {
		if s != nil {
			fields[name] = clipped(*s)
		}
	}
	if in.VerificationTypes != nil {
		fields["verificationTypes"] = clipped(strings.Join(in.VerificationTypes, ","))
	}
	return fields
}

// SetSecurityPreference is Alibaba Cloud's operation to the letter, with what it
// resets when it is left out; it returns what is in force then. Pages use
// SetSecurityPreferences, which resets nothing unasked. From the console it
// refuses what would shut the person out who asks.
//
// Errors: Invalid, whose noun is the parameter; Conflict, noun "own way in".
var SetSecurityPreference = Op[SetSecurityPreferenceIn, SecurityPreferences]{
	Name:   "SetSecurityPreference",
	Grants: Names{AWS: "warifu:SetSecurityPreferences"},
	Mode:   Write,
	Needs:  recently,
	Target: func(_ *Env, in SetSecurityPreferenceIn) (Target, error) { return preferencesTarget(in.mode()), nil },
	Record: func(in SetSecurityPreferenceIn) audit.Fields { return in.record() },
	Do: func(env *Env, in SetSecurityPreferenceIn) (p SecurityPreferences, err error) {
		if p, err = env.Tx.Preferences(env.Call.Caller.Account); err != nil {
			return p, err
		}
		if err := in.apply(&p); err != nil {
			return p, err
		}
		if err := p.Check(); err != nil {
			return p, err
		}
		if out, err := env.shutsOut(&p); err != nil || out {
			return p, orElse(err, fault.Of(fault.Conflict, "own way in", ""))
		}
		if err := env.setPreferences(p, in.aliases()); err != nil {
			return p, err
		}
		p.Changed, p.By = env.Now, env.callerName()
		return p, nil
	},
}

// orElse is err, or another when there is none.
func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// preferencesOf reads the preferences of an account, from memory while nothing in
// the account has changed: they are looked at in every request of a session.
func (s *Server) preferencesOf(tx *store.Tx, a name.Account, revision int64) (*iam.Preferences, error) {
	if p, ok := s.cache.preferences.get(a); ok && p.revision == revision {
		return &p.Preferences, nil
	}
	p, err := tx.Preferences(a)
	if err != nil {
		return nil, err
	}
	if p.Sources, err = oracleSignInFrom(tx, a); err != nil {
		return nil, err
	}
	kept := &keptPreferences{revision, p}
	s.cache.preferences.put(a, kept)
	return &kept.Preferences, nil
}

// keptPreferences are preferences as of a revision of their account.
type keptPreferences struct {
	revision int64
	iam.Preferences
}

// live reports whether a session may go on: it has run out neither by what it was
// opened with nor by what the account allows now, and comes from where the
// account lets users come from, or root (security checklist S-2, N-2).
func live(s *iam.Session, u *iam.User, p *iam.Preferences, call *Call, now time.Time) bool {
	return s.Live(now) && now.Before(p.Ends(s)) && now.Sub(s.Seen) < p.Idle() && admits(p, u, call)
}

// admits reports whether the account lets a user sign in from where a call comes
// from.
func admits(p *iam.Preferences, u *iam.User, call *Call) bool {
	if u.Root {
		return p.Root.Admits(call.Source.IP)
	}
	return p.Admits(call.Source.IP)
}

// own reports whether the account lets users in the console do something for
// themselves that no policy allows, when the caller is such a user and the target
// is its own. Requests that are signed with a key are governed by policy alone.
func (env *Env) own(target name.ID, lets func(*iam.Preferences) bool) (bool, error) {
	c := &env.Call.Caller
	if c.Console == nil || target == 0 || target != c.User.ID {
		return false, nil
	}
	wanted, err := env.preferencesOf(env.Tx, c.Account, c.revision)
	return err == nil && lets(wanted), err
}

func managesKeys(p *iam.Preferences) bool    { return p.OwnAccessKeys }
func managesFactors(p *iam.Preferences) bool { return p.OwnFactors }

// ownTarget is the target of an operation on a user's own keys or factors.
func (env *Env) ownTarget(r Ref, lets func(*iam.Preferences) bool) (Target, error) {
	t, err := env.userTarget(r)
	if err == nil {
		t.Granted, err = env.own(t.ID, lets)
	}
	return t, err
}
