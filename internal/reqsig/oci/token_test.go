package oci

import (
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func claims() *Claims {
	return &Claims{
		Subject: "ocid1.user.oc1..a", Tenant: "ocid1.tenancy.oc1..t", Issuer: TokenIssuer, Aud: TokenAudience, Kind: TokenKind, Ptype: "user", ID: "j",
		Issued: testNow.Unix(), Expires: testNow.Add(time.Hour).Unix(), JWK: JWK(&testKey.PublicKey), Proofs: []Proof{{Method: "totp", At: 1, Factor: 2}},
	}
}

func token(t testing.TB, c *Claims) string {
	t.Helper()
	s, err := SignToken(chacha(), testKey, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTokens(t *testing.T) {
	good := token(t, claims())
	got, err := OpenToken(good, &testKey.PublicKey, testNow)
	if err != nil || got.Subject != "ocid1.user.oc1..a" || len(got.Proofs) != 1 || got.Proofs[0].Method != "totp" {
		t.Fatalf("%+v %v", got, err)
	}
	if key, err := ParseJWK(got.JWK); err != nil || !key.Equal(&testKey.PublicKey) {
		t.Error(err)
	}
	for at, ok := range map[time.Time]bool{
		testNow.Add(time.Hour - time.Second): true, testNow.Add(time.Hour): false, testNow.Add(-MaxSkew): true, testNow.Add(-MaxSkew - time.Second): false,
	} {
		if _, err := OpenToken(good, &testKey.PublicKey, at); (err == nil) != ok {
			t.Errorf("%s: %v", at, err)
		}
	}
	if _, err := OpenToken(good, oracleKey(t), testNow); err == nil {
		t.Error("another key's token is good")
	}
	if _, err := SignToken(chacha(), &rsa.PrivateKey{PublicKey: *oracleKey(t)}, claims()); err == nil {
		t.Error("a key without a private half signs")
	}
}

// T-1: no token passes that differs by a bit, in its header, claims or signature.
func TestT1EveryBitOfATokenCounts(t *testing.T) {
	good := token(t, claims())
	for i := range good {
		for _, bit := range []byte{1, 2, 4} {
			bad := good[:i] + string(good[i]^bit) + good[i+1:]
			if _, err := OpenToken(bad, &testKey.PublicKey, testNow); err == nil {
				t.Errorf("bit %d of %d is changed, and it passes", bit, i)
			}
		}
	}
	p := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	for _, bad := range []string{"", ".", "..", p[0] + "." + p[1] + ".", none + "." + p[1] + ".", none + "." + p[1] + "." + p[2], good + "." + p[2], p[0] + ".*." + p[2]} {
		if _, err := OpenToken(bad, &testKey.PublicKey, testNow); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
	for name, change := range map[string]func(*Claims){
		"issuer": func(c *Claims) { c.Issuer = "x" }, "audience": func(c *Claims) { c.Aud = "x" }, "kind": func(c *Claims) { c.Kind = "x" },
	} {
		c := claims()
		change(c)
		if _, err := OpenToken(token(t, c), &testKey.PublicKey, testNow); err == nil {
			t.Errorf("another %s passes", name)
		}
	}
}

func TestJWKs(t *testing.T) {
	n := base64.RawURLEncoding.EncodeToString(testKey.N.Bytes())
	for _, bad := range []string{
		"", `{}`, `{"kty":"EC"}`, `{"kty":"RSA","n":"*","e":"AQAB"}`, `{"kty":"RSA","n":"` + n + `","e":"*"}`, `{"kty":"RSA","n":"` + n + `","e":"AQ"}`,
		`{"kty":"RSA","n":"` + n + `","e":"AQAA"}`, `{"kty":"RSA","n":"` + n + `","e":"_________w"}`, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
	} {
		if _, err := ParseJWK(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func FuzzOpenToken(f *testing.F) {
	f.Add(token(f, claims()))
	key := oracleKey(f)
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := OpenToken(s, key, testNow); err == nil {
			t.Fatal("it passes")
		}
		ParseJWK(s)
	})
}
