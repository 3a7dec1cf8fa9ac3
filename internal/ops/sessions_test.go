package ops_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// in signs a user in, with a code if it has a phone.
func (h *home) in(user string, p phone) *browser {
	h.Helper()
	b := h.browser()
	step := b.name(user, firstPassword)
	if p != "" {
		b.stage(step, signin.StageFactor, "")
		step = b.submit(ops.SubmitFactor{Response: ops.Response{Code: h.code(p)}})
		h.tick()
	}
	b.signedIn(step)
	return b
}

// grant gives a user an inline policy.
func (h *home) grant(user, document string) {
	h.Helper()
	run(h, h.byAdmin(), ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: user}, Policy: "p", Document: document})
}

func allowing(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}

// S-2: a session ends after an hour without a request and after six with some,
// on every node and after a restart; the clock's going back gives no time.
func TestSessionsRunOut(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		b, lazy := h.in("alice", ""), h.in("alice", "")
		for range 7 { // 50 minutes each: never idle, and still less than six hours
			h.clock.Advance(50 * time.Minute)
			b.call()
			h.clock.Advance(-10 * time.Minute) // a clock that is set back takes nothing away
			b.call()
			h.clock.Advance(10 * time.Minute)
			h.must(h.Flush(context.Background()))
			h.Server = h.node(h.store) // forgets what was not written
			if h.clock.Now().Sub(testkit.Epoch) > sessionIdle {
				lazy.out("idle for an hour")
			}
		}
		h.clock.Advance(9 * time.Minute)
		b.call()
		h.clock.Advance(time.Minute)
		b.out("six hours old")
		h.must(h.Sweep(context.Background()))
		if n := len(run(h, h.byAdmin(), ops.ListSessions, ops.UserListing{User: ops.Ref{Name: "alice"}}).Items); n != 0 {
			h.Errorf("%d sessions are listed", n)
		}
	})
}

// P-10: what ends a session ends it at once, on every node.
func TestSessionsDie(t *testing.T) {
	homes(t, func(h *home) {
		node2 := h.node(h.store)
		ends := map[string]func(b *browser){
			"sign out": func(b *browser) { run(h, b.call(), ops.SignOut, struct{}{}) },
			"end it": func(b *browser) {
				id := b.call().Caller.Console.ID
				run(h, h.byAdmin(), ops.EndSession, ops.SessionIn{User: ops.Ref{Name: "u"}, Session: id})
			},
			"end all": func(*browser) { run(h, h.byAdmin(), ops.EndOtherSessions, ops.UserIn{User: ops.Ref{Name: "u"}}) },
			"block": func(*browser) {
				run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "u"}, Reason: "lost laptop"})
				if step := h.browser().name("u", firstPassword); step.Refusal != signin.Wrong {
					h.Errorf("a blocked user signs in: %+v", step)
				}
				run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "u"}})
			},
			"delete the password": func(*browser) {
				run(h, h.byAdmin(), ops.DeleteLoginProfile, ops.UserIn{User: ops.Ref{Name: "u"}})
				run(h, h.byAdmin(), ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "u"}, Password: secret(firstPassword)})
			},
			"delete": func(*browser) {
				run(h, h.byAdmin(), ops.DeleteLoginProfile, ops.UserIn{User: ops.Ref{Name: "u"}})
				run(h, h.byAdmin(), ops.DeleteUser, ops.UserIn{User: ops.Ref{Name: "u"}})
			},
		}
		for _, called := range []string{"sign out", "end it", "end all", "block", "delete the password", "delete"} {
			if called == "sign out" {
				h.user("u")
			}
			b := h.in("u", "")
			there := &browser{home: &home{T: h.T, Server: node2}, session: b.session}
			held := b.call() // an operation that is about to begin
			there.call()
			ends[called](b)
			b.out(called)
			there.out(called + ", on the other node")
			no(h, fault.Unauthenticated, held, ops.GetCallerIdentity, struct{}{})
			no(h, fault.Unauthenticated, held, ops.CreateAccessKey, ops.UserIn{})
		}
	})
}

