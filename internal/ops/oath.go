package ops

import (
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/factor/oath"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/seal"
)

// Hardware tokens come with their seeds in a file. They lie in the account's pool
// until one is given to a user, who activates it with two codes; or until anybody
// who may enables one for a user with two of its codes (EnableMFADevice), by the
// serial number that is printed on it.

// ImportTokensIn is a file of tokens.
type ImportTokensIn struct {
	File seal.Secret // CSV or PSKC
	Key  seal.Secret // pre-shared key or passphrase of an encrypted one; empty = none
}

// ImportedTokens tells what came of an import.
type ImportedTokens struct {
	Added []string // serial numbers
	Known []string // those that the account has already: left as they are
}

// ImportTokens puts the tokens of a file into the account's pool: all of them, or
// none. Those that the account has already are left alone.
//
// Errors: Invalid, field "file" or "key"; Exists when a virtual device bears the
// number of a token.
var ImportTokens = Op[ImportTokensIn, ImportedTokens]{
	Name:   "ImportTokens",
	Grants: Names{AWS: "warifu:ImportTokens"},
	Mode:   Write,
	Needs:  recently,
	Target: func(*Env, ImportTokensIn) (Target, error) { return Target{Noun: "tokens"}, nil },
	Record: func(ImportTokensIn) audit.Fields { return nil }, // the file is secret; the serial numbers are told by Do
	Do: func(env *Env, in ImportTokensIn) (out ImportedTokens, err error) {
		all, err := oath.Parse(in.File.Reveal(), string(in.Key.Reveal()))
		if err != nil {
			return out, err
		}
		for i := range all {
			added, err := env.importToken(&all[i])
			if err != nil {
				return out, err
			}
			if added {
				out.Added = append(out.Added, all[i].Serial)
			} else {
				out.Known = append(out.Known, all[i].Serial)
			}
		}
		env.ev.Params = audit.Fields{"added": clipped(strings.Join(out.Added, " ")), "known": clipped(strings.Join(out.Known, " "))}
		return out, nil
	},
}

// importToken keeps a token, and reports false for one that is there already.
func (env *Env) importToken(t *oath.Token) (bool, error) {
	a := env.Call.Caller.Account
	old, err := env.Tx.FactorBySerial(a, "/", t.Serial)
	if err == nil {
		if !old.Hardware {
			return false, fault.Of(fault.Exists, "mfa device", t.Serial)
		}
		return false, nil
	}
	if !fault.Is(err, fault.NotFound) {
		return false, err
	}
	f := iam.Factor{
		Account: a, Kind: t.Kind, Name: t.Serial, Path: "/", Hardware: true, Created: env.Now, Creator: env.Call.Caller.ID(),
		LastStep: t.Counter - 1, Data: oath.Data{Maker: t.Maker, Model: t.Model, Params: t.Params}.Text(),
	}
	if t.Kind == iam.FactorTOTP {
		f.LastStep = 0
	}
	if f.ID, err = name.NewID(env.rand); err != nil {
		return false, fault.Wrap(err, "import a token")
	}
	if f.Seed, err = env.keys.seal(env.Tx, env.rand, seedPlace(f.ID), seal.NewSecret(t.Seed)); err != nil {
		return false, err
	}
	return true, env.Tx.InsertFactor(&f)
}

// HardwareToken is a token as lists show it.
type HardwareToken struct {
	iam.Factor
	oath.Data
	UserName string // who has it, or is to activate it; "" = nobody, or root
	Root     bool   // it is root who has it
}

// TokenState is where a token stands.
type TokenState string

// The states.
const (
	TokenFree  TokenState = "free"  // in the pool
	TokenGiven TokenState = "given" // to a user who has not activated it
	TokenUsed  TokenState = "used"
	TokenLost  TokenState = "lost"
)

// State is where the token stands.
func (t *HardwareToken) State() TokenState {
	switch {
	case t.Lost:
		return TokenLost
	case t.User != 0:
		return TokenUsed
	case t.For != 0:
		return TokenGiven
	}
	return TokenFree
}

// Locked reports whether two consecutive codes are needed before a single one is
// taken again.
func (t *HardwareToken) Locked() bool { return t.Failures >= iam.MaxCodeFailures }

