package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/api/oci"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/password"
)

type ociConfigCmd struct {
	config.Flags
	User   string `required:"" help:"Name of the user who gets the key." placeholder:"NAME"`
	Out    string `required:"" help:"File to write, in the form of ~/.oci/config; the private key goes beside it." placeholder:"FILE"`
	Region string `help:"Region that the file names." default:"xx-warifu-1" placeholder:"NAME"`
}

// apiKeyBits is the size of the key that is made; Oracle's tools make the same.
const apiKeyBits = 2048

// Run makes an API key and writes what Oracle's SDKs and command line read. The
// server may run meanwhile.
func (cmd *ociConfigCmd) Run(h *host) error {
	conf, err := config.Load(cmd.Flags, h.environ)
	if err != nil {
		return err
	}
	if _, err := os.Stat(conf.DSN()); conf.SQLite() && err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	out, err := filepath.Abs(cmd.Out)
	if err != nil {
		return err
	}
	keyFile := out + ".pem"
	for _, path := range []string{out, keyFile} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists already; nothing was changed", path)
		}
	}
	f := &folder{gate: password.NewGate(runtime.GOMAXPROCS(0), waitingSignIns)}
	defer f.close()
	if err := f.unlock(h, conf, false); err != nil {
		return err
	}
	s, err := ops.New(ops.Config{Store: f.store, Keys: f.vault, Gate: f.gate, Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	private, err := rsa.GenerateKey(rand.Reader, apiKeyBits)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return err
	}
	k, err := s.AddOracleKeyFor(h, cmd.User, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		return fmt.Errorf("give %s an API key: %w", cmd.User, err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := writeNew(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})); err != nil {
		return err
	}
	if err := writeNew(out, []byte(cmd.profile(k, keyFile))); err != nil {
		return err
	}
	at := conf.URL(conf.Listen)
	fmt.Fprintf(h.stdout, "The user %s has the API key %s.\nThe file %s names it. Requests signed with it prove no second factor.\n\n"+
		"  oci iam user list --config-file %s --endpoint %s -c %s\n", cmd.User, k.Fingerprint, out, out, at, k.Account.Tenancy())
	return nil
}

// profile is the text of the file (OCI documentation, "SDK and CLI Configuration
// File").
func (cmd *ociConfigCmd) profile(k *ops.OracleAPIKey, keyFile string) string {
	region := cmd.Region
	if region == "" {
		region = oci.DefaultRegion
	}
	return fmt.Sprintf("[DEFAULT]\nuser=%s\nfingerprint=%s\ntenancy=%s\nregion=%s\nkey_file=%s\n",
		k.User.OCID(name.OCIUser), k.Fingerprint, k.Account.Tenancy(), region, keyFile)
}

// writeNew writes a file that only its owner reads and that was not there before.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}
