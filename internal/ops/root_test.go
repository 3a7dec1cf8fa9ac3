package ops_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/testkit"
)

const rootMail = "root@example.com"

// rootArrives sets root up and signs it in; the phone is root's.
func (h *home) rootArrives() (*browser, phone) {
	h.Helper()
	b := h.browser()
	b.submit(ops.SubmitSetup{Token: h.setup})
	b.submit(ops.SubmitAccount{Alias: "acme"})
	step := b.submit(ops.SubmitRoot{Email: rootMail, Password: secret(firstPassword), Admin: secret("another Password 9")})
	p := phone(step.Device.SeedText.Reveal())
	c1, c2 := h.pair(p)
	b.signedIn(b.submit(ops.SubmitPair{Code1: c1, Code2: c2}))
	h.tick()
	return b, p
}

// asRoot signs root in from an address; "" is the usual one.
func (h *home) asRoot(p phone, password, from string) (*browser, *ops.SignInStep) {
	h.Helper()
	b := h.browser()
	var step *ops.SignInStep
	for _, form := range []ops.Submission{
		ops.SubmitPassword{User: rootMail, Password: secret(password)}, ops.SubmitFactor{Response: ops.Response{Code: h.code(p)}},
	} {
		call := h.by(ops.Caller{})
		if from != "" {
			call.Source.IP = netip.MustParseAddr(from)
		}
		step = run(h, call, ops.SignIn, ops.SignInIn{Flow: b.flow, Form: form})
		if !step.Cookie.Empty() {
			b.flow = step.Cookie
		}
	}
	if step.Session != nil {
		b.session = step.Session.Token
	}
	h.tick()
	return b, step
}

// alarms are the mails about root that wait, by address.
func (h *home) alarms(kind iam.NoticeKind) map[string]int {
	h.Helper()
	to := map[string]int{}
	for _, m := range h.letters() {
		if m.Kind == iam.MessageAlarm && m.Letter.Notice == kind {
			to[m.Letter.To]++
		}
	}
	return to
}

// Every use of root is marked in the trail and mailed to root and administrators:
// once a session, and once a day for each key.
func TestRootIsSeen(t *testing.T) {
	posted(t, func(h *home) {
		h.bindMail("admin", "admin@example.com")
		b, p := h.rootArrives()
		want := func(what string, kind iam.NoticeKind, n int) {
			t.Helper()
			if got := h.alarms(kind); got[rootMail] != n || got["admin@example.com"] != n {
				t.Errorf("%s: mails %v, want %d each", what, got, n)
			}
		}
		want("the set-up", iam.NoticeRootUsed, 1)
		run(h, b.call(), ops.ListUsers, ops.Listing{})
		run(h, b.call(), ops.CreateUser, ops.CreateUserIn{Name: "alice"})
		want("at work", iam.NoticeRootUsed, 0)
		b, _ = h.asRoot(p, firstPassword, "")
		want("another session", iam.NoticeRootUsed, 1)
		h.must(h.store.Flush())
		for _, op := range []string{"CreateUser", "ListUsers", "SignIn"} {
			if e := h.events(op)[0]; !e.Root || e.Actor.Kind != "root" {
				t.Errorf("%s is not marked: %+v", op, e)
			}
		}
		run(h, h.byAdmin(), ops.CreateUser, ops.CreateUserIn{Name: "bob"})
		if e := h.events("CreateUser")[0]; e.Root {
			t.Errorf("an administrator's event is marked as root's: %+v", e)
		}

		k := run(h, b.call(), ops.CreateAccessKey, ops.UserIn{})
		h.letters()
		for range 3 {
			run(h, h.keyed(k.ID), ops.ListUsers, ops.Listing{})
		}
		want("a key", iam.NoticeRootUsed, 1)
		h.Server = h.node(h.store) // another node of that day
		h.Deliver(everything)
		run(h, h.keyed(k.ID), ops.ListUsers, ops.Listing{})
		want("another node", iam.NoticeRootUsed, 0)
		h.clock.Advance(24 * time.Hour)
		run(h, h.keyed(k.ID), ops.ListUsers, ops.Listing{})
		want("the next day", iam.NoticeRootUsed, 1)
		found := run(h, h.byAdmin(), ops.QueryTrail, ops.QueryTrailIn{Where: "root AND access_key <> ''", SQL: "SELECT count(*) FROM found"})
		if *found.Rows[0][0] != "5" {
			t.Errorf("the query finds %s uses of the key", *found.Rows[0][0])
		}
	})
}

