package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// warifu returns the program as a process.
func warifu(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "TEST_RUNS_WARIFU=1")
	return cmd
}

// run runs a host command to its end.
func run(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := warifu(args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("warifu %s: %v\n%s", strings.Join(args, " "), err, &errs)
	}
	return out
}

// initFolder initialises a data folder and returns what it printed.
func initFolder(t testing.TB) (data string, first firstCredentials) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	if err := json.Unmarshal(run(t, "init", "--data", data, "--account-id", "123456789012", "--json"), &first); err != nil {
		t.Fatal(err)
	}
	return data, first
}

// process is a server in a process of its own.
type process struct {
	*exec.Cmd
	public, admin string
	log           *lockedBuffer
	ended         chan struct{} // closed when it has ended
}

// serve starts a server and waits until it is ready.
func serve(t testing.TB, data string, more ...string) *process {
	t.Helper()
	p := &process{public: freePort(t), admin: freePort(t), log: &lockedBuffer{}, ended: make(chan struct{})}
	p.Cmd = warifu(append([]string{"serve", "--data", data, "--listen", p.public, "--admin-listen", p.admin}, more...)...)
	p.Stdout, p.Stderr = p.log, p.log
	p.start(t)
	return p
}

func (p *process) start(t testing.TB) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.Wait() //nolint:errcheck // tests look at ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.Process.Kill() //nolint:errcheck // it may have ended
		<-p.ended
	})
	if err := awaitReady(p.admin); err != nil {
		t.Fatalf("%v\n%s", err, p.log)
	}
}

// end sends a signal and returns the exit status, -1 after a fatal signal.
func (p *process) end(t testing.TB, s os.Signal) int {
	t.Helper()
	p.signal(t, s)
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("the server does not end\n%s", p.log)
	}
	return p.ProcessState.ExitCode()
}

func (p *process) signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// client is an IAM client of AWS's SDK that tries each call once.
func (p *process) client(keyID, secret string) *iam.Client {
	return iam.New(iam.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + p.public),
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""), Retryer: aws.NopRetryer{},
	})
}

// lockedBuffer is a buffer that a process writes and a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// status returns what the admin listener answers for a path.
func (p *process) status(path string) int {
	res, err := http.Get("http://" + p.admin + path)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

var background = context.Background()

const (
	sigterm = syscall.SIGTERM
	sigkill = syscall.SIGKILL
)
