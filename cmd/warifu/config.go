package main

import (
	"fmt"

	"warifu/cmd/warifu/internal/config"
)

type configPrintCmd struct {
	config.Flags
}

// Run prints the effective configuration.
func (cmd *configPrintCmd) Run(h *host) error {
	conf, err := config.Load(cmd.Flags, h.environ)
	if err != nil {
		return err
	}
	return conf.Print(h.stdout)
}

type configCheckCmd struct {
	config.Flags
}

// Run says that the configuration is good, or fails.
func (cmd *configCheckCmd) Run(h *host) error {
	conf, err := config.Load(cmd.Flags, h.environ)
	if err == nil {
		_, err = services(conf)
	}
	if err == nil {
		_, err = oracleLimits(conf)
	}
	if err == nil {
		_, err = passkeys(conf)
	}
	if err == nil {
		_, _, err = carriers(conf)
	}
	if err == nil {
		_, err = fmt.Fprintln(h.stdout, "The configuration is good.")
	}
	return err
}
