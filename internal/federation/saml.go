package federation

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
	validator "github.com/mattermost/xml-roundtrip-validator"
	dsig "github.com/russellhaering/goxmldsig"

	"warifu/internal/fault"
)

// Bounds of assertions.
const (
	maxAssertion    = 100_000 // characters in base64 (Alibaba Cloud, AWS: AssumeRoleWithSAML)
	maxCertificates = 10      // in metadata
	maxDepth        = 50      // of elements
)

// The namespaces.
const (
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
)

// signatureMethods and digestMethods are those that are accepted: none of SHA-1.
var (
	signatureMethods = []string{dsig.RSASHA256SignatureMethod, dsig.RSASHA384SignatureMethod, dsig.RSASHA512SignatureMethod,
		dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod}
	digestMethods = []string{"http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512"}
)

// Metadata is what is needed of a provider's metadata (SAML 2.0 Metadata, section
// 2.4.3).
type Metadata struct {
	EntityID     string
	Certificates []*x509.Certificate
}

// ParseMetadata reads metadata.
//
// Errors: Invalid, noun "saml metadata".
func ParseMetadata(text string) (*Metadata, error) {
	refuse := func(why string) (*Metadata, error) {
		return nil, &fault.Error{Kind: fault.Invalid, Noun: "saml metadata", What: "The metadata document " + why + "."}
	}
	if err := wellFormed([]byte(text)); err != nil {
		return refuse("is not well-formed XML")
	}
	var doc struct {
		XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
		EntityID string   `xml:"entityID,attr"`
		IDP      []struct {
			Keys []struct {
				Use   string   `xml:"use,attr"`
				Certs []string `xml:"http://www.w3.org/2000/09/xmldsig# KeyInfo>X509Data>X509Certificate"`
			} `xml:"urn:oasis:names:tc:SAML:2.0:metadata KeyDescriptor"`
		} `xml:"urn:oasis:names:tc:SAML:2.0:metadata IDPSSODescriptor"`
	}
	if err := xml.Unmarshal([]byte(text), &doc); err != nil {
		return refuse("is no EntityDescriptor of SAML 2.0")
	}
	m := &Metadata{EntityID: strings.TrimSpace(doc.EntityID)}
	for _, idp := range doc.IDP {
		for _, k := range idp.Keys {
			if k.Use != "" && k.Use != "signing" {
				continue
			}
			for _, c := range k.Certs {
				cert, err := certificate(c)
				if err != nil {
					return refuse("has a certificate that cannot be read, or whose key is too short")
				}
				m.Certificates = append(m.Certificates, cert)
			}
		}
	}
	switch {
	case m.EntityID == "" || len(m.EntityID) > 1024:
		return refuse("has no entityID")
	case len(m.Certificates) == 0 || len(m.Certificates) > maxCertificates:
		return refuse("has no identity provider with a certificate to sign with, or too many")
	}
	return m, nil
}

func certificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if r, ok := c.PublicKey.(*rsa.PublicKey); ok && r.N.BitLen() < leastRSA {
		return nil, fault.New(fault.Invalid, "the key is too short")
	}
	return c, nil
}

// wellFormed refuses XML that means different things to different readers, that
// declares entities, or that is nested too deeply.
func wellFormed(text []byte) error {
	if err := validator.Validate(bytes.NewReader(text)); err != nil {
		return err
	}
	depth := 0
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if token == nil {
			if depth == 0 && err != nil && err.Error() == "EOF" {
				return nil
			}
			return err
		}
		switch token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fault.New(fault.Invalid, "too deep")
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return fault.New(fault.Invalid, "a document type is declared")
		}
	}
}

// Assertion is what an assertion says.
type Assertion struct {
	ID          string
	Issuer      string
	Subject     string // NameID
	SubjectType string // persistent, transient, or the whole format
	Recipient   string
	Expires     time.Time // after which it is refused
	Attributes  map[string][]string
}

// SAMLExpected is what an assertion must be.
type SAMLExpected struct {
	Recipients []string // addresses that it may be sent to
	Audiences  []string // for whom it may be
	Now        time.Time
}

// no refuses an assertion.
func no(why string) error {
	return &fault.Error{Kind: fault.Unauthenticated, Noun: "saml assertion", What: "This SAML assertion is invalid: " + why + "."}
}

