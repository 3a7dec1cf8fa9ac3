package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/seal"
)

var local = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// hook posts one text message to a server and returns what became of it.
func hook(t *testing.T, to string, own []netip.Prefix) error {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWebhook(Webhook{URL: u, Secret: seal.NewSecret([]byte("a shared secret")), Networks: own, Now: func() time.Time { return epoch }, Timeout: 2 * time.Second})
	var got error
	w.Carry(context.Background(), []Rendered{{ID: 7, Kind: iam.MessageCode, To: "+819012345678", Text: "123456", Expires: epoch.Add(10 * time.Minute)}}, func(_ int, err error) { got = err })
	return got
}

// The receiver can check who sent a request, and when.
func TestWebhookIsSigned(t *testing.T) {
	var header string
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Get(SignatureHeader)
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(202)
	}))
	defer srv.Close()
	if err := hook(t, srv.URL+"/send?x=1", local); err != nil {
		t.Fatal(err)
	}
	if want := Sign(seal.NewSecret([]byte("a shared secret")), epoch, body); header != want || !strings.HasPrefix(header, "t=1768467600,v1=") || len(header) != len("t=1768467600,v1=")+64 {
		t.Errorf("signed %q, want %q", header, want)
	}
	if other := Sign(seal.NewSecret([]byte("another secret")), epoch, body); header == other {
		t.Error("another secret signs alike")
	}
	var m map[string]string
	if err := json.Unmarshal(body, &m); err != nil || m["to"] != "+819012345678" || m["text"] != "123456" || m["id"] != "7" || m["kind"] != "code" || m["expires"] != "2026-01-15T09:10:00Z" {
		t.Errorf("posted %s, %v", body, err)
	}
}

// What an answer means; a redirect is none that is followed.
func TestWebhookAnswers(t *testing.T) {
	followed := false
	status := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/elsewhere" {
			followed = true
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	defer srv.Close()
	for s, want := range map[int]Outcome{200: Sent, 204: Sent, 302: Later, 307: Later, 400: Never, 401: Never, 404: Never, 408: Later, 429: Later, 500: Later, 503: Later} {
		status = s
		err := hook(t, srv.URL, local)
		got := Later
		if err == nil {
			got = Sent
		} else if errors.Is(err, ErrRefused) {
			got = Never
		}
		if got != want {
			t.Errorf("%d: %s (%v), want %s", s, got, err, want)
		}
	}
	if followed {
		t.Error("a redirect was followed")
	}
}

// N-6: whatever a name leads to, and however the address is written, only public
// addresses and the operator's own networks are asked.
func TestPrivateAddressesAreNotAsked(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") }))
	defer srv.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "2130706433", "0x7f000001"} {
		err := hook(t, "http://"+host+":"+port+"/?key=canary", nil)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, c := range []struct {
		ip   string
		own  bool // with 10.0.0.0/8, fd00::/8 and 169.254.0.0/16 for the operator's own
		open bool
	}{
		{"93.184.216.34", true, true}, {"2606:4700::1111", true, true},
		{"10.1.2.3", true, false}, {"fd00::5", true, false}, {"::ffff:10.1.2.3", true, false},
		{"172.16.0.1", false, false}, {"192.168.1.1", false, false}, {"100.64.0.1", false, false}, {"127.0.0.1", false, false}, {"::1", false, false},
		{"169.254.169.254", false, false}, {"::ffff:169.254.169.254", false, false}, {"fd00:ec2::254", false, false}, {"100.100.100.200", false, false},
		{"168.63.129.16", false, false}, {"fe80::1%eth0", false, false}, {"224.0.0.1", false, false}, {"255.255.255.255", false, false},
		{"0.0.0.0", false, false}, {"::", false, false}, {"64:ff9b::7f00:1", false, false}, {"2002:7f00:1::", false, false}, {"198.18.0.1", false, false},
	} {
		own := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("169.254.0.0/16")}
		ip := netip.MustParseAddr(c.ip)
		if got := dialable(ip, own); got != c.own {
			t.Errorf("%s, own networks set: %v", c.ip, got)
		}
		if got := dialable(ip, nil); got != c.open {
			t.Errorf("%s: %v", c.ip, got)
		}
	}
	if dialable(netip.Addr{}, nil) {
		t.Error("no address at all can be dialled")
	}
}
