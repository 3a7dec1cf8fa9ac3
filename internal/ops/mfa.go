package ops

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/seal"
	"warifu/internal/store"
)

// device is what the server and every virtual device agree on: SHA-1, 6 digits,
// 30 seconds.
var device totp.Params

// MethodTOTP is what sessions and policies call a code of a virtual device.
const MethodTOTP = string(iam.FactorTOTP)

// CreateVirtualMFADeviceIn is the input of CreateVirtualMFADevice. The device's
// name need not be its user's.
type CreateVirtualMFADeviceIn struct {
	Name string
	Path string // "" means "/"
	Tags []iam.Tag

	// Params are those of the codes. Many apps know only the defaults.
	Params totp.Params
}

// NewDevice is a virtual device at the one moment when its seed is shown.
type NewDevice struct {
	iam.Factor
	SeedText seal.Secret // base32
	URI      seal.Secret // otpauth
	PNG      seal.Secret // the URI as a QR code
	QR       totp.QR     // the same, for pages that draw it
}

// CreateVirtualMFADevice makes a device that nobody is bound to yet. It proves
// nothing until it is enabled, and is forgotten after iam.PendingFactorLife if
// it never is. A device of the same name that is pending makes room when the
// caller made it, or may delete it: an enrolment that was broken off locks
// nobody out (C-9).
//
// Errors: Invalid name, path or tags; Exists.
var CreateVirtualMFADevice = Op[CreateVirtualMFADeviceIn, *NewDevice]{
	Name:   "CreateVirtualMFADevice",
	Grants: Names{AWS: "iam:CreateVirtualMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in CreateVirtualMFADeviceIn) (t Target, err error) {
		serial := name.MFAARN(env.Call.Caller.Account, rooted(in.Path), in.Name)
		t = Target{
			Noun: "mfa device", Name: in.Name, Resources: []string{serial},
			RequestTags: in.Tags, Also: tagging(in.Tags, "iam:TagMFADevice"),
		}
		t.Granted, err = env.own(env.Call.Caller.User.ID, managesFactors) // it is good for nothing before it is bound
		return t, err
	},
	Record: func(in CreateVirtualMFADeviceIn) audit.Fields {
		return audit.Fields{"virtualMFADeviceName": in.Name, "path": in.Path}
	},
	Do: func(env *Env, in CreateVirtualMFADeviceIn) (*NewDevice, error) {
		f := iam.Factor{
			Account: env.Call.Caller.Account, Kind: iam.FactorTOTP, Name: in.Name, Path: rooted(in.Path), Tags: in.Tags,
			Created: env.Now, Creator: env.Call.Caller.ID(), Expires: env.Now.Add(iam.PendingFactorLife),
		}
		if err := iam.CheckName("virtualMFADeviceName", f.Name, iam.MaxName); err != nil {
			return nil, err
		}
		if err := iam.CheckPath("path", f.Path); err != nil {
			return nil, err
		}
		if err := iam.CheckTags(f.Tags, false); err != nil {
			return nil, err
		}
		if err := in.Params.Check(); err != nil {
			return nil, err
		}
		f.Data = in.Params.Data()
		if err := env.makeRoom(&f); err != nil {
			return nil, err
		}
		return env.newDevice(f)
	},
}

// makeRoom takes a pending device out of the way of f, if the caller may.
func (env *Env) makeRoom(f *iam.Factor) error {
	old, err := env.Tx.FactorBySerial(f.Account, f.Path, f.Name)
	if err != nil {
		return ignoreMissing(err)
	}
	taken := fault.Of(fault.Exists, "mfa device", f.ARN())
	switch {
	case old.User != 0:
		return taken
	case old.Creator == f.Creator, expired(old, env.Now):
		return env.Tx.DeleteFactor(f.Account, old.ID)
	}
	may, err := env.may("iam:DeleteVirtualMFADevice", deviceTarget(old))
	if err == nil && !may {
		err = taken
	}
	if err != nil {
		return err
	}
	return env.Tx.DeleteFactor(f.Account, old.ID)
}

