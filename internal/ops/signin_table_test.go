package ops_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/signin"
	"warifu/internal/testkit"
)

var update = flag.Bool("update", false, "write docs/sign-in.md anew")

const tableFile = "../../docs/sign-in.md"

// preferenceRows are the preferences that the table tells of, each by itself over
// the defaults.
var preferenceRows = []struct {
	name   string
	change func(*ops.SecurityPreferences)
}{
	{"the defaults", func(*ops.SecurityPreferences) {}},
	{"`MFAOperationForLogin` mandatory", func(p *ops.SecurityPreferences) { p.MFAForLogin = iam.MFAMandatory }},
	{"… and LinkOnly", func(p *ops.SecurityPreferences) { p.MFAForLogin, p.LinkOnly = iam.MFAMandatory, true }},
	{"`MFAOperationForLogin` adaptive, `OperationForRiskLogin` autonomous", func(p *ops.SecurityPreferences) { p.MFAForLogin = iam.MFAAdaptive }},
	{"… enforceVerify", func(p *ops.SecurityPreferences) { p.MFAForLogin, p.RiskLogin = iam.MFAAdaptive, iam.RiskEnforceVerify }},
	{"… and Shadow", func(p *ops.SecurityPreferences) {
		p.MFAForLogin, p.RiskLogin, p.Shadow = iam.MFAAdaptive, iam.RiskEnforceVerify, true
	}},
	{"`EnableSaveMFATicket`", func(p *ops.SecurityPreferences) { p.Remember = true }},
	{"… and RememberedIsMFA", func(p *ops.SecurityPreferences) { p.Remember, p.RememberedIsMFA = true, true }},
	{"`LoginNetworkMasks` that exclude the address", func(p *ops.SecurityPreferences) { p.NetworkMasks = "198.51.100.0/24" }},
	{"`AllowUserToLoginWithPasskey` off", func(p *ops.SecurityPreferences) { p.PasskeySignIn = false }},
	{"`LoginSessionDuration` 1, after two hours", func(p *ops.SecurityPreferences) { p.SessionHours = 1 }},
	{"SessionIdle 5, after two hours", func(p *ops.SecurityPreferences) { p.SessionIdle = 5 }},
	{"`AllowUserToManageMFADevices` off", func(p *ops.SecurityPreferences) { p.OwnFactors = false }},
	{"`AllowUserToManageAccessKeys` on", func(p *ops.SecurityPreferences) { p.OwnAccessKeys = true }},
	{"`AllowUserToChangePassword` off", func(p *ops.SecurityPreferences) { p.OwnPassword = false }},
	{"`VerificationTypes` none", func(p *ops.SecurityPreferences) { p.EmailCodes, p.SMSCodes = false, false }},
	{"`VerificationTypes` sms alone", func(p *ops.SecurityPreferences) { p.EmailCodes = false }},
	{"`VerificationTypes` email alone", func(p *ops.SecurityPreferences) { p.SMSCodes = false }},
	{"`MaxIdleDaysForUsers` 90, after 91 days", func(p *ops.SecurityPreferences) { p.IdleDaysUsers = 90 }},
	{"`MaxIdleDaysForAccessKeys` 90, after 91 days", func(p *ops.SecurityPreferences) { p.IdleDaysKeys = 90 }},
	{"OwnBindingOnly", func(p *ops.SecurityPreferences) { p.OwnBindingOnly = true }},
	{"FactorsPerUser 1", func(p *ops.SecurityPreferences) { p.FactorsPerUser = 1 }},
	{"BindMore", func(p *ops.SecurityPreferences) { p.BindMore = true }},
	{"`AllowUserToManagePersonalDingTalk` off", func(p *ops.SecurityPreferences) { p.OwnDingTalk = false }},
	{"`AllowUserToManageServiceCredentials` on", func(p *ops.SecurityPreferences) { p.OwnServiceCredentials = true }},
}

