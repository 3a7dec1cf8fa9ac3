package ops_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
	"warifu/policy/ram/jobs"
)

var everything = ops.Delivery{Mail: ops.Sending{On: true, By: "mail.example.com:587"}, SMS: ops.Sending{On: true}}

// posted runs a test on both databases, with mail and text messages on.
func posted(t *testing.T, test func(*home)) {
	homes(t, func(h *home) {
		h.Deliver(everything)
		test(h)
	})
}

// letters are the messages that wait, taken as a sender would.
func (h *home) letters() (all []iam.Message) {
	h.Helper()
	for _, c := range []iam.Channel{iam.ChannelMail, iam.ChannelSMS} {
		for {
			got, err := h.ClaimMessages(context.Background(), c, 100, time.Minute)
			h.must(err)
			if len(got) == 0 {
				break
			}
			for _, m := range got {
				h.must(h.MessageSent(context.Background(), m.ID))
			}
			all = append(all, got...)
		}
	}
	return all
}

// letter is the only message of a kind that waits.
func (h *home) letter(kind iam.MessageKind) iam.Message {
	h.Helper()
	all := slices.DeleteFunc(h.letters(), func(m iam.Message) bool { return m.Kind != kind })
	if len(all) != 1 {
		h.Fatalf("%d messages of the kind %s, not 1", len(all), kind)
	}
	return all[0]
}

func (h *home) sentCode() string {
	h.Helper()
	return string(h.letter(iam.MessageCode).Letter.Secret.Reveal())
}

// bindMail makes an address a user's factor, by the administrator's link.
func (h *home) bindMail(user, address string) {
	h.Helper()
	run(h, h.byAdmin(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: user}, Kind: iam.FactorEmail, Address: address})
	link := ops.LinkIn{Token: h.letter(iam.MessageActivation).Letter.Secret}
	run(h, h.nobody(), ops.UseActivation, link)
	h.letters()
	h.tick()
}

// nobody is a call of somebody who is not signed in.
func (h *home) nobody() ops.Call { return h.by(ops.Caller{}) }

func verification(h *home, user string) *ops.Verification {
	h.Helper()
	return run(h, h.byAdmin(), ops.GetVerification, ops.UserIn{User: ops.Ref{Name: user}})
}

// P-11, H-5: an address is a factor once its reader has said so on the page
// behind the link, however often that was looked at before; no session comes of
// it.
func TestActivationLink(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		run(h, h.byAdmin(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Address: "Alice@Example.com"})
		m := h.letter(iam.MessageActivation)
		if m.Letter.To != "Alice@Example.com" || m.Letter.By != "admin" || m.Letter.UserName != "alice" || m.Letter.AccountName != "acme" || !m.Letter.Until.Equal(h.Now().Add(24*time.Hour)) {
			h.Errorf("the letter: %+v", m.Letter)
		}
		if v := verification(h, "alice"); v.Email.Pending != "Alice@Example.com" || v.Email.Address != "" || v.Email.By != "admin" {
			h.Errorf("pending: %+v", v.Email)
		}
		h.browser().signedIn(h.browser().name("alice", firstPassword)) // no factor yet

		link := ops.LinkIn{Token: m.Letter.Secret}
		for range 3 { // what looks at links before people do
			if a := run(h, h.nobody(), ops.InspectActivation, link); a.Address != "Alice@Example.com" || a.User.Name != "alice" || a.Done {
				h.Errorf("looking: %+v", a)
			}
		}
		if a := run(h, h.nobody(), ops.UseActivation, link); !a.Done {
			h.Errorf("using: %+v", a)
		}
		no(h, fault.NotFound, h.nobody(), ops.UseActivation, link)
		no(h, fault.NotFound, h.nobody(), ops.InspectActivation, link)
		if v := verification(h, "alice"); v.Email.Pending != "" || v.Email.Address != "Alice@Example.com" || v.Email.Bound.IsZero() {
			h.Errorf("bound: %+v", v.Email)
		}
		if list := run(h, h.byAdmin(), ops.ListSessions, ops.UserListing{User: ops.Ref{Name: "alice"}}); len(list.Items) != 1 {
			h.Errorf("%d sessions, not the one that there was", len(list.Items))
		}
		if n := h.letter(iam.MessageNotice); n.Letter.Notice != iam.NoticeFactorBound || n.Letter.To != "Alice@Example.com" {
			h.Errorf("told: %+v", n.Letter)
		}
		for _, op := range []string{"SendActivation", "UseActivation"} {
			if ev := h.events(op); len(ev) == 0 || ev[0].Params["address"] != "Alice@Example.com" || ev[0].Params["kind"] != "email" {
				h.Errorf("the trail of %s: %+v", op, ev)
			}
		}
		// A second address needs the first to go.
		no(h, fault.Conflict, h.byAdmin(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Address: "b@example.com"})
		h.browser().stage(h.browser().name("alice", firstPassword), signin.StageFactor, "")
	})
}

