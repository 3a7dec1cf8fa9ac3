// Package signin is the door of command lines that were signed in through a
// browser: it gives them credentials for a code, and the next ones for a refresh
// token. It speaks AWS Sign-In's CreateOAuth2Token (2023-01-01, JSON) and, for
// the same things, OAuth 2.0 as it is written (RFC 6749, 7009, 8628: forms). Every
// request but none is signed; each brings a proof of possession (RFC 9449).
//
// It decodes, runs the operation and encodes. No rule lives here; the pages that
// a person approves on are the console's. Only cmd calls it.
package signin
