package ops_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/testkit"
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

// Every parameter that can be wrong, with every kind of bad value: the refusal
// names the parameter, and nothing is changed, neither that parameter nor the good
// ones beside it.
func TestSetSecurityPreferenceRefusesBadValues(t *testing.T) {
	homes(t, func(h *home) {
		h.wants(func(p *ops.SecurityPreferences) { p.NetworkMasks, p.SessionHours = "192.0.2.0/24", 9 })
		before := run(h, h.byAdmin(), ops.GetEffectivePreferences, struct{}{})
		n := func(v int) *int { return &v }
		s := func(v string) *string { return &v }
		masks := func(count int) *string { return s(strings.Repeat("10.0.0.0/8;", count-1) + "10.0.0.0/8") }
		bad := map[string][]ops.SetSecurityPreferenceIn{}
		for _, v := range []int{-1, 0, 25, 1 << 31} {
			bad["LoginSessionDuration"] = append(bad["LoginSessionDuration"], ops.SetSecurityPreferenceIn{LoginSessionDuration: n(v)})
		}
		for _, v := range []int{-1, 0, 1, 89, 91, 364, 731, 1 << 31} {
			bad["MaxIdleDaysForUsers"] = append(bad["MaxIdleDaysForUsers"], ops.SetSecurityPreferenceIn{MaxIdleDaysForUsers: n(v)})
			bad["MaxIdleDaysForAccessKeys"] = append(bad["MaxIdleDaysForAccessKeys"], ops.SetSecurityPreferenceIn{MaxIdleDaysForAccessKeys: n(v)})
		}
		for _, v := range []string{"", "Mandatory", "mandatory ", "none", "true"} {
			bad["MFAOperationForLogin"] = append(bad["MFAOperationForLogin"], ops.SetSecurityPreferenceIn{MFAOperationForLogin: s(v)})
		}
		for _, v := range []string{"", "Autonomous", "enforceverify", "adaptive"} {
			bad["OperationForRiskLogin"] = append(bad["OperationForRiskLogin"], ops.SetSecurityPreferenceIn{OperationForRiskLogin: s(v)})
		}
		for _, v := range []*string{
			s("here"), s("example.com"), s("10.0.0.0/33"), s("10.0.0.0/-1"), s("10.0.0/8"), s("10.0.0.0/8,192.0.2.0/24"), s("10.0.0.0/8;;192.0.2.0/24"), s(";"),
			s("2001:db8::/129"), s("fe80::1%eth0"), s("::ffff:10.0.0.0/104"), s("10.0.0.0/8 192.0.2.1"), masks(41), s("192.0.2.1" + strings.Repeat(" ", 512)),
		} {
			bad["LoginNetworkMasks"] = append(bad["LoginNetworkMasks"], ops.SetSecurityPreferenceIn{LoginNetworkMasks: v})
		}
		for _, v := range [][]string{{""}, {"Email"}, {"sms", "totp"}, {"email;sms"}} {
			bad["VerificationTypes"] = append(bad["VerificationTypes"], ops.SetSecurityPreferenceIn{VerificationTypes: v})
		}
		yes := true
		for parameter, all := range bad {
			for _, in := range all {
				in.EnableSaveMFATicket, in.AllowUserToManageAccessKeys = &yes, &yes
				f := no(h, fault.Invalid, h.byAdmin(), ops.SetSecurityPreference, in)
				if f.Noun != parameter && f.Name != parameter {
					h.Errorf("%s: the fault is about %q %q", parameter, f.Noun, f.Name)
				}
			}
		}
		if after := run(h, h.byAdmin(), ops.GetEffectivePreferences, struct{}{}); !reflect.DeepEqual(after, before) {
			h.Errorf("something changed: %+v, before %+v", after, before)
		}
		// No parameter is left out: what is not above is a switch, which cannot be wrong
		// here, and of which each door refuses what is neither true nor false.
		for _, f := range reflect.VisibleFields(reflect.TypeFor[ops.SetSecurityPreferenceIn]()) {
			if _, there := bad[f.Name]; !there && f.Type != reflect.TypeFor[*bool]() {
				h.Errorf("nothing bad was tried for %s", f.Name)
			}
		}
		for _, good := range []*string{masks(40), s("2001:db8::/32"), s("2001:db8::1; 10.1.2.3/8 ;192.0.2.1;"), s(" "), s("")} {
			run(h, h.byAdmin(), ops.SetSecurityPreference, ops.SetSecurityPreferenceIn{LoginNetworkMasks: good})
		}
	})
}

