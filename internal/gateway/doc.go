// Package gateway is the door to services that are not Warifu's own. A request
// that is signed for such a service is verified, its actions and resources are
// derived from what stands on the wire, policy is asked, and only then is it
// forwarded, with the caller's identity in headers that no client can set.
//
// Derivation never guesses. A request whose operation, parameters or resources
// the gateway cannot tell for certain is refused, for what policy did not judge
// the upstream must not carry out. That holds for spellings, too: a parameter
// given twice, a key with dot segments, an unknown subresource.
//
// Bodies stream both ways. Only what derivation must read (a form, a JSON
// document, the list of a multi-object delete) is held in memory, up to a
// limit. A body whose hash or chunk signatures turn out wrong ends the upstream
// request before its last piece.
//
// The package decides nothing itself and stores nothing. The program's wiring
// sends requests here for which Gateway.Serves says yes.
package gateway