func expired(f *iam.Factor, now time.Time) bool {
	return f.User == 0 && !f.Expires.IsZero() && !now.Before(f.Expires)
}

// newDevice draws a seed, seals it, and keeps the device.
func (env *Env) newDevice(f iam.Factor) (d *NewDevice, err error) {
	seed, err := env.drawSeed(&f)
	if err != nil {
		return nil, err
	}
	if d, err = env.present(&f, seed); err != nil {
		return nil, err
	}
	if err := env.Tx.InsertFactor(&f); fault.Is(err, fault.Exists) {
		return nil, fault.Of(fault.Exists, "mfa device", f.ARN())
	} else if err != nil {
		return nil, err
	}
	return d, nil
}

// drawSeed gives a device a seed of its own, and an id if it has none, and returns
// the seed.
func (env *Env) drawSeed(f *iam.Factor) (seed []byte, err error) {
	if f.ID == 0 {
		if f.ID, err = name.NewID(env.rand); err != nil {
			return nil, fault.Wrap(err, "create a device")
		}
	}
	if seed, err = totp.NewSeed(env.rand); err != nil {
		return nil, fault.Wrap(err, "create a device")
	}
	f.Seed, err = env.keys.seal(env.Tx, env.rand, seedPlace(f.ID), seal.NewSecret(seed))
	return seed, err
}

// present makes what is shown of a device that is to be enrolled.
func (env *Env) present(f *iam.Factor, seed []byte) (*NewDevice, error) {
	label, err := env.deviceLabel(f)
	if err != nil {
		return nil, err
	}
	params, err := totp.ParseData(f.Data)
	if err != nil {
		return nil, err
	}
	uri := totp.URI(env.issuer, label, seed, params)
	qr, err := totp.NewQR(uri)
	if err != nil {
		return nil, err
	}
	return &NewDevice{
		Factor: *f, SeedText: seal.NewSecret([]byte(totp.SeedText(seed))),
		URI: seal.NewSecret([]byte(uri)), PNG: seal.NewSecret(qr.PNG()), QR: qr,
	}, nil
}

// seedPlace is where the seed of a factor is sealed.
func seedPlace(id name.ID) seal.Place {
	return seal.Place{Table: string(store.SealedFactors), Row: id.String(), Column: "seed"}
}

// deviceLabel is what an authenticator shows after the issuer: "acme - alice".
// Authenticators keep one entry per label, so it must differ between accounts,
// between users of one phone and between devices of one user: the user's name
// when the device bears it, otherwise the maker's name with the device's.
func (env *Env) deviceLabel(f *iam.Factor) (string, error) {
	account, err := env.Tx.Account(f.Account)
	if err != nil {
		return "", err
	}
	at := cmp.Or(account.Alias, account.ID.String()) + " - "
	own := strings.TrimPrefix(f.Path, "/") + f.Name
	_, err = env.Tx.UserByName(f.Account, f.Name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	if err == nil && f.Path == "/" || env.Call.Caller.User.Name == "" {
		return at + own, nil
	}
	return at + env.Call.Caller.User.Name + " (" + own + ")", nil
}

// PairIn is a user, one of its devices, and two consecutive codes of the device,
// the older first.
type PairIn struct {
	User         Ref
	Serial       string
	Code1, Code2 string
}

func (in PairIn) record() audit.Fields { return deviceFields(in.User, in.Serial) }

func deviceFields(user Ref, serial string) audit.Fields {
	return audit.Fields{"userName": user.String(), "serialNumber": serial}
}

// EnableMFADevice binds a pending device to a user who proves with two
// consecutive codes that it is in hand. Neighbouring periods are honoured and
// remembered as drift; neither code works a second time (C-1, C-9).
//
// Errors: NotFound user or device; Exists when the device is bound; Limit;
// BadCode, counted on the device (C-3, C-4).
var EnableMFADevice = Op[PairIn, struct{}]{
	Name:   "EnableMFADevice",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in PairIn) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: PairIn.record,
	Do: func(env *Env, in PairIn) (none struct{}, err error) {
		u, err := env.owner(in.User)
		if err != nil {
			return none, err
		}
		f, err := env.device(in.Serial)
		if err != nil {
			return none, err
		}
		if f.User != 0 {
			return none, fault.Of(fault.Exists, "bound mfa device", in.Serial)
		}
		if err := env.bindingAllowed(u, env.isOwn(u)); err != nil {
			return none, err
		}
		if err := env.notAbove(u); err != nil {
			return none, err
		}
		if err := env.assignable(f, u); err != nil {
			return none, err
		}
		err = env.verifyPair(f, in, totp.EnableWindow, func(step int64, drift int) (bool, error) {
			return env.Tx.EnableFactor(f.Account, f.ID, u.ID, step, drift, env.Now)
		})
		if err == nil {
			err = env.taken(f)
		}
		if err != nil {
			return none, err
		}
		return none, env.notify(u, iam.NoticeFactorBound, f.Name)
	},
}

