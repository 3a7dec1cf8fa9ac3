package federation_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	dsig "github.com/russellhaering/goxmldsig"

	"warifu/internal/fault"
	"warifu/internal/federation"
	"warifu/internal/iam"
	"warifu/internal/testkit"
)

var now = testkit.Epoch

func keys(t testing.TB, text []byte) *federation.Keys {
	t.Helper()
	k, err := federation.ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func settings(p *testkit.IdP) *iam.OIDCSettings {
	return &iam.OIDCSettings{Issuer: p.Issuer, ClientIDs: []string{"sts.aliyuncs.com", "web"}, IssuedWithin: 1}
}

// A token is good for its issuer, client and time only.
func TestTokens(t *testing.T) {
	idp := testkit.NewIdP(t)
	set := keys(t, idp.Keys())
	good, err := federation.VerifyToken(idp.Token(idp.Claims(now, nil)), set, settings(idp), now)
	if err != nil || good.Subject != "system:serviceaccount:prod:web" || !good.Expires.Equal(now.Add(time.Hour)) || good.Audience[0] != "sts.aliyuncs.com" {
		t.Fatalf("%+v %v", good, err)
	}
	if _, err := federation.VerifyToken(idp.Token(idp.Claims(now, map[string]any{"aud": "web", "azp": "web"})), set, settings(idp), now); err != nil {
		t.Errorf("an audience that is one text: %v", err)
	}
	for why, c := range map[string]struct {
		put  map[string]any
		at   time.Time
		kind fault.Kind
	}{
		"another issuer":     {map[string]any{"iss": idp.Issuer + "/"}, now, fault.Unauthenticated},
		"another client":     {map[string]any{"aud": []string{"other"}}, now, fault.Unauthenticated},
		"no client":          {map[string]any{"aud": []string{}}, now, fault.Unauthenticated},
		"issued to another":  {map[string]any{"azp": "other"}, now, fault.Unauthenticated},
		"no subject":         {map[string]any{"sub": ""}, now, fault.Unauthenticated},
		"no end":             {map[string]any{"exp": nil}, now, fault.Unauthenticated},
		"no beginning":       {map[string]any{"iat": nil}, now, fault.Unauthenticated},
		"a huge time":        {map[string]any{"iat": 1e300}, now, fault.Expired},
		"from the future":    {map[string]any{"iat": now.Add(2 * time.Minute).Unix()}, now, fault.Unauthenticated},
		"not yet":            {map[string]any{"nbf": now.Add(2 * time.Minute).Unix()}, now, fault.Unauthenticated},
		"expired":            {nil, now.Add(time.Hour), fault.Expired},
		"issued too long":    {map[string]any{"exp": now.Add(9 * time.Hour).Unix()}, now.Add(time.Hour + time.Second), fault.Expired},
		"claims of no shape": {map[string]any{"sub": 7}, now, fault.Unauthenticated},
	} {
		if _, err := federation.VerifyToken(idp.Token(idp.Claims(now, c.put)), set, settings(idp), c.at); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, want %v", why, err, c.kind)
		}
	}
}

