// Package acs owns the two request signatures of Alibaba Cloud: that of the RPC
// style (SignatureVersion 1.0, HMAC-SHA1 over all parameters) and ACS3
// (ACS3-HMAC-SHA256 over method, path, query, signed headers and the body's hash).
//
// It never reads a body, a clock, a database or a policy: a [Request] holds what
// the caller saw on the wire, and the caller looks the access key up and keeps the
// nonces. The Alibaba Cloud door and the gateway call it in this order:
//
//	params, err := acs.ParseParams(query, form)   // each parameter once
//	sig, err := acs.Parse(&req, params)           // is there a well-formed signature?
//	err = sig.Check(now)                          // in time?
//	err = sig.Verify(&req, params, secret)        // do the halves match?
//	// then: has the nonce been used?
//
// HMAC-SHA1 is no choice of ours: most clients can do nothing else. The known
// weakness of SHA-1, collisions, does not touch its use as a keyed hash.
package acs
