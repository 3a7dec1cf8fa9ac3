package ops

import (
	"context"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/seal"
)

// Alibaba Cloud's users have one MFA device each. Here a user may have more; at
// that door the oldest is the device, and one who has a device binds another only
// where the account lets users (Preferences.BindMore).

// isDevice tells whether a factor is what Alibaba Cloud calls an MFA device.
// Passkeys are none; the keys from before them are.
func isDevice(f *iam.Factor) bool {
	return !f.Enabled.IsZero() && (f.Kind.Device() || f.Kind == iam.FactorU2F)
}

// theDevice finds a user's device; nil if it has none.
func (env *Env) theDevice(u *iam.User) (*iam.Factor, error) {
	all, err := env.Tx.Factors(u.Account, u.ID)
	for i := range all {
		if isDevice(&all[i]) {
			return &all[i], err
		}
	}
	return nil, err
}

func noDevice(u *iam.User) error { return fault.Of(fault.NotFound, "User.MFADevice", u.Name) }

// BindMFADevice binds a device as EnableMFADevice does. Errors, besides: Exists,
// noun "User.MFADevice", when the user has one.
var BindMFADevice = varied(EnableMFADevice, asIs, func(env *Env, in PairIn) (none struct{}, err error) {
	u, err := env.owner(in.User)
	if err != nil {
		return none, err
	}
	has, err := env.theDevice(u)
	if err != nil {
		return none, err
	}
	prefs, err := env.Tx.Preferences(u.Account)
	if err != nil {
		return none, err
	}
	if has != nil && !prefs.BindMore {
		return none, fault.Of(fault.Exists, "User.MFADevice", u.Name)
	}
	return EnableMFADevice.Do(env, in)
})

// MFAInfo is whether a user has a device, and which.
type MFAInfo struct {
	User   iam.User
	Device *iam.Factor // nil = none
}

// ARN is the device's name; "" if there is none.
func (i *MFAInfo) ARN() string {
	switch f := i.Device; {
	case f == nil:
		return ""
	case f.Kind == iam.FactorU2F:
		return Serial(i.User.Name, f)
	default:
		return f.ARN()
	}
}

// GetUserMFAInfo tells a user's device.
//
// Errors: NotFound user.
var GetUserMFAInfo = Op[UserIn, *MFAInfo]{
	Name:   "GetUserMFAInfo",
	Grants: Names{AWS: "iam:ListMFADevices"},
	Target: func(env *Env, in UserIn) (Target, error) { return env.userTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (*MFAInfo, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		f, err := env.theDevice(u)
		return &MFAInfo{*u, f}, err
	},
}

// UnbindMFADevice takes a user's device away. The device is kept, bound to nobody; a
// U2F key is gone.
//
// Errors: NotFound user, or "User.MFADevice".
var UnbindMFADevice = Op[UserIn, *MFAInfo]{
	Name:   "UnbindMFADevice",
	Grants: DeactivateMFADevice.Grants,
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in UserIn) (Target, error) { return env.userTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (*MFAInfo, error) {
		u, err := env.owner(in.User)
		if err != nil {
			return nil, err
		}
		f, err := env.theDevice(u)
		if err == nil && f == nil {
			err = noDevice(u)
		}
		if err != nil {
			return nil, err
		}
		_, err = DeactivateMFADevice.Do(env, DeviceIn{User: Ref{ID: u.ID}, Serial: Serial(u.Name, f)})
		return &MFAInfo{*u, f}, err
	},
}

// DisableVirtualMFA unbinds a user's device that gives codes and deletes it.
//
// Errors: NotFound user, or "User.MFADevice".
var DisableVirtualMFA = Op[UserIn, struct{}]{
	Name:   "DisableVirtualMFA",
	Grants: Names{AWS: "iam:DeactivateMFADevice", RAM: "ram:DisableVirtualMFA"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in UserIn) (Target, error) {
		t, err := env.userTarget(in.User)
		if err != nil {
			return t, err
		}
		u, err := env.user(in.User)
		if err != nil {
			return t, ignoreMissing(err)
		}
		f, err := env.theDevice(u)
		if f != nil && f.Kind.Device() {
			t.Also = append(t.Also, Need{Names{AWS: "iam:DeleteVirtualMFADevice"}, []string{f.ARN()}},
				Need{Grants: Names{AWS: "iam:DeactivateMFADevice", RAM: "ram:UnbindMFADevice"}})
		}
		return t, err
	},
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (none struct{}, err error) {
		u, err := env.owner(in.User)
		if err != nil {
			return none, err
		}
		f, err := env.theDevice(u)
		if err == nil && f != nil && !f.Kind.Device() {
			err = noDevice(u)
		}
		if err == nil {
			_, err = UnbindMFADevice.Do(env, in)
		}
		if err != nil || f.Hardware { // which goes back into the pool
			return none, err
		}
		return none, env.Tx.DeleteFactor(f.Account, f.ID)
	},
}

// AccountMFAInfo tells whether the root user has a second factor.
var AccountMFAInfo = Op[struct{}, bool]{
	Name:   "GetAccountMFAInfo",
	Grants: Names{AWS: "iam:GetAccountSummary", RAM: "ram:GetAccountMFAInfo"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "account"}, nil },
	Do: func(env *Env, _ struct{}) (bool, error) {
		root, err := env.Tx.RootUser(env.Call.Caller.Account)
		if err != nil {
			return false, ignoreMissing(err)
		}
		n, err := env.Tx.FactorCount(root.Account, root.ID)
		return n > 0, err
	},
}

