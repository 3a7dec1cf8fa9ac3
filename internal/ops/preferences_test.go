package ops_test

import (
	"slices"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
)

// stepUpLife is how long a proof is good for what is sensitive.
const stepUpLife = 15 * time.Minute

// Lives of a session by default: at most, and without a request.
const (
	sessionLife = 6 * time.Hour
	sessionIdle = time.Hour
)

// preferring are the defaults with changes.
func preferring(change ...func(*ops.SecurityPreferences)) ops.SetSecurityPreferencesIn {
	p := iam.DefaultPreferences()
	for _, c := range change {
		c(&p)
	}
	return ops.SetSecurityPreferencesIn{SecurityPreferences: p}
}

// mandatory are preferences that ask everybody for a second factor.
func mandatory(change ...func(*ops.SecurityPreferences)) ops.SetSecurityPreferencesIn {
	return preferring(append(change, func(p *ops.SecurityPreferences) { p.MFAForLogin = iam.MFAMandatory })...)
}

// SetSecurityPreference to the letter: what is left out stays, but for the
// networks, which are cleared, and the session, which is 6 hours again.
func TestSetSecurityPreference(t *testing.T) {
	h := lite(t)
	yes, hours, days, masks, mode, risk := true, 12, 90, "10.0.0.0/8", "adaptive", "enforceVerify"
	set := func(in ops.SetSecurityPreferenceIn) ops.SecurityPreferences {
		h.Helper()
		out := run(h, h.byAdmin(), ops.SetSecurityPreference, in)
		if got := run(h, h.byAdmin(), ops.GetSecurityPreferences, struct{}{}); got != out {
			h.Errorf("answered %+v, but it is %+v", out, got)
		}
		out.Changed, out.By = time.Time{}, ""
		return out
	}
	want := iam.DefaultPreferences()
	want.Remember, want.OwnAccessKeys, want.SessionHours, want.NetworkMasks = true, true, 12, masks
	want.MFAForLogin, want.RiskLogin, want.IdleDaysUsers, want.EmailCodes = iam.MFAAdaptive, iam.RiskEnforceVerify, 90, false
	got := set(ops.SetSecurityPreferenceIn{
		EnableSaveMFATicket: &yes, AllowUserToManageAccessKeys: &yes, LoginSessionDuration: &hours, LoginNetworkMasks: &masks,
		MFAOperationForLogin: &mode, OperationForRiskLogin: &risk, MaxIdleDaysForUsers: &days, VerificationTypes: []string{"sms"},
	})
	if got != want {
		h.Errorf("set: %+v, want %+v", got, want)
	}
	want.SessionHours, want.NetworkMasks = 6, ""
	if got := set(ops.SetSecurityPreferenceIn{}); got != want {
		h.Errorf("nothing given: %+v, want %+v", got, want)
	}
	want.MFAForLogin = iam.MFAMandatory
	if got := set(ops.SetSecurityPreferenceIn{EnforceMFAForLogin: &yes}); got != want {
		h.Errorf("the old parameter: %+v", got)
	}
	want.MFAForLogin = iam.MFAAdaptive
	if got := set(ops.SetSecurityPreferenceIn{EnforceMFAForLogin: &yes, MFAOperationForLogin: &mode}); got != want {
		h.Errorf("both parameters: %+v", got)
	}
	want.EmailCodes, want.SMSCodes = false, false
	if got := set(ops.SetSecurityPreferenceIn{VerificationTypes: []string{}}); got != want {
		h.Errorf("no types: %+v", got)
	}
	zero, odd, empty := 0, "Mandatory", ""
	for noun, in := range map[string]ops.SetSecurityPreferenceIn{
		"LoginSessionDuration": {LoginSessionDuration: &zero}, "MFAOperationForLogin": {MFAOperationForLogin: &odd},
		"OperationForRiskLogin": {OperationForRiskLogin: &odd}, "MaxIdleDaysForAccessKeys": {MaxIdleDaysForAccessKeys: &zero},
		"LoginNetworkMasks": {LoginNetworkMasks: &odd}, "VerificationTypes": {VerificationTypes: []string{"Email"}},
	} {
		f := no(h, fault.Invalid, h.byAdmin(), ops.SetSecurityPreference, in)
		if f.Noun != noun && f.Name != noun {
			h.Errorf("%s: the fault is about %q %q", noun, f.Noun, f.Name)
		}
	}
	no(h, fault.Invalid, h.byAdmin(), ops.SetSecurityPreference, ops.SetSecurityPreferenceIn{MFAOperationForLogin: &empty})
}

