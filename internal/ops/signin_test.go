package ops_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/factor/passkey"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/password"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
	"warifu/internal/testkit"
	"warifu/internal/testkit/blank"
	"warifu/policy"
)

// home is a server that can be stopped and started again, and doubled: two nodes
// on one database.
type home struct {
	*testing.T
	dsn   string
	kms   seal.KMS
	clock *testkit.Clock
	rand  io.Reader

	*ops.Server
	store *store.Store
	setup seal.Secret // the first set-up token
	admin string      // the administrator's key
}

// clockAt is a clock that shows testkit.Epoch.
func clockAt() *testkit.Clock {
	c := new(testkit.Clock)
	for c.Now().Before(testkit.Epoch) {
		c.Advance(testkit.Epoch.Sub(c.Now())) // a Duration reaches 292 years
	}
	return c
}

// homes runs a test on both databases.
func homes(t *testing.T, test func(*home)) {
	t.Run("sqlite", func(t *testing.T) { test(newHome(t, blank.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(newHome(t, blank.Postgres(t))) })
}

func newHome(t *testing.T, dsn string) *home {
	h := &home{T: t, dsn: dsn, clock: clockAt(), rand: testkit.Rand(t.Name())}
	var err error
	h.kms, err = seal.NewFileKeys(h.rand)
	h.must(err)
	h.store, h.Server = h.start()
	t.Cleanup(func() { h.store.Close() })
	made, err := h.Bootstrap(context.Background(), ops.BootstrapIn{Account: testkit.Account, Alias: "acme", Admin: "admin"})
	h.must(err)
	h.setup, h.admin = made.SetupToken, made.AccessKeyID
	return h
}

// start opens the database and builds a server on it.
func (h *home) start() (*store.Store, *ops.Server) {
	h.Helper()
	st, err := store.Open(context.Background(), h.dsn, store.Options{})
	h.must(err)
	return st, h.node(st)
}

// node is a server of its own on an open database.
func (h *home) node(st *store.Store) *ops.Server { return h.nodeOf(st, testkit.Cost) }

// nodeOf is a node whose passwords cost so much.
func (h *home) nodeOf(st *store.Store, cost password.Cost) *ops.Server {
	h.Helper()
	vault, err := ops.OpenVault(context.Background(), st, h.kms, h.rand, h.clock.Now())
	h.must(err)
	s, err := ops.New(ops.Config{
		Store: st, Keys: vault, Gate: password.NewGate(2, 300), Cost: cost, Now: h.clock.Now, Rand: h.rand, Log: slog.New(slog.DiscardHandler),
	})
	h.must(err)
	h.must(s.UsePasskeys(context.Background(), passkey.Config{URL: consoleURL(h)}))
	return s
}

func (h *home) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// by is a call of the console; c is who is signed in.
func (h *home) by(c ops.Caller) ops.Call {
	return ops.Call{Caller: c, RequestID: h.NewRequestID(), Source: ops.Source{
		Door: "console", Service: "iam", IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "a browser", Secure: true,
	}}
}

// byAdmin is a call signed with the administrator's key.
func (h *home) byAdmin() ops.Call {
	h.Helper()
	c, err := h.Credential(context.Background(), h.admin, "")
	h.must(err)
	return h.by(c.Caller)
}

// run runs an operation that must succeed.
func run[In, Out any](h *home, call ops.Call, op ops.Op[In, Out], in In) Out {
	h.Helper()
	out, err := ops.Run(context.Background(), h.Server, call, op, in)
	if err != nil {
		h.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// no runs an operation that must fail with a kind of fault.
func no[In, Out any](h *home, kind fault.Kind, call ops.Call, op ops.Op[In, Out], in In) *fault.Error {
	h.Helper()
	_, err := ops.Run(context.Background(), h.Server, call, op, in)
	var f *fault.Error
	if err == nil || !asFault(err, &f) || f.Kind != kind {
		h.Fatalf("%s: error %v, want %s", op.Name, err, kind)
	}
	return f
}

// firstPassword is one that every policy here takes.
const firstPassword = "correct horse 7 Battery"

// user makes a user with firstPassword.
func (h *home) user(called string) *iam.User {
	h.Helper()
	u := run(h, h.byAdmin(), ops.CreateUser, ops.CreateUserIn{Name: called})
	run(h, h.byAdmin(), ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: called}, Password: secret(firstPassword)})
	return &u.User
}

// phone is an authenticator: the seed of a device in base32.
type phone string

func (h *home) code(p phone) string { return testkit.Code(h, string(p), h.clock.Now()) }

// pair is the code of the step before and that of now.
func (h *home) pair(p phone) (string, string) {
	return testkit.Code(h, string(p), h.clock.Now().Add(-30*time.Second)), h.code(p)
}

// tick moves the clock to a step of its own.
func (h *home) tick() { h.clock.Advance(time.Minute) }

// device binds a device to a user.
func (h *home) device(user string) (phone, *iam.Factor) {
	h.Helper()
	d := run(h, h.byAdmin(), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: user + fmt.Sprint(h.clock.Now().Unix())})
	p := phone(d.SeedText.Reveal())
	c1, c2 := h.pair(p)
	run(h, h.byAdmin(), ops.EnableMFADevice, ops.PairIn{User: ops.Ref{Name: user}, Serial: d.ARN(), Code1: c1, Code2: c2})
	h.tick()
	return p, &d.Factor
}

// browser keeps the cookies of one person.
type browser struct {
	*home
	flow, session seal.Secret
}

func (h *home) browser() *browser { return &browser{home: h} }

// submit sends a form and keeps the cookies of the answer.
func (b *browser) submit(form ops.Submission) *ops.SignInStep {
	b.Helper()
	step, err := b.try(form)
	b.must(err)
	return step
}

func (b *browser) try(form ops.Submission) (*ops.SignInStep, error) {
	step, err := ops.Run(context.Background(), b.Server, b.by(ops.Caller{}), ops.SignIn, ops.SignInIn{Flow: b.flow, Form: form})
	if err != nil {
		return nil, err
	}
	if !step.Cookie.Empty() {
		b.flow = step.Cookie
	}
	if step.Session != nil {
		b.session, b.flow = step.Session.Token, seal.Secret{}
	}
	return step, nil
}

// name sends the first form for a user of acme.
func (b *browser) name(user, pass string) *ops.SignInStep {
	b.Helper()
	return b.submit(ops.SubmitPassword{Account: "acme", User: user, Password: secret(pass)})
}

// show loads the page again.
func (b *browser) show() *ops.SignInStep {
	b.Helper()
	return run(b.home, b.by(ops.Caller{}), ops.ShowSignIn, ops.SignInIn{Flow: b.flow})
}

// call is a call with the session cookie.
func (b *browser) call() ops.Call {
	b.Helper()
	c, err := b.Session(context.Background(), b.session, ops.Source{})
	b.must(err)
	return b.by(c)
}

// out wants the session cookie to be good for nothing.
func (b *browser) out(why string) {
	b.Helper()
	if _, err := b.Session(context.Background(), b.session, ops.Source{}); !fault.Is(err, fault.Unauthenticated) {
		b.Errorf("%s: the session answers %v", why, err)
	}
}

// stage wants a challenge at a stage.
func (b *browser) stage(step *ops.SignInStep, want signin.Stage, refusal signin.Refusal) {
	b.Helper()
	if step.Verdict != signin.Challenge || step.Stage != want || step.Refusal != refusal || step.Session != nil {
		b.Fatalf("verdict %d at %q, refusal %q; want the page %q, refusal %q", step.Verdict, step.Stage, step.Refusal, want, refusal)
	}
}

// signedIn wants a session.
func (b *browser) signedIn(step *ops.SignInStep) {
	b.Helper()
	if step.Verdict != signin.Open || step.Session == nil {
		b.Fatalf("verdict %d at %q, refusal %q; want a session", step.Verdict, step.Stage, step.Refusal)
	}
}

// events are the events of an operation, newest first.
func (h *home) events(operation string) []audit.Event {
	h.Helper()
	var all []audit.Event
	h.must(h.store.View(context.Background(), func(tx *store.Tx) (err error) {
		all, err = tx.Events(audit.Query{Account: testkit.Account}, store.EventAfter{}, 1000)
		return err
	}))
	var some []audit.Event
	for _, e := range all {
		if e.Operation == operation {
			some = append(some, e)
		}
	}
	return some
}

func TestSignInWithPassword(t *testing.T) {
	homes(t, func(h *home) {
		u := h.user("alice")
		for _, form := range []ops.SubmitPassword{
			{Account: "acme", User: "alice"}, {Account: "ACME", User: " Alice "}, {Account: testkit.Account.String(), User: "alice"},
			{User: "alice@acme"}, {User: "alice@" + testkit.Account.String()},
		} {
			b := h.browser()
			form.Password = secret(firstPassword)
			step := b.submit(form)
			b.signedIn(step)
			c := b.call().Caller
			if c.User.ID != u.ID || c.Kind != policy.User || c.AccessKey != "" {
				h.Fatalf("%q signed in as %+v", form.User, c.User)
			}
			if !c.MFA.Known || c.MFA.Present || c.Console.Method() != "password" {
				h.Errorf("the session says %+v, %s", c.MFA, c.Console.Method())
			}
			if step.Session.Source != "192.0.2.7" || step.Session.UserAgent != "a browser" {
				h.Errorf("the session was opened from %q with %q", step.Session.Source, step.Session.UserAgent)
			}
		}
		if got := run(h, h.byAdmin(), ops.GetUser, ops.UserIn{User: ops.Ref{Name: "alice"}}); !got.PasswordUsed.Equal(h.clock.Now()) {
			h.Errorf("the password was last used at %v", got.PasswordUsed)
		}
		ev := h.events("SignIn")[0]
		if ev.Result != audit.Allowed || ev.Actor.Name != "alice" || ev.Params["method"] != "password" || ev.Params["next"] != "session" {
			h.Errorf("the event is %+v", ev)
		}
	})
}

func TestSignInWithCode(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		p, f := h.device("alice")
		b := h.browser()
		step := b.name("alice", firstPassword)
		b.stage(step, signin.StageFactor, "")
		if len(step.Prompts) != 1 || step.Prompts[0].ID != f.ID || step.Prompts[0].Method != iam.MethodTOTP {
			h.Errorf("the factors are %+v", step.Prompts)
		}
		b.stage(b.submit(ops.SubmitFactor{Response: ops.Response{Code: "000000"}}), signin.StageFactor, signin.WrongCode)
		b.stage(b.show(), signin.StageFactor, "")
		code := h.code(p)
		b.signedIn(b.submit(ops.SubmitFactor{Response: ops.Response{Code: code}}))
		c := b.call().Caller
		if !c.MFA.Present || !c.MFA.At.Equal(h.clock.Now()) || c.Console.Method() != "password+totp" {
			h.Errorf("the session says %+v, %s", c.MFA, c.Console.Method())
		}
		// C-1: the same code opens no second session.
		b2 := h.browser()
		b2.name("alice", firstPassword)
		b2.stage(b2.submit(ops.SubmitFactor{Response: ops.Response{Code: code}}), signin.StageFactor, signin.WrongCode)
		// The right factor of another user is no factor.
		h.user("bob")
		h.tick()
		q, g := h.device("bob")
		b2.stage(b2.submit(ops.SubmitFactor{Factor: g.ID, Response: ops.Response{Code: h.code(q)}}), signin.StageFactor, signin.WrongCode)

		events := h.events("SignIn")
		if e := events[0]; e.Result != audit.Refused || e.Code != "bad code" || e.Actor.Name != "alice" {
			h.Errorf("the event of a wrong code is %+v", e)
		}
	})
}

