package signin

import (
	"slices"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// Stage is what a flow waits for.
type Stage string

// The stages. A flow goes through those that its user needs, in this order.
const (
	StageAccount     Stage = "account"      // set-up: the account's alias
	StageRoot        Stage = "root"         // set-up: root's e-mail address and password
	StagePassword    Stage = "password"     // who, and the password
	StageFactor      Stage = "factor"       // a second factor
	StageNewPassword Stage = "new-password" // another password than the one given
	StageBind        Stage = "bind"         // two codes of a new device
	StageDone        Stage = "done"         // nothing: the session opens
)

// Act is what was just done, besides looking.
type Act uint8

// The acts. Each belongs to one stage; at any other it is ignored, and the flow's
// present stage is the answer, as for a look (a form that was sent twice, or from
// another tab, or after going back).
const (
	Look          Act = iota
	Identified        // who and password: begins a flow
	GaveFactor        // a code of a second factor
	GavePassword      // a new password
	BoundFactor       // two codes, with which the new device is bound
	BeganSetup        // opened a set-up link: begins a flow
	NamedAccount      // set-up: chose the alias
	NamedRoot         // set-up: chose e-mail address and passwords
	BeganRecovery     // opened a link to recover root: begins a flow
)

// Proof is the verdict on what was just done.
type Proof struct {
	Act    Act
	Fits   bool       // the password or code is right
	Method iam.Method // of GaveFactor and BoundFactor; of Identified: iam.MethodPasskey, or "" for the password
	Factor name.ID    // likewise
	Flow   Flow       // of Identified, BeganSetup and BeganRecovery: who it is; of the set-up's forms and the recovery's new password: with what was filled in

	Remember bool // of GaveFactor and BoundFactor: the box was ticked
}

// Verdict is how a step ends.
type Verdict uint8

// The verdicts.
const (
	Ended     Verdict = iota // there is no flow, or it has run out: begin again
	Refused                  // no: begin again
	Challenge                // go on with the stage
	Open                     // open the session
)

// Refusal is why a proof was not taken, as far as the person may know.
type Refusal string

// The refusals. Wrong does not say what was wrong: the name, the account, the
// password, or that the user is blocked (security checklist P-5). TooMany comes
// for names that nobody has as for others.
const (
	Wrong     Refusal = "wrong"      // of name, account and password something
	TooMany   Refusal = "too-many"   // too many wrong passwords: an administrator unblocks
	TryLater  Refusal = "try-later"  // too many wrong passwords: an hour's pause
	Lapsed    Refusal = "lapsed"     // the password is too old: an administrator gives another
	Disabled  Refusal = "disabled"   // the password does not let in any more: an administrator turns it on
	Elsewhere Refusal = "elsewhere"  // users, or root, may not sign in from this address
	NoFactor  Refusal = "no-factor"  // there is a factor, but none that the account or server can use now
	LinkOnly  Refusal = "link-only"  // a first factor must be bound by an enrolment link
	WrongCode Refusal = "wrong-code" // or codes; the stage stays
	Spent     Refusal = "spent"      // the set-up link was used, or has run out
)

// Outcome is what a step comes to.
type Outcome struct {
	Verdict Verdict
	Stage   Stage    // of Challenge; StageDone of Open
	Refusal Refusal  // "" when the proof was taken or there was none
	Why     string   // the reason for the trail, which is more exact
	Factors []Factor // of StageFactor: any one of them will do
	Ignored bool     // the proof belonged to another stage; it was not looked at

	Unusual    []Reason // why the sign-in is out of the ordinary
	Because    bool     // of Challenge: that is why the factor is asked for
	Remembered bool     // of Open: the browser stood in for the factor
	Offer      bool     // of StageFactor and StageBind: the browser may be remembered

	// What the caller does with the budget of wrong passwords.
	Count, Forgive bool
}

// Wants tells which stage a flow is at, so that a proof which belongs to another
// is not even verified: no code is burnt for a form that comes too late.
func Wants(f Flow, facts Facts, now time.Time) (Stage, bool) {
	_, out := Step(f, Proof{}, facts, now)
	return out.Stage, out.Verdict == Challenge
}

// Step takes one step: the flow as it was stored, what was just done, and what
// the directory said before that took effect. It is total: every order of acts
// has an answer.
//
// The flow that comes back is to be stored when the verdict is Challenge, and
// forgotten otherwise.
func Step(f Flow, p Proof, facts Facts, now time.Time) (Flow, Outcome) {
	switch {
	case p.Act == Identified:
		return begin(p, facts, now)
	case p.Act == BeganSetup:
		f = p.Flow
		f.Kind, f.Began, f.Expires, f.Proved = Setup, now, now.Add(Life), nil
		return dispatch(f, facts)
	case p.Act == BeganRecovery:
		f = p.Flow
		f.Kind, f.Began, f.Expires, f.Proved = Recover, now, now.Add(Life), nil
		return dispatch(f, facts)
	case !f.begun() || !now.Before(f.Expires):
		return Flow{}, Outcome{Verdict: Ended, Why: "the sign-in ran out"}
	case p.Act == Look:
		return dispatch(f, facts)
	}
	before, at := dispatch(f, facts)
	if at.Verdict != Challenge {
		return before, at
	}
	switch {
	case !p.belongs(f.Kind, at.Stage):
		at.Ignored = true
		return f, at
	case !p.Fits:
		at.Refusal, at.Why = WrongCode, "wrong code"
		return f, at
	}
	return dispatch(f.take(p, now), facts.after(p, now))
}

// belongs reports whether an act is the one that a stage waits for. The forms of
// the set-up may be filled in again while nothing has taken effect.
func (p Proof) belongs(k Kind, at Stage) bool {
	switch p.Act {
	case GaveFactor:
		return at == StageFactor
	case GavePassword:
		return at == StageNewPassword
	case BoundFactor:
		return at == StageBind
	case NamedAccount:
		return k == Setup
	case NamedRoot:
		return k == Setup && at != StageAccount
	}
	return false
}

// take adds a proof that fits to the flow.
func (f Flow) take(p Proof, now time.Time) Flow {
	switch p.Act {
	case GaveFactor, BoundFactor:
		f.Remember = f.Remember || p.Remember
		return f.with(iam.Proved{Method: p.Method, Factor: p.Factor, At: now})
	case GavePassword:
		if f.Kind == Recover {
			f.Setup.RootHash, f.Expires = p.Flow.Setup.RootHash, now.Add(Life)
		}
		return f.with(iam.Proved{Method: iam.MethodPassword, At: now})
	case NamedAccount:
		f.Setup.Named, f.Setup.Alias = true, p.Flow.Setup.Alias
		f.Expires = now.Add(Life)
	case NamedRoot:
		f.Setup.Email, f.Setup.RootHash, f.Setup.AdminHash = p.Flow.Setup.Email, p.Flow.Setup.RootHash, p.Flow.Setup.AdminHash
		f.Expires = now.Add(Life)
		f = f.with(iam.Proved{Method: iam.MethodPassword, At: now})
	}
	return f
}

// after is what the directory says once a proof that fits has taken effect.
func (facts Facts) after(p Proof, now time.Time) Facts {
	switch p.Act {
	case BoundFactor:
		facts.Factors, facts.Bound = append(slices.Clone(facts.Factors), Factor{ID: p.Factor, Method: p.Method}), true
	case GavePassword:
		facts.MustChange, facts.PasswordChanged = false, now
	}
	return facts
}

// begin judges who and password, or who and passkey. Whatever the reason of a no,
// the person learns the same, at the same budget (P-5); a right password beyond
// it is as good as a wrong one (C-5). A passkey has no such budget: it cannot be
// guessed.
func begin(p Proof, facts Facts, now time.Time) (Flow, Outcome) {
	no := Outcome{Verdict: Refused, Refusal: Wrong}
	f := Flow{Kind: SignIn, Account: p.Flow.Account, User: p.Flow.User, Unusual: p.Flow.Unusual, Began: now, Expires: now.Add(Life)}
	if p.Method == iam.MethodPasskey {
		if !facts.Known || !p.Fits || !facts.has(p.Factor) || !facts.Wanted.PasskeySignIn {
			no.Why = "passkey not taken"
			return Flow{}, no
		}
		f.Passwordless = true
		return dispatch(f.with(iam.Proved{Method: p.Method, Factor: p.Factor, At: now}), facts)
	}
	switch lock := facts.Lane.Lock(facts.Attempts, now); {
	case lock == Locked:
		no.Refusal, no.Why = TooMany, "too many wrong passwords"
		return Flow{}, no
	case lock == Paused:
		no.Refusal, no.Why = TryLater, "too many wrong passwords within an hour"
		return Flow{}, no
	case !facts.Known:
		no.Why, no.Count = "unknown user or no password", true
		return Flow{}, no
	case !p.Fits:
		no.Why, no.Count = "wrong password", true
		return Flow{}, no
	}
	f, out := dispatch(f.with(iam.Proved{Method: iam.MethodPassword, At: now}), facts)
	out.Count = out.Refusal == Wrong // blocked: a right password costs as much as a wrong one
	out.Forgive = !out.Count
	return f, out
}

// dispatch works out what comes next from what was proved and what is so. Every
// step of every flow ends here.
func dispatch(f Flow, facts Facts) (Flow, Outcome) {
	switch {
	case !facts.Known:
		return Flow{}, Outcome{Verdict: Refused, Refusal: Wrong, Why: "the user is gone"}
	case facts.Blocked:
		return Flow{}, Outcome{Verdict: Refused, Refusal: Wrong, Why: "blocked by an administrator"}
	case f.Kind == Setup:
		return dispatchSetup(f, facts)
	case f.Kind == Recover:
		return dispatchRecovery(f, facts)
	case f.Kind != SignIn:
		return Flow{}, Outcome{Verdict: Ended, Why: "there is no sign-in"}
	}
	f, out := dispatchUser(f, facts)
	if out.Verdict == Challenge || out.Verdict == Open {
		out.Unusual = f.Unusual
		out.Because = out.Verdict == Challenge && facts.adaptive() && !facts.Root && len(f.Unusual) > 0
	}
	return f, out
}

// dispatchUser is dispatch for the sign-in of a user or root. What a person may
// know who has both factors is told after both.
func dispatchUser(f Flow, facts Facts) (Flow, Outcome) {
	if why := f.lost(&facts); why != "" {
		return Flow{}, Outcome{Verdict: Ended, Why: why}
	}
	_, second := f.last(func(p iam.Proved) bool { return p.Method.Second() && facts.has(p.Factor) })
	ask, bind := facts.demands(&f)
	stood := !second && facts.remembered(&f)
	// Root's place, and that of whoever binds, is never taken by a browser.
	offer := facts.Wanted.Remember && !facts.Root
	no := func(r Refusal, why string) (Flow, Outcome) {
		return Flow{}, Outcome{Verdict: Refused, Refusal: r, Why: why}
	}
	switch {
	case ask && facts.bound() && !second && !stood && len(facts.Factors) == 0:
		return no(NoFactor, "the user's factors cannot be used")
	case ask && facts.bound() && !second && !stood:
		return f, Outcome{Verdict: Challenge, Stage: StageFactor, Factors: facts.Factors, Offer: offer}
	case facts.Outside:
		return no(Elsewhere, "the address is outside the account's networks")
	case facts.Disabled:
		return no(Disabled, "the login profile is disabled")
	case facts.Lapsed && !f.Passwordless:
		return no(Lapsed, "the password has expired")
	case facts.MustChange && !f.Passwordless:
		return f, Outcome{Verdict: Challenge, Stage: StageNewPassword}
	case facts.bound() || !bind:
		return f, Outcome{Verdict: Open, Stage: StageDone, Remembered: stood && ask && facts.bound()}
	case facts.Wanted.LinkOnly && !facts.Root:
		return no(LinkOnly, "a first factor must be bound by an enrolment link")
	}
	return f, Outcome{Verdict: Challenge, Stage: StageBind, Offer: offer}
}

// lost tells why what the flow began with is good no more; "" if it still is.
func (f *Flow) lost(facts *Facts) string {
	if f.Passwordless {
		_, ok := f.last(func(p iam.Proved) bool { return p.Method == iam.MethodPasskey && facts.has(p.Factor) })
		if !ok || !facts.Wanted.PasskeySignIn {
			return "the passkey is good no more"
		}
		return ""
	}
	password, ok := f.last(func(p iam.Proved) bool { return p.Method == iam.MethodPassword })
	if !ok || facts.PasswordChanged.After(password.At) {
		return "the password was changed meanwhile"
	}
	return ""
}

// dispatchSetup is dispatch for the set-up, which asks for the same of everybody.
func dispatchSetup(f Flow, facts Facts) (Flow, Outcome) {
	_, bound := f.last(func(p iam.Proved) bool { return p.Method.Second() })
	switch {
	case facts.TokenSpent:
		return Flow{}, Outcome{Verdict: Refused, Refusal: Spent, Why: "the set-up link was used or has run out"}
	case !f.Setup.Named:
		return f, Outcome{Verdict: Challenge, Stage: StageAccount}
	case f.Setup.Email == "" || f.Setup.RootHash == "":
		return f, Outcome{Verdict: Challenge, Stage: StageRoot}
	case !bound:
		return f, Outcome{Verdict: Challenge, Stage: StageBind}
	}
	return f, Outcome{Verdict: Open, Stage: StageDone}
}

// dispatchRecovery is dispatch for root's way back in. What root has proved with
// before counts for nothing, and ends with it.
func dispatchRecovery(f Flow, facts Facts) (Flow, Outcome) {
	_, bound := f.last(func(p iam.Proved) bool { return p.Method.Second() })
	switch {
	case facts.TokenSpent:
		return Flow{}, Outcome{Verdict: Refused, Refusal: Spent, Why: "the link to recover root was used or has run out"}
	case f.Setup.RootHash == "":
		return f, Outcome{Verdict: Challenge, Stage: StageNewPassword}
	case !bound:
		return f, Outcome{Verdict: Challenge, Stage: StageBind}
	}
	return f, Outcome{Verdict: Open, Stage: StageDone}
}