// A link is good for a day, until a newer one is sent or the pending address is
// taken back, and for nobody who is blocked.
func TestActivationLinkEnds(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		send := func() ops.LinkIn {
			h.tick()
			run(h, h.byAdmin(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Address: "a@example.com"})
			return ops.LinkIn{Token: h.letter(iam.MessageActivation).Letter.Secret}
		}
		first, second := send(), send()
		no(h, fault.NotFound, h.nobody(), ops.UseActivation, first)
		run(h, h.byAdmin(), ops.UnbindAddress, ops.VerificationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Reason: "wrong address"})
		no(h, fault.NotFound, h.nobody(), ops.UseActivation, second)
		no(h, fault.NotFound, h.byAdmin(), ops.UnbindAddress, ops.VerificationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail})
		third := send()
		run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		no(h, fault.NotFound, h.nobody(), ops.UseActivation, third)
		run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		h.prefer(func(p *iam.Preferences) { p.OwnBindingOnly = true }) // and an administrator chose the address
		no(h, fault.Unmodifiable, h.nobody(), ops.UseActivation, third)
		h.prefer(func(p *iam.Preferences) { p.OwnBindingOnly = false })
		h.clock.Advance(24*time.Hour - 1)
		run(h, h.nobody(), ops.InspectActivation, third)
		h.clock.Advance(1)
		no(h, fault.NotFound, h.nobody(), ops.UseActivation, third)
		for _, token := range []string{"", "wact_", "wenr_" + strings.Repeat("A", 43), "wact_" + strings.Repeat("A", 43)} {
			no(h, fault.NotFound, h.nobody(), ops.InspectActivation, ops.LinkIn{Token: secret(token)})
		}
	})
}

// atCode signs a user in up to the code, and has one sent.
func (h *home) atCode(user string) (*browser, string) {
	h.Helper()
	b := h.browser()
	b.stage(b.name(user, firstPassword), signin.StageFactor, "")
	step := b.submit(ops.SubmitBegin{})
	b.stage(step, signin.StageFactor, "")
	if len(step.Prompts) == 0 || step.Prompts[0].SentTo == "" || !step.Prompts[0].Again.After(h.Now()) {
		h.Fatalf("the page does not say where a code went: %+v", step.Prompts)
	}
	return b, h.sentCode()
}

func answer(code string) ops.SubmitFactor {
	return ops.SubmitFactor{Response: ops.Response{Code: code}}
}

