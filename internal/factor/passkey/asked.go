package passkey

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"

	"warifu/internal/fault"
)

// Verify says whether the authenticator must have verified who uses it, by PIN or
// body (W-3). That somebody is present is always asked.
type Verify string

// The demands.
const (
	WhenLikely Verify = ""       // it may: a password was proved beside it
	WhenAble   Verify = "able"   // it must, unless it is known to be unable to
	Always     Verify = "always" // it must: nothing else is proved
)

// Asked is what an authenticator was asked.
type Asked struct {
	Challenge []byte
	Verify    Verify
	Allow     [][]byte // credentials that may answer; none = any that is discoverable
	AppID     string   // of U2F keys among them
	Resident  bool     // of a creation: it must be discoverable
}

// User is the person for whom a credential is created, as authenticators show it.
type User struct {
	Handle []byte // the same for all credentials of a user, and no one else's
	Name   string // alice@acme
	Shown  string // Alice
}

// Creation is what a browser is asked when a credential is to be created: the
// JSON of PublicKeyCredentialCreationOptions (WebAuthn level 3, 5.1.9). Those of
// exclude are the user's own already, which the same authenticator refuses to
// double.
func (rp *RP) Creation(a Asked, who User, exclude []*Credential) (string, error) {
	o := protocol.PublicKeyCredentialCreationOptions{
		RelyingParty: protocol.RelyingPartyEntity{CredentialEntity: protocol.CredentialEntity{Name: rp.name}, ID: rp.ID},
		User: protocol.UserEntity{
			CredentialEntity: protocol.CredentialEntity{Name: who.Name}, DisplayName: who.Shown, ID: protocol.URLEncodedBase64(who.Handle),
		},
		Challenge:  a.Challenge,
		Parameters: algorithms(),
		Timeout:    int(Life.Milliseconds()),
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: a.Verify.wire(),
		},
		CredentialExcludeList: descriptors(exclude),
		Attestation:           protocol.PreferNoAttestation,
		Extensions:            protocol.AuthenticationExtensions{CredProps: true},
	}
	if a.Resident {
		o.AuthenticatorSelection.ResidentKey = protocol.ResidentKeyRequirementRequired
		o.AuthenticatorSelection.RequireResidentKey = new(true)
	}
	if rp.attested() {
		o.Attestation = protocol.PreferDirectAttestation
	}
	o.Extensions.AppIDExclude = rp.appIDOf(exclude)
	return encode(o)
}

// Request is what a browser is asked when a credential is to be proved: the JSON
// of PublicKeyCredentialRequestOptions (WebAuthn level 3, 5.1.10). Those of allow
// are the ones that a names.
func (rp *RP) Request(a Asked, allow []*Credential) (string, error) {
	o := protocol.PublicKeyCredentialRequestOptions{
		Challenge: a.Challenge, Timeout: int(Life.Milliseconds()), RelyingPartyID: rp.ID, UserVerification: a.Verify.wire(),
		AllowedCredentials: descriptors(slices.DeleteFunc(slices.Clone(allow), func(c *Credential) bool {
			return !slices.ContainsFunc(a.Allow, func(id []byte) bool { return string(id) == string(c.ID) })
		})),
	}
	o.Extensions.AppID = a.AppID
	return encode(o)
}

// Allowing is a with the credentials that may answer. A browser looks for U2F
// keys of one application id only: that of the first one.
func (rp *RP) Allowing(a Asked, all []*Credential) Asked {
	for _, c := range all {
		a.Allow = append(a.Allow, c.ID)
	}
	a.AppID = rp.appIDOf(all)
	return a
}

// appIDOf is the application id of the first U2F key among credentials; "" when
// there is none.
func (rp *RP) appIDOf(all []*Credential) string {
	for _, c := range all {
		if c.U2F {
			return cmp.Or(c.AppID, rp.appID)
		}
	}
	return ""
}

// wire is the demand as a browser is told it. One that is not always met is a
// wish there, which the answer is judged by.
func (v Verify) wire() protocol.UserVerificationRequirement {
	if v == Always {
		return protocol.VerificationRequired
	}
	return protocol.VerificationPreferred
}

func descriptors(all []*Credential) (list []protocol.CredentialDescriptor) {
	for _, c := range all {
		d := protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: c.ID}
		for _, t := range c.Transports {
			d.Transport = append(d.Transport, protocol.AuthenticatorTransport(t))
		}
		list = append(list, d)
	}
	return list
}

func encode(options any) (string, error) {
	b, err := json.Marshal(options)
	if err != nil {
		return "", fault.Wrap(err, "write what a browser is asked")
	}
	return string(b), nil
}
