package ops_test

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/password"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// desk is a browser that keeps all its cookies, at an address.
type desk struct {
	*home
	at                           string
	flow, session, known, memory seal.Secret
	last                         *ops.SignInStep
}

const usually = "192.0.2.7"

func (h *home) desk() *desk { return &desk{home: h, at: usually} }

func (d *desk) from() ops.Call {
	c := d.by(ops.Caller{})
	c.Source.IP = netip.MustParseAddr(d.at)
	return c
}

// try sends a form and keeps what the answer leaves in the browser.
func (d *desk) try(form ops.Submission, remember bool) (*ops.SignInStep, error) {
	step, err := ops.Run(context.Background(), d.Server, d.from(), ops.SignIn,
		ops.SignInIn{Flow: d.flow, Form: form, Browser: d.known, Memory: d.memory, Remember: remember})
	if err != nil {
		return nil, err
	}
	if !step.Cookie.Empty() {
		d.flow = step.Cookie
	}
	if d.last = step; step.Session == nil {
		return step, nil
	}
	d.session, d.flow, d.known = step.Session.Token, seal.Secret{}, step.Cookies.Browser
	switch {
	case !step.Cookies.Memory.Empty():
		d.memory = step.Cookies.Memory
	case step.Cookies.ForgetMemory:
		d.memory = seal.Secret{}
	}
	return step, nil
}

func (d *desk) send(form ops.Submission, remember bool) *ops.SignInStep {
	d.Helper()
	step, err := d.try(form, remember)
	d.must(err)
	return step
}

func (d *desk) name(user, pass string) *ops.SignInStep {
	d.Helper()
	return d.send(ops.SubmitPassword{Account: "acme", User: user, Password: secret(pass)}, false)
}

// signIn signs in with the password and, if p is not "", a code.
func (d *desk) signIn(user string, p phone, remember bool) *desk {
	d.Helper()
	step := d.name(user, firstPassword)
	if p != "" {
		d.tick()
		step = d.send(ops.SubmitFactor{Response: ops.Response{Code: d.code(p)}}, remember)
	}
	if step.Session == nil {
		d.Fatalf("%s is not signed in: %+v", user, step)
	}
	return d
}

// asks tells whether a sign-in stops at a stage.
func (d *desk) asks(user string, want signin.Stage) {
	d.Helper()
	if step := d.name(user, firstPassword); step.Stage != want || (step.Session == nil) == (want == signin.StageDone) {
		d.Fatalf("%s is at %q (%s), want %q", user, step.Stage, step.Refusal, want)
	}
}

// call is a call with the session cookie.
func (d *desk) call() ops.Call {
	d.Helper()
	call := d.from()
	c, err := d.Session(context.Background(), d.session, call.Source)
	d.must(err)
	call.Caller = c
	return call
}

func lite(t *testing.T) *home { return newHome(t, filepath.Join(t.TempDir(), "warifu.db")) }

// prefer sets preferences.
func (h *home) wants(change ...func(*ops.SecurityPreferences)) {
	h.Helper()
	run(h, h.byAdmin(), ops.SetSecurityPreferences, preferring(change...))
}

func remembering(p *ops.SecurityPreferences) { p.Remember = true }

// S-5: a remembered browser stands in for the factor of its user for seven days,
// and of nobody else; policy sees it as what it is, and it is no fresh proof.
func TestRememberedBrowser(t *testing.T) {
	homes(t, func(h *home) {
		h.wants(remembering)
		h.user("alice")
		h.grant("alice", allowing("iam:*", "warifu:*"))
		p, _ := h.device("alice")
		d := h.desk()
		if step := d.name("alice", firstPassword); !step.MayRemember {
			h.Fatal("the page has no box")
		}
		d.signIn("alice", p, true)
		if d.memory.Empty() || !d.last.Cookies.MemoryEnds.Equal(h.clock.Now().Add(iam.RememberedLife)) {
			h.Fatalf("cookies: %+v", d.last.Cookies)
		}
		h.clock.Advance(7*24*time.Hour - time.Second)
		old := d.memory
		d.asks("alice", signin.StageDone)
		if d.memory.Equal(old) {
			h.Error("the secret did not change with its use")
		}
		c := d.call().Caller
		if c.MFA.Present || c.Console.Method() != "password+remembered" {
			h.Errorf("the session says %+v, %s", c.MFA, c.Console.Method())
		}
		no(h, fault.StepUp, d.call(), ops.CreateAccessKey, ops.UserIn{})
		if list := run(h, d.call(), ops.ListRememberedDevices, ops.UserIn{}); len(list) != 1 || list[0].Hash != nil || list[0].Used.IsZero() {
			h.Errorf("listed: %+v", list)
		}
		h.clock.Advance(time.Second)
		d.asks("alice", signin.StageFactor) // seven days are over
	})
}