// ResyncMFADevice learns how far a device's clock is off, from two consecutive
// codes within an hour, and gives the device its budget of codes back.
//
// Errors: NotFound user or device; BadCode, counted.
var ResyncMFADevice = Op[PairIn, struct{}]{
	Name:   "ResyncMFADevice",
	Grants: Names{AWS: "iam:ResyncMFADevice"},
	Mode:   Write,
	Target: func(env *Env, in PairIn) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: PairIn.record,
	Do: func(env *Env, in PairIn) (none struct{}, err error) {
		f, err := env.deviceOf(in.User, in.Serial)
		if err != nil {
			return none, err
		}
		return none, env.verifyPair(f, in, totp.ResyncWindow, func(step int64, drift int) (bool, error) {
			return env.Tx.ResyncFactor(f.Account, f.ID, step, drift, env.Now)
		})
	},
}

// verifyPair checks two codes and burns them with accept, whose one conditional
// update is what makes them single-use (C-2). The work is the same for every
// outcome; a pair that does not fit is counted, and stays counted (C-3).
func (env *Env) verifyPair(f *iam.Factor, in PairIn, window int, accept func(step int64, drift int) (bool, error)) error {
	g, err := env.generator(f)
	if err != nil {
		return err
	}
	code1, bad1 := totp.Normalize(in.Code1)
	code2, bad2 := totp.Normalize(in.Code2)
	step, drift, ok := g.pair(code1, code2, env.Now, window)
	if ok && bad1 == nil && bad2 == nil && f.Failures < iam.MaxPairFailures {
		if ok, err = accept(step, drift); err != nil || ok {
			return err
		}
	}
	if err := env.countFailure(f, iam.MaxPairFailures); err != nil {
		return err
	}
	return refuse(fault.Of(fault.BadCode, "mfa device", Serial("", f)))
}

// generator is a device that shows codes, as it is now: by the clock or by a
// counter, with its own parameters.
type generator struct {
	*iam.Factor
	seed   seal.Secret
	params totp.Params
}

func (env *Env) generator(f *iam.Factor) (g generator, err error) {
	g.Factor = f
	if g.params, err = totp.ParseData(f.Data); err != nil {
		return g, err
	}
	g.seed, err = env.keys.open(env.Tx, seedPlace(f.ID), f.Seed)
	return g, err
}

// code judges one code against the steps or counters after last.
func (g *generator) code(code string, now time.Time, last int64) (step int64, drift int, ok bool) {
	s := totp.State{LastStep: last, Drift: g.Drift}
	if g.Kind == iam.FactorHOTP {
		step, ok = totp.VerifyCounter(g.seed.Reveal(), g.params, code, s)
		return step, 0, ok
	}
	return totp.Verify(g.seed.Reveal(), g.params, code, now, s)
}

// pair judges two consecutive codes.
func (g *generator) pair(code1, code2 string, now time.Time, window int) (step int64, drift int, ok bool) {
	s := totp.State{LastStep: g.LastStep, Drift: g.Drift}
	if g.Kind == iam.FactorHOTP {
		step, ok = totp.VerifyCounterPair(g.seed.Reveal(), g.params, code1, code2, s)
		return step, 0, ok
	}
	return totp.VerifyPair(g.seed.Reveal(), g.params, code1, code2, now, s, window)
}

