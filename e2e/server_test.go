package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// binary builds warifu once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "warifu-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "warifu")
	if out, err := exec.Command("go", "build", "-o", path, "warifu/cmd/warifu").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// installation is what `warifu init --json` prints.
type installation struct {
	AccountID, AccountAlias, ConsoleURL, SetupURL, AccessKeyID, SecretAccessKey string

	dir string
}

// install makes a data folder.
func install(t *testing.T, args ...string) *installation {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	in := &installation{dir: filepath.Join(t.TempDir(), "data")}
	cmd := exec.Command(path, append([]string{"init", "--data", in.dir, "--json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, in); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return in
}

// serve starts the server on a free port and returns its URL when it is ready.
func (in *installation) serve(t *testing.T, args ...string) (base string, process *exec.Cmd) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cmd := exec.Command(path, append([]string{"serve", "--data", in.dir, "--listen", address}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			t.Log(s.Text())
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-logged
		cmd.Wait()
	})
	base = "http://" + address
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(base + "/")
		if err == nil {
			resp.Body.Close()
			return base, cmd
		}
	}
	t.Fatal("the server did not get ready within 20 s")
	return "", nil
}
