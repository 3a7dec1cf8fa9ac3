package ops

import (
	"time"

	"warifu/internal/audit"
	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
)

// oracleDevicePath is where devices live that are made at Oracle's door, so that
// their names meet no others.
const oracleDevicePath = "/oracle/"

// OracleDevice is a TOTP device. The seed is there when it is made, and never again.
type OracleDevice struct {
	ID        name.ID
	User      name.ID
	Created   time.Time
	Activated bool
	Expires   time.Time // of a device that was not activated
	ETag      string
	Label     string      // what an authenticator app should show beside the seed; "" without one
	Seed      seal.Secret `json:"-"`
}

func (d *OracleDevice) secret() *seal.Secret { return &d.Seed }

func oracleDevice(f *iam.Factor, user name.ID) *OracleDevice {
	return &OracleDevice{
		ID: f.ID, User: user, Created: f.Created, Activated: !f.Enabled.IsZero(), Expires: f.Expires,
		ETag: etagOf(f.ID, f.Enabled, f.Created, f.Expires),
	}
}

// totpOf is the one TOTP device that Oracle's door shows of a user: the active one,
// of several the one that was bound first; else one that waits to be activated. nil
// if there is none.
func (env *Env) totpOf(u *iam.User) (*iam.Factor, error) {
	bound, err := env.Tx.Factors(u.Account, u.ID)
	if err != nil {
		return nil, err
	}
	for i := range bound {
		if bound[i].Kind == iam.FactorTOTP {
			return &bound[i], nil
		}
	}
	f, err := env.Tx.FactorBySerial(u.Account, oracleDevicePath, u.ID.String())
	if fault.Is(err, fault.NotFound) || err == nil && expired(f, env.Now) {
		return nil, nil
	}
	return f, err
}

// OracleDeviceIn names a device of a user.
type OracleDeviceIn struct {
	User    name.ID
	Device  name.ID
	Code    string // ActivateMfaTotpDevice
	IfMatch string
	Retry   Retry
}

func (in OracleDeviceIn) record() audit.Fields {
	return audit.Fields{"user": in.User.String(), "device": in.Device.String()}
}

// oracleDeviceOf reads the device of a user that the door shows under this id.
func (env *Env) oracleDeviceOf(in OracleDeviceIn) (*iam.User, *iam.Factor, error) {
	u, err := env.oracleUserOf(in.User)
	if err != nil {
		return nil, nil, err
	}
	f, err := env.totpOf(u)
	if err != nil {
		return nil, nil, err
	}
	if f == nil || f.ID != in.Device {
		return nil, nil, fault.Of(fault.NotFound, "mfa device", in.Device.String())
	}
	return u, f, matches(in.IfMatch, oracleDevice(f, u.ID).ETag)
}

// oracleDeviceTarget is the target of an operation on a user's device: both the user
// and the device must be allowed, as statements of other clouds name the one or the
// other.
func (env *Env) oracleDeviceTarget(user name.ID) (Target, error) {
	t, err := env.oracleUserTarget(user, true)
	t.Resources = append(t.Resources, name.MFAARN(env.Call.Caller.Account, oracleDevicePath, user.String()))
	return t, err
}

// selfOnly refuses whoever is not the user, whatever policy says: nobody enables MFA
// for another.
func (env *Env) selfOnly(user name.ID) error {
	if c := &env.Call.Caller; user == 0 || user != c.User.ID || c.Role.ID != 0 {
		return fault.New(fault.Denied, "MFA is enabled by the user alone")
	}
	return nil
}