// other is a code that a code is not.
func other(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// C-7: a code is good once, in the sign-in that asked for it, for ten minutes and
// five tries, and until a newer one is sent.
func TestMailedCode(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.bindMail("alice", "alice@example.com")

		b, code := h.atCode("alice")
		b.stage(b.submit(answer(other(code))), signin.StageFactor, signin.WrongCode)
		b.signedIn(b.submit(answer(" " + code[:3] + "　" + strings.Map(func(r rune) rune { return r - '0' + '０' }, code[3:]))))
		if m := b.call().Caller.MFA; !m.Present || !slices.Equal(m.Methods, []string{"email"}) || m.Strength() != iam.Weak {
			h.Errorf("the session knows %+v", m)
		}

		h.tick()
		b, code = h.atCode("alice")
		elsewhere := h.browser()
		elsewhere.name("alice", firstPassword)
		elsewhere.stage(elsewhere.submit(answer(code)), signin.StageFactor, signin.WrongCode)

		// Too soon for another one; then the older is good for nothing.
		if _, err := b.try(ops.SubmitBegin{}); !fault.Is(err, fault.Throttled) {
			h.Errorf("another code at once: %v", err)
		}
		h.clock.Advance(30 * time.Second)
		b.submit(ops.SubmitBegin{})
		newer := h.sentCode()
		if newer != code {
			b.stage(b.submit(answer(code)), signin.StageFactor, signin.WrongCode)
		}
		for range 4 {
			b.stage(b.submit(answer(other(newer))), signin.StageFactor, signin.WrongCode)
		}
		b.stage(b.submit(answer(newer)), signin.StageFactor, signin.WrongCode) // the sixth
		h.tick()
		b.submit(ops.SubmitBegin{})
		b.signedIn(b.submit(answer(h.sentCode())))

		h.tick()
		b, code = h.atCode("alice")
		h.clock.Advance(signin.Life - time.Minute)
		if step := b.show(); step.Prompts[0].SentTo == "" {
			h.Error("a code that is nine minutes old has run out")
		}
		h.clock.Advance(time.Minute) // the sign-in has run out with it
		if step := b.submit(answer(code)); step.Session != nil {
			h.Error("signed in with a code that is ten minutes old")
		}
	})
}

// C-7: codes of other users and addresses do not keep one's own back, but a
// user's codes do, whichever browser asks; and so do those that one address asks
// for.
func TestCodesAreThrottled(t *testing.T) {
	posted(t, func(h *home) {
		for i := range 8 {
			called := fmt.Sprint("user", i)
			h.user(called)
			h.bindMail(called, called+"@example.com")
		}
		h.clock.Advance(2 * time.Hour)
		b := h.browser()
		b.name("user0", firstPassword)
		for i := range 10 {
			if _, err := b.try(ops.SubmitBegin{}); err != nil {
				h.Fatalf("code %d: %v", i+1, err)
			}
			h.tick()
			if i%5 == 4 {
				b = h.browser()
				b.name("user0", firstPassword)
			}
		}
		if _, err := b.try(ops.SubmitBegin{}); !fault.Is(err, fault.Throttled) {
			h.Errorf("the eleventh code within an hour: %v", err)
		}
		h.letters()
		sent := 10
		for i := 1; i < 8; i++ {
			for range 8 {
				b := h.browser()
				b.name(fmt.Sprint("user", i), firstPassword)
				if _, err := b.try(ops.SubmitBegin{}); err == nil {
					sent++
				} else if !fault.Is(err, fault.Throttled) {
					h.Fatal(err)
				}
				h.clock.Advance(31 * time.Second)
			}
		}
		if sent != 60 {
			h.Errorf("one address had %d codes sent within an hour, not 60", sent)
		}
	})
}

