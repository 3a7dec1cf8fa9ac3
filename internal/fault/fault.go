package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is what a door must tell apart. Its zero value is Internal, so that a
// forgotten kind never leaks words to a caller.
type Kind uint8

// The kinds. Each door has one table from Kind to its own code and status.
const (
	Internal        Kind = iota // a fault of the program or its surroundings; mute to the caller
	Invalid                     // a field breaks a rule: pattern, length, range, combination
	Malformed                   // a document (policy, metadata) does not parse or is not valid
	WeakPassword                // a password breaks the account's password policy
	NotFound                    // the noun does not exist
	Exists                      // the name is taken
	Conflict                    // something else must go or change first
	Unmodifiable                // the thing cannot be changed by anybody, or not by this caller
	Denied                      // policy or a hard rule refuses the caller
	Unauthenticated             // nobody, or nobody known, is asking
	Expired                     // the credentials were good and have run out
	BadCode                     // a one-time code or pair of codes does not fit
	StepUp                      // the session must prove a factor anew first; Noun says which: a dialog, then the same again
	Limit                       // a quota would be exceeded
	Throttled                   // too many attempts; try again later
	Unsupported                 // known, but not answered here
)

var kindNames = [...]string{
	Internal: "internal", Invalid: "invalid", Malformed: "malformed", WeakPassword: "weak password",
	NotFound: "not found", Exists: "exists", Conflict: "conflict", Unmodifiable: "unmodifiable",
	Denied: "denied", Unauthenticated: "unauthenticated", Expired: "expired", BadCode: "bad code", StepUp: "step up",
	Limit: "limit", Throttled: "throttled", Unsupported: "unsupported",
}

// String returns the kind in words, as it stands in the trail and in metrics.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "internal"
}

// Error is a refusal with its reason. No field may hold a secret.
type Error struct {
	Kind Kind

	// Noun and Name say what the error is about: ("user", "alice"),
	// ("access keys per user", "2"). A door words its sentence from them.
	Noun, Name string

	// What is one sentence for a person: the field, the rule, what was found.
	What string

	// Err is the cause. It is for the log, never for the caller.
	Err error
}

// Error implements error. It is meant for logs; doors use What or their tables.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	for _, s := range []string{e.Noun, e.Name, e.What} {
		if s != "" {
			b.WriteString(": ")
			b.WriteString(s)
		}
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of a kind with a sentence made by fmt.Sprintf.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, What: fmt.Sprintf(format, args...)}
}

// Of returns an error of a kind about a noun; each door has its own sentence
// for the pair.
func Of(kind Kind, noun, name string) *Error {
	return &Error{Kind: kind, Noun: noun, Name: name}
}

// Field returns an Invalid error that names the field and the rule it breaks.
func Field(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Noun: "field", Name: field, What: fmt.Sprintf(format, args...)}
}

// Wrap makes an Internal error of err, saying what was being done.
func Wrap(err error, doing string) *Error {
	return &Error{Kind: Internal, What: doing, Err: err}
}

// In returns the fault in err; an Internal one, which has no words, when there is
// none. It is never nil.
func In(err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		return &Error{}
	}
	return e
}

// KindOf returns the kind of err: Internal for nil-kinded and foreign errors.
// Ask only about errors that are not nil.
func KindOf(err error) Kind { return In(err).Kind }

// Is reports whether err is a fault of the given kind.
func Is(err error, kind Kind) bool {
	if err == nil {
		return false // as nearly always; below it allocates
	}
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
