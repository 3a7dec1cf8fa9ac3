package oci

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"time"
)

// Claims are what a session token says (RFC 7519; the names are those that Oracle's
// tools read, and for what they do not know our own).
type Claims struct {
	Subject string `json:"sub"`    // OCID of the user
	Tenant  string `json:"tenant"` // OCID of the tenancy
	Issuer  string `json:"iss"`
	Aud     string `json:"aud"`
	Kind    string `json:"ttype"`
	Ptype   string `json:"ptype"`
	ID      string `json:"jti"`
	Issued  int64  `json:"iat"` // seconds
	Expires int64  `json:"exp"` // seconds
	JWK     string `json:"jwk"` // of the key that signs requests, as JSON in a string

	Ends   int64   `json:"warifu_session_exp"`   // seconds; no refresh lasts longer
	Proofs []Proof `json:"warifu_mfa,omitempty"` // second factors that were proved, each by itself; none = a password alone

	// What began the session, and ends it: one of these two.
	Login int64  `json:"warifu_login,omitempty"` // what somebody approved in the console, by its id
	Key   string `json:"warifu_key,omitempty"`   // an API key, by its fingerprint
}

// Proof is a second factor that the user of a session proved when it began.
type Proof struct {
	Method string `json:"method"`
	At     int64  `json:"at"`     // microseconds
	Factor int64  `json:"factor"` // id of the device
}

// What the tokens of user sessions say of themselves.
const (
	TokenIssuer   = "authService.oracle.com"
	TokenAudience = "oci"
	TokenKind     = "upst"
)

// tokenHeader is the only header of our tokens. One that differs is not ours, so
// that no algorithm but this one is ever tried (RFC 8725, section 3.1).
const tokenHeader = `{"alg":"RS256","typ":"JWT"}`

var errToken = errors.New("the session token is not good")

// SignToken makes a token of claims.
func SignToken(rand io.Reader, key *rsa.PrivateKey, c *Claims) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(tokenHeader)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// OpenToken reads a token that the private half of key signed and that has not run
// out.
func OpenToken(token string, key *rsa.PublicKey, now time.Time) (*Claims, error) {
	text, sigText, _ := cutLast(token, ".")
	header, bodyText, ok := strings.Cut(text, ".")
	if !ok || header != base64.RawURLEncoding.EncodeToString([]byte(tokenHeader)) {
		return nil, errToken
	}
	sig, err := base64.RawURLEncoding.Strict().DecodeString(sigText)
	if err != nil {
		return nil, errToken
	}
	sum := sha256.Sum256([]byte(text))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) != nil {
		return nil, errToken
	}
	body, err := base64.RawURLEncoding.Strict().DecodeString(bodyText)
	if err != nil {
		return nil, errToken
	}
	c := &Claims{}
	if json.Unmarshal(body, c) != nil || c.Issuer != TokenIssuer || c.Aud != TokenAudience || c.Kind != TokenKind {
		return nil, errToken
	}
	if at := now.Unix(); at >= c.Expires || at < c.Issued-int64(MaxSkew/time.Second) {
		return nil, errToken
	}
	return c, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// jwk is an RSA public key as JSON (RFC 7517, RFC 7518 section 6.3).
type jwk struct {
	Kid string `json:"kid"`
	N   string `json:"n"`
	E   string `json:"e"`
	Kty string `json:"kty"`
	Alg string `json:"alg,omitempty"`
	Use string `json:"use,omitempty"`
}

// JWK spells a public key.
func JWK(key *rsa.PublicKey) string {
	b, err := json.Marshal(jwk{
		Kid: "Ignored", Kty: "RSA", Alg: "RS256", Use: "sig",
		N: base64.RawURLEncoding.EncodeToString(key.N.Bytes()), E: base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	})
	if err != nil {
		panic("oci: JSON refuses strings: " + err.Error())
	}
	return string(b)
}

// ParseJWK reads a public key of a size that ParsePublicKey takes.
func ParseJWK(text string) (*rsa.PublicKey, error) {
	var k jwk
	if err := json.Unmarshal([]byte(text), &k); err != nil || k.Kty != "RSA" {
		return nil, errors.New("the key is not an RSA key in JSON")
	}
	n, err1 := base64.RawURLEncoding.DecodeString(strings.TrimRight(k.N, "="))
	e, err2 := base64.RawURLEncoding.DecodeString(strings.TrimRight(k.E, "="))
	exponent := new(big.Int).SetBytes(e)
	if err1 != nil || err2 != nil || !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 || exponent.Bit(0) == 0 {
		return nil, errors.New("the key does not parse")
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}
	if bits := key.N.BitLen(); bits < MinKeyBits || bits > MaxKeyBits {
		return nil, errors.New("the key has a size that is not allowed")
	}
	return key, nil
}
