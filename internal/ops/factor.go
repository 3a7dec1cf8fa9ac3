package ops

import (
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/signin"
)

// Response is what a person answers when a factor is asked for.
type Response struct {
	Code      string // a one-time code, of whichever kind of factor
	Code2     string // the next one, to resynchronise a device whose clock is off; "" = just one
	Assertion string // what the browser answered to Prompt.Options, JSON
}

// Prompt is what a page shows of a factor that may be proved.
type Prompt struct {
	signin.Factor
	Options string    // for navigator.credentials.get, JSON; "" until the proof is begun
	SentTo  string    // where a code was sent, masked; "" = none is under way
	Again   time.Time // before which no other is sent
}

// Purpose is what a factor is asked for. An answer for one is none for another
// (security checklist C-7, W-1).
type Purpose string

// The purposes.
const (
	ToSignIn Purpose = "sign-in"
	ToStepUp Purpose = "step-up"
)

// asking is who is asked for a factor, and where.
type asking struct {
	purpose Purpose
	bound   []byte // the sign-in's or the session's, which a challenge belongs to
	user    *iam.User
}

// prover is what differs between the kinds of factor when one is proved.
type prover struct {
	// offered reports whether a factor can be used at all, as things are: a
	// sender may be missing, a setting may forbid it. nil = always.
	offered func(*Env, *iam.Factor) (bool, error)

	// begin makes a challenge and sends it, if that is how the kind works. nil =
	// there is nothing to begin.
	//
	// Errors: Throttled when it was begun too often.
	begin func(*Env, asking, *iam.Factor) error

	// show fills in what a page needs of a challenge under way; it changes
	// nothing. nil = nothing.
	show func(*Env, asking, *iam.Factor, *Prompt) error

	// prove reports whether an answer is right, and uses it up. A wrong one is
	// counted on the factor, and the count is to be kept (refuse).
	prove func(*Env, asking, *iam.Factor, Response) (bool, error)
}

// proverOf is how factors of a kind are proved. A kind that nobody knows proves
// nothing.
func proverOf(kind iam.FactorKind) prover {
	switch kind {
	case iam.FactorTOTP, iam.FactorHOTP:
		return prover{prove: proveTOTP}
	case iam.FactorRecovery:
		return recoveryProver()
	case iam.FactorEmail, iam.FactorSMS:
		return sentProver()
	case iam.FactorPasskey, iam.FactorU2F:
		return keyProver
	}
	return prover{
		offered: func(*Env, *iam.Factor) (bool, error) { return false, nil },
		prove:   func(*Env, asking, *iam.Factor, Response) (bool, error) { return false, nil },
	}
}

// usable are a user's factors that can be proved as things are, the one used
// last first. Recovery codes come last, and not alone.
func (env *Env) usable(u *iam.User) ([]iam.Factor, error) {
	all, err := env.Tx.Factors(u.Account, u.ID)
	if err != nil {
		return nil, err
	}
	var usable, spare []iam.Factor
	for _, f := range byUse(all) {
		if offered := proverOf(f.Kind).offered; offered != nil {
			if ok, err := offered(env, &f); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		if f.Kind.Primary() {
			usable = append(usable, f)
		} else {
			spare = append(spare, f)
		}
	}
	if len(usable) == 0 {
		return nil, nil
	}
	return append(usable, spare...), nil
}

// choice is a factor as the sign-in machine sees it.
func choice(f *iam.Factor) signin.Factor {
	return signin.Factor{ID: f.ID, Method: iam.Method(f.Kind), Name: f.Name, Resync: f.Failures >= resyncAfter}
}

// prompts are what a page shows of factors.
func (env *Env) prompts(at asking, all []iam.Factor) ([]Prompt, error) {
	list := make([]Prompt, len(all))
	for i := range all {
		list[i].Factor = choice(&all[i])
		if show := proverOf(all[i].Kind).show; show != nil {
			if err := show(env, at, &all[i], &list[i]); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// begin makes the challenge of one of the factors that can be proved; of one
// that is not among them, nothing.
func (env *Env) begin(at asking, all []iam.Factor, id name.ID) error {
	f := chosen(all, id)
	if f == nil {
		return nil
	}
	if begin := proverOf(f.Kind).begin; begin != nil {
		return begin(env, at, f)
	}
	return nil
}

// prove judges an answer of one of the factors that can be proved; of one that
// is not among them, every answer is wrong.
func (env *Env) prove(at asking, all []iam.Factor, id name.ID, r Response) (p iam.Proved, ok bool, err error) {
	f := chosen(all, id)
	if g := answering(all, r.Assertion); g != nil {
		f = g // whichever key was at hand, whichever was shown
	}
	if f == nil {
		return p, false, nil
	}
	p = iam.Proved{Method: iam.Method(f.Kind), Factor: f.ID, At: env.Now}
	ok, err = proverOf(f.Kind).prove(env, at, f, r)
	return p, ok, err
}

// ceremony reads the challenge of a purpose that is under way; nil if there is
// none.
func (env *Env) ceremony(at asking, factor name.ID) (*iam.Ceremony, error) {
	c, err := env.Tx.Ceremony(iam.Ceremony{Purpose: string(at.purpose), Bound: at.bound, Factor: factor}, env.Now)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil || c.User != 0 && at.user != nil && c.User != at.user.ID {
		return nil, err
	}
	return c, nil
}

// challenge keeps a new challenge, in the place of an older one for the same.
func (env *Env) challenge(at asking, factor name.ID, body string, life time.Duration) (*iam.Ceremony, error) {
	id, err := name.NewID(env.rand)
	if err != nil {
		return nil, fault.Wrap(err, "begin a proof")
	}
	c := &iam.Ceremony{
		ID: id, Purpose: string(at.purpose), Factor: factor, Bound: at.bound, Body: body, Created: env.Now, Expires: env.Now.Add(life),
	}
	if at.user != nil {
		c.Account, c.User = at.user.Account, at.user.ID
	}
	return c, env.Tx.PutCeremony(c)
}