// usedBefore reports whether a code that was refused was one of the device's
// latest: for the trail, which tells a replay from a guess.
func (g *generator) usedBefore(code string, now time.Time) bool {
	if g.Kind == iam.FactorHOTP {
		step, _, ok := g.code(code, now, max(g.LastStep-totp.LookAhead, -1))
		return ok && step <= g.LastStep
	}
	_, _, ok := g.code(code, now, 0)
	return ok
}

// countFailure counts a wrong code unless the budget is spent already: guesses
// that are not even looked at must not use up what is left for resynchronising.
func (env *Env) countFailure(f *iam.Factor, budget int) error {
	if f.Failures >= budget {
		return nil
	}
	_, err := env.Tx.FactorFailed(f.Account, f.ID)
	return err
}

// The refusals of verifyCode. What a caller sees is the same for a code that is
// wrong, was used, or comes when the budget is spent; the trail tells them apart.
var (
	errHalfMFA   = fault.Of(fault.Denied, "half mfa", "")
	errMFASerial = fault.Of(fault.Denied, "mfa serial", "")
	errWrongCode = badCode("the code is wrong")
	errUsedCode  = badCode("the code was used before")
	errNoBudget  = badCode("too many wrong codes in a row")
)

func badCode(why string) error {
	return &fault.Error{Kind: fault.Denied, Noun: "mfa code", Err: errors.New(why)}
}

// verifyCode checks the code of a device that must be the user's own and burns
// it: no code is accepted twice, at any door (C-1). It returns nil when neither
// serial nor code was given. A wrong code is counted and stays counted; when the
// budget is spent a right one is refused in the same way (C-5).
func (env *Env) verifyCode(user name.ID, serial, code string) (*MFA, error) {
	if serial == "" && code == "" {
		return nil, nil
	}
	if serial == "" || code == "" {
		return nil, errHalfMFA
	}
	digits, bad := totp.Normalize(code)
	f, err := env.device(serial)
	if err == nil && (f.User == 0 || f.User != user) { // role sessions have no user either
		err = errMFASerial
	}
	if err != nil {
		totp.Decoy(device, digits, env.Now) // as much work as for a device that exists (C-6)
		if fault.Is(err, fault.NotFound) {
			err = errMFASerial
		}
		return nil, err
	}
	return env.checkCode(f, digits, bad == nil)
}

// checkCode is verifyCode for a device that is known to be the user's own.
// wellFormed says that digits are any at all.
func (env *Env) checkCode(f *iam.Factor, digits string, wellFormed bool) (*MFA, error) {
	g, err := env.generator(f)
	if err != nil {
		return nil, err
	}
	step, drift, ok := g.code(digits, env.Now, f.LastStep)
	why := errNoBudget
	if f.Failures < iam.MaxCodeFailures {
		why = errWrongCode
		if ok && wellFormed {
			if ok, err = env.Tx.AcceptStep(f.Account, f.ID, step, drift, env.Now); err != nil {
				return nil, err
			}
			if ok {
				return &MFA{Known: true, Present: true, At: env.Now, Methods: []string{string(f.Kind)}}, nil
			}
		}
	}
	if why == errWrongCode && g.usedBefore(digits, env.Now) {
		why = errUsedCode
	}
	if err := env.countFailure(f, iam.MaxCodeFailures); err != nil {
		return nil, err
	}
	return nil, refuse(why)
}

// device reads a device of the caller's account by its serial number. One that
// has run out is gone already.
func (env *Env) device(serial string) (*iam.Factor, error) {
	missing := fault.Of(fault.NotFound, "mfa device", serial)
	a, path, devName, virtual := name.SplitIAM(serial, "mfa")
	if !virtual {
		a, path, devName = env.Call.Caller.Account, "/", serial // a token has the serial number that is printed on it
	}
	if a != env.Call.Caller.Account {
		return nil, missing
	}
	f, err := env.Tx.FactorBySerial(a, path, devName)
	if fault.Is(err, fault.NotFound) || err == nil && (expired(f, env.Now) || f.Hardware == virtual) {
		return nil, missing
	}
	return f, err
}

