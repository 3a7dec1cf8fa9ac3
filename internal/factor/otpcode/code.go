package otpcode

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"warifu/internal/factor/totp"
	"warifu/internal/name"
	"warifu/internal/seal"
)

// What a code is. Six digits, five tries and ten minutes leave a guesser one
// chance in 200,000 per code; the caller's budget bounds the number of codes.
const (
	Digits   = 6
	Life     = 10 * time.Minute // NIST SP 800-63B, section 5.1.3.2: at most
	MaxTries = 5                // of one code
)

// span is how many codes there are, and fair the largest multiple of it that a
// uint32 holds: what is drawn above it is drawn again, so that every code is
// equally likely.
const (
	span = 1_000_000
	fair = 1<<32 - 1<<32%span
)

// New draws a code.
func New(rand io.Reader) (seal.Secret, error) {
	var b [4]byte
	for {
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return seal.Secret{}, fmt.Errorf("draw a code: %w", err)
		}
		if n := uint64(binary.BigEndian.Uint32(b[:])); n < fair {
			return seal.NewSecret(fmt.Appendf(nil, "%0*d", Digits, n%span)), nil
		}
	}
}

// Bound is what a code is good for, and nothing else: one purpose, one ceremony
// of one sign-in or session, one channel and address.
type Bound struct {
	Ceremony name.ID
	Purpose  string // sign-in, step-up, bind
	Flow     []byte // hash of the sign-in's cookie, or what names the session
	Channel  string // mail, sms
	To       string // address or number
	User     name.ID
}

// Hash is what is kept of a code. It is keyed: of six digits a plain hash hides
// nothing from whoever has a copy of the database.
func Hash(key [32]byte, b Bound, code seal.Secret) []byte { return hash(key, b, code.Reveal()) }

func hash(key [32]byte, b Bound, code []byte) []byte {
	mac := hmac.New(sha256.New, key[:])
	for _, part := range [][]byte{[]byte(b.Ceremony.String()), []byte(b.Purpose), b.Flow, []byte(b.Channel), []byte(b.To), []byte(b.User.String()), code} {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(part)))
		mac.Write(size[:])
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// Fits reports whether what was typed is the code of which hash was kept, in
// constant time. Full-width digits, spaces and hyphens are read as they were
// meant (C-11). An empty hash fits nothing and takes as long (C-6).
func Fits(key [32]byte, b Bound, kept []byte, typed string) bool {
	code, err := totp.Normalize(typed)
	same := hmac.Equal(hash(key, b, []byte(code)), kept)
	return err == nil && len(code) == Digits && same
}
