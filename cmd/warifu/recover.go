package main

import (
	"fmt"
	"log/slog"
	"net/url"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/fault"
	"warifu/internal/ops"
)

type adminRecoverCmd struct {
	config.Flags
	AccountID string `help:"Number of the account, where there is more than one." placeholder:"DIGITS"`
}

// Run prints a link to recover root, the break-glass of an account. The server may
// run meanwhile. Who reads the data folder owns the server anyway, so nothing more
// is asked; but everybody who should know is told.
func (cmd *adminRecoverCmd) Run(h *host) error {
	f, conf, err := openBeside(h, cmd.Flags, slog.NewTextHandler(h.stderr, nil))
	if err != nil {
		return err
	}
	defer f.close()
	account, err := f.account(h, cmd.AccountID)
	if err != nil {
		return err
	}
	token, err := f.ops.NewRecovery(h, account)
	if fault.Is(err, fault.Conflict) {
		return fmt.Errorf("the root user of account %s was never set up: get a set-up link with `warifu admin setup-link`", account)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h.stdout, "%s/recover/%s\n\nThe link works once, within %.0f minutes, while the server runs. Links made before it work no more.\nRoot and the administrators of account %s are told, and its trail shows it.\n",
		conf.URL(conf.Listen), url.PathEscape(string(token.Reveal())), ops.RecoveryLife.Minutes(), account)
	return err
}
