// Package oath owns hardware tokens that show one-time codes: what is kept of
// one, and the files in which they come with their seeds: CSV as vendors and
// other servers write it, and PSKC (RFC 6030), plain or encrypted with AES-CBC
// under a pre-shared key or a passphrase.
//
// It judges no code: package totp does, for tokens that count presses, too. It
// reads no file, clock or store. Package ops calls it.
package oath
