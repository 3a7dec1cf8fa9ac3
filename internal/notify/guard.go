package notify

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// errPrivate says that a name led to where requests must not go.
var errPrivate = errors.New("the address is not a public one")

// Addresses that are nobody's on the internet (IANA special-purpose registries),
// besides those that package netip knows: what stands there is in this house,
// and the server must not be made to ask it (security checklist N-6).
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "5f00::/16",
)

// metadata are the addresses at which clouds hand credentials to their machines.
// No setting opens them.
var metadata = prefixes("169.254.0.0/16", "fd00:ec2::254/128", "fe80::/10", "100.100.100.200/32", "168.63.129.16/32")

func prefixes(all ...string) (out []netip.Prefix) {
	for _, p := range all {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// Metadata reports whether an address is one of those at which clouds hand
// credentials to their machines: no request of anybody's choice may go there.
func Metadata(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return slices.ContainsFunc(metadata, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// dialable reports whether a connection to an address may be made: to any public
// one, and to those of the operator's own networks.
func dialable(ip netip.Addr, own []netip.Prefix) bool {
	ip = ip.Unmap().WithZone("") // ::ffff:10.0.0.1 is 10.0.0.1
	within := func(all []netip.Prefix) bool {
		return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(ip) })
	}
	switch {
	case !ip.IsValid(), Metadata(ip):
		return false
	case within(own):
		return true
	}
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !ip.IsLoopback() && !within(special)
}

// guarded is an HTTP client that connects only to addresses that are dialable,
// looked at after the name was resolved and for each connection, so that a name
// that changes its mind between is of no use. It uses no proxy and follows no
// redirect.
func guarded(own []netip.Prefix, timeout time.Duration) *http.Client {
	d := net.Dialer{Timeout: timeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !dialable(at.Addr(), own) {
			return fmt.Errorf("%w; sms.networks can allow it", errPrivate)
		}
		return nil
	}}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext: d.DialContext, TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout,
			MaxIdleConns: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
