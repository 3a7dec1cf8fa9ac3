package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
)

type initCmd struct {
	config.Flags
	AccountID    string `help:"Number of the account, 12 digits (default: random)." placeholder:"DIGITS"`
	AccountAlias string `help:"Name of the account, for sign-in addresses." placeholder:"ALIAS"`
	AdminUser    string `help:"Name of the administrator." default:"admin" placeholder:"NAME"`
	JSON         bool   `help:"Print JSON."`
}

// Run initialises a data folder.
func (cmd *initCmd) Run(h *host) error {
	conf, err := config.Load(cmd.Flags, h.environ)
	if err != nil {
		return err
	}
	in := ops.BootstrapIn{Alias: cmd.AccountAlias, Admin: cmd.AdminUser}
	if cmd.AccountID != "" {
		var ok bool
		if in.Account, ok = name.ParseAccount(cmd.AccountID); !ok {
			return fmt.Errorf("--account-id must have 12 digits, not all of them 0: %q", cmd.AccountID)
		}
	}
	f, err := openFolder(h, conf, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	defer f.close()
	first, err := f.initialise(h, in, conf.URL(conf.Listen))
	if fault.Is(err, fault.Exists) {
		return fmt.Errorf("%s is initialised already; nothing was changed", conf.Data)
	}
	if err != nil {
		return err
	}
	if cmd.JSON {
		return first.writeJSON(h.stdout)
	}
	return first.writeText(h.stdout)
}

// firstCredentials are what an initialisation shows, once.
type firstCredentials struct {
	AccountID       string `json:"accountId"`
	AccountAlias    string `json:"accountAlias"`
	ConsoleURL      string `json:"consoleURL"`
	SetupURL        string `json:"setupURL"`
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`

	admin, endpoint string
}

// initialise makes the first account; the error is fault.Exists when there is
// one.
func (f *folder) initialise(ctx context.Context, in ops.BootstrapIn, endpoint string) (*firstCredentials, error) {
	made, err := f.ops.Bootstrap(ctx, in)
	if err != nil {
		return nil, err
	}
	return &firstCredentials{
		AccountID: made.Account.String(), AccountAlias: made.Alias,
		ConsoleURL:  endpoint + "/console",
		SetupURL:    endpoint + "/setup/" + url.PathEscape(string(made.SetupToken.Reveal())),
		AccessKeyID: made.AccessKeyID, SecretAccessKey: string(made.SecretAccessKey.Reveal()),
		admin: made.Admin.Name, endpoint: endpoint,
	}, nil
}

func (c *firstCredentials) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(c)
}

// writeText is for a person, who may paste its last lines into a shell.
func (c *firstCredentials) writeText(w io.Writer) error {
	account := c.AccountID
	if c.AccountAlias != "" {
		account += " (" + c.AccountAlias + ")"
	}
	_, err := fmt.Fprintf(w, `
  Account             %s
  Administrator       %s
  Console             %s
  Set-up link         %s
                      (once, within %.0f hours)
  Access key id       %s
  Secret access key   %s

The secret is shown this one time. To use the AWS command line with it:

  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_DEFAULT_REGION=us-east-1
  aws --endpoint-url %s sts get-caller-identity

`, account, c.admin, c.ConsoleURL, c.SetupURL, ops.SetupLife.Hours(), c.AccessKeyID, c.SecretAccessKey,
		c.AccessKeyID, c.SecretAccessKey, c.endpoint)
	return err
}
