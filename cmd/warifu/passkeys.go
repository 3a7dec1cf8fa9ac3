package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/factor/passkey"
	"warifu/internal/ops"
)

// usePasskeys turns passkeys on for a server that people reach at address. An
// address that no browser would take is not fatal: everything else works, and log
// and console say why passkeys do not. A setting that is wrong is.
func usePasskeys(ctx context.Context, conf *config.Config, s *ops.Server, log *slog.Logger, address string) error {
	c, err := passkeys(conf)
	if err != nil {
		return err
	}
	if c.URL, err = url.Parse(address); err != nil {
		return err
	}
	if err := s.UsePasskeys(ctx, c); err != nil {
		log.Warn("passkeys cannot be used", "reason", err)
	}
	return nil
}

// passkeys reads the settings of passkeys.
func passkeys(conf *config.Config) (c passkey.Config, err error) {
	set := conf.Passkeys
	c = passkey.Config{ID: set.RPID, Name: conf.Issuer, AppID: set.AppID, Rollback: passkey.Rollback(set.OnRollback)}
	for _, text := range set.AAGUIDs {
		a, err := passkey.ParseAAGUID(text)
		if err != nil {
			return c, fmt.Errorf("passkeys.aaguids: %w", err)
		}
		c.AAGUIDs = append(c.AAGUIDs, a)
	}
	if set.Roots == "" {
		if len(c.AAGUIDs) > 0 {
			return c, fmt.Errorf("passkeys.aaguids needs passkeys.roots: only an attestation that leads to a root certificate proves a make")
		}
		return c, nil
	}
	pem, err := os.ReadFile(set.Roots)
	if err != nil {
		return c, fmt.Errorf("passkeys.roots: %w", err)
	}
	if c.Roots = x509.NewCertPool(); !c.Roots.AppendCertsFromPEM(pem) {
		return c, fmt.Errorf("passkeys.roots: %s holds no certificate (PEM)", set.Roots)
	}
	return c, nil
}
