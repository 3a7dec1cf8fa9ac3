// Package tree makes the trail tamper-evident. Events become the leaves of one
// Merkle tree of the installation (RFC 6962 section 2.1), whose size and root
// are signed now and then: a checkpoint. Whoever holds a checkpoint can tell
// whether the events that it covers are still the same, all there, and in the
// same order.
//
// The package owns what a leaf is made of, the tree's edge that new leaves are
// added to, the checkpoint and its signature (C2SP tlog-checkpoint and
// signed-note), tiles (C2SP tlog-tiles), proofs that an event is in the tree,
// and the check of an export. It keeps nothing and reads no file: ops adds the
// leaves, store keeps the tiles, cmd/warifu reads exports.
//
// What it cannot show: an event that whoever can write to the database removes,
// or adds, before the sealer has come round, which is about a second later; and
// anything done by who has the signing key, unless checkpoints from before are
// kept where they cannot reach.
package tree
