// Package recovery owns codes on paper: ten of them, each good once, for the day
// when the phone is lost (NIST SP 800-63B-4, section 3.1.2, look-up secrets). It
// draws them, reads what people type, and hashes them for keeping.
//
// A code has 80 bits, so a keyed hash keeps it: nobody can try them all, with or
// without the key. The package reads no randomness, clock or store of its own.
// Package ops calls it.
package recovery
