package ops_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/signin"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// Whoever takes a factor of somebody else says why, whatever kind it is, and the
// trail keeps it. The operations of the clouds have no place for a reason: there the
// trail says that none was asked for. Nobody explains what is done to oneself.
func TestTakingAFactorNeedsAReason(t *testing.T) {
	posted(t, func(h *home) {
		h.user("boss")
		h.grant("boss", allowing("*"))
		h.user("alice")
		_, key := h.in("alice", "").passkey("Laptop")
		h.bindMail("alice", "alice@example.com")
		_, dev := h.device("alice")
		_, second := h.device("alice")
		p, _ := h.device("boss")
		boss := h.in("boss", p)
		ref := ops.Ref{Name: "alice"}
		takes := map[string]func(why string) error{
			"DeletePasskey": func(why string) error {
				return tryOp(h, boss.call(), ops.DeletePasskey, ops.DeletePasskeyIn{KeyRef: ops.KeyRef{User: ref, Key: key.ID}, Reason: why})
			},
			"UnbindAddress": func(why string) error {
				return tryOp(h, boss.call(), ops.UnbindAddress, ops.VerificationIn{User: ref, Kind: iam.FactorEmail, Reason: why})
			},
			"DeactivateMFADevice": func(why string) error {
				return tryOp(h, boss.call(), ops.DeactivateMFADevice, ops.DeviceIn{User: ref, Serial: dev.ARN(), Reason: why})
			},
		}
		told := func(op string) audit.Event { return h.events(op)[0] }
		for op, take := range takes {
			for _, bad := range []string{"", " \t", "line\nbreak", strings.Repeat("x", 300)} {
				var f *fault.Error
				if err := take(bad); !asFault(err, &f) || f.Kind != fault.Invalid || f.Noun != "reason" && f.Name != "reason" {
					h.Errorf("%s because of %.10q: %v", op, bad, err)
				}
			}
		}
		if n := len(run(h, h.byAdmin(), ops.ListMFADevices, ops.UserListing{User: ref}).Items); n != 3 {
			h.Fatalf("%d devices and keys are left, want 3", n)
		}
		h.clock.Advance(time.Second) // the newest event comes first
		for op, take := range takes {
			h.must(take("the phone fell into the sea"))
			if got := told(op).Params["reason"]; got != "the phone fell into the sea" {
				h.Errorf("%s: the trail says %q", op, got)
			}
		}
		run(h, h.byAdmin(), ops.UnbindMFADevice, ops.UserIn{User: ref}) // signed: by an administrator's key
		if got := told("UnbindMFADevice").Params["reason"]; !strings.Contains(got, "no place") {
			h.Errorf("a signed request: the trail says %q", got)
		}
		run(h, h.byAdmin(), ops.DeleteVirtualMFADevice, ops.SerialIn{Serial: second.ARN()})

		own, f := h.device("alice") // which takes a minute
		self := h.in("alice", own)
		run(h, self.call(), ops.DeactivateMFADevice, ops.DeviceIn{Serial: f.ARN()})
		if got, there := told("DeactivateMFADevice").Params["reason"]; there {
			h.Errorf("one's own: the trail says %q", got)
		}
	})
}

// P-8: to let somebody in again who has more power than oneself, or to forgive the
// wrong passwords of one, is not for a help desk, at any door; whoever has the
// machine lets root in.
func TestP8NobodyUnblocksThoseAbove(t *testing.T) {
	homes(t, func(h *home) {
		h.user("boss")
		h.grant("boss", allowing("*"))
		h.user("worker")
		desk := newPersonOf(h, "helpdesk", `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
			"Action":["warifu:UnblockUser","warifu:BlockUser","iam:UpdateLoginProfile","iam:UpdateAccessKey","iam:GetUser"],"Resource":"*"}}`)
		for _, how := range []string{"blocked", "guessed"} {
			for _, who := range []string{"boss", "worker"} {
				if how == "blocked" {
					run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: who}, Reason: "test"})
					continue
				}
				for range signin.MaxFailures {
					h.desk().name(who, "wrong")
				}
			}
			in := ops.BlockUserIn{User: ops.Ref{Name: "boss"}, Reason: "asked on the phone"}
			if f := no(h, fault.Denied, desk(), ops.UnblockUser, in); f.Noun != "above the caller" {
				h.Errorf("%s: %+v", how, f)
			}
			off := false
			boss := run(h, h.byAdmin(), ops.GetUser, ops.UserIn{User: ops.Ref{Name: "boss"}})
			if f := no(h, fault.Denied, desk(), ops.UpdateUserState, ops.OracleStateIn{Matching: ops.Matching{ID: boss.ID}, Blocked: &off}); f.Noun != "above the caller" {
				h.Errorf("%s, at Oracle's door: %+v", how, f)
			}
			if step := h.desk().name("boss", firstPassword); step.Session != nil {
				h.Errorf("%s: boss is in", how)
			}
			run(h, desk(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "worker"}, Reason: "asked on the phone"})
			h.desk().signIn("worker", "", false)
			run(h, h.byAdmin(), ops.UpdateUserState, ops.OracleStateIn{Matching: ops.Matching{ID: boss.ID}, Blocked: &off})
			h.desk().signIn("boss", "", false)
		}

		p := h.rootSetUp()
		root := ops.SubmitPassword{User: rootAddress, Password: secret(firstPassword)}
		for range signin.MaxFailures {
			h.desk().send(ops.SubmitPassword{User: rootAddress, Password: secret("wrong")}, false)
		}
		if step := h.desk().send(root, false); step.Refusal != signin.TooMany {
			h.Fatalf("root: %+v", step)
		}
		h.must(h.UnblockByHost(context.Background(), testkit.Account, ""))
		if e := h.events("UnblockUser")[0]; e.Actor.Kind != "system" || e.Door != "host" || e.Result != audit.Allowed {
			h.Errorf("the trail says %+v", e)
		}
		d := h.desk()
		d.send(root, false)
		h.tick()
		if step := d.send(ops.SubmitFactor{Response: ops.Response{Code: h.code(p)}}, false); step.Session == nil {
			h.Errorf("root: %+v", step)
		}
		for who, kind := range map[string]fault.Kind{"": fault.Conflict, "nobody": fault.NotFound} {
			if err := h.UnblockByHost(context.Background(), testkit.Account, who); !fault.Is(err, kind) {
				h.Errorf("%q: %v", who, err)
			}
		}
	})
}