// VerifyAssertion verifies a response of a provider, in base64, and returns its
// assertion (SAML 2.0 Core, section 3.3.3; Profiles, section 4.1.4). The response or
// its assertion must be signed; what is not covered by that signature is not looked
// at. Encrypted assertions are refused.
//
// Errors: Unauthenticated, or Expired, with the noun "saml assertion".
func VerifyAssertion(encoded string, m *Metadata, want SAMLExpected) (*Assertion, error) {
	if len(encoded) > maxAssertion {
		return nil, no("it is too long")
	}
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(encoded), ""))
	if err != nil || wellFormed(text) != nil {
		return nil, no("it is not well-formed XML in base64")
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(text); err != nil || doc.Root() == nil {
		return nil, no("it is not well-formed XML in base64")
	}
	signed, err := m.signed(doc.Root(), want.Now)
	if err != nil {
		return nil, err
	}
	return m.read(signed, want)
}

// signed is the assertion as its signature, or that of the response around it, covers
// it: parsed anew from the bytes that were verified.
func (m *Metadata) signed(root *etree.Element, now time.Time) (*etree.Element, error) {
	if !is(root, nsProtocol, "Response") {
		return nil, no("it is no response")
	}
	ids := map[string]bool{}
	for _, e := range root.FindElements("//*") {
		if id := e.SelectAttrValue("ID", ""); id != "" && ids[id] {
			return nil, no("two elements have one ID")
		} else if id != "" {
			ids[id] = true
		}
		if (e.Tag == "SignatureMethod" && !slices.Contains(signatureMethods, e.SelectAttrValue("Algorithm", ""))) ||
			(e.Tag == "DigestMethod" && !slices.Contains(digestMethods, e.SelectAttrValue("Algorithm", ""))) {
			return nil, no("it is signed in a way that is not accepted")
		}
	}
	if id := root.SelectAttrValue("ID", ""); id == "" || len(id) > 256 {
		return nil, no("the response has no ID")
	}
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: m.Certificates})
	ctx.Clock = dsig.NewFakeClockAt(now)
	if directlySigned(root) {
		whole, err := ctx.Validate(root)
		if err != nil || !is(whole, nsProtocol, "Response") {
			return nil, no("the signature of the response is not the provider's")
		}
		return only(whole)
	}
	assertion, err := only(root)
	if err != nil {
		return nil, err
	}
	if assertion.SelectAttrValue("ID", "") == "" || !directlySigned(assertion) {
		return nil, no("neither it nor the response is signed")
	}
	detached := assertion.Copy()
	inherit(detached, assertion)
	verified, err := ctx.Validate(detached)
	if err != nil || !is(verified, nsAssertion, "Assertion") {
		return nil, no("its signature is not the provider's")
	}
	if !succeeded(root) {
		return nil, no("the provider says that the sign-in failed")
	}
	return verified, nil
}