// C-2, S-7: of 200 forms with one right code at once, one opens a session.
func TestOneCodeOneSession(t *testing.T) {
	homes(t, func(h *home) {
		u := h.user("alice")
		p, _ := h.device("alice")
		b := h.browser()
		b.stage(b.name("alice", firstPassword), signin.StageFactor, "")
		code := h.code(p)
		var mu sync.Mutex
		verdicts := map[signin.Verdict]int{}
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				one := &browser{home: h, flow: b.flow}
				step, err := one.try(ops.SubmitFactor{Response: ops.Response{Code: code}})
				if err != nil {
					h.Error(err)
					return
				}
				mu.Lock()
				verdicts[step.Verdict]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if verdicts[signin.Open] != 1 || verdicts[signin.Ended] != 199 {
			h.Errorf("verdicts: %v", verdicts)
		}
		h.must(h.store.View(context.Background(), func(tx *store.Tx) error {
			all, err := tx.Sessions(u.Account, u.ID, store.SessionAfter{}, 10)
			if len(all) != 1 {
				h.Errorf("%d sessions", len(all))
			}
			return err
		}))
	})
}

// C-2: of 60 flows of one user with one right code at once, one opens a session,
// and the others' wrong codes stay within the budget.
func TestOneCodeManyFlows(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		p, _ := h.device("alice")
		flows := make([]*browser, 12)
		for i := range flows {
			flows[i] = h.browser()
			flows[i].name("alice", firstPassword)
		}
		code := h.code(p)
		var mu sync.Mutex
		opened := 0
		var wg sync.WaitGroup
		for _, b := range flows {
			for range 5 {
				wg.Go(func() {
					one := &browser{home: h, flow: b.flow}
					step, err := one.try(ops.SubmitFactor{Response: ops.Response{Code: code}})
					if err != nil {
						h.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if step.Verdict == signin.Open {
						opened++
					}
				})
			}
		}
		wg.Wait()
		if opened != 1 {
			h.Errorf("%d sessions opened with one code", opened)
		}
	})
}

