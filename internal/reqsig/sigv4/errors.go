package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Error is a refusal in AWS's own words. The texts are those that IAM and STS
// send; a door of another protocol picks its own by Reason.
type Error struct {
	Reason  Reason
	Code    string // such as "SignatureDoesNotMatch"
	Message string // for the caller; holds no secret
	Status  int    // HTTP status
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Reason says what is wrong with a signature, whatever the protocol calls it.
type Reason uint8

// The reasons.
const (
	Missing        Reason = iota + 1 // no signature at all
	Ambiguous                        // signed in the header and in the query
	Incomplete                       // a part is missing or does not parse
	OutOfScope                       // for another region, service, terminator or day
	Skewed                           // the clocks differ by more than allowed
	Expired                          // a presigned request past its time
	UnsignedHeader                   // a header that must be signed is not
	BadPayload                       // the body's hash is missing, not allowed or not that of the body
	BadQuery                         // the path or the query has an escape that does not decode
	Mismatch                         // the signature is not ours
	UnknownKey                       // no such active access key, or a token of another key
	ExpiredToken                     // the session has ended
)

// isoBasic is the form of X-Amz-Date: ISO 8601 "basic format", UTC, seconds.
const isoBasic = "20060102T150405Z"

func missing() *Error {
	return &Error{Missing, "MissingAuthenticationToken", "Request is missing Authentication Token", 403}
}

func ambiguous() *Error {
	return &Error{Ambiguous, "SignatureDoesNotMatch",
		"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.", 403}
}

func incomplete(format string, args ...any) *Error {
	return &Error{Incomplete, "IncompleteSignature", fmt.Sprintf(format, args...), 400}
}

// hashed stands for an Authorization header in an error: it may hold somebody's
// bearer token, so AWS sends its hash, and so do we.
func hashed(authorization string) string {
	sum := sha256.Sum256([]byte(authorization))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func outOfScope(problems []string) *Error {
	return &Error{OutOfScope, "SignatureDoesNotMatch", strings.Join(problems, ""), 403}
}

func tooOld(signed, now time.Time, skew time.Duration) *Error {
	return skewed("Signature expired: %s is now earlier than %s (%s - %d min.)", signed, now, -skew)
}

func tooNew(signed, now time.Time, skew time.Duration) *Error {
	return skewed("Signature not yet current: %s is still later than %s (%s + %d min.)", signed, now, skew)
}

func skewed(format string, signed, now time.Time, skew time.Duration) *Error {
	now = now.UTC()
	text := fmt.Sprintf(format, signed.UTC().Format(isoBasic), now.Add(skew).Format(isoBasic),
		now.Format(isoBasic), int(skew.Abs()/time.Minute))
	return &Error{Skewed, "SignatureDoesNotMatch", text, 403}
}

func expired() *Error {
	return &Error{Expired, "RequestExpired", "Request has expired.", 400}
}

func unsignedHost() *Error {
	return &Error{UnsignedHeader, "SignatureDoesNotMatch",
		"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.", 403}
}

func unsignedHeader(name string) *Error {
	return &Error{UnsignedHeader, "SignatureDoesNotMatch",
		fmt.Sprintf("'%s' must be a 'SignedHeader' in the AWS Authorization.", name), 403}
}

func badPayload(code, message string) *Error {
	return &Error{BadPayload, code, message, 400}
}

func badQuery(message string) *Error {
	return &Error{BadQuery, "MalformedQueryString", message, 400}
}

func mismatch() *Error {
	return &Error{Mismatch, "SignatureDoesNotMatch",
		"The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. " +
			"Consult the service documentation for details.", 403}
}

// ErrUnknownKey is the caller's answer when the access key does not exist, is
// not active, or is not the one that the session token belongs to. AWS checks
// this after Check and before Verify.
func ErrUnknownKey() *Error {
	return &Error{UnknownKey, "InvalidClientTokenId", "The security token included in the request is invalid.", 403}
}

// ErrExpiredToken is the caller's answer when the session has ended. AWS checks
// this after the key is known and before Verify.
func ErrExpiredToken() *Error {
	return &Error{ExpiredToken, "ExpiredToken", "The security token included in the request is expired", 403}
}