// inherit gives a copy of an element the namespaces that were declared above it.
func inherit(to, from *etree.Element) {
	for p := from.Parent(); p != nil; p = p.Parent() {
		for _, a := range p.Attr {
			if (a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns") && to.SelectAttr(a.FullKey()) == nil {
				to.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
}

// only is the one assertion of a response that says success.
func only(response *etree.Element) (*etree.Element, error) {
	if !succeeded(response) {
		return nil, no("the provider says that the sign-in failed")
	}
	var found *etree.Element
	for _, e := range response.ChildElements() {
		switch {
		case is(e, nsAssertion, "EncryptedAssertion"):
			return nil, no("it is encrypted")
		case !is(e, nsAssertion, "Assertion"):
		case found != nil:
			return nil, no("there is more than one")
		default:
			found = e
		}
	}
	if found == nil {
		return nil, no("there is none in the response")
	}
	return found, nil
}

func succeeded(response *etree.Element) bool {
	code := child(child(response, nsProtocol, "Status"), nsProtocol, "StatusCode")
	return code != nil && code.SelectAttrValue("Value", "") == "urn:oasis:names:tc:SAML:2.0:status:Success"
}

func is(e *etree.Element, space, tag string) bool {
	return e != nil && e.Tag == tag && e.NamespaceURI() == space
}

// child is the one child of a name; nil if there is none, or several.
func child(e *etree.Element, space, tag string) (found *etree.Element) {
	if e == nil {
		return nil
	}
	for _, c := range e.ChildElements() {
		if is(c, space, tag) {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

func directlySigned(e *etree.Element) bool { return child(e, dsig.Namespace, "Signature") != nil }

func textOf(e *etree.Element) string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.Text())
}

// read checks a verified assertion and says what is in it.
func (m *Metadata) read(e *etree.Element, want SAMLExpected) (*Assertion, error) {
	a := &Assertion{ID: e.SelectAttrValue("ID", ""), Issuer: textOf(child(e, nsAssertion, "Issuer")), Attributes: map[string][]string{}}
	subject := child(e, nsAssertion, "Subject")
	id := child(subject, nsAssertion, "NameID")
	if a.Subject = textOf(id); id != nil {
		format := id.SelectAttrValue("Format", "")
		a.SubjectType = strings.TrimPrefix(format, "urn:oasis:names:tc:SAML:2.0:nameid-format:")
	}
	switch {
	case a.ID == "" || len(a.ID) > 256:
		return nil, no("it has no ID")
	case a.Issuer != m.EntityID:
		return nil, no("its issuer is another")
	case a.Subject == "" || len(a.Subject) > 1024:
		return nil, no("it says nothing of the subject")
	}
	if err := a.confirm(subject, want); err != nil {
		return nil, err
	}
	if err := a.conditions(child(e, nsAssertion, "Conditions"), want); err != nil {
		return nil, err
	}
	if child(e, nsAssertion, "AuthnStatement") == nil {
		return nil, no("it says nothing of a sign-in")
	}
	for _, s := range e.ChildElements() {
		if !is(s, nsAssertion, "AttributeStatement") {
			continue
		}
		for _, attr := range s.ChildElements() {
			called := attr.SelectAttrValue("Name", "")
			if !is(attr, nsAssertion, "Attribute") || called == "" {
				continue
			}
			for _, v := range attr.ChildElements() {
				if is(v, nsAssertion, "AttributeValue") {
					a.Attributes[called] = append(a.Attributes[called], textOf(v))
				}
			}
		}
	}
	return a, nil
}

func expired() error {
	return &fault.Error{Kind: fault.Expired, Noun: "saml assertion", What: "This SAML assertion has expired."}
}

// confirm finds how the subject is confirmed: by bearing the assertion, at an address
// of ours, for a while (Profiles, section 4.1.4.2).
func (a *Assertion) confirm(subject *etree.Element, want SAMLExpected) error {
	err := no("its subject is not confirmed for this service")
	if subject == nil {
		return err
	}
	for _, c := range subject.ChildElements() {
		data := child(c, nsAssertion, "SubjectConfirmationData")
		if !is(c, nsAssertion, "SubjectConfirmation") || c.SelectAttrValue("Method", "") != "urn:oasis:names:tc:SAML:2.0:cm:bearer" || data == nil {
			continue
		}
		recipient := data.SelectAttrValue("Recipient", "")
		until, ok := moment(data.SelectAttrValue("NotOnOrAfter", ""))
		switch {
		case !slices.Contains(want.Recipients, recipient) || !ok || data.SelectAttr("NotBefore") != nil:
		case !want.Now.Before(until):
			err = expired()
		default:
			a.Recipient, a.Expires = recipient, until
			return nil
		}
	}
	return err
}

// conditions checks when and for whom the assertion is (Core, section 2.5).
func (a *Assertion) conditions(e *etree.Element, want SAMLExpected) error {
	if e == nil {
		return no("it is not restricted to an audience")
	}
	if from := e.SelectAttrValue("NotBefore", ""); from != "" {
		if at, ok := moment(from); !ok || at.After(want.Now.Add(skew)) {
			return no("it is not valid yet")
		}
	}
	if until := e.SelectAttrValue("NotOnOrAfter", ""); until != "" {
		at, ok := moment(until)
		if !ok {
			return no("it does not say until when it is valid")
		}
		if !want.Now.Before(at) {
			return expired()
		}
		if at.Before(a.Expires) {
			a.Expires = at
		}
	}
	restricted := false
	for _, c := range e.ChildElements() {
		if !is(c, nsAssertion, "AudienceRestriction") {
			continue
		}
		restricted = true
		if !slices.ContainsFunc(c.ChildElements(), func(one *etree.Element) bool {
			return is(one, nsAssertion, "Audience") && slices.Contains(want.Audiences, textOf(one))
		}) {
			return no("its audience is another")
		}
	}
	if !restricted {
		return no("it is not restricted to an audience")
	}
	return nil
}

func moment(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), err == nil
}

// Seconds reads an attribute that is a number of seconds; 0 if there is none.
func (a *Assertion) Seconds(attribute string) (time.Duration, error) {
	v := a.Attributes[attribute]
	if len(v) == 0 {
		return 0, nil
	}
	n, err := strconv.Atoi(v[0])
	if err != nil || len(v) > 1 || n < 0 || n > 1<<20 {
		return 0, no("its duration is no number of seconds")
	}
	return time.Duration(n) * time.Second, nil
}
