package main

import (
	"bytes"
	"context"
	"crypto/sha1" // a certificate's fingerprint, which the clouds spell so
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"warifu/internal/notify"
)

// Limits of what is fetched from identity providers. Administrators choose the
// addresses, and strangers make the server ask there.
const (
	fetchTimeout = 5 * time.Second
	fetchMost    = 1 << 20
)

// fetchPinned reads what is at an https address whose certificate one of pins vouches
// for: SHA-1 fingerprints of certificates of its chain. Without pins the system's
// authorities do. It follows no redirect and uses no proxy. An identity provider may
// well stand in the operator's own network; what it may not be is a cloud's metadata
// service, whatever its name leads to at the moment (security checklist N-6).
func fetchPinned(ctx context.Context, url string, pins []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if req.URL.Scheme != "https" {
		return nil, errors.New("identity providers are asked by https only")
	}
	transport := &http.Transport{DialContext: fetchDialer.DialContext, TLSClientConfig: pinned(pins, req.URL.Hostname()), DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", req.URL.Redacted(), resp.Status)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, fetchMost+1)); err != nil {
		return nil, err
	}
	if b.Len() > fetchMost {
		return nil, fmt.Errorf("%s answers more than %d bytes", req.URL.Redacted(), fetchMost)
	}
	return b.Bytes(), nil
}

// fetchDialer looks at each address that a name led to.
var fetchDialer = net.Dialer{Timeout: fetchTimeout, Control: func(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || notify.Metadata(at.Addr()) {
		return errors.New("no identity provider stands at " + address)
	}
	return nil
}}

// pinned verifies a server by the certificates whose fingerprints are given. The
// name is not left to the connection, which knows none for an address.
func pinned(pins []string, host string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(pins) == 0 {
		return c
	}
	c.InsecureSkipVerify = true // VerifyConnection does it, from other roots
	c.VerifyConnection = func(s tls.ConnectionState) error {
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		for _, cert := range s.PeerCertificates {
			sum := sha1.Sum(cert.Raw)
			if slices.Contains(pins, hex.EncodeToString(sum[:])) {
				roots.AddCert(cert)
			} else {
				between.AddCert(cert)
			}
		}
		_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between})
		return err
	}
	return c
}
