package sigv4

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	now   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	alice = Credentials{AccessKeyID: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	iam   = Options{Service: "iam"}
)

// aRequest is a signed POST as an SDK sends it to IAM.
func aRequest(t testing.TB, c Credentials) *Request {
	t.Helper()
	r := &Request{
		Method: "POST", Host: "localhost:7420", Path: "/", BodyHash: hashOf("Action=GetUser&Version=2010-05-08"),
		Header: map[string][]string{
			"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"},
			"X-Amz-Target": {"Some.Target"}, "User-Agent": {"aws-cli/2"},
		},
	}
	if _, err := Sign(r, c, now, SignOptions{Region: "us-east-1", Service: "iam"}); err != nil {
		t.Fatal(err)
	}
	return r
}

// aPresigned is a request whose signature is in the query.
func aPresigned(t testing.TB, c Credentials, expires time.Duration) *Request {
	t.Helper()
	r := &Request{Method: "GET", Host: "localhost:7420", Path: "/", BodyHash: EmptyPayload,
		Query: "Action=GetCallerIdentity&Version=2011-06-15", Header: map[string][]string{}}
	query, err := Presign(r, c, now, expires, SignOptions{Region: "us-east-1", Service: "iam"})
	if err != nil {
		t.Fatal(err)
	}
	r.Query = query
	return r
}

// judge does what a door does: parse, look the key up, verify.
func judge(r *Request, at time.Time, o Options) error {
	s, err := Parse(r)
	if err != nil {
		return err
	}
	if s.AccessKeyID != alice.AccessKeyID {
		return ErrUnknownKey()
	}
	return s.Verify(r, DeriveKey(alice.Secret, s.Scope), at, o)
}

func TestSignedRequestsVerify(t *testing.T) {
	withToken := alice
	withToken.Token = "FwoGZXIvYXdzEXAMPLE//token=="
	for _, c := range []Credentials{alice, withToken} {
		for name, r := range map[string]*Request{"header": aRequest(t, c), "query": aPresigned(t, c, time.Minute)} {
			if err := judge(r, now, iam); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			s, _ := Parse(r)
			if s.Token != c.Token || s.AccessKeyID != c.AccessKeyID || s.Presigned != (name == "query") ||
				s.Scope != (Scope{"20260101", "us-east-1", "iam"}) || !s.Time.Equal(now) {
				t.Errorf("%s: parsed %+v", name, s)
			}
		}
	}
}

// TestEachByteCounts flips each bit of each signed part: all must be refused
// (security checklist A-1).
func TestEachByteCounts(t *testing.T) {
	withToken := alice
	withToken.Token = "FwoGZXIvYXdzEXAMPLE"
	for name, r := range map[string]*Request{
		"header": aRequest(t, withToken), "query": aPresigned(t, withToken, time.Minute),
	} {
		parts := map[string]*string{"method": &r.Method, "host": &r.Host, "query": &r.Query, "body": &r.BodyHash}
		for h, v := range r.Header {
			if h != "User-Agent" {
				parts[h] = &v[0]
			}
		}
		for part, p := range parts {
			original := *p
			for i := range len(original) {
				for bit := range 8 {
					b := []byte(original)
					b[i] ^= 1 << bit
					if *p = string(b); equivalent(part, original, *p) {
						continue
					}
					if err := judge(r, now, iam); err == nil {
						t.Fatalf("%s: %s accepted with %q for %q", name, part, *p, original)
					}
				}
			}
			*p = original
		}
	}
}

// equivalent says which changes mean nothing: parts of the Authorization header
// are separated by any run of commas and spaces, and an escape's case is free.
func equivalent(part, a, b string) bool {
	switch part {
	case "Authorization":
		norm := func(s string) string { return strings.ReplaceAll(s, ",", " ") }
		return norm(a) == norm(b)
	case "query":
		x, ok1 := unescape(a)
		y, ok2 := unescape(b)
		return ok1 && ok2 && x == y
	}
	return false
}

