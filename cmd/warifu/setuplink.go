package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/store"
)

type adminSetupLinkCmd struct {
	config.Flags
	AccountID string `help:"Number of the account, where there is more than one." placeholder:"DIGITS"`
	AdminUser string `help:"Name of the administrator, who may get a password with the link." default:"admin" placeholder:"NAME"`
}

// Run prints a new set-up link in the place of one that was lost or has run
// out. The server may run meanwhile. Who reads the data folder owns the server
// anyway, so nothing more is asked.
func (cmd *adminSetupLinkCmd) Run(h *host) error {
	f, conf, err := openBeside(h, cmd.Flags, slog.DiscardHandler)
	if err != nil {
		return err
	}
	defer f.close()
	account, err := f.account(h, cmd.AccountID)
	if err != nil {
		return err
	}
	token, err := f.ops.NewSetupToken(h, account, cmd.AdminUser)
	switch {
	case fault.Is(err, fault.Conflict):
		return fmt.Errorf("account %s is set up already: its root user has a password", account)
	case fault.Is(err, fault.NotFound):
		return fmt.Errorf("account %s has no user %q; name the administrator with --admin-user", account, cmd.AdminUser)
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(h.stdout, "%s/setup/%s\n\nThe link works once, within %.0f hours. Links made before it work no more.\n",
		conf.URL(conf.Listen), url.PathEscape(string(token.Reveal())), ops.SetupLife.Hours())
	return err
}

// account is the one that is meant: the only one if none is named.
func (f *folder) account(ctx context.Context, named string) (name.Account, error) {
	var all []iam.Account
	err := f.store.View(ctx, func(tx *store.Tx) (err error) {
		all, err = tx.Accounts()
		return err
	})
	if err != nil {
		return 0, err
	}
	if named == "" && len(all) == 1 {
		return all[0].ID, nil
	}
	if named == "" {
		return 0, fmt.Errorf("there are %d accounts: name one with --account-id", len(all))
	}
	id, ok := name.ParseAccount(named)
	if !ok {
		return 0, fmt.Errorf("--account-id must have 12 digits, not all of them 0: %q", named)
	}
	for _, a := range all {
		if a.ID == id {
			return id, nil
		}
	}
	return 0, errors.New("there is no account " + named)
}
