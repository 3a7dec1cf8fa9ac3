package ops

import (
	"slices"
	"strconv"

	"warifu/internal/audit"
	"warifu/internal/factor/passkey"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/signin"
)

// errUnfit answers whoever sends a new passkey that is not taken: the trail says
// why.
var errUnfit = fault.Of(fault.Invalid, "passkey", "")

// errMake is errUnfit for an authenticator that the operator does not permit.
var errMake = fault.Of(fault.Invalid, "authenticator", "")

// inSession is where a session asks for something of its own.
func (env *Env) inSession(p Purpose) (at asking, err error) {
	if env.Call.Caller.Console == nil {
		return at, errNoSession
	}
	at = env.stepAsking()
	at.purpose = p
	return at, nil
}

// shownAs is a user as authenticators show it: with the account, for people have
// several.
func (env *Env) shownAs(u *iam.User) (passkey.User, error) {
	a, err := env.Tx.Account(u.Account)
	if err != nil {
		return passkey.User{}, err
	}
	who := passkey.User{Handle: handle(u), Name: u.Name, Shown: u.Name}
	if u.Root {
		who.Name, who.Shown = "root", "root"
	}
	if a.Alias != "" {
		who.Name += "@" + a.Alias
	} else {
		who.Name += "@" + a.ID.String()
	}
	return who, nil
}

// createKey makes what a browser is asked to create a passkey for a user. factor
// is the key that it replaces, 0 if there is none.
func (env *Env) createKey(at asking, factor name.ID) (string, error) {
	rp, err := env.party()
	if err != nil {
		return "", err
	}
	all, err := env.Tx.Factors(at.user.Account, at.user.ID)
	if err != nil {
		return "", err
	}
	// The key that is replaced may be the very one that the new passkey is on.
	all = slices.DeleteFunc(all, func(f iam.Factor) bool { return f.ID == factor })
	keys, err := credentials(all)
	if err != nil {
		return "", err
	}
	who, err := env.shownAs(at.user)
	if err != nil {
		return "", err
	}
	asked := creation(factor)
	if asked.Challenge, err = env.newChallenge(at, factor); err != nil {
		return "", err
	}
	return rp.Creation(asked, who, keys)
}

// creation is what is asked of a new passkey: that it can sign in by itself. Of
// one in the place of a U2F key no more than that key can do.
func creation(replaced name.ID) (a passkey.Asked) {
	if replaced == 0 {
		a.Verify, a.Resident = passkey.Always, true
	}
	return a
}

// newKey is a new passkey.
type newKey struct {
	called   string // "" = after its make
	response string
	replaced name.ID // the key in whose place it comes; 0 if there is none
	own      bool    // it is known to be the user who binds it
}

// keepKey judges a new passkey and binds it to the user. It reports false for one
// that is not taken.
//
// Errors: Limit; Exists, noun "passkey" for a credential that somebody has, noun
// "name"; Invalid name.
func (env *Env) keepKey(at asking, k newKey) (*iam.Factor, bool, error) {
	rp, err := env.party()
	if err != nil {
		return nil, false, err
	}
	new, err := passkey.ParseCreated(k.response)
	if err != nil {
		env.why(err)
		return nil, false, nil
	}
	fresh, err := env.burnChallenge(at, k.replaced, new.Challenge())
	if err != nil || !fresh {
		env.why(errStaleChallenge)
		return nil, false, err
	}
	asked := creation(k.replaced)
	asked.Challenge = new.Challenge()
	c, count, err := rp.Register(new, asked, env.Now)
	if err != nil {
		env.why(err)
		if passkey.Refused(err) {
			return nil, false, errMake
		}
		return nil, false, nil
	}
	f, err := env.insertKey(at.user, iam.FactorPasskey, k, c, count)
	return f, err == nil, err
}