// keyed is a call signed with a key.
func (h *home) keyed(key string) ops.Call {
	h.Helper()
	c, err := h.Credential(context.Background(), key, "")
	h.must(err)
	return h.by(c.Caller)
}

// lent is a call signed with session credentials.
func (h *home) lent(s *ops.NewSession) ops.Call {
	h.Helper()
	c, err := h.Credential(context.Background(), s.AccessKeyID, string(s.Token))
	h.must(err)
	return h.by(c.Caller)
}

// The rules for root hold at every door and on open sessions, and nobody locks
// root out without having been told (N-2).
func TestRootRules(t *testing.T) {
	posted(t, func(h *home) {
		_, p := h.rootArrives()
		b, _ := h.asRoot(p, firstPassword, "")
		k := run(h, b.call(), ops.CreateAccessKey, ops.UserIn{})
		h.letters()
		set := func(in ops.RootRulesIn) { t.Helper(); run(h, b.call(), ops.SetRootRules, in) }
		out := ops.RootRulesIn{RootRules: iam.RootRules{Networks: "198.51.100.0/24;2001:db8::/32"}}
		no(h, fault.Invalid, b.call(), ops.SetRootRules, ops.RootRulesIn{RootRules: iam.RootRules{Networks: "nowhere"}})
		if f := no(h, fault.Conflict, b.call(), ops.SetRootRules, out); f.Noun != "own way in" {
			t.Errorf("%+v", f)
		}
		i := run(h, b.call(), ops.PreviewRootRules, ops.RootRulesIn{RootRules: iam.RootRules{Networks: out.Networks, NoKeys: true}})
		if !i.Outside || i.Sessions != 2 || len(i.Others) != 1 || len(i.Keys) != 1 || i.Binds {
			t.Errorf("the effect: %+v", i)
		}

		// A second factor at every door: a key alone does nothing any more.
		set(ops.RootRulesIn{RootRules: iam.RootRules{MFA: true}})
		if got := h.alarms(iam.NoticeRootRules); got[rootMail] != 1 {
			t.Errorf("root was told of the rules: %v", got)
		}
		no(h, fault.Denied, h.keyed(k.ID), ops.ListUsers, ops.Listing{})
		bare := run(h, h.keyed(k.ID), ops.GetSessionToken, ops.GetSessionTokenIn{})
		no(h, fault.Denied, h.lent(bare), ops.ListQueries, struct{}{})
		run(h, b.call(), ops.ListUsers, ops.Listing{})
		h.tick()
		list := run(h, b.call(), ops.ListMFADevices, ops.UserListing{})
		s := run(h, h.keyed(k.ID), ops.GetSessionToken, ops.GetSessionTokenIn{Serial: list.Items[0].ARN(), Code: h.code(p)})
		run(h, h.lent(s), ops.ListUsers, ops.Listing{})

		// No keys: those that there are end, and none begins.
		h.tick()
		b, _ = h.asRoot(p, firstPassword, "")
		set(ops.RootRulesIn{RootRules: iam.RootRules{NoKeys: true}})
		if _, err := h.Credential(context.Background(), k.ID, ""); err == nil {
			no(h, fault.Unauthenticated, h.keyed(k.ID), ops.ListQueries, struct{}{})
		}
		no(h, fault.Unmodifiable, b.call(), ops.CreateAccessKey, ops.UserIn{})
		no(h, fault.Unmodifiable, b.call(), ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{Key: k.ID}, Status: iam.KeyActive})
		if is := run(h, b.call(), ops.GetRootUser, struct{}{}); !is.Rules.NoKeys || len(is.Keys) != 1 || is.Keys[0].Status != iam.KeyInactive || len(is.Factors) != 1 || is.Sessions != 3 {
			t.Errorf("root stands %+v", is)
		}
		// What is set as a whole elsewhere leaves root's rules alone.
		run(h, b.call(), ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: iam.DefaultPreferences()})
		if is := run(h, b.call(), ops.GetRootUser, struct{}{}); !is.Rules.NoKeys {
			t.Error("the preferences took root's rules away")
		}

		// Networks: of IPv4 and IPv6, for the next sign-in and for open sessions.
		out.Confirmed = true
		set(out)
		b.out("the networks")
		if _, step := h.asRoot(p, firstPassword, ""); step.Refusal != signin.Elsewhere {
			t.Errorf("from outside: %+v", step)
		}
		for _, from := range []string{"198.51.100.9", "2001:db8::9", "::ffff:198.51.100.9"} {
			if _, step := h.asRoot(p, firstPassword, from); step.Session == nil {
				t.Errorf("from %s: %+v", from, step)
			}
		}
		if _, step := h.asRoot(p, firstPassword, "2001:db9::9"); step.Refusal != signin.Elsewhere {
			t.Errorf("from another network: %+v", step)
		}
		h.recentAdmin() // the rules are root's alone
	})
}

