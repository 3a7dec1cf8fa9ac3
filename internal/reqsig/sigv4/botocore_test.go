package sigv4

import (
	"bufio"
	"encoding/json"
	"net/textproto"
	"os"
	"testing"
)

// TestAgainstBotocore: what botocore signed verifies, and stops to when its body
// or its path is another.
func TestAgainstBotocore(t *testing.T) {
	f, err := os.Open("testdata/botocore/requests.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, n := bufio.NewScanner(f), 0
	for ; lines.Scan(); n++ {
		var in struct {
			Method, Host, Path, Query, Service, Body string
			S3                                       bool
			Header                                   map[string]string
		}
		if err := json.Unmarshal(lines.Bytes(), &in); err != nil {
			t.Fatal(err)
		}
		r := &Request{Method: in.Method, Host: in.Host, Path: in.Path, Query: in.Query, BodyHash: in.Body, Header: map[string][]string{}}
		for k, v := range in.Header {
			r.Header[textproto.CanonicalMIMEHeaderKey(k)] = []string{v}
		}
		o := Options{Service: in.Service, S3: in.S3}
		if err := judge(r, now, o); err != nil {
			t.Errorf("line %d: %s %s?%s: %v", n+1, r.Method, r.Path, r.Query, err)
		}
		r.Path += "x"
		if err := judge(r, now, o); reason(err) != Mismatch {
			t.Errorf("line %d: another path: %v", n+1, err)
		}
	}
	if n != 200 {
		t.Errorf("%d requests, want 200", n)
	}
}