// What ends a memory: each by itself.
func TestMemoryEnds(t *testing.T) {
	for called, end := range map[string]func(h *home, d *desk, f *iam.Factor){
		"another password": func(h *home, d *desk, _ *iam.Factor) {
			run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret(firstPassword + "!")})
			run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret(firstPassword)})
		},
		"another factor": func(h *home, _ *desk, _ *iam.Factor) { h.device("alice") },
		"the preference off and on": func(h *home, _ *desk, _ *iam.Factor) {
			h.wants()
			h.wants(remembering)
		},
		"forgotten": func(h *home, d *desk, _ *iam.Factor) {
			run(h, d.call(), ops.ForgetDevice, ops.ForgetDeviceIn{Device: run(h, d.call(), ops.ListRememberedDevices, ops.UserIn{})[0].ID})
		},
		"blocked and unblocked": func(h *home, _ *desk, _ *iam.Factor) {
			in := ops.BlockUserIn{User: ops.Ref{Name: "alice"}}
			run(h, h.byAdmin(), ops.BlockUser, in)
			run(h, h.byAdmin(), ops.UnblockUser, in)
		},
		"somebody else signed in there": func(h *home, d *desk, _ *iam.Factor) {
			run(h, d.call(), ops.SignOut, struct{}{})
			memory := d.memory
			d.signIn("bob", "", false)
			if !d.memory.Empty() {
				h.Error("the cookie stays")
			}
			d.memory = memory // even if the browser had kept it
		},
	} {
		t.Run(called, func(t *testing.T) {
			h := lite(t)
			h.wants(remembering)
			h.user("alice")
			h.user("bob")
			p, f := h.device("alice")
			d := h.desk().signIn("alice", p, true)
			end(h, d, f)
			d.asks("alice", signin.StageFactor)
		})
	}
}

// S-5: a secret that was spent and turns up again ends the memory for whoever has
// it, and the user is told; another user in the same browser is asked; root has no
// memory.
func TestS5StolenMemory(t *testing.T) {
	h := lite(t)
	h.wants(remembering)
	h.user("alice")
	p, _ := h.device("alice")
	h.user("bob")
	h.device("bob")
	d := h.desk().signIn("alice", p, true)
	thief := h.desk()
	thief.memory = d.memory
	d.memory, thief.memory = thief.memory, d.memory

	other := h.desk()
	other.memory = d.memory
	other.asks("bob", signin.StageFactor)

	h.clock.Advance(time.Hour)
	thief.asks("alice", signin.StageDone) // has the password, too
	h.clock.Advance(time.Hour)
	d.asks("alice", signin.StageFactor)     // the owner comes with the spent secret
	thief.asks("alice", signin.StageFactor) // and the thief's is good for nothing now
	notices := run(h, d.signIn("alice", p, false).call(), ops.ListNotices, ops.Listing{}).Items
	if !slices.ContainsFunc(notices, func(n iam.Notice) bool { return n.Kind == iam.NoticeMemoryStolen }) {
		h.Errorf("alice was told %+v", notices)
	}

	// A form that is sent twice at once is no theft.
	d = h.desk().signIn("alice", p, true)
	twice := &desk{home: h, at: usually, memory: d.memory, known: d.known}
	d.asks("alice", signin.StageDone)
	twice.asks("alice", signin.StageFactor)
	d.asks("alice", signin.StageDone)
}

// One secret of a remembered browser shortens one sign-in, of any number at once.
func TestMemoryRace(t *testing.T) {
	const tabs = 200
	homes(t, func(h *home) {
		h.wants(remembering)
		h.user("alice")
		p, _ := h.device("alice")
		d := h.desk().signIn("alice", p, true)
		var wg sync.WaitGroup
		var mu sync.Mutex
		opened, asked := 0, 0
		var next seal.Secret
		for range tabs {
			wg.Go(func() {
				one := &desk{home: h, at: usually, memory: d.memory, known: d.known}
				step, err := one.try(ops.SubmitPassword{Account: "acme", User: "alice", Password: secret(firstPassword)}, false)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case fault.Is(err, fault.Conflict): // it was at the same step, and another was faster
					asked++
				case err != nil:
					h.Error(err)
				case step.Session != nil:
					opened, next = opened+1, step.Cookies.Memory
				case step.Stage == signin.StageFactor: // the secret is spent: the factor is asked for
					asked++
				}
			})
		}
		wg.Wait()
		if opened != 1 || asked != tabs-1 {
			h.Errorf("%d sessions by one secret, %d asked for the factor", opened, asked)
		}
		// It was one person with many tabs and no theft: what the winner got is good.
		d.memory = next
		if len(h.events("SignIn")) < tabs {
			h.Error("not every attempt is in the trail")
		}
		d.asks("alice", signin.StageDone)
	})
}

