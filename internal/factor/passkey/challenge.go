package passkey

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"time"

	"warifu/internal/fault"
)

// Challenges makes the challenges that authenticators sign. They are not kept:
// each says until when it can be answered, and is authenticated together with
// what it was made for. So a page can be shown, to strangers too, without writing
// anything, and nobody can fill a table with challenges (security checklist W-1,
// N-5). What makes them single-use is that the caller burns the one that was
// answered.
type Challenges struct{ key [32]byte }

// NewChallenges returns a maker of challenges. All nodes of a server need the
// same key.
func NewChallenges(key [32]byte) *Challenges { return &Challenges{key} }

// The parts of a challenge, in bytes: chance, the second it runs out, and the
// authentication of both. WebAuthn asks for 16 bytes of chance at least (level 3,
// 13.4.3).
const (
	chanceSize  = 16
	expirySize  = 8
	codeSize    = 16
	challengeOf = chanceSize + expirySize + codeSize
)

// New draws a challenge for a purpose that runs out Life after now. An answer for
// one purpose is none for another: purpose says what is asked, of whom, and in
// which sign-in or session.
func (c *Challenges) New(rand io.Reader, purpose []byte, now time.Time) ([]byte, error) {
	b := make([]byte, chanceSize, challengeOf)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fault.Wrap(err, "draw a challenge")
	}
	b = binary.BigEndian.AppendUint64(b, uint64(now.Add(Life).Unix()))
	return append(b, c.code(b, purpose)...), nil
}

// Check reports whether a challenge was made for a purpose and has not run out,
// and names it for burning, until when it could be answered.
func (c *Challenges) Check(challenge, purpose []byte, now time.Time) (id string, until time.Time, ok bool) {
	if len(challenge) != challengeOf {
		return "", until, false
	}
	said := challenge[:chanceSize+expirySize]
	if !hmac.Equal(challenge[len(said):], c.code(said, purpose)) {
		return "", until, false
	}
	until = time.Unix(int64(binary.BigEndian.Uint64(said[chanceSize:])), 0)
	// A clock that went back must not make a challenge live longer.
	return hex.EncodeToString(said[:chanceSize]), until, now.Before(until) && !until.After(now.Add(Life))
}

// code authenticates what a challenge says and what it is for.
func (c *Challenges) code(said, purpose []byte) []byte {
	mac := hmac.New(sha256.New, c.key[:])
	mac.Write(said) // of a fixed length
	mac.Write(purpose)
	return mac.Sum(nil)[:codeSize]
}