// C-4, C-5: the budget of a mailed code is its own: ten wrong answers in a row,
// in whichever sign-in, and no code is taken any more; the password and the other
// factor are as good as before.
func TestMailedCodeBudget(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		p, _ := h.device("alice")
		h.bindMail("alice", "alice@example.com")
		mail := func(step *ops.SignInStep) (f ops.SubmitFactor) {
			for _, pr := range step.Prompts {
				if pr.Method == iam.Method(iam.FactorEmail) {
					f.Factor = pr.ID
				}
			}
			return f
		}
		var b *browser
		var f ops.SubmitFactor
		var code string
		for range 2 {
			b = h.browser()
			f = mail(b.name("alice", firstPassword))
			b.submit(ops.SubmitBegin{Factor: f.Factor})
			code = h.sentCode()
			f.Code = other(code)
			for range 5 {
				b.stage(b.submit(f), signin.StageFactor, signin.WrongCode)
			}
			h.tick()
		}
		b = h.browser()
		f = mail(b.name("alice", firstPassword))
		if _, err := b.try(ops.SubmitBegin{Factor: f.Factor}); !fault.Is(err, fault.Throttled) {
			h.Errorf("another code although the budget is spent: %v", err)
		}
		// The budget is in the database: it outlives the process.
		h.Server = h.node(h.store)
		h.Deliver(everything)
		b = h.browser()
		f = mail(b.name("alice", firstPassword))
		f.Code = code
		b.stage(b.submit(f), signin.StageFactor, signin.WrongCode)
		var phone ops.SubmitFactor
		for _, pr := range b.show().Prompts {
			if pr.Method == iam.MethodTOTP {
				phone.Factor = pr.ID
			}
		}
		phone.Code = h.code(p)
		b.signedIn(b.submit(phone))
	})
}

// C-2: of many who give one code at once, one gets in.
func TestOneMailedCodeOneSession(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.bindMail("alice", "alice@example.com")
		b, code := h.atCode("alice")
		var opened atomic.Int32
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				each := &browser{home: h, flow: b.flow}
				if step, err := each.try(answer(code)); err == nil && step.Session != nil {
					opened.Add(1)
				}
			})
		}
		all.Wait()
		if opened.Load() != 1 {
			h.Errorf("one code opened %d sessions", opened.Load())
		}
	})
}

// When codes cannot be sent any more, the password alone is not enough: somebody
// who knows the user makes a link (K-6).
func TestNothingCanBeSent(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.bindMail("alice", "alice@example.com")
		h.Deliver(ops.Delivery{})
		stuck := func(why string) {
			h.Helper()
			if step := h.browser().name("alice", firstPassword); step.Refusal != signin.NoFactor || step.Session != nil {
				h.Errorf("%s: signed in, or lets the password bind another factor: %+v", why, step)
			}
		}
		stuck("without a mail server")
		h.Deliver(everything)
		h.browser().stage(h.browser().name("alice", firstPassword), signin.StageFactor, "")
		wanted := run(h, h.byAdmin(), ops.GetSecurityPreferences, struct{}{})
		wanted.EmailCodes = false
		run(h, h.byAdmin(), ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: wanted})
		stuck("when the account does not want codes by mail")
		no(h, fault.Conflict, h.byAdmin(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Address: "b@example.com"})
		h.Deliver(ops.Delivery{})
		no(h, fault.Conflict, h.byAdmin(), ops.SendTestMessage, ops.SendTestIn{Channel: iam.ChannelMail, To: "a@example.com"})
		no(h, fault.Conflict, h.byAdmin(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorSMS, Address: "+819012345678"})
		d := run(h, h.byAdmin(), ops.GetDelivery, struct{}{})
		if d.Mail.On || d.SMS.On {
			h.Errorf("delivery: %+v", d)
		}
	})
}

// bySelf signs in with the phone, and gives the browser.
func (h *home) bySelf(user string, p phone) *browser {
	h.Helper()
	h.tick()
	return h.in(user, p)
}

