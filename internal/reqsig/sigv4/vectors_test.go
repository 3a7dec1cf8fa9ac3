package sigv4

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// vector is one known-answer case of aws-c-auth (testdata/vectors).
type vector struct {
	name string
	ctx  struct {
		Credentials struct {
			AccessKeyID     string `json:"access_key_id"`
			SecretAccessKey string `json:"secret_access_key"`
			Token           string `json:"token"`
		} `json:"credentials"`
		Expires   int       `json:"expiration_in_seconds"`
		Normalize bool      `json:"normalize"`
		Region    string    `json:"region"`
		Service   string    `json:"service"`
		SignBody  bool      `json:"sign_body"`
		Timestamp time.Time `json:"timestamp"`
		LateToken bool      `json:"omit_session_token"`
	}
	request string
	file    func(name string) string
}

func vectors(t testing.TB) []vector {
	t.Helper()
	dirs, err := filepath.Glob("testdata/vectors/*")
	if err != nil || len(dirs) != 38 {
		t.Fatalf("found %d vectors (%v), want 38", len(dirs), err)
	}
	var all []vector
	for _, dir := range dirs {
		v := vector{name: filepath.Base(dir)}
		v.file = func(name string) string {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if err := json.Unmarshal([]byte(v.file("context.json")), &v.ctx); err != nil {
			t.Fatal(err)
		}
		v.request = v.file("request.txt")
		all = append(all, v)
	}
	return all
}

func (v vector) credentials() Credentials {
	return Credentials{AccessKeyID: v.ctx.Credentials.AccessKeyID,
		Secret: v.ctx.Credentials.SecretAccessKey, Token: v.ctx.Credentials.Token}
}

func (v vector) options() Options {
	return Options{Service: v.ctx.Service, Regions: []string{v.ctx.Region},
		RawPath: !v.ctx.Normalize, LateToken: v.ctx.LateToken}
}

func (v vector) signOptions() SignOptions {
	return SignOptions{Region: v.ctx.Region, Service: v.ctx.Service,
		RawPath: !v.ctx.Normalize, LateToken: v.ctx.LateToken}
}

// readRequest reads a raw HTTP/1.1 request without the judgement of net/http,
// whose reader refuses some of the vectors' targets.
func readRequest(t testing.TB, raw string) *Request {
	t.Helper()
	head, body, _ := strings.Cut(raw, "\n\n")
	lines := bufio.NewScanner(strings.NewReader(head))
	lines.Scan()
	method, rest, _ := strings.Cut(lines.Text(), " ")
	target := strings.TrimSuffix(rest, " HTTP/1.1")
	r := &Request{Method: method, Header: map[string][]string{}}
	r.Path, r.Query, _ = strings.Cut(target, "?")
	last := ""
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			continue
		}
		if line[0] == ' ' || line[0] == '\t' { // folded: one space, as net/http unfolds
			v := r.Header[last]
			v[len(v)-1] += " " + strings.TrimSpace(line)
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("header line %q", line)
		}
		last = textproto.CanonicalMIMEHeaderKey(name)
		if last == "Host" {
			r.Host = value
			continue
		}
		r.Header[last] = append(r.Header[last], value)
	}
	r.BodyHash = hashOf(body)
	return r
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// TestVectors checks each stage of each case in both forms, for the verifier
// and for the signer (security checklist A-1).
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		for _, form := range []string{"header", "query"} {
			t.Run(v.name+"/"+form, func(t *testing.T) {
				signed := readRequest(t, v.file(form+"-signed-request.txt"))
				checkStages(t, v, form, signed)
				checkVerify(t, v, signed)
				if form == "header" {
					checkSign(t, v, signed)
				} else {
					checkPresign(t, v)
				}
			})
		}
	}
}

func checkStages(t *testing.T, v vector, form string, signed *Request) {
	sig, err := Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	c := canonical{signedHeaders: sig.SignedHeaders, payload: signed.BodyHash, rawPath: !v.ctx.Normalize,
		dropSignature: sig.Presigned, dropToken: v.ctx.LateToken && sig.Presigned}
	got, err := c.append(nil, signed)
	if err != nil {
		t.Fatal(err)
	}
	if want := v.file(form + "-canonical-request.txt"); string(got) != want {
		t.Errorf("canonical request\n%s\nwant\n%s", got, want)
	}
	sum := sha256.Sum256(got)
	toSign := fmt.Sprintf("%s\n%s\n%s\n%x", algorithm, sig.date, appendScope(nil, sig.Scope), sum)
	if want := v.file(form + "-string-to-sign.txt"); toSign != want {
		t.Errorf("string to sign\n%s\nwant\n%s", toSign, want)
	}
	if want := v.file(form + "-signature.txt"); sig.signature != want {
		t.Errorf("signature %s, want %s", sig.signature, want)
	}
}

func checkVerify(t *testing.T, v vector, signed *Request) {
	sig, err := Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	if sig.Token != v.ctx.Credentials.Token {
		t.Errorf("token %q, want %q", sig.Token, v.ctx.Credentials.Token)
	}
	key := DeriveKey(v.ctx.Credentials.SecretAccessKey, sig.Scope)
	if err := sig.Verify(signed, key, v.ctx.Timestamp, v.options()); err != nil {
		t.Error(err)
	}
	other := DeriveKey("another", sig.Scope)
	if err := sig.Verify(signed, other, v.ctx.Timestamp, v.options()); reason(err) != Mismatch {
		t.Errorf("with another key: %v, want a mismatch", err)
	}
}

func checkSign(t *testing.T, v vector, signed *Request) {
	r := readRequest(t, v.request)
	if v.ctx.SignBody {
		r.Header["X-Amz-Content-Sha256"] = []string{r.BodyHash}
	}
	if _, err := Sign(r, v.credentials(), v.ctx.Timestamp, v.signOptions()); err != nil {
		t.Fatal(err)
	}
	if got, want := r.Header["Authorization"][0], signed.Header["Authorization"][0]; got != want {
		t.Errorf("Authorization\n%s\nwant\n%s", got, want)
	}
}

func checkPresign(t *testing.T, v vector) {
	r := readRequest(t, v.request)
	query, err := Presign(r, v.credentials(), v.ctx.Timestamp, time.Duration(v.ctx.Expires)*time.Second, v.signOptions())
	if err != nil {
		t.Fatal(err)
	}
	if want := "X-Amz-Signature=" + v.file("query-signature.txt"); !strings.HasSuffix(query, want) {
		t.Errorf("query %s, want the end %s", query, want)
	}
}

// reason tells a refusal's reason; 0 means no error or another.
func reason(err error) Reason {
	if e, ok := err.(*Error); ok {
		return e.Reason
	}
	return 0
}