// insertKey binds a credential to a user and tells it.
func (env *Env) insertKey(u *iam.User, kind iam.FactorKind, k newKey, c *passkey.Credential, count int64) (*iam.Factor, error) {
	all, err := env.Tx.Factors(u.Account, u.ID)
	if err != nil {
		return nil, err
	}
	if k.replaced == 0 {
		if err := env.bindingAllowed(u, k.own); err != nil {
			return nil, err
		}
	}
	called := k.called
	if called == "" {
		called = freeName(all, kind, c.AAGUID.Make())
	}
	if err := checkKeyName(called); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(all, func(f iam.Factor) bool { return f.Kind == kind && f.Name == called && f.ID != k.replaced }) {
		return nil, fault.Of(fault.Exists, "key name", called)
	}
	if _, err := env.Tx.FactorByCredential(c.ID); err == nil {
		return nil, fault.Of(fault.Exists, "passkey", "") // whose it is, is nobody's business (W-7)
	} else if !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	f := iam.Factor{
		Account: u.Account, User: u.ID, Kind: kind, Name: called, Path: "/", Data: c.Data(), Credential: c.ID,
		Created: env.Now, Creator: env.Call.Caller.ID(), Enabled: env.Now, LastStep: count,
	}
	if f.ID, err = name.NewID(env.rand); err != nil {
		return nil, fault.Wrap(err, "bind a key")
	}
	if err := env.Tx.InsertFactor(&f); fault.Is(err, fault.Exists) {
		return nil, fault.Of(fault.Exists, "passkey", "")
	} else if err != nil {
		return nil, err
	}
	return &f, env.notify(u, iam.NoticeFactorBound, called)
}

// freeName is a name for a key whose owner gave it none: its make, with a number
// if there is one already.
func freeName(all []iam.Factor, kind iam.FactorKind, make string) string {
	base := make
	if base == "" {
		base = "Passkey"
	}
	for n := 1; ; n++ {
		called := base
		if n > 1 {
			called += " " + strconv.Itoa(n)
		}
		if !slices.ContainsFunc(all, func(f iam.Factor) bool { return f.Kind == kind && f.Name == called }) {
			return called
		}
	}
}

// ownUser is the target of an operation on the caller's own keys.
func ownUser(env *Env) (Target, error) { return env.ownTarget(Ref{}, managesFactors) }

// BeginPasskey makes what the browser is asked to create a passkey for the
// caller: PublicKeyCredentialCreationOptions, JSON. It changes nothing.
//
// Errors: Unauthenticated when the caller is not in the console; Unsupported, noun
// "passkeys".
var BeginPasskey = Op[struct{}, string]{
	Name:   "BeginPasskey",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Needs:  freshly,
	Target: func(env *Env, _ struct{}) (Target, error) { return ownUser(env) },
	Do: func(env *Env, _ struct{}) (string, error) {
		at, err := env.inSession(toCreateKey)
		if err != nil {
			return "", err
		}
		return env.createKey(at, 0)
	},
}

// CreatePasskeyIn is a new passkey.
type CreatePasskeyIn struct {
	Name     string // "" = after its make
	Response string // of the browser, JSON
}

func (in CreatePasskeyIn) record() audit.Fields { return audit.Fields{"name": in.Name} }

// CreatePasskey binds a new passkey to the caller, who is told of it. What the
// browser was asked is checked again (W-4).
//
// Errors: Invalid, noun "passkey" when the answer does not fit, noun
// "authenticator" when the operator does not permit its make; Exists, noun
// "passkey" or "key name"; Limit; Unauthenticated; Unsupported.
var CreatePasskey = Op[CreatePasskeyIn, *iam.Factor]{
	Name:   "CreatePasskey",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, _ CreatePasskeyIn) (Target, error) { return ownUser(env) },
	Record: CreatePasskeyIn.record,
	Do: func(env *Env, in CreatePasskeyIn) (*iam.Factor, error) {
		at, err := env.inSession(toCreateKey)
		if err != nil {
			return nil, err
		}
		f, ok, err := env.keepKey(at, newKey{called: in.Name, response: in.Response, own: true})
		if err == nil && !ok {
			err = refuse(errUnfit)
		}
		return f, err
	},
}

// Key is a passkey or a U2F key, and what is known of its authenticator.
type Key struct {
	iam.Factor
	Make     string // "" = not known
	U2F      bool
	SignsIn  bool // without name and password
	Synced   bool // may be copied to other devices
	BackedUp bool // has been
	Trusted  bool // an attestation proves the make
	Copied   bool // its counter went back once: somebody may have a copy of the key itself
}