// A user binds an address itself with a code that is sent there: bound to the
// session, five tries, the newest counts.
func TestBindByCode(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice") // whom the account lets manage its own factors, and no policy anything
		p, _ := h.device("alice")
		h.letters()
		b := h.bySelf("alice", p)
		no(h, fault.Invalid, b.call(), ops.BeginBinding, ops.BeginBindingIn{Kind: iam.FactorSMS, Address: "090 1234"})
		run(h, b.call(), ops.BeginBinding, ops.BeginBindingIn{Kind: iam.FactorSMS, Address: "+81 (90) 1234-5678"})
		m := h.letter(iam.MessageCode)
		if m.Channel != iam.ChannelSMS || m.Letter.To != "+819012345678" || m.Letter.Purpose != "bind" {
			h.Errorf("sent: %+v", m)
		}
		code := string(m.Letter.Secret.Reveal())
		if v := run(h, b.call(), ops.GetVerification, ops.UserIn{}); v.SMS.Code == nil || v.SMS.Code.To != "+819012345678" || v.SMS.Address != "" {
			h.Errorf("under way: %+v", v.SMS)
		}
		elsewhere := h.bySelf("alice", p)
		no(h, fault.Conflict, elsewhere.call(), ops.FinishBinding, ops.FinishBindingIn{Kind: iam.FactorSMS, Code: code})
		no(h, fault.Conflict, b.call(), ops.FinishBinding, ops.FinishBindingIn{Kind: iam.FactorEmail, Code: code})
		for range 5 {
			no(h, fault.BadCode, b.call(), ops.FinishBinding, ops.FinishBindingIn{Kind: iam.FactorSMS, Code: other(code)})
		}
		no(h, fault.Conflict, b.call(), ops.FinishBinding, ops.FinishBindingIn{Kind: iam.FactorSMS, Code: code})
		h.tick()
		run(h, b.call(), ops.BeginBinding, ops.BeginBindingIn{Kind: iam.FactorSMS, Address: "81-9087654321"})
		code = h.sentCode()
		run(h, b.call(), ops.FinishBinding, ops.FinishBindingIn{Kind: iam.FactorSMS, Code: code})
		no(h, fault.Conflict, b.call(), ops.FinishBinding, ops.FinishBindingIn{Kind: iam.FactorSMS, Code: code})
		if v := verification(h, "alice"); v.SMS.Address != "+819087654321" {
			h.Errorf("bound: %+v", v.SMS)
		}
		run(h, b.call(), ops.UnbindAddress, ops.VerificationIn{Kind: iam.FactorSMS})
		if v := verification(h, "alice"); v.SMS.Address != "" {
			h.Errorf("still bound: %+v", v.SMS)
		}
		// Keys have no session to bind in; root has stronger factors.
		no(h, fault.Unauthenticated, h.byAdmin(), ops.BeginBinding, ops.BeginBindingIn{Kind: iam.FactorEmail, Address: "a@example.com"})
	})
}

// A weak factor does for one's own things and not for others'.
func TestMailedCodeIsWeak(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.user("bob")
		h.grant("alice", allowing("*"))
		h.bindMail("alice", "alice@example.com")
		b, code := h.atCode("alice")
		b.signedIn(b.submit(answer(code)))
		run(h, b.call(), ops.CreateAccessKey, ops.UserIn{})
		f := no(h, fault.StepUp, b.call(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "bob"}})
		if f.Noun != ops.ProveStronger {
			h.Errorf("asked for %q", f.Noun)
		}
		no(h, fault.StepUp, b.call(), ops.DeleteLoginProfile, ops.UserIn{User: ops.Ref{Name: "bob"}})

		// Nor as a part of something larger, of which nothing stays then.
		f = no(h, fault.StepUp, b.call(), ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.OMEngineer, Users: []string{"bob"}})
		if f.Noun != ops.ProveStronger {
			h.Errorf("asked for %q", f.Noun)
		}
		no(h, fault.NotFound, h.byAdmin(), ops.GetGroup, ops.GetGroupIn{Group: ops.Ref{Name: "OMEngineers"}})
	})
}