// deviceOf reads a device that is bound to a user; the user is checked first.
func (env *Env) deviceOf(user Ref, serial string) (*iam.Factor, error) {
	u, err := env.owner(user)
	if err != nil {
		return nil, err
	}
	f, err := env.device(serial)
	if err == nil && f.User != u.ID {
		return nil, fault.Of(fault.NotFound, "mfa device", serial)
	}
	return f, err
}

// DeviceIn names a device of a user; a zero Ref means the caller.
type DeviceIn struct {
	User   Ref
	Serial string
	Reason string // why it is taken from another, for the trail; see takingAllowed
}

func (in DeviceIn) record() audit.Fields {
	f := deviceFields(in.User, in.Serial)
	if in.Reason != "" {
		f["reason"] = clipped(in.Reason)
	}
	return f
}

// DeactivateMFADevice takes a device from its user. A device is kept, bound to
// nobody, and proves nothing; a passkey or U2F key is gone. Whoever removes a
// device of its own proves one first that is no weaker (P-7); whoever takes
// another's says why.
//
// Errors: NotFound user or device; Invalid reason; StepUp.
var DeactivateMFADevice = Op[DeviceIn, struct{}]{
	Name:   "DeactivateMFADevice",
	Grants: Names{AWS: "iam:DeactivateMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in DeviceIn) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: DeviceIn.record,
	Do: func(env *Env, in DeviceIn) (none struct{}, err error) {
		if u, f, ok, err := env.keyBySerial(in); err != nil {
			return none, err
		} else if ok {
			return none, env.removeKey(u, f, in.Reason)
		}
		f, err := env.deviceOf(in.User, in.Serial)
		if err != nil {
			return none, err
		}
		u, err := env.owner(in.User)
		if err != nil {
			return none, err
		}
		if err := env.takingAllowed(u, f, in.Reason); err != nil {
			return none, err
		}
		if err := env.Tx.UnbindFactor(f.Account, f.ID, time.Time{}); err != nil {
			return none, err
		}
		return none, env.notify(u, iam.NoticeFactorRemoved, f.Name)
	},
}

// SerialIn names a device.
type SerialIn struct{ Serial string }

func (in SerialIn) record() audit.Fields { return audit.Fields{"serialNumber": in.Serial} }

// serialTarget is the target of an operation on a device itself. A device that
// does not exist is authorised under the serial that was given.
func (env *Env) serialTarget(serial string) (Target, error) {
	f, err := env.device(serial)
	if fault.Is(err, fault.NotFound) {
		return Target{Noun: "mfa device", Name: serial, Resources: []string{serial}}, nil
	}
	if err != nil {
		return Target{Noun: "mfa device", Name: serial}, err
	}
	return deviceTarget(f), nil
}

func deviceTarget(f *iam.Factor) Target {
	return Target{Noun: "mfa device", Name: f.Name, ID: f.ID, Resources: []string{f.ARN()}, ResourceTags: f.Tags}
}

// DeleteVirtualMFADevice deletes a device that nobody is bound to.
//
// Errors: NotFound; Conflict while somebody is.
var DeleteVirtualMFADevice = Op[SerialIn, struct{}]{
	Name:   "DeleteVirtualMFADevice",
	Grants: Names{AWS: "iam:DeleteVirtualMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in SerialIn) (Target, error) {
		t, err := env.serialTarget(in.Serial)
		if err != nil {
			return t, err
		}
		f, err := env.device(in.Serial)
		if err == nil && f.User == 0 {
			t.Granted, err = env.own(f.Creator, managesFactors)
		}
		return t, ignoreMissing(err)
	},
	Record: SerialIn.record,
	Do: func(env *Env, in SerialIn) (none struct{}, err error) {
		f, err := env.device(in.Serial)
		if err != nil {
			return none, err
		}
		if f.Hardware {
			return none, fault.Of(fault.NotFound, "mfa device", in.Serial)
		}
		if f.User != 0 {
			return none, fault.Of(fault.Conflict, "assigned device", in.Serial)
		}
		return none, env.Tx.DeleteFactor(f.Account, f.ID)
	},
}

// DeviceList is a page of a user's devices.
type DeviceList struct {
	UserName string
	page.Page[iam.Factor]
}

// ListMFADevices lists the devices that a user has enabled, oldest first: what
// has a serial number, which passkeys and U2F keys have, too (Serial).
//
// Errors: NotFound user.
var ListMFADevices = Op[UserListing, DeviceList]{
	Name:   "ListMFADevices",
	Grants: Names{AWS: "iam:ListMFADevices"},
	Target: func(env *Env, in UserListing) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: func(in UserListing) audit.Fields { return audit.Fields{"userName": in.User.String()} },
	Do: func(env *Env, in UserListing) (list DeviceList, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return list, err
		}
		list.UserName = u.Name
		all, err := env.Tx.Factors(u.Account, u.ID)
		if err != nil {
			return list, err
		}
		all = slices.DeleteFunc(all, func(f iam.Factor) bool { return !f.Kind.Device() && !isKey(f.Kind) })
		list.Page, err = paged(env, "ListMFADevices", []string{u.ID.String()}, in.Listing, func(after string, limit int) ([]iam.Factor, error) {
			rest := all
			if after != "" {
				rest = all[slices.IndexFunc(all, func(f iam.Factor) bool { return f.ID.String() == after })+1:]
			}
			return rest[:min(limit, len(rest))], nil
		}, func(f iam.Factor) string { return f.ID.String() })
		return list, err
	},
}

