// Package insight knows what a well kept account looks like. From facts about an
// account it makes checks and a score; from what the trail shows it tells how
// permissions are used, which accounts several people seem to share, and writes a
// policy that would have allowed what was used and nothing else.
//
// It is a room: values in, values out. It asks no policy and reads no database; ops
// gathers the facts, and every door shows the same checks.
package insight