// P-5, U-8: a name that nobody has, a wrong password, a user without password and
// a blocked user get the same answers at every attempt, beyond the budget, too.
func TestRefusalsTellNothing(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.user("blocked")
		run(h, h.byAdmin(), ops.CreateUser, ops.CreateUserIn{Name: "keysonly"})
		run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "blocked"}, Reason: "left"})
		forms := map[string]ops.SubmitPassword{
			"wrong password":  {Account: "acme", User: "alice"},
			"nobody":          {Account: "acme", User: "mallory"},
			"no account":      {Account: "nowhere", User: "alice"},
			"no such number":  {Account: "999999999999", User: "alice"},
			"no password":     {Account: "acme", User: "keysonly"},
			"no root":         {User: "root@example.com"},
			"root":            {User: "root@example.net", Root: true, Account: "acme"},
			"empty":           {},
			"blocked":         {Account: "acme", User: "blocked", Password: secret(firstPassword)},
			"a long name":     {Account: "acme", User: strings.Repeat("x", 5000)},
			"control letters": {Account: "acme\x00", User: "alice\r\n\x1b"},
		}
		odd := []string{"a long name", "control letters"}
		for attempt := range signin.MaxFailures + 2 {
			var want *ops.SignInStep
			for called, form := range forms {
				if form.Password.Empty() {
					form.Password = secret("not the password")
				}
				if i := slices.Index(odd, called); i >= 0 && i != attempt%len(odd) {
					continue // what can be nobody's name has one counter
				}
				got := h.browser().submit(form)
				if want == nil {
					want = got
				}
				if !reflect.DeepEqual(got, want) {
					h.Fatalf("attempt %d: %q gets %+v, others %+v", attempt, called, got, want)
				}
			}
			refusal := signin.Wrong
			if attempt >= signin.MaxFailures {
				refusal = signin.TooMany
			}
			if want.Refusal != refusal {
				h.Errorf("attempt %d: %q", attempt, want.Refusal)
			}
		}
		// C-5: beyond the budget the right password is a wrong one.
		if step := h.browser().name("alice", firstPassword); step.Refusal != signin.TooMany || step.Session != nil {
			h.Errorf("the right password beyond the budget: %+v", step)
		}
		for _, e := range h.events("SignIn") {
			if e.Result != audit.Refused {
				h.Errorf("an event says %s", e.Result)
			}
			if text := fmt.Sprintf("%+v", e); strings.Contains(text, "mallory") || strings.Contains(text, "root@") || strings.Contains(text, "not the") {
				h.Errorf("the trail holds what a stranger typed: %s", text)
			}
		}
		// The administrator sees who is out, and lets them in again.
		list := run(h, h.byAdmin(), ops.ListBlockedUsers, ops.Listing{})
		var out []string
		for _, b := range list.Items {
			out = append(out, b.User.Name)
		}
		if got := fmt.Sprint(out); !strings.Contains(got, "alice") || !strings.Contains(got, "blocked") || !strings.Contains(got, "keysonly") {
			h.Errorf("blocked: %v", out)
		}
		for _, u := range []string{"alice", "blocked"} {
			run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: u}})
			b := h.browser()
			b.signedIn(b.name(u, firstPassword))
		}
		no(h, fault.Conflict, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
	})
}

