package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"warifu/policy"
	"warifu/policy/jsonc"
	"warifu/policy/oci"
)

// policyCmd works on policy documents in files, with the evaluator of the server. It
// needs no server.
type policyCmd struct {
	Test     policyTestCmd     `cmd:"" help:"Run a team's tests of its policies: given, when, then, with MFA and without."`
	Simulate policySimulateCmd `cmd:"" help:"Tell what policies say of a request: with MFA, without, and with an access key."`
	Explain  policyExplainCmd  `cmd:"" help:"Tell why: every statement about the action, and what each condition saw."`
	Fmt      policyFmtCmd      `cmd:"" help:"Format policy documents."`
	Lint     policyLintCmd     `cmd:"" help:"Find what is wrong in policy documents, and what may not mean what it seems to."`
}

type policyFmtCmd struct {
	Files []string `arg:"" name:"file" help:"Policy documents."`
	Kind  string   `enum:"managed,inline,trust,resource,session,boundary,scp,rcp" default:"inline" help:"What the documents are for: ${enum}."`
	Write bool     `short:"w" help:"Write the files instead of printing them."`
	Check bool     `help:"Print the names of files that are not formatted, and fail if there are any."`
}

// Run formats.
func (cmd *policyFmtCmd) Run(h *host) error {
	unformatted := 0
	for _, file := range cmd.Files {
		doc, err := readDocument(file, documentKinds[cmd.Kind])
		if err != nil {
			return err
		}
		src := doc.src
		if plain, err := jsonc.Strip(src); doc.language != oci.Language && (err != nil || !bytes.Equal(plain, src)) {
			return fmt.Errorf("%s has comments, which formatting would lose", file)
		}
		out := append(bytes.TrimRight(doc.format(), "\n"), '\n')
		switch {
		case cmd.Check:
			if !bytes.Equal(out, src) {
				unformatted++
				fmt.Fprintln(h.stdout, file)
			}
		case !cmd.Write:
			if _, err := h.stdout.Write(out); err != nil {
				return err
			}
		case !bytes.Equal(out, src):
			if err := os.WriteFile(file, out, 0o666); err != nil { //nolint:gosec // as the umask has it, like an editor
				return err
			}
		}
	}
	if unformatted > 0 {
		return fmt.Errorf("%d of %d files are not formatted", unformatted, len(cmd.Files))
	}
	return nil
}

type policyLintCmd struct {
	Files  []string `arg:"" name:"file" help:"Policy documents."`
	Kind   string   `enum:"managed,inline,trust,resource,session,boundary,scp,rcp" default:"managed" help:"What the documents are for: ${enum}."`
	Strict bool     `help:"Fail on findings, too, not only on errors."`
}

// Run lints. Findings are warnings; a document that is refused is an error.
func (cmd *policyLintCmd) Run(h *host) error {
	broken, findings := 0, 0
	for _, file := range cmd.Files {
		doc, err := readDocument(file, documentKinds[cmd.Kind])
		if err != nil {
			broken++
			fmt.Fprintf(h.stdout, "%v\n", err)
			continue
		}
		for _, f := range doc.findings() {
			findings++
			fmt.Fprintf(h.stdout, "%s:%d:%d: warning: %s\n", file, f.line, f.column, f.message)
		}
	}
	switch {
	case broken > 0:
		return fmt.Errorf("%d of %d documents are refused", broken, len(cmd.Files))
	case cmd.Strict && findings > 0:
		return fmt.Errorf("warnings: %d", findings)
	}
	return nil
}

type policyTestCmd struct {
	Files []string `arg:"" name:"cases" help:"YAML files with cases. Policies in them are found from where the file is."`
	JUnit string   `name:"junit" placeholder:"FILE" help:"Write the results as JUnit XML as well."`
	Quiet bool     `short:"q" help:"Print failures and the sum only."`
}