// What policy sees: the browser as a browser, unless the account takes it for the
// factor; and that is never fresh.
func TestRememberedInPolicies(t *testing.T) {
	h := lite(t)
	h.wants(remembering)
	h.user("alice")
	h.grant("alice", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"Bool":{"warifu:DeviceRemembered":"true","aws:MultiFactorAuthPresent":"false"}}},
		{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericGreaterThan":{"aws:MultiFactorAuthAge":"3000"}}}]}`)
	p, _ := h.device("alice")
	d := h.desk().signIn("alice", p, true)
	no(h, fault.Denied, d.call(), ops.ListUsers, ops.Listing{}) // the factor itself was proved
	h.clock.Advance(time.Hour)
	d.asks("alice", signin.StageDone)
	run(h, d.call(), ops.ListUsers, ops.Listing{})
	no(h, fault.Denied, d.call(), ops.ListRoles, ops.Listing{})
	h.wants(remembering, func(p *ops.SecurityPreferences) { p.RememberedIsMFA = true })
	run(h, d.call(), ops.ListRoles, ops.Listing{})
	no(h, fault.StepUp, d.call(), ops.ChangePassword, ops.ChangePasswordIn{Old: secret(firstPassword), New: secret("another Horse 5 battery")})
}

// C-4, U6: strangers who spend the budget of wrong passwords lock nobody out of a
// browser that the user signed in with; that browser has a budget of its own; an
// administrator forgives both. They survive a restart.
func TestC4KnownBrowsersHaveALaneOfTheirOwn(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		d := h.desk().signIn("alice", "", false)
		stranger := h.desk()
		for range signin.MaxFailures {
			stranger.name("alice", "wrong")
		}
		if step := h.desk().name("alice", firstPassword); step.Refusal != signin.TooMany {
			h.Fatalf("the right password from elsewhere: %+v", step)
		}
		d.signIn("alice", "", false)
		_, h.Server = h.start() // a restart forgets nothing
		for range signin.MaxFailures {
			d.name("alice", "wrong")
		}
		if step := d.name("alice", firstPassword); step.Refusal != signin.TooMany {
			h.Fatalf("the right password beyond the browser's own budget: %+v", step)
		}
		blocked := run(h, h.byAdmin(), ops.ListBlockedUsers, ops.Listing{}).Items
		if len(blocked) != 1 || blocked[0].User.Name != "alice" {
			h.Errorf("listed as blocked: %+v", blocked)
		}
		run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		d.signIn("alice", "", false)
		h.desk().signIn("alice", "", false)
	})
}

// C-4, C-5: MaxLoginAttempts pauses sign-ins for an hour, of names that nobody has
// as well; what comes in the pause does not count; changing the password ends it.
func TestPause(t *testing.T) {
	h := lite(t)
	run(h, h.byAdmin(), ops.SetPasswordPolicy, ops.PasswordPolicy{MinimumLength: 8, MaxLoginAttempts: 3})
	h.user("alice")
	for _, who := range []string{"alice", "nobody"} {
		for range 3 {
			if step := h.desk().name(who, "wrong"); step.Refusal != signin.Wrong {
				h.Fatalf("%s: %+v", who, step)
			}
		}
		for range 20 {
			if step := h.desk().name(who, firstPassword); step.Refusal != signin.TryLater {
				h.Fatalf("%s in the pause: %+v", who, step)
			}
		}
	}
	h.clock.Advance(signin.Pause)
	h.desk().signIn("alice", "", false)
	for range 3 {
		h.desk().name("alice", "wrong")
	}
	run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret(firstPassword + "!")})
	if step := h.desk().name("alice", firstPassword+"!"); step.Session == nil {
		h.Errorf("after a new password: %+v", step)
	}
}

