package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

// commands is the command line.
type commands struct {
	Serve  serveCmd `cmd:"" help:"Serve a data folder; an empty one is initialised first."`
	Init   initCmd  `cmd:"" help:"Initialise a data folder and print the administrator's credentials, once."`
	Config struct {
		Print configPrintCmd `cmd:"" help:"Print every setting, its value and where it came from. Secrets are not shown."`
		Check configCheckCmd `cmd:"" help:"Check the configuration and do nothing else."`
	} `cmd:"" help:"Look at the configuration."`
	Keys struct {
		Rotate keysRotateCmd `cmd:"" help:"Seal every secret in the database with a new key, while the server runs."`
	} `cmd:"" help:"Manage the keys that seal secrets at rest."`
	Admin struct {
		Recover       adminRecoverCmd   `cmd:"" help:"Print a one-time link with which root gets a new password and a new second factor. Root and the administrators are told."`
		SetupLink     adminSetupLinkCmd `cmd:"" help:"Print a new set-up link for an account that is not set up yet, while the server runs."`
		Unblock       adminUnblockCmd   `cmd:"" help:"Let root, or a user, in again who has too many wrong passwords or is blocked, while the server runs."`
		OCIConfig     ociConfigCmd      `cmd:"" name:"oci-config" help:"Make an API key of Oracle's kind for a user, and a file that Oracle's SDKs and command line read."`
		Explain       explainCmd        `cmd:"" help:"Tell why a request of one of Oracle's clients was refused, by its opc-request-id, while the server runs."`
		ApplyTemplate applyTemplateCmd  `cmd:"" help:"Set up a job function: its group, policies, users and role, while the server runs."`
	} `cmd:"" help:"Do what only the host's operator may."`
	Policy      policyCmd      `cmd:"" help:"Test, simulate, explain, format and lint policy documents in files."`
	Audit       auditCmd       `cmd:"" help:"Export the trail, and verify that nobody has changed it."`
	Login       loginCmd       `cmd:"" help:"Sign the AWS command line in through a browser, with whatever factor the console asks for."`
	Logout      logoutCmd      `cmd:"" help:"End such a sign-in."`
	Credentials credentialsCmd `cmd:"" help:"Print the credentials of such a sign-in, for credential_process."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// host is what a command may touch of the machine.
type host struct {
	context.Context
	environ        []string
	stdout, stderr io.Writer
}

// Exit statuses.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	var c commands
	parser := kong.Must(&c, kong.Name("warifu"),
		kong.Description("An identity and access server: AWS's SDKs and command line talk to it unmodified."),
		kong.UsageOnError())
	command, err := parser.Parse(os.Args[1:])
	if err != nil {
		fail(exitUsage, err)
	}
	h := &host{context.Background(), os.Environ(), os.Stdout, os.Stderr}
	if err := command.Run(h); err != nil {
		fail(exitFailed, err)
	}
}

func fail(status int, err error) {
	fmt.Fprintln(os.Stderr, "warifu:", err)
	os.Exit(status)
}
