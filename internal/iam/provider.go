package iam

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
)

// ProviderKind is a kind of identity provider.
type ProviderKind string

// The kinds, spelled as names of resources spell them.
const (
	ProviderSAML ProviderKind = "saml"
	ProviderOIDC ProviderKind = "oidc"
)

// IdentityProvider vouches for people and programs from elsewhere.
type IdentityProvider struct {
	ID          name.ID
	Account     name.Account
	Kind        ProviderKind
	Name        string
	Description string
	Created     time.Time
	Updated     time.Time

	SAML SAMLSettings // of that kind
	OIDC OIDCSettings // of that kind
}

// SAMLSettings are what is known of a provider of SAML 2.0.
type SAMLSettings struct {
	Metadata  string // XML, as it was given
	Algorithm string // with which requests to it are signed; of no weight here
}

// OIDCSettings are what is known of a provider of OpenID Connect.
type OIDCSettings struct {
	Issuer       string   // https URL, as tokens say it
	ClientIDs    []string // for whom tokens may be
	Fingerprints []string // SHA-1 of certificates, one of which must vouch for the issuer's address; none = the system's authorities do
	IssuedWithin int      // hours for which a token is accepted after it was issued
}

// Bounds of providers (Alibaba Cloud: IMS API reference, CreateOIDCProvider; AWS:
// IAM quotas).
const (
	MaxProviders      = 100 // of a kind in an account
	MaxClientIDs      = 100
	MaxFingerprints   = 5
	MaxIssuer         = 255
	MaxClientID       = 128
	DefaultWithin     = 12
	MaxWithin         = 168
	MaxSAMLMetadata   = 100_000
	fingerprintLength = 40
)

// ARN names the provider as AWS does.
func (p *IdentityProvider) ARN() string {
	called := p.Name
	if p.Kind == ProviderOIDC {
		called = strings.TrimPrefix(p.OIDC.Issuer, "https://")
	}
	return name.ProviderARN(p.Account, string(p.Kind), called)
}

// ACS names the provider as Alibaba Cloud does.
func (p *IdentityProvider) ACS() string {
	return name.RAM(p.Account, string(p.Kind)+"-provider", p.Name)
}

// Check refuses settings that no provider of OpenID Connect may have.
func (s *OIDCSettings) Check() error {
	u, err := url.Parse(s.Issuer)
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(s.Issuer) > MaxIssuer:
		return fault.Field("issuerUrl", "issuerUrl must be an https address of at most %d characters, without user, query or fragment", MaxIssuer)
	case len(s.ClientIDs) > MaxClientIDs:
		return fault.Of(fault.Limit, "clients of provider", strconv.Itoa(MaxClientIDs))
	case len(s.Fingerprints) > MaxFingerprints:
		return fault.Of(fault.Limit, "fingerprints of provider", strconv.Itoa(MaxFingerprints))
	case s.IssuedWithin < 1 || s.IssuedWithin > MaxWithin:
		return fault.Field("issuanceLimitTime", "issuanceLimitTime must be 1 to %d hours", MaxWithin)
	}
	for i, id := range s.ClientIDs {
		if id == "" || len(id) > MaxClientID || strings.ContainsAny(id, ", \t\r\n") || slices.Contains(s.ClientIDs[:i], id) {
			return fault.Field("clientIds", "a client id has 1 to %d characters, no comma or space, and comes once", MaxClientID)
		}
	}
	for i, f := range s.Fingerprints {
		if _, err := hex.DecodeString(f); err != nil || len(f) != fingerprintLength || f != strings.ToLower(f) || slices.Contains(s.Fingerprints[:i], f) {
			return fault.Field("fingerprints", "a fingerprint is the SHA-1 of a certificate in %d hexadecimal digits, and comes once", fingerprintLength)
		}
	}
	return nil
}