// Of every setting that changed it is known who changed it last, when, where, and by
// which name if that is out of use; what did not change keeps its origin.
func TestOrigins(t *testing.T) {
	homes(t, func(h *home) {
		origins := func() map[string]iam.Origin {
			h.Helper()
			return run(h, h.byAdmin(), ops.GetEffectivePreferences, struct{}{}).Origins
		}
		if got := origins(); len(got) != 0 {
			h.Fatalf("before any change: %v", got)
		}
		h.wants(remembering)
		first := h.clock.Now()
		h.clock.Advance(time.Hour)
		cloud := h.byAdmin()
		cloud.Source.Door = "alibaba"
		yes, risk := true, "enforceVerify"
		run(h, cloud, ops.SetSecurityPreference, ops.SetSecurityPreferenceIn{EnforceMFAForLogin: &yes, EnableSaveMFATicket: &yes, OperationForRiskLogin: &risk})
		oracle := h.byAdmin()
		oracle.Source.Door = "oracle"
		length := 15
		run(h, oracle, ops.UpdateAuthenticationPolicy, ops.OraclePasswordsIn{Tenancy: testkit.Account.Tenancy(), PasswordPolicyChange: ops.PasswordPolicyChange{MinimumLength: &length}})
		now := h.clock.Now()
		want := map[string]iam.Origin{
			"enableSaveMFATicket":   {Setting: "enableSaveMFATicket", At: first, By: "admin", Door: "console"},
			"mfaOperationForLogin":  {Setting: "mfaOperationForLogin", At: now, By: "admin", Door: "alibaba", Alias: "EnforceMFAForLogin"},
			"operationForRiskLogin": {Setting: "operationForRiskLogin", At: now, By: "admin", Door: "alibaba", Alias: "OperationForRiskLogin"},
			"minimumPasswordLength": {Setting: "minimumPasswordLength", At: now, By: "admin", Door: "oracle"},
		}
		if got := origins(); !reflect.DeepEqual(got, want) {
			h.Errorf("got %v, want %v", got, want)
		}
		mode := "independent"
		run(h, cloud, ops.SetSecurityPreference, ops.SetSecurityPreferenceIn{MFAOperationForLogin: &mode})
		if got := origins()["mfaOperationForLogin"]; got.Alias != "" || got.Door != "alibaba" {
			h.Errorf("by the present name: %+v", got)
		}
		run(h, h.byAdmin(), ops.DeleteAccountPasswordPolicy, struct{}{})
		if got := origins()["minimumPasswordLength"]; got.Door != "console" {
			h.Errorf("back to the default: %+v", got)
		}
	})
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

// A preview tells exactly whom a sign-in asks to bind a factor, or refuses, and was
// not asked before: by the modes, by what an administrator asks of one user, and by
// where a first factor may be bound.
func TestPreviewOfBinding(t *testing.T) {
	h := lite(t)
	yes := true
	for _, u := range []string{"alice", "bob", "carol"} {
		h.user(u)
	}
	h.device("alice")
	run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "carol"}, MFARequired: &yes})
	adaptive := func(p *ops.SecurityPreferences) { p.MFAForLogin, p.RiskLogin = iam.MFAAdaptive, iam.RiskEnforceVerify }
	link := func(p *ops.SecurityPreferences) { p.LinkOnly = true }
	mandatory := func(p *ops.SecurityPreferences) { p.MFAForLogin = iam.MFAMandatory }
	type changes []func(*ops.SecurityPreferences)
	for _, c := range []struct {
		name                 string
		from, to             changes
		bind, unusually, out []string
	}{
		{"nothing", nil, nil, nil, nil, nil},
		{"mandatory", nil, changes{mandatory}, []string{"bob"}, nil, nil},
		{"by links, what one user must", nil, changes{link}, nil, nil, []string{"carol"}},
		{"by links, what all must", changes{mandatory}, changes{mandatory, link}, nil, nil, []string{"bob", "carol"}},
		{"anywhere again", changes{mandatory, link}, changes{mandatory}, []string{"bob", "carol"}, nil, nil},
		{"at unusual sign-ins", nil, changes{adaptive}, nil, []string{"bob"}, nil},
		{"at unusual sign-ins, by links", nil, changes{adaptive, link}, nil, []string{"bob"}, []string{"carol"}},
		{"autonomous", nil, changes{adaptive, func(p *ops.SecurityPreferences) { p.RiskLogin = iam.RiskAutonomous }}, nil, nil, nil},
		{"tried only", nil, changes{adaptive, func(p *ops.SecurityPreferences) { p.Shadow = true }}, nil, nil, nil},
		{"less than before", changes{mandatory}, changes{adaptive}, nil, nil, nil},
	} {
		h.wants(c.from...)
		next := iam.DefaultPreferences()
		for _, change := range c.to {
			change(&next)
		}
		i := run(h, h.byAdmin(), ops.PreviewPreferences, next)
		if !slices.Equal(i.MustBind, c.bind) || !slices.Equal(i.Unusually, c.unusually) || !slices.Equal(i.ShutOut, c.out) ||
			i.MustBindCount != len(c.bind) || i.UnusualCount != len(c.unusually) || i.ShutOutCount != len(c.out) {
			h.Errorf("%s: bind %v, unusually %v, out %v", c.name, i.MustBind, i.Unusually, i.ShutOut)
		}
	}
	// Whoever asks, too, is told that it could not come in.
	h.wants()
	h.grant("carol", allowing("*"))
	d := h.desk()
	run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "carol"}, MFARequired: new(bool)})
	d.signIn("carol", "", false)
	run(h, h.byAdmin(), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "carol"}, MFARequired: &yes})
	if i := run(h, d.call(), ops.PreviewPreferences, preferring(link).SecurityPreferences); !i.OwnWayIn {
		h.Error("carol is not told that carol is shut out")
	}
	no(h, fault.Conflict, d.call(), ops.SetSecurityPreferences, preferring(link))
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