// Assignment selects devices by whether a user is bound to them.
type Assignment = store.Assignment

// The assignments.
const (
	AnyAssignment = store.AssignmentAny
	Assigned      = store.AssignmentAssigned
	Unassigned    = store.AssignmentUnassigned
)

// DeviceUse is a device and the user who is bound to it, if anybody is.
type DeviceUse = store.FactorUse

// ListVirtualMFADevicesIn is the input of ListVirtualMFADevices.
type ListVirtualMFADevicesIn struct {
	Which Assignment
	Listing
}

// ListVirtualMFADevices lists the account's devices by name, without their
// seeds.
var ListVirtualMFADevices = Op[ListVirtualMFADevicesIn, page.Page[DeviceUse]]{
	Name:   "ListVirtualMFADevices",
	Grants: Names{AWS: "iam:ListVirtualMFADevices"},
	Target: func(*Env, ListVirtualMFADevicesIn) (Target, error) { return Target{Noun: "mfa devices"}, nil },
	Do: func(env *Env, in ListVirtualMFADevicesIn) (page.Page[DeviceUse], error) {
		return pagedBy(env, "ListVirtualMFADevices", []string{string(in.Which)}, in.Listing, func(key page.Key, limit int) ([]DeviceUse, error) {
			after, err := afterOf(key)
			if err != nil {
				return nil, err
			}
			return env.liveDevices(in.Which, after, limit)
		}, func(d DeviceUse) page.Key { return page.Key{d.Name, d.ID.String()} })
	},
}

// afterOf reads the place of a cursor in a list by name and id.
func afterOf(key page.Key) (after store.After, err error) {
	if key == nil {
		return after, nil
	}
	if len(key) != 2 {
		return after, fault.New(fault.Internal, "a cursor holds %d values, not a name and an id", len(key))
	}
	id, err := strconv.ParseInt(key[1], 10, 64)
	if err != nil {
		return after, fault.Wrap(err, "read a cursor")
	}
	return store.After{Name: key[0], ID: name.ID(id)}, nil
}

// liveDevices reads up to limit devices after a place, passing over those that
// have run out and are not swept yet.
func (env *Env) liveDevices(which Assignment, after store.After, limit int) (live []DeviceUse, err error) {
	for {
		rows, err := env.Tx.FactorsPage(env.Call.Caller.Account, which, after, limit)
		if err != nil {
			return nil, err
		}
		for _, d := range rows {
			if !expired(&d.Factor, env.Now) && len(live) < limit {
				live = append(live, d)
			}
		}
		if len(rows) < limit || len(live) == limit {
			return live, nil
		}
		last := rows[len(rows)-1]
		after = store.After{Name: last.Name, ID: last.ID}
	}
}

