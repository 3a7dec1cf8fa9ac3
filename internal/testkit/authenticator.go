package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"testing"

	"github.com/descope/virtualwebauthn"
)

// Origin is where people reach every World.
const Origin = "https://console.example.com"

// RPID is the relying-party id of every World.
const RPID = "console.example.com"

// Authenticator is a passkey, or a key registered by FIDO U2F, in a browser that
// shows a page of Origin. Tests change what it does.
type Authenticator struct {
	ID     []byte
	Handle []byte // of the user; it learns it when it creates the credential
	Count  uint32 // signatures; each one adds 1, unless Count is 0 and Still
	Still  bool   // counts no signatures, as synced passkeys do

	Absent, Unverified bool // whoever uses it does not touch it; is not verified
	Eligible, BackedUp bool
	AAGUID             [16]byte
	Props              string // clientExtensionResults of a creation; "" = discoverable
	Origin, RPID       string

	key virtualwebauthn.Credential
	u2f *ecdsa.PrivateKey
	app string // application id of a U2F key
	rnd io.Reader
}

// coseP256 is the length of a public key on P-256 as COSE has it (RFC 9053, section
// 7.1.1): both coordinates have 32 bytes.
const coseP256 = 77

// NewAuthenticator returns an authenticator without a credential.
func NewAuthenticator() *Authenticator {
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(key.Key.AttestationData()) != coseP256 { // it drops leading zeros: one key in 128 is malformed
		key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return &Authenticator{ID: key.ID, Origin: Origin, RPID: RPID, key: key}
}

// NewRSAAuthenticator is NewAuthenticator with a key of another kind.
func NewRSAAuthenticator() *Authenticator {
	a := NewAuthenticator()
	a.key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA)
	a.ID = a.key.ID
	return a
}

// NewU2FKey returns a key that was registered by FIDO U2F for an application id,
// and its public key as it was registered.
func NewU2FKey(t testing.TB, rand io.Reader, appID string) (a *Authenticator, point []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		t.Fatal(err)
	}
	a = &Authenticator{ID: make([]byte, 64), Origin: Origin, RPID: RPID, u2f: key, app: appID, rnd: rand, Unverified: true}
	if _, err := io.ReadFull(rand, a.ID); err != nil {
		t.Fatal(err)
	}
	point, err = key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return a, point
}

func (a *Authenticator) counted() uint32 {
	if !a.Still {
		a.Count++
	}
	return a.Count
}

func (a *Authenticator) party() (virtualwebauthn.RelyingParty, virtualwebauthn.Authenticator, virtualwebauthn.Credential) {
	key := a.key
	key.Counter = a.counted()
	key.ID = a.ID
	return virtualwebauthn.RelyingParty{ID: a.RPID, Origin: a.Origin, Name: "Warifu"}, virtualwebauthn.Authenticator{
		Aaguid: a.AAGUID,
		Options: virtualwebauthn.AuthenticatorOptions{
			UserHandle: a.Handle, UserNotPresent: a.Absent, UserNotVerified: a.Unverified, BackupEligible: a.Eligible, BackupState: a.BackedUp,
		},
	}, key
}

// Create answers the options of a creation.
func (a *Authenticator) Create(t testing.TB, options string) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(options)
	if err != nil {
		t.Fatalf("%v in %s", err, options)
	}
	a.Handle = []byte(asked.UserID)
	rp, auth, key := a.party()
	props := a.Props
	if props == "" {
		props = `{"credProps":{"rk":true}}`
	}
	return with(t, virtualwebauthn.CreateAttestationResponse(rp, auth, key, *asked), map[string]string{
		"clientExtensionResults": props, "authenticatorAttachment": `"platform"`,
	})
}

// Get answers the options of a proof.
func (a *Authenticator) Get(t testing.TB, options string) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		t.Fatalf("%v in %s", err, options)
	}
	if a.u2f != nil {
		return a.sign(t, asked.Challenge)
	}
	rp, auth, key := a.party()
	return with(t, virtualwebauthn.CreateAssertionResponse(rp, auth, key, *asked), map[string]string{"clientExtensionResults": `{}`})
}

// sign is what a browser makes of the answer of a U2F key (WebAuthn level 3,
// 6.1.2 and 10.1.1).
func (a *Authenticator) sign(t testing.TB, challenge []byte) string {
	t.Helper()
	client, err := json.Marshal(map[string]any{"type": "webauthn.get", "challenge": b64(challenge), "origin": a.Origin, "crossOrigin": false})
	if err != nil {
		t.Fatal(err)
	}
	app := sha256.Sum256([]byte(a.app))
	flags := byte(1)
	if a.Absent {
		flags = 0
	}
	data := binary.BigEndian.AppendUint32(append(app[:], flags), a.counted())
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(data[:len(data):len(data)], hash[:]...))
	sig, err := ecdsa.SignASN1(a.rnd, a.u2f, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(map[string]any{
		"id": b64(a.ID), "rawId": b64(a.ID), "type": "public-key", "clientExtensionResults": map[string]any{"appid": true},
		"response": map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(sig)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// with is a JSON object with other members.
func with(t testing.TB, object string, members map[string]string) string {
	t.Helper()
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(object), &all); err != nil {
		t.Fatal(err)
	}
	for name, value := range members {
		all[name] = json.RawMessage(value)
	}
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