// Whoever would shut itself out is asked twice; a preview says so beforehand, and
// who else would be.
func TestPreferencesShutNobodyOutByMistake(t *testing.T) {
	h := lite(t)
	h.user("alice")
	h.grant("alice", allowing("*"))
	p, _ := h.device("alice")
	d := h.desk().signIn("alice", p, false)
	h.user("bob")
	h.desk().signIn("bob", "", false)
	away := preferring(func(p *ops.SecurityPreferences) { p.NetworkMasks = "198.51.100.0/24" })
	i := run(h, d.call(), ops.PreviewPreferences, away.SecurityPreferences)
	if !i.OwnWayIn || i.ShutOutCount != 2 || len(i.ShutOut) != 2 {
		h.Errorf("the preview: %+v", i)
	}
	if f := no(h, fault.Conflict, d.call(), ops.SetSecurityPreferences, away); f.Noun != "own way in" {
		h.Errorf("the fault: %+v", f)
	}
	i = run(h, d.call(), ops.PreviewPreferences, mandatory().SecurityPreferences)
	if i.OwnWayIn || i.MustBindCount != 1 || i.MustBind[0] != "bob" || i.All != 2 {
		h.Errorf("the preview: %+v", i)
	}
	away.Confirmed = true
	run(h, d.call(), ops.SetSecurityPreferences, away)
	if _, err := h.Session(t.Context(), d.session, d.from().Source); !fault.Is(err, fault.Unauthenticated) {
		h.Errorf("the session from outside: %v", err)
	}
}

// Whose only factor is an address that would not count any more is shut out, and
// the preview says so, of the one who asks, too; each once, whatever for.
func TestPreviewOfFactorsThatCountNoMore(t *testing.T) {
	posted(t, func(h *home) {
		for _, u := range []string{"alice", "bob", "carol"} {
			h.user(u)
		}
		h.grant("alice", allowing("*"))
		h.bindMail("alice", "alice@example.com")
		h.bindMail("bob", "bob@example.com")
		h.device("bob")
		b, code := h.atCode("alice")
		b.signedIn(b.submit(answer(code)))
		none := preferring(func(p *ops.SecurityPreferences) { p.EmailCodes, p.SMSCodes = false, false })
		i := run(h, b.call(), ops.PreviewPreferences, none.SecurityPreferences)
		if !i.OwnWayIn || i.ShutOutCount != 1 || !slices.Equal(i.ShutOut, []string{"alice"}) {
			h.Errorf("without addresses: %+v", i)
		}
		none.NetworkMasks = "198.51.100.0/24"
		if i = run(h, b.call(), ops.PreviewPreferences, none.SecurityPreferences); i.ShutOutCount != 1 {
			h.Errorf("without addresses, and from elsewhere: %+v", i)
		}
		texts := preferring(func(p *ops.SecurityPreferences) { p.SMSCodes = false })
		if i = run(h, b.call(), ops.PreviewPreferences, texts.SecurityPreferences); i.OwnWayIn || i.ShutOutCount != 0 {
			h.Errorf("without text messages: %+v", i)
		}
	})
}

// What users may do for themselves in the console: as the preferences say, unless
// a policy denies it; with a key only what policies allow.
func TestOwn(t *testing.T) {
	h := lite(t)
	h.user("alice")
	h.user("bob")
	key := run(h, h.byAdmin(), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "alice"}})
	signed := func() ops.Call {
		c, err := h.Credential(t.Context(), key.ID, "")
		h.must(err)
		return h.by(c.Caller)
	}
	d := h.desk().signIn("alice", "", false)
	device := ops.CreateVirtualMFADeviceIn{Name: "alice"}
	run(h, d.call(), ops.CreateVirtualMFADevice, device)
	no(h, fault.Denied, signed(), ops.CreateVirtualMFADevice, device)
	no(h, fault.Denied, d.call(), ops.ListMFADevices, ops.UserListing{User: ops.Ref{Name: "bob"}})
	no(h, fault.Denied, d.call(), ops.ListAccessKeys, ops.UserListing{})
	no(h, fault.Denied, d.call(), ops.CreateAccessKey, ops.UserIn{})
	h.wants(func(p *ops.SecurityPreferences) { p.OwnAccessKeys, p.OwnFactors, p.OwnPassword = true, false, false })
	run(h, d.call(), ops.ListAccessKeys, ops.UserListing{})
	no(h, fault.Denied, d.call(), ops.ListAccessKeys, ops.UserListing{User: ops.Ref{Name: "bob"}})
	no(h, fault.Denied, signed(), ops.ListAccessKeys, ops.UserListing{})
	no(h, fault.Denied, d.call(), ops.CreateVirtualMFADevice, device)
	change := ops.ChangePasswordIn{Old: secret(firstPassword), New: secret("another Horse 5 battery")}
	no(h, fault.Denied, d.call(), ops.ChangePassword, change)
	h.wants()
	no(h, fault.Denied, signed(), ops.ChangePassword, change)
	h.grant("alice", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:CreateVirtualMFADevice","Resource":"*"}}`)
	no(h, fault.Denied, d.call(), ops.CreateVirtualMFADevice, device)
	run(h, d.call(), ops.ChangePassword, change)
}
