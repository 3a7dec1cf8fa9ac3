package oci

import (
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
)

// Request is what was seen of a request on the wire.
type Request struct {
	Method        string
	Target        string // path and query exactly as sent
	Host          string
	ContentLength int64 // -1 if it was not said
	Header        map[string][]string
	BodyHash      string // base64 of the SHA-256 of the body
}

// header returns the values of a header whose name is in lower case, joined as the
// draft says (section 2.3). Keys of Header are in Go's canonical form.
func (r *Request) header(name string) (string, bool) {
	values := r.Header[textproto.CanonicalMIMEHeaderKey(name)]
	switch name {
	case "host": // Go's server takes these two out of the header
		return r.Host, r.Host != ""
	case "content-length":
		if r.ContentLength < 0 {
			return "", false
		}
		return strconv.FormatInt(r.ContentLength, 10), true
	}
	if len(values) == 1 {
		return strings.TrimSpace(values[0]), true
	}
	return strings.Join(values, ", "), len(values) > 0
}

// withBody tells whether the method's requests are signed with their body.
func withBody(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
}

// Error is why a signature was refused. The service tells nobody: every refusal has
// the same text. It is for the log and for tests.
type Error struct {
	Reason Reason
	Text   string
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// Reason says what is wrong.
type Reason uint8

// The reasons.
const (
	Missing    Reason = iota + 1 // no signature at all
	Malformed                    // a part is missing or does not parse
	Unsigned                     // a header that must be signed is not
	Skewed                       // the clocks differ by more than allowed
	BadPayload                   // the body is not the one that was signed
	Mismatch                     // the signature is not made with the key
	UnknownKey                   // no such key, or nobody who may use it
)

func refuse(why Reason, format string, args ...any) *Error {
	return &Error{why, fmt.Sprintf(format, args...)}
}