// keyOf is a factor as pages list it.
func keyOf(f *iam.Factor) (k Key, err error) {
	c, err := credential(f)
	if err != nil {
		return k, err
	}
	return Key{
		Factor: *f, Make: c.AAGUID.Make(), U2F: c.U2F, SignsIn: c.SignsIn(), Synced: c.Eligible, BackedUp: c.BackedUp,
		Trusted: c.Trust == passkey.Trusted, Copied: c.Copied,
	}, nil
}

// ListPasskeys lists a user's passkeys and U2F keys, oldest first.
//
// Errors: NotFound user.
var ListPasskeys = Op[UserIn, []Key]{
	Name:   "ListPasskeys",
	Grants: Names{AWS: "iam:ListMFADevices", RAM: "ram:ListPasskeys"},
	Target: func(env *Env, in UserIn) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: func(in UserIn) audit.Fields { return audit.Fields{"userName": in.User.String()} },
	Do: func(env *Env, in UserIn) (list []Key, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		all, err := env.Tx.Factors(u.Account, u.ID)
		if err != nil {
			return nil, err
		}
		for i := range all {
			if !isKey(all[i].Kind) {
				continue
			}
			k, err := keyOf(&all[i])
			if err != nil {
				return nil, err
			}
			list = append(list, k)
		}
		return list, nil
	},
}

// KeyRef names a key of a user; a zero Ref means the caller.
type KeyRef struct {
	User Ref
	Key  name.ID
}

func (in KeyRef) record() audit.Fields {
	return audit.Fields{"userName": in.User.String(), "key": in.Key.String()}
}

// ownKey reads a key of a user.
func (env *Env) ownKey(in KeyRef) (*iam.User, *iam.Factor, error) {
	u, err := env.owner(in.User)
	if err != nil {
		return nil, nil, err
	}
	f, err := env.Tx.FactorByID(u.Account, in.Key)
	if fault.Is(err, fault.NotFound) || err == nil && (f.User != u.ID || !isKey(f.Kind)) {
		return u, nil, fault.Of(fault.NotFound, "passkey", in.Key.String())
	}
	return u, f, err
}

// RenamePasskeyIn gives a key another name.
type RenamePasskeyIn struct {
	KeyRef
	Name string
}

// RenamePasskey gives a key another name. Whoever is signed in may rename its own
// unless a statement denies it.
//
// Errors: NotFound user or passkey; Invalid name; Exists, noun "key name".
var RenamePasskey = Op[RenamePasskeyIn, struct{}]{
	Name:   "RenamePasskey",
	Grants: Names{AWS: "iam:TagMFADevice", RAM: "ram:UpdatePasskey"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in RenamePasskeyIn) (Target, error) {
		t, err := env.ownTarget(in.User, managesFactors)
		t.Granted = err == nil && t.ID == env.Call.Caller.User.ID
		return t, err
	},
	Record: func(in RenamePasskeyIn) audit.Fields {
		f := in.record()
		f["name"] = clipped(in.Name)
		return f
	},
	Do: func(env *Env, in RenamePasskeyIn) (none struct{}, err error) {
		_, f, err := env.ownKey(in.KeyRef)
		if err != nil {
			return none, err
		}
		if err := checkKeyName(in.Name); err != nil {
			return none, err
		}
		err = env.Tx.RenameFactor(f, in.Name)
		if fault.Is(err, fault.Exists) {
			err = fault.Of(fault.Exists, "key name", in.Name)
		}
		return none, err
	},
}