// A signature is verified with the provider's keys, by algorithms of public keys.
func TestSignaturesOfTokens(t *testing.T) {
	idp := testkit.NewIdP(t)
	token := idp.Token(idp.Claims(now, nil))
	set := keys(t, idp.Keys())
	head, rest, _ := strings.Cut(token, ".")
	body, _, _ := strings.Cut(rest, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	for why, bad := range map[string]string{
		"another payload": head + "." + b64([]byte(`{"iss":"x"}`)) + rest[strings.IndexByte(rest, '.'):],
		"no signature":    b64([]byte(`{"alg":"none"}`)) + "." + body + ".",
		"a shared secret": b64([]byte(`{"alg":"HS256","kid":"key-1"}`)) + "." + body + "." + b64([]byte("x")),
		"two parts":       head + "." + body,
		"nothing":         "",
		"too long":        strings.Repeat("a", 20_001),
	} {
		if _, err := federation.VerifyToken(bad, set, settings(idp), now); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if _, err := federation.VerifyToken(idp.Impostor().Token(idp.Claims(now, nil)), set, settings(idp), now); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("somebody else's key: %v", err)
	}
	for typ, fits := range map[jose.ContentType]bool{"JWT": true, "application/at+jwt": true, "logout+jwt": false, "secevent+jwt": false} {
		_, err := federation.VerifyToken(idp.TokenOf(typ, idp.Claims(now, nil)), set, settings(idp), now)
		if fits != (err == nil) || err != nil && !fault.Is(err, fault.Unauthenticated) { // F-5
			t.Errorf("the type %s: %v", typ, err)
		}
	}
	for why, text := range map[string]string{
		"no keys": `{"keys":[]}`, "keys to encrypt with": strings.Replace(string(idp.Keys()), `"sig"`, `"enc"`, 1),
		"another algorithm": strings.Replace(string(idp.Keys()), "RS256", "PS256", 1), "another id": strings.Replace(string(idp.Keys()), "key-1", "key-2", 1),
		"a key that nobody knows": `{"keys":[{"kty":"none"}]}`, "a short key": `{"keys":[{"kty":"RSA","kid":"key-1","e":"AQAB","n":"` + b64([]byte(strings.Repeat("x", 128))) + `"}]}`,
	} {
		if _, err := federation.VerifyToken(token, keys(t, []byte(text)), settings(idp), now); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", why, err)
		}
	}
	if federation.KeyOf(token) != testkit.KeyID || !set.Has(testkit.KeyID) || set.Has("") {
		t.Error(federation.KeyOf(token))
	}
	if at, err := federation.Discovered([]byte(`{"issuer":"https://a","jwks_uri":"https://b/keys"}`), "https://a"); err != nil || at != "https://b/keys" {
		t.Error(at, err)
	}
	for _, bad := range []string{`{"issuer":"https://x","jwks_uri":"https://b"}`, `{"issuer":"https://a","jwks_uri":"http://b"}`, `{`, `{"issuer":"https://a"}`} {
		if _, err := federation.Discovered([]byte(bad), "https://a"); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

const recipient, audience = "https://signin.aliyun.com/saml-role/sso", "urn:alibaba:cloudcomputing"

func response() testkit.Response {
	return testkit.Response{ID: "1", Now: now, Subject: "alice", Recipient: recipient, Audience: audience, Attributes: map[string]string{"role": "reader"}}
}

func expected() federation.SAMLExpected {
	return federation.SAMLExpected{Recipients: []string{recipient}, Audiences: []string{audience}, Now: now}
}

func metadata(t testing.TB, p *testkit.IdP) *federation.Metadata {
	t.Helper()
	m, err := federation.ParseMetadata(p.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAssertions(t *testing.T) {
	idp := testkit.NewIdP(t)
	m := metadata(t, idp)
	for _, whole := range []bool{false, true} {
		r := response()
		r.Whole = whole
		a, err := federation.VerifyAssertion(idp.Response(r), m, expected())
		if err != nil {
			t.Fatalf("whole %v: %v", whole, err)
		}
		if a.ID != "a1" || a.Subject != "alice" || a.SubjectType != "persistent" || a.Recipient != recipient || a.Attributes["role"][0] != "reader" || !a.Expires.Equal(now.Add(5*time.Minute)) {
			t.Errorf("%+v", a)
		}
		for why, c := range map[string]struct {
			put  []string
			at   time.Duration
			kind fault.Kind
		}{
			"another recipient": {[]string{recipient, "https://evil.example.com/"}, 0, fault.Unauthenticated},
			"another audience":  {[]string{audience, "urn:other"}, 0, fault.Unauthenticated},
			"no audience":       {[]string{"<saml:AudienceRestriction>", "<saml:OneTimeUse/><saml:Other>", "</saml:AudienceRestriction>", "</saml:Other>"}, 0, fault.Unauthenticated},
			"another issuer":    {[]string{"<saml:Issuer>https://idp", "<saml:Issuer>https://other"}, 0, fault.Unauthenticated},
			"no bearer":         {[]string{"cm:bearer", "cm:sender-vouches"}, 0, fault.Unauthenticated},
			"no sign-in":        {[]string{"saml:AuthnStatement", "saml:OtherStatement"}, 0, fault.Unauthenticated},
			"no subject":        {[]string{">alice<", "><"}, 0, fault.Unauthenticated},
			"failed":            {[]string{"status:Success", "status:Responder"}, 0, fault.Unauthenticated},
			"too late":          {nil, 5 * time.Minute, fault.Expired},
			"too early":         {nil, -2 * time.Minute, fault.Unauthenticated},
		} {
			r := response()
			r.Whole = whole
			if r.Put = strings.NewReplacer(c.put...); c.put == nil {
				r.Put = nil
			}
			want := expected()
			want.Now = now.Add(c.at)
			if _, err := federation.VerifyAssertion(idp.Response(r), m, want); !fault.Is(err, c.kind) {
				t.Errorf("%s, whole %v: %v, want %v", why, whole, err, c.kind)
			}
		}
	}
}

// What is not covered by the signature is not looked at, wherever it was put.
func TestWrappedAssertions(t *testing.T) {
	idp := testkit.NewIdP(t)
	m := metadata(t, idp)
	signed := idp.XML(response())
	begin, end := strings.Index(signed, "<saml:Assertion"), strings.Index(signed, "</samlp:Response>")
	assertion := signed[begin:end]
	forged := strings.NewReplacer(`ID="a1"`, `ID="evil"`, ">alice<", ">mallory<").Replace(assertion)
	unsigned := forged[:strings.Index(forged, "<ds:Signature")] + forged[strings.Index(forged, "</ds:Signature>")+len("</ds:Signature>"):]
	for why, bad := range map[string]string{
		"another subject":              strings.Replace(signed, ">alice<", ">mallory<", 1),
		"a forged one before":          signed[:begin] + unsigned + signed[begin:],
		"a forged one behind":          signed[:end] + unsigned + signed[end:],
		"the forged one with its own":  signed[:begin] + forged + signed[end:],
		"the good one inside":          signed[:begin] + strings.Replace(unsigned, "</saml:Assertion>", "<saml:Advice>"+assertion+"</saml:Advice></saml:Assertion>", 1) + signed[end:],
		"the good one in an extension": signed[:begin] + "<samlp:Extensions>" + assertion + "</samlp:Extensions>" + unsigned + signed[end:],
		"the same ID twice":            signed[:begin] + strings.Replace(unsigned, "evil", "a1", 1) + signed[end:],
		"none":                         signed[:begin] + signed[end:],
		"unsigned":                     signed[:begin] + unsigned + signed[end:],
		"encrypted":                    signed[:begin] + "<saml:EncryptedAssertion/>" + signed[end:],
		"a document type":              "<!DOCTYPE x [<!ENTITY e 'alice'>]>" + signed,
		"the assertion alone":          assertion,
		"no XML":                       "alice",
		"deep":                         signed[:begin] + strings.Repeat("<a>", 60) + strings.Repeat("</a>", 60) + signed[begin:],
	} {
		a, err := federation.VerifyAssertion(base64.StdEncoding.EncodeToString([]byte(bad)), m, expected())
		if !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %+v %v", why, a, err)
		}
	}
	// A comment does not cut a name short.
	r := response()
	r.Subject = "alice"
	cut := strings.Replace(idp.XML(r), ">alice<", ">al<!-- -->ice<", 1)
	if a, err := federation.VerifyAssertion(base64.StdEncoding.EncodeToString([]byte(cut)), m, expected()); err == nil && a.Subject != "alice" {
		t.Errorf("%+v", a)
	}
	weak := response()
	weak.Method = dsig.RSASHA1SignatureMethod
	if _, err := federation.VerifyAssertion(idp.Response(weak), m, expected()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("SHA-1: %v", err)
	}
	// Somebody else's key, with the certificate in the signature.
	if _, err := federation.VerifyAssertion(idp.Impostor().Response(response()), m, expected()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("another certificate: %v", err)
	}
	if _, err := federation.VerifyAssertion(strings.Repeat("A", 100_001), m, expected()); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("too long: %v", err)
	}
}

func TestMetadata(t *testing.T) {
	idp := testkit.NewIdP(t)
	good := idp.Metadata()
	if m := metadata(t, idp); m.EntityID != idp.EntityID || len(m.Certificates) != 1 {
		t.Errorf("%+v", m)
	}
	for why, bad := range map[string]string{
		"nothing": "", "no XML": "x", "another document": strings.ReplaceAll(good, "EntityDescriptor", "Entities"),
		"no entityID": strings.Replace(good, idp.EntityID, "", 1), "no certificate": strings.ReplaceAll(good, "X509Certificate", "Other"),
		"to encrypt with": strings.Replace(good, `"signing"`, `"encryption"`, 1), "a broken certificate": strings.Replace(good, "MII", "AAA", 1),
		"a document type": "<!DOCTYPE x>" + good,
	} {
		if _, err := federation.ParseMetadata(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func FuzzVerifyAssertion(f *testing.F) {
	idp := testkit.NewIdP(f)
	m := metadata(f, idp)
	good := idp.XML(response())
	f.Add(good)
	f.Add(strings.Replace(good, "Reference URI=\"#a1\"", "Reference URI=\"\"", 1))
	f.Fuzz(func(t *testing.T, text string) {
		a, err := federation.VerifyAssertion(base64.StdEncoding.EncodeToString([]byte(text)), m, expected())
		if err == nil && (a.ID != "a1" || a.Subject != "alice") {
			t.Fatalf("nobody signed %+v", a)
		}
	})
}

func FuzzParseMetadata(f *testing.F) {
	f.Add(testkit.NewIdP(f).Metadata())
	f.Fuzz(func(t *testing.T, text string) {
		if m, err := federation.ParseMetadata(text); err == nil && (m.EntityID == "" || len(m.Certificates) == 0) {
			t.Fatalf("%+v", m)
		}
	})
}

func FuzzVerifyToken(f *testing.F) {
	idp := testkit.NewIdP(f)
	set := keys(f, idp.Keys())
	good := idp.Token(idp.Claims(now, nil))
	f.Add(good)
	f.Fuzz(func(t *testing.T, raw string) {
		if tok, err := federation.VerifyToken(raw, set, settings(idp), now); err == nil && tok.Subject != "system:serviceaccount:prod:web" {
			t.Fatalf("nobody signed %+v", tok)
		} else if err == nil && federation.IssuerOf(raw) != tok.Issuer {
			t.Fatalf("the issuer of %q is %q", raw, federation.IssuerOf(raw))
		}
	})
}