// P-7: whoever has a stronger factor proves that one: who reads the mail makes no
// key, no passkey and no device with it, and approves no command line.
func TestMailedCodeBreedsNothingStronger(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("*"))
		p, device := h.device("alice")
		h.bindMail("alice", "alice@example.com")
		b := h.browser()
		step := b.name("alice", firstPassword)
		b.stage(step, signin.StageFactor, "")
		var mail ops.SubmitFactor
		for _, f := range step.Prompts {
			if f.Method == iam.MethodEmail {
				mail.Factor = f.ID
			}
		}
		b.stage(b.submit(ops.SubmitBegin{Factor: mail.Factor}), signin.StageFactor, "")
		mail.Code = h.sentCode()
		b.signedIn(b.submit(mail))
		for what, f := range map[string]*fault.Error{
			"a key":     no(h, fault.StepUp, b.call(), ops.CreateAccessKey, ops.UserIn{}),
			"a device":  no(h, fault.StepUp, b.call(), ops.EnableMFADevice, ops.PairIn{}),
			"a link":    no(h, fault.StepUp, b.call(), ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{}),
			"a passkey": no(h, fault.StepUp, b.call(), ops.CreatePasskey, ops.CreatePasskeyIn{}),
			"a line":    no(h, fault.StepUp, b.call(), ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{}),
		} {
			if f.Noun != ops.ProveStronger {
				h.Errorf("%s: asked for %q", what, f.Noun)
			}
		}
		h.tick()
		b = h.browser()
		b.stage(b.name("alice", firstPassword), signin.StageFactor, "")
		b.signedIn(b.submit(ops.SubmitFactor{Factor: device.ID, Response: ops.Response{Code: h.code(p)}}))
		run(h, b.call(), ops.CreateAccessKey, ops.UserIn{})
	})
}

// Every change to what protects a user is mailed, to an address that was known
// before the change, too.
func TestNoticesAreMailed(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.must(h.store.Update(context.Background(), func(tx *store.Tx) error {
			u, err := tx.UserByName(h.byAdmin().Caller.Account, "alice")
			if err != nil {
				return err
			}
			u.Email = "profile@example.com"
			return tx.UpdateUser(u)
		}))
		told := func(want ...string) {
			h.Helper()
			var got []string
			for _, m := range h.letters() {
				if m.Kind == iam.MessageNotice {
					if m.Letter.Secret.Empty() || m.Letter.AccountName != "acme" {
						h.Errorf("letter: %+v", m.Letter)
					}
					got = append(got, string(m.Letter.Notice)+" to "+m.Letter.To)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				h.Errorf("told %q, not %q", got, want)
			}
		}
		told()
		run(h, h.byAdmin(), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "alice"}})
		told("key created to profile@example.com")
		run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret("another 7 Battery horse")})
		told("password changed to profile@example.com")
		run(h, h.byAdmin(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Address: "bound@example.com"})
		run(h, h.nobody(), ops.UseActivation, ops.LinkIn{Token: h.letter(iam.MessageActivation).Letter.Secret})
		told("factor bound to bound@example.com", "factor bound to profile@example.com")
		run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}, Reason: "on leave"})
		told("blocked to bound@example.com")
		run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		told("unblocked to bound@example.com")
		run(h, h.byAdmin(), ops.UnbindAddress, ops.VerificationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Reason: "left"})
		told("factor removed to bound@example.com", "factor removed to profile@example.com")
	})
}

