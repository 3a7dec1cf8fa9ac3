package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// needsMFA is the heart of AWS's tutorial: nothing without a second factor.
const needsMFA = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}}`

// terminal is a person's terminal, with files of the AWS command line of its own.
type terminal struct {
	t   *testing.T
	dir string
}

func newTerminal(t *testing.T) *terminal { return &terminal{t, t.TempDir()} }

func (m *terminal) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(environ(), "AWS_CONFIG_FILE="+filepath.Join(m.dir, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(m.dir, "credentials"),
		"WARIFU_LOGINS="+filepath.Join(m.dir, "logins"), "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_PAGER=")
	cmd.Env = append(cmd.Env, "AWS_EC2_METADATA_DISABLED=true")
	return cmd
}

// run runs a command to its end and returns what it printed.
func (m *terminal) run(ok bool, name string, args ...string) string {
	m.t.Helper()
	out, err := m.command(name, args...).CombinedOutput()
	if (err == nil) != ok {
		m.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// login starts warifu login and returns the address that it prints, and what waits
// for its end.
func (m *terminal) login(s *site, args ...string) (address string, end func() string) {
	m.t.Helper()
	cmd := m.command(world.binary, append([]string{"login", "--url", s.base}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { cmd.Process.Kill() }) //nolint:errcheck // it may have ended
	lines := bufio.NewScanner(stderr)
	for address == "" && lines.Scan() {
		if i := strings.Index(lines.Text(), "http://"); i >= 0 && !strings.HasPrefix(lines.Text(), "Open") {
			address = strings.TrimSpace(lines.Text()[i:])
		}
	}
	return address, func() string {
		m.t.Helper()
		rest, _ := io.ReadAll(stderr)
		if err := cmd.Wait(); err != nil {
			m.t.Fatalf("warifu login: %v\n%s%s", err, rest, out.String())
		}
		return out.String()
	}
}

// A command line is signed in through the browser with the second factor, on this
// computer and by a code; its credentials are refreshed until the session ends.
func TestCommandLineSignIn(t *testing.T) {
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	b.signIn(s, "alice").at("/console")
	phone := b.bind()
	_, err := s.iam.PutUserPolicy(context.Background(), &iam.PutUserPolicyInput{
		UserName: aws.String("alice"), PolicyName: aws.String("force"), PolicyDocument: aws.String(needsMFA),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.signOut()

	m := newTerminal(t)
	address, end := m.login(s, "--print", "--profile", "here")
	b.visit(address)
	b.fill(b.w("signin.account"), s.AccountID).fill(b.w("signin.user"), "alice").fill(b.w("signin.password"), userPassword).click(b.w("signin.do"))
	b.fill(b.w("signin.code.label"), phone.code()).click(b.w("signin.code.do"))
	b.says(b.w("cli.title"), "127.0.0.1", b.w("cli.mfa.yes")).look("consent")
	b.click(b.w("cli.approve")).says("You can close this page")
	if out := end(); !strings.Contains(out, "Signed in as arn:aws:iam::"+s.AccountID+":user/alice") {
		t.Errorf("it says %q", out)
	}
	who := func(profile string) string {
		return m.run(true, "aws", "sts", "get-caller-identity", "--profile", profile, "--endpoint-url", s.base, "--query", "Arn", "--output", "text")
	}
	if got := who("here"); !strings.Contains(got, ":user/alice") {
		t.Errorf("it is %s", got)
	}
	if got := m.run(true, "aws", "iam", "list-users", "--profile", "here", "--endpoint-url", s.base, "--query", "Users[].UserName", "--output", "text"); !strings.Contains(got, "alice") {
		t.Errorf("with MFA: %s", got)
	}

	address, end = m.login(s, "--device", "--profile", "there")
	b.visit(address).says(b.w("cli.device.title")).look("device")
	b.click(b.w("form.continue")).says(b.w("cli.remote.title"), "warifu/").look("consent for a device")
	b.click(b.w("cli.approve")).at("/security").says(b.w("flash.cli.approved"), b.w("cli.list.title")).look("security with command lines")
	end()
	if got := who("there"); !strings.Contains(got, ":user/alice") {
		t.Errorf("it is %s", got)
	}
	first := m.credentials("there")
	m.age("there")
	if next := m.credentials("there"); next.AccessKeyID == first.AccessKeyID {
		t.Error("the credentials were not refreshed")
	}
	who("there")

	address, end = m.login(s, "--print", "--profile", "no")
	b.visit(address).click(b.w("cli.refuse")).says("It was refused")
	_ = end // it fails, as it must

	b.visit("/security").signOut()
	for _, profile := range []string{"here", "there"} {
		m.age(profile)
		if out := m.run(false, world.binary, "credentials", "--profile", profile); !strings.Contains(out, "the sign-in has ended") {
			t.Errorf("after signing out: %s", out)
		}
	}
}

type processCredentials struct {
	Version     int
	AccessKeyID string `json:"AccessKeyId"`
	Expiration  time.Time
}

// credentials are what credential_process gets.
func (m *terminal) credentials(profile string) (c processCredentials) {
	m.t.Helper()
	out := m.run(true, world.binary, "credentials", "--profile", profile)
	if err := json.Unmarshal([]byte(out), &c); err != nil || c.Version != 1 || time.Until(c.Expiration) > 16*time.Minute {
		m.t.Fatalf("%v: %s", err, out)
	}
	return c
}

// age makes kept credentials old.
func (m *terminal) age(profile string) {
	m.t.Helper()
	path := filepath.Join(m.dir, "logins", profile+".json")
	b, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	var kept map[string]any
	if err := json.Unmarshal(b, &kept); err != nil {
		m.t.Fatal(err)
	}
	kept["expires"] = "2020-01-01T00:00:00Z"
	if b, err = json.Marshal(kept); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		m.t.Fatal(err)
	}
}
