package passkey

import (
	"crypto/ecdh"
	"encoding/json"
	"slices"

	"warifu/internal/fault"
)

// Trust is how far the make of an authenticator is proved.
type Trust string

// The degrees of trust.
const (
	Claimed Trust = ""        // nobody vouches for it
	Trusted Trust = "trusted" // an attestation led to a root that the operator trusts
)

// Credential is a public key that an authenticator signs with, and what is known
// of the authenticator. What has a tag is kept as the factor's data.
type Credential struct {
	ID  []byte `json:"-"` // that the authenticator knows it by
	U2F bool   `json:"-"` // registered by FIDO U2F: good as a second factor only (W-8)

	Key          []byte   `json:"key"` // COSE_Key (RFC 9052, 7); of a U2F key the point, uncompressed (SEC 1, 2.3.3)
	AAGUID       AAGUID   `json:"aaguid,omitzero"`
	Trust        Trust    `json:"trust,omitempty"`
	Transports   []string `json:"transports,omitempty"`
	Platform     bool     `json:"platform,omitempty"`     // built into the device that it was made on
	Discoverable bool     `json:"discoverable,omitempty"` // the authenticator finds it without being told its id
	Verifies     bool     `json:"verifies,omitempty"`     // the authenticator verifies who uses it
	Eligible     bool     `json:"eligible,omitempty"`     // BE: it may be copied to other devices
	BackedUp     bool     `json:"backedUp,omitempty"`     // BS: it has been
	Copied       bool     `json:"copied,omitempty"`       // its counter once went back (W-5)
	AppID        string   `json:"appid,omitempty"`        // of a U2F key, if it is not the server's
}

// ReadCredential reads a factor's data.
func ReadCredential(id []byte, data string, u2f bool) (*Credential, error) {
	c := &Credential{ID: id, U2F: u2f}
	if err := json.Unmarshal([]byte(data), c); err != nil || len(c.Key) == 0 || len(id) == 0 {
		return nil, fault.Wrap(err, "read a credential")
	}
	return c, nil
}

// Data is what is kept of the credential beside its id.
func (c *Credential) Data() string {
	b, err := json.Marshal(c)
	if err != nil { // there is nothing in it that JSON cannot say
		return ""
	}
	return string(b)
}

// SignsIn reports whether the credential can stand in for name and password.
func (c *Credential) SignsIn() bool { return !c.U2F && c.Discoverable && c.Verifies }

// Limits of a registration by FIDO U2F (FIDO U2F Raw Message Formats 1.2, 4.3: the
// length of a key handle is one byte).
const maxKeyHandle = 255

// Legacy is the credential of a key that was registered by FIDO U2F at another
// system: its handle and its public key, an uncompressed point on P-256. appID is
// the application id that it was registered by, "" for the server's.
//
// Errors: Invalid.
func Legacy(handle, point []byte, appID string) (*Credential, error) {
	if len(handle) == 0 || len(handle) > maxKeyHandle {
		return nil, fault.Field("keyHandle", "a key handle has 1 to %d bytes; this one has %d", maxKeyHandle, len(handle))
	}
	if _, err := ecdh.P256().NewPublicKey(point); err != nil || len(point) != 65 {
		return nil, fault.Field("publicKey", "the public key is not an uncompressed point on P-256 (65 bytes, the first of them 04)")
	}
	return &Credential{ID: slices.Clone(handle), U2F: true, Key: slices.Clone(point), AppID: appID}, nil
}
