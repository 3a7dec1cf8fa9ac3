package iam

import (
	"time"

	"warifu/internal/name"
)

// CLILogin is a command line that acts for a person who approved it in the
// console. It holds what the person had proved by then: whatever the session
// proves later, the command line's credentials do not rise.
type CLILogin struct {
	ID        name.ID
	Account   name.Account
	User      name.ID
	Session   name.ID // of the console, in which it was approved
	Client    string  // OAuth client id
	Redirect  string  // where the code was sent; "" for a device
	Challenge string  // PKCE, S256; "" for a device
	Code      []byte  // SHA-256 of the one-time code that it begins with
	CodeEnds  time.Time
	Key       string // thumbprint of the key that it proves to hold (RFC 9449); "" until the code is used

	MFAAt      time.Time // newest proof of a second factor; zero = none
	MFAMethods []string
	Remembered bool // a remembered device stood in for the factor

	Created    time.Time
	Expires    time.Time // with the session at the latest
	Refreshed  time.Time
	Generation int64 // of its refresh token, from 1 on; 0 while the code was not used
	Source     string
	UserAgent  string
}

// DeviceAnswer is what was said to a command line that waits.
type DeviceAnswer string

// The answers. The empty one is none yet.
const (
	DeviceApproved DeviceAnswer = "approved"
	DeviceRefused  DeviceAnswer = "refused"
)

// DeviceRequest is a command line that waits for somebody to type its code into
// a browser (RFC 8628).
type DeviceRequest struct {
	Hash      []byte // SHA-256 of the device code
	UserCode  string // what is typed, without its hyphen
	Client    string
	Key       string // thumbprint of the key that it proves to hold
	Source    string
	UserAgent string
	Created   time.Time
	Expires   time.Time
	Polled    time.Time
	Answer    DeviceAnswer
}
