package browser

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tlsSetting begins the setting of a server that has a certificate.
const tlsSetting = "WARIFU_TLS_CERT="

// certified are the settings of a server with a certificate for some names, from an
// authority of the test's own, whose certificate follows in the same file.
func certified(t *testing.T, names ...string) (settings []string) {
	t.Helper()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: authority.NotBefore, NotAfter: authority.NotAfter, DNSNames: names, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	var keys [2]*ecdsa.PrivateKey
	var chain [2][]byte
	for i, c := range []*x509.Certificate{authority, leaf} {
		var err error
		if keys[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err == nil {
			chain[i], err = x509.CreateCertificate(rand.Reader, c, authority, &keys[i].PublicKey, keys[0])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	der, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, blocks := range map[string][]*pem.Block{
		"cert.pem": {{Type: "CERTIFICATE", Bytes: chain[1]}, {Type: "CERTIFICATE", Bytes: chain[0]}}, "key.pem": {{Type: "PRIVATE KEY", Bytes: der}},
	} {
		var text []byte
		for _, b := range blocks {
			text = append(text, pem.EncodeToMemory(b)...)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{tlsSetting + filepath.Join(dir, "cert.pem"), "WARIFU_TLS_KEY=" + filepath.Join(dir, "key.pem")}
}

// trusting is a client that trusts a server's authority, and finds the server under
// every name.
func trusting(t *testing.T, settings []string, address string) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	for _, s := range settings {
		if file, ok := strings.CutPrefix(s, tlsSetting); ok {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			roots.AppendCertsFromPEM(text)
		}
	}
	tr := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}
