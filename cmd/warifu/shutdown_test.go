package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// halfRequest sends all but the last byte of a signed CreateUser; the function
// returned sends the rest and reads the answer.
func halfRequest(t *testing.T, p *process, first firstCredentials, user string) (finish func() (*http.Response, error)) {
	t.Helper()
	body := "Action=CreateUser&Version=2010-05-08&UserName=" + user
	r := httptest.NewRequest("POST", "http://"+p.public+"/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: first.AccessKeyID, SecretAccessKey: first.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(background, key, r, hex.EncodeToString(sum[:]), "iam", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", p.public)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var head strings.Builder
	fmt.Fprintf(&head, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", p.public, len(body))
	r.Header.Write(&head) //nolint:errcheck // a builder takes everything
	if _, err := io.WriteString(conn, head.String()+"\r\n"+body[:len(body)-1]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // the server has it
	return func() (*http.Response, error) {
		if _, err := io.WriteString(conn, body[len(body)-1:]); err != nil {
			return nil, err
		}
		return http.ReadResponse(bufio.NewReader(conn), nil)
	}
}

// A request that was taken is answered, while supervisors are told to send no
// more and new connections are refused.
func TestShutdownDrains(t *testing.T) {
	data, first := initFolder(t)
	p := serve(t, data)
	finish := halfRequest(t, p, first, "late")
	p.signal(t, sigterm)
	for deadline := time.Now().Add(5 * time.Second); p.status("/readyz") != http.StatusServiceUnavailable; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still ready\n%s", p.log)
		}
	}
	if got := p.status("/livez"); got != http.StatusOK {
		t.Errorf("/livez while stopping: %d", got)
	}
	if conn, err := net.Dial("tcp", p.public); err == nil {
		conn.Close()
		t.Error("a new connection is taken while stopping")
	}
	res, err := finish()
	if err != nil {
		t.Fatalf("the request that was taken: %v\n%s", err, p.log)
	}
	if res.StatusCode != http.StatusOK {
		t.Errorf("the request that was taken: %s", res.Status)
	}
	<-p.ended
	if got := p.ProcessState.ExitCode(); got != 0 {
		t.Errorf("exit status %d\n%s", got, p.log)
	}
}

// A second signal ends the server at once, and what it holds is on disk anyway.
func TestSecondSignalForces(t *testing.T) {
	data, first := initFolder(t)
	p := serve(t, data)
	halfRequest(t, p, first, "never")
	p.signal(t, sigterm)
	for p.status("/readyz") == http.StatusOK {
		time.Sleep(5 * time.Millisecond)
	}
	began := time.Now()
	if got := p.end(t, sigterm); got == 0 {
		t.Error("exit status 0 after being forced")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	serve(t, data)
}

// systemd hears of readiness when requests are answered, and of the end.
func TestNotifiesSystemd(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	data, _ := initFolder(t)
	p := serve(t, data)
	heard := func() string {
		conn.SetReadDeadline(time.Now().Add(5 * time.Second)) //nolint:errcheck // fails the read
		b := make([]byte, 100)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	if got := heard(); got != "READY=1" {
		t.Errorf("heard %q", got)
	}
	p.end(t, sigterm)
	if got := heard(); got != "STOPPING=1" {
		t.Errorf("heard %q", got)
	}
}

// The admin listener has metrics without a user's name, and nothing of them is
// on the public one.
func TestMetricsNameNobody(t *testing.T) {
	data, first := initFolder(t)
	p := serve(t, data)
	res, err := halfRequest(t, p, first, "canary-user")()
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", res, err)
	}
	get := func(url string) (string, int) {
		res, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b), res.StatusCode
	}
	text, _ := get("http://" + p.admin + "/metrics")
	if want := `warifu_operations_total{door="aws",kind="",operation="CreateUser",result="allowed"} 1`; !strings.Contains(text, want) {
		t.Errorf("no %s in\n%s", want, text)
	}
	for _, secret := range []string{"canary-user", first.AccessKeyID, "123456789012"} {
		if strings.Contains(text, secret) {
			t.Errorf("the metrics tell %s", secret)
		}
	}
	for _, path := range []string{"/metrics", "/livez", "/readyz"} {
		if _, status := get("http://" + p.public + path); status == http.StatusOK {
			t.Errorf("the public listener answers %s", path)
		}
	}
	p.end(t, sigterm)
	if strings.Contains(p.log.String(), first.SecretAccessKey) {
		t.Error("the log holds the secret access key (K-2)")
	}
}
