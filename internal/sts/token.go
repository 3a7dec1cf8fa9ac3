package sts

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/seal"
)

// Kind says how a session came to be.
type Kind uint8

// The kinds of session. The numbers stand in tokens.
const (
	KindUserSession   Kind = 1 // GetSessionToken: the user herself
	KindAssumedRole   Kind = 2 // AssumeRole
	KindFederatedUser Kind = 3 // GetFederationToken: a name under a user's wing
)

// Tag is a label of a session.
type Tag struct {
	Key, Value string
	Transitive bool // handed down when the session assumes a role
}

// Claims is what a session is. All times are whole seconds.
type Claims struct {
	Kind    Kind
	Account name.Account // where the session acts: the user's or the role's
	User    name.ID      // who asked for it; in a chain of roles, who began it
	Role    name.ID      // the assumed role; zero for other kinds

	SessionName string // of the role session or federated user

	// Issued and Expires bound the life of the session: issued <= t < expires.
	Issued, Expires time.Time

	MFA        bool      // a second factor was proved for this session
	MFAAt      time.Time // when; zero without MFA
	MFAMethods []string  // totp, …
	Remembered bool      // a remembered device stood in for the factor

	Policies       []string // session policies passed in full
	PolicyARNs     []string // managed policies passed as session policies
	Tags           []Tag
	SourceIdentity string
	Chained        bool // a role session assumed this role
}

// Credentials are what a client gets.
type Credentials struct {
	AccessKeyID string
	Secret      seal.Secret // 40 characters
	Token       string      // printable ASCII without anything that URLs escape; a bearer secret only together with Secret
	Expires     time.Time
}

// The reasons for which a token is refused. Nothing is said of an expired token
// unless it was authentic.
var (
	ErrInvalid = fault.New(fault.Unauthenticated, "the security token is not valid")
	ErrExpired = fault.New(fault.Expired, "the security token has expired")
)

// magic is the format: it makes every token begin with "Wrf1", so that people
// and secret scanners know one when they see it.
const magic = "\x5a\xb7\xf5"

const (
	// maxToken bounds what Open looks at, in characters. Mint stays below it
	// because packed policies and tags do.
	maxToken = 8 << 10

	secretBytes = 30 // 240 bits, 40 characters of base64
)

// Codec seals and opens tokens and authorization messages. It is safe for
// concurrent use.
type Codec struct {
	tokens   *seal.Box
	messages *seal.Box
	inflate  sync.Pool // of io.ReadCloser from compress/flate, which take 40 kB each
}

// NewCodec returns the codec of a key, which serves no other purpose.
func NewCodec(key [32]byte) *Codec {
	return &Codec{tokens: box(key, "session token"), messages: box(key, "authorization message")}
}

func box(key [32]byte, use string) *seal.Box {
	k, err := hkdf.Expand(sha256.New, key[:], "warifu sts 1: "+use, 32)
	if err != nil {
		panic("sts: HKDF refuses to make 32 bytes: " + err.Error())
	}
	return seal.NewBox([32]byte(k))
}

// Mint makes the credentials of a session. prefix is that of the access key id
// (name.PrefixSessionKey); Issued and Expires are cut to whole seconds.
//
// It fails with fault.Limit, noun "packed policy", when policies and tags do not
// fit a token; ask PackedSize first for a better answer.
func (c *Codec) Mint(rand io.Reader, prefix string, claims *Claims) (*Credentials, error) {
	if err := claims.check(); err != nil {
		return nil, err
	}
	id, err := name.NewAccessKeyID(rand, prefix)
	if err != nil {
		return nil, err
	}
	var secret [secretBytes]byte
	if _, err := io.ReadFull(rand, secret[:]); err != nil {
		return nil, fmt.Errorf("sts: draw a secret: %w", err)
	}
	plain, err := encode(claims, secret)
	if err != nil {
		return nil, err
	}
	raw, err := c.tokens.Seal([]byte(magic), rand, plain, []byte(magic+id))
	if err != nil {
		return nil, err
	}
	return &Credentials{
		AccessKeyID: id,
		Secret:      secretText(secret[:]),
		Token:       base64.RawURLEncoding.EncodeToString(raw),
		Expires:     claims.Expires.Truncate(time.Second),
	}, nil
}

// Open returns what a token says and the secret key that belongs to it. The
// error is ErrInvalid for a token that is not exactly one that Mint made for this
// access key id (S-6: no byte less, more or other), or ErrExpired.
func (c *Codec) Open(token, accessKeyID string, now time.Time) (*Claims, seal.Secret, error) {
	// The base64 decoder skips line breaks, which would let one token be
	// spelled in many ways.
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return nil, seal.Secret{}, ErrInvalid
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || !strings.HasPrefix(string(raw[:min(len(raw), len(magic))]), magic) {
		return nil, seal.Secret{}, ErrInvalid
	}
	plain, err := c.tokens.Open(nil, raw[len(magic):], []byte(magic+accessKeyID))
	if err != nil {
		return nil, seal.Secret{}, ErrInvalid
	}
	claims, secret, err := c.decode(plain)
	if err != nil {
		return nil, seal.Secret{}, ErrInvalid
	}
	if !now.Before(claims.Expires) {
		return nil, seal.Secret{}, ErrExpired
	}
	return claims, secretText(secret), nil
}

func secretText(b []byte) seal.Secret {
	return seal.NewSecret([]byte(base64.StdEncoding.EncodeToString(b)))
}

// check refuses claims that no session can have: a fault of the program.
func (c *Claims) check() error {
	wrong := ""
	switch {
	case c.Kind < KindUserSession || c.Kind > KindFederatedUser:
		wrong = "kind"
	case c.Account <= 0:
		wrong = "account"
	case (c.Kind == KindAssumedRole) != (c.Role != 0) || c.Role < 0 || c.User < 0:
		wrong = "role"
	case c.Kind != KindAssumedRole && c.User == 0:
		wrong = "user"
	case c.Issued.Unix() < 0 || c.Expires.Unix() <= c.Issued.Unix():
		wrong = "life"
	case c.MFA == c.MFAAt.IsZero() || c.MFA && c.MFAAt.Unix() < 0:
		wrong = "time of MFA"
	}
	if wrong != "" {
		return fault.New(fault.Internal, "sts: a session with a wrong %s", wrong)
	}
	return nil
}
