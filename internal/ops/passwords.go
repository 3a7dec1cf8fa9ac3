package ops

import (
	"context"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/password"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/policy"
)

// Budget of attempts at a user's old password (security checklist C-4): as many
// in each window, right or wrong, so that a right guess beyond it is worth
// nothing (C-5).
const (
	passwordAttempts = 10
	passwordWindow   = 15 * time.Minute
)

// tried is what is found out about a password before the transaction. Hashing
// takes tens of milliseconds, for which no writer must wait. It counts only if
// the user's password is still the one it was compared with.
type tried struct {
	hash   string // of the new password; "" when there is none
	seen   string // hash that was in force; "" when there was none
	oldFit bool   // the old password is the one in force
	reused bool   // the new password is a former one
}

// try hashes a new password and compares it with the user's former ones, and old
// with the one in force. An empty one is left out.
func (s *Server) try(ctx context.Context, call *Call, user Ref, old, fresh seal.Secret) (t tried, err error) {
	var former []string
	err = s.store.View(ctx, func(tx *store.Tx) error {
		env := &Env{Context: ctx, Server: s, Call: *call, Tx: tx, Now: call.At}
		u, err := env.user(user)
		if err != nil {
			return ignoreMissing(err)
		}
		p, err := env.passwordPolicy()
		if err != nil {
			return err
		}
		if former, err = tx.PasswordHistory(u.Account, u.ID, p.ReusePrevention); err != nil {
			return err
		}
		profile, err := tx.LoginProfile(u.Account, u.ID)
		if err == nil {
			t.seen = profile.Hash
		}
		return ignoreMissing(err)
	})
	if err == nil && !old.Empty() && t.seen != "" {
		t.oldFit, _, err = s.passwords.Verify(ctx, old, t.seen)
	}
	if err != nil || fresh.Empty() {
		return t, err
	}
	if t.reused, err = s.passwords.Reused(ctx, fresh, former); err != nil {
		return t, err
	}
	t.hash, err = s.passwords.Hash(ctx, s.rand, fresh)
	return t, err
}

// passwordPolicy is the account's, or the default.
func (env *Env) passwordPolicy() (password.Policy, error) {
	a, err := env.Tx.Account(env.Call.Caller.Account)
	if err != nil {
		return password.Policy{}, err
	}
	return password.ParsePolicy(a.PasswordPolicy)
}

// goodPassword refuses a password that breaks the account's policy, is widely
// known, is the name of the user or account, or was used before.
func (env *Env) goodPassword(u *iam.User, fresh seal.Secret, t *tried) error {
	a, err := env.Tx.Account(u.Account)
	if err != nil {
		return err
	}
	p, err := password.ParsePolicy(a.PasswordPolicy)
	if err != nil {
		return err
	}
	failed := p.Failures(fresh, []string{u.Name, a.Alias, a.ID.String()}, password.Common)
	if t.reused {
		failed = append(failed, password.RuleReuse)
	}
	return p.Refusal(failed)
}

// loginProfile reads the password of a user.
func (env *Env) loginProfile(u *iam.User) (*iam.LoginProfile, error) {
	p, err := env.Tx.LoginProfile(u.Account, u.ID)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Of(fault.NotFound, "login profile", u.Name)
	}
	return p, err
}

// unchanged refuses when the password is another than the one that was compared.
func (t *tried) unchanged(p *iam.LoginProfile) error {
	if p.Hash != t.seen {
		return fault.Of(fault.Conflict, "password", "")
	}
	return nil
}

// Login is a user's login profile, without its hash.
type Login struct {
	UserName      string
	Created       time.Time
	Changed       time.Time
	ResetRequired bool
	MFARequired   bool      // the user must have a second factor, whatever others must
	Disabled      time.Time // when it ceased to let in; zero = it does
	DisabledFor   string    // iam.DisabledByHand, iam.DisabledIdle
	Used          time.Time // last sign-in; zero = never
}

func login(u *iam.User, p *iam.LoginProfile) *Login {
	return &Login{
		UserName: u.Name, Created: p.Created, Changed: p.Changed, ResetRequired: p.ResetRequired, MFARequired: p.MFARequired,
		Disabled: p.Disabled, DisabledFor: p.DisabledFor, Used: u.PasswordUsed,
	}
}

