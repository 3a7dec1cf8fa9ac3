package testkit

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/go-jose/go-jose/v4"
	dsig "github.com/russellhaering/goxmldsig"
)

// IdP is an identity provider from elsewhere: it signs tokens of OpenID Connect and
// responses of SAML 2.0 with one RSA key.
type IdP struct {
	t    testing.TB
	key  *rsa.PrivateKey
	cert []byte

	Issuer, EntityID string
}

// The keys are drawn once: that takes longer than most tests.
var (
	idpKey      = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	impostorKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
)

// NewIdP returns an identity provider whose certificate is valid around Epoch and now.
func NewIdP(t testing.TB) *IdP {
	t.Helper()
	return newIdP(t, idpKey)
}

// Impostor is a provider of the same names with a key of its own.
func (p *IdP) Impostor() *IdP { return newIdP(p.t, impostorKey) }

func newIdP(t testing.TB, draw func() (*rsa.PrivateKey, error)) *IdP {
	t.Helper()
	key, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	from := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: Epoch.AddDate(-10, 0, 0), NotAfter: Epoch.AddDate(90, 0, 0)}
	cert, err := x509.CreateCertificate(rand.Reader, &from, &from, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &IdP{t, key, cert, "https://idp.example.com/oidc", "https://idp.example.com/saml"}
}

// KeyID is the id of the key that signs tokens.
const KeyID = "key-1"

// Keys is the provider's set of keys.
func (p *IdP) Keys() []byte {
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &p.key.PublicKey, KeyID: KeyID, Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

// Fetch answers for the provider's addresses, as World.Fetch does.
func (p *IdP) Fetch(url string) ([]byte, error) {
	switch url {
	case p.Issuer + "/.well-known/openid-configuration":
		return fmt.Appendf(nil, `{"issuer":%q,"jwks_uri":%q}`, p.Issuer, p.Issuer+"/keys"), nil
	case p.Issuer + "/keys":
		return p.Keys(), nil
	}
	return nil, fmt.Errorf("nothing is at %s", url)
}

// Claims are those of a good token at a time, and what is put in their place.
func (p *IdP) Claims(now time.Time, put map[string]any) map[string]any {
	c := map[string]any{
		"iss": p.Issuer, "sub": "system:serviceaccount:prod:web", "aud": []string{"sts.aliyuncs.com"},
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(c, put)
	return c
}

// Token signs claims.
func (p *IdP) Token(claims map[string]any) string { return p.TokenOf("", claims) }

// TokenOf signs a token of a type (typ); "" = it has none.
func (p *IdP) TokenOf(typ jose.ContentType, claims map[string]any) string {
	p.t.Helper()
	var opts *jose.SignerOptions
	if typ != "" {
		opts = (&jose.SignerOptions{}).WithType(typ)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: KeyID}}, opts)
	if err != nil {
		p.t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// Metadata is the provider's metadata of SAML.
func (p *IdP) Metadata() string {
	return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + p.EntityID + `"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + base64.StdEncoding.EncodeToString(p.cert) +
		`</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></IDPSSODescriptor></EntityDescriptor>`
}

// Response is a response of SAML and how it is made.
type Response struct {
	ID                  string
	Now                 time.Time
	Subject             string
	Recipient, Audience string
	Attributes          map[string]string
	Whole               bool              // the response is signed, not its assertion
	Put                 *strings.Replacer // applied before it is signed
	Method              string            // of the signature; "" = RSA with SHA-256
}

// XML is the response, signed.
func (p *IdP) XML(r Response) string {
	p.t.Helper()
	var attrs strings.Builder
	for name, value := range r.Attributes {
		fmt.Fprintf(&attrs, `<saml:Attribute Name=%q><saml:AttributeValue>%s</saml:AttributeValue></saml:Attribute>`, name, value)
	}
	at := func(d time.Duration) string { return r.Now.Add(d).UTC().Format(time.RFC3339) }
	text := `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="r` + r.ID + `" Version="2.0" IssueInstant="` + at(0) + `">` +
		`<saml:Issuer>` + p.EntityID + `</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
		`<saml:Assertion ID="a` + r.ID + `" Version="2.0" IssueInstant="` + at(0) + `"><saml:Issuer>` + p.EntityID + `</saml:Issuer>` +
		`<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">` + r.Subject + `</saml:NameID>` +
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="` + at(5*time.Minute) + `" Recipient="` + r.Recipient + `"/></saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="` + at(0) + `" NotOnOrAfter="` + at(10*time.Minute) + `"><saml:AudienceRestriction><saml:Audience>` + r.Audience + `</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AuthnStatement AuthnInstant="` + at(0) + `"><saml:AuthnContext/></saml:AuthnStatement><saml:AttributeStatement>` + attrs.String() + `</saml:AttributeStatement></saml:Assertion></samlp:Response>`
	if r.Put != nil {
		text = r.Put.Replace(text)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		p.t.Fatal(err)
	}
	ctx := dsig.NewDefaultSigningContext(dsig.TLSCertKeyStore(tls.Certificate{Certificate: [][]byte{p.cert}, PrivateKey: p.key}))
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if r.Method != "" {
		if err := ctx.SetSignatureMethod(r.Method); err != nil {
			p.t.Fatal(err)
		}
	}
	root := doc.Root()
	if r.Whole {
		signed, err := ctx.SignEnveloped(root)
		if err != nil {
			p.t.Fatal(err)
		}
		doc.SetRoot(signed)
	} else if assertion := root.FindElement("Assertion"); assertion != nil {
		i := assertion.Index()
		root.RemoveChildAt(i)
		for _, a := range root.Attr { // the namespaces that it inherited
			if a.Space == "xmlns" && a.Key == "saml" {
				assertion.CreateAttr(a.FullKey(), a.Value)
			}
		}
		signed, err := ctx.SignEnveloped(assertion)
		if err != nil {
			p.t.Fatal(err)
		}
		root.InsertChildAt(i, signed)
	}
	out, err := doc.WriteToString()
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// Response is the response in base64, as clients pass it on.
func (p *IdP) Response(r Response) string {
	return base64.StdEncoding.EncodeToString([]byte(p.XML(r)))
}
