package recovery

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"warifu/internal/name"
	"warifu/internal/seal"
)

const (
	// Count is how many codes are made at once.
	Count = 10
	// Low is the number of codes left at which the owner is told to make new ones.
	Low = 3

	size   = 10 // bytes: 80 bits (C-8 asks for 64)
	length = 16 // characters of base32
	group  = 4

	maxTyped = 200 // bytes of what is looked at
)

var alphabet = base32.StdEncoding.WithPadding(base32.NoPadding) // RFC 4648: without 0, 1, 8, 9

// New draws a set of codes, as they are shown: four groups of four.
func New(rand io.Reader) ([]seal.Secret, error) {
	codes := make([]seal.Secret, Count)
	for i := range codes {
		var b [size]byte
		if _, err := io.ReadFull(rand, b[:]); err != nil {
			return nil, fmt.Errorf("recovery: draw a code: %w", err)
		}
		text := alphabet.EncodeToString(b[:])
		var groups []string
		for ; text != ""; text = text[group:] {
			groups = append(groups, text[:group])
		}
		codes[i] = seal.NewSecret([]byte(strings.Join(groups, "-")))
	}
	return codes, nil
}

// Normalize turns what a person typed into a code as it is hashed: NFKC, capitals,
// without spaces, hyphens and invisible marks; 0, 1 and 8, which no code has, are
// read as the letters that they are mistaken for. "" is no code.
func Normalize(typed string) string {
	if len(typed) > maxTyped {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.In(r, unicode.Pd, unicode.Cf):
			return -1
		case r == '0':
			return 'O'
		case r == '1':
			return 'I'
		case r == '8':
			return 'B'
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(typed))
	if len(code) != length || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return ""
	}
	return code
}

// Hash is what is kept of a user's code: an HMAC, so that a copy of the database
// tells neither the code nor whether two users have the same one, and a code of
// one is none of another (C-8).
func Hash(key [32]byte, user name.ID, code string) []byte {
	mac := hmac.New(sha256.New, key[:])
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], uint64(user))
	mac.Write(id[:])
	mac.Write([]byte(code))
	return mac.Sum(nil)
}
