// Package page owns how a long list is cut into pages: the page itself, and the
// cursor that says where the next one begins.
//
// A Cursor is opaque and authenticated (security checklist A-9): it is
// encrypted, and bound to the operation and the filter it was given out for, so
// that nobody can make one, alter one, or take one to another list. It never
// reads rows: ops decodes the cursor, the store reads on from its key, and a
// door passes the text on as Marker or NextToken.
package page