// The break-glass: a link from the host, which works once and within an hour,
// gives root another password and factor; all that root had ends, everybody is
// told, and nothing changes before the end (A-8, H-5, W-10).
func TestRecoverRoot(t *testing.T) {
	posted(t, func(h *home) {
		h.bindMail("admin", "admin@example.com")
		ctx := context.Background()
		if _, err := h.NewRecovery(ctx, testkit.Account); !fault.Is(err, fault.Conflict) {
			t.Errorf("before the set-up: %v", err)
		}
		old, p := h.rootArrives()
		s := run(h, old.call(), ops.CreateAccessKey, ops.UserIn{})
		session := run(h, h.keyed(s.ID), ops.GetSessionToken, ops.GetSessionTokenIn{})
		out := ops.RootRulesIn{RootRules: iam.RootRules{Networks: "198.51.100.0/24"}, Confirmed: true}
		run(h, h.byAdmin(), ops.SetRootRules, out)
		h.letters()
		lost, err := h.NewRecovery(ctx, testkit.Account)
		h.must(err)
		link, err := h.NewRecovery(ctx, testkit.Account)
		h.must(err)
		if got := h.alarms(iam.NoticeRootLink); got[rootMail] != 2 || got["admin@example.com"] != 2 {
			t.Errorf("mails of the link: %v", got)
		}
		no(h, fault.NotFound, h.nobody(), ops.InspectRecovery, ops.InspectSetupIn{Token: lost})
		before := h.picture()
		run(h, h.nobody(), ops.InspectRecovery, ops.InspectSetupIn{Token: link})
		b, other := h.browser(), h.browser()
		other.stage(other.submit(ops.SubmitRecovery{Token: link}), signin.StageNewPassword, "")
		b.stage(b.submit(ops.SubmitRecovery{Token: link}), signin.StageNewPassword, "")
		if _, err := b.try(ops.SubmitNewPassword{Password: secret("short")}); !fault.Is(err, fault.WeakPassword) {
			t.Errorf("a weak password: %v", err)
		}
		const fresh = "a fresh Password 11"
		step := b.submit(ops.SubmitNewPassword{Password: secret(fresh)})
		b.stage(step, signin.StageBind, "")
		if !step.Recovering || step.Passkey == "" {
			t.Errorf("the page offers %+v", step.Bindable)
		}
		if after := h.picture(); after != before {
			t.Errorf("something took effect before the end:\n%s\n%s", before, after)
		}
		mine := phone(step.Device.SeedText.Reveal())
		b.stage(b.submit(ops.SubmitPair{Code1: "000000", Code2: "111111"}), signin.StageBind, signin.WrongCode)
		c1, c2 := h.pair(mine)
		b.signedIn(b.submit(ops.SubmitPair{Code1: c1, Code2: c2}))
		b.call() // not shut out by networks that were there
		h.tick()

		if got := h.alarms(iam.NoticeRootRecovered); got[rootMail] != 1 || got["admin@example.com"] != 1 {
			t.Errorf("mails of the recovery: %v", got)
		}
		if _, err := h.Credential(ctx, session.AccessKeyID, string(session.Token)); err == nil {
			c, _ := h.Credential(ctx, session.AccessKeyID, string(session.Token))
			no(h, fault.Expired, h.by(c.Caller), ops.ListUsers, ops.Listing{})
		}
		if _, step := h.asRoot(p, fresh, ""); step.Session != nil {
			t.Error("the old factor lets in")
		}
		if _, step := h.asRoot(mine, firstPassword, ""); step.Session != nil {
			t.Error("the old password lets in")
		}
		if _, step := h.asRoot(mine, fresh, ""); step.Session == nil {
			t.Errorf("the new ones do not let in: %+v", step)
		}
		for called, step := range map[string]*ops.SignInStep{
			"the other tab": other.submit(ops.SubmitNewPassword{Password: secret(fresh)}), "the link": h.browser().submit(ops.SubmitRecovery{Token: link}),
			"no link": h.browser().submit(ops.SubmitRecovery{Token: seal.NewSecret([]byte("nonsense"))}),
		} {
			if step.Verdict != signin.Refused || step.Refusal != signin.Spent {
				t.Errorf("%s afterwards: %+v", called, step)
			}
		}
		h.must(h.store.Flush())
		for _, op := range []string{"NewRecovery", "InspectRecovery"} {
			if e := h.events(op); len(e) == 0 || !e[len(e)-1].Root {
				t.Errorf("%s is not marked: %+v", op, e)
			}
		}
		if is := run(h, b.call(), ops.GetRootUser, struct{}{}); is.Rules.Networks != "" || len(is.Factors) != 1 {
			t.Errorf("root stands %+v", is)
		}

		late, err := h.NewRecovery(ctx, testkit.Account)
		h.must(err)
		h.clock.Advance(ops.RecoveryLife)
		no(h, fault.NotFound, h.nobody(), ops.InspectRecovery, ops.InspectSetupIn{Token: late})
	})
}

