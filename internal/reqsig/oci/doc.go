// Package oci owns Oracle Cloud Infrastructure's request signatures, an
// application of draft-cavage-http-signatures-08: it reads a signature from the
// Authorization header, judges it against an RSA public key and a time, and reads
// the public keys that users upload.
//
// It never reads a body, a clock, a database or a policy: a [Request] holds what
// the caller saw on the wire, and the caller looks the key up. The door calls
//
//	sig, err := oci.Parse(&req)   // is there a well-formed signature that covers enough?
//	err = sig.Check(&req, now)    // in time, and for this body?
//	… find the public key that sig.Key names …
//	err = sig.Verify(key)         // is it made with that key?
//
// What must be signed: (request-target), host and the date; of requests with a body
// also x-content-sha256, content-type and content-length, even if the body is empty.
// A retry token is not signed by any client, and two requests in one second may be
// the same bytes, so that signatures are not remembered: the window of time is all
// that stops a replay, and retry tokens are what stops its effect.
package oci