// "This was not me" ends sessions and locks, once; looking does nothing (H-5);
// administrators are told. The language is the one that the user was shown.
func TestNotMe(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.bindMail("alice", "alice@example.com")
		h.must(h.store.Update(context.Background(), func(tx *store.Tx) error {
			u, err := tx.UserByName(h.byAdmin().Caller.Account, "admin")
			if err != nil {
				return err
			}
			u.Email = "admin@example.com"
			return tx.UpdateUser(u)
		}))
		b, code := h.atCode("alice")
		b.signedIn(b.submit(answer(code)))
		run(h, h.byAdmin(), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "alice"}})
		h.tick()
		run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret("another 7 Battery horse")})
		var links []ops.LinkIn
		for _, m := range h.letters() {
			links = append(links, ops.LinkIn{Token: m.Letter.Secret})
		}
		if len(links) != 2 {
			h.Fatalf("%d letters", len(links))
		}
		for range 2 {
			if p := run(h, h.nobody(), ops.InspectNotMe, links[0]); p.Done || p.User.Name != "alice" {
				h.Errorf("looking: %+v", p)
			}
		}
		b.call()                                                               // still signed in
		h.must(h.store.Update(context.Background(), func(tx *store.Tx) error { // S-5: a browser of whoever it was
			u, err := tx.UserByName(h.byAdmin().Caller.Account, "alice")
			if err != nil {
				return err
			}
			return tx.InsertRemembered(&iam.Remembered{ID: 1, Account: u.Account, User: u.ID, Hash: []byte("hash"), Bond: []byte("bond"), Created: h.Now(), Expires: h.Now().Add(time.Hour)})
		}))
		if p := run(h, h.nobody(), ops.ReportNotMe, links[0]); !p.Done || !p.Locked {
			h.Errorf("reported: %+v", p)
		}
		h.must(h.store.View(context.Background(), func(tx *store.Tx) error {
			n, err := tx.CountRemembered(h.byAdmin().Caller.Account, h.Now())
			if n != 0 {
				h.Errorf("%d browsers are still remembered", n)
			}
			return err
		}))
		b.out("reported")
		for _, l := range links { // used, and the others with it
			no(h, fault.NotFound, h.nobody(), ops.ReportNotMe, l)
			no(h, fault.NotFound, h.nobody(), ops.InspectNotMe, l)
		}
		list := run(h, h.byAdmin(), ops.ListBlockedUsers, ops.Listing{})
		if len(list.Items) != 1 || list.Items[0].Reason != ops.BlockedByOwner {
			h.Errorf("blocked: %+v", list.Items)
		}
		var alarms []string
		for _, m := range h.letters() {
			if m.Kind == iam.MessageAlarm {
				alarms = append(alarms, m.Letter.To+" about "+m.Letter.UserName)
			}
		}
		if !slices.Equal(alarms, []string{"admin@example.com about alice"}) {
			h.Errorf("alarms: %q", alarms)
		}
		notices := run(h, h.byAdmin(), ops.ListNotices, ops.Listing{})
		if len(notices.Items) == 0 || notices.Items[0].Kind != iam.NoticeNotMe || notices.Items[0].Subject != "alice" {
			h.Errorf("the administrator's notices: %+v", notices.Items)
		}
	})
}

// A link is good for a week.
func TestNotMeRunsOut(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.bindMail("alice", "alice@example.com")
		run(h, h.byAdmin(), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "alice"}})
		link := ops.LinkIn{Token: h.letter(iam.MessageNotice).Letter.Secret}
		h.clock.Advance(ops.NotMeLife - time.Minute)
		run(h, h.nobody(), ops.InspectNotMe, link)
		h.clock.Advance(time.Minute)
		no(h, fault.NotFound, h.nobody(), ops.ReportNotMe, link)
		no(h, fault.NotFound, h.nobody(), ops.ReportNotMe, ops.LinkIn{Token: seal.Secret{}})
	})
}

// K-2: no code and no secret of a link is in the trail or in the database, but
// sealed.
func TestSentSecretsStaySecret(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		run(h, h.byAdmin(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorEmail, Address: "alice@example.com"})
		before := h.dump()
		canaries := []string{string(h.letter(iam.MessageActivation).Letter.Secret.Reveal())}
		run(h, h.nobody(), ops.UseActivation, ops.LinkIn{Token: secret(canaries[0])})
		b := h.browser()
		b.name("alice", firstPassword)
		b.submit(ops.SubmitBegin{})
		before += h.dump()
		for _, m := range h.letters() {
			if s := string(m.Letter.Secret.Reveal()); s != "" {
				canaries = append(canaries, s)
			}
		}
		b.submit(answer(canaries[len(canaries)-1]))
		before += h.dump()
		for _, ev := range []string{"SendActivation", "UseActivation", "SignIn"} {
			before += fmt.Sprintf("%+v", h.events(ev))
		}
		if len(canaries) != 3 || !strings.Contains(before, "UseActivation") {
			h.Fatalf("%d canaries", len(canaries))
		}
		for _, c := range canaries {
			if strings.Contains(before, c) {
				h.Errorf("the secret %q is in the database or the trail", c)
			}
		}
	})
}

