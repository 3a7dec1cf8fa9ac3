package ops

import (
	"slices"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/factor/recovery"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/signin"
)

// Recovery codes stand in for a factor that is lost. They are worth a one-time
// code: at sign-in, and to bind the next device. They are no user's only factor,
// they take no stronger factor away (P-7), and they do not make their like: new
// ones ask for another factor.

// recoveryProver proves codes on paper.
func recoveryProver() prover {
	return prover{
		offered: func(env *Env, f *iam.Factor) (bool, error) {
			left, err := env.Tx.RecoveryCodesLeft(f.ID)
			return left > 0, err
		},
		prove: proveRecovery,
	}
}

// recoveryHash is what is kept of a user's code.
func (env *Env) recoveryHash(user name.ID, code string) []byte {
	return recovery.Hash(env.keys.ring().Derive("recovery codes"), user, code)
}

// proveRecovery judges a code and uses it up. The user is told, for it is not
// what happens every day. The work is the same for every outcome (C-6).
func proveRecovery(env *Env, at asking, f *iam.Factor, r Response) (bool, error) {
	code := recovery.Normalize(r.Code)
	used, err := env.Tx.UseRecoveryCode(f.Account, f.ID, env.recoveryHash(f.User, code), env.Now)
	if err != nil {
		return false, err
	}
	if !used || code == "" {
		return false, env.countFailure(f, iam.MaxCodeFailures)
	}
	left, err := env.Tx.RecoveryCodesLeft(f.ID)
	if err != nil {
		return false, err
	}
	return true, env.notify(at.user, iam.NoticeRecoveryUsed, strconv.Itoa(left))
}

// RecoveryStatus is what is known of a user's codes.
type RecoveryStatus struct {
	Made time.Time // zero = there are none
	Left int
	Low  bool // time to make new ones
	Shut bool // too many wrong ones: they are good for nothing any more
}

// recoverySet is a user's set of codes; nil if there is none.
func (env *Env) recoverySet(u *iam.User) (*iam.Factor, error) {
	all, err := env.Tx.Factors(u.Account, u.ID)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(f iam.Factor) bool { return f.Kind == iam.FactorRecovery }); i >= 0 {
		return &all[i], nil
	}
	return nil, nil
}

// GetRecoveryStatus tells a user of its own codes. No policy has a say.
var GetRecoveryStatus = Op[struct{}, RecoveryStatus]{
	Name:       "GetRecoveryStatus",
	Grants:     Names{AWS: "warifu:GetRecoveryStatus"},
	Permission: Always,
	Target:     func(env *Env, _ struct{}) (Target, error) { return env.userTarget(Ref{}) },
	Do: func(env *Env, _ struct{}) (s RecoveryStatus, err error) {
		u, err := env.user(Ref{})
		if err != nil {
			return s, err
		}
		f, err := env.recoverySet(u)
		if err != nil || f == nil {
			return s, err
		}
		s.Left, err = env.Tx.RecoveryCodesLeft(f.ID)
		s.Made, s.Low, s.Shut = f.Created, s.Left <= recovery.Low, f.Failures >= iam.MaxCodeFailures
		return s, err
	},
}

// ownFactors is the target of what a person does to its own factors: allowed
// where the account lets users look after theirs, unless a policy denies it.
func ownFactors(env *Env, _ struct{}) (t Target, err error) {
	c := &env.Call.Caller
	if c.Console == nil {
		return Target{Noun: "user"}, errNoSession
	}
	wanted, err := env.Tx.Preferences(c.Account)
	if err != nil {
		return t, err
	}
	t, err = env.userTarget(Ref{})
	t.Granted = wanted.OwnFactors
	return t, err
}

// MakeRecoveryCodes makes a person's codes, which are shown this once; the ones
// before are good for nothing any more.
//
// Errors: Unauthenticated outside the console; StepUp, also when what was proved
// lately was a recovery code; Conflict, noun "no factor", for whoever has none
// that they could stand in for.
var MakeRecoveryCodes = Op[struct{}, []seal.Secret]{
	Name:   "MakeRecoveryCodes",
	Grants: Names{AWS: "iam:EnableMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: ownFactors,
	Record: func(struct{}) audit.Fields { return nil },
	Do: func(env *Env, _ struct{}) ([]seal.Secret, error) {
		u := &env.Call.Caller.User
		n, err := env.Tx.FactorCount(u.Account, u.ID)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, &fault.Error{Kind: fault.Conflict, Noun: "no factor", What: "recovery codes stand in for another factor: bind one first"}
		}
		if !env.provedOtherwise() {
			return nil, fault.Of(fault.StepUp, ProveStronger, strconv.Itoa(int(freshly.Within/time.Minute)))
		}
		if err := env.dropRecovery(u); err != nil {
			return nil, err
		}
		codes, err := recovery.New(env.rand)
		if err != nil {
			return nil, fault.Wrap(err, "make recovery codes")
		}
		f := iam.Factor{
			Account: u.Account, User: u.ID, Kind: iam.FactorRecovery, Name: env.Now.Format(time.DateOnly), Path: "/",
			Created: env.Now, Creator: u.ID, Enabled: env.Now,
		}
		if f.ID, err = name.NewID(env.rand); err != nil {
			return nil, fault.Wrap(err, "make recovery codes")
		}
		if err := env.Tx.InsertFactor(&f); err != nil {
			return nil, err
		}
		hashes := make([][]byte, len(codes))
		for i, c := range codes {
			hashes[i] = env.recoveryHash(u.ID, recovery.Normalize(string(c.Reveal())))
		}
		if err := env.Tx.InsertRecoveryCodes(f.ID, hashes); err != nil {
			return nil, err
		}
		return codes, env.notify(u, iam.NoticeRecoveryCodes, strconv.Itoa(len(codes)))
	},
}

// provedOtherwise reports whether the caller's session has lately proved a factor
// that is no recovery code, and no weak one.
func (env *Env) provedOtherwise() bool {
	return slices.ContainsFunc(env.Call.Caller.Console.Proved, func(p iam.Proved) bool {
		return p.Method != iam.MethodRecovery && p.Method.Strength() >= iam.OneTimeCode && env.Now.Sub(p.At) < signin.Life
	})
}

func (env *Env) dropRecovery(u *iam.User) error {
	f, err := env.recoverySet(u)
	if err != nil || f == nil {
		return err
	}
	return env.Tx.DeleteFactor(f.Account, f.ID)
}

// DropRecoveryCodes makes a person's codes good for nothing.
//
// Errors: Unauthenticated outside the console; StepUp.
var DropRecoveryCodes = Op[struct{}, struct{}]{
	Name:   "DropRecoveryCodes",
	Grants: Names{AWS: "iam:DeactivateMFADevice"},
	Mode:   Write,
	Needs:  freshly,
	Target: ownFactors,
	Record: func(struct{}) audit.Fields { return nil },
	Do: func(env *Env, _ struct{}) (none struct{}, err error) {
		return none, env.dropRecovery(&env.Call.Caller.User)
	},
}
