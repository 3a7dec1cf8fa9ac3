// Package signin is the sign-in machine: where a person stands between the
// first form and a session, and what comes next. It is pure and total: Step takes
// the stored flow, what was proved just now, and what the directory says at this
// moment, and tells the next flow and its outcome.
//
// It verifies nothing and stores nothing: its caller compares passwords and
// codes, counts, and keeps the flow under the hash of a secret that the browser
// has. It never calls itself and keeps no stage: what comes next is worked out
// anew from what was proved, so that no order of steps, no reload and no second
// tab leads past one.
//
// Package ops calls it, for every way to a session.
package signin