// UserDevice is a device and the name of its user, "" for root.
type UserDevice struct {
	UserName string
	iam.Factor
}

// GetMFADevice reads a device that is bound to a user.
//
// Errors: NotFound user or device.
var GetMFADevice = Op[DeviceIn, *UserDevice]{
	Name:   "GetMFADevice",
	Grants: Names{AWS: "iam:GetMFADevice"},
	Target: func(env *Env, in DeviceIn) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: DeviceIn.record,
	Do: func(env *Env, in DeviceIn) (*UserDevice, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		if _, f, ok, err := env.keyBySerial(in); err != nil {
			return nil, err
		} else if ok {
			return &UserDevice{u.Name, *f}, nil
		}
		f, err := env.device(in.Serial)
		if err != nil {
			return nil, err
		}
		if f.User != u.ID {
			return nil, fault.Of(fault.NotFound, "mfa device", in.Serial)
		}
		return &UserDevice{u.Name, *f}, nil
	},
}

// TagDeviceIn sets tags on a device.
type TagDeviceIn struct {
	SerialIn
	Tags []iam.Tag
}

// TagMFADevice adds tags to a device or replaces their values. Keys are compared
// with case.
//
// Errors: NotFound; Invalid; Limit above iam.MaxTags in all.
var TagMFADevice = Op[TagDeviceIn, struct{}]{
	Name:   "TagMFADevice",
	Grants: Names{AWS: "iam:TagMFADevice"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in TagDeviceIn) (Target, error) {
		t, err := env.serialTarget(in.Serial)
		t.RequestTags = in.Tags
		return t, err
	},
	Record: func(in TagDeviceIn) audit.Fields { return in.record() },
	Do: func(env *Env, in TagDeviceIn) (none struct{}, err error) {
		f, err := env.device(in.Serial)
		if err != nil {
			return none, err
		}
		tags, err := tagged(f.Tags, in.Tags, false)
		if err != nil {
			return none, err
		}
		return none, env.Tx.UpdateFactorTags(f.Account, f.ID, tags)
	},
}

// UntagDeviceIn removes tags from a device.
type UntagDeviceIn struct {
	SerialIn
	Keys []string
}

// UntagMFADevice removes tags from a device.
//
// Errors: NotFound.
var UntagMFADevice = Op[UntagDeviceIn, struct{}]{
	Name:   "UntagMFADevice",
	Grants: Names{AWS: "iam:UntagMFADevice"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UntagDeviceIn) (Target, error) {
		t, err := env.serialTarget(in.Serial)
		t.TagKeys = in.Keys
		return t, err
	},
	Record: func(in UntagDeviceIn) audit.Fields { return in.record() },
	Do: func(env *Env, in UntagDeviceIn) (none struct{}, err error) {
		f, err := env.device(in.Serial)
		if err != nil {
			return none, err
		}
		return none, env.Tx.UpdateFactorTags(f.Account, f.ID, iam.Untagged(f.Tags, in.Keys, false))
	},
}

// DeviceTagsIn lists the tags of a device.
type DeviceTagsIn struct {
	SerialIn
	Listing
}

// ListMFADeviceTags lists a device's tags by key.
//
// Errors: NotFound.
var ListMFADeviceTags = Op[DeviceTagsIn, page.Page[iam.Tag]]{
	Name:   "ListMFADeviceTags",
	Grants: Names{AWS: "iam:ListMFADeviceTags"},
	Target: func(env *Env, in DeviceTagsIn) (Target, error) { return env.serialTarget(in.Serial) },
	Record: func(in DeviceTagsIn) audit.Fields { return in.record() },
	Do: func(env *Env, in DeviceTagsIn) (p page.Page[iam.Tag], err error) {
		f, err := env.device(in.Serial)
		if err != nil {
			return p, err
		}
		return listTags(env, "ListMFADeviceTags", f.ID, in.Listing, f.Tags)
	},
}
