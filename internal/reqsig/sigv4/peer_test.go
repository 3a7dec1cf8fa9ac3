package sigv4

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

// fromHTTP is what a door does with net/http's request.
func fromHTTP(r *http.Request, bodyHash string) *Request {
	return &Request{Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery,
		Header: r.Header, BodyHash: bodyHash}
}

// aCall draws a request that an SDK might make.
type aCall struct {
	method, path, query, body string
	header                    http.Header
	s3                        bool
	token                     string
}

func drawCall(t *rapid.T) aCall {
	text := rapid.StringMatching(`[ -~é世]{0,12}`)
	c := aCall{
		method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE"}).Draw(t, "method"),
		s3:     rapid.Bool().Draw(t, "s3"),
		token:  rapid.SampledFrom([]string{"", "FwoG//ZX=="}).Draw(t, "token"),
		header: http.Header{},
	}
	// The SDK's signer does not drop dot and empty segments, so none are drawn.
	for range rapid.IntRange(0, 4).Draw(t, "segments") {
		segment := rapid.StringMatching(`[a-z ~+%é世=&:@!$'()*,;-]{1,8}`).Draw(t, "segment")
		if c.s3 { // clients of S3 send all but the unreserved escaped, for S3 decodes and encodes anew
			c.path += "/" + string(appendEscaped(nil, segment))
		} else {
			c.path += "/" + url.PathEscape(segment)
		}
	}
	if c.path == "" {
		c.path = "/"
	}
	values := url.Values{}
	for range rapid.IntRange(0, 5).Draw(t, "params") {
		values.Add(rapid.StringMatching(`[A-Za-z.0-9é -]{1,6}`).Draw(t, "name"), text.Draw(t, "value"))
	}
	c.query = values.Encode()
	for i := range rapid.IntRange(0, 3).Draw(t, "headers") {
		name := rapid.SampledFrom([]string{"X-Amz-Meta-A", "Content-Type", "X-Note", "X-Amz-Target"}).Draw(t, "header")
		c.header[name] = append(c.header[name], rapid.StringMatching(`[!-~]( {0,3}[!-~]){0,6}`).Draw(t, "text"+strconv.Itoa(i)))
	}
	if c.method != "GET" {
		c.body = text.Draw(t, "body")
	}
	return c
}

func (c aCall) request(t *rapid.T) *http.Request {
	r, err := http.NewRequest(c.method, "http://localhost:7420"+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.RawQuery = c.query
	r.Header = c.header.Clone()
	return r
}

// TestAgainstTheSDK: what aws-sdk-go-v2 signs we verify, and the two signers
// agree, in the header and in the query.
func TestAgainstTheSDK(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCall(t)
		o := Options{Service: "svc", S3: c.s3}
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = c.s3 })
		creds := aws.Credentials{AccessKeyID: alice.AccessKeyID, SecretAccessKey: alice.Secret, SessionToken: c.token}
		ours := Credentials{alice.AccessKeyID, alice.Secret, c.token}

		theirs := c.request(t)
		if c.s3 {
			theirs.Header.Set("X-Amz-Content-Sha256", hashOf(c.body))
		}
		theirs.URL.RawPath = c.path
		if err := signer.SignHTTP(context.Background(), creds, theirs, hashOf(c.body), "svc", "eu-west-1", now); err != nil {
			t.Fatal(err)
		}
		if theirs.ContentLength > 0 { // net/http's server shows it to its handler
			theirs.Header.Set("Content-Length", strconv.FormatInt(theirs.ContentLength, 10))
		}
		if err := judge(fromHTTP(theirs, hashOf(c.body)), now, o); err != nil {
			t.Fatalf("%s %s?%s: %v", c.method, theirs.URL.EscapedPath(), theirs.URL.RawQuery, err)
		}
		mine := fromHTTP(theirs, hashOf(c.body))
		mine.Header = theirs.Header.Clone()
		if _, err := Sign(mine, ours, now, SignOptions{Region: "eu-west-1", Service: "svc", S3: c.s3}); err != nil {
			t.Fatal(err)
		}
		if got, want := mine.Header["Authorization"][0], theirs.Header.Get("Authorization"); got != want {
			t.Fatalf("we sign\n%s\nthe SDK\n%s", got, want)
		}

		presigned := c.request(t)
		presigned.URL.RawPath = c.path
		q := presigned.URL.Query()
		q.Set("X-Amz-Expires", "60")
		presigned.URL.RawQuery = q.Encode()
		hash := hashOf(c.body)
		if c.s3 {
			hash = UnsignedPayload
		}
		uri, signed, err := signer.PresignHTTP(context.Background(), creds, presigned, hash, "svc", "eu-west-1", now)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		r := &Request{Method: c.method, Host: u.Host, Path: u.EscapedPath(), Query: u.RawQuery, Header: signed, BodyHash: hashOf(c.body)}
		if err := judge(r, now.Add(time.Minute), o); err != nil {
			t.Fatalf("presigned %s: %v", uri, err)
		}
	})
}

