// Package passkey owns WebAuthn level 3: what an authenticator is asked, and
// whether its answer is right. It also knows the keys that were registered by
// FIDO U2F before WebAuthn, and names the makes of authenticators.
//
// Parsing, signatures and attestation statements are those of go-webauthn. What
// that library leaves to its caller is here: the exact origin (security checklist
// W-2), the policy that is checked again at registration (W-4), the signature
// counter (W-5), the backup flags (W-6), and which credential may answer for
// whom (W-7, W-8).
//
// Bytes and a now go in, a verdict comes out. The package keeps nothing: a
// challenge is single-use, and a counter never goes back, only if the caller
// consumes the one and writes the other with one conditional update (W-1).
// Package ops calls it, for every door.
package passkey
