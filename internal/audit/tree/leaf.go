package tree

import (
	"crypto/sha256"

	"golang.org/x/mod/sumdb/tlog"
)

// leafVersion begins the bytes of a leaf, so that leaves of another form can
// never be taken for these. The body follows: the event as audit.Event spells it
// and as it is stored, byte for byte.
const leafVersion = "warifu event 1\n"

// leafHead is what a leaf's hash begins with: the byte that tells leaves from
// nodes (RFC 6962 section 2.1) and the version.
var leafHead = []byte("\x00" + leafVersion)

// Leaf is the hash of an event's leaf.
func Leaf(body []byte) (h tlog.Hash) {
	d := sha256.New()
	d.Write(leafHead)
	d.Write(body)
	d.Sum(h[:0])
	return h
}
