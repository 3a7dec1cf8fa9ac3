package ops_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu/internal/factor/passkey"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

func consoleURL(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(testkit.Origin)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// passkey creates a passkey of whoever is signed in.
func (b *browser) passkey(called string) (*testkit.Authenticator, *iam.Factor) {
	b.Helper()
	key := testkit.NewAuthenticator()
	b.clock.Advance(time.Second) // what comes later is listed so
	options := run(b.home, b.call(), ops.BeginPasskey, struct{}{})
	return key, run(b.home, b.call(), ops.CreatePasskey, ops.CreatePasskeyIn{Name: called, Response: key.Create(b, options)})
}

// page is the secret of a browser at the first page.
func page(n int) seal.Secret { return secret(fmt.Sprint("form cookie ", n)) }

// enter signs in with a passkey and nothing else.
func (b *browser) enter(key *testkit.Authenticator) *ops.SignInStep {
	b.Helper()
	options, err := b.PasskeyRequest(page(1))
	b.must(err)
	return b.submit(ops.SubmitPasskey{Browser: page(1), Assertion: key.Get(b, options)})
}

// refusedEntry wants the answer that everybody gets who is not let in.
func (b *browser) refusedEntry(why string, step *ops.SignInStep) {
	b.Helper()
	if step.Verdict != signin.Refused || step.Refusal != signin.Wrong || step.Session != nil || step.User.ID != 0 {
		b.Errorf("%s: verdict %d, refusal %q, user %v", why, step.Verdict, step.Refusal, step.User.ID)
	}
}

// prompt is the prompt of a kind of factor on a page.
func prompt(t testing.TB, all []ops.Prompt, m iam.Method) ops.Prompt {
	t.Helper()
	i := slices.IndexFunc(all, func(p ops.Prompt) bool { return p.Method == m })
	if i < 0 {
		t.Fatalf("nobody asks for %s: %+v", m, all)
	}
	return all[i]
}

// A passkey is created and kept on the Security page: after a fresh proof (P-7),
// with a name of its own, once (W-7).
func TestPasskeyOfOnesOwn(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:EnableMFADevice", "iam:DeactivateMFADevice", "iam:ListMFADevices"))
		b := h.in("alice", "")
		key, f := b.passkey("Laptop")
		if f.Kind != iam.FactorPasskey || f.Name != "Laptop" || string(f.Credential) != string(key.ID) {
			h.Errorf("created %+v", f)
		}
		// From now on the password alone is no fresh proof.
		if e := no(h, fault.StepUp, b.call(), ops.BeginPasskey, struct{}{}); e.Noun != ops.ProveFactor {
			h.Errorf("asked for %q", e.Noun)
		}
		b.signedIn(b.enter(key))
		second, g := b.passkey("")
		if g.Name != "Passkey" {
			h.Errorf("without a name it is called %q", g.Name)
		}
		options := run(h, b.call(), ops.BeginPasskey, struct{}{})
		if e := no(h, fault.Exists, b.call(), ops.CreatePasskey, ops.CreatePasskeyIn{Response: second.Create(h, options)}); e.Noun != "passkey" {
			h.Errorf("a credential that is there already: %v", e)
		}
		options = run(h, b.call(), ops.BeginPasskey, struct{}{})
		if e := no(h, fault.Exists, b.call(), ops.CreatePasskey, ops.CreatePasskeyIn{Name: "Laptop", Response: testkit.NewAuthenticator().Create(h, options)}); e.Noun != "key name" {
			h.Errorf("a name that is taken: %v", e)
		}
		for _, bad := range []string{" x", "a\nb", strings.Repeat("鍵", 65)} {
			options = run(h, b.call(), ops.BeginPasskey, struct{}{})
			no(h, fault.Invalid, b.call(), ops.CreatePasskey, ops.CreatePasskeyIn{Name: bad, Response: testkit.NewAuthenticator().Create(h, options)})
		}

		run(h, b.call(), ops.RenamePasskey, ops.RenamePasskeyIn{KeyRef: ops.KeyRef{Key: g.ID}, Name: "鍵 in the drawer"})
		if e := no(h, fault.Exists, b.call(), ops.RenamePasskey, ops.RenamePasskeyIn{KeyRef: ops.KeyRef{Key: g.ID}, Name: "Laptop"}); e.Noun != "key name" {
			h.Errorf("renamed to a name that is taken: %v", e)
		}
		var names []string
		for _, k := range run(h, b.call(), ops.ListPasskeys, ops.UserIn{}) {
			names = append(names, k.Name)
			if !k.SignsIn || k.U2F || k.Copied {
				h.Errorf("listed as %+v", k)
			}
		}
		if got := strings.Join(names, ", "); got != "Laptop, 鍵 in the drawer" {
			h.Errorf("listed: %s", got)
		}
		h.user("eve")
		h.grant("eve", allowing("iam:*"))
		eve := h.in("eve", "")
		no(h, fault.NotFound, eve.call(), ops.DeletePasskey, ops.DeletePasskeyIn{KeyRef: ops.KeyRef{Key: f.ID}})
		no(h, fault.NotFound, eve.call(), ops.RenamePasskey, ops.RenamePasskeyIn{KeyRef: ops.KeyRef{Key: f.ID}, Name: "mine"})

		h.tick()
		run(h, b.call(), ops.DeletePasskey, ops.DeletePasskeyIn{KeyRef: ops.KeyRef{Key: f.ID}})
		b.refusedEntry("a passkey that was removed", h.browser().enter(key))
		other := h.browser()
		other.signedIn(other.enter(second))
		told := slices.DeleteFunc(run(h, b.call(), ops.ListNotices, ops.Listing{}).Items, func(n iam.Notice) bool { return n.Kind == iam.NoticeNewBrowser })
		if len(told) < 3 || told[0].Kind != iam.NoticeFactorRemoved || told[0].Subject != "Laptop" || told[1].Kind != iam.NoticeFactorBound {
			h.Errorf("alice was told %+v", told)
		}
	})
}

