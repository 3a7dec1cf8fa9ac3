package ops

import (
	"context"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// Assurance is what a person in the console must have proved before an
// operation, besides being signed in. Its zero value asks for nothing.
//
// What counts is a second factor of the user's own; a password does not, however
// fresh. Only for a user who has no factor the password counts: that is how a
// first factor is bound. A weak factor, a code that was sent, does for what is
// the user's own, as long as the user has none that is stronger; otherwise whoever
// reads its mail would bind a passkey or make a key with it, and have all that the
// user has. It never does for what is somebody else's, or everybody's.
type Assurance struct {
	Within time.Duration // how long ago it may have been proved
	Least  iam.Strength  // how strong it must be; zero = iam.Weak
}

// StepUpLife is how long a proof is good for what is sensitive: factors,
// passwords, keys, policies, preferences, and users who may do much.
const StepUpLife = 15 * time.Minute

// What operations ask for: of what is the user's own any factor, of what is
// everybody's one that is not weak.
var (
	freshly  = Assurance{Within: StepUpLife}
	recently = Assurance{Within: StepUpLife, Least: iam.OneTimeCode}
)

// The nouns of a StepUp fault: what must be proved.
const (
	ProveFactor   = "second factor"
	ProveStronger = "stronger second factor"
	ProvePassword = "password"
)

// assure refuses a console session that has not proved enough lately. The fault
// is StepUp, about ProveFactor, ProveStronger or ProvePassword; its Name is the
// number of minutes for which a proof will be good.
func (env *Env) assure(need Assurance, t *Target) error {
	c := &env.Call.Caller
	if need.Within == 0 || c.Console == nil {
		return nil
	}
	if t.Noun == "user" && t.ID != c.User.ID {
		need.Least = max(need.Least, iam.OneTimeCode)
	}
	best, err := env.strongest(&c.User)
	if err != nil {
		return err
	}
	need.Least = max(need.Least, min(best, iam.OneTimeCode))
	last, ok := c.Console.LastOf(max(need.Least, iam.Weak))
	if best == iam.NoFactor {
		last, ok = c.Console.Last(false)
	}
	if ok && env.Now.Sub(last.At) < need.Within {
		return nil
	}
	noun := ProvePassword
	if best != iam.NoFactor {
		noun = ProveFactor
		if weak, ok := c.Console.LastOf(iam.Weak); ok && env.Now.Sub(weak.At) < need.Within {
			noun = ProveStronger // the one that was just proved did not do
		}
	}
	return fault.Of(fault.StepUp, noun, strconv.Itoa(int(need.Within/time.Minute)))
}

// strongest is what the best of a user's factors is worth, recovery codes not
// among them; iam.NoFactor when there is none.
func (env *Env) strongest(u *iam.User) (best iam.Strength, err error) {
	all, err := env.Tx.Factors(u.Account, u.ID)
	for i := range all {
		if k := all[i].Kind; k.Primary() {
			best = max(best, iam.Weak, iam.Method(k).Strength())
		}
	}
	return best, err
}

// stepAsking is where a session asks for a factor. The session's own id, not its
// secret, which changes with every proof.
func (env *Env) stepAsking() asking {
	c := &env.Call.Caller
	return asking{purpose: ToStepUp, bound: []byte("session " + c.Console.ID.String()), user: &c.User}
}

// ShowStepUp lists the factors that the person who asks can prove; none means
// that the password counts. No policy has a say.
//
// Errors: Unauthenticated when the caller is not in the console.
var ShowStepUp = Op[struct{}, []Prompt]{
	Name:       "ShowStepUp",
	Grants:     Names{AWS: "warifu:ShowStepUp"},
	Permission: Always,
	Target:     func(env *Env, _ struct{}) (Target, error) { return userTarget(&env.Call.Caller.User), nil },
	Do: func(env *Env, _ struct{}) ([]Prompt, error) {
		c := &env.Call.Caller
		if c.Console == nil {
			return nil, errNoSession
		}
		all, err := env.usable(&c.User)
		if err != nil {
			return nil, err
		}
		return env.prompts(env.stepAsking(), all)
	},
}

// FactorIn names one of the caller's own factors; 0 is the one used last.
type FactorIn struct{ Factor name.ID }

func (in FactorIn) record() audit.Fields {
	if in.Factor != 0 {
		return audit.Fields{"factor": in.Factor.String()}
	}
	return nil
}

// BeginStepUp makes the challenge of a factor that has one: it sends a code, or
// makes what the browser is asked. It returns what ShowStepUp would.
//
// Errors: Unauthenticated when the caller is not in the console; Throttled.
var BeginStepUp = Op[FactorIn, []Prompt]{
	Name:       "BeginStepUp",
	Grants:     Names{AWS: "warifu:StepUp"},
	Permission: Always,
	Mode:       Write,
	Target:     func(env *Env, _ FactorIn) (Target, error) { return userTarget(&env.Call.Caller.User), nil },
	Record:     FactorIn.record,
	Do: func(env *Env, in FactorIn) ([]Prompt, error) {
		c := &env.Call.Caller
		if c.Console == nil {
			return nil, errNoSession
		}
		all, err := env.usable(&c.User)
		if err != nil {
			return nil, err
		}
		if err := env.begin(env.stepAsking(), all, in.Factor); err != nil {
			return nil, err
		}
		return env.prompts(env.stepAsking(), all)
	},
}

// StepUpIn is the proof of a person who is signed in: the answer of one of its
// factors, or its password while it has none.
type StepUpIn struct {
	FactorIn
	Response
	Password seal.Secret
	Browser  seal.Secret // the cookie by which users' browsers are known; empty = it has none

	tried passwordTry
}

// SteppedUp is the session's new secret: the old one is good for nothing any
// more (security checklist S-1).
type SteppedUp struct {
	Token   seal.Secret
	Expires time.Time // of the session; a proof does not prolong it
}

// StepUp proves a factor anew in a session. From then on the session has that
// factor, and its time, in every decision. No policy has a say.
//
// Errors: Unauthenticated when the caller is not in the console; BadCode for a
// code that is not good, counted as at sign-in; Denied, noun "password", for a
// wrong one, counted likewise.
var StepUp = Op[StepUpIn, *SteppedUp]{
	Name:       "StepUp",
	Grants:     Names{AWS: "warifu:StepUp"},
	Permission: Always,
	Mode:       Write,
	Before: func(ctx context.Context, s *Server, call *Call, in StepUpIn) (_ StepUpIn, err error) {
		if c := &call.Caller; c.Console != nil && !in.Password.Empty() {
			in.tried, err = s.tryPassword(ctx, &c.User, in.Password)
		}
		return in, err
	},
	Target: func(env *Env, _ StepUpIn) (Target, error) { return userTarget(&env.Call.Caller.User), nil },
	Record: func(in StepUpIn) audit.Fields { return in.record() },
	Do: func(env *Env, in StepUpIn) (*SteppedUp, error) {
		c := &env.Call.Caller
		if c.Console == nil {
			return nil, errNoSession
		}
		n, err := env.Tx.FactorCount(c.Account, c.User.ID)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			err = env.provePassword(&in)
		} else {
			err = env.proveFactor(in)
		}
		if err != nil {
			return nil, err
		}
		return env.rotate()
	},
}

