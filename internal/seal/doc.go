// Package seal keeps secrets secret at rest and in print.
//
// It owns envelope encryption: a key-encryption key (KEK) held by a KMS wraps
// the keys of a Keyring, and the ring's data keys seal values, each bound to
// the table, row and column it belongs to, so that a ciphertext moved elsewhere
// does not open. It owns Box, the one authenticated cipher of the program
// (XAES-256-GCM), and Secret, a value that no printer, logger or encoder shows.
//
// It never reads a file, a clock or the system's randomness: the caller brings
// bytes, and an io.Reader to draw from. The store keeps the wrapped keys and the
// sealed values; cmd reads and writes the key file; everybody else holds a Box
// or a derived key.
//
// Three kinds of key, and what happens when each is changed:
//
//   - KEK: wraps the ring's keys and nothing else. A new one means Rewrap: a few
//     rows of wrapped keys, no sealed value.
//   - data keys, counted from 1: the highest seals, all open. A new one means
//     Rotate, then Reseal row by row while serving, then Without the old one.
//   - root secret, number 0: seals nothing; Derive makes keys from it (cursors,
//     session tokens …) that therefore outlive both changes.
package seal