// CreateMfaTotpDevice makes a device that waits to be activated, and shows its seed.
// One that waits already makes room. It is for the user alone.
//
// Errors: NotFound; Denied for another user; Conflict, noun "mfa device", when one is active.
var CreateMfaTotpDevice = Op[OracleUserIn, *OracleDevice]{
	Name:   "CreateMfaTotpDevice",
	Grants: Names{AWS: "iam:CreateVirtualMFADevice", OCI: "CreateMfaTotpDevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in OracleUserIn) (Target, error) { return env.oracleDeviceTarget(in.User) },
	Record: func(in OracleUserIn) audit.Fields { return audit.Fields{"user": in.User.String()} },
	Do: func(env *Env, in OracleUserIn) (*OracleDevice, error) {
		if err := env.selfOnly(in.User); err != nil {
			return nil, err
		}
		u, err := env.oracleUserOf(in.User)
		if err != nil {
			return nil, err
		}
		f, err := env.totpOf(u)
		if err != nil {
			return nil, err
		}
		if f != nil && !f.Enabled.IsZero() { // also for a retry: the seed of a device in use is not shown again
			return nil, fault.Of(fault.Conflict, "active mfa device", u.Name)
		}
		return once(env, "CreateMfaTotpDevice", in.Retry, func() (*OracleDevice, error) { return env.newOracleDevice(u, 0) })
	},
}

// newOracleDevice makes a device that waits, in place of the one that waits already.
// old is the id that it takes over; 0 is a new one.
func (env *Env) newOracleDevice(u *iam.User, old name.ID) (*OracleDevice, error) {
	waiting, err := env.Tx.FactorBySerial(u.Account, oracleDevicePath, u.ID.String())
	if err == nil {
		err = env.Tx.DeleteFactor(u.Account, waiting.ID)
	}
	if err := ignoreMissing(err); err != nil {
		return nil, err
	}
	f := iam.Factor{
		ID: old, Account: u.Account, Kind: iam.FactorTOTP, Name: u.ID.String(), Path: oracleDevicePath,
		Created: env.Now, Creator: u.ID, Expires: env.Now.Add(iam.PendingFactorLife),
	}
	seed, err := env.drawSeed(&f)
	if err != nil {
		return nil, err
	}
	if err := env.Tx.InsertFactor(&f); err != nil {
		return nil, err
	}
	account, err := env.Tx.Account(u.Account)
	if err != nil {
		return nil, err
	}
	d := oracleDevice(&f, u.ID)
	d.Label = OracleLabel(tenancyName(account), u.Name)
	d.Seed = seal.NewSecret([]byte(totp.SeedText(seed)))
	return d, nil
}

// OracleLabel is what an authenticator app shows beside a seed of this door.
func OracleLabel(tenancy, user string) string { return "Oracle " + tenancy + " - " + user }

// ListMfaTotpDevices lists the user's devices: one, or none.
var ListMfaTotpDevices = Op[Matching, []OracleDevice]{
	Name:   "ListMfaTotpDevices",
	Grants: Names{AWS: "iam:ListMFADevices", OCI: "ListMfaTotpDevices"},
	Target: func(env *Env, in Matching) (Target, error) { return env.oracleUserTarget(in.ID, true) },
	Do: func(env *Env, in Matching) ([]OracleDevice, error) {
		u, err := env.oracleUserOf(in.ID)
		if err != nil {
			return nil, err
		}
		f, err := env.totpOf(u)
		if err != nil || f == nil {
			return nil, err
		}
		return []OracleDevice{*oracleDevice(f, u.ID)}, nil
	},
}

// GetMfaTotpDevice reads a device.
var GetMfaTotpDevice = Op[OracleDeviceIn, *OracleDevice]{
	Name:   "GetMfaTotpDevice",
	Grants: Names{AWS: "iam:GetMFADevice", OCI: "GetMfaTotpDevice"},
	Target: func(env *Env, in OracleDeviceIn) (Target, error) { return env.oracleUserTarget(in.User, true) },
	Do: func(env *Env, in OracleDeviceIn) (*OracleDevice, error) {
		u, f, err := env.oracleDeviceOf(in)
		if err != nil {
			return nil, err
		}
		return oracleDevice(f, u.ID), nil
	},
}

// ActivateMfaTotpDevice binds a device that waits to its user, who proves with a code
// that it is in hand. It is for the user alone. A wrong code is counted, and stays
// counted (C-3); the code is good once (C-1).
//
// Errors: NotFound; Denied for another user; BadCode; Conflict when it is active, or
// does not match.
var ActivateMfaTotpDevice = Op[OracleDeviceIn, *OracleDevice]{
	Name:   "ActivateMfaTotpDevice",
	Grants: Names{AWS: "iam:EnableMFADevice", OCI: "ActivateMfaTotpDevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in OracleDeviceIn) (Target, error) { return env.oracleUserTarget(in.User, true) },
	Record: OracleDeviceIn.record,
	Do: func(env *Env, in OracleDeviceIn) (*OracleDevice, error) {
		if err := env.selfOnly(in.User); err != nil {
			return nil, err
		}
		return once(env, "ActivateMfaTotpDevice", in.Retry, func() (*OracleDevice, error) {
			u, f, err := env.oracleDeviceOf(in)
			if err != nil {
				return nil, err
			}
			if !f.Enabled.IsZero() {
				return nil, fault.Of(fault.Conflict, "active mfa device", u.Name)
			}
			if err := env.bindingAllowed(u, true); err != nil {
				return nil, err
			}
			if err := env.activate(u, f, in.Code); err != nil {
				return nil, err
			}
			if f, err = env.Tx.FactorByID(u.Account, f.ID); err != nil {
				return nil, err
			}
			return oracleDevice(f, u.ID), env.notify(u, iam.NoticeFactorBound, f.Name)
		})
	},
}

// activate checks a code of a device that waits, and binds the device with it.
func (env *Env) activate(u *iam.User, f *iam.Factor, code string) error {
	seed, err := env.keys.open(env.Tx, seedPlace(f.ID), f.Seed)
	if err != nil {
		return err
	}
	digits, bad := totp.Normalize(code)
	step, drift, ok := totp.Verify(seed.Reveal(), device, digits, env.Now, totp.State{LastStep: f.LastStep, Drift: f.Drift})
	if ok && bad == nil && f.Failures < iam.MaxCodeFailures {
		if ok, err = env.Tx.EnableFactor(f.Account, f.ID, u.ID, step, drift, env.Now); err != nil || ok {
			return err
		}
	}
	if err := env.countFailure(f, iam.MaxCodeFailures); err != nil {
		return err
	}
	return refuse(fault.Of(fault.BadCode, "mfa device", f.ID.String()))
}

// GenerateTotpSeed gives a device another seed and shows it. The device proves nothing
// until it is activated with a code of it. It is for the user alone.
var GenerateTotpSeed = Op[OracleDeviceIn, *OracleDevice]{
	Name:   "GenerateTotpSeed",
	Grants: Names{AWS: "iam:CreateVirtualMFADevice", OCI: "GenerateTotpSeed"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in OracleDeviceIn) (Target, error) { return env.oracleDeviceTarget(in.User) },
	Record: OracleDeviceIn.record,
	Do: func(env *Env, in OracleDeviceIn) (*OracleDevice, error) {
		if err := env.selfOnly(in.User); err != nil {
			return nil, err
		}
		u, f, err := env.oracleDeviceOf(in)
		if err != nil {
			return nil, err
		}
		if err := env.takeOracleDevice(u, f); err != nil {
			return nil, err
		}
		return env.newOracleDevice(u, f.ID)
	},
}

// DeleteMfaTotpDevice takes MFA from a user: the user's own without any policy,
// another's if policy allows it.
var DeleteMfaTotpDevice = Op[OracleDeviceIn, struct{}]{
	Name:   "DeleteMfaTotpDevice",
	Grants: Names{AWS: "iam:DeactivateMFADevice", OCI: "DeleteMfaTotpDevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in OracleDeviceIn) (Target, error) {
		t, err := env.oracleUserTarget(in.User, true)
		device := name.MFAARN(env.Call.Caller.Account, oracleDevicePath, in.User.String())
		t.Also = []Need{{Grants: Names{AWS: "iam:DeleteVirtualMFADevice"}, Resources: []string{device}}}
		return t, err
	},
	Record: OracleDeviceIn.record,
	Do: func(env *Env, in OracleDeviceIn) (none struct{}, err error) {
		u, f, err := env.oracleDeviceOf(in)
		if err != nil {
			return none, err
		}
		return none, env.takeOracleDevice(u, f)
	},
}

// takeOracleDevice takes a device from its user, as DeactivateMFADevice does, or one
// that waits to be activated.
func (env *Env) takeOracleDevice(u *iam.User, f *iam.Factor) error {
	if f.Enabled.IsZero() {
		return env.Tx.DeleteFactor(u.Account, f.ID)
	}
	if err := env.takingAllowed(u, f, ""); err != nil {
		return err
	}
	if err := env.dropFactor(f); err != nil {
		return err
	}
	return env.notify(u, iam.NoticeFactorRemoved, f.Name)
}
