package main

import (
	"fmt"
	"log/slog"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/fault"
)

type adminUnblockCmd struct {
	config.Flags
	AccountID string `help:"Number of the account, where there is more than one." placeholder:"DIGITS"`
	User      string `help:"Name of the user; root if it is left out." placeholder:"NAME"`
}

// Run lifts whatever keeps a user out. It is the way back for root, whom nobody
// else may let in again. The server may run meanwhile.
func (cmd *adminUnblockCmd) Run(h *host) error {
	f, _, err := openBeside(h, cmd.Flags, slog.DiscardHandler)
	if err != nil {
		return err
	}
	defer f.close()
	account, err := f.account(h, cmd.AccountID)
	if err != nil {
		return err
	}
	who := "root"
	if cmd.User != "" {
		who = fmt.Sprintf("user %q", cmd.User)
	}
	switch err := f.ops.UnblockByHost(h, account, cmd.User); {
	case fault.Is(err, fault.Conflict):
		return fmt.Errorf("%s of account %s is not blocked", who, account)
	case fault.Is(err, fault.NotFound):
		return fmt.Errorf("account %s has no %s", account, who)
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(h.stdout, "%s of account %s may sign in again.\n", who, account)
	return err
}
