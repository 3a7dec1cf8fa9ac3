package totp

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"warifu/internal/fault"
)

// maxTyped bounds what Normalize looks at, in bytes: eight full-width digits
// with a separator and a direction mark after each take 72.
const maxTyped = 96

// Normalize turns what a person typed or pasted into a code (C-11): NFKC, which
// makes full-width digits ASCII ones; spaces, hyphens and invisible marks
// dropped; then 6 to 8 digits 0-9, or an Invalid fault on the field "code".
func Normalize(typed string) (string, error) {
	if len(typed) > maxTyped {
		return "", notACode()
	}
	code := strings.Map(func(r rune) rune {
		// Cf: the direction marks and zero-width characters that come along
		// when a code is copied from a message, and the soft hyphen.
		if unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf) {
			return -1
		}
		return r
	}, norm.NFKC.String(typed))
	if len(code) < 6 || len(code) > 8 || strings.Trim(code, "0123456789") != "" {
		return "", notACode()
	}
	return code, nil
}

func notACode() error { return fault.Field("code", "a code must have 6 to 8 digits") }
