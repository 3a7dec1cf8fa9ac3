package main

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/name"
	"warifu/internal/ops"
)

type ociConfigCmd struct {
	config.Flags
	User   string `required:"" help:"Name of the user who gets the key." placeholder:"NAME"`
	Out    string `required:"" help:"File to write, in the form of ~/.oci/config; the private key goes beside it." placeholder:"FILE"`
	Region string `help:"Region that the file names; the configured one if left out." placeholder:"NAME"`
}

// apiKeyBits is the size of the key that is made; Oracle's tools make the same.
const apiKeyBits = 2048

// Run makes an API key and writes what Oracle's SDKs and command line read: both files
// or none, and without them the user has no key. The server may run meanwhile.
func (cmd *ociConfigCmd) Run(h *host) error {
	out, err := filepath.Abs(cmd.Out)
	if err != nil {
		return err
	}
	keyFile := out + ".pem"
	files, err := createAll(out, keyFile)
	if err != nil {
		return err
	}
	k, conf, err := cmd.write(h, files[0], files[1])
	if err = errors.Join(err, closeAll(files)); err != nil {
		removeAll(files)
		return err
	}
	at := conf.URL(conf.Listen)
	fmt.Fprintf(h.stdout, "The user %s has the API key %s.\nThe file %s names it. Requests signed with it prove no second factor.\n\n"+
		"  oci iam user list --config-file %s --endpoint %s -c %s\n", cmd.User, k.Fingerprint, out, out, at, k.Account.Tenancy())
	return nil
}

// write makes the key, and fills the files before it counts.
func (cmd *ociConfigCmd) write(h *host, out, keyFile *os.File) (*ops.OracleAPIKey, *config.Config, error) {
	f, conf, err := openBeside(h, cmd.Flags, slog.DiscardHandler)
	if err != nil {
		return nil, nil, err
	}
	defer f.close()
	private, err := rsa.GenerateKey(rand.Reader, apiKeyBits)
	if err != nil {
		return nil, nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	k, err := f.ops.AddOracleKeyFor(h, cmd.User, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), func(k *ops.OracleAPIKey) error {
		region := cmp.Or(cmd.Region, conf.Oracle.Region)
		return errors.Join(fill(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
			fill(out, []byte(profile(k, region, keyFile.Name()))))
	})
	if err != nil {
		return nil, nil, fmt.Errorf("give %s an API key: %w", cmd.User, err)
	}
	return k, conf, nil
}

// profile is the text of the file (OCI documentation, "SDK and CLI Configuration
// File").
func profile(k *ops.OracleAPIKey, region, keyFile string) string {
	return fmt.Sprintf("[DEFAULT]\nuser=%s\nfingerprint=%s\ntenancy=%s\nregion=%s\nkey_file=%s\n",
		k.User.OCID(name.OCIUser), k.Fingerprint, k.Account.Tenancy(), region, keyFile)
}

// createAll makes files that only their owner reads and that were not there before: all
// of them or none.
func createAll(paths ...string) (files []*os.File, err error) {
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%s exists already; nothing was changed", path)
		}
		if err != nil {
			_ = closeAll(files) // nothing was written
			removeAll(files)
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// fill makes text all that a file holds, also on the disk.
func fill(f *os.File, text []byte) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt(text, 0); err != nil {
		return err
	}
	return f.Sync()
}

func closeAll(files []*os.File) (err error) {
	for _, f := range files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// removeAll takes back what createAll made.
func removeAll(files []*os.File) {
	for _, f := range files {
		_ = os.Remove(f.Name()) // the error that is told is the one that led here
	}
}

// limits are the quotas of Oracle's nouns by the names that the configuration has for
// them.
func limits(l *ops.OracleLimits) map[string]*int {
	return map[string]*int{
		"users": &l.Users, "groups": &l.Groups, "users_per_group": &l.UsersPerGroup, "groups_per_user": &l.GroupsPerUser,
		"compartments": &l.Compartments, "compartment_depth": &l.Depth, "policies": &l.Policies, "statements": &l.Statements,
		"dynamic_groups": &l.DynamicGroups, "network_sources": &l.NetworkSources,
		"api_keys": &l.APIKeys, "auth_tokens": &l.AuthTokens, "secret_keys": &l.SecretKeys, "smtp_credentials": &l.SMTP,
		"oauth2_credentials": &l.OAuth2, "oauth2_scopes": &l.Scopes, "identity_providers": &l.IdentityProviders, "group_mappings": &l.GroupMappings,
		"tag_namespaces": &l.TagNamespaces, "tag_defaults": &l.TagDefaults,
	}
}

// oracleLimits are Oracle's own quotas with those that are configured.
func oracleLimits(conf *config.Config) (*ops.OracleLimits, error) {
	l := ops.DefaultOracleLimits
	all := limits(&l)
	for _, set := range conf.Oracle.Limits {
		at, known := all[set.Name]
		if !known {
			return nil, fmt.Errorf("oracle.limits: there is no quota %q; there are %s", set.Name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
		}
		*at = set.Most
	}
	return &l, nil
}

type explainCmd struct {
	config.Flags
	Request string `arg:"" help:"The opc-request-id that the client was given, or its last part." placeholder:"REQUEST-ID"`
}

// Run tells why a request of one of Oracle's clients was refused.
func (cmd *explainCmd) Run(h *host) error {
	f, _, err := openBeside(h, cmd.Flags, slog.NewTextHandler(h.stderr, nil))
	if err != nil {
		return err
	}
	defer f.close()
	x, err := f.ops.ExplainRequestFor(h, cmd.Request)
	if err != nil {
		return fmt.Errorf("explain %s: %w", cmd.Request, err)
	}
	for _, line := range []struct{ what, text string }{
		{"When", x.At.Format(time.RFC3339)}, {"Who", x.Actor.ARN}, {"Operation", x.Operation}, {"Result", strings.TrimSpace(string(x.Result) + " " + x.Code)}, {"Why", x.Why},
		{"Compartment", x.Place}, {"Missing permissions", strings.Join(x.Missing, " ")}, {"Nearest statement", x.Statement}, {"What failed", x.Failed},
		{"Would grant it", x.Grant},
	} {
		if line.text != "" {
			fmt.Fprintf(h.stdout, "%-20s %s\n", line.what+":", line.text)
		}
	}
	return nil
}
