package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"warifu/internal/reqsig/sigv4"
	"warifu/internal/testkit"
)

// timed is an answer's writer that keeps the last read deadline.
type timed struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (w *timed) SetReadDeadline(t time.Time) error { w.deadline = t; return nil }

// stalled is a body that does not come.
type stalled struct{}

func (stalled) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }
func (stalled) Close() error             { return nil }

// Security checklist N-4: a stranger's body may not take for ever, for nothing
// is known of whoever sends it. What policy allowed may.
func TestStrangersHaveLittleTime(t *testing.T) {
	w := testkit.New(t)
	up := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(up.Close)
	at, err := url.Parse(up.URL)
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{
		Services: []Service{{Name: "ec2", Protocol: EC2, Upstream: at}, {Name: "s3", Protocol: S3, Upstream: at}},
		Ops:      w.Server, Log: slog.New(slog.DiscardHandler),
		Client: func(*http.Request) (netip.Addr, string, bool) { return netip.Addr{}, "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	serve := func(service, secret string, stall bool) *timed {
		body := "Action=DescribeInstances"
		if service == "s3" {
			body = "content"
		}
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		if service == "s3" {
			r = httptest.NewRequest("PUT", "/photos/k", strings.NewReader(body))
		}
		r.Header.Set("Content-Type", formType)
		_, err := sigv4.Sign(&sigv4.Request{Method: r.Method, Host: r.Host, Path: r.URL.Path, Header: r.Header, BodyHash: hashHex(body)},
			sigv4.Credentials{AccessKeyID: w.AccessKeyID, Secret: secret}, w.Clock.Now(), sigv4.SignOptions{Region: "us-east-1", Service: service, S3: service == "s3"})
		if err != nil {
			t.Fatal(err)
		}
		if stall {
			r.Body = stalled{}
		}
		out := &timed{ResponseRecorder: &httptest.ResponseRecorder{Body: new(bytes.Buffer)}}
		g.ServeHTTP(out, r)
		return out
	}
	for _, service := range []string{"ec2", "s3"} {
		if got := serve(service, "wrong", false); got.Code/100 != 4 || got.deadline.IsZero() {
			t.Errorf("%s: a stranger: status %d, deadline %v", service, got.Code, got.deadline)
		}
		if got := serve(service, w.SecretAccessKey, false); got.Code != http.StatusOK || !got.deadline.IsZero() {
			t.Errorf("%s: the administrator: status %d, deadline %v, %s", service, got.Code, got.deadline, got.Body)
		}
	}
	if got := serve("ec2", w.SecretAccessKey, true); got.Code != http.StatusBadRequest {
		t.Errorf("a body that stalls: status %d", got.Code)
	}
}

func hashHex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
