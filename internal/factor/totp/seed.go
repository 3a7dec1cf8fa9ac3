package totp

import (
	"encoding/base32"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"warifu/internal/fault"
)

// SeedSize is the length of a new seed in bytes: 64 characters of base32, as AWS
// has them. RFC 4226 §4 R6 asks for 16 and recommends 20.
const SeedSize = 40

const (
	minSeed = 16
	maxSeed = 128
)

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSeed draws a seed.
func NewSeed(rand io.Reader) ([]byte, error) {
	seed := make([]byte, SeedSize)
	if _, err := io.ReadFull(rand, seed); err != nil {
		return nil, fmt.Errorf("totp: draw a seed: %w", err)
	}
	return seed, nil
}

// SeedText is the seed as people type it into an authenticator: base32 without
// padding. It is a secret.
func SeedText(seed []byte) string { return base32Text.EncodeToString(seed) }

// ParseSeed reads a seed that was made elsewhere, in either case, with or
// without padding, spaces or hyphens. It must have 16 to 128 bytes.
func ParseSeed(text string) ([]byte, error) {
	if len(text) > 4*maxSeed {
		return nil, fault.Field("seed", "a seed must have %d to %d bytes", minSeed, maxSeed)
	}
	text = strings.NewReplacer(" ", "", "-", "").Replace(strings.ToUpper(text))
	text = strings.TrimRight(text, "=")
	// The decoder skips line breaks.
	seed, err := base32Text.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, fault.Field("seed", "a seed must be written in base32: A to Z and 2 to 7")
	}
	if len(seed) < minSeed || len(seed) > maxSeed {
		return nil, fault.Field("seed", "a seed must have %d to %d bytes", minSeed, maxSeed)
	}
	return seed, nil
}

// colonStandIn replaces colons in the parts of a label. The colon separates
// issuer from account, even when escaped, and authenticators split at either
// end: a user called "a:b" would show up under an issuer of her choice, or share
// an entry with another user and overwrite it. RATIO looks the same, and keeps
// different names different.
const colonStandIn = "∶"

// URI is the otpauth URI that a QR code carries (Key URI format):
//
//	otpauth://totp/ISSUER ACCOUNT?secret=SEED&issuer=ISSUER
//
// The issuer stands in the label without the colon that would part it off:
// authenticators that part it keep one entry per rest, and some show the rest
// only. Parameters that have their default value are left out, which keeps the QR
// code coarse. account is how the user tells her entries apart, such as "acme -
// alice"; issuer may be empty. The URI is a secret.
func URI(issuer, account string, seed []byte, p Params) string {
	issuer = strings.ReplaceAll(issuer, ":", colonStandIn)
	account = strings.ReplaceAll(account, ":", colonStandIn)
	var b strings.Builder
	b.WriteString("otpauth://totp/")
	if issuer != "" {
		b.WriteString(escape(issuer + " "))
	}
	b.WriteString(escape(account) + "?secret=" + SeedText(seed))
	if issuer != "" {
		b.WriteString("&issuer=" + escape(issuer))
	}
	if p.Algorithm != SHA1 {
		b.WriteString("&algorithm=" + p.Algorithm.String())
	}
	if p.digits() != 6 {
		b.WriteString("&digits=" + strconv.Itoa(p.digits()))
	}
	if p.period() != 30 {
		b.WriteString("&period=" + strconv.FormatInt(p.period(), 10))
	}
	return b.String()
}

// escape escapes for path and query alike. A space must not become a plus,
// which authenticators show as one.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "%40", "@").Replace(url.QueryEscape(s))
}
