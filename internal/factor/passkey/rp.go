package passkey

import (
	"cmp"
	"crypto/x509"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"warifu/internal/fault"
)

// Life is how long a challenge can be answered. WebAuthn recommends 5 to 10
// minutes (level 3, 15.1); people look for their key meanwhile.
const Life = 5 * time.Minute

// MaxResponse is the longest answer of a browser that is looked at, in bytes. The
// attestation of a TPM, the longest there is, takes about 8 KiB.
const MaxResponse = 32 << 10

// Rollback says what becomes of an authenticator whose signature counter went
// back: there may be a copy of it.
type Rollback string

// The ways to meet it.
const (
	BlockRollback Rollback = "block" // its answer is refused
	FlagRollback  Rollback = "flag"  // its answer counts, and the user is told
)

// Config is what a relying party is made of.
type Config struct {
	// URL is how people reach the server: its origin is the only one that answers
	// may come from.
	URL *url.URL

	// ID is the relying-party id, which every credential is bound to for good. ""
	// means the host of URL; another one must be a domain that host lies in.
	ID string

	// Name is shown by authenticators.
	Name string

	// AppID is the application id by which keys were registered by FIDO U2F; ""
	// means the origin.
	AppID string

	// Rollback is what becomes of a counter that went back; "" means
	// BlockRollback.
	Rollback Rollback

	// AAGUIDs are the makes of authenticator that may be registered; none means
	// all of them. Only an attestation that leads to one of Roots proves a make.
	AAGUIDs []AAGUID
	Roots   *x509.CertPool
}

// RP is a relying party: the side that asks. It is not changed once it is made.
type RP struct {
	ID string // that credentials are bound to

	origin, appID string
	name          string
	rollback      Rollback
	aaguids       []AAGUID
	roots         *x509.CertPool
}

// New returns a relying party.
//
// Errors: Invalid when no browser would let a page of the URL use passkeys (its
// host is an address, or it is neither https nor localhost), or when the id does
// not belong to the host.
func New(c Config) (*RP, error) {
	host := strings.ToLower(c.URL.Hostname())
	rp := &RP{
		ID: cmp.Or(c.ID, host), name: cmp.Or(c.Name, "Warifu"), origin: origin(c.URL), rollback: cmp.Or(c.Rollback, BlockRollback),
		aaguids: c.AAGUIDs, roots: c.Roots,
	}
	rp.appID = cmp.Or(c.AppID, rp.origin)
	if err := protocol.ValidateRPID(host); err != nil {
		return nil, fault.Field("url", "passkeys need a host name and not an address; the URL is %s", rp.origin)
	}
	if c.URL.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return nil, fault.Field("url", "browsers offer passkeys over https and on localhost only; the URL is %s", rp.origin)
	}
	if rp.ID != host && (protocol.ValidateRPID(rp.ID) != nil || !strings.HasSuffix(host, "."+rp.ID) || !strings.Contains(rp.ID, ".")) {
		return nil, fault.Field("passkeys.rp-id", "the relying-party id %q is neither %q nor a domain that it lies in", rp.ID, host)
	}
	if rp.rollback != BlockRollback && rp.rollback != FlagRollback {
		return nil, fault.Field("passkeys.rollback", "what becomes of a counter that went back is %q or %q, not %q", BlockRollback, FlagRollback, rp.rollback)
	}
	if len(rp.aaguids) > 0 && rp.roots == nil {
		return nil, fault.Field("passkeys.aaguids", "makes of authenticator can be told apart only by attestation: give its root certificates, too")
	}
	return rp, nil
}

// origin is a URL's origin as browsers write it (HTML, 7.1.1): in lower case,
// without the scheme's own port.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := u.Port(); u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return strings.ToLower(u.Scheme) + "://" + host
}

// attested reports whether an attestation is asked for.
func (rp *RP) attested() bool { return rp.roots != nil }

// algorithms are the ones that a credential may have, those preferred first
// (RFC 9053; the ones that WebAuthn level 3, 5.4, recommends to ask for, and
// ES384).
func algorithms() (all []protocol.CredentialParameter) {
	for _, alg := range []webauthncose.COSEAlgorithmIdentifier{
		webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgES384, webauthncose.AlgRS256,
	} {
		all = append(all, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: alg})
	}
	return all
}

// permits reports whether a make may be registered at all.
func (rp *RP) permits(make AAGUID) bool {
	return len(rp.aaguids) == 0 || slices.Contains(rp.aaguids, make)
}
