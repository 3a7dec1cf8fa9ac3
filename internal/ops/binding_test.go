package ops_test

import (
	"slices"
	"testing"

	"warifu/internal/audit"
	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/signin"
	"warifu/internal/testkit"
)

// address is what a page offers of a kind of address; nil if it does not.
func address(o ops.Bindable, kind iam.FactorKind) *ops.NewAddress {
	for i := range o.Addresses {
		if o.Addresses[i].Kind == kind {
			return &o.Addresses[i]
		}
	}
	return nil
}

// tokenPair is two codes of a token of the file, that of now last.
func (h *home) tokenPair(serial string) ops.SubmitPair {
	step := totp.Params{}.Step(h.clock.Now())
	return ops.SubmitPair{Serial: serial, Code1: shown(step-1, totp.Params{}), Code2: shown(step, totp.Params{})}
}

// At sign-in every kind of factor can be the first that a user binds: a token that
// was given to it, and an address, besides what is scanned and passkeys. What was
// sent in one sign-in is good in no other (C-7, C-9).
func TestEveryKindIsBoundAtSignIn(t *testing.T) {
	posted(t, func(h *home) {
		for _, u := range []string{"alice", "bob", "carol"} {
			h.user(u)
		}
		run(h, h.byAdmin(), ops.ImportTokens, tokens())
		run(h, h.byAdmin(), ops.AssignToken, ops.DeviceIn{User: ops.Ref{Name: "alice"}, Serial: "GAHT1"})
		h.prefer(func(p *iam.Preferences) { p.MFAForLogin, p.EmailCodes, p.SMSCodes = iam.MFAMandatory, true, true })
		h.letters()

		b := h.browser()
		step := b.name("alice", firstPassword)
		b.stage(step, signin.StageBind, "")
		if o := b.show().Bindable; !slices.Equal(o.Tokens, []string{"GAHT1"}) || o.Device == nil || o.Passkey == "" || len(o.Addresses) != 2 {
			h.Errorf("alice is offered %+v", o)
		}
		b.stage(b.submit(ops.SubmitPair{Serial: "GAHT8", Code1: "1", Code2: "2"}), signin.StageBind, signin.WrongCode) // nobody's yet
		b.stage(b.submit(ops.SubmitPair{Serial: "GAHT1", Code1: "000000", Code2: "000001"}), signin.StageBind, signin.WrongCode)
		b.signedIn(b.submit(h.tokenPair("GAHT1")))
		if got := run(h, h.byAdmin(), ops.GetToken, ops.DeviceIn{Serial: "GAHT1"}); got.State() != ops.TokenUsed || got.UserName != "alice" || got.For != 0 {
			h.Errorf("the token is %+v", got)
		}

		b, other := h.browser(), h.browser()
		b.stage(b.name("bob", firstPassword), signin.StageBind, "")
		other.stage(other.name("bob", firstPassword), signin.StageBind, "")
		if o := b.show().Bindable; len(o.Tokens) != 0 {
			h.Errorf("bob is offered alice's token: %+v", o.Tokens)
		}
		b.stage(b.submit(ops.SubmitPair{Serial: "GAHT1", Code1: "1", Code2: "2"}), signin.StageBind, signin.WrongCode)
		if _, err := b.try(ops.SubmitAddress{Kind: iam.FactorEmail, Address: "nothing"}); !fault.Is(err, fault.Invalid) {
			h.Errorf("no address: %v", err)
		}
		b.stage(b.submit(ops.SubmitAddress{Kind: iam.FactorEmail, Address: "bob@example.com"}), signin.StageBind, "")
		code := h.sentCode()
		if a := address(b.show().Bindable, iam.FactorEmail); a == nil || a.Code == nil || a.Code.To != "bob@example.com" {
			h.Errorf("the page does not wait for the code: %+v", a)
		}
		if a := address(other.show().Bindable, iam.FactorEmail); a == nil || a.Code != nil {
			h.Errorf("the other sign-in waits for it, too: %+v", a)
		}
		if _, err := other.try(ops.SubmitAddressCode{Kind: iam.FactorEmail, Code: code}); !fault.Is(err, fault.Conflict) {
			h.Errorf("the code in another sign-in: %v", err)
		}
		if _, err := b.try(ops.SubmitAddressCode{Kind: iam.FactorSMS, Code: code}); !fault.Is(err, fault.Conflict) {
			h.Errorf("the code for another channel: %v", err)
		}
		b.stage(b.submit(ops.SubmitAddressCode{Kind: iam.FactorEmail, Code: "00000x"}), signin.StageBind, signin.WrongCode)
		b.signedIn(b.submit(ops.SubmitAddressCode{Kind: iam.FactorEmail, Code: code}))
		if m := b.call().Caller.Console.Method(); m != "password+email" {
			h.Errorf("bob signed in with %s", m)
		}
		other.stage(other.submit(ops.SubmitAddressCode{Kind: iam.FactorEmail, Code: code}), signin.StageFactor, "") // ignored: there is a factor now

		// Five tries, and another code must be sent.
		h.tick()
		b = h.browser()
		b.stage(b.name("carol", firstPassword), signin.StageBind, "")
		b.stage(b.submit(ops.SubmitAddress{Kind: iam.FactorSMS, Address: "+81 90 1234 5678"}), signin.StageBind, "")
		code = h.sentCode()
		for range 5 {
			b.stage(b.submit(ops.SubmitAddressCode{Kind: iam.FactorSMS, Code: "00000x"}), signin.StageBind, signin.WrongCode)
		}
		if _, err := b.try(ops.SubmitAddressCode{Kind: iam.FactorSMS, Code: code}); !fault.Is(err, fault.Conflict) {
			h.Errorf("the sixth try: %v", err)
		}
		h.prefer(func(p *iam.Preferences) { p.SMSCodes = false })
		if address(b.show().Bindable, iam.FactorSMS) != nil {
			h.Error("a kind is offered that the account does not let count")
		}
	})
}