// ListTokens lists the account's tokens by serial number.
var ListTokens = Op[Listing, page.Page[HardwareToken]]{
	Name:   "ListTokens",
	Grants: Names{AWS: "iam:ListVirtualMFADevices"},
	Target: func(*Env, Listing) (Target, error) { return Target{Noun: "tokens"}, nil },
	Do: func(env *Env, in Listing) (page.Page[HardwareToken], error) {
		return pagedBy(env, "ListTokens", nil, in, func(key page.Key, limit int) ([]HardwareToken, error) {
			after, err := afterOf(key)
			if err != nil {
				return nil, err
			}
			rows, err := env.Tx.TokensPage(env.Call.Caller.Account, after, limit)
			if err != nil {
				return nil, err
			}
			all := make([]HardwareToken, len(rows))
			for i := range rows {
				if all[i], err = env.hardware(&rows[i]); err != nil {
					return nil, err
				}
			}
			return all, nil
		}, func(t HardwareToken) page.Key { return page.Key{t.Name, t.ID.String()} })
	},
}

// GetToken reads a token.
//
// Errors: NotFound.
var GetToken = Op[DeviceIn, *HardwareToken]{
	Name:   "GetToken",
	Grants: Names{AWS: "iam:ListVirtualMFADevices"},
	Target: func(*Env, DeviceIn) (Target, error) { return Target{Noun: "tokens"}, nil },
	Record: DeviceIn.record,
	Do: func(env *Env, in DeviceIn) (*HardwareToken, error) {
		f, _, err := env.token(in.Serial)
		if err != nil {
			return nil, err
		}
		t, err := env.hardware(f)
		return &t, err
	},
}

// hardware is a token with what is known of it.
func (env *Env) hardware(f *iam.Factor) (t HardwareToken, err error) {
	if t.Data, err = oath.ParseData(f.Data); err != nil {
		return t, err
	}
	t.Factor = *f
	t.Seed = nil
	who := f.User
	if who == 0 {
		who = t.For
	}
	if who == 0 {
		return t, nil
	}
	u, err := env.Tx.UserByID(f.Account, who)
	if fault.Is(err, fault.NotFound) { // it was given to a user who is gone
		t.For = 0
		return t, nil
	}
	if err == nil {
		t.UserName, t.Root = u.Name, u.Root
	}
	return t, err
}

// token reads a hardware token by its serial number.
func (env *Env) token(serial string) (*iam.Factor, oath.Data, error) {
	f, err := env.device(serial)
	if err == nil && !f.Hardware {
		err = fault.Of(fault.NotFound, "mfa device", serial)
	}
	if err != nil {
		return nil, oath.Data{}, err
	}
	d, err := oath.ParseData(f.Data)
	return f, d, err
}

// AssignToken gives a token of the pool to a user, who activates it with two
// codes; nobody else can. The user is told.
//
// Errors: NotFound user or token; Conflict, noun "token", when it is somebody's or
// lost; Limit; Denied, noun "above the caller".
var AssignToken = Op[DeviceIn, struct{}]{
	Name:   "AssignToken",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in DeviceIn) (Target, error) { return env.userTarget(in.User) },
	Record: DeviceIn.record,
	Do: func(env *Env, in DeviceIn) (none struct{}, err error) {
		u, err := env.owner(in.User)
		if err != nil {
			return none, err
		}
		if err := env.notAbove(u); err != nil {
			return none, err
		}
		f, d, err := env.token(in.Serial)
		if err != nil {
			return none, err
		}
		if f.User != 0 || d.Lost || d.For != 0 && d.For != u.ID {
			return none, fault.Of(fault.Conflict, "token", in.Serial)
		}
		d.For = u.ID
		if err := env.putTokenData(f, d); err != nil {
			return none, err
		}
		return none, env.notify(u, iam.NoticeTokenGiven, f.Name)
	},
}

// putTokenData writes what is known of a token, if nobody did since it was read.
func (env *Env) putTokenData(f *iam.Factor, d oath.Data) error {
	changed, err := env.Tx.SetFactorData(f.Account, f.ID, f.Data, d.Text())
	if err == nil && !changed {
		err = fault.Of(fault.Conflict, "token", f.Name)
	}
	return err
}

// assignable refuses to bind a device to a user: a token that is lost, or given
// to somebody else.
func (env *Env) assignable(f *iam.Factor, u *iam.User) error {
	if !f.Hardware {
		return nil
	}
	d, err := oath.ParseData(f.Data)
	if err == nil && (d.Lost || d.For != 0 && d.For != u.ID) {
		err = fault.Of(fault.NotFound, "mfa device", f.Name)
	}
	return err
}