// LoginDetail is a login profile with what Alibaba Cloud tells of it.
type LoginDetail struct {
	User iam.User
	iam.LoginProfile
	Lapsed bool // it is a first password that was not changed in time
}

func (env *Env) loginDetail(r Ref) (*LoginDetail, error) {
	u, err := env.user(r)
	if err != nil {
		return nil, err
	}
	p, err := env.loginProfile(u)
	if err != nil {
		return nil, err
	}
	rules, err := env.passwordPolicy()
	if err != nil {
		return nil, err
	}
	p.Hash = ""
	return &LoginDetail{*u, *p, rules.InitialLapsed(p.ResetRequired && !u.PasswordUsed.After(p.Changed), p.Changed, env.Now)}, nil
}

// GetRAMLoginProfile tells of a user's password.
var GetRAMLoginProfile = varied(GetLoginProfile, asIs, func(env *Env, in UserIn) (*LoginDetail, error) { return env.loginDetail(in.User) })

// RAMLoginIn is the input of the operations that set a login profile; what is nil,
// or an empty password, stays or has its default.
type RAMLoginIn struct {
	User          Ref
	Password      seal.Secret
	ResetRequired *bool
	MFARequired   *bool // the user must bind a device at the next sign-in
	Active        *bool // the password lets in

	tried tried
}

func (in RAMLoginIn) record() audit.Fields {
	f := audit.Fields{"userName": in.User.String()}
	for called, b := range map[string]*bool{"passwordResetRequired": in.ResetRequired, "mfaBindRequired": in.MFARequired, "active": in.Active} {
		if b != nil {
			f[called] = strconv.FormatBool(*b)
		}
	}
	return f
}

// hashLogin finds out about a password before the transaction.
func hashLogin(ctx context.Context, s *Server, call *Call, in RAMLoginIn) (_ RAMLoginIn, err error) {
	in.tried, err = s.try(ctx, call, in.User, seal.Secret{}, in.Password)
	return in, err
}

// adjust changes what Alibaba Cloud keeps besides the password.
func (in *RAMLoginIn) adjust(env *Env) (*LoginDetail, error) {
	d, err := env.loginDetail(in.User)
	if err != nil {
		return nil, err
	}
	p, err := env.loginProfile(&d.User)
	if err != nil {
		return nil, err
	}
	set(&p.MFARequired, in.MFARequired)
	switch {
	case in.Active == nil:
	case !*in.Active && p.Disabled.IsZero():
		p.Disabled, p.DisabledFor = env.Now, iam.DisabledByHand
	case *in.Active:
		p.Disabled, p.DisabledFor, p.Enabled = time.Time{}, "", env.Now
	}
	if in.MFARequired != nil || in.Active != nil {
		err = env.Tx.PutLoginProfile(d.User.Account, p)
	}
	d.LoginProfile = *p
	d.Hash = ""
	return d, err
}

// CreateRAMLoginProfile gives a user a password for the console.
var CreateRAMLoginProfile = Op[RAMLoginIn, *LoginDetail]{
	Name:   CreateLoginProfile.Name,
	Grants: CreateLoginProfile.Grants,
	Mode:   Write,
	Needs:  freshly,
	Before: hashLogin,
	Target: func(env *Env, in RAMLoginIn) (Target, error) { return env.userTarget(in.User) },
	Record: RAMLoginIn.record,
	Do: func(env *Env, in RAMLoginIn) (*LoginDetail, error) {
		reset := in.ResetRequired != nil && *in.ResetRequired
		made := CreateLoginProfileIn{User: in.User, Password: in.Password, ResetRequired: reset, tried: in.tried}
		if _, err := CreateLoginProfile.Do(env, made); err != nil {
			return nil, err
		}
		return in.adjust(env)
	},
}

// UpdateRAMLoginProfile sets a user's password, whether it must be changed, whether
// the user must bind a device, and whether the password lets in.
var UpdateRAMLoginProfile = Op[RAMLoginIn, *LoginDetail]{
	Name:   UpdateLoginProfile.Name,
	Grants: UpdateLoginProfile.Grants,
	Mode:   Write,
	Needs:  freshly,
	Before: hashLogin,
	Target: func(env *Env, in RAMLoginIn) (Target, error) { return env.userTarget(in.User) },
	Record: RAMLoginIn.record,
	Do: func(env *Env, in RAMLoginIn) (*LoginDetail, error) {
		changed := UpdateLoginProfileIn{User: in.User, Password: in.Password, ResetRequired: in.ResetRequired, MFARequired: in.MFARequired, tried: in.tried}
		if in.Active != nil {
			off := !*in.Active
			changed.Disabled = &off
		}
		if _, err := UpdateLoginProfile.Do(env, changed); err != nil {
			return nil, err
		}
		return in.adjust(env)
	},
}
