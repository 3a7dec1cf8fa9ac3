package passkey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"warifu/internal/factor/passkey"
	"warifu/internal/testkit"
)

// maker makes authenticators whose attestation leads to its root.
type maker struct {
	root *x509.Certificate
	key  *ecdsa.PrivateKey
	leaf []byte
}

// newMaker makes the certificates of WebAuthn level 3, 8.2.1. The library judges
// their dates by the machine's clock.
func newMaker(t *testing.T, make passkey.AAGUID) *maker {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	from, to := testkit.Epoch.AddDate(-1, 0, 0), time.Now().AddDate(20, 0, 0)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root of a maker"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	must(err)
	root, err = x509.ParseCertificate(der)
	must(err)
	m := &maker{root: root}
	m.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	aaguid, err := asn1.Marshal(make[:])
	must(err)
	m.leaf, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: from, NotAfter: to, BasicConstraintsValid: true,
		Subject: pkix.Name{
			Country: []string{"SE"}, Organization: []string{"a maker"}, OrganizationalUnit: []string{"Authenticator Attestation"}, CommonName: "an authenticator",
		},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}, Value: aaguid}},
	}, root, &m.key.PublicKey, rootKey)
	must(err)
	return m
}

// attest puts the maker's attestation in the place of the authenticator's own.
func (m *maker) attest(t *testing.T, response string) string {
	t.Helper()
	return rewrite(t, response, func(r map[string]any) {
		raw := func(name string) []byte {
			b, err := base64.RawURLEncoding.DecodeString(r[name].(string))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		var o map[string]any
		if err := webauthncbor.Unmarshal(raw("attestationObject"), &o); err != nil {
			t.Fatal(err)
		}
		client := sha256.Sum256(raw("clientDataJSON"))
		digest := sha256.Sum256(append(append([]byte(nil), o["authData"].([]byte)...), client[:]...))
		sig, err := m.key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		o["attStmt"] = map[string]any{"alg": -7, "sig": sig, "x5c": []any{m.leaf}}
		b, err := webauthncbor.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		r["attestationObject"] = base64.RawURLEncoding.EncodeToString(b)
	})
}

// W-4: an attestation that leads to a trusted root proves the make, and only a
// make on the list is taken; another root, or none, is not enough.
func TestAttestation(t *testing.T) {
	make, other := passkey.AAGUID{1, 2, 3}, passkey.AAGUID{4, 5, 6}
	good, stranger := newMaker(t, make), newMaker(t, make)
	pool := x509.NewCertPool()
	pool.AddCert(good.root)
	for _, test := range []struct {
		what    string
		listed  []passkey.AAGUID
		by      *maker
		make    passkey.AAGUID
		refused bool
		mended  bool // another authenticator might do
	}{
		{"trusted, any make", nil, good, make, false, false},
		{"trusted and on the list", []passkey.AAGUID{other, make}, good, make, false, false},
		{"trusted and not on the list", []passkey.AAGUID{other}, good, make, true, true},
		{"of a stranger", nil, stranger, make, true, true},
		{"of nobody", nil, nil, make, true, true},
		{"for another make than the certificate's", nil, good, other, true, false},
	} {
		rp := newRP(t, func(c *passkey.Config) { c.AAGUIDs, c.Roots = test.listed, pool })
		asked := ask(t, nil)
		options, err := rp.Creation(asked, alice, nil)
		if err != nil {
			t.Fatal(err)
		}
		key := testkit.NewAuthenticator()
		key.AAGUID = test.make
		text := key.Create(t, options)
		if test.by != nil {
			text = test.by.attest(t, text)
		}
		c, _, err := register(rp, text, asked)
		if (err != nil) != test.refused || passkey.Refused(err) != test.mended || err == nil && c.Trust != passkey.Trusted {
			t.Errorf("%s: %+v, %v", test.what, c, err)
		}
	}
}
