package notify_test

import (
	"context"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"warifu/internal/iam"
	"warifu/internal/notify"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

var from = netmail.Address{Name: "Warifu, Example Ltd", Address: "iam@example.com"}

// office is a server whose mail goes to a real SMTP server.
type office struct {
	*testing.T
	w      *testkit.World
	server *mailServer
	sender *notify.Sender
	log    *strings.Builder
	seen   map[notify.Outcome]int
}

func carrier(t testing.TB, m *mailServer, security notify.Security, password string) notify.Carrier {
	t.Helper()
	c, err := notify.NewSMTP(notify.SMTP{
		Host: "localhost", Port: m.port(), Security: security, Username: login, Password: seal.NewSecret([]byte(password)),
		From: from, Roots: m.roots, Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newOffice(t *testing.T, w *testkit.World) *office {
	t.Helper()
	o := &office{T: t, w: w, server: serveMail(t, false), log: new(strings.Builder), seen: map[notify.Outcome]int{}}
	o.by(carrier(t, o.server, notify.STARTTLS, pass))
	return o
}

// by sends with another carrier from now on.
func (o *office) by(c notify.Carrier) {
	o.Helper()
	words, err := notify.NewWords("Warifu", &url.URL{Scheme: "https", Host: "iam.example.com"})
	if err != nil {
		o.Fatal(err)
	}
	o.sender = notify.New(notify.Config{
		Queue: o.w.Server, Words: words, Mail: c, Now: o.w.Clock.Now, Log: slog.New(slog.NewTextHandler(o.log, nil)),
		Observe: func(_ iam.Channel, r notify.Outcome) { o.seen[r]++ },
	})
}

// user makes a user with an address in the profile, who is told of things.
func (o *office) user(called, language string) {
	o.Helper()
	testkit.Do(o, o.w, o.w.Admin(o), ops.CreateUser, ops.CreateUserIn{Name: called})
	o.update(func(tx *store.Tx) error {
		u, err := tx.UserByName(testkit.Account, called)
		if err != nil {
			return err
		}
		u.Email = called + "@example.com"
		if err := tx.SetLanguage(u.Account, u.ID, language); err != nil {
			return err
		}
		return tx.UpdateUser(u)
	})
}

func (o *office) update(fn func(*store.Tx) error) {
	o.Helper()
	if err := o.w.Store.Update(context.Background(), fn); err != nil {
		o.Fatal(err)
	}
}

// tell has a user told something.
func (o *office) tell(called, reason string) {
	o.Helper()
	testkit.Do(o, o.w, o.w.Admin(o), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: called}, Reason: reason})
	o.w.Clock.Advance(time.Millisecond)
}

// send empties what is due.
func (o *office) send() {
	o.Helper()
	for {
		n, err := o.sender.Once(context.Background())
		if err != nil {
			o.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func (o *office) waiting() int {
	o.Helper()
	n, _, err := o.w.Backlog(context.Background(), iam.ChannelMail)
	if err != nil {
		o.Fatal(err)
	}
	return n
}

func each(t *testing.T, test func(*office)) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) { test(newOffice(t, w)) })
}

// A real conversation: STARTTLS, authentication, text and HTML in the reader's
// language, one connection for a batch.
func TestConversation(t *testing.T) {
	each(t, func(o *office) {
		for _, lang := range []string{"en", "ja", "zh"} {
			o.user("user-"+lang, lang)
			o.tell("user-"+lang, "a \"reason\" <b>")
		}
		o.send()
		got := o.server.mails()
		if len(got) != 3 || o.server.auths != 1 || o.waiting() != 0 || o.seen[notify.Sent] != 3 {
			o.Fatalf("%d mails over %d connections, %d wait, outcomes %v\n%s", len(got), o.server.auths, o.waiting(), o.seen, o.log)
		}
		for lang, want := range map[string][2]string{
			"en": {"Your user was blocked", "This was not me"}, "ja": {"ユーザーがブロックされました", "心当たりがない"}, "zh": {"您的用户已被锁定", "这不是我"},
		} {
			i := slices.IndexFunc(got, func(r received) bool { return r.To == "user-"+lang+"@example.com" })
			if i < 0 {
				o.Fatalf("no mail to user-%s", lang)
			}
			r := got[i]
			if r.Subject != want[0] || !strings.Contains(r.Text, want[1]) || !strings.Contains(r.HTML, want[1]) || !strings.Contains(r.Text, "https://iam.example.com/notme/wnot_") {
				o.Errorf("%s: %q\n%s", lang, r.Subject, r.Text)
			}
			if r.From != "iam@example.com" || !strings.Contains(r.Header.Get("From"), `"Warifu, Example Ltd" <iam@example.com>`) || r.Header.Get("Auto-Submitted") != "auto-generated" ||
				!strings.HasSuffix(r.ID, "@example.com>") || r.Header.Get("Date") == "" {
				o.Errorf("header: %v", r.Header)
			}
			for _, line := range strings.Split(r.Raw, "\r\n") {
				if len(line) > 998 { // RFC 5321, section 4.5.3.1.6
					o.Errorf("a line of %d bytes", len(line))
				}
			}
		}
	})
}

// TLS from the start works likewise, and without TLS or with a wrong certificate
// nothing is said at all. A wrong password keeps the mail, and is told nobody
// (K-2).
func TestSecureOrNotAtAll(t *testing.T) {
	o := newOffice(t, testkit.New(t))
	o.user("alice", "en")
	o.tell("alice", "one")

	plain := serveMail(t, false)
	plain.srv.TLSConfig = nil // offers no STARTTLS
	o.by(carrier(t, plain, notify.STARTTLS, pass))
	o.send()
	stranger := serveMail(t, false)
	o.w.Clock.Advance(time.Hour)
	_, other := certificate(t)
	stranger.roots = other
	o.by(carrier(t, stranger, notify.STARTTLS, pass))
	o.send()
	o.w.Clock.Advance(time.Hour)
	o.by(carrier(t, o.server, notify.STARTTLS, "another canary password"))
	o.send()
	if n := len(plain.mails()) + len(stranger.mails()) + len(o.server.mails()); n != 0 || o.waiting() != 1 || o.seen[notify.Later] != 3 {
		t.Fatalf("%d mails went out, %d wait, outcomes %v\n%s", n, o.waiting(), o.seen, o.log)
	}
	o.w.Clock.Advance(time.Hour)
	implicit := serveMail(t, true)
	o.by(carrier(t, implicit, notify.TLS, pass))
	o.send()
	if len(implicit.mails()) != 1 || o.waiting() != 0 {
		t.Errorf("%d mails, %d wait\n%s", len(implicit.mails()), o.waiting(), o.log)
	}
	if strings.Contains(o.log.String(), "canary") || strings.Contains(o.log.String(), "alice") {
		t.Errorf("the log tells a password or a name:\n%s", o.log)
	}
}

// What fails for now is tried again, later each time and in order; what is
// refused for good is given up, and the next ones go on.
func TestRetryInOrder(t *testing.T) {
	each(t, func(o *office) {
		o.user("alice", "en")
		o.user("gone", "en")
		o.user("bob", "en")
		busy := true
		o.server.onRcpt = func(to string) error {
			switch {
			case to == "gone@example.com":
				return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user gone@example.com"}
			case to == "alice@example.com" && busy:
				return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "greylisted"}
			}
			return nil
		}
		for _, reason := range []string{"first", "second", "third"} {
			o.tell("alice", reason)
		}
		o.tell("gone", "x")
		o.tell("bob", "only")
		o.send()
		if got := o.server.mails(); len(got) != 1 || got[0].To != "bob@example.com" || o.waiting() != 3 || o.seen[notify.Never] != 1 || o.seen[notify.Later] != 1 {
			o.Fatalf("%d mails, %d wait, outcomes %v", len(got), o.waiting(), o.seen)
		}
		var pauses []time.Duration
		for range 5 {
			began := o.w.Clock.Now()
			for tries := o.seen[notify.Later]; o.seen[notify.Later] == tries; o.send() {
				o.w.Clock.Advance(time.Second)
			}
			pauses = append(pauses, o.w.Clock.Now().Sub(began).Truncate(time.Second))
		}
		if !slices.IsSorted(pauses) || pauses[0] < 5*time.Second || pauses[4] < 15*time.Minute {
			o.Errorf("pauses: %v", pauses)
		}
		busy = false
		o.w.Clock.Advance(time.Hour)
		o.send()
		got := o.server.mails()
		if len(got) != 4 || o.waiting() != 0 {
			o.Fatalf("%d mails, %d wait", len(got), o.waiting())
		}
		d := testkit.Do(o, o.w, o.w.Admin(o), ops.GetDelivery, struct{}{})
		if d.Mail.Failed != 1 || len(d.Troubles) != 1 || d.Troubles[0].UserName != "gone" || !strings.Contains(d.Troubles[0].Why, "550 5.1.1") || strings.Contains(d.Troubles[0].Why, "@") {
			o.Errorf("delivery: %+v", d)
		}
		if o.log.Len() == 0 || strings.Contains(o.log.String(), "@example.com") {
			o.Errorf("the log holds an address, or nothing:\n%s", o.log)
		}
	})
}

// When the connection breaks in the middle, or after the server has taken the
// mail and before that is written down, the mail goes out again with the same
// Message-ID: at least once.
func TestBrokenConversations(t *testing.T) {
	each(t, func(o *office) {
		o.user("alice", "en")
		o.tell("alice", "one")
		tries := 0
		o.server.onData = func(string) error {
			if tries++; tries == 1 {
				return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "disk full"}
			}
			return nil
		}
		o.send()
		o.w.Clock.Advance(time.Hour)
		o.send()
		if n := len(o.server.mails()); n != 1 || o.waiting() != 0 || tries != 2 {
			o.Fatalf("%d mails after %d tries", n, tries)
		}

		// The sender dies when the server has the mail.
		o.tell("alice", "two")
		died := fmt.Errorf("died")
		o.by(diesAfter{carrier(o, o.server, notify.STARTTLS, pass), died})
		func() {
			defer func() {
				if recover() != died { //nolint:errorlint // it is the value itself
					o.Error("it did not die")
				}
			}()
			o.send()
		}()
		if o.waiting() != 1 || len(o.server.mails()) != 2 {
			o.Fatalf("%d wait, %d mails", o.waiting(), len(o.server.mails()))
		}
		o.by(carrier(o, o.server, notify.STARTTLS, pass))
		o.send()
		if len(o.server.mails()) != 2 {
			o.Error("somebody else took it at once")
		}
		o.w.Clock.Advance(3 * time.Minute)
		o.send()
		got := o.server.mails()
		if len(got) != 3 || o.waiting() != 0 || got[1].ID != got[2].ID || got[0].ID == got[1].ID {
			o.Errorf("%d mails: %v", len(got), got)
		}
	})
}

