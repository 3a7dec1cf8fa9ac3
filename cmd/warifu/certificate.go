package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"warifu/cmd/warifu/internal/config"
)

// certificateAge is how long a certificate is used before the files are looked
// at again.
const certificateAge = time.Minute

// certificate is the server's certificate, which is renewed on disk now and
// then.
type certificate struct {
	files config.TLS
	log   *slog.Logger
	now   func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the file
	looked  time.Time
}

// newCertificate reads the certificate; the error says what is wrong with it.
func newCertificate(files config.TLS, log *slog.Logger, now func() time.Time) (*certificate, error) {
	c := &certificate{files: files, log: log, now: now}
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("read the TLS certificate: %w", err)
	}
	return c, nil
}

// get implements tls.Config.GetCertificate. A renewed certificate that cannot be
// read, because it is half written, leaves the old one in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Sub(c.looked) >= certificateAge {
		if err := c.read(); err != nil {
			c.log.Error("the TLS certificate was not renewed; the old one stays in use", "error", err)
		}
	}
	return c.current, nil
}

// read reads the files if they changed.
func (c *certificate) read() error {
	c.looked = c.now()
	info, err := os.Stat(c.files.Cert)
	if err != nil {
		return err
	}
	if c.current != nil && info.ModTime().Equal(c.changed) {
		return nil
	}
	fresh, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return err
	}
	c.current, c.changed = &fresh, info.ModTime()
	return nil
}
