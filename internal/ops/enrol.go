package ops

import (
	"errors"
	"slices"
	"strconv"

	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// What sign-in, set-up and enrolment links share: factors that are proved
// without a caller, and devices that are bound without one.

// byUse is a user's factors, the one used last first.
func byUse(all []iam.Factor) []iam.Factor {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b iam.Factor) int { return b.LastUsed.Compare(a.LastUsed) })
	return sorted
}

// chosen finds the factor that a form names, or the one offered first; nil if
// there is none.
func chosen(all []iam.Factor, id name.ID) *iam.Factor {
	for i := range all {
		if id == 0 || all[i].ID == id {
			return &all[i]
		}
	}
	return nil
}

// proveTOTP judges a code of a device, or two consecutive ones, which
// resynchronise it and pass for its code.
func proveTOTP(env *Env, _ asking, f *iam.Factor, r Response) (bool, error) {
	if r.Code2 == "" {
		return env.burnCode(f, r.Code)
	}
	return fits(env.verifyPair(f, PairIn{Code1: r.Code, Code2: r.Code2}, totp.ResyncWindow, func(step int64, drift int) (bool, error) {
		return env.Tx.ResyncFactor(f.Account, f.ID, step, drift, env.Now)
	}))
}

// burnCode reports whether a code is a factor's, and burns it. A wrong one is
// counted, and what the caller returns must keep the count.
func (env *Env) burnCode(f *iam.Factor, code string) (bool, error) {
	if code == "" {
		return false, nil
	}
	digits, bad := totp.Normalize(code)
	proof, err := env.checkCode(f, digits, bad == nil)
	if r := (*refusal)(nil); errors.As(err, &r) {
		return false, nil
	}
	return proof != nil, err
}

// bindPending binds a pending device to a user who shows two consecutive codes
// of it, and tells the user. It reports false for codes that do not fit, which
// are counted. own says that it is the user who binds.
func (env *Env) bindPending(f *iam.Factor, u *iam.User, own bool, code1, code2 string) (bool, error) {
	if err := env.bindingAllowed(u, own); err != nil {
		return false, err
	}
	ok, err := fits(env.verifyPair(f, PairIn{Code1: code1, Code2: code2}, totp.EnableWindow, func(step int64, drift int) (bool, error) {
		return env.Tx.EnableFactor(f.Account, f.ID, u.ID, step, drift, env.Now)
	}))
	if err != nil || !ok {
		return false, err
	}
	if err := env.taken(f); err != nil {
		return false, err
	}
	return true, env.notify(u, iam.NoticeFactorBound, f.Name)
}

// pending reads a device that is shown for binding; nil when it has run out or
// somebody took it away.
func (env *Env) pending(a name.Account, id name.ID) (*iam.Factor, error) {
	if id == 0 {
		return nil, nil
	}
	f, err := env.Tx.FactorByID(a, id)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	if f.User != 0 || expired(f, env.Now) {
		return nil, nil
	}
	return f, nil
}

// show presents a pending device again, to the flow or link that it was made
// for: after a reload the code that was scanned must still be the right one.
func (env *Env) show(f *iam.Factor) (*NewDevice, error) {
	seed, err := env.keys.open(env.Tx, seedPlace(f.ID), f.Seed)
	if err != nil {
		return nil, err
	}
	return env.present(f, seed.Reveal())
}

// source is the address that asks, "" when there is none.
func (env *Env) source() string {
	if ip := env.Call.Source.IP; ip.IsValid() {
		return ip.String()
	}
	return ""
}

// rootDevice is what root's device is called where nobody chooses.
const rootDevice = "root-account-mfa-device"

// deviceFor makes a pending device for a user, called as the user is, or with a
// number behind it when that is taken.
func (env *Env) deviceFor(u *iam.User) (*NewDevice, error) {
	base := u.Name
	if u.Root {
		base = rootDevice
	}
	for n := 1; ; n++ {
		called := base
		if n > 1 {
			called += "-" + strconv.Itoa(n)
		}
		old, err := env.Tx.FactorBySerial(u.Account, "/", called)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		if err == nil && old.User == 0 && (old.Creator == u.ID || expired(old, env.Now)) {
			err = env.Tx.DeleteFactor(u.Account, old.ID) // an enrolment that was broken off
			if err != nil {
				return nil, err
			}
			old = nil
		}
		if old == nil || err != nil {
			return env.newDevice(iam.Factor{
				Account: u.Account, Kind: iam.FactorTOTP, Name: called, Path: "/", Created: env.Now, Creator: u.ID,
				Expires: env.Now.Add(iam.PendingFactorLife),
			})
		}
	}
}

// pendingDevice is the device that the flow shows, nil if it is gone.
func (s *signing) pendingDevice() (*iam.Factor, error) {
	return s.pending(s.user.Account, s.flow.Device)
}

// offerDevice makes sure that the flow has a device to show.
func (s *signing) offerDevice() error {
	f, err := s.pendingDevice()
	if err != nil || f != nil {
		return err
	}
	if s.made, err = s.deviceFor(s.user); err != nil {
		return err
	}
	s.flow.Device = s.made.ID
	return nil
}