// P-10: a blocked user's keys and temporary credentials are good for nothing.
func TestBlockedKeys(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		key := run(h, h.byAdmin(), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "alice"}})
		cred, err := h.Credential(context.Background(), key.ID, "")
		h.must(err)
		temp := run(h, h.by(cred.Caller), ops.GetSessionToken, ops.GetSessionTokenIn{})
		tempCred, err := h.Credential(context.Background(), temp.AccessKeyID, temp.Token)
		h.must(err)
		run(h, h.by(tempCred.Caller), ops.GetCallerIdentity, struct{}{})
		run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		no(h, fault.Unauthenticated, h.by(cred.Caller), ops.GetCallerIdentity, struct{}{})
		no(h, fault.Unauthenticated, h.by(tempCred.Caller), ops.GetCallerIdentity, struct{}{})
		no(h, fault.Unmodifiable, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "admin"}})
		run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		run(h, h.by(cred.Caller), ops.GetCallerIdentity, struct{}{})
	})
}

// Own sessions are listed and ended unless policy denies it, others' if policy
// allows it; nobody is kept from signing out. S-6: a token counts in full.
func TestSessionOps(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.user("bob")
		b, other, bob := h.in("alice", ""), h.in("alice", ""), h.in("bob", "")
		list := run(h, b.call(), ops.ListSessions, ops.UserListing{})
		if len(list.Items) != 2 {
			h.Fatalf("%d sessions", len(list.Items))
		}
		for _, s := range list.Items {
			if s.Hash != nil {
				h.Error("the list holds a hash")
			}
			if s.Current != (s.ID == b.call().Caller.Console.ID) {
				h.Errorf("current: %v", s.Current)
			}
		}
		page := run(h, b.call(), ops.ListSessions, ops.UserListing{Listing: ops.Listing{Limit: 1}})
		rest := run(h, b.call(), ops.ListSessions, ops.UserListing{Listing: ops.Listing{Limit: 1, Cursor: string(page.Next)}})
		if page.Items[0].ID == rest.Items[0].ID || rest.Next != "" {
			h.Error("the pages do not part")
		}
		// Another's: not without permission, and not under one's own name.
		bobs := bob.call().Caller.Console.ID
		no(h, fault.Denied, b.call(), ops.ListSessions, ops.UserListing{User: ops.Ref{Name: "bob"}})
		no(h, fault.Denied, b.call(), ops.EndSession, ops.SessionIn{User: ops.Ref{Name: "bob"}, Session: bobs})
		no(h, fault.NotFound, b.call(), ops.EndSession, ops.SessionIn{Session: bobs})
		if n := run(h, b.call(), ops.EndOtherSessions, ops.UserIn{}); n != 1 {
			h.Errorf("%d other sessions ended", n)
		}
		other.out("ended by the other one")
		h.grant("alice", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`)
		no(h, fault.Denied, b.call(), ops.ListSessions, ops.UserListing{})
		for _, bad := range []string{"", "x", "x" + string(b.session.Reveal()), string(b.session.Reveal()) + "x", string(b.session.Reveal()[:20])} {
			if _, err := h.Session(context.Background(), secret(bad), ops.Source{}); !fault.Is(err, fault.Unauthenticated) {
				h.Errorf("the token %q answers %v", bad, err)
			}
		}
		run(h, b.call(), ops.SignOut, struct{}{})
		b.out("signed out")
	})
}

// Force_MFA in the console: a session without MFA reaches its own binding and
// nothing else; policies test how somebody signed in.
func TestPolicyInTheConsole(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", forceMFA)
		b := h.in("alice", "")
		run(h, b.call(), ops.ListMFADevices, ops.UserListing{})
		denied := no(h, fault.Denied, b.call(), ops.ListAccessKeys, ops.UserListing{})
		if d, ok := ops.AsDenial(denied); !ok || d.Decision.Rule == nil {
			h.Errorf("the refusal names no rule: %v", denied)
		}
		p, _ := h.device("alice")
		no(h, fault.Denied, b.call(), ops.ListAccessKeys, ops.UserListing{}) // enabling a device is no proof
		b = h.in("alice", p)
		run(h, b.call(), ops.ListAccessKeys, ops.UserListing{})

		h.user("bob")
		h.grant("bob", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
			"Condition":{"StringEquals":{"warifu:SignInMethod":"password+totp"},"ForAnyValue:StringEquals":{"warifu:MFAMethods":"totp"},
			"NumericLessThan":{"aws:MultiFactorAuthAge":"300"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`)
		no(h, fault.Denied, h.in("bob", "").call(), ops.ListUsers, ops.Listing{})
		q, _ := h.device("bob")
		c := h.in("bob", q)
		run(h, c.call(), ops.ListUsers, ops.Listing{})
		h.clock.Advance(5 * time.Minute)
		no(h, fault.Denied, c.call(), ops.ListUsers, ops.Listing{})

		h.user("carol")
		h.grant("carol", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
			"Condition":{"StringEquals":{"warifu:SignInMethod":"password"},"Bool":{"aws:MultiFactorAuthPresent":"false"}}}]}`)
		run(h, h.in("carol", "").call(), ops.ListUsers, ops.Listing{})
	})
}

// S-4, P-7: what an operation needs is a fresh second factor; the password does
// not count for a user who has one. Proving it changes the session's secret.
func TestStepUp(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:*", "warifu:*"))
		p, _ := h.device("alice")
		b := h.in("alice", p)
		run(h, b.call(), ops.ListAccessKeys, ops.UserListing{})
		key := run(h, b.call(), ops.CreateAccessKey, ops.UserIn{})
		h.clock.Advance(stepUpLife)
		f := no(h, fault.StepUp, b.call(), ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{Key: key.ID}, Status: iam.KeyInactive})
		if f.Noun != ops.ProveFactor || f.Name != "15" {
			h.Errorf("what is asked for: %q within %q", f.Noun, f.Name)
		}
		if e := h.events("UpdateAccessKey")[0]; e.Result != audit.Refused || e.Code != "step up" {
			h.Errorf("the event is %+v", e)
		}
		no(h, fault.StepUp, b.call(), ops.UpdateUser, ops.UpdateUserIn{User: ops.Ref{Name: "alice"}, NewPath: "/x/"})
		run(h, b.call(), ops.ListAccessKeys, ops.UserListing{}) // reading needs nothing

		no(h, fault.BadCode, b.call(), ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: "000000"}})
		no(h, fault.BadCode, b.call(), ops.StepUp, ops.StepUpIn{Password: secret(firstPassword)})
		no(h, fault.StepUp, b.call(), ops.DeleteAccessKey, ops.KeyIn{Key: key.ID})
		old := &browser{home: h, session: b.session}
		ends := b.call().Caller.Console.Expires
		up := run(h, b.call(), ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: h.code(p)}})
		b.session = up.Token
		old.out("before the step-up")
		if !up.Expires.Equal(ends) || !b.call().Caller.Console.Expires.Equal(ends) {
			h.Error("a step-up prolongs the session")
		}
		if at := b.call().Caller.MFA.At; !at.Equal(h.clock.Now()) {
			h.Errorf("the factor was proved at %v", at)
		}
		run(h, b.call(), ops.DeleteAccessKey, ops.KeyIn{Key: key.ID})
		// The same code again, from a second tab.
		no(h, fault.BadCode, b.call(), ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: h.code(p)}})

		// Keys are not asked.
		h.clock.Advance(time.Hour / 2)
		run(h, h.byAdmin(), ops.CreateUser, ops.CreateUserIn{Name: "bystander"})
	})
}

// C-4: codes at a step-up and at sign-in share the factor's budget.
func TestStepUpBudget(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		p, _ := h.device("alice")
		b := h.in("alice", p)
		for range iam.MaxCodeFailures {
			no(h, fault.BadCode, b.call(), ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: "000000"}})
		}
		no(h, fault.BadCode, b.call(), ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: h.code(p)}})
		half := h.browser()
		half.name("alice", firstPassword)
		half.stage(half.submit(ops.SubmitFactor{Response: ops.Response{Code: h.code(p)}}), signin.StageFactor, signin.WrongCode)
	})
}

// P-9: a first factor is bound with a password that was given in the last
// minutes; afterwards only the factor counts.
func TestFirstFactorNeedsFreshPassword(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		h.grant("alice", allowing("iam:*"))
		b := h.in("alice", "")
		h.clock.Advance(stepUpLife)
		f := no(h, fault.StepUp, b.call(), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "phone"})
		if f.Noun != ops.ProvePassword {
			h.Errorf("asked for %q", f.Noun)
		}
		no(h, fault.Denied, b.call(), ops.StepUp, ops.StepUpIn{Password: secret("wrong")})
		no(h, fault.Denied, b.call(), ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: "123456"}})
		b.session = run(h, b.call(), ops.StepUp, ops.StepUpIn{Password: secret(firstPassword)}).Token
		d := run(h, b.call(), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "phone"})
		p := phone(d.SeedText.Reveal())
		c1, c2 := h.pair(p)
		run(h, b.call(), ops.EnableMFADevice, ops.PairIn{Serial: d.ARN(), Code1: c1, Code2: c2})
		if b.call().Caller.MFA.Present {
			h.Error("enabling a device proves it")
		}
		// The password is fresh, but there is a factor now.
		f = no(h, fault.StepUp, b.call(), ops.DeactivateMFADevice, ops.DeviceIn{Serial: d.ARN()})
		if f.Noun != ops.ProveFactor {
			h.Errorf("asked for %q", f.Noun)
		}
		h.tick()
		b.session = run(h, b.call(), ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: h.code(p)}}).Token
		if c := b.call().Caller; !c.MFA.Present || c.Console.Method() != "password+totp" {
			h.Errorf("after the step-up: %+v", c.MFA)
		}
		run(h, b.call(), ops.DeactivateMFADevice, ops.DeviceIn{Serial: d.ARN()})

		// What happened stands in the notices, newest first, until it is seen.
		list := run(h, b.call(), ops.ListNotices, ops.Listing{})
		var kinds []string
		for _, n := range list.Items {
			kinds = append(kinds, string(n.Kind)+":"+n.Subject+":"+n.By)
		}
		if got := strings.Join(kinds, " "); got != "factor removed:phone: factor bound:phone: password changed::admin" || list.Unseen != 3 {
			h.Errorf("%d notices: %s", list.Unseen, got)
		}
		if n := run(h, b.call(), ops.MarkNoticesSeen, ops.MarkNoticesSeenIn{UpTo: list.Items[1].At}); n != 2 {
			h.Errorf("%d marked as seen", n)
		}
		if n := run(h, b.call(), ops.ListNotices, ops.Listing{}).Unseen; n != 1 {
			h.Errorf("%d unseen", n)
		}
	})
}

// Every operation that writes asks a person in the console for a fresh proof,
// but for those that say why not.
func TestEveryChangeNeedsAFreshProof(t *testing.T) {
	without := map[string]string{
		"SignIn": "is the proof", "StepUp": "is the proof", "BeginStepUp": "begins the proof", "ProveUpgrade": "is the proof", "ResyncMFADevice": "its two codes prove it, and no single one would",
		"SignOut": "only gives up", "EndSession": "only takes away", "EndOtherSessions": "only takes away", "ForgetDevice": "only takes away", "RevokeEnrolmentLink": "only takes away",
		"MarkNoticesSeen": "changes nothing that counts", "OpenEnrolmentLink": "nobody is signed in", "UseEnrolmentLink": "nobody is signed in",
		"UseActivation": "nobody is signed in", "ReportNotMe": "nobody is signed in",
		"GetSessionToken": "its session has what its own code proves", "AssumeRole": "trust policies ask for MFA themselves",
		"GetFederationToken": "can do no more than the caller",
		"EndCLILogin":        "only takes away", "LeaveCLILogin": "only takes away", "BeginDeviceLogin": "nobody is signed in",
		"RedeemCLICode": "what it redeems was approved with one", "RedeemDeviceCode": "what it redeems was approved with one",
		"RefreshCLILogin": "its credentials have what was proved when it was approved", "CreateCloudSSOCredentials": "its credentials have what was proved when it was approved",
		"AssumeRoleWithOIDC": "nobody is signed in", "AssumeRoleWithSAML": "nobody is signed in",
		"SaveQuery": "gives no power and shows nothing", "DeleteQuery": "gives no power and shows nothing", "GenerateCredentialReport": "only reads, and keeps what it read", "RenewInsight": "only reads, and keeps what it read",
	}
	for _, e := range ops.Catalog() {
		_, excused := without[e.Name]
		if e.Mode == ops.Write && (e.Needs.Within == 0) != excused {
			t.Errorf("%s: needs a proof within %v, excused: %v", e.Name, e.Needs.Within, excused)
		}
	}
}

// W-10, H-5: an enrolment link shows nothing before it is opened, binds one
// device, once, and signs nobody in.
func TestEnrolmentLink(t *testing.T) {
	homes(t, func(h *home) {
		u := h.user("alice")
		made := run(h, h.byAdmin(), ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ops.Ref{Name: "alice"}})
		if made.State != iam.LinkSent || !made.Expires.Equal(h.clock.Now().Add(ops.LinkLife)) || made.Creator != "admin" {
			h.Errorf("the link is %+v", made.Link)
		}
		state := func() iam.LinkState {
			h.Helper()
			l := run(h, h.byAdmin(), ops.ListEnrolmentLinks, ops.ListEnrolmentLinksIn{User: ops.Ref{ID: u.ID}}).Items[0]
			if l.UserName != "alice" || l.Hash != nil {
				h.Errorf("the list shows %+v", l)
			}
			return l.State
		}
		anyone := h.by(ops.Caller{})
		link := ops.LinkIn{Token: made.Token}
		for range 3 { // a mail scanner
			if e := run(h, anyone, ops.InspectEnrolmentLink, link); e.Device != nil || e.User.Name != "alice" {
				h.Errorf("the link shows %+v", e)
			}
		}
		if state() != iam.LinkSent {
			h.Error("looking opens the link")
		}
		// Before it is opened there is nothing to bind.
		e := run(h, anyone, ops.UseEnrolmentLink, ops.UseEnrolmentLinkIn{LinkIn: link, Form: ops.SubmitPair{Code1: "000000", Code2: "111111"}})
		if e.Bound != "" || e.Device == nil {
			h.Errorf("an unopened link binds: %+v", e)
		}
		opened := run(h, anyone, ops.OpenEnrolmentLink, link)
		if again := run(h, anyone, ops.InspectEnrolmentLink, link); !again.Device.SeedText.Equal(opened.Device.SeedText) {
			h.Error("a reload shows another device")
		}
		if state() != iam.LinkOpened {
			h.Error("the link is not opened")
		}
		if e := run(h, anyone, ops.UseEnrolmentLink, ops.UseEnrolmentLinkIn{LinkIn: link, Form: ops.SubmitPair{Code1: "000000", Code2: "111111"}}); e.Bound != "" || !e.Wrong {
			h.Errorf("wrong codes: %+v", e)
		}
		h.clock.Advance(iam.PendingFactorLife) // the page was left open
		late := run(h, anyone, ops.OpenEnrolmentLink, link)
		if late.Device.SeedText.Equal(opened.Device.SeedText) {
			h.Error("a device that ran out is shown again")
		}
		p := phone(late.Device.SeedText.Reveal())
		c1, c2 := h.pair(p)
		use := ops.UseEnrolmentLinkIn{LinkIn: link, Form: ops.SubmitPair{Code1: c1, Code2: c2}}
		if e := run(h, anyone, ops.UseEnrolmentLink, use); e.Bound != iam.MethodTOTP {
			h.Errorf("right codes: %+v", e)
		}
		no(h, fault.NotFound, anyone, ops.UseEnrolmentLink, use)
		no(h, fault.NotFound, anyone, ops.InspectEnrolmentLink, link)
		no(h, fault.NotFound, anyone, ops.OpenEnrolmentLink, link)
		if state() != iam.LinkUsed {
			h.Error("the link is not used")
		}
		no(h, fault.NotFound, h.byAdmin(), ops.RevokeEnrolmentLink, ops.LinkIDIn{Link: made.ID})
		if n := len(run(h, h.byAdmin(), ops.ListSessions, ops.UserListing{User: ops.Ref{Name: "alice"}}).Items); n != 0 {
			h.Errorf("the link opened %d sessions", n)
		}
		bound := 0
		for _, ev := range h.events("UseEnrolmentLink") {
			if ev.Target.Name == "alice" && ev.Source == "192.0.2.7" && ev.Result == audit.Allowed && ev.Params["next"] == "bound" {
				bound++
			}
		}
		if bound != 1 {
			h.Errorf("%d events say that the device was bound", bound)
		}
		h.tick()
		b := h.in("alice", p)
		if got := run(h, b.call(), ops.ListNotices, ops.Listing{}).Items[0]; got.Kind != iam.NoticeFactorBound || got.Source != "192.0.2.7" {
			h.Errorf("the notice is %+v", got)
		}
	})
}

// Links end by age, by revocation and with their user; who may not bind a device
// to a user may not make a link to that end (P-8).
func TestEnrolmentLinksEnd(t *testing.T) {
	homes(t, func(h *home) {
		h.user("alice")
		anyone := h.by(ops.Caller{})
		alice := ops.CreateEnrolmentLinkIn{User: ops.Ref{Name: "alice"}}
		revoked := run(h, h.byAdmin(), ops.CreateEnrolmentLink, alice)
		run(h, h.byAdmin(), ops.RevokeEnrolmentLink, ops.LinkIDIn{Link: revoked.ID})
		old := run(h, h.byAdmin(), ops.CreateEnrolmentLink, alice)
		h.clock.Advance(ops.LinkLife)
		blocked := run(h, h.byAdmin(), ops.CreateEnrolmentLink, alice)
		run(h, h.byAdmin(), ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		for called, token := range map[string]seal.Secret{"revoked": revoked.Token, "old": old.Token, "blocked": blocked.Token, "setup": h.setup, "nonsense": secret("x")} {
			for _, err := range []error{
				no(h, fault.NotFound, anyone, ops.InspectEnrolmentLink, ops.LinkIn{Token: token}),
				no(h, fault.NotFound, anyone, ops.OpenEnrolmentLink, ops.LinkIn{Token: token}),
				no(h, fault.NotFound, anyone, ops.UseEnrolmentLink, ops.UseEnrolmentLinkIn{LinkIn: ops.LinkIn{Token: token}}),
			} {
				if err.Error() != "not found: enrolment link" {
					h.Errorf("%s: %v", called, err)
				}
			}
		}
		list := run(h, h.byAdmin(), ops.ListEnrolmentLinks, ops.ListEnrolmentLinksIn{})
		var states []string
		for _, l := range list.Items {
			states = append(states, string(l.State))
		}
		if got := strings.Join(states, " "); got != "sent expired revoked" && got != "sent revoked expired" {
			h.Errorf("states: %s", got)
		}
		h.user("helper")
		h.grant("helper", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:EnableMFADevice","Resource":"*"}]}`)
		b := h.in("helper", "")
		no(h, fault.Denied, b.call(), ops.CreateEnrolmentLink, alice)
		no(h, fault.Invalid, h.byAdmin(), ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ops.Ref{Name: "alice"}, Life: 365 * 24 * time.Hour})
	})
}

