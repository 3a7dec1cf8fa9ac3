// Package dpop verifies proofs of possession (RFC 9449, DPoP): a small signed
// statement "I hold this key, and I ask for this, now", which a client sends with
// a request for tokens. A token that is bound to the key is good for nothing
// without it.
//
// It takes ES256 on P-256 only, which is what the command lines that talk to us
// use. It reads no clock and no store: the caller passes the time, and burns
// [Proof.ID], so that a proof is taken once. The sign-in door and package ops
// call it.
package dpop
