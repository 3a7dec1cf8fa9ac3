// Package archtest keeps the house as it was drawn: it has no code, only tests
// that read the import graph and the syntax of the whole module and fail when a
// package reaches where it must not.
//
// The rules are in rules_test.go, one function each. A rule is changed there, in
// a commit that says why, and nowhere else.
package archtest