// recentAdmin is the administrator at the console, who has just signed in.
func (h *home) recentAdmin() ops.Call {
	h.Helper()
	b := h.browser()
	b.signedIn(b.submit(ops.SubmitPassword{Account: "acme", User: "admin", Password: secret("another Password 9")}))
	return b.call()
}

// Administrators see that root was let back in until they say that they have.
func TestRecoveryIsLoud(t *testing.T) {
	w := testkit.New(t)
	h := &home{T: t, Server: w.Server, store: w.Store, clock: w.Clock, rand: w.Rand, admin: w.AccessKeyID}
	_, err := w.NewRecovery(context.Background(), testkit.Account)
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "set-up") {
		t.Fatal(err)
	}
	token, err := w.NewSetupToken(context.Background(), testkit.Account, "admin")
	h.must(err)
	h.setup = token
	h.rootArrives()
	_, err = w.NewRecovery(context.Background(), testkit.Account)
	h.must(err)
	b := h.browser()
	b.signedIn(b.submit(ops.SubmitPassword{Account: "acme", User: "admin", Password: secret("another Password 9")}))
	call := b.call()
	around, err := w.Surroundings(context.Background(), &call.Caller)
	h.must(err)
	if around.Loud == nil || around.Loud.Kind != iam.NoticeRootLink || around.Loud.By != "host" {
		t.Fatalf("around the pages: %+v", around.Loud)
	}
	run(h, call, ops.MarkNoticesSeen, ops.MarkNoticesSeenIn{UpTo: w.Clock.Now()})
	if around, err = w.Surroundings(context.Background(), &call.Caller); err != nil || around.Loud != nil {
		t.Errorf("after they were read: %+v, %v", around.Loud, err)
	}
}
