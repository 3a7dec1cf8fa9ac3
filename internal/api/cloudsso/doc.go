// Package cloudsso is the door of Alibaba Cloud's command line where it is configured
// with --mode CloudSSO: it gives it a code to show (RFC 8628), a token once somebody
// who is signed in to the console has approved, and credentials for the token. The
// pages that a person approves on are the console's.
//
// It decodes JSON, runs the operation and encodes. No rule lives here. Only cmd calls it.
package cloudsso
