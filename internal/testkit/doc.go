// Package testkit builds a whole server in memory for tests: a real store, a
// clock that stands still until it is moved, and randomness that is the same
// in every run. Tests of ops and of the doors stand on it.
package testkit