// W-10, W-1, C-7: an enrolment link binds one factor of any kind, once; what was
// made for one link is good for no other. Who was signed in in the browser is in
// the trail, and the user is told of it.
func TestEveryKindIsBoundByLink(t *testing.T) {
	posted(t, func(h *home) {
		h.user("alice")
		h.user("bob")
		h.prefer(func(p *iam.Preferences) { p.EmailCodes, p.SMSCodes = true, false })
		run(h, h.byAdmin(), ops.ImportTokens, tokens())
		run(h, h.byAdmin(), ops.AssignToken, ops.DeviceIn{User: ops.Ref{Name: "alice"}, Serial: "GAHT1"})
		h.letters()
		link := func() ops.LinkIn {
			made := run(h, h.byAdmin(), ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ops.Ref{Name: "alice"}})
			return ops.LinkIn{Token: made.Token}
		}
		with := func(l ops.LinkIn, f ops.Submission) ops.UseEnrolmentLinkIn {
			return ops.UseEnrolmentLinkIn{LinkIn: l, Form: f}
		}
		one, two := link(), link()
		opened, elsewhere := run(h, h.nobody(), ops.OpenEnrolmentLink, one), run(h, h.nobody(), ops.OpenEnrolmentLink, two)
		if e := run(h, h.nobody(), ops.InspectEnrolmentLink, link()); e.Opened || e.Passkey != "" || len(e.Tokens)+len(e.Addresses) != 0 {
			h.Errorf("before it is opened the link offers %+v", e.Bindable)
		}
		if !slices.Equal(opened.Tokens, []string{"GAHT1"}) || address(opened.Bindable, iam.FactorEmail) == nil || address(opened.Bindable, iam.FactorSMS) != nil {
			h.Errorf("the link offers %+v", opened.Bindable)
		}

		// A passkey, in the browser of somebody who is signed in there.
		boss := h.in("bob", "")
		key := testkit.NewAuthenticator()
		answer := key.Create(h, elsewhere.Passkey)
		if e := run(h, h.nobody(), ops.UseEnrolmentLink, with(one, ops.SubmitNewPasskey{Response: answer})); e.Bound != "" || !e.Wrong || e.Passkey == "" {
			h.Errorf("another link's passkey: %+v", e)
		}
		use := with(one, ops.SubmitNewPasskey{Response: key.Create(h, opened.Passkey)})
		if e := run(h, boss.call(), ops.UseEnrolmentLink, use); e.Bound != iam.MethodPasskey {
			h.Errorf("a passkey: %+v", e)
		}
		no(h, fault.NotFound, h.nobody(), ops.UseEnrolmentLink, use)
		if !slices.ContainsFunc(h.events("UseEnrolmentLink"), func(e audit.Event) bool {
			return e.Params["signedIn"] == "bob" && e.Actor.Name == "bob" && e.Params["kind"] == "passkey" && e.Params["next"] == "bound" && e.Target.Name == "alice"
		}) {
			h.Errorf("no event says in whose browser it was: %+v", h.events("UseEnrolmentLink"))
		}
		b := h.browser()
		b.signedIn(b.enter(key))
		if n := run(h, b.call(), ops.ListNotices, ops.Listing{}).Items; !slices.ContainsFunc(n, func(n iam.Notice) bool { return n.Kind == iam.NoticeFactorBound && n.By == "bob" }) {
			h.Errorf("alice was told %+v", n)
		}

		// An address, which takes a code.
		h.letters()
		if e := run(h, h.nobody(), ops.UseEnrolmentLink, with(two, ops.SubmitAddress{Kind: iam.FactorEmail, Address: "a@example.com"})); e.Wrong || e.Bound != "" || address(e.Bindable, iam.FactorEmail).Code == nil {
			h.Errorf("a code is sent: %+v", e)
		}
		code := h.sentCode()
		if e := run(h, h.nobody(), ops.UseEnrolmentLink, with(two, ops.SubmitAddressCode{Kind: iam.FactorEmail, Code: "00000x"})); !e.Wrong {
			h.Errorf("a wrong code: %+v", e)
		}
		three := link()
		run(h, h.nobody(), ops.OpenEnrolmentLink, three)
		no(h, fault.Conflict, h.nobody(), ops.UseEnrolmentLink, with(three, ops.SubmitAddressCode{Kind: iam.FactorEmail, Code: code}))
		if e := run(h, h.nobody(), ops.UseEnrolmentLink, with(two, ops.SubmitAddressCode{Kind: iam.FactorEmail, Code: code})); e.Bound != iam.MethodEmail {
			h.Errorf("an address: %+v", e)
		}
		if v := verification(h, "alice"); v.Email.Address != "a@example.com" {
			h.Errorf("bound: %+v", v.Email)
		}

		// A token. Where only the user itself may bind, a link binds nothing.
		h.prefer(func(p *iam.Preferences) { p.OwnBindingOnly = true })
		for _, f := range []ops.Submission{h.tokenPair("GAHT1"), ops.SubmitNewPasskey{Response: testkit.NewAuthenticator().Create(h, run(h, h.nobody(), ops.InspectEnrolmentLink, three).Passkey)}} {
			no(h, fault.Unmodifiable, h.nobody(), ops.UseEnrolmentLink, with(three, f))
		}
		h.prefer(func(p *iam.Preferences) { p.OwnBindingOnly = false })
		if e := run(h, h.nobody(), ops.UseEnrolmentLink, with(three, h.tokenPair("GAHT1"))); e.Bound != iam.MethodTOTP {
			h.Errorf("a token: %+v", e)
		}
	})
}