// C-4, S-7: the budget is one for all sessions, survives a restart, and right
// passwords in between begin it anew.
func TestBudgetSurvivesRestart(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		p, f := h.device("alice")
		half := h.browser()
		half.stage(half.name("alice", firstPassword), signin.StageFactor, "")
		for range 6 {
			h.browser().name("alice", "wrong")
			half.submit(ops.SubmitFactor{Response: ops.Response{Code: "000000"}})
			h.browser().name("mallory", "wrong")
		}
		h.store.Close()
		h.store, h.Server = h.start()
		for range 4 {
			if got := h.browser().name("alice", "wrong").Refusal; got != signin.Wrong {
				h.Errorf("within the budget: %q", got)
			}
			half.submit(ops.SubmitFactor{Response: ops.Response{Code: "000000"}})
			h.browser().name("mallory", "wrong")
		}
		for _, who := range []string{"alice", "mallory"} {
			if got := h.browser().name(who, firstPassword).Refusal; got != signin.TooMany {
				h.Errorf("%s beyond the budget: %q", who, got)
			}
		}
		// The codes have a budget of their own; two consecutive ones help.
		step := half.submit(ops.SubmitFactor{Response: ops.Response{Code: h.code(p)}})
		half.stage(step, signin.StageFactor, signin.WrongCode)
		if !step.Prompts[0].Resync {
			h.Error("the page does not offer to resynchronise")
		}
		h.tick()
		c1, c2 := h.pair(p)
		half.signedIn(half.submit(ops.SubmitFactor{Factor: f.ID, Response: ops.Response{Code: c1, Code2: c2}}))

		run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		for range 3 {
			for range signin.MaxFailures - 1 {
				h.browser().name("alice", "wrong")
			}
			b := h.browser()
			b.stage(b.name("alice", firstPassword), signin.StageFactor, "")
		}
	})
}