// TestThroughNetHTTP sends a request of the SDK's signer over a real connection:
// what a handler sees must be what was signed.
func TestThroughNetHTTP(t *testing.T) {
	var verdict error
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verdict = judge(fromHTTP(r, hashOf(string(body))), now, iam)
	}))
	defer server.Close()
	body := "Action=GetUser&Version=2010-05-08"
	r, _ := http.NewRequest("POST", server.URL+"/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header["X-Amz-Meta-Two"] = []string{"a   b", " c "}
	creds := aws.Credentials{AccessKeyID: alice.AccessKeyID, SecretAccessKey: alice.Secret, SessionToken: "t"}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hashOf(body), "iam", "us-east-1", now); err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if verdict != nil {
		t.Error(verdict)
	}
}

func TestHMACIsHMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "key")
		msg := rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "msg")
		h := hmac.New(sha256.New, key)
		h.Write(msg)
		if got := hmacSHA256(string(key), msg); !hmac.Equal(got[:], h.Sum(nil)) {
			t.Fatalf("%x", got)
		}
	})
}

func TestParseBasicIsTimeParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(
			rapid.StringMatching(`[0-9]{4}(0[0-9]|1[0-3])[0-3][0-9]T[0-2][0-9][0-6][0-9][0-6][0-9]Z`),
			rapid.StringMatching(`[0-9:]{8}[T0-9][0-9 -]{6}[Zz]`)).Draw(t, "s")
		want, err := time.Parse(isoBasic, s)
		if got, ok := parseBasic(s); ok != (err == nil) || ok && !got.Equal(want) {
			t.Fatalf("%s is %v, %v; want %v, %v", s, got, ok, want, err)
		}
	})
}

// FuzzParse: nothing that is sent makes Parse or Verify panic, accept, or
// answer with an error that is not ours.
func FuzzParse(f *testing.F) {
	r := aRequest(f, alice)
	f.Add("POST", "/", "", r.Header["Authorization"][0], "20260101T000000Z", "x")
	p := aPresigned(f, alice, time.Hour)
	f.Add("GET", "/a/../%2f//", p.Query, "", "", "")
	f.Add("GET", "/", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X%2DAmz-Date=%", "AWS4-HMAC-SHA256 Credential=,", "", "")
	f.Fuzz(func(t *testing.T, method, path, query, auth, date, target string) {
		r := &Request{Method: method, Host: "h", Path: path, Query: query, BodyHash: EmptyPayload, Header: map[string][]string{}}
		for name, value := range map[string]string{"Authorization": auth, "X-Amz-Date": date, "X-Amz-Target": target} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		s, err := Parse(r)
		if err == nil {
			err = s.Verify(r, SigningKey{}, s.Time, Options{Service: s.Scope.Service})
		}
		e, ok := err.(*Error)
		if !ok || e.Code == "" || e.Message == "" || e.Status < 400 || e.Reason == 0 {
			t.Fatalf("%#v", err)
		}
	})
}

// BenchmarkVerify: the bar is 4.8 µs with the key derived and 1.8 µs with the
// key cached.
func BenchmarkVerify(b *testing.B) {
	withToken := alice
	withToken.Token = strings.Repeat("FwoGZXIvYXdz", 40)
	for name, r := range map[string]*Request{"header": aRequest(b, alice), "token": aRequest(b, withToken), "query": aPresigned(b, alice, time.Hour)} {
		b.Run(name+"/key derived", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := judge(r, now, iam); err != nil {
					b.Fatal(err)
				}
			}
		})
		cache := NewKeyCache(100)
		s, _ := Parse(r)
		cache.Put(s.AccessKeyID, s.Scope, DeriveKey(alice.Secret, s.Scope))
		b.Run(name+"/key cached", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := Parse(r)
				if err != nil {
					b.Fatal(err)
				}
				key, _ := cache.Get(s.AccessKeyID, s.Scope)
				if err := s.Verify(r, key, now, iam); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("peer: aws-sdk-go-v2 signs", func(b *testing.B) {
		b.ReportAllocs()
		signer := v4.NewSigner()
		creds := aws.Credentials{AccessKeyID: alice.AccessKeyID, SecretAccessKey: alice.Secret}
		r, _ := http.NewRequest("POST", "http://localhost:7420/", nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		r.Header.Set("X-Amz-Target", "Some.Target")
		for b.Loop() {
			if err := signer.SignHTTP(context.Background(), creds, r, EmptyPayload, "iam", "us-east-1", now); err != nil {
				b.Fatal(err)
			}
		}
	})
}
