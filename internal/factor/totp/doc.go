// Package totp owns time-based one-time codes (RFC 6238 over RFC 4226): what a
// code is, whether one fits, the seed and how it reaches an authenticator (text,
// otpauth URI, QR code).
//
// Bytes and a now go in, a verdict comes out. The package stores nothing and
// counts nothing: single use holds only if the caller writes the returned step
// with one conditional update (… WHERE last_step < step, security checklist C-2)
// and keeps the budget of wrong codes (C-4). ops calls it for every door.
package totp
