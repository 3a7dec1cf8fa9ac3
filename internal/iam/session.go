package iam

import (
	"slices"
	"strings"
	"time"

	"warifu/internal/name"
)

// Method is a way to prove who one is, as policies and the trail call it: the
// password, or the kind of a factor.
type Method string

// The methods. Every one but the password is a second factor.
const (
	MethodPassword Method = "password"
	MethodTOTP     Method = Method(FactorTOTP)
	MethodHOTP     Method = Method(FactorHOTP)
	MethodPasskey  Method = Method(FactorPasskey)
	MethodU2F      Method = Method(FactorU2F)
	MethodEmail    Method = Method(FactorEmail)
	MethodSMS      Method = Method(FactorSMS)
	MethodRecovery Method = Method(FactorRecovery)

	// MethodRemembered is a browser that stood in for the factor. It proves
	// nothing: it is neither a password nor a second factor, and its time is that
	// at which the factor was proved for it.
	MethodRemembered Method = "remembered"
)

// Second reports whether a method proves more than the password does.
func (m Method) Second() bool { return m != MethodPassword && m != MethodRemembered }

// Strength grades what a second factor withstands.
type Strength uint8

// The strengths, the weakest first.
const (
	NoFactor          Strength = iota // nothing, or only a password
	Weak                              // a code that was sent: it goes through other people's hands (NIST SP 800-63B-4, 3.1.3)
	OneTimeCode                       // a code of something that the user holds; it can be phished
	PhishingResistant                 // a signature that is bound to the site (NIST SP 800-63B-4, 3.2.5)
)

// String is the strength as policies see it in warifu:MFAStrength.
func (s Strength) String() string {
	return [...]string{"none", "weak", "otp", "phishing-resistant"}[s]
}

// Strength is what a method is worth. A method that nobody knows is worth
// nothing.
func (m Method) Strength() Strength {
	switch m {
	case MethodEmail, MethodSMS:
		return Weak
	case MethodTOTP, MethodHOTP, MethodRecovery:
		return OneTimeCode
	case MethodPasskey, MethodU2F:
		return PhishingResistant
	}
	return NoFactor
}

// Proved is one thing that was proved, and when. Each proof is kept with its
// own method and time: which of them counts is for the asker to say.
type Proved struct {
	Method Method
	Factor name.ID // that proved it; zero for a password
	At     time.Time
}

// Session is a person signed in to the console. Its secret is known to the
// browser only; what is kept is a hash.
type Session struct {
	ID        name.ID
	Hash      []byte // SHA-256 of the secret
	Account   name.Account
	User      name.ID
	Created   time.Time
	Seen      time.Time     // last request, give or take a minute
	Idle      time.Duration // without a request, after which it ends
	Expires   time.Time     // when it ends whatever happens
	Proved    []Proved      // what was proved, in the order of sign-in
	Source    string        // address that signed in
	UserAgent string
}

// Live reports whether a session has not run out, by age or by idleness.
func (s *Session) Live(now time.Time) bool {
	return now.Before(s.Expires) && now.Sub(s.Seen) < s.Idle
}

// Last is the newest proof of a kind: of a second factor, or of a password.
func (s *Session) Last(second bool) (last Proved, ok bool) {
	return s.newest(func(m Method) bool { return m.Second() == second && m != MethodRemembered })
}

// Remembered is the time at which the factor was proved for which a browser stood
// in when the session was opened.
func (s *Session) Remembered() (at time.Time, ok bool) {
	p, ok := s.newest(func(m Method) bool { return m == MethodRemembered })
	return p.At, ok
}

// LastOf is the newest proof of a second factor that is at least so strong.
func (s *Session) LastOf(least Strength) (last Proved, ok bool) {
	return s.newest(func(m Method) bool { return m.Second() && m.Strength() >= least })
}

func (s *Session) newest(fits func(Method) bool) (last Proved, ok bool) {
	for _, p := range s.Proved {
		if fits(p.Method) && (!ok || p.At.After(last.At)) {
			last, ok = p, true
		}
	}
	return last, ok
}

// Factors are the methods of the second factors that were proved, each once.
func (s *Session) Factors() (all []string) {
	for _, p := range s.Proved {
		if m := string(p.Method); p.Method.Second() && !slices.Contains(all, m) {
			all = append(all, m)
		}
	}
	return all
}