// K-2: no password, code, cookie or link is in the trail or among the notices.
func TestSignInLeavesNoSecrets(t *testing.T) {
	h := newHome(t, filepath.Join(t.TempDir(), "warifu.db"))
	h.user("alice")
	p, _ := h.device("alice")
	b := h.browser()
	b.name("alice", "canary-wrong-password")
	b.submit(ops.SubmitPassword{Account: "acme", User: "canary-as-a-name", Password: secret("x")})
	b.name("alice", firstPassword)
	flow := b.flow
	code := h.code(p)
	b.submit(ops.SubmitFactor{Response: ops.Response{Code: code}})
	made := run(h, h.byAdmin(), ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ops.Ref{Name: "alice"}})
	run(h, h.by(ops.Caller{}), ops.OpenEnrolmentLink, ops.LinkIn{Token: made.Token})
	h.must(h.store.View(context.Background(), func(tx *store.Tx) error {
		all, err := tx.Events(audit.Query{Account: testkit.Account}, store.EventAfter{}, 1000)
		text := fmt.Sprintf("%+v", all)
		for called, s := range map[string]string{
			"a wrong password": "canary-wrong", "a name": "canary-as", "the password": firstPassword, "a code": " " + code + " ",
			"the flow": string(flow.Reveal()), "the session": string(b.session.Reveal()), "the link": string(made.Token.Reveal()), "the seed": string(p),
		} {
			if strings.Contains(text, s) {
				h.Errorf("%s is in the trail", called)
			}
		}
		return err
	}))
}
