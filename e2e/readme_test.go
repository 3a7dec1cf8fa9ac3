package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/internal/factor/totp"
)

// command is a command of the README and what it says that it prints.
type command struct {
	line int
	text string
	want []string
}

// transcript reads the console blocks of the README.
func transcript(t *testing.T) []command {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []command
	inside := false
	for i, line := range strings.Split(string(text), "\n") {
		switch {
		case line == "```console":
			inside = true
		case line == "```":
			inside = false
		case inside && strings.HasPrefix(line, "$ "):
			all = append(all, command{line: i + 1, text: line[2:]})
		case inside:
			c := &all[len(all)-1]
			c.want = append(c.want, line)
		}
	}
	if len(all) < 20 {
		t.Fatalf("the README has %d commands; its tutorial was not found", len(all))
	}
	return all
}

// shell is one bash that lives through the whole transcript.
type shell struct {
	in  *os.File
	out *bufio.Reader
}

func startShell(t *testing.T, env ...string) *shell {
	t.Helper()
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "--noprofile", "--norc")
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = "..", inR, outW, outW
	cmd.Env = append(os.Environ(), env...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	inR.Close()
	outW.Close()
	t.Cleanup(func() {
		inW.Close()
		cmd.Wait()
		outR.Close()
	})
	return &shell{inW, bufio.NewReader(outR)}
}

// run runs one command and returns the lines that it printed, on either stream,
// without empty ones.
func (s *shell) run(t *testing.T, text string) []string {
	t.Helper()
	const mark = "--end-of-command--"
	if _, err := fmt.Fprintf(s.in, "%s\necho %s\n", text, mark); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after %q", err, lines)
		}
		line = strings.TrimRight(line, "\n")
		if line == mark {
			return lines
		}
		if strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
}

// matches compares lines with what the README says, where … stands for
// anything.
func matches(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range want {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want[i]), "…", ".*")
		// Some versions of the command line say "aws: [ERROR]: " first.
		if !regexp.MustCompile("^(aws: \\[ERROR\\]: )?" + pattern + "$").MatchString(got[i]) {
			return false
		}
	}
	return true
}

// phone prints the codes that a phone would show, one step after the other,
// from the last one before now on. It reads the seed from the QR code's file,
// which the README's command wrote as Base32 for it.
const phone = `#!/bin/sh
sed -n 1p "$CODES"
sed -i 1d "$CODES"
`

// TestReadme runs the README's tutorial with the AWS command line, so that it
// cannot go stale.
func TestReadme(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Fatal("the AWS command line is missing: apt-get install awscli, as `make test` does")
	}
	in := install(t)
	base, _ := in.serve(t, "--demo")
	tools := t.TempDir()
	codes := filepath.Join(tools, "codes")
	if err := os.WriteFile(filepath.Join(tools, "phone"), []byte(phone), 0o700); err != nil {
		t.Fatal(err)
	}
	seedFile := filepath.Join(tools, "seed")
	sh := startShell(t,
		"PATH="+tools+":"+os.Getenv("PATH"), "CODES="+codes, "HOME="+tools, "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1",
		"AWS_ACCESS_KEY_ID="+in.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+in.SecretAccessKey,
		"AWS_CONFIG_FILE="+filepath.Join(tools, "none"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(tools, "none"))
	for _, c := range transcript(t) {
		text := strings.ReplaceAll(c.text, "http://localhost:7420", base)
		seed := strings.Contains(text, "create-virtual-mfa-device")
		if seed { // the test has no camera
			text = strings.NewReplacer("QRCodePNG", "Base32StringSeed", "qr.png", seedFile).Replace(text)
		}
		got := sh.run(t, text)
		if !matches(got, c.want) {
			t.Fatalf("README.md:%d: $ %s\nprinted\n%s\nwant\n%s", c.line, c.text, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
		if seed {
			writeCodes(t, seedFile, codes)
		}
	}
}

// writeCodes writes the codes of the step before now and of the next steps.
func writeCodes(t *testing.T, seedFile, codes string) {
	t.Helper()
	text, err := os.ReadFile(seedFile)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := totp.ParseSeed(string(text))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i := -1; i < 3; i++ {
		fmt.Fprintln(&out, totp.Code(seed, totp.Params{}, totp.Params{}.Step(time.Now())+int64(i)))
	}
	if err := os.WriteFile(codes, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
