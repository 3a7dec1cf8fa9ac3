// Package sigv4 owns AWS Signature Version 4: it reads a signature from a
// request's header or query, judges it against a key and a time, and makes
// signatures for requests that go on to another service.
//
// It never reads a body, a clock, a database or a policy: a [Request] holds
// what the caller saw on the wire, and the caller looks the access key up. The
// AWS door and the gateway call it in this order, which is the order in which
// AWS itself tells errors apart:
//
//	sig, err := sigv4.Parse(&req)                // is there a well-formed signature?
//	err = sig.Check(now, opts)                   // in time, and for this service?
//	key, ok := cache.Get(sig.AccessKeyID, sig.Scope) // else DeriveKey(secret, sig.Scope)
//	err = sig.Verify(&req, key, now, opts)       // do the halves match?
//
// Verify repeats Check, so that leaving Check out loses an error's order but
// never a check.
//
// What must be signed: host, and every x-amz-* header that the request
// carries, so that no x-amz-target, x-amz-security-token or
// x-amz-content-sha256 can be added or changed on the way. A header that is
// signed but absent counts as empty.
package sigv4