// Run tests. A case that fails is told with what decided.
func (cmd *policyTestCmd) Run(h *host) error {
	began := time.Now()
	var results []result
	for _, file := range cmd.Files {
		cases, err := readCases(file)
		if err != nil {
			return err
		}
		for i := range cases {
			r, err := cases[i].run(began)
			if err != nil {
				return err
			}
			results = append(results, r...)
		}
	}
	failed := 0
	for i := range results {
		r := &results[i]
		switch {
		case r.failure != "":
			failed++
			fmt.Fprintf(h.stdout, "FAIL %s\n     %s\n", r.name, strings.ReplaceAll(r.failure, "\n", "\n     "))
		case !cmd.Quiet:
			fmt.Fprintf(h.stdout, "ok   %s\n", r.name)
		}
	}
	if cmd.JUnit != "" {
		if err := writeFile(cmd.JUnit, func(w io.Writer) error { return junit(w, results, began) }); err != nil {
			return err
		}
	}
	fmt.Fprintf(h.stdout, "%d cases, %d failed\n", len(results), failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed", failed, len(results))
	}
	return nil
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// question is a request on the command line.
type question struct {
	Policy         []string          `short:"p" placeholder:"FILE" help:"Identity policies of the caller."`
	Boundary       string            `placeholder:"FILE" help:"Permissions boundary of the caller."`
	Session        []string          `placeholder:"FILE" help:"Session policies."`
	ResourcePolicy string            `placeholder:"FILE" help:"Policy of the resource."`
	Owner          string            `placeholder:"ACCOUNT" help:"Account of the resource, if it is not the caller's."`
	Trust          string            `placeholder:"FILE" help:"Trust policy of the role that is assumed."`
	SCP            []string          `name:"scp" placeholder:"FILE" help:"Service control policies, one level each."`
	RCP            []string          `name:"rcp" placeholder:"FILE" help:"Resource control policies, one level each."`
	Account        string            `default:"111122223333" help:"Account of the caller."`
	User           string            `xor:"who" help:"Name of the user who asks."`
	Role           string            `xor:"who" placeholder:"ROLE/SESSION" help:"Role session that asks."`
	Group          []string          `placeholder:"NAME" help:"Groups of the user, for Oracle's language."`
	Action         []string          `short:"a" required:"" placeholder:"SERVICE:OPERATION" help:"What is done; for Oracle's language an operation or a permission."`
	Resource       []string          `short:"r" default:"*" placeholder:"ARN" help:"What it is done to; for Oracle's language a compartment, such as Projects:Web."`
	Context        map[string]string `short:"c" placeholder:"KEY=VALUE" help:"Context keys of the request."`
	MFA            string            `enum:"all,yes,no,key" default:"all" help:"How the caller proved itself: with MFA, without, with a long-term access key, or each in turn."`
	MFAAge         time.Duration     `default:"0s" help:"How long ago MFA was proved."`
}

// asCase is the question as a case that expects nothing.
func (q *question) asCase() *testCase {
	c := &testCase{
		Given: given{
			Account: q.Account, User: q.User, Role: q.Role, Groups: q.Group, Policies: q.Policy, Boundary: q.Boundary, Session: q.Session,
			ResourcePolicy: q.ResourcePolicy, Owner: q.Owner, Trust: q.Trust, SCP: q.SCP, RCP: q.RCP,
			MFAAge: q.MFAAge.String(), Context: map[string]any{},
		},
		When: when{Action: q.Action, Resource: q.Resource},
	}
	for k, v := range q.Context {
		c.Given.Context[k] = v
	}
	return c
}

// ways are those that the question is asked in.
func (q *question) ways() []way {
	if q.MFA == "all" {
		return allWays
	}
	return []way{map[string]way{"yes": withMFA, "no": withoutMFA, "key": accessKey}[q.MFA]}
}

type policySimulateCmd struct {
	question
}

// Run prints a line for each action, resource and way.
func (cmd *policySimulateCmd) Run(h *host) error {
	return cmd.ask(func(w way, action, resource string, t *policy.Trace) {
		fmt.Fprintf(h.stdout, "%-13s %s on %s, %s: %s\n", t.Decision.Outcome, action, resource, w, reason(t))
	})
}

type policyExplainCmd struct {
	question
}

// Run prints the trace of each action, resource and way.
func (cmd *policyExplainCmd) Run(h *host) error {
	return cmd.ask(func(w way, action, resource string, t *policy.Trace) {
		fmt.Fprintf(h.stdout, "%s on %s, %s: %s\n%s", action, resource, w, t.Decision.Outcome, explanation(t))
	})
}

func (q *question) ask(tell func(w way, action, resource string, t *policy.Trace)) error {
	c := q.asCase()
	s, err := c.situation(time.Now())
	if err != nil {
		return err
	}
	for _, action := range c.When.Action {
		if err := s.checkAction(action); err != nil {
			return err
		}
		for _, resource := range c.When.Resource {
			for _, w := range q.ways() {
				tell(w, action, resource, s.explain(w, action, resource))
			}
		}
	}
	return nil
}
