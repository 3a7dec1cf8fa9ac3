package clientip

import (
	"net/netip"
	"strings"
)

// Client is who sent a request, as far as trusted peers tell.
type Client struct {
	// IP is the client's address, without zone, an IPv4 address never in its
	// IPv6 form. It is invalid only when the peer has no IP address.
	IP netip.Addr

	// Chain is the way the request took when proxies were believed: the
	// client, then each proxy, the nearest last, separated by ", ". It is empty
	// for a direct request and holds nothing but addresses.
	Chain string

	// Secure says that the client used TLS, to us or to the trusted proxy next
	// to us.
	Secure bool
}

// Proxies are the networks whose word about a client is believed. The zero
// value believes nobody. It is safe for concurrent use.
type Proxies struct{ trusted []netip.Prefix }

// Trust returns the proxies in these networks.
func Trust(networks ...netip.Prefix) Proxies {
	p := Proxies{trusted: make([]netip.Prefix, 0, len(networks))}
	for _, n := range networks {
		if n.Addr().Is4In6() && n.Bits() >= 96 {
			n = netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96)
		}
		p.trusted = append(p.trusted, n.Masked())
	}
	return p
}

// Client resolves a request. peer is the connection's other end, with or
// without port; tls says that the connection is encrypted; forwardedFor and
// forwardedProto are all values of the X-Forwarded-For and X-Forwarded-Proto
// headers in the order received.
//
// The addresses are read from right to left, that is from the nearest proxy
// on, and the first that is not a trusted proxy is the client. What is left of
// it was written by the client and is never looked at. If an entry that had to
// be believed is no address, none of them is, and the peer is the client.
func (p Proxies) Client(peer string, tls bool, forwardedFor, forwardedProto []string) Client {
	direct, ok := parse(peer)
	c := Client{IP: direct, Secure: tls}
	if !ok || !p.trusts(direct) {
		return c
	}
	if proto := lastEntry(forwardedProto); proto != "" {
		c.Secure = strings.EqualFold(proto, "https")
	}
	rest := strings.Join(forwardedFor, ",")
	if strings.TrimSpace(rest) == "" {
		return c
	}
	chain := []string{direct.String()}
	for more := true; more; {
		var entry string
		rest, entry, more = cutLast(rest)
		ip, ok := parse(entry)
		if !ok {
			c.IP = direct
			return c
		}
		chain = append(chain, ip.String())
		c.IP = ip
		if !p.trusts(ip) {
			break
		}
	}
	c.Chain = backwards(chain)
	return c
}

func (p Proxies) trusts(ip netip.Addr) bool {
	for _, n := range p.trusted {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// parse reads an address as proxies write it: bare, with a port, in brackets.
func parse(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr()), true
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if s, ok = strings.CutSuffix(inner, "]"); !ok || !strings.Contains(s, ":") {
			return netip.Addr{}, false
		}
	}
	ip, err := netip.ParseAddr(s)
	return plain(ip), err == nil
}

func plain(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

// cutLast splits a list before its last entry; more says that something is left.
func cutLast(list string) (rest, entry string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", list, false
	}
	return list[:i], list[i+1:], true
}

// lastEntry is what the nearest proxy wrote into a header.
func lastEntry(values []string) string {
	if len(values) == 0 {
		return ""
	}
	_, entry, _ := cutLast(values[len(values)-1])
	return strings.TrimSpace(entry)
}

func backwards(list []string) string {
	var b strings.Builder
	for i := len(list) - 1; i >= 0; i-- {
		b.WriteString(list[i])
		if i > 0 {
			b.WriteString(", ")
		}
	}
	return b.String()
}
