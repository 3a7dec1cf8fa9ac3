package main

import (
	"crypto/sha1"
	"encoding/hex"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What is fetched from identity providers comes from a server that the fingerprint, or
// the system's authorities, vouch for, and never from elsewhere. (N-6)
func TestFetchPinned(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/keys", http.StatusFound)
		case "/endless":
			w.Write(make([]byte, fetchMost+1))
		default:
			io.WriteString(w, "keys")
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that are refused
	s.StartTLS()
	defer s.Close()
	sum := sha1.Sum(s.Certificate().Raw)
	pins := []string{hex.EncodeToString(sum[:])}
	if text, err := fetchPinned(t.Context(), s.URL+"/keys", pins); err != nil || string(text) != "keys" {
		t.Fatalf("%q %v", text, err)
	}
	for why, c := range map[string]struct {
		url  string
		pins []string
		want string
	}{
		"no pin":           {s.URL + "/keys", nil, "certificate"},
		"another pin":      {s.URL + "/keys", []string{strings.Repeat("0", 40)}, "certificate"},
		"another name":     {strings.Replace(s.URL, "127.0.0.1", "localhost", 1) + "/keys", pins, "certificate"},
		"a redirect":       {s.URL + "/moved", pins, "302"},
		"no end":           {s.URL + "/endless", pins, "more than"},
		"no TLS":           {strings.Replace(s.URL, "https", "http", 1) + "/keys", pins, "https only"},
		"metadata":         {"https://169.254.169.254/keys", pins, "no identity provider stands at"},
		"metadata, mapped": {"https://[::ffff:100.100.100.200]/keys", pins, "no identity provider stands at"},
	} {
		if text, err := fetchPinned(t.Context(), c.url, c.pins); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q %v", why, text, err)
		}
	}
}