// C-4: parallel guesses do not outrun the budget.
func TestParallelGuesses(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		var mu sync.Mutex
		got := map[signin.Refusal]int{}
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				step, err := h.browser().try(ops.SubmitPassword{Account: "acme", User: "alice", Password: secret("wrong")})
				if err != nil {
					h.Error(err)
					return
				}
				mu.Lock()
				got[step.Refusal]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if got[signin.Wrong] != signin.MaxFailures || got[signin.TooMany] != 40-signin.MaxFailures {
			h.Errorf("refusals: %v", got)
		}
	})
}

// Two tabs, the back button, and forms that are sent twice get the present page
// and lead past nothing.
func TestTabsAndBackButton(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		p, _ := h.device("alice")
		b := h.browser()
		b.name("alice", firstPassword)
		old := b.flow
		// Back, and the first form again: a new flow; the old cookie is worth nothing.
		b.stage(b.name("alice", firstPassword), signin.StageFactor, "")
		if b.flow.Equal(old) {
			h.Error("the pre-auth cookie did not change")
		}
		stale := &browser{home: h, flow: old}
		if step := stale.submit(ops.SubmitFactor{Response: ops.Response{Code: h.code(p)}}); step.Verdict != signin.Ended {
			h.Errorf("the old flow answers %+v", step)
		}
		// Back, and a wrong password: the flow of the other tab goes on.
		if step := b.name("alice", "wrong"); step.Refusal != signin.Wrong {
			h.Errorf("a wrong password answers %+v", step)
		}
		step := b.submit(ops.SubmitNewPassword{Password: secret("another Password 9")})
		b.stage(step, signin.StageFactor, "")
		if !step.Ignored {
			h.Error("a form of another page was looked at")
		}
		code := h.code(p)
		flow := b.flow
		b.signedIn(b.submit(ops.SubmitFactor{Response: ops.Response{Code: code}}))
		// The code form once more, from the second tab.
		again := &browser{home: h, flow: flow}
		if step := again.submit(ops.SubmitFactor{Response: ops.Response{Code: code}}); step.Verdict != signin.Ended || step.Session != nil {
			h.Errorf("the form that was sent twice answers %+v", step)
		}
		b.call() // and the session of the first tab goes on
	})
}

// U-20, ASVS 6.4: a password that an administrator gave is changed before the
// session, by rules, and not to itself.
func TestNewPasswordAtSignIn(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		yes := true
		run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, ResetRequired: &yes})
		b := h.browser()
		step := b.name("alice", firstPassword)
		b.stage(step, signin.StageNewPassword, "")
		if step.Policy.MinimumLength != password.DefaultPolicy().MinimumLength {
			h.Errorf("the page shows the rules %+v", step.Policy)
		}
		for _, bad := range []string{"short", "password1", firstPassword} {
			if _, err := b.try(ops.SubmitNewPassword{Password: secret(bad)}); !fault.Is(err, fault.WeakPassword) {
				h.Errorf("%q: %v", bad, err)
			}
			b.stage(b.show(), signin.StageNewPassword, "")
		}
		b.signedIn(b.submit(ops.SubmitNewPassword{Password: secret("another Password 9")}))
		if step := h.browser().name("alice", firstPassword); step.Refusal != signin.Wrong {
			h.Error("the old password is still good")
		}
		h.browser().name("alice", "another Password 9")

		// Expired: by age, and hard.
		run(h, h.byAdmin(), ops.UpdateAccountPasswordPolicy, ops.PasswordPolicy{MinimumLength: 8, MaxAge: 30})
		h.clock.Advance(31 * 24 * time.Hour)
		b = h.browser()
		b.stage(b.name("alice", "another Password 9"), signin.StageNewPassword, "")
		run(h, h.byAdmin(), ops.UpdateAccountPasswordPolicy, ops.PasswordPolicy{MinimumLength: 8, MaxAge: 30, HardExpiry: true})
		if step := b.submit(ops.SubmitNewPassword{Password: secret("yet Another one 5")}); step.Verdict != signin.Refused || step.Refusal != signin.Lapsed {
			h.Errorf("an expired password, hard: %+v", step)
		}
		if step := h.browser().name("alice", "another Password 9"); step.Refusal != signin.Lapsed {
			h.Errorf("an expired password, hard: %+v", step)
		}
	})
}

