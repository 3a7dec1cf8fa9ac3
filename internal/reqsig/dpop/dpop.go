package dpop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// Life is how old a proof may be, and how far in the future: clocks of
	// developers' machines are off by minutes.
	Life = 5 * time.Minute

	maxProof = 4 << 10 // bytes; a proof takes about 500
	maxID    = 256     // bytes of jti
	size     = 32      // bytes of a coordinate, of r and of s
)

// Proof is what a proof that was verified says.
type Proof struct {
	Thumbprint string // of the key: SHA-256, base64url (RFC 7638)
	ID         string // jti: unique among the proofs of the key
	Issued     time.Time
	URL        string // that it was made for, as the client spelled it
}

// Errors. They are for the log of the client's developer and hold no secret.
var (
	ErrMalformed = errors.New("dpop: the proof is not one compact JWS of type dpop+jwt")
	ErrAlgorithm = errors.New("dpop: the proof must be signed with ES256, by a P-256 key that stands in its header without its private part")
	ErrSignature = errors.New("dpop: the signature does not fit the key")
	ErrMethod    = errors.New("dpop: the proof was made for another method")
	ErrTime      = errors.New("dpop: the proof is too old, or from the future")
)

type header struct {
	Type      string `json:"typ"`
	Algorithm string `json:"alg"`
	Key       struct {
		Type    string `json:"kty"`
		Curve   string `json:"crv"`
		X       string `json:"x"`
		Y       string `json:"y"`
		Private string `json:"d"`
	} `json:"jwk"`
	Critical []string `json:"crit"`
}

type claims struct {
	ID     string  `json:"jti"`
	Method string  `json:"htm"`
	URL    string  `json:"htu"`
	Issued float64 `json:"iat"`
}

// Verify verifies a proof that came with a request of a method at a time (RFC
// 9449, section 4.3). Which URL is ours is for the caller to say: it compares
// Proof.URL.
func Verify(proof, method string, now time.Time) (*Proof, error) {
	parts := strings.Split(proof, ".")
	if len(proof) > maxProof || len(parts) != 3 {
		return nil, ErrMalformed
	}
	var h header
	var c claims
	if !decode(parts[0], &h) || h.Type != "dpop+jwt" || len(h.Critical) > 0 {
		return nil, ErrMalformed
	}
	if h.Algorithm != "ES256" || h.Key.Type != "EC" || h.Key.Curve != "P-256" || h.Key.Private != "" {
		return nil, ErrAlgorithm
	}
	key, thumbprint, err := publicKey(h.Key.X, h.Key.Y)
	if err != nil {
		return nil, err
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(signature) != 2*size {
		return nil, ErrSignature
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])) {
		return nil, ErrSignature
	}
	if !decode(parts[1], &c) || c.ID == "" || len(c.ID) > maxID || c.URL == "" {
		return nil, ErrMalformed
	}
	if c.Method != method {
		return nil, ErrMethod
	}
	issued := time.Unix(int64(c.Issued), 0)
	if c.Issued < 0 || c.Issued > 1<<40 || issued.Sub(now).Abs() > Life {
		return nil, ErrTime
	}
	return &Proof{Thumbprint: thumbprint, ID: c.ID, Issued: issued, URL: c.URL}, nil
}

// decode reads a part of a JWS. Members that it does not know are let be, as the
// RFC has it; a member that is there twice is refused.
func decode(part string, into any) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return err == nil && json.Unmarshal(b, into) == nil
}

// publicKey reads a key and names it. Some clients drop the zeros that a
// coordinate begins with: the key is the same, and its thumbprint is that of the
// full form.
func publicKey(x, y string) (*ecdsa.PublicKey, string, error) {
	point := make([]byte, 1+2*size)
	point[0] = 4 // uncompressed
	for i, text := range []string{x, y} {
		b, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil || len(b) == 0 || len(b) > size {
			return nil, "", ErrAlgorithm
		}
		copy(point[1+(i+1)*size-len(b):], b)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point) // on the curve, or an error
	if err != nil {
		return nil, "", ErrAlgorithm
	}
	enc := base64.RawURLEncoding
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + enc.EncodeToString(point[1:1+size]) + `","y":"` + enc.EncodeToString(point[1+size:]) + `"}`))
	return key, enc.EncodeToString(sum[:]), nil
}
