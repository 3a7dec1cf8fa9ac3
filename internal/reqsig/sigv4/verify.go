package sigv4

import (
	"crypto/subtle"
	"slices"
	"strings"
	"time"
)

// DefaultMaxSkew is how far the signer's clock may be from ours: AWS's 15 minutes.
const DefaultMaxSkew = 15 * time.Minute

// Options say what a verifier demands.
type Options struct {
	Service string        // the service that the scope must name
	Regions []string      // the regions that it may name; none means any
	MaxSkew time.Duration // 0 means DefaultMaxSkew

	// RawPath takes the path as it stands, with its escapes in one spelling.
	// Without it dot and empty segments are dropped and the path on the wire is
	// encoded once more, as all services but S3 do.
	RawPath bool

	// S3 implies RawPath, allows UNSIGNED-PAYLOAD and the streaming forms, and
	// takes the body of a presigned request as unsigned.
	S3 bool

	// LateToken is for the few services whose clients add the session token
	// after they signed: it need not be signed, and is not part of the
	// canonical query. The token must be bound to the access key, so nothing is
	// gained by changing it.
	LateToken bool
}

func (o Options) skew() time.Duration {
	if o.MaxSkew == 0 {
		return DefaultMaxSkew
	}
	return o.MaxSkew
}

// Check judges the time of a signature and its scope, which needs no key. Its
// error is an *Error of Reason Skewed, Expired or OutOfScope.
func (s *Signature) Check(now time.Time, o Options) error {
	if err := s.checkTime(now, o.skew()); err != nil {
		return err
	}
	return s.checkScope(o)
}

func (s *Signature) checkTime(now time.Time, skew time.Duration) error {
	switch {
	case s.Time.After(now.Add(skew)):
		return tooNew(s.Time, now, skew)
	case s.Presigned && s.Expires > 0:
		if now.After(s.Time.Add(s.Expires)) {
			return expired()
		}
	case s.Time.Before(now.Add(-skew)):
		return tooOld(s.Time, now, skew)
	}
	return nil
}

func (s *Signature) checkScope(o Options) error {
	var problems []string
	if len(o.Regions) > 0 && !slices.Contains(o.Regions, s.Scope.Region) || s.Scope.Region == "" {
		problems = append(problems, "Credential should be scoped to a valid region. ")
	}
	if s.Scope.Service != o.Service {
		problems = append(problems, "Credential should be scoped to correct service: '"+o.Service+"'. ")
	}
	if s.terminator != terminator {
		problems = append(problems, "Credential should be scoped with a valid terminator: '"+terminator+
			"', not '"+s.terminator+"'. ")
	}
	if day := s.date[:len("20060102")]; s.Scope.Date != day {
		problems = append(problems, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+
			s.Scope.Date+"' != '"+day+"', from '"+s.date+"'.")
	}
	if problems != nil {
		return outOfScope(problems)
	}
	return nil
}

// Verify judges everything: time, scope, which headers are signed, the body's
// hash, and the signature itself, in constant time. nil means that the holder of
// the key signed this request.
//
// If r.BodyHash is "" the caller must still hold the body to s.Payload.
func (s *Signature) Verify(r *Request, key SigningKey, now time.Time, o Options) error {
	if err := s.Check(now, o); err != nil {
		return err
	}
	if err := s.checkHeaders(r, o); err != nil {
		return err
	}
	payload, err := s.payloadHash(r, o)
	if err != nil {
		return err
	}
	c := canonical{
		signedHeaders: s.SignedHeaders, payload: payload, rawPath: o.RawPath || o.S3,
		dropSignature: s.Presigned, dropToken: s.Presigned && o.LateToken,
	}
	sum, err := c.hash(r)
	if err != nil {
		return err
	}
	want := signature(key, s.date, s.Scope, sum)
	if !sameSignature(&want, s.signature) {
		return mismatch()
	}
	return nil
}

func sameSignature(want *[64]byte, got string) bool {
	var sent [64]byte
	if copy(sent[:], got) != len(got) || len(got) != len(sent) {
		return false
	}
	return subtle.ConstantTimeCompare(want[:], sent[:]) == 1
}

// checkHeaders demands that each x-amz-* header is signed. A name that is not
// in canonical form was not looked at, so it does not count as signed.
func (s *Signature) checkHeaders(r *Request, o Options) error {
	for name := range r.Header {
		if len(name) < 6 || !strings.EqualFold(name[:6], "x-amz-") {
			continue
		}
		var keyRoom, lowerRoom [64]byte
		canonical := string(appendKey(keyRoom[:0], name)) == name
		lower := append(lowerRoom[:0], name...)
		for i, c := range lower {
			if 'A' <= c && c <= 'Z' {
				lower[i] = c + 'a' - 'A'
			}
		}
		if canonical && (signs(s.SignedHeaders, string(lower)) || o.LateToken && string(lower) == "x-amz-security-token") {
			continue
		}
		return unsignedHeader(string(lower))
	}
	return nil
}

// payloadHash is the last line of the canonical request.
func (s *Signature) payloadHash(r *Request, o Options) (string, error) {
	declared := s.Payload
	if s.Presigned && !o.S3 && r.values("x-amz-content-sha256") == nil {
		declared = "" // as a query parameter it means something to S3 only
	}
	switch {
	case declared == "" && s.Presigned && o.S3:
		return UnsignedPayload, nil // a presigned URL is made before there is a body
	case declared == "" && r.BodyHash != "":
		return r.BodyHash, nil
	case declared == "":
		return "", badPayload("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	case isHash(declared):
		if r.BodyHash != "" && r.BodyHash != declared {
			return "", badPayload("XAmzContentSHA256Mismatch",
				"The provided 'x-amz-content-sha256' header does not match what was computed.")
		}
		return declared, nil
	case o.S3 && (declared == UnsignedPayload || !s.Presigned && knownStream(declared)):
		return declared, nil
	default:
		return "", badPayload("InvalidRequest", "The value of x-amz-content-sha256 is not valid for this service.")
	}
}

func knownStream(payload string) bool {
	return payload == StreamingPayload || payload == StreamingPayloadTrailer || payload == StreamingUnsignedTrailer
}

// isHash reports whether s is a SHA-256 in lower-case hexadecimal.
func isHash(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < '0' || c > '9' && c < 'a' || c > 'f' {
			return false
		}
	}
	return len(s) == len(EmptyPayload)
}