// A user who must use MFA and has no device binds one before anything else; a
// reload shows the same code, and wrong codes lead nowhere (P-9, C-9).
func TestBindingAtSignIn(t *testing.T) {
	homes(t, func(h *home) {
		u := h.user("alice")
		run(h, h.byAdmin(), ops.SetSecurityPreferences, mandatory())
		b := h.browser()
		step := b.name("alice", firstPassword)
		b.stage(step, signin.StageBind, "")
		p := phone(step.Device.SeedText.Reveal())
		if again := b.show(); !again.Device.SeedText.Equal(step.Device.SeedText) || !again.Device.URI.Equal(step.Device.URI) {
			h.Error("a reload shows another device")
		}
		b.stage(b.submit(ops.SubmitPair{Code1: "000000", Code2: "111111"}), signin.StageBind, signin.WrongCode)
		// One code, as if it were the second factor: no.
		if step := b.submit(ops.SubmitFactor{Response: ops.Response{Code: h.code(p)}}); step.Session != nil || !step.Ignored {
			h.Errorf("the code of a pending device: %+v", step)
		}
		c1, c2 := h.pair(p)
		b.signedIn(b.submit(ops.SubmitPair{Code1: c1, Code2: c2}))
		c := b.call().Caller
		if !c.MFA.Present || c.Console.Method() != "password+totp" {
			h.Errorf("the session says %+v", c.MFA)
		}
		devices := run(h, h.byAdmin(), ops.ListMFADevices, ops.UserListing{User: ops.Ref{ID: u.ID}})
		if len(devices.Items) != 1 || devices.Items[0].Name != "alice" {
			h.Errorf("devices: %+v", devices.Items)
		}
		h.tick()
		b = h.browser()
		b.stage(b.name("alice", firstPassword), signin.StageFactor, "")
		b.signedIn(b.submit(ops.SubmitFactor{Response: ops.Response{Code: h.code(p)}}))

		// A second flow that was broken off leaves its device behind; it is replaced.
		h.user("bob")
		first := h.browser()
		one := first.name("bob", firstPassword)
		second := h.browser()
		two := second.name("bob", firstPassword)
		if one.Device.SeedText.Equal(two.Device.SeedText) {
			h.Error("two flows share a device")
		}
		q := phone(two.Device.SeedText.Reveal())
		c1, c2 = h.pair(q)
		second.signedIn(second.submit(ops.SubmitPair{Code1: c1, Code2: c2}))
		// The first tab is asked for the factor now, not let through.
		b2 := first.submit(ops.SubmitPair{Code1: c1, Code2: c2})
		first.stage(b2, signin.StageFactor, "")
	})
}

// P-9: where the account wants enrolment links, the password alone binds no first
// factor.
func TestLinkOnly(t *testing.T) {
	h := newHome(t, blank.SQLite(t))
	h.user("alice")
	run(h, h.byAdmin(), ops.SetSecurityPreferences, mandatory(func(p *ops.SecurityPreferences) { p.LinkOnly = true }))
	if step := h.browser().name("alice", firstPassword); step.Refusal != signin.LinkOnly || step.Device != nil {
		h.Errorf("the password alone: %+v", step)
	}
}

