package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is also the program: a test that runs os.Args[0] with this
// variable set runs warifu.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_RUNS_WARIFU") != "" {
		os.Unsetenv("TEST_RUNS_WARIFU")
		main()
		return
	}
	testscript.Main(m, map[string]func(){"warifu": main})
}

// TestScripts runs the program as a person does: testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"mode": scriptMode, "freeport": scriptFreePort, "await": scriptAwait,
		},
	})
}

// scriptMode checks the permissions of a file: mode 0600 FILE.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := info.Mode().Perm(); (got == os.FileMode(want)) == neg {
		ts.Fatalf("%s has mode %04o", args[1], got)
	}
}

// scriptFreePort puts unused addresses into variables: freeport A B.
func scriptFreePort(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Setenv(name, freePort(ts))
	}
}

type fataler interface{ Fatalf(string, ...any) }

func freePort(t fataler) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer l.Close()
	return l.Addr().String()
}

// scriptAwait waits until an admin listener says that the server is ready:
// await ADDRESS.
func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(awaitReady(args[0]))
}

func awaitReady(admin string) (err error) {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var res *http.Response
		if res, err = http.Get("http://" + admin + "/readyz"); err != nil {
			continue
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return nil
		}
		err = fmt.Errorf("%s", res.Status)
	}
	return fmt.Errorf("the server is not ready: %w", err)
}
