// Package blank gives tests databases whose tables stand already: a database is
// brought up to date once per test binary, and every test gets a copy of it. With
// the race detector this takes a hundredth of the time of making the tables anew.
// Tests of the making itself open empty databases instead.
//
// Called by tests only.
package blank
