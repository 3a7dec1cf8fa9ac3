package oci

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// oracleKey is the key that Oracle publishes with its examples. It is shorter than
// what may be uploaded.
func oracleKey(t testing.TB) *rsa.PublicKey {
	t.Helper()
	text, err := os.ReadFile("testdata/oracle.pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PublicKey)
}

const (
	oracleKeyID = "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f15p2b2m2yt2j6rx32uzr4h25vqstifsfdsq/" +
		"ocid1.user.oc1..aaaaaaaat5nvwcna5j6aqzjcaty5eqbb6qt2jvpkanghtgdaqedqw3rynjq/20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34"
	oracleDate = "Thu, 05 Jan 2014 21:31:40 GMT" // it was a Sunday
)

var oracleNow = time.Date(2014, 1, 5, 21, 31, 40, 0, time.UTC)

// The signatures of Oracle's published examples (common/http_signer_test.go of
// oci-go-sdk, and the documentation's "Request Signatures").
func oracleRequests() map[string]*Request {
	body := `{
    "compartmentId": "ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa",
    "instanceId": "ocid1.instance.oc1.phx.abuw4ljrlsfiqw6vzzxb43vyypt4pkodawglp3wqxjqofakrwvou52gb6s5a",
    "volumeId": "ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q"
}`
	return map[string]*Request{
		"GET": {
			Method: "GET", Host: "iaas.us-phoenix-1.oraclecloud.com",
			Target: "/20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1&compartmentId=ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa&displayName=TeamXInstances&volumeId=ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q",
			Header: map[string][]string{
				"Date": {oracleDate},
				"Authorization": {`Signature version="1",headers="date (request-target) host",keyId="` + oracleKeyID + `",algorithm="rsa-sha256",signature="` +
					`GBas7grhyrhSKHP6AVIj/h5/Vp8bd/peM79H9Wv8kjoaCivujVXlpbKLjMPeDUhxkFIWtTtLBj3sUzaFj34XE6YZAHc9r2DmE4pMwOAy/kiITcZxa1oHPOeRheC0jP2dqbTll8fmTZVwKZOKHYPtrLJIJQHJjNvxFWeHQjMaR7M="`},
			},
			BodyHash: hashOf(""),
		},
		"POST": {
			Method: "POST", Host: "iaas.us-phoenix-1.oraclecloud.com", Target: "/20160918/volumeAttachments", ContentLength: int64(len(body)),
			Header: map[string][]string{
				"Date": {oracleDate}, "Content-Type": {"application/json"}, "X-Content-Sha256": {"V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0="},
				"Authorization": {`Signature version="1",headers="date (request-target) host content-length content-type x-content-sha256",keyId="` + oracleKeyID + `",algorithm="rsa-sha256",signature="` +
					`Mje8vIDPlwIHmD/cTDwRxE7HaAvBg16JnVcsuqaNRim23fFPgQfLoOOxae6WqKb1uPjYEl0qIdazWaBy/Ml8DRhqlocMwoSXv0fbukP8J5N80LCmzT/FFBvIvTB91XuXI3hYfP9Zt1l7S6ieVadHUfqBedWH0itrtPJBgKmrWso="`},
			},
			BodyHash: hashOf(body),
		},
	}
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// judge does what the door does.
func judge(r *Request, key *rsa.PublicKey, now time.Time) error {
	sig, err := Parse(r)
	if err != nil {
		return err
	}
	if err := sig.Check(r, now); err != nil {
		return err
	}
	return sig.Verify(key)
}

func TestOraclesKnownAnswers(t *testing.T) {
	key := oracleKey(t)
	// What openssl says of the key; the fingerprint in the examples is another key's.
	if f, err := Fingerprint(key); err != nil || f != "73:61:a2:21:67:e0:df:be:7e:4b:93:1e:15:98:a5:b7" {
		t.Error(f, err)
	}
	for name, r := range oracleRequests() {
		if err := judge(r, key, oracleNow); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		sig, err := Parse(r)
		if err != nil || sig.Key.Tenancy+"/"+sig.Key.User+"/"+sig.Key.Fingerprint != oracleKeyID {
			t.Errorf("%s: %+v %v", name, sig, err)
		}
	}
}

// Each part that is signed is flipped, one at a time; none passes. (S-1)
func TestS1EverySignedPartCounts(t *testing.T) {
	key := oracleKey(t)
	flip := func(s string, i int) string { return s[:i] + string(s[i]^1) + s[i+1:] }
	try := func(what string, r *Request) {
		t.Helper()
		if judge(r, key, oracleNow) == nil {
			t.Errorf("%s is changed, and it passes", what)
		}
	}
	for name, r := range oracleRequests() {
		fresh := func() *Request {
			c := *r
			c.Header = maps.Clone(r.Header)
			return &c
		}
		for i := range r.Target {
			c := fresh()
			c.Target = flip(r.Target, i)
			try(name+" target", c)
		}
		for i := range r.Host {
			c := fresh()
			c.Host = flip(r.Host, i)
			try(name+" host", c)
		}
		for h, v := range r.Header {
			if h == "Authorization" {
				continue
			}
			for i := range v[0] {
				if h == "Date" && i < 4 { // the comma is what parts the day's name; the name is signed
					continue
				}
				c := fresh()
				c.Header[h] = []string{flip(v[0], i)}
				try(name+" "+h, c)
			}
			c := fresh()
			delete(c.Header, h)
			try(name+" without "+h, c)
			c = fresh()
			c.Header[h] = []string{v[0], v[0]}
			try(name+" "+h+" twice", c)
		}
		auth := r.Header["Authorization"][0]
		start := strings.Index(auth, `signature="`) + len(`signature="`)
		for i := start; i < len(auth)-1; i++ {
			c := fresh()
			c.Header["Authorization"] = []string{flip(auth, i)}
			try(name+" signature", c)
		}
		c := fresh()
		c.Method = "DELETE"
		try(name+" method", c)
		c = fresh()
		c.BodyHash = hashOf("another body")
		if name == "POST" {
			try("body", c)
			c = fresh()
			c.ContentLength++
			try("length", c)
		}
	}
}

func sign(t testing.TB, key *rsa.PrivateKey, r *Request, order string, algorithm string) {
	t.Helper()
	names := strings.Fields(strings.ToLower(order))
	var lines []string
	for _, n := range names {
		v := strings.ToLower(r.Method) + " " + r.Target
		if n != "(request-target)" {
			v, _ = r.header(n)
		}
		lines = append(lines, n+": "+v)
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	var opts crypto.SignerOpts = crypto.SHA256
	if algorithm == "rsa-pss-sha256" {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	value, err := key.Sign(chacha(), sum[:], opts)
	if err != nil {
		t.Fatal(err)
	}
	r.Header["Authorization"] = []string{`Signature algorithm="` + algorithm + `", headers="` + order + `",keyId="ST$a.b.c",signature="` + base64.StdEncoding.EncodeToString(value) + `",version="1"`}
}

func chacha() *rand.ChaCha8 { return rand.NewChaCha8([32]byte{7}) }

var testKey = func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(chacha(), 2048)
	if err != nil {
		panic(err)
	}
	return key
}()

const testDate = "Mon, 23 Nov 2026 10:00:00 GMT"

var testNow = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func post() *Request {
	return &Request{
		Method: "POST", Target: "/20160918/users", Host: "127.0.0.1:80", BodyHash: hashOf(""),
		Header: map[string][]string{"Content-Type": {"application/json"}, "X-Content-Sha256": {hashOf("")}, "Date": {testDate}},
	}
}

// The orders and spellings of the Go, Python and TypeScript clients.
func TestClientsDiffer(t *testing.T) {
	for _, c := range []struct {
		order, algorithm string
		xdate            bool
	}{
		{"date (request-target) host content-length content-type x-content-sha256", "rsa-sha256", false},
		{"x-date (request-target) host Content-Type Content-Length x-content-sha256", "rsa-sha256", true},
		{"date (request-target) host content-length content-type x-content-sha256", "rsa-pss-sha256", false},
	} {
		r := post()
		if c.xdate {
			r.Header["X-Date"], r.Header["Date"] = r.Header["Date"], []string{"Mon, 23 Nov 2020 10:00:00 GMT"}
		}
		sign(t, testKey, r, c.order, c.algorithm)
		if err := judge(r, &testKey.PublicKey, testNow); err != nil {
			t.Errorf("%v: %v", c, err)
		}
		if sig, err := Parse(r); err != nil || sig.Key.Token != "a.b.c" || !slices.Contains(sig.Headers, "content-type") {
			t.Errorf("%+v %v", sig, err)
		}
		if err := judge(r, oracleKey(t), testNow); reason(err) != Mismatch {
			t.Errorf("another key: %v", err)
		}
	}
}

func reason(err error) Reason {
	var e *Error
	errors.As(err, &e)
	if e == nil {
		return 0
	}
	if e.Error() == "" {
		return 0
	}
	return e.Reason
}

func TestClocks(t *testing.T) {
	r := post()
	sign(t, testKey, r, "date (request-target) host content-length content-type x-content-sha256", "rsa-sha256")
	for skew, want := range map[time.Duration]Reason{
		0: 0, MaxSkew: 0, -MaxSkew: 0, MaxSkew + time.Second: Skewed, -MaxSkew - time.Second: Skewed, 24 * time.Hour: Skewed,
	} {
		if err := judge(r, &testKey.PublicKey, testNow.Add(skew)); reason(err) != want {
			t.Errorf("%s: %v", skew, err)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	all := "date (request-target) host content-length content-type x-content-sha256"
	for name, c := range map[string]struct {
		order  string
		change func(*Request)
		want   Reason
	}{
		"no target":         {strings.Replace(all, "(request-target) ", "", 1), nil, Unsigned},
		"no host":           {strings.Replace(all, "host ", "", 1), nil, Unsigned},
		"no date":           {strings.Replace(all, "date ", "", 1), nil, Unsigned},
		"no hash":           {strings.Replace(all, " x-content-sha256", "", 1), nil, Unsigned},
		"no type":           {strings.Replace(all, "content-type ", "", 1), nil, Unsigned},
		"no length":         {strings.Replace(all, "content-length ", "", 1), nil, Unsigned},
		"twice":             {all + " host", nil, Malformed},
		"unsigned x-date":   {all, func(r *Request) { r.Header["X-Date"] = []string{testDate} }, Unsigned},
		"unsigned obo":      {all, func(r *Request) { r.Header["Opc-Obo-Token"] = []string{"x"} }, Unsigned},
		"absent header":     {all + " x-other", nil, Malformed},
		"no length said":    {all, func(r *Request) { r.ContentLength = -1 }, Malformed},
		"no signature":      {all, func(r *Request) { delete(r.Header, "Authorization") }, Missing},
		"two signatures":    {all, func(r *Request) { r.Header["Authorization"] = append(r.Header["Authorization"], "x") }, Malformed},
		"another scheme":    {all, func(r *Request) { r.Header["Authorization"] = []string{"Bearer x"} }, Missing},
		"too long":          {all, func(r *Request) { r.Header["Authorization"] = []string{"Signature " + strings.Repeat("a", maxHeader)} }, Malformed},
		"another algorithm": {all, replace(`rsa-sha256`, `hmac-sha256`), Malformed},
		"another version":   {all, replace(`version="1"`, `version="2"`), Malformed},
		"no version":        {all, replace(`,version="1"`, ``), Malformed},
		"no key":            {all, replace(`ST$a.b.c`, `a/b`), Malformed},
		"not base64":        {all, replace(`signature="`, `signature="*`), Malformed},
		"no quotation mark": {all, replace(`version="1"`, `version=1`), Malformed},
		"no comma":          {all, replace(`,version`, ` version`), Malformed},
		"a parameter twice": {all, replace(`,version="1"`, `,version="1",Version="1"`), Malformed},
		"no name":           {all, replace(`,version="1"`, `,version="1",="1"`), Malformed},
		"a date of its own": {all, func(r *Request) { r.Header["Date"] = []string{"today"} }, Malformed},
		"another body":      {all, func(r *Request) { r.BodyHash = hashOf("x") }, BadPayload},
	} {
		r := post()
		sign(t, testKey, r, c.order, "rsa-sha256")
		if c.change != nil {
			c.change(r)
		}
		if err := judge(r, &testKey.PublicKey, testNow); reason(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := post()
	sign(t, testKey, r, all, "rsa-sha256")
	replace(`,version="1"`, `,version="1", opaque="x",`)(r)
	if err := judge(r, &testKey.PublicKey, testNow); err != nil {
		t.Errorf("a parameter that nobody knows: %v", err)
	}
}

func replace(old, new string) func(*Request) {
	return func(r *Request) {
		r.Header["Authorization"] = []string{strings.Replace(r.Header["Authorization"][0], old, new, 1)}
	}
}

func TestKeyIDs(t *testing.T) {
	for _, s := range []string{"", "ST$", "a", "a/b/c", "//" + strings.Repeat("aa:", 15) + "aa", "a/b/" + strings.Repeat("aa:", 15) + "ag",
		"a/b/" + strings.Repeat("aa.", 15) + "aa", "a/b/" + strings.Repeat("aa:", 15) + "aa/d"} {
		if k, ok := ParseKeyID(s); ok {
			t.Errorf("%q: %+v", s, k)
		}
	}
	if k, ok := ParseKeyID("a/b/" + strings.Repeat("AA:", 15) + "AA"); !ok || k.Fingerprint != strings.Repeat("aa:", 15)+"aa" {
		t.Errorf("%+v", k)
	}
}

func TestPublicKeys(t *testing.T) {
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	spki, err := x509.MarshalPKIXPublicKey(&testKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	short, err := x509.MarshalPKIXPublicKey(oracleKey(t))
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKIXPublicKey(ed25519.NewKeyFromSeed(make([]byte, 32)).Public())
	if err != nil {
		t.Fatal(err)
	}
	good := encode("PUBLIC KEY", spki)
	for _, s := range []string{good, good + "OCI_API_KEY\n", encode("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&testKey.PublicKey))} {
		if key, err := ParsePublicKey(s); err != nil || !key.Equal(&testKey.PublicKey) {
			t.Errorf("%s: %v", s, err)
		}
	}
	for name, s := range map[string]string{
		"no PEM": "x", "another block": encode("CERTIFICATE", spki), "no DER": encode("PUBLIC KEY", []byte("x")),
		"short": encode("PUBLIC KEY", short), "no RSA": encode("PUBLIC KEY", other), "more": good + "x", "a second": good + good,
	} {
		if _, err := ParsePublicKey(s); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := Fingerprint(&rsa.PublicKey{}); err == nil {
		t.Error("no key has a fingerprint")
	}
}

// FuzzParse: whatever the header, it is refused or it names a key; nothing passes
// with a key that did not sign.
func FuzzParse(f *testing.F) {
	key := oracleKey(f)
	for _, r := range oracleRequests() {
		f.Add(r.Header["Authorization"][0], r.Header["Date"][0])
	}
	f.Fuzz(func(t *testing.T, auth, date string) {
		r := post()
		r.Header["Authorization"], r.Header["Date"] = []string{auth}, []string{date}
		if judge(r, key, testNow) == nil {
			t.Fatal("it passes")
		}
		if sig, err := Parse(r); err == nil && sig.Key == (KeyID{}) {
			t.Fatal("it names no key")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	r := post()
	sign(b, testKey, r, "date (request-target) host content-length content-type x-content-sha256", "rsa-sha256")
	b.ReportAllocs()
	for b.Loop() {
		if err := judge(r, &testKey.PublicKey, testNow); err != nil {
			b.Fatal(err)
		}
	}
}