// dump is what stands in the files of the database; "" for PostgreSQL.
func (h *home) dump() (s string) {
	h.Helper()
	files, err := filepath.Glob(h.dsn + "*")
	h.must(err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		h.must(err)
		s += string(b)
	}
	return s
}

// A user's addresses go with the user, at every door.
func TestAddressesGoWithTheUser(t *testing.T) {
	posted(t, func(h *home) {
		for called, remove := range map[string]func(){
			"alice": func() {
				run(h, h.byAdmin(), ops.DeleteLoginProfile, ops.UserIn{User: ops.Ref{Name: "alice"}})
				run(h, h.byAdmin(), ops.DeleteUser, ops.UserIn{User: ops.Ref{Name: "alice"}})
			},
			"bob": func() { run(h, h.byAdmin(), ops.RemoveUser, ops.UserIn{User: ops.Ref{Name: "bob"}}) },
		} {
			h.user(called)
			h.bindMail(called, called+"@example.com")
			run(h, h.byAdmin(), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: called}})
			if called == "alice" {
				no(h, fault.Conflict, h.byAdmin(), ops.DeleteUser, ops.UserIn{User: ops.Ref{Name: called}}) // and nothing is lost by it
				if v := verification(h, called); v.Email.Address == "" {
					h.Error("the address is gone although the user is not")
				}
				keys := run(h, h.byAdmin(), ops.ListAccessKeys, ops.UserListing{User: ops.Ref{Name: called}})
				run(h, h.byAdmin(), ops.DeleteAccessKey, ops.KeyIn{User: ops.Ref{Name: called}, Key: keys.Items[0].ID})
			}
			remove()
			no(h, fault.NotFound, h.byAdmin(), ops.GetUser, ops.UserIn{User: ops.Ref{Name: called}})
		}
	})
}

// P-8: nobody gives a weak factor to a user who is above the caller, nor takes one.
func TestAddressesOfThoseAbove(t *testing.T) {
	posted(t, func(h *home) {
		h.user("boss")
		run(h, h.byAdmin(), ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "boss"}, Policy: "arn:aws:iam::aws:policy/AdministratorAccess"})
		h.user("helpdesk")
		h.user("alice")
		h.grant("helpdesk", allowing("warifu:SendActivation", "iam:EnableMFADevice", "iam:DeactivateMFADevice"))
		h.bindMail("boss", "boss@example.com")
		b := h.in("helpdesk", "")
		no(h, fault.Denied, b.call(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "boss"}, Kind: iam.FactorSMS, Address: "+819012345678"})
		no(h, fault.Denied, b.call(), ops.UnbindAddress, ops.VerificationIn{User: ops.Ref{Name: "boss"}, Kind: iam.FactorEmail})
		run(h, b.call(), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "alice"}, Kind: iam.FactorSMS, Address: "+819012345678"})
	})
}

// A sign-in with a browser that was not seen before is mailed, in the language of
// its pages; the next one with that browser is not.
func TestNewBrowserIsMailed(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.bindMail("alice", "alice@example.com")
		b, code := h.atCode("alice")
		step := b.submit(answer(code))
		b.signedIn(step)
		told := h.letters()
		if len(told) != 0 { // the first of all is no news
			h.Errorf("told of the first browser: %+v", told)
		}
		h.tick()
		other, code := h.atCode("alice")
		other.signedIn(other.submit(answer(code)))
		m := h.letter(iam.MessageNotice)
		if m.Letter.Notice != iam.NoticeNewBrowser || m.Letter.To != "alice@example.com" || m.Letter.Secret.Empty() || m.Letter.Source != "192.0.2.7" {
			h.Errorf("told: %+v", m.Letter)
		}
		run(h, h.nobody(), ops.ReportNotMe, ops.LinkIn{Token: m.Letter.Secret})
		other.out("the user said that it was somebody else")
		b.out("all sessions end")
	})
}
