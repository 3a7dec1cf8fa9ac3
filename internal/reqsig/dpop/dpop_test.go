package dpop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

// key is the same in every run.
func key(seed byte) *ecdsa.PrivateKey {
	d := make([]byte, 32)
	rand.NewChaCha8([32]byte{seed}).Read(d)
	d[0] = 0 // below the order of the group
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil {
		panic(err)
	}
	return k
}

func sign(t testing.TB, k *ecdsa.PrivateKey, head, body string) string {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	text := enc([]byte(head)) + "." + enc([]byte(body))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.NewChaCha8([32]byte{9}), k, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return text + "." + enc(out)
}

// coordinates are those of a key; short drops the zeros that they begin with.
func coordinates(t testing.TB, k *ecdsa.PrivateKey, short bool) (x, y string) {
	t.Helper()
	b, err := k.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	one, two := b[1:33], b[33:]
	for short && one[0] == 0 {
		one = one[1:]
	}
	for short && two[0] == 0 {
		two = two[1:]
	}
	return base64.RawURLEncoding.EncodeToString(one), base64.RawURLEncoding.EncodeToString(two)
}

func head(t testing.TB, k *ecdsa.PrivateKey, short bool) string {
	x, y := coordinates(t, k, short)
	return `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `"}}`
}

const body = `{"jti":"one","htm":"POST","htu":"https://warifu.example/v1/token","iat":1768467600}`

func TestVerify(t *testing.T) {
	k := key(1)
	p, err := Verify(sign(t, k, head(t, k, false), body), "POST", now)
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != "one" || p.URL != "https://warifu.example/v1/token" || !p.Issued.Equal(now) {
		t.Errorf("%+v", p)
	}
	if len(p.Thumbprint) != 43 {
		t.Errorf("the thumbprint is %q", p.Thumbprint)
	}
}

// The key of RFC 9449's own example has the thumbprint that the RFC gives.
func TestThumbprintIsTheRFCs(t *testing.T) {
	_, got, err := publicKey("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA")
	if err != nil || got != "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" {
		t.Errorf("%s, %v", got, err)
	}
}

// Some clients drop leading zeros of coordinates: it is the same key.
func TestShortCoordinates(t *testing.T) {
	for seed := range byte(250) { // one in 128 keys has one
		k := key(seed)
		x, y := coordinates(t, k, true)
		if len(x)+len(y) == 86 {
			continue
		}
		short, err := Verify(sign(t, k, head(t, k, true), body), "POST", now)
		if err != nil {
			t.Fatal(err)
		}
		full, err := Verify(sign(t, k, head(t, k, false), body), "POST", now)
		if err != nil || short.Thumbprint != full.Thumbprint {
			t.Fatalf("%v: %v and %v", err, short, full)
		}
		return
	}
	t.Fatal("no key with a short coordinate was found")
}

// F-4, F-5: what is not exactly a proof is refused.
func TestF5Refuses(t *testing.T) {
	k, other := key(1), key(2)
	good := sign(t, k, head(t, k, false), body)
	x, y := coordinates(t, k, false)
	jwk := `"jwk":{"kty":"EC","crv":"P-256","x":"` + x + `","y":"` + y + `"}`
	for name, proof := range map[string]string{
		"nothing":          "",
		"no JWS":           "a.b",
		"four parts":       good + ".x",
		"none":             sign(t, k, strings.Replace(head(t, k, false), "ES256", "none", 1), body),
		"HS256":            sign(t, k, strings.Replace(head(t, k, false), "ES256", "HS256", 1), body),
		"other type":       sign(t, k, strings.Replace(head(t, k, false), "dpop+jwt", "JWT", 1), body),
		"other key":        sign(t, other, head(t, k, false), body),
		"not on the curve": sign(t, k, strings.Replace(head(t, k, false), x, y, 1), body),
		"private key":      sign(t, k, `{"typ":"dpop+jwt","alg":"ES256",`+strings.Replace(jwk, `"kty"`, `"d":"AA","kty"`, 1)+`}`, body),
		"critical":         sign(t, k, `{"typ":"dpop+jwt","alg":"ES256","crit":["x"],`+jwk+`}`, body),
		"twice the type":   sign(t, k, `{"typ":"JWT","typ":"dpop+jwt","alg":"ES256",`+jwk+`}`, body),
		"another method":   sign(t, k, head(t, k, false), strings.Replace(body, "POST", "GET", 1)),
		"no id":            sign(t, k, head(t, k, false), strings.Replace(body, `"one"`, `""`, 1)),
		"no URL":           sign(t, k, head(t, k, false), strings.Replace(body, `"htu"`, `"other"`, 1)),
		"too old":          sign(t, k, head(t, k, false), strings.Replace(body, "1768467600", "1768467299", 1)),
		"from the future":  sign(t, k, head(t, k, false), strings.Replace(body, "1768467600", "1768467901", 1)),
		"no time":          sign(t, k, head(t, k, false), strings.Replace(body, "1768467600", "-1", 1)),
		"endless time":     sign(t, k, head(t, k, false), strings.Replace(body, "1768467600", "1e300", 1)),
		"too long":         sign(t, k, head(t, k, false), body[:len(body)-1]+`,"pad":"`+strings.Repeat("x", maxProof)+`"}`),
	} {
		if _, err := Verify(proof, "POST", now); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	for i := range good { // S-6: every character counts
		flipped := []byte(good)
		if flipped[i] ^= 1; string(flipped) == good {
			continue
		}
		if _, err := Verify(string(flipped), "POST", now); err == nil {
			t.Fatalf("character %d does not count", i)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k := key(1)
	f.Add(sign(f, k, head(f, k, false), body))
	f.Add("e30.e30.AA")
	f.Fuzz(func(t *testing.T, proof string) {
		if p, err := Verify(proof, "POST", now); err == nil && (p.ID == "" || len(p.Thumbprint) != 43) {
			t.Errorf("%q gives %+v", proof, p)
		}
	})
}