// S-3: a sign-in that stands anywhere can do nothing but its next step: no other
// form changes anything, and the cookie is no session.
func TestPartialSignIns(t *testing.T) {
	homes(t, func(h *home) {
		yes := true
		h.user("factor")
		_, f := h.device("factor")
		h.user("newpassword")
		run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "newpassword"}, ResetRequired: &yes})
		h.user("bind")
		run(h, h.byAdmin(), ops.SetSecurityPreferences, mandatory())
		flows := map[signin.Stage]*browser{}
		for _, stage := range []signin.Stage{signin.StageFactor, signin.StageNewPassword, signin.StageBind} {
			b := h.browser()
			b.stage(b.name(strings.ReplaceAll(string(stage), "-", ""), firstPassword), stage, "")
			flows[stage] = b
		}
		setup := h.browser()
		setup.stage(setup.submit(ops.SubmitSetup{Token: h.setup}), signin.StageAccount, "")
		flows[signin.StageAccount] = setup
		root := h.browser()
		root.submit(ops.SubmitSetup{Token: h.setup})
		root.stage(root.submit(ops.SubmitAccount{Alias: "acme"}), signin.StageRoot, "")
		flows[signin.StageRoot] = root

		wanted := map[signin.Stage]string{
			signin.StageFactor: "SubmitFactor", signin.StageNewPassword: "SubmitNewPassword", signin.StageBind: "SubmitPair",
			signin.StageAccount: "SubmitAccount", signin.StageRoot: "SubmitRoot SubmitAccount",
		}
		before := h.picture()
		for stage, b := range flows {
			if _, err := h.Session(context.Background(), b.flow, ops.Source{}); !fault.Is(err, fault.Unauthenticated) {
				h.Errorf("%s: the pre-auth cookie is a session: %v", stage, err)
			}
			for _, form := range []ops.Submission{
				ops.SubmitFactor{Response: ops.Response{Code: "123456"}}, ops.SubmitFactor{Factor: f.ID, Response: ops.Response{Code: "123456", Code2: "654321"}},
				ops.SubmitNewPassword{Password: secret("another Password 9")}, ops.SubmitPair{Code1: "123456", Code2: "654321"},
				ops.SubmitAccount{Alias: "evil"}, ops.SubmitRoot{Email: "evil@example.com", Password: secret("another Password 9")},
				ops.SubmitSetup{Token: secret("nonsense")},
			} {
				kind := strings.TrimPrefix(fmt.Sprintf("%T", form), "ops.")
				if strings.Contains(wanted[stage], kind) || kind == "SubmitSetup" {
					continue
				}
				step := (&browser{home: h, flow: b.flow}).submit(form)
				if step.Stage != stage || step.Session != nil || !step.Ignored {
					h.Errorf("at %s %s leads to %+v", stage, kind, step)
				}
			}
		}
		if after := h.picture(); before != after {
			h.Errorf("something changed:\n%s\n%s", before, after)
		}
		// Nobody, with whatever cookie, calls an operation as somebody.
		for _, call := range []ops.Call{h.by(ops.Caller{})} {
			no(h, fault.Denied, call, ops.ListUsers, ops.Listing{})
			no(h, fault.Unauthenticated, call, ops.SignOut, struct{}{})
			no(h, fault.Unauthenticated, call, ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: "123456"}})
			no(h, fault.Invalid, call, ops.ListNotices, ops.Listing{})
		}
	})
}

// picture is what must not change behind a sign-in's back.
func (h *home) picture() (s string) {
	h.Helper()
	h.must(h.store.View(context.Background(), func(tx *store.Tx) error {
		s = ""
		a, err := tx.Account(testkit.Account)
		if err != nil {
			return err
		}
		root, err := tx.RootUser(testkit.Account)
		if err != nil {
			return err
		}
		s += fmt.Sprint(a.Alias, root.Email)
		users, err := tx.Users(testkit.Account, "", "", 100)
		for _, u := range append(users, *root) {
			if p, err := tx.LoginProfile(testkit.Account, u.ID); err == nil {
				s += fmt.Sprint(" ", u.Name, p.Hash, p.ResetRequired)
			}
			n, err := tx.FactorCount(testkit.Account, u.ID)
			if err != nil {
				return err
			}
			all, err := tx.Sessions(testkit.Account, u.ID, store.SessionAfter{}, 10)
			if err != nil {
				return err
			}
			s += fmt.Sprint(" factors ", n, " sessions ", len(all))
		}
		return err
	}))
	return s
}