// taken ends the wait of a token that was just bound.
func (env *Env) taken(f *iam.Factor) error {
	if !f.Hardware {
		return nil
	}
	d, err := oath.ParseData(f.Data)
	if err != nil || d.For == 0 {
		return err
	}
	d.For = 0
	return env.putTokenData(f, d)
}

// ReleaseToken takes a token back into the pool: from its user, or from one who
// has not activated it. The codes that it showed stay used.
//
// Errors: NotFound token; Invalid reason; as DeactivateMFADevice.
var ReleaseToken = Op[DeviceIn, struct{}]{
	Name:   "ReleaseToken",
	Grants: Names{AWS: "iam:DeactivateMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: tokenTarget,
	Record: DeviceIn.record,
	Do: func(env *Env, in DeviceIn) (none struct{}, err error) {
		return none, env.takeToken(in, func(d *oath.Data) { d.For, d.Lost = 0, false })
	},
}

// LoseToken notes that a token is lost: it is taken from its user and proves
// nothing until ReleaseToken says that it was found.
//
// Errors: as ReleaseToken.
var LoseToken = Op[DeviceIn, struct{}]{
	Name:   "LoseToken",
	Grants: Names{AWS: "iam:DeactivateMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: tokenTarget,
	Record: DeviceIn.record,
	Do: func(env *Env, in DeviceIn) (none struct{}, err error) {
		return none, env.takeToken(in, func(d *oath.Data) { d.For, d.Lost = 0, true })
	},
}

// tokenTarget is the target of taking a token: its user, if it has one, and the
// token itself otherwise.
func tokenTarget(env *Env, in DeviceIn) (Target, error) {
	f, _, err := env.token(in.Serial)
	if err != nil {
		return Target{Noun: "mfa device", Name: in.Serial}, ignoreMissing(err)
	}
	if f.User != 0 {
		return env.userTarget(Ref{ID: f.User})
	}
	return deviceTarget(f), nil
}

// dropFactor ends a factor. A token goes back into the pool: its seed is not to be
// had again.
func (env *Env) dropFactor(f *iam.Factor) error {
	if f.Hardware {
		return env.Tx.UnbindFactor(f.Account, f.ID, time.Time{})
	}
	return env.Tx.DeleteFactor(f.Account, f.ID)
}

func (env *Env) takeToken(in DeviceIn, change func(*oath.Data)) error {
	if strings.TrimSpace(in.Reason) == "" {
		return fault.Field("reason", "reason must be given")
	}
	f, d, err := env.token(in.Serial)
	if err != nil {
		return err
	}
	change(&d)
	if err := env.putTokenData(f, d); err != nil {
		return err
	}
	if f.User == 0 {
		return nil
	}
	u, err := env.owner(Ref{ID: f.User})
	if err != nil {
		return err
	}
	if err := env.takingAllowed(u, f, in.Reason); err != nil {
		return err
	}
	if err := env.Tx.UnbindFactor(f.Account, f.ID, time.Time{}); err != nil {
		return err
	}
	return env.notify(u, iam.NoticeFactorRemoved, f.Name)
}

// DeleteToken forgets a token that nobody has. Its seed is gone: to have it again
// the file is imported again, and codes that were used would be good again.
//
// Errors: NotFound token; Conflict, noun "assigned device".
var DeleteToken = Op[DeviceIn, struct{}]{
	Name:   "DeleteToken",
	Grants: Names{AWS: "iam:DeleteVirtualMFADevice"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in DeviceIn) (Target, error) { return env.serialTarget(in.Serial) },
	Record: DeviceIn.record,
	Do: func(env *Env, in DeviceIn) (none struct{}, err error) {
		f, _, err := env.token(in.Serial)
		if err != nil {
			return none, err
		}
		if f.User != 0 {
			return none, fault.Of(fault.Conflict, "assigned device", in.Serial)
		}
		return none, env.Tx.DeleteFactor(f.Account, f.ID)
	},
}

// ListOwnTokens lists the tokens that were given to the caller and wait for two
// codes. No policy has a say.
var ListOwnTokens = Op[struct{}, []HardwareToken]{
	Name:       "ListOwnTokens",
	Grants:     Names{AWS: "warifu:ListOwnTokens"},
	Permission: Always,
	Target:     func(env *Env, _ struct{}) (Target, error) { return env.userTarget(Ref{}) },
	Do: func(env *Env, _ struct{}) ([]HardwareToken, error) {
		u, err := env.user(Ref{})
		if err != nil {
			return nil, err
		}
		return env.tokensFor(u)
	},
}
