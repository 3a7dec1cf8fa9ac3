package acs

import (
	"strings"
	"time"
)

// Request is what was seen on the wire.
type Request struct {
	Method string
	Host   string // the Host header, with its port if it has one
	Path   string // as on the wire, escaped; "" means "/"
	Query  string // as on the wire, without the "?"

	// Header maps a name in net/http's canonical form (X-Acs-Date) to its values
	// in order. Host is not looked for in it.
	Header map[string][]string

	// BodyHash is the SHA-256 of the body in lower-case hexadecimal.
	BodyHash string
}

// EmptyBody is the hash of no body.
const EmptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// MaxSkew is how far the signer's clock may be from ours. A nonce must be kept for
// twice as long: that is how long a signature can be in time.
const MaxSkew = 15 * time.Minute

// MaxNonce is the longest nonce, in bytes. Clients send 32 or 64 hexadecimal
// digits, or a UUID.
const MaxNonce = 128

// Signature is a signature as it was sent.
type Signature struct {
	AccessKeyID string
	Token       string // of a session; "" for a long-term key
	Nonce       string
	Time        time.Time

	// Action and Version name the operation. ACS3 has them in headers only.
	Action, Version string

	signature     string
	acs3          bool
	signedHeaders string // ACS3: the list as it was sent
}

// Signed tells whether a request claims to be signed at all. AssumeRoleWithSAML and
// AssumeRoleWithOIDC need not be.
func Signed(r *Request, p Params) bool {
	if isACS3(r) {
		return true
	}
	_, signed := p.Lookup("Signature")
	return signed
}

// Parse reads the signature of a request. The error is an *Error.
func Parse(r *Request, p Params) (Signature, error) {
	if isACS3(r) {
		return parseACS3(r)
	}
	return parseRPC(p)
}

// Check judges the time of a signature, which needs no key.
func (s *Signature) Check(now time.Time) error {
	if s.Time.Before(now.Add(-MaxSkew)) || s.Time.After(now.Add(MaxSkew)) {
		return expired()
	}
	return nil
}

// Verify judges the signature, in constant time: nil means that whoever has the
// secret signed this request. It does not judge the time, and does not know
// whether the nonce came before. The error is an *Error.
func (s *Signature) Verify(r *Request, p Params, secret []byte) error {
	if s.acs3 {
		return s.verifyACS3(r, secret)
	}
	return s.verifyRPC(r, p, secret)
}

// timeForm is the form of Timestamp and x-acs-date: ISO 8601, UTC, seconds.
const timeForm = "2006-01-02T15:04:05Z"

// setTime reads the time of a signature.
func (s *Signature) setTime(text string) error {
	at, err := time.Parse(timeForm, text)
	if err != nil {
		return badTime()
	}
	s.Time = at
	return nil
}

// setNonce checks the nonce.
func (s *Signature) setNonce(text string) error {
	if len(text) > MaxNonce || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return incomplete("the nonce has up to 128 printable characters")
	}
	s.Nonce = text
	return nil
}
