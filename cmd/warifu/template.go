package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"warifu/cmd/warifu/internal/config"
	"warifu/internal/ops"
)

type applyTemplateCmd struct {
	config.Flags
	Template  string   `arg:"" help:"account-administrator, resource-administrator, om-engineer or application." placeholder:"NAME"`
	User      []string `help:"Name of a user who gets it; made if there is none." placeholder:"NAME"`
	Network   []string `help:"Network from which account administrators may work; anywhere without it." placeholder:"CIDR"`
	Role      string   `help:"Name of an application's role." placeholder:"NAME"`
	Trusted   string   `help:"Who may assume that role, as the RAM language names a user, a role or an account; instances of ECS without it." placeholder:"NAME"`
	AccountID string   `help:"Number of the account, where there is more than one." placeholder:"DIGITS"`
	JSON      bool     `help:"Print JSON."`
}

// Run applies a template as the root user of the account. The server may run
// meanwhile. Who reads the data folder owns the server anyway, so nothing more is
// asked.
func (cmd *applyTemplateCmd) Run(h *host) error {
	in := ops.ApplyTemplateIn{Template: cmd.Template, Users: cmd.User, Role: cmd.Role, Trusted: cmd.Trusted}
	for _, text := range cmd.Network {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("--network must be a network such as 192.0.2.0/24: %q", text)
		}
		in.Networks = append(in.Networks, n.Masked())
	}
	f, _, err := openBeside(h, cmd.Flags, slog.DiscardHandler)
	if err != nil {
		return err
	}
	defer f.close()
	account, err := f.account(h, cmd.AccountID)
	if err != nil {
		return err
	}
	call, err := f.ops.HostCall(h, account)
	if err != nil {
		return err
	}
	made, err := ops.Run(h, f.ops, call, ops.ApplyTemplate, in)
	if err != nil {
		return err
	}
	return cmd.print(h, made)
}

// print says what there is now. First passwords are shown this once.
func (cmd *applyTemplateCmd) print(h *host, made *ops.AppliedTemplate) error {
	type user struct{ Name, Password string }
	out := struct {
		Template, Group string
		Policies        []string
		Users           []user
		Role            string `json:",omitempty"`
	}{Template: made.Template, Group: made.Group, Policies: made.Policies, Users: []user{}}
	for _, u := range made.Users {
		out.Users = append(out.Users, user{u.Name, string(u.Password.Reveal())})
	}
	if made.Role != nil {
		out.Role = made.Role.ARN()
	}
	if cmd.JSON {
		enc := json.NewEncoder(h.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(out)
	}
	fmt.Fprintf(h.stdout, "The group %s has the policies %s.\n", out.Group, strings.Join(out.Policies, ", "))
	for _, u := range out.Users {
		if u.Password == "" {
			fmt.Fprintf(h.stdout, "The user %s is a member.\n", u.Name)
		} else {
			fmt.Fprintf(h.stdout, "The user %s is a member and signs in for the first time with the password %s\n", u.Name, u.Password)
		}
	}
	if out.Role != "" {
		fmt.Fprintf(h.stdout, "The role is %s.\n", out.Role)
	}
	return nil
}
