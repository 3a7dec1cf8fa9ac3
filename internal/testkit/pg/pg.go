package pg

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// advice ends the message of a test that finds no PostgreSQL.
	advice = "install it with `apt-get install postgresql`, as `make test` does, or name a server in WARIFU_TEST_PG"

	startTimeout = 60 * time.Second
	role         = "warifu"
)

// DSN returns the URL of an empty database that belongs to the test and is
// dropped after it. A machine without PostgreSQL fails the test.
func DSN(t testing.TB) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return s.create(t, "")
}

// Like returns the URL of a copy of the database that fill makes of an empty one,
// once for all tests of the binary, which hand in the same fill. The copy belongs to
// the test and is dropped after it.
func Like(t testing.TB, fill func(dsn string) error) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	s.fill.Do(func() {
		model := fmt.Sprintf("warifu_model_%d", os.Getpid())
		if s.failed = s.sql("CREATE DATABASE " + model); s.failed == nil {
			s.failed = fill(s.dsn(model))
		}
		s.model = " TEMPLATE " + model
	})
	if s.failed != nil {
		t.Fatal(s.failed)
	}
	return s.create(t, s.model)
}

// create makes a database for a test.
func (s *server) create(t testing.TB, how string) string {
	t.Helper()
	db := fmt.Sprintf("warifu_test_%d_%d", os.Getpid(), serial.Add(1))
	if err := s.sql("CREATE DATABASE " + db + how); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.sql("DROP DATABASE IF EXISTS " + db + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return s.dsn(db)
}

func (s *server) dsn(db string) string {
	u := *s.url
	u.Path = "/" + db
	return u.String()
}

var serial atomic.Int64

// server is a PostgreSQL that runs.
type server struct {
	url *url.URL
	// alive is the guard's input: closing it ends the server, and so would the
	// garbage collector if nothing held it. nil for a server that was there.
	alive io.Closer

	fill   sync.Once
	model  string // how a copy is made
	failed error  // to fill it
}

// shared returns the server of all tests of the binary: the one that
// WARIFU_TEST_PG names, or one that is started here.
var shared = sync.OnceValues(func() (*server, error) {
	dsn := os.Getenv("WARIFU_TEST_PG")
	if dsn == "" {
		return start()
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("WARIFU_TEST_PG is no URL")
	}
	return &server{url: u}, nil
})

// sql runs a statement that no transaction may hold, with psql, so that tests
// bring no second driver.
func (s *server) sql(statement string) error {
	psql, err := binary("psql")
	if err != nil {
		return err
	}
	out, err := exec.Command(psql, "-X", "-q", "-d", s.url.String(), "-c", statement).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", statement, err, out)
	}
	return nil
}

// binary finds a program of the newest PostgreSQL: Debian keeps them out of
// PATH.
func binary(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4])
		return n
	}
	sort.Slice(found, func(i, j int) bool { return version(found[i]) > version(found[j]) })
	if len(found) > 0 {
		return found[0], nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("the test needs PostgreSQL, and there is no %s: %s", name, advice)
}

// The server runs under a shell that waits for the end of its input, which
// comes when the test binary ends in whatever way, and then stops the server
// and removes its folder. Nothing is synced: the data is for one test run.
const guard = `
"$1" -D "$2/data" -k "$2" -c listen_addresses= -c fsync=off -c full_page_writes=off \
	-c max_connections=200 -c shared_buffers=32MB -c autovacuum=off >"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$2"
`

func start() (*server, error) {
	initdb, err := binary("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := binary("postgres")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "warifu-pg-")
	if err != nil {
		return nil, err
	}
	as, err := owner(dir)
	if err != nil {
		return nil, err
	}
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true} // a ^C reaches the test, not the server
		return cmd
	}
	if out, err := run(initdb, "-D", dir+"/data", "-U", role, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	cmd := run("/bin/sh", "-c", guard, "sh", postgres, dir)
	alive, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	u := &url.URL{Scheme: "postgres", User: url.User(role), Path: "/postgres", RawQuery: url.Values{"host": {dir}}.Encode()}
	s := &server{url: u, alive: alive}
	return s, s.await(dir)
}

// owner gives the folder to a user that PostgreSQL consents to run as, and
// returns that user's credentials; nil when this process is not root.
func owner(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody: %w", err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}

// await waits until the server answers.
func (s *server) await(dir string) (err error) {
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, e := os.Stat(dir + "/.s.PGSQL.5432"); e != nil {
			err = e
			continue
		}
		if err = s.sql("SELECT 1"); err == nil {
			return nil
		}
	}
	log, _ := os.ReadFile(dir + "/log")
	return fmt.Errorf("PostgreSQL did not start: %w\n%s", err, bytes.TrimSpace(log))
}
