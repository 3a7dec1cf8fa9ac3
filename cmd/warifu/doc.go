// Command warifu is the server and its host commands in one program.
//
// This package owns the wiring: it reads flags and configuration, opens the data
// folder (lock, key file, database), builds the hallway and opens the doors,
// listens, and shuts down in order. It is the only package that knows all the
// others. It decides nothing about identities or permissions; host commands call
// package ops like doors do.
package main
