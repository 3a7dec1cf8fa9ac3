package codec

import (
	"strconv"
	"strings"
)

// Error is a refusal in AWS's words, ready for an error document.
type Error struct {
	Code    string
	Message string
	Status  int // HTTP status
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func malformed(message string) *Error { return &Error{"MalformedInput", message, 400} }

// MissingAction answers a request that names no operation. Send it in
// [FaultNamespace].
func MissingAction() *Error {
	return &Error{"MissingAction", "The request is missing an action or a required parameter.", 400}
}

// InvalidAction answers a request for an operation or version that is not
// served. Send it in [FaultNamespace].
func InvalidAction(action, version string) *Error {
	if version == "" {
		version = "NO_VERSION_SPECIFIED"
	}
	return &Error{"InvalidAction", "Could not find operation " + action + " for version " + version, 400}
}

// violations collects what is wrong with one request.
type violations struct {
	quote bool     // say the values, as STS does; IAM leaves them out
	found []string // each "Value … at 'path' failed to satisfy constraint: …"
	says  string   // the first field whose pattern has a message of its own
	err   *Error   // a value that cannot even be read
}

const notNull = "Member must not be null"

// said is a value as it was sent; what has parts is not repeated in an error.
type said struct {
	text   string
	scalar bool
}

func (v *violations) add(f *field, path []byte, value said, constraint string) {
	at := "Value"
	switch {
	case constraint == notNull:
		at = "Value null"
	case v.quote && !f.secret && value.scalar:
		at = "Value '" + value.text + "'"
	}
	v.found = append(v.found, at+" at '"+string(path)+"' failed to satisfy constraint: "+constraint)
}

// result is nil, or one error that says it all.
func (v *violations) result() error {
	switch n := len(v.found); {
	case v.err != nil:
		return v.err
	case n == 1:
		return &Error{"ValidationError", "1 validation error detected: " + v.found[0], 400}
	case n > 1:
		return &Error{"ValidationError", strconv.Itoa(n) + " validation errors detected: " + strings.Join(v.found, "; "), 400}
	case v.says != "":
		return &Error{"ValidationError", v.says, 400}
	}
	return nil
}
