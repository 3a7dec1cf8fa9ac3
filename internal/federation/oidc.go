package federation

import (
	"crypto/rsa"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"warifu/internal/fault"
	"warifu/internal/iam"
)

// Bounds of tokens.
const (
	maxToken = 20_000      // characters (Alibaba Cloud: STS API reference, AssumeRoleWithOIDC)
	skew     = time.Minute // by which a provider's clock may be ahead
	leastRSA = 2048        // bits
	maxKeys  = 100         // in a set
)

// algorithms are those with which tokens may be signed: no secret that is shared.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// types are those of tokens that say who somebody is, or what it may do, where they
// have a type at all. A provider signs others with the same keys, such as those that
// end a session (RFC 8725, section 3.11).
var types = []string{"jwt", "jose", "at+jwt"}

// Keys are the keys of a provider of OpenID Connect (RFC 7517).
type Keys struct{ all []jose.JSONWebKey }

// ParseKeys reads a set of keys. Those that are not for signing, or that this program
// does not know, are left out.
func ParseKeys(text []byte) (*Keys, error) {
	var set struct {
		Keys []jsonKey `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) > maxKeys {
		return nil, fault.New(fault.Invalid, "the provider's keys cannot be read")
	}
	k := &Keys{}
	for i := range set.Keys {
		key := set.Keys[i].key
		if key.Key == nil || !key.IsPublic() || !key.Valid() || key.Use != "" && key.Use != "sig" {
			continue
		}
		if r, ok := key.Key.(*rsa.PublicKey); ok && r.N.BitLen() < leastRSA {
			continue
		}
		k.all = append(k.all, key)
	}
	return k, nil
}

// jsonKey reads one key, or nothing of one that it does not know.
type jsonKey struct{ key jose.JSONWebKey }

// UnmarshalJSON implements json.Unmarshaler.
func (k *jsonKey) UnmarshalJSON(b []byte) error {
	if k.key.UnmarshalJSON(b) != nil {
		k.key = jose.JSONWebKey{}
	}
	return nil
}

// Discovered reads the address of the keys from a provider's configuration (OpenID
// Connect Discovery 1.0, section 4.3), which must be the issuer's own.
func Discovered(text []byte, issuer string) (keys string, err error) {
	var config struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &config); err != nil || config.Issuer != issuer || !strings.HasPrefix(config.Keys, "https://") {
		return "", fault.New(fault.Invalid, "the provider's configuration cannot be read, is another issuer's, or names no https address of keys")
	}
	return config.Keys, nil
}

// ConfigurationOf is the address of a provider's configuration (section 4).
func ConfigurationOf(issuer string) string {
	return strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
}

// Token is what a token says.
type Token struct {
	Issuer   string
	Subject  string
	Audience []string
	Issued   time.Time
	Expires  time.Time
}

// claims are the claims that are looked at (RFC 7519, section 4.1).
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  audience `json:"aud"`
	Party     string   `json:"azp"`
	Issued    float64  `json:"iat"`
	Expires   float64  `json:"exp"`
	NotBefore float64  `json:"nbf"`
}

// audience is a text or a list of them.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*a = make(audience, 1)
		return json.Unmarshal(b, &(*a)[0])
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// bad refuses a token, saying as much as helps whoever sent it.
func bad(why string) error {
	return &fault.Error{Kind: fault.Unauthenticated, Noun: "oidc token", What: "This OIDC token is invalid: " + why + "."}
}

// KeyOf is the id of the key that a token says it is signed with; "" if it says none.
func KeyOf(raw string) string {
	signed, err := parse(raw)
	if err != nil {
		return ""
	}
	return signed.Signatures[0].Header.KeyID
}

// IssuerOf is the issuer that a token says it is of; "" if it says none. Nothing of it
// is verified.
func IssuerOf(raw string) string {
	signed, err := parse(raw)
	if err != nil {
		return ""
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &c) != nil {
		return ""
	}
	return c.Issuer
}

func parse(raw string) (*jose.JSONWebSignature, error) {
	if len(raw) > maxToken {
		return nil, bad("it is too long")
	}
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return nil, bad("it cannot be read, or is signed in a way that is not accepted")
	}
	return signed, nil
}

// Has tells whether a key of an id is there.
func (k *Keys) Has(id string) bool {
	return slices.ContainsFunc(k.all, func(key jose.JSONWebKey) bool { return key.KeyID == id })
}

// VerifyToken verifies a token as one for a client of a provider (OpenID Connect Core
// 1.0, section 3.1.3.7).
//
// Errors: Unauthenticated, or Expired, with the noun "oidc token".
func VerifyToken(raw string, keys *Keys, p *iam.OIDCSettings, now time.Time) (*Token, error) {
	signed, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if typ, ok := signed.Signatures[0].Header.ExtraHeaders[jose.HeaderType]; ok {
		text, _ := typ.(string)
		if !slices.Contains(types, strings.TrimPrefix(strings.ToLower(text), "application/")) {
			return nil, bad("it is a token for something else")
		}
	}
	payload, err := keys.verify(signed)
	if err != nil {
		return nil, err
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, bad("its claims cannot be read")
	}
	t := &Token{c.Issuer, c.Subject, c.Audience, instant(c.Issued), instant(c.Expires)}
	known := func(client string) bool { return slices.Contains(p.ClientIDs, client) }
	switch {
	case c.Issuer != p.Issuer:
		return nil, bad("its issuer is another")
	case c.Subject == "" || len(c.Subject) > 255:
		return nil, bad("it says nothing of the subject")
	case !slices.ContainsFunc(c.Audience, known):
		return nil, bad("it is for none of the provider's clients")
	case c.Party != "" && !known(c.Party):
		return nil, bad("the party that it was issued to is none of the provider's clients")
	case c.Expires == 0 || c.Issued == 0:
		return nil, bad("it does not say when it was issued and when it expires")
	case t.Issued.After(now.Add(skew)) || instant(c.NotBefore).After(now.Add(skew)):
		return nil, bad("it is not valid yet")
	case !now.Before(t.Expires), now.Sub(t.Issued) > time.Duration(p.IssuedWithin)*time.Hour:
		return nil, &fault.Error{Kind: fault.Expired, Noun: "oidc token", What: "This OIDC token has expired, or was issued too long ago."}
	}
	return t, nil
}

// verify returns what is signed. A token without a key's id is tried with the only
// key that there is.
func (k *Keys) verify(signed *jose.JSONWebSignature) ([]byte, error) {
	head := signed.Signatures[0].Header
	for i := range k.all {
		key := &k.all[i]
		if key.KeyID != head.KeyID && (head.KeyID != "" || len(k.all) > 1) || key.Algorithm != "" && key.Algorithm != head.Algorithm {
			continue
		}
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, nil
		}
	}
	return nil, bad("none of the provider's keys verifies it")
}

// instant is a time in seconds since 1970; what is no time is one long ago.
func instant(seconds float64) time.Time {
	if !(seconds > 0 && seconds < 1<<40) {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