// newPersonOf makes a user with a policy and a key, and returns calls with that key.
func newPersonOf(h *home, called, document string) func() ops.Call {
	h.Helper()
	h.user(called)
	h.grant(called, document)
	key := run(h, h.byAdmin(), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: called}})
	return func() ops.Call {
		c, err := h.Credential(context.Background(), key.ID, "")
		h.must(err)
		return h.by(c.Caller)
	}
}

const rootAddress = "root@example.com"

// rootSetUp gives root an address, firstPassword and a device.
func (h *home) rootSetUp() phone {
	h.Helper()
	b := h.browser()
	b.submit(ops.SubmitSetup{Token: h.setup})
	b.submit(ops.SubmitAccount{Alias: "acme"})
	p := phone(b.submit(ops.SubmitRoot{Email: rootAddress, Password: secret(firstPassword)}).Device.SeedText.Reveal())
	c1, c2 := h.pair(p)
	b.signedIn(b.submit(ops.SubmitPair{Code1: c1, Code2: c2}))
	h.tick()
	return p
}

// C-4: the password that is asked for again, of whoever has no factor, is counted
// in the lane of its browser, and pauses as at sign-in: strangers who spend the
// lane of all others do not stop somebody who is signed in.
func TestC4PasswordAgainHasTheBrowsersLane(t *testing.T) {
	homes(t, func(h *home) {
		run(h, h.byAdmin(), ops.SetPasswordPolicy, ops.PasswordPolicy{MinimumLength: 8, MaxLoginAttempts: 3})
		h.user("alice")
		d := h.desk().signIn("alice", "", false)
		for range signin.MaxFailures {
			h.desk().name("alice", "wrong")
			h.clock.Advance(signin.Pause)
			h.must(h.Sweep(context.Background()))
			d.signIn("alice", "", false) // or the session would be idle
		}
		if step := h.desk().name("alice", firstPassword); step.Refusal != signin.TooMany {
			h.Fatalf("elsewhere: %+v", step)
		}
		again := func(password string) error {
			up, err := ops.Run(context.Background(), h.Server, d.call(), ops.StepUp, ops.StepUpIn{Password: secret(password), Browser: d.known})
			if err == nil {
				d.session = up.Token
			}
			return err
		}
		h.must(again(firstPassword))
		if step := h.desk().name("alice", firstPassword); step.Refusal != signin.TooMany {
			h.Errorf("one lane's right password forgave another's wrong ones: %+v", step)
		}
		no(h, fault.Denied, d.call(), ops.StepUp, ops.StepUpIn{Password: secret(firstPassword)}) // not the browser's lane
		for range 3 {
			if err := again("wrong"); !fault.Is(err, fault.Denied) {
				h.Fatal(err)
			}
		}
		if err := again(firstPassword); !fault.Is(err, fault.Denied) {
			h.Errorf("the right password in the pause: %v", err)
		}
		if step := d.name("alice", firstPassword); step.Refusal != signin.TryLater {
			h.Errorf("the lane is not the one of the sign-in: %+v", step)
		}
	})
}

// P-5: a pause tells nobody's name from somebody's, where accounts differ in when
// they pause: an address of root's from no address, a user without a password from
// no user, an account from none.
func TestP5PausesTellNothing(t *testing.T) {
	homes(t, func(h *home) {
		h.rootSetUp()
		run(h, h.byAdmin(), ops.SetPasswordPolicy, ops.PasswordPolicy{MinimumLength: 8, MaxLoginAttempts: 3})
		h.must(h.store.Update(context.Background(), func(tx *store.Tx) error {
			strict := ops.PasswordPolicy{MinimumLength: 8, MaxLoginAttempts: 5}
			return tx.InsertAccount(&iam.Account{ID: 210987654321, Alias: "other", Created: h.clock.Now(), PasswordPolicy: strict.Text()})
		}))
		h.user("alice")
		run(h, h.byAdmin(), ops.CreateUser, ops.CreateUserIn{Name: "keysonly"})
		series := func(account, user string) string {
			var all []string
			for range signin.MaxFailures + 1 {
				step := h.desk().send(ops.SubmitPassword{Account: account, User: user, Password: secret("wrong")}, false)
				all = append(all, string(step.Refusal))
			}
			return strings.Join(all, " ")
		}
		for _, same := range [][][2]string{
			{{"", rootAddress}, {"", "nobody@example.com"}},
			{{"acme", "alice"}, {"acme", "keysonly"}, {"acme", "nobody"}},
		} {
			want := series(same[0][0], same[0][1])
			for _, who := range same[1:] {
				if got := series(who[0], who[1]); got != want {
					h.Errorf("%s is told apart from %s:\n%s\n%s", who, same[0], got, want)
				}
			}
		}
		known := []string{series("acme", "someone"), series("other", "someone")}
		for _, alias := range []string{"nowhere", "nirgends", "210987654322"} {
			if got := series(alias, "alice"); got != known[0] && got != known[1] {
				h.Errorf("%s is told apart from every account: %s", alias, got)
			}
		}
	})
}
