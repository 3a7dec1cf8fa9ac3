// Package sts owns temporary credentials: what a session token holds, how it is
// sealed and opened, how long a session may live, and what it hands down to the
// next one. It also owns the encoded authorization message.
//
// A token carries everything about its session, encrypted and authenticated, so
// that any node verifies a signature without a look-up and nothing is stored per
// session. The token is bound to its access key id. It also carries the secret
// key: deriving that from the key id instead would make tokens 40 characters
// shorter, but cost a key derivation for every signed request.
//
// What a session may do is not decided here: the caller of Open still has to
// find the principal, by its unchanging id, and ask policy. It reads no clock, no
// randomness and no store. ops calls it.
package sts
