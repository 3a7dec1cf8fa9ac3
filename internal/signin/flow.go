package signin

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// Kind says what a flow leads to.
type Kind string

// The kinds. All end in a session.
const (
	SignIn  Kind = "sign-in" // of a user or root with a password
	Setup   Kind = "set-up"  // of an account, with the one-time link of the first start
	Recover Kind = "recover" // of root, with a one-time link that was made on the host
)

// Life is how long a flow may take: from the password to the end, or from one
// form of the set-up to the next. It is also how old the password may be with
// which a first factor is bound.
const Life = 10 * time.Minute

// Flow is a sign-in under way. Its zero value is one that has not begun. A flow
// grants nothing but its next step (S-3).
type Flow struct {
	Kind    Kind
	Account name.Account
	User    name.ID // who signs in
	Began   time.Time
	Expires time.Time
	Proved  []iam.Proved
	Device  name.ID // pending device that is shown for binding

	Passwordless bool     // it began with a passkey, which is both factors in one
	Unusual      []Reason // as it was when the flow began
	Remember     bool     // the person asked that the browser be remembered, and proved a factor with it

	Setup SetupData // what the set-up or the recovery gathered; it takes effect at the end only
}

// SetupData is what the forms of the set-up gathered.
type SetupData struct {
	Token     []byte // hash of the set-up token, which the end consumes
	Named     bool   // the account's form is done
	Alias     string
	Email     string // of root; "" until the form is done
	RootHash  string // of root's password
	AdminHash string // of the administrator's; "" = none was chosen
}

// begun reports whether there is a flow at all.
func (f *Flow) begun() bool { return f.Kind != "" }

// last is the newest proof that fits.
func (f *Flow) last(fits func(iam.Proved) bool) (last iam.Proved, ok bool) {
	for _, p := range f.Proved {
		if fits(p) && (!ok || p.At.After(last.At)) {
			last, ok = p, true
		}
	}
	return last, ok
}

// with is the flow with one more proof, of which a method's newest is kept.
func (f Flow) with(p iam.Proved) Flow {
	var all []iam.Proved
	for _, old := range f.Proved {
		if old.Method != p.Method || old.Factor != p.Factor {
			all = append(all, old)
		}
	}
	f.Proved = append(all, p)
	return f
}

// Factor is an enabled second factor, as the page offers it.
type Factor struct {
	ID     name.ID
	Method iam.Method
	Name   string
	Resync bool // wrong codes in a row: two consecutive ones would help
}

// Facts are what the directory says when a step begins.
type Facts struct {
	Known   bool // the user exists, and has a password or is being set up
	Root    bool
	Blocked bool // by an administrator
	Lane    Lane // wrong passwords in a row, of the user or of a name that nobody has, as this browser has them

	PasswordChanged time.Time
	MustChange      bool // the password was given by an administrator, or is too old
	Lapsed          bool // it is too old, and only an administrator may give another
	Disabled        bool // it does not let in any more

	Factors     []Factor // enabled and usable, in the order in which they are offered
	Bound       bool     // there is a factor, usable or not
	MFARequired bool     // the user's own login profile asks for a factor
	Remembered  bool     // this browser stands in for the user's factor

	Outside  bool            // the address is not one that the user, or root, may come from
	Wanted   iam.Preferences // what the account asks; the zero value asks for all there is
	Attempts int             // wrong passwords after which there is a pause (password.Policy); 0 = none

	TokenSpent bool // set-up and recovery: the token was used, taken back, or has run out
}

// has finds a factor.
func (f *Facts) has(id name.ID) bool {
	for i := range f.Factors {
		if f.Factors[i].ID == id {
			return true
		}
	}
	return false
}

// bound reports whether the user has a factor, usable or not.
func (f *Facts) bound() bool { return f.Bound || len(f.Factors) > 0 }

// demands tells whether a sign-in asks for the user's factor, and whether a user
// who has none must bind one. A mode that nobody knows asks for both.
func (f *Facts) demands(flow *Flow) (ask, bind bool) {
	if f.Root {
		return true, true
	}
	switch mode := f.Wanted.MFAForLogin; {
	case mode == iam.MFAIndependent, mode == iam.MFAAdaptive && !f.adaptive():
		return true, f.MFARequired
	case mode == iam.MFAAdaptive:
		unusual := len(flow.Unusual) > 0
		return unusual || f.MFARequired, unusual && f.Wanted.RiskLogin != iam.RiskAutonomous || f.MFARequired
	}
	return true, true
}

// adaptive reports whether unusual sign-ins are asked for more than others.
func (f *Facts) adaptive() bool { return f.Wanted.MFAForLogin == iam.MFAAdaptive && !f.Wanted.Shadow }

// remembered reports whether the browser stands in for the factor in this flow:
// not for root, nor where the sign-in itself is what looks unusual.
func (f *Facts) remembered(flow *Flow) bool {
	return f.Remembered && f.Wanted.Remember && !f.Root && !(f.adaptive() && len(flow.Unusual) > 0)
}