// DeletePasskey takes a key from its user, for good. Whoever removes a key of its
// own proves one first that is no weaker (P-7).
//
// Errors: NotFound user or passkey; StepUp.
var DeletePasskey = Op[DeletePasskeyIn, struct{}]{
	Name:   "DeletePasskey",
	Grants: Names{AWS: "iam:DeactivateMFADevice", RAM: "ram:DeletePasskey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in DeletePasskeyIn) (Target, error) { return env.ownTarget(in.User, managesFactors) },
	Record: func(in DeletePasskeyIn) audit.Fields {
		f := in.record()
		if in.Reason != "" {
			f["reason"] = clipped(in.Reason)
		}
		return f
	},
	Do: func(env *Env, in DeletePasskeyIn) (none struct{}, err error) {
		u, f, err := env.ownKey(in.KeyRef)
		if err != nil {
			return none, err
		}
		return none, env.removeKey(u, f, in.Reason)
	},
}

// DeletePasskeyIn names the key, and says why.
type DeletePasskeyIn struct {
	KeyRef
	Reason string // why it is taken from another, for the trail; see takingAllowed
}

// Serial is the serial number of a device of a user, whose name is "" for root.
func Serial(user string, f *iam.Factor) string {
	if isKey(f.Kind) {
		return name.KeyARN(f.Account, user, f.Name, f.ID)
	}
	if f.Hardware {
		return f.Name
	}
	return f.ARN()
}

// keyBySerial reads the key of a user that a serial number names. It reports
// false for a serial number that is no key's.
func (env *Env) keyBySerial(in DeviceIn) (*iam.User, *iam.Factor, bool, error) {
	a, whose, id, ok := name.SplitKey(in.Serial)
	if !ok {
		return nil, nil, false, nil
	}
	u, f, err := env.ownKey(KeyRef{User: in.User, Key: id})
	if err == nil && (a != u.Account || whose != u.Name) || fault.Is(err, fault.NotFound) && u != nil {
		err = fault.Of(fault.NotFound, "mfa device", in.Serial)
	}
	return u, f, true, err
}

// removeKey deletes a key and tells its user.
func (env *Env) removeKey(u *iam.User, f *iam.Factor, why string) error {
	if err := env.takingAllowed(u, f, why); err != nil {
		return err
	}
	if err := env.Tx.DeleteFactor(f.Account, f.ID); err != nil {
		return err
	}
	return env.notify(u, iam.NoticeFactorRemoved, f.Name)
}

// noWeaker makes sure that whoever removes a factor of its own has just proved
// one that is no weaker: a code by mail takes no passkey away (P-7).
func (env *Env) noWeaker(u *iam.User, f *iam.Factor) error {
	if u.ID != env.Call.Caller.User.ID {
		return nil
	}
	t := userTarget(u)
	return env.assure(Assurance{Within: freshly.Within, Least: iam.Method(f.Kind).Strength()}, &t)
}

// Upgrading a U2F key takes two answers: the old key proves itself, then it, or
// whichever takes its place, creates a passkey (W-8). Until that is bound the old
// key stays as it is.

// BeginUpgrade makes what the browser is asked of a U2F key of the caller's that
// is to become a passkey: PublicKeyCredentialRequestOptions, JSON.
//
// Errors: Unauthenticated; NotFound passkey; Conflict, noun "passkey", when it is
// one already; Unsupported.
var BeginUpgrade = Op[KeyRef, string]{
	Name:   "BeginUpgrade",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Target: func(env *Env, _ KeyRef) (Target, error) { return ownUser(env) },
	Record: KeyRef.record,
	Do: func(env *Env, in KeyRef) (string, error) {
		at, f, err := env.upgrading(toUpgradeKey, in)
		if err != nil {
			return "", err
		}
		return env.requestKeys(at, f.ID, []iam.Factor{*f})
	},
}

// upgrading reads the key that is upgraded, and where.
func (env *Env) upgrading(p Purpose, in KeyRef) (at asking, f *iam.Factor, err error) {
	if at, err = env.inSession(p); err != nil {
		return at, nil, err
	}
	if _, f, err = env.ownKey(KeyRef{Key: in.Key}); err == nil && f.Kind != iam.FactorU2F {
		err = fault.Of(fault.Conflict, "passkey", in.Key.String())
	}
	return at, f, err
}

// ProveUpgradeIn is the answer of the old key.
type ProveUpgradeIn struct {
	KeyRef
	Assertion string
}

// ProveUpgrade takes the answer of the old key, and makes what the browser is
// asked to create the passkey. The proof counts for the session as any other
// does.
//
// Errors: those of BeginUpgrade; BadCode, counted.
var ProveUpgrade = Op[ProveUpgradeIn, *Upgrading]{
	Name:   "ProveUpgrade",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Mode:   Write,
	Target: func(env *Env, _ ProveUpgradeIn) (Target, error) { return ownUser(env) },
	Record: func(in ProveUpgradeIn) audit.Fields { return in.record() },
	Do: func(env *Env, in ProveUpgradeIn) (*Upgrading, error) {
		at, f, err := env.upgrading(toUpgradeKey, in.KeyRef)
		if err != nil {
			return nil, err
		}
		ok, err := env.proveAmong(at, f.ID, []iam.Factor{*f}, f, Response{Assertion: in.Assertion})
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, refuse(fault.Of(fault.BadCode, "code", ""))
		}
		c := env.Call.Caller.Console
		c.Proved = provedAnew(c.Proved, iam.Proved{Method: iam.MethodU2F, Factor: f.ID, At: env.Now})
		rotated, err := env.rotate()
		if err != nil {
			return nil, err
		}
		at.purpose = toReplaceKey
		options, err := env.createKey(at, f.ID)
		return &Upgrading{SteppedUp: *rotated, Options: options}, err
	},
}