func TestAddedPartsAreRefused(t *testing.T) {
	change := map[string]func(r *Request){
		"x-amz header":    func(r *Request) { r.Header["X-Amz-Security-Token"] = []string{"x"} },
		"value":           func(r *Request) { r.Header["X-Amz-Target"] = append(r.Header["X-Amz-Target"], "Other.Target") },
		"odd case header": func(r *Request) { r.Header["x-AMZ-date"] = []string{"20260101T000000Z"} },
		"parameter":       func(r *Request) { r.Query += "&Action=DeleteUser" },
		"first parameter": func(r *Request) { r.Query = "Action=DeleteUser&" + r.Query },
		"path":            func(r *Request) { r.Path = "/x" },
	}
	for name, f := range change {
		for form, r := range map[string]*Request{"header": aRequest(t, alice), "query": aPresigned(t, alice, time.Minute)} {
			if f(r); name == "value" && form == "query" {
				continue // there the header is new, which is the first case
			}
			if err := judge(r, now, iam); err == nil {
				t.Errorf("%s: accepted with another %s", form, name)
			}
		}
	}
}

// TestRefusals checks each error with AWS's code, status and words.
func TestRefusals(t *testing.T) {
	header := func(f func(r *Request)) *Request { r := aRequest(t, alice); f(r); return r }
	auth := func(s string) *Request {
		return header(func(r *Request) { r.Header["Authorization"] = []string{s} })
	}
	replace := func(old, new string) *Request {
		return header(func(r *Request) {
			r.Header["Authorization"][0] = strings.Replace(r.Header["Authorization"][0], old, new, 1)
		})
	}
	query := func(old, new string) *Request {
		r := aPresigned(t, alice, time.Hour)
		r.Query = strings.Replace(r.Query, old, new, 1)
		return r
	}
	const wrong = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	cases := []struct {
		name    string
		r       *Request
		at      time.Duration
		o       Options
		code    string
		status  int
		message string
	}{
		{"none", header(func(r *Request) { delete(r.Header, "Authorization") }), 0, iam,
			"MissingAuthenticationToken", 403, "Request is missing Authentication Token"},
		{"bearer", auth("Bearer abc"), 0, iam,
			"MissingAuthenticationToken", 403, "Request is missing Authentication Token"},
		{"both", header(func(r *Request) { r.Query = "X-Amz-Algorithm=x" }), 0, iam, "SignatureDoesNotMatch", 403,
			"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"both, escaped", header(func(r *Request) { r.Query = "X%2DAmz-Signature=x" }), 0, iam, "SignatureDoesNotMatch", 403,
			"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"two headers", header(func(r *Request) { r.Header["Authorization"] = append(r.Header["Authorization"], "x") }), 0, iam,
			"IncompleteSignature", 400, "The request has more than one 'Authorization' header."},
		{"no parts", header(func(r *Request) {
			r.Header["Authorization"] = []string{"AWS4-HMAC-SHA256 "}
			delete(r.Header, "X-Amz-Date")
		}), 0, iam, "IncompleteSignature", 400, "Authorization header requires 'Credential' parameter. " +
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " +
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
			"(Hashed with SHA-256 and encoded with Base64) Authorization=" + hashed("AWS4-HMAC-SHA256 ")},
		{"no signature", replace("Signature=", "Signatur="), 0, iam, "IncompleteSignature", 400,
			"Authorization header requires 'Signature' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=" +
				hashed(replace("Signature=", "Signatur=").Header["Authorization"][0])},
		{"no equal sign", auth("AWS4-HMAC-SHA256 Credential= x"), 0, iam, "IncompleteSignature", 400,
			"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '" +
				hashed("AWS4-HMAC-SHA256 Credential= x") + "'."},
		{"twice", replace("Signature=", "Signature=a, Signature="), 0, iam, "IncompleteSignature", 400,
			"The Authorization header has more than one 'Signature' parameter."},
		{"algorithm", replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"), 0, iam, "IncompleteSignature", 400,
			"Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'"},
		{"four parts", replace("/aws4_request", ""), 0, iam, "IncompleteSignature", 400,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20260101/us-east-1/iam'"},
		{"six parts", replace("/aws4_request", "/aws4_request/x"), 0, iam, "IncompleteSignature", 400,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20260101/us-east-1/iam/aws4_request/x'"},
		{"bad date", header(func(r *Request) { r.Header["X-Amz-Date"] = []string{"201"} }), 0, iam, "IncompleteSignature", 400,
			"Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"host not signed", replace("host;", ""), 0, iam, "SignatureDoesNotMatch", 403,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"target not signed", replace(";x-amz-target", ""), 0, iam, "SignatureDoesNotMatch", 403,
			"'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."},
		{"unsorted", replace("SignedHeaders=content-type;host", "SignedHeaders=host;content-type"), 0, iam,
			"IncompleteSignature", 400, "SignedHeaders must be distinct lower-case header names in alphabetical order."},
		{"region", replace("us-east-1", "mars"), 0, Options{Service: "iam", Regions: []string{"us-east-1"}}, "SignatureDoesNotMatch", 403,
			"Credential should be scoped to a valid region. "},
		{"service", aRequest(t, alice), 0, Options{Service: "sts"}, "SignatureDoesNotMatch", 403,
			"Credential should be scoped to correct service: 'sts'. "},
		{"scope, all of it", replace("20260101/us-east-1/iam/aws4_request", "20260102/mars/x/y"), 0,
			Options{Service: "sts", Regions: []string{"us-east-1"}}, "SignatureDoesNotMatch", 403,
			"Credential should be scoped to a valid region. Credential should be scoped to correct service: 'sts'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'y'. " +
				"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260102' != '20260101', from '20260101T000000Z'."},
		{"too old", aRequest(t, alice), 25 * time.Minute, iam, "SignatureDoesNotMatch", 403,
			"Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T002500Z - 15 min.)"},
		{"too new", aRequest(t, alice), -25 * time.Minute, iam, "SignatureDoesNotMatch", 403,
			"Signature not yet current: 20260101T000000Z is still later than 20251231T235000Z (20251231T233500Z + 15 min.)"},
		{"signature", replace("Signature=", "Signature=0"), 0, iam, "SignatureDoesNotMatch", 403, wrong},
		{"body", header(func(r *Request) { r.BodyHash = EmptyPayload }), 0, iam, "SignatureDoesNotMatch", 403, wrong},
		{"no body hash", header(func(r *Request) { r.BodyHash = "" }), 0, iam,
			"InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256"},

		{"query: no date", query("X-Amz-Date=", "X-Amz-Dat="), 0, iam, "IncompleteSignature", 400,
			"AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"query: only an algorithm", &Request{Query: "X-Amz-Algorithm=AWS4-HMAC-SHA256"}, 0, iam, "IncompleteSignature", 400,
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. " +
				"AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. " +
				"Re-examine the query-string parameters."},
		{"query: HTTP date", query("X-Amz-Date=20260101T000000Z", "X-Amz-Date=Thu,%2001%20Jan%202026%2000:00:00%20GMT"), 0, iam,
			"IncompleteSignature", 400, "Date must be in ISO-8601 'basic format'. Got 'Thu, 01 Jan 2026 00:00:00 GMT'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"query: too long", query("Expires=3600", "Expires=604801"), 0, iam, "IncompleteSignature", 400,
			"X-Amz-Expires must be a number of seconds from 1 to 604800."},
		{"query: no time", query("Expires=3600", "Expires=0"), 0, iam, "IncompleteSignature", 400,
			"X-Amz-Expires must be a number of seconds from 1 to 604800."},
		{"query: expired", aPresigned(t, alice, time.Hour), time.Hour + time.Second, iam, "RequestExpired", 400,
			"Request has expired."},
		{"query: longer life", query("Expires=3600", "Expires=7200"), 0, iam, "SignatureDoesNotMatch", 403, wrong},
		{"query: twice", query("X-Amz-Date", "X-Amz-Expires=1&X-Amz-Date"), 0, iam, "MalformedQueryString", 400,
			"The query string has more than one 'X-Amz-Expires' parameter."},
		{"query: escape", query("Action", "%zzAction"), 0, iam, "MalformedQueryString", 400,
			"The query string contains an escape that does not decode."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := judge(c.r, now.Add(c.at), c.o)
			e, ok := err.(*Error)
			if !ok {
				t.Fatalf("accepted, or a foreign error: %v", err)
			}
			if e.Code != c.code || e.Status != c.status || e.Message != c.message {
				t.Errorf("got  %d %s: %s\nwant %d %s: %s", e.Status, e.Code, e.Message, c.status, c.code, c.message)
			}
		})
	}
}

// TestSkewAndExpiry checks the edges: 15 minutes either way, and a presigned
// request until its last second, however old.
func TestSkewAndExpiry(t *testing.T) {
	for _, c := range []struct {
		expires, at time.Duration
		ok          bool
	}{
		{0, 15 * time.Minute, true}, {0, 15*time.Minute + time.Second, false},
		{0, -15 * time.Minute, true}, {0, -15*time.Minute - time.Second, false},
		{7 * 24 * time.Hour, 7 * 24 * time.Hour, true}, {7 * 24 * time.Hour, 7*24*time.Hour + time.Second, false},
		{time.Second, time.Second, true}, {time.Second, 2 * time.Second, false},
		{time.Hour, -16 * time.Minute, false},
	} {
		r := aRequest(t, alice)
		if c.expires > 0 {
			r = aPresigned(t, alice, c.expires)
		}
		if err := judge(r, now.Add(c.at), iam); (err == nil) != c.ok {
			t.Errorf("expires %v, at %v: %v", c.expires, c.at, err)
		}
	}
}

func TestDateHeader(t *testing.T) {
	r := aRequest(t, alice)
	for _, date := range []string{"20260101T000000Z", "Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 01:00:00 +0100"} {
		delete(r.Header, "X-Amz-Date")
		r.Header["Date"] = []string{date}
		s := newSignature(alice, now, SignOptions{Region: "us-east-1", Service: "iam"})
		s.SignedHeaders = "content-type;host;x-amz-target"
		if err := s.sign(r, alice, SignOptions{}, r.BodyHash); err != nil {
			t.Fatal(err)
		}
		r.Header["Authorization"] = []string{algorithm + " Credential=" + s.credential() + ",SignedHeaders=" + s.SignedHeaders + ",Signature=" + s.signature}
		if err := judge(r, now, iam); err != nil {
			t.Errorf("Date: %s: %v", date, err)
		}
	}
}

// TestPayloadRules: what x-amz-content-sha256 may say, and to whom.
func TestPayloadRules(t *testing.T) {
	s3 := Options{Service: "s3", S3: true}
	plain := Options{Service: "s3"}
	body := hashOf("x")
	for _, c := range []struct {
		name, declared, read string
		o                    Options
		ok                   bool
	}{
		{"hash of the body", body, body, plain, true},
		{"hash, body not read", body, "", plain, true},
		{"hash of another body", body, EmptyPayload, plain, false},
		{"unsigned", UnsignedPayload, "", s3, true},
		{"unsigned, not S3", UnsignedPayload, "", plain, false},
		{"unsigned, not S3, body read", UnsignedPayload, body, plain, false},
		{"stream", StreamingPayload, "", s3, true},
		{"stream, trailer", StreamingPayloadTrailer, "", s3, true},
		{"unsigned stream", StreamingUnsignedTrailer, "", s3, true},
		{"stream, not S3", StreamingPayload, "", plain, false},
		{"unknown", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "", s3, false},
		{"upper case", strings.ToUpper(body), "", s3, false},
	} {
		r := &Request{Method: "PUT", Host: "h", Path: "/b/k", BodyHash: c.declared,
			Header: map[string][]string{"X-Amz-Content-Sha256": {c.declared}}}
		so := SignOptions{Region: "r", Service: "s3", S3: c.o.S3}
		if _, err := Sign(r, alice, now, so); err != nil {
			t.Fatal(err)
		}
		r.BodyHash = c.read
		if err := judge(r, now, c.o); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestPresignedS3(t *testing.T) {
	s3 := Options{Service: "s3", S3: true}
	r := &Request{Method: "GET", Host: "h", Path: "/b/a%20b//c/../%2Fd", Query: "versionId=1"}
	query, err := Presign(r, alice, now, time.Hour, SignOptions{Region: "r", Service: "s3", S3: true})
	if err != nil {
		t.Fatal(err)
	}
	r.Query = query
	if err := judge(r, now, s3); err != nil {
		t.Error(err)
	}
	for _, path := range []string{"/b/a%20b/c/../%2Fd", "/b/a%20b//c/..//d", "/b/a b//c/../%2fd"} {
		same := path == "/b/a b//c/../%2fd" // the same key in another spelling
		q := *r
		q.Path = path
		if err := judge(&q, now, s3); (err == nil) != same {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestKeyCache(t *testing.T) {
	c := NewKeyCache(2)
	scope := Scope{"20260101", "us-east-1", "iam"}
	key := DeriveKey("secret", scope)
	if _, ok := c.Get("a", scope); ok {
		t.Error("an empty cache has a key")
	}
	c.Put("a", scope, key)
	if got, ok := c.Get("a", scope); !ok || got != key {
		t.Error("the key is not kept")
	}
	for _, s := range []Scope{{"20260102", "us-east-1", "iam"}, {"20260101", "eu", "iam"}, {"20260101", "us-east-1", "sts"}} {
		if _, ok := c.Get("a", s); ok {
			t.Errorf("the key serves for %v", s)
		}
	}
	c.Put("b", scope, key)
	c.Forget("a")
	if _, ok := c.Get("a", scope); ok {
		t.Error("a forgotten key is there")
	}
	if _, ok := c.Get("b", scope); !ok {
		t.Error("another key was forgotten")
	}
	for _, id := range []string{"c", "d", "e", "f"} {
		c.Put(id, scope, key)
		if len(c.keys) > 2 {
			t.Fatalf("%d keys in a cache of 2", len(c.keys))
		}
	}
}

// TestSecretsDoNotPrint is security checklist K-2 for this package's types.
func TestSecretsDoNotPrint(t *testing.T) {
	key := DeriveKey(alice.Secret, Scope{})
	for _, v := range []any{alice, &alice, key, &key, map[string]any{"k": key, "c": alice}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			out := sprintf(verb, v)
			if strings.Contains(out, alice.Secret) || strings.Contains(out, sprintf("%x", key[:4])) ||
				strings.Contains(out, sprintf("%d %d", key[0], key[1])) {
				t.Errorf("%s of %T prints a secret: %s", verb, v, out)
			}
		}
	}
	secret := "Bearer top-secret-token"
	r := &Request{Header: map[string][]string{"Authorization": {"AWS4-HMAC-SHA256 " + secret}}}
	if _, err := Parse(r); err == nil || strings.Contains(err.Error(), "top-secret") {
		t.Errorf("an error repeats the Authorization header: %v", err)
	}
}

func TestCallersErrors(t *testing.T) {
	for _, c := range []struct {
		err  *Error
		want string
	}{
		{ErrUnknownKey(), "InvalidClientTokenId: The security token included in the request is invalid."},
		{ErrExpiredToken(), "ExpiredToken: The security token included in the request is expired"},
	} {
		if c.err.Error() != c.want || c.err.Status != 403 {
			t.Errorf("%d %v, want 403 %s", c.err.Status, c.err, c.want)
		}
		var e *Error
		if !errors.As(error(c.err), &e) {
			t.Error("not an *Error")
		}
	}
}

func TestSignNeedsABodyHash(t *testing.T) {
	if _, err := Sign(&Request{}, alice, now, SignOptions{}); err == nil {
		t.Error("signed a request whose body is not known")
	}
	for _, d := range []time.Duration{0, -1, 8 * 24 * time.Hour} {
		if _, err := Presign(&Request{}, alice, now, d, SignOptions{}); err == nil {
			t.Errorf("presigned for %v", d)
		}
	}
}

func TestLineBreaksDoNotForgeHeaders(t *testing.T) {
	for _, change := range []func(r *Request){
		func(r *Request) { r.Header["X-Note"] = []string{"a\nx-amz-target:b"} },
		func(r *Request) { r.Method = "GET\n" },
		func(r *Request) { r.Host = "a\r\nb" },
	} {
		r := &Request{Method: "GET", Host: "h", Path: "/", BodyHash: EmptyPayload, Header: map[string][]string{}}
		change(r)
		if _, err := Sign(r, alice, now, SignOptions{Region: "r", Service: "s"}); reason(err) != BadQuery {
			t.Errorf("signed %q %q %v: %v", r.Method, r.Host, slices.Collect(maps.Values(r.Header)), err)
		}
	}
}

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }
