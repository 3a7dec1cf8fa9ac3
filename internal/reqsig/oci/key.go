package oci

import (
	"crypto/md5" // #nosec: fingerprints are MD5, and nothing but names of keys
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Sizes of the keys that users may upload, in bits. The least is Oracle's; the most
// bounds the time that a verification takes.
const (
	MinKeyBits = 2048
	MaxKeyBits = 8192
)

// KeyID is what keyId names: an API key of a user, or the token of a session.
type KeyID struct {
	Tenancy, User, Fingerprint string // of an API key
	Token                      string // of a session: a JWT
}

// ParseKeyID reads tenancy/user/fingerprint or ST$token.
func ParseKeyID(s string) (KeyID, bool) {
	if token, ok := strings.CutPrefix(s, "ST$"); ok {
		return KeyID{Token: token}, token != ""
	}
	p := strings.Split(s, "/")
	if len(p) != 3 || p[0] == "" || p[1] == "" || !fingerprintLike(p[2]) {
		return KeyID{}, false
	}
	return KeyID{Tenancy: p[0], User: p[1], Fingerprint: strings.ToLower(p[2])}, true
}

// fingerprintLike tells whether s is 16 bytes in hex with colons.
func fingerprintLike(s string) bool {
	if len(s) != 47 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if i%3 == 2 {
			if s[i] != ':' {
				return false
			}
		} else if (c < 'a' || c > 'f') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// Fingerprint names a public key: the MD5 of its SubjectPublicKeyInfo, in hex with
// colons.
func Fingerprint(key *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("fingerprint of a key: %w", err)
	}
	sum := md5.Sum(der)
	text := hex.EncodeToString(sum[:])
	var b strings.Builder
	for i := 0; i < len(text); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(text[i : i+2])
	}
	return b.String(), nil
}

// ParsePublicKey reads an RSA public key in PEM, as users upload it. It refuses keys
// that are too short or too long.
func ParsePublicKey(text string) (*rsa.PublicKey, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key is not in PEM")
	}
	if strings.TrimSpace(string(rest)) != "" && !strings.HasPrefix(strings.TrimSpace(string(rest)), "OCI_API_KEY") {
		return nil, errors.New("text follows the key")
	}
	var key any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return nil, fmt.Errorf("the PEM block is a %s and not a PUBLIC KEY", block.Type)
	}
	if err != nil {
		return nil, errors.New("the key does not parse")
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is not an RSA key")
	}
	if n := public.N.BitLen(); n < MinKeyBits || n > MaxKeyBits {
		return nil, fmt.Errorf("the key has %d bits; it must have %d to %d", n, MinKeyBits, MaxKeyBits)
	}
	return public, nil
}
