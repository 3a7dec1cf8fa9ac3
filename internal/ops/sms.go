package ops

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"warifu/internal/fault"
	"warifu/internal/iam"
)

// checkAddress reads an address of a kind of factor and returns it as it is
// kept.
func checkAddress(kind iam.FactorKind, s string) (string, error) {
	if kind == iam.FactorSMS {
		return checkNumber(s)
	}
	a, err := checkEmail(s)
	if err == nil && strings.ContainsAny(a, " \t\r\n\"<>,;:") {
		err = fault.Field("email", "email must be an e-mail address such as name@example.com")
	}
	return a, err
}

// checkNumber reads a phone number with its country code (E.164: at most 15
// digits, of which the first is not 0) and returns it with a + and digits only.
// Alibaba Cloud writes the country code apart: 81-9012345678.
func checkNumber(s string) (string, error) {
	bad := fault.Field("phone", "phone must be a number with its country code, such as +81 90 1234 5678")
	if len(s) > 100 {
		return "", bad
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf) || strings.ContainsRune("().", r) {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	s = strings.TrimPrefix(s, "+")
	if len(s) < 8 || len(s) > 15 || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return "", bad
	}
	return "+" + s, nil
}
