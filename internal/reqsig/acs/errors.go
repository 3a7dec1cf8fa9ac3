package acs

import "fmt"

// Error is a refusal in Alibaba Cloud's own words (OpenAPI, "Common error codes").
type Error struct {
	Code    string // such as "SignatureDoesNotMatch"
	Message string // for the caller: it holds what the caller sent, and no secret of ours
	Status  int    // HTTP status
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func missing(parameter string) *Error {
	return &Error{"MissingParameter", fmt.Sprintf("The input parameter %q that is mandatory for processing this request is not supplied.", parameter), 400}
}

func incomplete(what string) *Error {
	return &Error{"IncompleteSignature", "The request signature does not conform to Alibaba Cloud standards: " + what + ".", 400}
}

func badMethod() *Error {
	return &Error{"InvalidSignatureMethod", "The specified signature method is not supported: HMAC-SHA1 with version 1.0 and ACS3-HMAC-SHA256 are.", 400}
}

func badTime() *Error {
	return &Error{"InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.", 400}
}

func expired() *Error {
	return &Error{"InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.", 400}
}

func badBody() *Error {
	return &Error{"ContentMD5NotMatched", "The x-acs-content-sha256 that was sent is not the hash of the body.", 400}
}

func twice(parameter string) *Error {
	return &Error{"InvalidParameter", fmt.Sprintf("The parameter %q was sent more than once.", parameter), 400}
}

func undecodable() *Error {
	return &Error{"InvalidParameter", "The parameters of the request cannot be decoded.", 400}
}

// mismatch quotes what was to be signed: clients compare it with their own, to
// tell a wrong secret from a wrong calculation.
func mismatch(stringToSign string) *Error {
	return &Error{"SignatureDoesNotMatch", "Specified signature is not matched with our calculation. server string to sign is:" + stringToSign, 400}
}

// ErrUnknownKey is the caller's answer when no active access key has the id.
func ErrUnknownKey() *Error {
	return &Error{"InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404}
}

// ErrNonceUsed is the caller's answer when the nonce came before.
func ErrNonceUsed() *Error {
	return &Error{"SignatureNonceUsed", "Specified signature nonce was used already.", 400}
}

// ErrBadToken is the caller's answer to a session token that is not the key's.
func ErrBadToken() *Error {
	return &Error{"InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.", 400}
}

// ErrExpiredToken is the caller's answer when the session has ended.
func ErrExpiredToken() *Error {
	return &Error{"InvalidSecurityToken.Expired", "Specified SecurityToken is expired.", 400}
}

// ErrMissingToken is the caller's answer to the key of a session without its token.
func ErrMissingToken() *Error {
	return &Error{"MissingSecurityToken", "SecurityToken is required for the access key of a session.", 400}
}