// N-2: the account's networks bind every interactive way in, and each request of
// a session, but not root and no key.
func TestN2Networks(t *testing.T) {
	h := lite(t)
	h.user("alice")
	h.grant("alice", allowing("iam:*"))
	d := h.desk().signIn("alice", "", false)
	h.wants(func(p *ops.SecurityPreferences) { p.NetworkMasks = "198.51.100.0/24;2001:db8::/32" })
	if _, err := h.Session(context.Background(), d.session, d.from().Source); !fault.Is(err, fault.Unauthenticated) {
		h.Errorf("an open session from outside: %v", err)
	}
	for _, at := range []string{usually, "::ffff:192.0.2.7", "2001:db9::1"} {
		out := h.desk()
		out.at = at
		if step := out.name("alice", firstPassword); step.Refusal != signin.Elsewhere {
			h.Errorf("from %s: %+v", at, step)
		}
		if step := out.name("alice", "wrong"); step.Refusal != signin.Wrong {
			h.Errorf("a wrong password from outside tells %q", step.Refusal)
		}
	}
	for _, at := range []string{"198.51.100.9", "::ffff:198.51.100.9", "2001:db8:1::5"} {
		in := h.desk()
		in.at = at
		in.signIn("alice", "", false)
		run(h, in.call(), ops.ListUsers, ops.Listing{})
		in.at = usually // the same cookie, carried outside
		if _, err := h.Session(context.Background(), in.session, in.from().Source); !fault.Is(err, fault.Unauthenticated) {
			h.Errorf("a session that moved outside: %v", err)
		}
	}
	run(h, h.byAdmin(), ops.ListUsers, ops.Listing{}) // a key, from 192.0.2.7
}

// S-2: the session's life and idleness are the account's, for sessions that are
// open, too, and no longer than they were opened with.
func TestS2LifeAndIdleness(t *testing.T) {
	h := lite(t)
	h.user("alice")
	h.wants(func(p *ops.SecurityPreferences) { p.SessionHours, p.SessionIdle = 24, 600 })
	d := h.desk().signIn("alice", "", false)
	for range 11 {
		h.clock.Advance(2 * time.Hour)
		d.call()
	}
	h.wants(func(p *ops.SecurityPreferences) { p.SessionHours, p.SessionIdle = 23, 600 })
	d.call()
	h.clock.Advance(time.Hour)
	if _, err := h.Session(context.Background(), d.session, d.from().Source); !fault.Is(err, fault.Unauthenticated) {
		h.Errorf("after what the account allows now: %v", err)
	}
	d.signIn("alice", "", false)
	h.wants(func(p *ops.SecurityPreferences) { p.SessionIdle = 5 })
	h.clock.Advance(5 * time.Minute)
	if _, err := h.Session(context.Background(), d.session, d.from().Source); !fault.Is(err, fault.Unauthenticated) {
		h.Errorf("after five idle minutes: %v", err)
	}
}

// The adaptive mode asks at unusual sign-ins only, and says why; in shadow it
// asks as before and counts what it would have done.
func TestAdaptive(t *testing.T) {
	h := lite(t)
	h.user("alice")
	p, _ := h.device("alice")
	h.user("bob") // has no factor
	adaptive := func(p *ops.SecurityPreferences) { p.MFAForLogin = iam.MFAAdaptive }
	h.wants(adaptive)
	d := h.desk().signIn("alice", p, false) // the first is unusual
	d.asks("alice", signin.StageDone)
	d.at = "203.0.113.9"
	if step := d.name("alice", firstPassword); step.Stage != signin.StageFactor || !slices.Equal(step.Unusual, []signin.Reason{signin.NewNetwork}) {
		h.Errorf("from a new network: %+v", step)
	}
	if !slices.ContainsFunc(h.events("SignIn"), func(e audit.Event) bool { return e.Params["unusual"] == "new-network" }) {
		h.Error("no event says that the network is new")
	}
	d.at = usually
	for range signin.ManyFailures {
		h.desk().name("alice", "wrong")
	}
	if step := d.name("alice", firstPassword); !slices.Equal(step.Unusual, []signin.Reason{signin.AfterFailures}) {
		h.Errorf("after wrong passwords: %+v", step)
	}
	h.desk().asks("bob", signin.StageDone) // autonomous: goes on without
	h.wants(adaptive, func(p *ops.SecurityPreferences) { p.RiskLogin = iam.RiskEnforceVerify })
	h.desk().asks("bob", signin.StageBind)
	h.wants(adaptive, func(p *ops.SecurityPreferences) { p.Shadow = true })
	h.desk().asks("bob", signin.StageDone)
	d.asks("alice", signin.StageFactor)
	list := run(h, h.byAdmin(), ops.ListUnusualSignIns, ops.Listing{})
	alice := slices.ContainsFunc(list.Items, func(s ops.UnusualSignIn) bool { return s.UserName == "alice" && len(s.Reasons) == 2 })
	if list.SignIns != (ops.SignIns{All: 4, Unusual: 3, Asked: 1}) || len(list.Items) != 3 || !alice { // bob has none, and goes on without
		h.Errorf("%+v: %+v", list.SignIns, list.Items)
	}
	h.wants(adaptive, func(p *ops.SecurityPreferences) { p.RiskLogin = iam.RiskEnforceVerify })
	if list = run(h, h.byAdmin(), ops.ListUnusualSignIns, ops.Listing{}); list.Asked != 3 {
		h.Errorf("where whoever has no factor must bind one: %+v", list.SignIns)
	}
}

