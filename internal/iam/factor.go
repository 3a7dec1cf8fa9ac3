package iam

import (
	"time"

	"warifu/internal/name"
)

// FactorKind is what a factor is.
type FactorKind string

// The kinds of factor.
const (
	FactorTOTP     FactorKind = "totp"     // one-time codes by the clock (RFC 6238): a virtual device or a token
	FactorHOTP     FactorKind = "hotp"     // one-time codes by a counter (RFC 4226): a token
	FactorPasskey  FactorKind = "passkey"  // a WebAuthn credential
	FactorU2F      FactorKind = "u2f"      // a key that was registered by FIDO U2F
	FactorEmail    FactorKind = "email"    // codes by mail
	FactorSMS      FactorKind = "sms"      // codes by text message
	FactorRecovery FactorKind = "recovery" // a set of codes on paper
)

// Device reports whether a factor of this kind is an MFA device with a serial
// number of its own, which exists before and after it is a user's.
func (k FactorKind) Device() bool { return k == FactorTOTP || k == FactorHOTP }

// Primary reports whether a factor of this kind can be a user's only one.
// Recovery codes stand in for another factor and are none themselves.
func (k FactorKind) Primary() bool { return k != FactorRecovery }

// Factor is an authenticator of a user. A pending factor has no Enabled time: it
// proves nothing, and expires.
type Factor struct {
	ID      name.ID
	Account name.Account
	User    name.ID // zero while nobody is bound to it
	Kind    FactorKind

	// Name names a device in its account, together with Path, and any other
	// factor among those of its kind and user.
	Name string
	Path string

	Hardware   bool   // a token that was bought with its seed: Name is its serial number
	Seed       []byte // sealed; nil for kinds that share no secret
	Data       string // public parameters, in the form of the kind's own package; "" = its defaults
	Credential []byte // WebAuthn credential id or U2F key handle, unique over all accounts; nil for other kinds
	Created    time.Time
	Creator    name.ID   // who made it: a pending device is replaced only by its maker or an administrator
	Enabled    time.Time // zero = pending
	Expires    time.Time // when a pending factor is forgotten; zero once it is enabled
	Tags       []Tag

	// LastStep is what was used up last: the time step of a TOTP code, the counter
	// of a HOTP code, the signature counter of a WebAuthn credential. No step and no
	// counter is accepted twice.
	LastStep int64
	Drift    int // steps that the device's clock is ahead (+) or behind (-)
	Failures int // wrong answers in a row
	LastUsed time.Time
}

// ARN is the device's serial number.
func (f *Factor) ARN() string { return name.MFAARN(f.Account, f.Path, f.Name) }

// Ceremony is a challenge under way, which one right answer ends: that of a
// WebAuthn authenticator, a code that was sent.
type Ceremony struct {
	ID      name.ID
	Purpose string // an answer for one purpose is none for another
	Account name.Account
	User    name.ID // zero while it is not known who answers
	Factor  name.ID // zero when any of several may answer
	Bound   []byte  // the sign-in or session that it belongs to
	Body    string  // in the form of its maker; no secret but by its hash
	Tries   int     // answers that were looked at
	Created time.Time
	Expires time.Time
}

// PendingFactorLife is how long a device that was made and never enabled is
// kept. AWS keeps it for ever and thereby locks people out of their own
// enrolment; ten minutes is the checklist's C-9.
const PendingFactorLife = 10 * time.Minute

// Budgets of wrong answers in a row per factor (security checklist C-4; NIST SP
// 800-63B allows 100).
const (
	// MaxCodeFailures wrong codes, and the factor answers no single code until
	// two consecutive ones resynchronise it.
	MaxCodeFailures = 10
	// MaxPairFailures wrong codes or pairs, and only an administrator who
	// removes the factor helps.
	MaxPairFailures = 100
)