// Upgrading is what comes after the old key's answer.
type Upgrading struct {
	SteppedUp
	Options string // PublicKeyCredentialCreationOptions, JSON
}

// FinishUpgradeIn is the new passkey.
type FinishUpgradeIn struct {
	KeyRef
	CreatePasskeyIn
}

// FinishUpgrade puts a passkey in the place of the U2F key that proved itself in
// this session less than passkey.Life ago.
//
// Errors: those of BeginUpgrade and of CreatePasskey; StepUp when the old key has
// not proved itself.
var FinishUpgrade = Op[FinishUpgradeIn, *iam.Factor]{
	Name:   "FinishUpgrade",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, _ FinishUpgradeIn) (Target, error) { return ownUser(env) },
	Record: func(in FinishUpgradeIn) audit.Fields {
		f := in.KeyRef.record()
		f["name"] = clipped(in.Name)
		return f
	},
	Do: func(env *Env, in FinishUpgradeIn) (*iam.Factor, error) {
		at, old, err := env.upgrading(toReplaceKey, in.KeyRef)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(env.Call.Caller.Console.Proved, func(p iam.Proved) bool {
			return p.Factor == old.ID && p.Method == iam.MethodU2F && env.Now.Sub(p.At) < signin.Life
		}) {
			return nil, fault.Of(fault.StepUp, ProveFactor, "")
		}
		f, ok, err := env.keepKey(at, newKey{called: in.Name, response: in.Response, replaced: old.ID, own: true})
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, refuse(errUnfit)
		}
		return f, env.Tx.DeleteFactor(old.Account, old.ID)
	},
}

// ImportU2FKeyIn is a key as another system registered it by FIDO U2F.
type ImportU2FKeyIn struct {
	User      Ref
	Name      string
	KeyHandle []byte
	PublicKey []byte // uncompressed point on P-256
	AppID     string // "" = the server's
	Count     uint32 // signatures that the other system has seen
}

// ImportU2FKey binds a key to a user that another system registered by FIDO U2F.
// It is good as a second factor, and can be upgraded. It is for an administrator:
// nobody proves here that the key is at hand.
//
// Errors: NotFound user; Invalid; Exists, noun "passkey" or "key name"; Limit;
// Denied, noun "above the caller"; Unmodifiable where only the user itself may
// bind.
var ImportU2FKey = Op[ImportU2FKeyIn, *iam.Factor]{
	Name:   "ImportU2FKey",
	Grants: Names{AWS: "warifu:ImportU2FKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in ImportU2FKeyIn) (Target, error) { return env.userTarget(in.User) },
	Record: func(in ImportU2FKeyIn) audit.Fields {
		return audit.Fields{"userName": in.User.String(), "name": clipped(in.Name), "appId": clipped(in.AppID)}
	},
	Do: func(env *Env, in ImportU2FKeyIn) (*iam.Factor, error) {
		u, err := env.owner(in.User)
		if err != nil {
			return nil, err
		}
		if err := env.notAbove(u); err != nil {
			return nil, err
		}
		c, err := passkey.Legacy(in.KeyHandle, in.PublicKey, in.AppID)
		if err != nil {
			return nil, err
		}
		called := in.Name
		if called == "" {
			all, err := env.Tx.Factors(u.Account, u.ID)
			if err != nil {
				return nil, err
			}
			called = freeName(all, iam.FactorU2F, "Security key")
		}
		return env.insertKey(u, iam.FactorU2F, newKey{called: called, own: env.isOwn(u)}, c, int64(in.Count))
	},
}