// diesAfter panics once its carrier is done, before anybody hears of it.
type diesAfter struct {
	notify.Carrier
	err error
}

func (d diesAfter) Carry(ctx context.Context, all []notify.Rendered, _ func(int, error)) {
	d.Carrier.Carry(ctx, all, func(int, error) {})
	panic(d.err)
}

// A code that nobody could be sent is given up when it has run out.
func TestCodesRunOut(t *testing.T) {
	o := newOffice(t, testkit.New(t))
	o.by(nil)
	o.user("alice", "ja")
	testkit.Do(t, o.w, o.w.Admin(t), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Address: "a@example.com"})
	o.w.Clock.Advance(25 * time.Hour)
	o.by(carrier(t, o.server, notify.STARTTLS, pass))
	o.send()
	if len(o.server.mails()) != 0 || o.waiting() != 0 {
		t.Errorf("%d mails, %d wait", len(o.server.mails()), o.waiting())
	}
}

// The folder holds what would have been sent.
func TestFolder(t *testing.T) {
	o := newOffice(t, testkit.New(t))
	dir := filepath.Join(t.TempDir(), "mail")
	o.by(notify.Folder{Path: dir, From: from})
	o.user("alice", "ja")
	o.tell("alice", "one")
	o.send()
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	got, err := parse(string(b))
	if err != nil || got.Subject != "ユーザーがブロックされました" || !strings.Contains(got.HTML, `lang="ja"`) {
		t.Errorf("%v: %s", err, b)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read it: %v, %v", info, err)
	}
}
