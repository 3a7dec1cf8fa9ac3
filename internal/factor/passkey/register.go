package passkey

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/protocol"
)

// Why a new credential is not taken.
var (
	errCreation  = errors.New("the new credential does not fit what was asked")
	errResident  = errors.New("the authenticator did not keep the credential")
	errUntrusted = errors.New("the attestation does not lead to a trusted root")
	errMake      = errors.New("authenticators of this make are not permitted")
)

// Refused reports whether a new credential was not taken because of the
// operator's policy, which another authenticator might meet.
func Refused(err error) bool { return errors.Is(err, errUntrusted) || errors.Is(err, errMake) }

// transports are the ways to reach an authenticator that are kept: browsers get
// them back (WebAuthn level 3, 5.8.4). Any other text stays out.
var transports = []string{"usb", "nfc", "ble", "smart-card", "hybrid", "internal"}

// Created is a new credential, parsed and not yet verified.
type Created struct {
	from *protocol.ParsedCredentialCreationData
}

// ParseCreated reads the JSON of a RegistrationResponseJSON (WebAuthn level 3,
// 5.1.8).
func ParseCreated(response string) (*Created, error) {
	if len(response) > MaxResponse {
		return nil, errMalformed
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(response))
	if err != nil {
		return nil, errMalformed
	}
	return &Created{parsed}, nil
}

// Challenge is the one that was answered, as far as the answer says; nil for what
// can be none.
func (c *Created) Challenge() []byte {
	return challengeIn(c.from.Response.CollectedClientData.Challenge)
}

// Register judges a new credential (WebAuthn level 3, 7.1). Policy is checked again here, whatever the browser was
// asked: a page can be tampered with (W-4). That nobody else has the credential
// (step 26, W-7) is for the caller to make sure.
//
// The error says for the trail why the credential is not taken.
func (rp *RP) Register(new *Created, asked Asked, now time.Time) (*Credential, int64, error) {
	r := new.from
	if err := rp.here(&r.Response.CollectedClientData); err != nil {
		return nil, 0, err
	}
	data := &r.Response.AttestationObject.AuthData
	if asked.Verify == Always && !data.Flags.HasUserVerified() {
		return nil, 0, errUnverified
	}
	_, err := r.Verify(base64.RawURLEncoding.EncodeToString(asked.Challenge), rp.ID, []string{rp.origin}, nil, nil,
		protocol.TopOriginExplicitVerificationMode, false, false, true, nil, algorithms(), protocol.AttestationPolicy{}, protocol.SignaturePolicy{})
	if err != nil {
		return nil, 0, errCreation
	}
	if data.Flags.HasBackupState() && !data.Flags.HasBackupEligible() {
		return nil, 0, errBackup
	}
	c := &Credential{
		ID: slices.Clone(r.RawID), Key: data.AttData.CredentialPublicKey, AAGUID: AAGUID(data.AttData.AAGUID),
		Platform: r.AuthenticatorAttachment == protocol.Platform, Verifies: data.Flags.HasUserVerified(),
		Eligible: data.Flags.HasBackupEligible(), BackedUp: data.Flags.HasBackupState(),
	}
	// A browser that does not tell had to keep it when that was required.
	c.Discoverable = asked.Resident
	if props := r.ClientExtensionResults.CredProps; props != nil && props.RK != nil {
		c.Discoverable = *props.RK
	}
	if asked.Resident && !c.Discoverable {
		return nil, 0, errResident
	}
	for _, t := range r.Response.Transports {
		if slices.Contains(transports, string(t)) && !slices.Contains(c.Transports, string(t)) {
			c.Transports = append(c.Transports, string(t))
		}
	}
	if err := rp.assess(c, &r.Response.AttestationObject, now); err != nil {
		return nil, 0, err
	}
	return c, int64(data.Counter), nil
}

// assess judges what an attestation is worth (steps 22 to 24): a make that is
// only claimed meets no list of makes.
func (rp *RP) assess(c *Credential, o *protocol.AttestationObject, now time.Time) error {
	if !rp.attested() {
		return nil
	}
	if !rp.vouched(o, now) {
		return errUntrusted
	}
	c.Trust = Trusted
	if !rp.permits(c.AAGUID) {
		return errMake
	}
	return nil
}

// vouched reports whether an attestation, whose signature was verified with its
// first certificate, leads to a root that the operator trusts.
func (rp *RP) vouched(o *protocol.AttestationObject, now time.Time) bool {
	switch metadata.AuthenticatorAttestationType(o.Type) {
	case metadata.BasicFull, metadata.AttCA, metadata.AnonCA:
	default: // of itself, or of nobody
		return false
	}
	raw, _ := o.AttStatement["x5c"].([]any)
	var leaf *x509.Certificate
	between := x509.NewCertPool()
	for i, r := range raw {
		der, _ := r.([]byte)
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return false
		}
		if i == 0 {
			leaf = cert
		} else {
			between.AddCert(cert)
		}
	}
	if leaf == nil {
		return false
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: rp.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil
}
