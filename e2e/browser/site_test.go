package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// site is a server with its own data.
type site struct {
	AccountID, SetupURL, AccessKeyID, SecretAccessKey string

	base   string // scheme, host and port
	data   string // folder
	client *http.Client
	iam    *iam.Client
}

// newSite initialises a server and starts it, with a pretended EC2 behind it.
// settings are those of the server, as variables of the environment.
func newSite(t *testing.T, settings ...string) *site {
	t.Helper()
	address, data := freeAddress(t), filepath.Join(t.TempDir(), "data")
	s := &site{client: http.DefaultClient, data: data}
	s.base = "http://" + address // of localhost: passkeys need a name
	if slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(s, tlsSetting) }) {
		s.base, s.client = "https://"+address, trusting(t, settings, address)
	}

	setup := exec.Command(world.binary, "init", "--data", data, "--listen", address, "--json")
	setup.Stderr, setup.Env = os.Stderr, environ()
	out, err := setup.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, s); err != nil {
		t.Fatalf("%v in %s", err, out)
	}

	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(world.binary, "serve", "--data", data, "--listen", address, "--demo")
	cmd.Stderr, cmd.Env = log, append(environ(), settings...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // it was killed
		log.Close()
		if t.Failed() {
			b, _ := os.ReadFile(log.Name())
			t.Logf("the server's log:\n%s", b)
		}
	})
	s.await(t)
	s.iam = iam.New(iam.Options{
		Region: "us-east-1", BaseEndpoint: &s.base, HTTPClient: s.client,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, ""),
	})
	return s
}

func (s *site) await(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := s.client.Get(s.base + "/")
		if err == nil {
			resp.Body.Close()
			return
		}
	}
	t.Fatal("the server did not get ready within 30 s")
}

// environ is the environment without settings of the server.
func environ() []string {
	return slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "WARIFU_") })
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint("localhost:", l.Addr().(*net.TCPAddr).Port)
}

// What stands ready before a test begins is made over the API; what the test is
// about is done in the browser.

const userPassword = "tall ships sail at dawn"

// password gives a user a password.
func (s *site) password(t *testing.T, user string, mustChange bool) {
	t.Helper()
	_, err := s.iam.CreateLoginProfile(context.Background(), &iam.CreateLoginProfileInput{
		UserName: &user, Password: aws.String(userPassword), PasswordResetRequired: mustChange,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// user makes a user with a password and policies of the vendor's.
func (s *site) user(t *testing.T, name string, policies ...string) {
	t.Helper()
	if _, err := s.iam.CreateUser(context.Background(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	for _, p := range policies {
		_, err := s.iam.AttachUserPolicy(context.Background(), &iam.AttachUserPolicyInput{
			UserName: &name, PolicyArn: aws.String("arn:aws:iam::aws:policy/" + p),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.password(t, name, false)
}
