package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync/atomic"
)

// voucher makes the codes that vouch for events until they are leaves of the tree:
// whoever writes to the database can change an event that waits, and does not have the
// key. Without a key it vouches for nothing.
type voucher struct{ key atomic.Pointer[[32]byte] }

// codeLong is the length of a code: 128 bits of HMAC-SHA-256, which nobody gets to try
// twice.
const codeLong = 16

// code is the code of an event's body, "" without a key. The body names the event's
// place.
func (v *voucher) code(body string) string {
	if v == nil {
		return ""
	}
	key := v.key.Load()
	if key == nil {
		return ""
	}
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(body))
	var sum [sha256.Size]byte
	return string(h.Sum(sum[:0])[:codeLong])
}

// holds tells whether a code is the body's.
func (v *voucher) holds(body string, code []byte) bool {
	want := v.code(body)
	return want == "" || hmac.Equal([]byte(want), code)
}

// Vouch hands in the key of the codes that vouch for events until they are leaves of
// the tree. It is the same for the life of the installation. What is recorded before has
// no code, as StoredEvent.NoCode says.
func (s *Store) Vouch(key [32]byte) { s.vouch.key.Store(&key) }
