// Package e2e tests the binary from outside, with the clients that people use.
// It has no code of its own.
package e2e
