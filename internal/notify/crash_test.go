package notify_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"warifu/internal/notify"
	"warifu/internal/ops"
	"warifu/internal/password"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/internal/testkit"
	"warifu/internal/testkit/pg"
)

// crashing holds, for the process that is killed: the database, the port of the
// mail server, and its certificate.
const crashing = "WARIFU_TEST_CRASH"

const readers = 12 // users who are told things

// TestMain is the process that is killed, when it was started as such.
func TestMain(m *testing.M) {
	if args := os.Getenv(crashing); args != "" {
		crash(strings.Split(args, "\n"))
		return
	}
	os.Exit(m.Run())
}

// crash runs a server that makes keys for users as fast as it can, and sends what
// they are told, until it is killed. Each key is printed once it is committed.
func crash(args []string) {
	port, _ := strconv.Atoi(args[1])
	s, _, call := crashServer(args[0], time.Now)
	sender := crashSender(s, port, args[2], time.Now)
	go sender.Run(context.Background())
	ctx := context.Background()
	var all sync.WaitGroup
	var out sync.Mutex
	for i := range readers {
		all.Go(func() {
			user := ops.Ref{Name: reader(i)}
			left, err := ops.Run(ctx, s, call, ops.ListAccessKeys, ops.UserListing{User: user}) // by one that was killed
			for j := 0; err == nil && j < len(left.Items); j++ {
				_, err = ops.Run(ctx, s, call, ops.DeleteAccessKey, ops.KeyIn{User: user, Key: left.Items[j].ID})
			}
			for err == nil {
				var k *ops.NewKey
				if k, err = ops.Run(ctx, s, call, ops.CreateAccessKey, ops.UserIn{User: user}); err == nil {
					out.Lock()
					fmt.Println("told", i, k.ID)
					out.Unlock()
					_, err = ops.Run(ctx, s, call, ops.DeleteAccessKey, ops.KeyIn{User: user, Key: k.ID})
				}
				time.Sleep(time.Duration(rand.IntN(80)) * time.Millisecond)
			}
			fmt.Println("error", err)
		})
	}
	all.Wait()
}

func reader(i int) string { return fmt.Sprintf("reader%d", i) }

// crashServer opens a server on a database, with keys that are the same each
// time, and fills an empty one.
func crashServer(dsn string, now func() time.Time) (*ops.Server, *store.Store, ops.Call) {
	must := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	st, err := store.Open(ctx, dsn, store.Options{})
	must(err)
	kms, err := seal.NewFileKeys(testkit.Rand("the same keys"))
	must(err)
	chance := testkit.Rand(strconv.FormatInt(time.Now().UnixNano(), 36))
	vault, err := ops.OpenVault(ctx, st, kms, chance, now())
	must(err)
	s, err := ops.New(ops.Config{
		Store: st, Keys: vault, Gate: password.NewGate(1, 1), Now: now, Rand: chance, Log: slog.New(slog.DiscardHandler),
		Delivery: ops.Delivery{Mail: ops.Sending{On: true}},
	})
	must(err)
	done, err := s.Bootstrapped(ctx)
	must(err)
	if !done {
		_, err = s.Bootstrap(ctx, ops.BootstrapIn{Account: testkit.Account, Admin: "admin"})
		must(err)
	}
	call := ops.Call{Source: ops.Source{Door: "aws", Service: "iam", IP: netip.MustParseAddr("192.0.2.7")}}
	var key string
	must(st.View(ctx, func(tx *store.Tx) error {
		u, err := tx.UserByName(testkit.Account, "admin")
		if err != nil {
			return err
		}
		keys, err := tx.Keys(testkit.Account, u.ID, "", 1)
		if err == nil {
			key = keys[0].ID
		}
		return err
	}))
	cred, err := s.Credential(ctx, key, "")
	must(err)
	call.Caller = cred.Caller
	for i := 0; i < readers && !done; i++ {
		u, err := ops.Run(ctx, s, call, ops.CreateUser, ops.CreateUserIn{Name: reader(i)})
		must(err)
		u.User.Email = reader(i) + "@example.com"
		must(st.Update(ctx, func(tx *store.Tx) error { return tx.UpdateUser(&u.User) }))
	}
	return s, st, call
}

func crashSender(s *ops.Server, port int, ca string, now func() time.Time) *notify.Sender {
	words, err := notify.NewWords("Warifu", &url.URL{Scheme: "https", Host: "iam.example.com"})
	if err != nil {
		panic(err)
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	c, err := notify.NewSMTP(notify.SMTP{
		Host: "localhost", Port: port, Security: notify.STARTTLS, Username: login, Password: seal.NewSecret([]byte(pass)), From: from, Roots: roots,
	})
	if err != nil {
		panic(err)
	}
	return notify.New(notify.Config{Queue: s, Words: words, Mail: c, Now: now, Log: slog.New(slog.DiscardHandler)})
}

// No mail is lost when the server is killed, whenever that is: what was committed
// arrives, in order and perhaps twice. K-6.
func TestKillLosesNoMail(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killLosesNoMail(t, filepath.Join(t.TempDir(), "warifu.db")) })
	t.Run("postgres", func(t *testing.T) { killLosesNoMail(t, pg.DSN(t)) })
}

func killLosesNoMail(t *testing.T, dsn string) {
	m := serveMail(t, false)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, m.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	_, st, _ := crashServer(dsn, time.Now)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	told := map[string][]string{} // to whom, which keys
	n := 0
	for range 3 {
		for _, line := range killed(t, dsn, m, ca, 60) {
			i, key, _ := strings.Cut(line, " ")
			told["reader"+i+"@example.com"] = append(told["reader"+i+"@example.com"], key)
			n++
		}
	}
	// The next server finds what the dead ones left; what they had taken is free
	// again after a while.
	later := func() time.Time { return time.Now().Add(3 * time.Minute) }
	s, st, _ := crashServer(dsn, later)
	defer st.Close()
	sender := crashSender(s, m.port(), ca, later)
	for {
		n, err := sender.Once(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	got := m.mails()
	arrived := map[string]string{} // key to Message-ID
	order := map[string][]string{}
	for _, r := range got {
		key := keyID.FindString(r.Text)
		if id, twice := arrived[key]; twice && id != r.ID {
			t.Errorf("%s came as two mails", key)
		} else if !twice {
			order[r.To] = append(order[r.To], key)
		}
		arrived[key] = r.ID
	}
	for to, keys := range told {
		last := -1
		for _, k := range keys {
			at := slices.Index(order[to], k)
			if at < 0 {
				t.Errorf("%s was made, and the mail to %s is lost", k, to)
			} else if at < last {
				t.Errorf("the mails to %s came out of order", to)
			}
			last = max(last, at)
		}
	}
	if n < 150 {
		t.Errorf("only %d things were told: the test saw too little", n)
	}
	t.Logf("%d told, %d mails, %d of them twice", n, len(got), len(got)-len(arrived))
}

var keyID = regexp.MustCompile(`AKIA[A-Z0-9]+`)

// killed runs the process until it has told enough, kills it, and returns what it
// told.
func killed(t *testing.T, dsn string, m *mailServer, ca string, enough int) (told []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashing+"="+strings.Join([]string{dsn, strconv.Itoa(m.port()), ca}, "\n"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if what, ok := strings.CutPrefix(lines.Text(), "told "); ok {
			told = append(told, what)
		} else {
			t.Errorf("the server says: %s", lines.Text())
		}
		if len(told) == enough {
			cmd.Process.Signal(syscall.SIGKILL) //nolint:errcheck // Wait tells
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("it ended by itself: %v", err)
	}
	return told
}
