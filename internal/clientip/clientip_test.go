package clientip

import (
	"net/netip"
	"strings"
	"testing"
)

var testProxies = Trust(
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("::ffff:192.0.2.0/120"),
	netip.MustParsePrefix("fd00::/8"),
)

// Security checklist N-1.
func TestClient(t *testing.T) {
	for _, c := range []struct {
		what, peer string
		forwarded  []string
		ip, chain  string
	}{
		{"direct", "203.0.113.9:4711", nil, "203.0.113.9", ""},
		{"a stranger's header is not believed", "203.0.113.9:4711", []string{"10.1.1.1"}, "203.0.113.9", ""},
		{"a proxy without the header", "10.1.1.1:4711", nil, "10.1.1.1", ""},
		{"a proxy with an empty header", "10.1.1.1:4711", []string{" "}, "10.1.1.1", ""},
		{"one proxy", "10.1.1.1:4711", []string{"203.0.113.9"}, "203.0.113.9", "203.0.113.9, 10.1.1.1"},
		{"the client wrote the left part", "10.1.1.1:1", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9", "203.0.113.9, 10.1.1.1"},
		{"garbage that the client wrote", "10.1.1.1:1", []string{"<script>, 203.0.113.9"}, "203.0.113.9", "203.0.113.9, 10.1.1.1"},
		{"two proxies", "10.1.1.1:1", []string{"203.0.113.9, 10.2.2.2"}, "203.0.113.9", "203.0.113.9, 10.2.2.2, 10.1.1.1"},
		{"headers of each proxy are one list", "10.1.1.1:1", []string{"1.1.1.1", "203.0.113.9", "10.2.2.2"}, "203.0.113.9", "203.0.113.9, 10.2.2.2, 10.1.1.1"},
		{"all are proxies", "10.1.1.1:1", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3", "10.3.3.3, 10.2.2.2, 10.1.1.1"},
		{"garbage next to a proxy", "10.1.1.1:1", []string{"203.0.113.9, unknown"}, "10.1.1.1", ""},
		{"garbage behind a proxy", "10.1.1.1:1", []string{"unknown, 10.2.2.2"}, "10.1.1.1", ""},
		{"an empty entry", "10.1.1.1:1", []string{"203.0.113.9,,10.2.2.2"}, "10.1.1.1", ""},
		{"a trailing comma", "10.1.1.1:1", []string{"203.0.113.9,"}, "10.1.1.1", ""},
		{"with ports", "10.1.1.1:1", []string{"203.0.113.9:55, 10.2.2.2:66"}, "203.0.113.9", "203.0.113.9, 10.2.2.2, 10.1.1.1"},
		{"IPv6", "[fd00::1]:1", []string{"2001:db8::5"}, "2001:db8::5", "2001:db8::5, fd00::1"},
		{"IPv6 with a port", "[fd00::1]:1", []string{"[2001:db8::5]:99"}, "2001:db8::5", "2001:db8::5, fd00::1"},
		{"IPv6 in brackets", "[fd00::1]:1", []string{"[2001:db8::5]"}, "2001:db8::5", "2001:db8::5, fd00::1"},
		{"IPv6 with a zone", "[fd00::1%eth0]:1", []string{"fe80::5%eth1"}, "fe80::5", "fe80::5, fd00::1"},
		{"IPv4 in brackets is no address", "10.1.1.1:1", []string{"[203.0.113.9]"}, "10.1.1.1", ""},
		{"a mapped peer", "[::ffff:10.1.1.1]:1", []string{"::ffff:203.0.113.9"}, "203.0.113.9", "203.0.113.9, 10.1.1.1"},
		{"a network written in mapped form", "192.0.2.7:1", []string{"203.0.113.9"}, "203.0.113.9", "203.0.113.9, 192.0.2.7"},
		{"a mapped proxy in the list", "10.1.1.1:1", []string{"203.0.113.9, ::ffff:10.2.2.2"}, "203.0.113.9", "203.0.113.9, 10.2.2.2, 10.1.1.1"},
		{"an octal-looking address", "10.1.1.1:1", []string{"203.0.113.010"}, "10.1.1.1", ""},
	} {
		got := testProxies.Client(c.peer, false, c.forwarded, nil)
		if got.IP.String() != c.ip || got.Chain != c.chain {
			t.Errorf("%s: got %s by %q, want %s by %q", c.what, got.IP, got.Chain, c.ip, c.chain)
		}
	}
}

// Security checklist N-1: without a configuration nobody is believed.
func TestNobodyIsTrustedByDefault(t *testing.T) {
	for _, peer := range []string{"127.0.0.1:1", "[::1]:1", "10.0.0.1:1"} {
		got := Proxies{}.Client(peer, false, []string{"203.0.113.9"}, []string{"https"})
		if got.IP != netip.MustParseAddrPort(peer).Addr() || got.Secure || got.Chain != "" {
			t.Errorf("%s: believed the headers: %+v", peer, got)
		}
	}
}

func TestSecure(t *testing.T) {
	for _, c := range []struct {
		what, peer string
		tls        bool
		proto      []string
		want       bool
	}{
		{"direct", "203.0.113.9:1", false, nil, false},
		{"direct with TLS", "203.0.113.9:1", true, nil, true},
		{"a stranger claims TLS", "203.0.113.9:1", false, []string{"https"}, false},
		{"a stranger denies TLS", "203.0.113.9:1", true, []string{"http"}, true},
		{"a proxy that took TLS off", "10.1.1.1:1", false, []string{"https"}, true},
		{"a proxy with TLS to us and plain text to the client", "10.1.1.1:1", true, []string{"http"}, false},
		{"what the nearest proxy says counts", "10.1.1.1:1", false, []string{"https, http"}, false},
		{"also over several headers", "10.1.1.1:1", false, []string{"http", "HTTPS"}, true},
		{"a proxy that says nothing", "10.1.1.1:1", true, nil, true},
	} {
		if got := testProxies.Client(c.peer, c.tls, nil, c.proto).Secure; got != c.want {
			t.Errorf("%s: got %v", c.what, got)
		}
	}
}

func TestPeerWithoutAddress(t *testing.T) {
	if got := testProxies.Client("@", false, []string{"203.0.113.9"}, nil); got.IP.IsValid() {
		t.Errorf("a Unix socket's peer became %s", got.IP)
	}
}

// Security checklist N-1: whatever the client writes left of what a trusted
// proxy appended changes nothing.
func FuzzClient(f *testing.F) {
	f.Add("1.1.1.1")
	f.Add("unknown, [::1]:80,,")
	f.Add("10.1.1.1, 10.2.2.2")
	f.Fuzz(func(t *testing.T, written string) {
		honest := testProxies.Client("10.1.1.1:1", false, []string{"203.0.113.9"}, nil)
		for _, headers := range [][]string{{written + ", 203.0.113.9"}, {written, "203.0.113.9"}} {
			if got := testProxies.Client("10.1.1.1:1", false, headers, nil); got != honest {
				t.Errorf("%q changed the client to %+v", headers, got)
			}
		}
		got := testProxies.Client("10.1.1.1:1", false, []string{written}, nil)
		if !got.IP.IsValid() || got.IP.Is4In6() || got.IP.Zone() != "" {
			t.Errorf("%q: client %s", written, got.IP)
		}
		if strings.ContainsFunc(got.Chain, func(r rune) bool { return !strings.ContainsRune("0123456789abcdef:., ", r) }) {
			t.Errorf("%q: chain %q holds more than addresses", written, got.Chain)
		}
	})
}
