package notify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The account of the mail server.
const (
	login = "warifu"
	pass  = "a canary password"
)

// received is a mail that the server has answered 250 for.
type received struct {
	From, To, ID, Subject string
	Header                mail.Header
	Text, HTML            string
	Raw                   string
}

// mailServer is an SMTP server written by others. Its hooks make it fail.
type mailServer struct {
	t     testing.TB
	addr  string
	roots *x509.CertPool
	pem   []byte // the same
	srv   *smtp.Server

	mu     sync.Mutex
	got    []received
	auths  int
	onRcpt func(to string) error // before RCPT is answered; nil = fine
	onData func(raw string) error
	taken  func(received) // after it is kept, before 250
}

// serveMail starts a server on localhost. With implicit it speaks TLS from the
// start.
func serveMail(t testing.TB, implicit bool) *mailServer {
	t.Helper()
	cert, roots := certificate(t)
	m := &mailServer{t: t, roots: roots, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})}
	m.srv = smtp.NewServer(m)
	m.srv.Domain, m.srv.ErrorLog = "mail.example.com", quiet{}
	m.srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.addr = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, m.srv.TLSConfig)
	}
	go m.srv.Serve(l) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { m.srv.Close() })
	return m
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (m *mailServer) port() int {
	_, p, _ := net.SplitHostPort(m.addr)
	n, _ := strconv.Atoi(p)
	return n
}

// mails are what was received so far.
func (m *mailServer) mails() []received {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]received(nil), m.got...)
}

// NewSession implements smtp.Backend.
func (m *mailServer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &mailSession{m: m, c: c}, nil
}

type mailSession struct {
	m        *mailServer
	c        *smtp.Conn
	known    bool
	from, to string
}

func (s *mailSession) Reset()        { s.from, s.to = "", "" }
func (s *mailSession) Logout() error { return nil }

// AuthMechanisms and Auth implement smtp.AuthSession.
func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if _, secure := s.c.TLSConnectionState(); !secure {
			s.m.t.Error("a password came over a connection without TLS")
		}
		if user != login || password != pass {
			return errors.New("no")
		}
		s.m.mu.Lock()
		s.m.auths++
		s.m.mu.Unlock()
		s.known = true
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.m.mu.Lock()
	check := s.m.onRcpt
	s.m.mu.Unlock()
	if check != nil {
		if err := check(to); err != nil {
			return err
		}
	}
	s.to = to
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	check, taken := s.m.onData, s.m.taken
	s.m.mu.Unlock()
	if check != nil {
		if err := check(string(b)); err != nil {
			return err
		}
	}
	got, err := parse(string(b))
	if err != nil {
		s.m.t.Errorf("a mail that cannot be read: %v\n%s", err, b)
		return err
	}
	got.From, got.To = s.from, s.to
	s.m.mu.Lock()
	s.m.got = append(s.m.got, got)
	s.m.mu.Unlock()
	if taken != nil {
		taken(got)
	}
	return nil
}

// parse reads a mail with the standard library, which did not write it.
func parse(raw string) (r received, err error) {
	m, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return r, err
	}
	r.Raw, r.Header, r.ID = raw, m.Header, m.Header.Get("Message-ID")
	if r.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return r, err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return r, errors.Join(err, errors.New("the body is "+kind))
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		var body io.Reader = p
		if strings.EqualFold(p.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			body = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			return r, err
		}
		switch kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind {
		case "text/plain":
			r.Text = string(b)
		case "text/html":
			r.HTML = string(b)
		}
	}
}

// certificate is one for localhost, and the pool that trusts it.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
