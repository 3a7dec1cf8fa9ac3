// Package ops is the hallway: every operation of the server, declared once, and
// the one pipeline that runs them: begin, target, decide, do, record, commit.
// Authentication of keys, authorization, the trail, error kinds and metrics are
// written here once; an operation fills in what is unique to it.
//
// Doors call Run with a Call that they authenticated through Server. The package
// never sees a wire: no status code, no header, no XML.
package ops