// The first start: the link leads through account, root and device to a session
// of root, takes effect as a whole at the end, and works once.
func TestSetupLink(t *testing.T) {
	homes(t, func(h *home) {
		call := h.by(ops.Caller{})
		info := run(h, call, ops.InspectSetup, ops.InspectSetupIn{Token: h.setup})
		if info.AdminName != "admin" || info.Account.ID != testkit.Account {
			h.Errorf("the link shows %+v", info)
		}
		no(h, fault.NotFound, call, ops.InspectSetup, ops.InspectSetupIn{Token: secret("nonsense")})
		before := h.picture()
		b, other := h.browser(), h.browser()
		var phones [2]phone
		for i, b := range []*browser{b, other} {
			b.stage(b.submit(ops.SubmitSetup{Token: h.setup}), signin.StageAccount, "")
			if _, err := b.try(ops.SubmitAccount{Alias: "Not An Alias"}); !fault.Is(err, fault.Invalid) {
				h.Errorf("a bad alias: %v", err)
			}
			b.stage(b.submit(ops.SubmitAccount{Alias: "example"}), signin.StageRoot, "")
			for _, bad := range []ops.SubmitRoot{
				{Email: "no address", Password: secret(firstPassword)}, {Email: "root@example.com"},
				{Email: "root@example.com", Password: secret("short")},
				{Email: "root@example.com", Password: secret(firstPassword), Admin: secret("password1")},
			} {
				if _, err := b.try(bad); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.WeakPassword) {
					h.Errorf("%q: %v", bad.Email, err)
				}
			}
			step := b.submit(ops.SubmitRoot{Email: "Root@Example.com", Password: secret(firstPassword), Admin: secret("another Password 9")})
			b.stage(step, signin.StageBind, "")
			phones[i] = phone(step.Device.SeedText.Reveal())
			if step.Device.Name != "root-account-mfa-device" || step.User.Root != true || step.AdminName != "admin" {
				h.Errorf("the page shows %+v", step.Device.Factor)
			}
		}
		if after := h.picture(); after != before {
			h.Errorf("something took effect before the end:\n%s\n%s", before, after)
		}
		// The second tab's device took the first one's place: the first gets a new one.
		c1, c2 := h.pair(phones[0])
		step := b.submit(ops.SubmitPair{Code1: c1, Code2: c2})
		b.stage(step, signin.StageBind, signin.WrongCode)
		phones[0] = phone(step.Device.SeedText.Reveal())
		c1, c2 = h.pair(phones[0])
		b.signedIn(b.submit(ops.SubmitPair{Code1: c1, Code2: c2}))
		if c := b.call().Caller; c.Kind != policy.Root || !c.MFA.Present {
			h.Errorf("the session is of %+v", c.User)
		}
		// W-10: used up.
		c1, c2 = h.pair(phones[1])
		for called, step := range map[string]*ops.SignInStep{
			"the other tab": other.submit(ops.SubmitPair{Code1: c1, Code2: c2}), "the link": h.browser().submit(ops.SubmitSetup{Token: h.setup}),
		} {
			if step.Verdict != signin.Refused || step.Refusal != signin.Spent {
				h.Errorf("%s afterwards: %+v", called, step)
			}
		}
		no(h, fault.NotFound, call, ops.InspectSetup, ops.InspectSetupIn{Token: h.setup})

		h.tick()
		r := h.browser()
		r.stage(r.submit(ops.SubmitPassword{User: "root@EXAMPLE.com", Password: secret(firstPassword)}), signin.StageFactor, "")
		r.signedIn(r.submit(ops.SubmitFactor{Response: ops.Response{Code: h.code(phones[0])}}))
		a := h.browser()
		a.signedIn(a.submit(ops.SubmitPassword{Account: "example", User: "admin", Password: secret("another Password 9")}))
	})
}

// 50 ends of one set-up at once: one takes effect.
func TestSetupOnce(t *testing.T) {
	homes(t, func(h *home) {
		b := h.browser()
		b.submit(ops.SubmitSetup{Token: h.setup})
		b.submit(ops.SubmitAccount{Alias: "example"})
		step := b.submit(ops.SubmitRoot{Email: "root@example.com", Password: secret(firstPassword)})
		c1, c2 := h.pair(phone(step.Device.SeedText.Reveal()))
		var mu sync.Mutex
		opened := 0
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				one := &browser{home: h, flow: b.flow}
				step, err := one.try(ops.SubmitPair{Code1: c1, Code2: c2})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					h.Error(err)
				} else if step.Session != nil {
					opened++
				}
			})
		}
		wg.Wait()
		if opened != 1 {
			h.Errorf("%d sessions", opened)
		}
	})
}