// Method is how the session was signed in: password, password+totp, or
// password+remembered.
func (s *Session) Method() string {
	methods := s.Factors()
	if _, ok := s.Last(false); ok {
		methods = append([]string{string(MethodPassword)}, methods...)
	}
	if _, ok := s.Remembered(); ok {
		methods = append(methods, string(MethodRemembered))
	}
	return strings.Join(methods, "+")
}

// NoticeKind says what a user is told.
type NoticeKind string

// The notices.
const (
	NoticeFactorBound     NoticeKind = "factor bound"
	NoticeFactorRemoved   NoticeKind = "factor removed"
	NoticePasswordChanged NoticeKind = "password changed"
	NoticeKeyCreated      NoticeKind = "key created"
	NoticeSessionsEnded   NoticeKind = "sessions ended"
	NoticeBlocked         NoticeKind = "blocked"
	NoticeUnblocked       NoticeKind = "unblocked"
	NoticeEnrolmentLink   NoticeKind = "enrolment link"
	NoticeKeyCopied       NoticeKind = "key copied"
	NoticeUnusual         NoticeKind = "unusual sign-in"  // that no factor was asked for
	NoticeMemoryStolen    NoticeKind = "memory stolen"    // a remembered browser showed a secret that was spent
	NoticeIdle            NoticeKind = "disabled as idle" // the password, or a key
	NoticeCLILogin        NoticeKind = "command line signed in"
	NoticeCLIReused       NoticeKind = "command line ended"
	NoticeTokenGiven      NoticeKind = "token given"
	NoticeRecoveryCodes   NoticeKind = "recovery codes made"
	NoticeRecoveryUsed    NoticeKind = "recovery code used"
	NoticeRootUsed        NoticeKind = "root used"      // somebody signed in as root, or used a key of root's
	NoticeRootRules       NoticeKind = "root rules"     // what binds root was changed
	NoticeRootLink        NoticeKind = "root link"      // a link to recover root was made on the host
	NoticeRootRecovered   NoticeKind = "root recovered" // and used
)

// Notice tells a user of a change to its own security, whoever made it.
type Notice struct {
	ID      name.ID
	Account name.Account
	User    name.ID // who is told
	Kind    NoticeKind
	At      time.Time
	Subject string    // the device's name, the key's id, how many sessions
	By      string    // name of who did it; "" when it was the user
	Source  string    // address that it was done from
	Seen    time.Time // zero = not yet
}

// EnrolmentLink lets whoever holds it bind a virtual device to a user, once. It
// signs nobody in.
type EnrolmentLink struct {
	ID      name.ID
	Hash    []byte // SHA-256 of the secret in the link
	Account name.Account
	User    name.ID
	Creator string // name of who made it
	Created time.Time
	Expires time.Time
	Opened  time.Time // when somebody first pressed Begin; zero = never
	Used    time.Time
	Revoked time.Time
	Source  string  // address that opened it, and then that used it
	Device  name.ID // pending device that it shows, and then the one it bound
}

// LinkState is where an enrolment link stands.
type LinkState string

// The states of a link. Used, expired and revoked links are good for nothing.
const (
	LinkSent    LinkState = "sent"
	LinkOpened  LinkState = "opened"
	LinkUsed    LinkState = "used"
	LinkExpired LinkState = "expired"
	LinkRevoked LinkState = "revoked"
)

// State is where the link stands at a time.
func (l *EnrolmentLink) State(now time.Time) LinkState {
	switch {
	case !l.Revoked.IsZero():
		return LinkRevoked
	case !l.Used.IsZero():
		return LinkUsed
	case !now.Before(l.Expires):
		return LinkExpired
	case !l.Opened.IsZero():
		return LinkOpened
	}
	return LinkSent
}

// Live reports whether the link can still be used.
func (l *EnrolmentLink) Live(now time.Time) bool {
	s := l.State(now)
	return s == LinkSent || s == LinkOpened
}

// Block is an administrator's word that a user may not come in: no sign-in, no
// session, no key, until another one lifts it.
type Block struct {
	User   name.ID
	At     time.Time
	By     string // name of who did it
	Reason string
}