var wayNames = []string{
	"password, no factor, known browser", "password, no factor, new browser", "password, has a factor, known browser",
	"password, has a factor, new browser", "password, remembered browser", "passkey alone", "password, has a mailed code, known browser", "password, has a texted code, known browser",
	"remembered browser is MFA for policies", "open session", "command line, approved by it", "access key", "own device, key, password in the console", "second factor by a link",
	"second device at Alibaba Cloud’s door",
}

// told is the outcome of a sign-in step in words.
func told(step *ops.SignInStep) string {
	switch {
	case step.Session != nil:
		return "in"
	case step.Stage == signin.StageFactor:
		return "asked for the factor"
	case step.Stage == signin.StageBind:
		return "must bind a factor"
	}
	return "refused: " + string(step.Refusal)
}

// outcomes goes every way in under one preference.
func outcomes(t *testing.T, change func(*ops.SecurityPreferences)) (all []string) {
	h := lite(t)
	remembering := func(p *ops.SecurityPreferences) { p.Remember = true }
	h.Deliver(everything)
	h.wants(remembering)
	h.user("bare")
	h.user("frank")
	h.device("frank")
	h.user("erin")
	h.bindMail("erin", "erin@example.com")
	h.letters()
	mailed := h.desk()
	step := mailed.name("erin", firstPassword)
	mailed.send(ops.SubmitBegin{Factor: step.Prompts[0].ID}, false)
	mailed.send(ops.SubmitFactor{Factor: step.Prompts[0].ID, Response: ops.Response{Code: h.sentCode()}}, false)
	h.user("tess")
	texted := h.desk().signIn("tess", "", false)
	run(h, texted.call(), ops.BeginBinding, ops.BeginBindingIn{Kind: iam.FactorSMS, Address: "+819012345678"})
	run(h, texted.call(), ops.FinishBinding, ops.FinishBindingIn{Kind: iam.FactorSMS, Code: h.sentCode()})
	h.user("alice")
	h.grant("alice", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}`)
	h.user("carol")
	own := h.desk().signIn("bare", "", false)
	b := h.in("carol", "")
	key, _ := b.passkey("Laptop")
	p, _ := h.device("alice")
	known := h.desk().signIn("alice", p, false)
	memory := h.desk().signIn("alice", p, true)
	open := h.desk().signIn("bare", "", false)
	link := run(h, h.byAdmin(), ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ops.Ref{Name: "frank"}})
	h.wants(change)
	linked := "binds"
	e := run(h, h.nobody(), ops.OpenEnrolmentLink, ops.LinkIn{Token: link.Token})
	made := ops.SubmitNewPasskey{Response: testkit.NewAuthenticator().Create(h, e.Passkey)}
	if err := tryOp(h, h.nobody(), ops.UseEnrolmentLink, ops.UseEnrolmentLinkIn{LinkIn: ops.LinkIn{Token: link.Token}, Form: made}); err != nil {
		linked = "refused"
	}
	second := "binds"
	device := run(h, h.byAdmin(), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "second"})
	one, two := h.pair(phone(device.SeedText.Reveal()))
	if err := tryOp(h, h.byAdmin(), ops.BindMFADevice, ops.PairIn{User: ops.Ref{Name: "frank"}, Serial: device.ARN(), Code1: one, Code2: two}); err != nil {
		second = "refused"
	}
	selves := func() string {
		if _, err := h.Session(context.Background(), own.session, own.from().Source); err != nil {
			return "no session"
		}
		var may []string
		for _, c := range []struct {
			what string
			err  error
		}{
			{"device", tryOp(h, own.call(), ops.ListMFADevices, ops.UserListing{})},
			{"key", tryOp(h, own.call(), ops.ListAccessKeys, ops.UserListing{})},
			{"password", tryOp(h, own.call(), ops.ChangePassword, ops.ChangePasswordIn{Old: secret("wrong"), New: secret("another Horse 5 battery")})},
		} {
			if _, policy := ops.AsDenial(c.err); !policy {
				may = append(may, c.what)
			}
		}
		if may == nil {
			return "none"
		}
		return strings.Join(may, ", ")
	}()
	switch {
	case strings.Contains(t.Name(), "two_hours"):
		h.clock.Advance(2 * time.Hour)
	case strings.Contains(t.Name(), "91_days"):
		h.clock.Advance(91 * 24 * time.Hour)
		h.must(h.DisableIdle(context.Background()))
	}
	session, line := "goes on", "approved"
	if c, err := h.Session(context.Background(), open.session, open.from().Source); err != nil {
		session, line = "ends", "no session"
	} else if err := tryOp(h, h.by(c), ops.ApproveCLILogin, cliRequest()); err != nil {
		line = "refused"
	}
	signed := "works"
	if c, err := h.Credential(context.Background(), h.admin, ""); err != nil || tryOp(h, h.by(c.Caller), ops.ListUsers, ops.Listing{}) != nil {
		signed = "refused"
	}
	entered := "refused: wrong"
	if options, err := b.PasskeyRequest(page(1)); err == nil {
		entered = told(h.browser().submit(ops.SubmitPasskey{Browser: page(1), Assertion: key.Get(b, options)}))
	} else if !fault.Is(err, fault.Unsupported) {
		entered = "refused: " + fault.KindOf(err).String()
	}
	remembered := told(memory.name("alice", firstPassword))
	asMFA := "asked for the factor"
	if remembered == "in" {
		asMFA = "yes"
		if err := tryOp(h, memory.call(), ops.ListUsers, ops.Listing{}); err != nil {
			asMFA = "no"
		}
	}
	return []string{
		told(own.name("bare", firstPassword)), told(h.desk().name("bare", firstPassword)),
		told(known.name("alice", firstPassword)), told(h.desk().name("alice", firstPassword)), remembered,
		entered, told(mailed.name("erin", firstPassword)), told(texted.name("tess", firstPassword)), asMFA,
		session, line, signed, selves, linked, second,
	}
}

// Every preference has a row of the table; what is not a preference of users has
// pages of its own.
func TestTheTableHasEveryPreference(t *testing.T) {
	standard := reflect.ValueOf(iam.DefaultPreferences())
	changed := map[string]bool{"Sources": true, "Root": true, "Changed": true, "By": true}
	for _, row := range preferenceRows {
		p := iam.DefaultPreferences()
		row.change(&p)
		for i, v := 0, reflect.ValueOf(p); i < v.NumField(); i++ {
			if !v.Field(i).Equal(standard.Field(i)) {
				changed[v.Type().Field(i).Name] = true
			}
		}
	}
	for i := range standard.NumField() {
		if called := standard.Type().Field(i).Name; !changed[called] {
			t.Errorf("no row changes %s", called)
		}
	}
}

func tryOp[In, Out any](h *home, call ops.Call, op ops.Op[In, Out], in In) error {
	_, err := ops.Run(context.Background(), h.Server, call, op, in)
	return err
}

// docs/sign-in.md says of each preference and each way in what comes of it, and is
// right: the table is what happens here. With -update it is written anew.
func TestEveryPreferenceAndEveryWayIn(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "| preference | %s |\n|---|%s\n", strings.Join(wayNames, " | "), strings.Repeat("---|", len(wayNames)))
	for _, row := range preferenceRows {
		t.Run(row.name, func(t *testing.T) {
			fmt.Fprintf(&b, "| %s | %s |\n", row.name, strings.Join(outcomes(t, row.change), " | "))
		})
	}
	text, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- table: begin -->\n", "<!-- table: end -->"
	head, rest, ok1 := strings.Cut(string(text), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table", tableFile)
	}
	want := head + begin + b.String() + end + tail
	if *update {
		if err := os.WriteFile(tableFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(text) != want {
		t.Errorf("docs/sign-in.md is not what happens; run the test with -update and read the difference:\n%s", b.String())
	}
}