// CreateLoginProfileIn is the input of CreateLoginProfile.
type CreateLoginProfileIn struct {
	User          Ref
	Password      seal.Secret
	ResetRequired bool // the user must choose another at the first sign-in
	MFARequired   bool // the user must have a second factor (Alibaba Cloud: MFABindRequired)
	Disabled      bool // it does not let in yet (Alibaba Cloud: Status Inactive)

	tried tried
}

// CreateLoginProfile gives a user a password for the console.
//
// Errors: NotFound user; Exists; WeakPassword; Throttled; Denied, noun "above the
// caller".
var CreateLoginProfile = Op[CreateLoginProfileIn, *Login]{
	Name:   "CreateLoginProfile",
	Grants: Names{AWS: "iam:CreateLoginProfile"},
	Mode:   Write,
	Needs:  freshly,
	Before: func(ctx context.Context, s *Server, call *Call, in CreateLoginProfileIn) (_ CreateLoginProfileIn, err error) {
		in.tried, err = s.try(ctx, call, in.User, seal.Secret{}, in.Password)
		return in, err
	},
	Target: func(env *Env, in CreateLoginProfileIn) (Target, error) { return env.userTarget(in.User) },
	Record: func(in CreateLoginProfileIn) audit.Fields {
		return audit.Fields{"userName": in.User.String(), "passwordResetRequired": strconv.FormatBool(in.ResetRequired)}
	},
	Do: func(env *Env, in CreateLoginProfileIn) (*Login, error) {
		u, err := env.lend(in.User)
		if err != nil {
			return nil, err
		}
		taken := fault.Of(fault.Exists, "login profile", u.Name)
		if _, err := env.loginProfile(u); err == nil {
			return nil, taken
		} else if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if err := env.goodPassword(u, in.Password, &in.tried); err != nil {
			return nil, err
		}
		p := &iam.LoginProfile{
			User: u.ID, Hash: in.tried.hash, ResetRequired: in.ResetRequired, MFARequired: in.MFARequired, Created: env.Now, Changed: env.Now,
		}
		if in.Disabled {
			p.Disabled, p.DisabledFor = env.Now, iam.DisabledByHand
		}
		if err := env.Tx.InsertLoginProfile(u.Account, p); fault.Is(err, fault.Exists) {
			return nil, taken
		} else if err != nil {
			return nil, err
		}
		return login(u, p), env.notify(u, iam.NoticePasswordChanged, "")
	},
}