// proveFactor adds the proof of one of the caller's factors to its session.
func (env *Env) proveFactor(in StepUpIn) error {
	c := &env.Call.Caller
	all, err := env.usable(&c.User)
	if err != nil {
		return err
	}
	proved, ok, err := env.prove(env.stepAsking(), all, in.Factor, in.Response)
	switch {
	case err != nil:
		return err
	case !ok:
		return refuse(fault.Of(fault.BadCode, "code", ""))
	}
	c.Console.Proved = provedAnew(c.Console.Proved, proved)
	return nil
}

// provePassword adds the proof of the password to the caller's session. It
// counts against the same budget as at sign-in with this browser, and pauses as
// there: a stranger who spends the others' budget stops nobody who is signed in.
func (env *Env) provePassword(in *StepUpIn) error {
	c := &env.Call.Caller
	wrong := fault.Of(fault.Denied, "password", "")
	l, err := env.laneOf(&c.User, in.Browser)
	if err != nil {
		return err
	}
	attempts, err := env.pauseAfter(c.User.Root)
	if err != nil {
		return err
	}
	fits, err := env.passwordFits(&c.User, &in.tried)
	switch {
	case err != nil:
		return err
	case l.Lock(attempts, env.Now) != signin.Unlocked:
		return wrong
	case !fits:
		if err := env.countIn(&l); err != nil {
			return err
		}
		return refuse(wrong)
	}
	if err := env.forgiveIn(&l); err != nil {
		return err
	}
	c.Console.Proved = provedAnew(c.Console.Proved, iam.Proved{Method: iam.MethodPassword, At: env.Now})
	return nil
}

// provedAnew is all with p in the place of an older proof of the same.
func provedAnew(all []iam.Proved, p iam.Proved) []iam.Proved {
	out := make([]iam.Proved, 0, len(all)+1)
	for _, old := range all {
		if old.Method != p.Method || old.Factor != p.Factor {
			out = append(out, old)
		}
	}
	return append(out, p)
}

// rotate writes the caller's session with its new proofs under a new secret.
func (env *Env) rotate() (*SteppedUp, error) {
	c := env.Call.Caller.Console
	token, err := env.newToken(sessionToken)
	if err != nil {
		return nil, err
	}
	if err := env.Tx.RotateSession(c, hashToken(token)); err != nil {
		return nil, endedSession(err)
	}
	return &SteppedUp{Token: token, Expires: c.Expires}, nil
}

// passwordTry is a password compared before the transaction, with the hash that
// was in force then.
type passwordTry struct {
	seen  string // "" = the user had none, or there is no such user
	fits  bool
	fresh string // a better hash of the same password; "" = the present one is good
}

// tryPassword compares a password, which takes the same time for a user who has
// none, or for nobody at all (u nil).
func (s *Server) tryPassword(ctx context.Context, u *iam.User, password seal.Secret) (t passwordTry, err error) {
	if u != nil {
		err = s.store.View(ctx, func(tx *store.Tx) error {
			p, err := tx.LoginProfile(u.Account, u.ID)
			if err == nil {
				t.seen = p.Hash
			}
			return ignoreMissing(err)
		})
		if err != nil {
			return t, err
		}
	}
	if t.seen == "" {
		return t, s.passwords.VerifyNobody(ctx, password)
	}
	stale := false
	if t.fits, stale, err = s.passwords.Verify(ctx, password, t.seen); err == nil && t.fits && stale {
		t.fresh, err = s.passwords.Hash(ctx, s.rand, password)
	}
	return t, err
}

// passwordFits reports whether the password that was tried is the one in force,
// and renews its hash if it has aged (P-1).
func (env *Env) passwordFits(u *iam.User, t *passwordTry) (bool, error) {
	p, err := env.Tx.LoginProfile(u.Account, u.ID)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil || !t.fits || p.Hash != t.seen {
		return false, err
	}
	if t.fresh != "" {
		err = env.Tx.RehashPassword(u.ID, t.seen, t.fresh)
	}
	return true, err
}
