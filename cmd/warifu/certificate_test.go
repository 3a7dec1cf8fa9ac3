package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warifu/cmd/warifu/internal/config"
)

// writeCertificate makes a certificate for localhost with a serial number.
func writeCertificate(t *testing.T, files config.TLS, serial int64, changed time.Time) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestCertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	files := config.TLS{Cert: filepath.Join(dir, "c"), Key: filepath.Join(dir, "k")}
	at := time.Now()
	writeCertificate(t, files, 1, at)
	var log bytes.Buffer
	c, err := newCertificate(files, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		t.Helper()
		got, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return got.Leaf.SerialNumber.Int64()
	}
	writeCertificate(t, files, 2, at.Add(time.Second))
	if got := serial(); got != 1 {
		t.Errorf("at once: %d", got)
	}
	at = at.Add(certificateAge)
	if got := serial(); got != 2 {
		t.Errorf("after a minute: %d", got)
	}
	if err := os.WriteFile(files.Cert, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	at = at.Add(certificateAge)
	if got := serial(); got != 2 || !strings.Contains(log.String(), "the old one stays in use") {
		t.Errorf("while it is being written: %d, logged %q", got, log.String())
	}
	if _, err := newCertificate(files, nil, time.Now); err == nil || !strings.Contains(err.Error(), "read the TLS certificate") {
		t.Errorf("at the start: %v", err)
	}
}

// The whole server speaks TLS, by HTTP/2 too, and nothing older than 1.2.
func TestServesTLS(t *testing.T) {
	data, _ := initFolder(t)
	files := config.TLS{Cert: filepath.Join(data, "c"), Key: filepath.Join(data, "k")}
	own := writeCertificate(t, files, 1, time.Now())
	conf := "tls:\n  cert: " + files.Cert + "\n  key: " + files.Key + "\n"
	if err := os.WriteFile(filepath.Join(data, "warifu.yaml"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p := serve(t, data)
	roots := x509.NewCertPool()
	roots.AddCert(own)
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}}}
	res, err := client.Get("https://" + p.public + "/")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.ProtoMajor != 2 || res.TLS.Version != tls.VersionTLS13 {
		t.Errorf("HTTP %s, TLS %x", res.Proto, res.TLS.Version)
	}
	old, err := tls.Dial("tcp", p.public, &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	if err == nil {
		old.Close()
		t.Error("TLS 1.1 is spoken")
	}
}