// GetLoginProfile tells whether and since when a user has a password.
//
// Errors: NotFound user or login profile.
var GetLoginProfile = Op[UserIn, *Login]{
	Name:   "GetLoginProfile",
	Grants: Names{AWS: "iam:GetLoginProfile"},
	Target: func(env *Env, in UserIn) (Target, error) { return env.userTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (*Login, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		p, err := env.loginProfile(u)
		if err != nil {
			return nil, err
		}
		return login(u, p), nil
	},
}

// UpdateLoginProfileIn is the input of UpdateLoginProfile; what is left out
// stays as it is.
type UpdateLoginProfileIn struct {
	User          Ref
	Password      seal.Secret // empty = stays
	ResetRequired *bool
	MFARequired   *bool // see CreateLoginProfileIn
	Disabled      *bool // likewise; false lets in again who was disabled, also for idleness

	tried tried
}

// opens reports whether the change makes it easier to come in as the user.
func (in *UpdateLoginProfileIn) opens() bool {
	off := func(b *bool) bool { return b != nil && !*b }
	return !in.Password.Empty() || off(in.ResetRequired) || off(in.MFARequired) || off(in.Disabled)
}

// UpdateLoginProfile sets a user's password, whether it must be changed, whether
// it lets in, and whether the user must have a second factor. A password that
// lets in no more ends the user's sessions.
//
// Errors: NotFound user or login profile; WeakPassword; Conflict when the
// password was changed at the same time; Throttled; Denied, noun "above the
// caller", for what opens.
var UpdateLoginProfile = Op[UpdateLoginProfileIn, struct{}]{
	Name:   "UpdateLoginProfile",
	Grants: Names{AWS: "iam:UpdateLoginProfile"},
	Mode:   Write,
	Needs:  freshly,
	Before: func(ctx context.Context, s *Server, call *Call, in UpdateLoginProfileIn) (_ UpdateLoginProfileIn, err error) {
		in.tried, err = s.try(ctx, call, in.User, seal.Secret{}, in.Password)
		return in, err
	},
	Target: func(env *Env, in UpdateLoginProfileIn) (Target, error) { return env.userTarget(in.User) },
	Record: func(in UpdateLoginProfileIn) audit.Fields {
		f := audit.Fields{"userName": in.User.String()}
		if in.ResetRequired != nil {
			f["passwordResetRequired"] = strconv.FormatBool(*in.ResetRequired)
		}
		if in.MFARequired != nil {
			f["mfaBindRequired"] = strconv.FormatBool(*in.MFARequired)
		}
		if in.Disabled != nil {
			f["disabled"] = strconv.FormatBool(*in.Disabled)
		}
		return f
	},
	Do: func(env *Env, in UpdateLoginProfileIn) (none struct{}, err error) {
		find := env.owner
		if in.opens() {
			find = env.lend
		}
		u, err := find(in.User)
		if err != nil {
			return none, err
		}
		p, err := env.loginProfile(u)
		if err != nil {
			return none, err
		}
		if !in.Password.Empty() {
			if err := in.tried.unchanged(p); err != nil {
				return none, err
			}
			if err := env.goodPassword(u, in.Password, &in.tried); err != nil {
				return none, err
			}
			p.Hash, p.Changed = in.tried.hash, env.Now
		}
		if in.ResetRequired != nil {
			p.ResetRequired = *in.ResetRequired
		}
		if in.MFARequired != nil {
			p.MFARequired = *in.MFARequired
		}
		if in.Disabled != nil {
			if err := env.disableLogin(u, p, *in.Disabled); err != nil {
				return none, err
			}
		}
		if err := env.Tx.PutLoginProfile(u.Account, p); err != nil || in.Password.Empty() {
			return none, err
		}
		if _, err := env.forgive(u); err != nil { // guesses at the old one
			return none, err
		}
		return none, env.notify(u, iam.NoticePasswordChanged, "")
	},
}

// disableLogin turns a login profile off, which ends the user's sessions, or on.
func (env *Env) disableLogin(u *iam.User, p *iam.LoginProfile, off bool) error {
	switch {
	case off == !p.Disabled.IsZero():
		return nil
	case !off:
		p.Disabled, p.DisabledFor, p.Enabled = time.Time{}, "", env.Now
		return nil
	case u.ID == env.Call.Caller.ID():
		return fault.New(fault.Unmodifiable, "nobody can disable one's own password")
	}
	p.Disabled, p.DisabledFor = env.Now, iam.DisabledByHand
	_, err := env.Tx.DeleteSessions(u.Account, u.ID, 0)
	return err
}

// forgive takes back a user's wrong passwords, in every lane, and reports whether
// there were any.
func (env *Env) forgive(u *iam.User) (bool, error) {
	shared, err := env.Tx.ClearFailures(u.ID)
	if err != nil {
		return false, err
	}
	own, err := env.Tx.ClearBrowserFailures(u.ID, nil)
	return shared || own, err
}

// DeleteLoginProfile takes a user's password away, and with it the sessions in the
// console, but not the caller's own. Keys stay good.
//
// Errors: NotFound user or login profile.
var DeleteLoginProfile = Op[UserIn, struct{}]{
	Name:   "DeleteLoginProfile",
	Grants: Names{AWS: "iam:DeleteLoginProfile"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in UserIn) (Target, error) { return env.userTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (none struct{}, err error) {
		u, err := env.owner(in.User)
		if err != nil {
			return none, err
		}
		if _, err := env.loginProfile(u); err != nil {
			return none, err
		}
		if err := env.Tx.DeleteLoginProfile(u.Account, u.ID); err != nil {
			return none, err
		}
		_, err = env.endSessions(u)
		return none, err
	},
}

// ChangePasswordIn is the input of ChangePassword.
type ChangePasswordIn struct {
	Old, New seal.Secret

	tried tried
}

// ChangePassword changes the caller's own password. The account's password
// policy may let every user do it whom no statement forbids it.
//
// Errors: Denied for a wrong old password, Throttled for too many, right or
// wrong; Invalid, noun "user type", when the caller is no user; NotFound login
// profile; WeakPassword; Conflict.
var ChangePassword = Op[ChangePasswordIn, struct{}]{
	Name:   "ChangePassword",
	Grants: Names{AWS: "iam:ChangePassword"},
	Mode:   Write,
	Needs:  freshly,
	Before: func(ctx context.Context, s *Server, call *Call, in ChangePasswordIn) (_ ChangePasswordIn, err error) {
		if call.Caller.Kind != policy.User {
			return in, fault.Of(fault.Invalid, "user type", "")
		}
		for field, p := range map[string]seal.Secret{"oldPassword": in.Old, "newPassword": in.New} {
			if p.Empty() {
				return in, fault.Field(field, "%s must not be empty", field)
			}
		}
		in.tried, err = s.try(ctx, call, Ref{}, in.Old, in.New)
		return in, err
	},
	Record: func(ChangePasswordIn) audit.Fields { return nil }, // nothing but secrets
	Target: func(env *Env, _ ChangePasswordIn) (Target, error) {
		t := userTarget(&env.Call.Caller.User)
		p, err := env.passwordPolicy()
		if err != nil {
			return t, err
		}
		t.Granted, err = env.own(t.ID, func(wanted *iam.Preferences) bool { return wanted.OwnPassword })
		t.Granted = t.Granted || p.AllowUsersToChange
		return t, err
	},
	Do: func(env *Env, in ChangePasswordIn) (none struct{}, err error) {
		u := &env.Call.Caller.User
		p, err := env.loginProfile(u)
		if err != nil {
			return none, err
		}
		if err := env.attempt(u.ID); err != nil {
			return none, err
		}
		if err := in.tried.unchanged(p); err != nil {
			return none, refuse(err)
		}
		if !in.tried.oldFit {
			return none, refuse(fault.Of(fault.Denied, "old password", ""))
		}
		if err := env.goodPassword(u, in.New, &in.tried); err != nil {
			return none, refuse(err)
		}
		p.Hash, p.ResetRequired, p.Changed = in.tried.hash, false, env.Now
		if err := env.Tx.PutLoginProfile(u.Account, p); err != nil {
			return none, err
		}
		return none, env.notify(u, iam.NoticePasswordChanged, "")
	},
}

// attempt takes one of the user's attempts at the old password. What follows
// must not be rolled back.
func (env *Env) attempt(user name.ID) error {
	began := env.Now.Truncate(passwordWindow)
	for i := range passwordAttempts {
		key := user.String() + " " + strconv.FormatInt(began.Unix(), 10) + " " + strconv.Itoa(i)
		fresh, err := env.Tx.Burn("password attempt", key, began.Add(passwordWindow))
		if err != nil || fresh {
			return err
		}
	}
	return fault.New(fault.Throttled, "too many attempts at the old password; try again in %v", passwordWindow)
}

// PasswordPolicy is what an account asks of passwords.
type PasswordPolicy = password.Policy

// GetAccountPasswordPolicy reads the policy that the account has set.
//
// Errors: NotFound when it has set none.
var GetAccountPasswordPolicy = Op[struct{}, PasswordPolicy]{
	Name:   "GetAccountPasswordPolicy",
	Grants: Names{AWS: "iam:GetAccountPasswordPolicy"},
	Target: passwordPolicyTarget[struct{}],
	Do: func(env *Env, _ struct{}) (p PasswordPolicy, err error) {
		a, err := env.Tx.Account(env.Call.Caller.Account)
		if err != nil {
			return p, err
		}
		if a.PasswordPolicy == "" {
			return p, fault.Of(fault.NotFound, "password policy", a.ID.String())
		}
		return password.ParsePolicy(a.PasswordPolicy)
	},
}

func passwordPolicyTarget[In any](*Env, In) (Target, error) {
	return Target{Noun: "password policy"}, nil
}

// UpdateAccountPasswordPolicy sets what AWS knows of the account's policy as a
// whole: what is left out is off, and a minimum length of 0 means
// password.LeastLength. What AWS does not know stays. Passwords that exist are not
// judged anew, but age.
//
// Errors: Invalid.
var UpdateAccountPasswordPolicy = Op[PasswordPolicy, struct{}]{
	Name:   "UpdateAccountPasswordPolicy",
	Grants: Names{AWS: "iam:UpdateAccountPasswordPolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: passwordPolicyTarget[PasswordPolicy],
	Record: recordPasswordPolicy,
	Do: func(env *Env, p PasswordPolicy) (none struct{}, err error) {
		now, err := env.passwordPolicy()
		if err != nil {
			return none, err
		}
		p.MaxLoginAttempts, p.InitialAge = now.MaxLoginAttempts, now.InitialAge
		p.NotContainName, p.DifferentCharacters = now.NotContainName, now.DifferentCharacters
		return none, env.setPasswordPolicy(p)
	},
}

// SetPasswordPolicy sets all of the account's password policy, as Alibaba Cloud
// and the console have it. A minimum length of 0 means password.LeastLength.
//
// Errors: Invalid.
var SetPasswordPolicy = Op[PasswordPolicy, struct{}]{
	Name:   "SetPasswordPolicy",
	Grants: Names{AWS: "iam:UpdateAccountPasswordPolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: passwordPolicyTarget[PasswordPolicy],
	Record: recordPasswordPolicy,
	Do: func(env *Env, p PasswordPolicy) (none struct{}, err error) {
		return none, env.setPasswordPolicy(p)
	},
}

func (env *Env) setPasswordPolicy(p PasswordPolicy) error {
	if p.MinimumLength == 0 {
		p.MinimumLength = password.LeastLength
	}
	if err := p.Check(); err != nil {
		return err
	}
	return env.keepPasswordPolicy(p, p.Text())
}

// keepPasswordPolicy keeps a policy as text, and who changed which of its rules.
func (env *Env) keepPasswordPolicy(p PasswordPolicy, text string) error {
	old, err := env.passwordPolicy()
	if err != nil {
		return err
	}
	if err := env.originated(recordPasswordPolicy(old), recordPasswordPolicy(p), nil); err != nil {
		return err
	}
	return env.Tx.SetPasswordPolicy(env.Call.Caller.Account, text)
}

func recordPasswordPolicy(p PasswordPolicy) audit.Fields {
	return audit.Fields{
		"minimumPasswordLength": strconv.Itoa(p.MinimumLength), "maxPasswordAge": strconv.Itoa(p.MaxAge),
		"passwordReusePrevention": strconv.Itoa(p.ReusePrevention), "hardExpiry": strconv.FormatBool(p.HardExpiry),
		"requireSymbols": strconv.FormatBool(p.RequireSymbols), "requireNumbers": strconv.FormatBool(p.RequireNumbers),
		"requireUppercaseCharacters": strconv.FormatBool(p.RequireUppercase),
		"requireLowercaseCharacters": strconv.FormatBool(p.RequireLowercase),
		"allowUsersToChangePassword": strconv.FormatBool(p.AllowUsersToChange),
		"maxLoginAttempts":           strconv.Itoa(p.MaxLoginAttempts), "initialPasswordAge": strconv.Itoa(p.InitialAge),
		"passwordNotContainUserName":        strconv.FormatBool(p.NotContainName),
		"minimumPasswordDifferentCharacter": strconv.Itoa(p.DifferentCharacters),
	}
}

// DeleteAccountPasswordPolicy takes the account's policy away; the default takes
// its place.
//
// Errors: NotFound when the account has set none.
var DeleteAccountPasswordPolicy = Op[struct{}, struct{}]{
	Name:   "DeleteAccountPasswordPolicy",
	Grants: Names{AWS: "iam:DeleteAccountPasswordPolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: passwordPolicyTarget[struct{}],
	Record: func(struct{}) audit.Fields { return nil },
	Do: func(env *Env, _ struct{}) (none struct{}, err error) {
		a, err := env.Tx.Account(env.Call.Caller.Account)
		if err != nil {
			return none, err
		}
		if a.PasswordPolicy == "" {
			return none, fault.Of(fault.NotFound, "account policy", "PasswordPolicy")
		}
		return none, env.keepPasswordPolicy(DefaultPasswordPolicy(), "")
	},
}