// S-8, W-3: a passkey signs in without name and password, through the one
// machine, and is two factors at once; the trail and the policies know it.
func TestPasskeySignIn(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":["iam:EnableMFADevice","iam:ListMFADevices"],"Resource":"*"},
			{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{
				"Bool":{"aws:MultiFactorAuthPresent":"true","warifu:MFAPhishingResistant":"true"},
				"StringEquals":{"warifu:MFAStrength":"phishing-resistant","warifu:SignInMethod":"passkey"},
				"ForAllValues:StringEquals":{"warifu:MFAMethods":["passkey"]},
				"NumericLessThan":{"aws:MultiFactorAuthAge":"60"}}}]}`)
		b := h.in("alice", "")
		key, f := b.passkey("Laptop")
		no(h, fault.Denied, b.call(), ops.ListUsers, ops.Listing{})
		key.Still = true // from here on it is one that is synced
		key.Count = 0
		h.must(h.store.Update(context.Background(), func(tx *store.Tx) error {
			_, err := tx.UseCredential(f.Account, f.ID, 0, false, f.Data, h.clock.Now())
			return err
		}))
		key.Count = 100
		h.tick()
		other := h.browser()
		other.signedIn(other.enter(key))
		run(h, other.call(), ops.ListUsers, ops.Listing{})
		s := other.call().Caller.Console
		if s.Method() != "passkey" || len(s.Proved) != 1 || s.Proved[0].Factor != f.ID || !s.Proved[0].At.Equal(h.clock.Now()) {
			h.Errorf("the session has %+v", s.Proved)
		}
		e := h.events("SignIn")[0]
		if e.Actor.Name != "alice" || !e.MFA.Present || !slices.Equal(e.MFA.Methods, []string{"passkey"}) || e.Params["method"] != "passkey" {
			h.Errorf("recorded: %+v", e)
		}
		without := iam.DefaultPreferences()
		without.PasskeySignIn = false
		i := run(h, h.byAdmin(), ops.PreviewPreferences, without)
		if !slices.Equal(i.ShutOut, []string{"alice"}) || i.SignIns != (ops.SignIns{All: 2, Unusual: 2}) { // a passkey is no sign-in that is asked for more
			h.Errorf("the preview: %+v", i)
		}
	})
}

// W-1, W-3, W-7, P-5: what a passkey is not let in with; everybody learns the
// same.
func TestPasskeySignInRefused(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.user("eve")
		h.grant("alice", allowing("iam:EnableMFADevice"))
		h.grant("eve", allowing("iam:EnableMFADevice"))
		key, _ := h.in("alice", "").passkey("Laptop")
		eve, _ := h.in("eve", "").passkey("Laptop")
		b := h.browser()
		ask := func() string {
			h.Helper()
			o, err := h.PasskeyRequest(page(1))
			h.must(err)
			return o
		}
		b.refusedEntry("one that nobody knows", b.enter(testkit.NewAuthenticator()))
		b.refusedEntry("no answer", b.submit(ops.SubmitPasskey{Browser: page(1), Assertion: "{}"}))

		key.Unverified = true
		b.refusedEntry("nobody was verified", b.enter(key))
		key.Unverified, key.Absent = false, true
		b.refusedEntry("nobody was there", b.enter(key))
		key.Absent = false

		was := key.Handle
		key.Handle = eve.Handle
		b.refusedEntry("another user's handle", b.enter(key))
		key.Handle = nil
		b.refusedEntry("no handle", b.enter(key))
		key.Handle = was

		b.refusedEntry("another browser's page", b.submit(ops.SubmitPasskey{Browser: page(2), Assertion: key.Get(h, ask())}))
		b.refusedEntry("no browser", b.submit(ops.SubmitPasskey{Assertion: key.Get(h, ask())}))
		late := key.Get(h, ask())
		h.clock.Advance(passkey.Life)
		b.refusedEntry("five minutes late", b.submit(ops.SubmitPasskey{Browser: page(1), Assertion: late}))

		answer := key.Get(h, ask())
		b.signedIn(b.submit(ops.SubmitPasskey{Browser: page(1), Assertion: answer}))
		// An answer to another question: of a step-up in that very session.
		prompts := run(h, b.call(), ops.ShowStepUp, struct{}{})
		stepUp := key.Get(h, prompt(h, prompts, iam.MethodPasskey).Options)
		again := h.browser()
		again.refusedEntry("an answer to a step-up", again.submit(ops.SubmitPasskey{Browser: page(1), Assertion: stepUp}))
		h.Server = h.node(h.store) // S-7
		again.refusedEntry("the same answer again, after a restart", again.submit(ops.SubmitPasskey{Browser: page(1), Assertion: answer}))

		for range 20 { // a stranger guesses passwords: the passkey is not locked out
			h.browser().name("alice", "wrong")
		}
		again.signedIn(again.enter(key))
		run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}, Reason: "test"})
		b.refusedEntry("a user who is blocked", h.browser().enter(key))
		run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}, Reason: "test"})
		again = h.browser()
		again.signedIn(again.enter(key))

		h.prefer(func(p *iam.Preferences) { p.PasskeySignIn = false })
		b.refusedEntry("an account that does not permit it", h.browser().enter(key))
		h.prefer(func(p *iam.Preferences) { p.PasskeySignIn = true })
		run(h, h.byAdmin(), ops.DeleteLoginProfile, ops.UserIn{User: ops.Ref{Name: "alice"}})
		b.refusedEntry("a user who may not use the console", h.browser().enter(key))
	})
}

// W-1, C-2: of any number of answers to one challenge at once, one opens a
// session, though the passkey counts nothing.
func TestOneChallengeOneSession(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:EnableMFADevice"))
		b := h.in("alice", "")
		key := testkit.NewAuthenticator()
		key.Still, key.Eligible = true, true
		run(h, b.call(), ops.CreatePasskey, ops.CreatePasskeyIn{Response: key.Create(h, run(h, b.call(), ops.BeginPasskey, struct{}{}))})
		options, err := h.PasskeyRequest(page(1))
		h.must(err)
		answer := key.Get(h, options)
		var opened atomic.Int32
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				step, err := ops.Run(context.Background(), h.Server, h.by(ops.Caller{}), ops.SignIn, ops.SignInIn{Form: ops.SubmitPasskey{Browser: page(1), Assertion: answer}})
				if err != nil {
					h.Error(err)
				} else if step.Session != nil {
					opened.Add(1)
				}
			})
		}
		all.Wait()
		if n := opened.Load(); n != 1 {
			h.Errorf("%d sessions from one answer", n)
		}
	})
}

// A passkey is a second factor after the password, and any one of the user's
// answers. Wrong answers are counted; beyond the budget a right one is a wrong one
// (C-5).
func TestPasskeyAfterPassword(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.user("eve")
		h.grant("alice", allowing("iam:EnableMFADevice", "iam:DeactivateMFADevice"))
		h.grant("eve", allowing("iam:EnableMFADevice"))
		b := h.in("alice", "")
		one, _ := b.passkey("One")
		b.signedIn(b.enter(one))
		two, f := b.passkey("Two")
		theirs, _ := h.in("eve", "").passkey("One")

		for _, key := range []*testkit.Authenticator{one, two} {
			key.Unverified = true // a password was proved beside it
			b := h.browser()
			b.stage(b.name("alice", firstPassword), signin.StageFactor, "")
			p := prompt(h, b.show().Prompts, iam.MethodPasskey)
			b.signedIn(b.submit(ops.SubmitFactor{Factor: p.ID, Response: ops.Response{Assertion: key.Get(h, p.Options)}}))
			if m := b.call().Caller.Console.Method(); m != "password+passkey" {
				h.Errorf("signed in with %s", m)
			}
			key.Unverified = false
		}

		a, other := h.browser(), h.browser()
		a.stage(a.name("alice", firstPassword), signin.StageFactor, "")
		other.stage(other.name("alice", firstPassword), signin.StageFactor, "")
		p := prompt(h, a.show().Prompts, iam.MethodPasskey)
		elsewhere := prompt(h, other.show().Prompts, iam.MethodPasskey)
		give := func(text string) *ops.SignInStep {
			h.Helper()
			return a.submit(ops.SubmitFactor{Factor: p.ID, Response: ops.Response{Assertion: text}})
		}
		a.stage(give(theirs.Get(h, p.Options)), signin.StageFactor, signin.WrongCode)                       // W-7
		a.stage(give(one.Get(h, elsewhere.Options)), signin.StageFactor, signin.WrongCode)                  // W-1: another flow's
		a.stage(give(one.Get(h, must(h.PasskeyRequest(page(1)))(h))), signin.StageFactor, signin.WrongCode) // W-1: another purpose's
		a.stage(give(""), signin.StageFactor, signin.WrongCode)
		a.stage(a.submit(ops.SubmitFactor{Factor: p.ID, Response: ops.Response{Code: "123456"}}), signin.StageFactor, signin.WrongCode)
		used := two.Get(h, p.Options)
		two.Origin = "https://evil.example"
		a.stage(give(two.Get(h, p.Options)), signin.StageFactor, signin.WrongCode)
		two.Origin = testkit.Origin
		a.stage(give(used), signin.StageFactor, signin.WrongCode) // the challenge was used up by the one before
		a.signedIn(give(two.Get(h, prompt(h, a.show().Prompts, iam.MethodPasskey).Options)))

		h.must(h.store.Update(context.Background(), func(tx *store.Tx) error {
			for range iam.MaxPairFailures {
				if _, err := tx.FactorFailed(f.Account, f.ID); err != nil {
					return err
				}
			}
			return nil
		}))
		spent := h.browser()
		spent.stage(spent.name("alice", firstPassword), signin.StageFactor, "")
		p = prompt(h, spent.show().Prompts, iam.MethodPasskey)
		spent.stage(spent.submit(ops.SubmitFactor{Factor: f.ID, Response: ops.Response{Assertion: two.Get(h, p.Options)}}), signin.StageFactor, signin.WrongCode)
		spent.refusedEntry("a key without a budget", h.browser().enter(two))
		p = prompt(h, spent.show().Prompts, iam.MethodPasskey)
		spent.signedIn(spent.submit(ops.SubmitFactor{Factor: f.ID, Response: ops.Response{Assertion: one.Get(h, p.Options)}}))
	})
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// S-1, S-4, W-3: a passkey steps a session up when its user is verified. The
// session gets another secret, and remembers which factor it was, and when.
func TestPasskeyStepUp(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:EnableMFADevice", "iam:DeactivateMFADevice"))
		b := h.in("alice", "")
		key, f := b.passkey("Laptop")
		b.signedIn(b.enter(key))
		other := h.browser()
		other.signedIn(other.enter(key))
		h.clock.Advance(20 * time.Minute)
		no(h, fault.StepUp, b.call(), ops.BeginPasskey, struct{}{})

		answer := func(b *browser) ops.StepUpIn {
			h.Helper()
			p := prompt(h, run(h, b.call(), ops.ShowStepUp, struct{}{}), iam.MethodPasskey)
			return ops.StepUpIn{FactorIn: ops.FactorIn{Factor: p.ID}, Response: ops.Response{Assertion: key.Get(h, p.Options)}}
		}
		key.Unverified = true
		no(h, fault.BadCode, b.call(), ops.StepUp, answer(b))
		key.Unverified = false
		no(h, fault.BadCode, b.call(), ops.StepUp, answer(other)) // W-1: another session's challenge
		in := answer(b)
		old := b.session
		b.session = run(h, b.call(), ops.StepUp, in).Token
		no(h, fault.BadCode, b.call(), ops.StepUp, in)
		(&browser{home: h, session: old}).out("the secret from before the proof")
		s := b.call().Caller.Console
		if last, ok := s.LastOf(iam.PhishingResistant); !ok || last.Factor != f.ID || !last.At.Equal(h.clock.Now()) || last.Method != iam.MethodPasskey {
			h.Errorf("the session has %+v", s.Proved)
		}
		run(h, b.call(), ops.BeginPasskey, struct{}{})
	})
}

// P-7: a factor is removed by its owner only after a proof that is no weaker.
func TestRemovalNeedsNoWeakerProof(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:EnableMFADevice", "iam:DeactivateMFADevice"))
		key, f := h.in("alice", "").passkey("Laptop")
		phone, device := h.device("alice")
		code := h.browser()
		code.stage(code.name("alice", firstPassword), signin.StageFactor, "")
		code.signedIn(code.submit(ops.SubmitFactor{Factor: device.ID, Response: ops.Response{Code: h.code(phone)}}))
		strong := h.browser()
		strong.signedIn(strong.enter(key))
		serial := ops.Serial("alice", f)
		remove := ops.DeletePasskeyIn{KeyRef: ops.KeyRef{Key: f.ID}}
		if e := no(h, fault.StepUp, code.call(), ops.DeletePasskey, remove); e.Noun != ops.ProveStronger {
			h.Errorf("a passkey with a code: asked for %q", e.Noun)
		}
		no(h, fault.StepUp, code.call(), ops.DeactivateMFADevice, ops.DeviceIn{Serial: serial})
		run(h, strong.call(), ops.DeactivateMFADevice, ops.DeviceIn{Serial: device.ARN()})
		run(h, strong.call(), ops.DeactivateMFADevice, ops.DeviceIn{Serial: serial})
		strong.refusedEntry("a passkey that was removed by its serial number", h.browser().enter(key))
	})
}

// P-9: where a factor is required, a passkey can be the first one at sign-in; with
// the password alone nothing is bound where only a link may.
func TestPasskeyAtBinding(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.prefer(func(p *iam.Preferences) { p.MFAForLogin = iam.MFAMandatory })
		b := h.browser()
		b.stage(b.name("alice", firstPassword), signin.StageBind, "")
		other := h.browser()
		other.stage(other.name("alice", firstPassword), signin.StageBind, "")
		key := testkit.NewAuthenticator()
		elsewhere := key.Create(h, other.show().Passkey)
		b.stage(b.submit(ops.SubmitNewPasskey{Response: elsewhere}), signin.StageBind, signin.WrongCode) // W-1
		key.Unverified = true
		b.stage(b.submit(ops.SubmitNewPasskey{Response: key.Create(h, b.show().Passkey)}), signin.StageBind, signin.WrongCode)
		key.Unverified = false
		b.signedIn(b.submit(ops.SubmitNewPasskey{Name: "First", Response: key.Create(h, b.show().Passkey)}))
		if m := b.call().Caller.Console.Method(); m != "password+passkey" {
			h.Errorf("signed in with %s", m)
		}
		// The other tab's form comes too late: there is a factor now.
		other.stage(other.submit(ops.SubmitNewPasskey{Response: elsewhere}), signin.StageFactor, "")
		b = h.browser()
		b.signedIn(b.enter(key))
	})
}

// W-5: a counter that goes back is refused, and the user is told.
func TestCopiedPasskey(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:EnableMFADevice", "iam:ListMFADevices"))
		key, _ := h.in("alice", "").passkey("Laptop")
		key.Count = 5
		b := h.browser()
		b.signedIn(b.enter(key))
		key.Count = 2
		h.tick()
		b.refusedEntry("from 6 to 3", h.browser().enter(key))
		if e := h.events("SignIn")[0]; !strings.Contains(e.Params["key"], "went back") {
			h.Errorf("recorded: %+v", e.Params)
		}
		if told := run(h, b.call(), ops.ListNotices, ops.Listing{}).Items[0]; told.Kind != iam.NoticeKeyCopied || told.Subject != "Laptop" {
			h.Errorf("alice was told %+v", told)
		}
		h.must(h.UsePasskeys(context.Background(), passkey.Config{URL: consoleURL(h), Rollback: passkey.FlagRollback}))
		key.Count = 2
		b = h.browser()
		b.signedIn(b.enter(key))
		if k := run(h, b.call(), ops.ListPasskeys, ops.UserIn{})[0]; !k.Copied || k.LastStep != 6 {
			h.Errorf("kept as %+v", k)
		}
	})
}

// W-8: a key that another system registered by FIDO U2F is a second factor, and
// nothing else, until it has proved itself and a passkey takes its place.
func TestU2FKey(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:EnableMFADevice", "iam:DeactivateMFADevice", "iam:ListMFADevices"))
		key, point := testkit.NewU2FKey(h, testkit.Rand("u2f"), testkit.Origin)
		in := ops.ImportU2FKeyIn{User: ops.Ref{Name: "alice"}, Name: "Old key", KeyHandle: key.ID, PublicKey: point, Count: 7}
		key.Count = 7
		no(h, fault.Denied, h.in("alice", "").call(), ops.ImportU2FKey, in)
		f := run(h, h.byAdmin(), ops.ImportU2FKey, in)
		if e := no(h, fault.Exists, h.byAdmin(), ops.ImportU2FKey, in); e.Noun != "key name" {
			h.Errorf("imported twice: %v", e)
		}
		bad := in
		bad.PublicKey = point[1:]
		no(h, fault.Invalid, h.byAdmin(), ops.ImportU2FKey, bad)

		alone := h.browser()
		alone.refusedEntry("a U2F key alone", alone.enter(key))
		b := h.browser()
		b.stage(b.name("alice", firstPassword), signin.StageFactor, "")
		p := prompt(h, b.show().Prompts, iam.MethodU2F)
		b.signedIn(b.submit(ops.SubmitFactor{Factor: p.ID, Response: ops.Response{Assertion: key.Get(h, p.Options)}}))
		if m := b.call().Caller.Console.Method(); m != "password+u2f" {
			h.Errorf("signed in with %s", m)
		}
		h.clock.Advance(11 * time.Minute)

		// The upgrade: no new key before the old one has proved itself.
		ref := ops.KeyRef{Key: f.ID}
		options := run(h, b.call(), ops.BeginUpgrade, ref)
		fresh := testkit.NewAuthenticator()
		no(h, fault.StepUp, b.call(), ops.FinishUpgrade, ops.FinishUpgradeIn{KeyRef: ref})
		no(h, fault.BadCode, b.call(), ops.ProveUpgrade, ops.ProveUpgradeIn{KeyRef: ref, Assertion: fresh.Get(h, options)})
		up := run(h, b.call(), ops.ProveUpgrade, ops.ProveUpgradeIn{KeyRef: ref, Assertion: key.Get(h, run(h, b.call(), ops.BeginUpgrade, ref))})
		b.session = up.Token
		// What was asked to create any passkey does not do.
		create := run(h, b.call(), ops.BeginPasskey, struct{}{})
		if e := no(h, fault.Invalid, b.call(), ops.FinishUpgrade, ops.FinishUpgradeIn{KeyRef: ref, CreatePasskeyIn: ops.CreatePasskeyIn{Response: fresh.Create(h, create)}}); e.Noun != "passkey" {
			h.Errorf("another challenge: %v", e)
		}
		done := run(h, b.call(), ops.FinishUpgrade, ops.FinishUpgradeIn{KeyRef: ref, CreatePasskeyIn: ops.CreatePasskeyIn{Name: "Old key", Response: fresh.Create(h, up.Options)}})
		if done.Kind != iam.FactorPasskey || done.Name != "Old key" {
			h.Errorf("it became %+v", done)
		}
		no(h, fault.NotFound, b.call(), ops.BeginUpgrade, ref)
		no(h, fault.Conflict, b.call(), ops.BeginUpgrade, ops.KeyRef{Key: done.ID})
		if all := run(h, b.call(), ops.ListPasskeys, ops.UserIn{}); len(all) != 1 || all[0].U2F {
			h.Errorf("left: %+v", all)
		}
		b = h.browser()
		b.signedIn(b.enter(fresh))
	})
}

// A changed address does not silently make every passkey useless: the
// relying-party id is kept, or given up on purpose. While passkeys cannot be used,
// whoever has one is not let in without it.
func TestRelyingPartyIsKept(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:EnableMFADevice"))
		at := func(s string) passkey.Config {
			u, err := url.Parse(s)
			h.must(err)
			return passkey.Config{URL: u}
		}
		ctx := context.Background()
		h.must(h.UsePasskeys(ctx, at("https://other.example")))
		h.must(h.UsePasskeys(ctx, at(testkit.Origin))) // nothing to lose yet
		key, _ := h.in("alice", "").passkey("Laptop")

		h.must(h.UsePasskeys(ctx, at("https://new."+testkit.RPID+":8443")))
		key.Origin = "https://new." + testkit.RPID + ":8443"
		b := h.browser()
		b.signedIn(b.enter(key)) // its domain is the old host
		for _, moved := range []string{"https://other.example", "http://127.0.0.1:7420"} {
			err := h.UsePasskeys(ctx, at(moved))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), testkit.RPID) || !strings.Contains(err.Error(), moved) {
				h.Errorf("%s: %v", moved, err)
			}
			if off := h.PasskeysOff(); off == nil {
				h.Error("passkeys are not off")
			}
			if o, err := h.PasskeyRequest(page(1)); o != "" || err != nil {
				h.Errorf("asked for: %q, %v", o, err)
			}
			b := h.browser()
			b.stage(b.name("alice", firstPassword), signin.StageFactor, "")
			p := prompt(h, b.show().Prompts, iam.MethodPasskey)
			if p.Options != "" {
				h.Errorf("asked for %s", p.Options)
			}
		}
		given := at("https://other.example")
		given.ID = "other.example"
		h.must(h.UsePasskeys(ctx, given))
		h.must(h.UsePasskeys(ctx, at("https://other.example")))
		if err := h.PasskeysOff(); err != nil {
			h.Error(err)
		}
	})
}

// prefer changes the account's preferences.
func (h *home) prefer(change func(*iam.Preferences)) {
	h.Helper()
	var p iam.Preferences
	h.must(h.store.View(context.Background(), func(tx *store.Tx) (err error) {
		p, err = tx.Preferences(testkit.Account)
		return err
	}))
	change(&p)
	run(h, h.byAdmin(), ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: p})
}