// A user whose login profile says so binds a factor where others need not.
func TestMFARequiredOfOneUser(t *testing.T) {
	h := lite(t)
	yes, no := true, false
	h.user("alice")
	run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, MFARequired: &yes})
	h.desk().asks("alice", signin.StageBind)
	run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, MFARequired: &no})
	h.desk().asks("alice", signin.StageDone)
}

// MaxIdleDays: the day after, the password of whoever did not sign in and the key
// that nobody used are turned off; an administrator sees and reverts it, and it is
// not undone the next day. Root stays.
func TestIdle(t *testing.T) {
	homes(t, func(h *home) {
		h.wants(func(p *ops.SecurityPreferences) { p.IdleDaysUsers, p.IdleDaysKeys = 90, 90 })
		h.user("alice")
		h.user("bob")
		key := run(h, h.byAdmin(), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "alice"}})
		idle := func() (all []string) {
			h.must(h.DisableIdle(context.Background()))
			for _, i := range run(h, h.byAdmin(), ops.ListIdle, ops.Listing{}).Items {
				all = append(all, strings.TrimSpace(i.UserName+" "+i.Key))
			}
			return all
		}
		h.clock.Advance(90 * 24 * time.Hour)
		h.desk().signIn("bob", "", false)
		h.must(h.store.Update(context.Background(), func(tx *store.Tx) error {
			return tx.SetKeyUsed(testkit.Account, h.admin, h.clock.Now(), "iam", "us-east-1")
		}))
		if got := idle(); got != nil {
			h.Errorf("on the ninetieth day: %q", got)
		}
		h.clock.Advance(24 * time.Hour)
		if got := idle(); !slices.Equal(got, []string{"alice", "alice " + key.ID}) {
			h.Errorf("the day after: %q", got)
		}
		if step := h.desk().name("alice", firstPassword); step.Refusal != signin.Disabled {
			h.Errorf("a disabled password: %+v", step)
		}
		if step := h.desk().name("alice", "wrong"); step.Refusal != signin.Wrong {
			h.Errorf("a wrong one tells %q", step.Refusal)
		}
		if _, err := h.Credential(context.Background(), key.ID, ""); err == nil {
			h.Error("the idle key works")
		}
		if e := h.events("DisableIdleLogin"); len(e) != 1 || e[0].Target.Name != "alice" {
			h.Errorf("events: %+v", e)
		}
		off := false
		run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, Disabled: &off})
		run(h, h.byAdmin(), ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{User: ops.Ref{Name: "alice"}, Key: key.ID}, Status: iam.KeyActive})
		h.clock.Advance(24 * time.Hour)
		if got := idle(); got != nil {
			h.Errorf("after it was reverted: %q", got)
		}
		h.desk().signIn("alice", "", false)
	})
}

// P-1: of 500 sign-ins at once those that find no room are told to come again;
// all are answered, and the memory stays bounded by the gate.
func TestP1FiveHundredSignInsAtOnce(t *testing.T) {
	h := lite(t)
	h.Server = h.nodeOf(h.store, password.DefaultCost())
	h.user("alice")
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[string]int{}
	for i := range 500 {
		wg.Go(func() {
			d := h.desk()
			step, err := d.try(ops.SubmitPassword{Account: "acme", User: fmt.Sprintf("user%d", i), Password: secret("wrong")}, false)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case fault.Is(err, fault.Throttled):
				got["throttled"]++
			case err != nil:
				got[err.Error()]++
			default:
				got[string(step.Refusal)]++
			}
		})
	}
	wg.Wait()
	if got["throttled"] < 100 || got["wrong"] < 200 || got["throttled"]+got["wrong"] != 500 { // the gate: 2 at work, 300 waiting
		h.Errorf("answers: %v", got)
	}
	h.desk().signIn("alice", "", false)
}
