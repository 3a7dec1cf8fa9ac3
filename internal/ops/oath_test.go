package ops_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/testkit"
)

var tokenSeed = []byte("12345678901234567890")

// tokens is a file of one token of each kind.
func tokens() ops.ImportTokensIn {
	s := hex.EncodeToString(tokenSeed)
	return ops.ImportTokensIn{File: seal.NewSecret([]byte("serial,seed,type,digits,counter,algorithm,manufacturer\nGAHT1," + s + ",totp,6,,SHA1,Acme\nGAHT2," + s + ",hotp,6,5,SHA1,Acme\nGAHT8," + s + ",totp,8,,SHA256,Acme\n"))}
}

func shown(step int64, p totp.Params) string { return totp.Code(tokenSeed, p, step) }

// Pool, assignment, two-code activation, use at STS, resynchronisation, loss: with
// the printed serial number at AWS's operations.
func TestHardwareTokens(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		for _, u := range []string{"alice", "bob"} {
			testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: u})
		}
		got := testkit.Do(t, w, admin, ops.ImportTokens, tokens())
		if strings.Join(got.Added, " ") != "GAHT1 GAHT2 GAHT8" || len(got.Known) != 0 {
			t.Errorf("%+v", got)
		}
		if again := testkit.Do(t, w, admin, ops.ImportTokens, tokens()); len(again.Added) != 0 || len(again.Known) != 3 {
			t.Errorf("the same file again: %+v", again)
		}
		state := func(serial string) ops.HardwareToken {
			t.Helper()
			for _, k := range testkit.Do(t, w, admin, ops.ListTokens, ops.Listing{}).Items {
				if k.Name == serial {
					return k
				}
			}
			t.Fatalf("%s is not there", serial)
			return ops.HardwareToken{}
		}
		if k := state("GAHT8"); k.State() != ops.TokenFree || k.Params.Digits != 8 || k.Params.Algorithm != totp.SHA256 || k.Maker != "Acme" || k.Seed != nil {
			t.Errorf("%+v", k)
		}

		testkit.Do(t, w, admin, ops.AssignToken, ops.DeviceIn{User: ref("alice"), Serial: "GAHT1"})
		is(t, "given to two", testkit.Fails(t, w, admin, ops.AssignToken, ops.DeviceIn{User: ref("bob"), Serial: "GAHT1"}), fault.Conflict, "token")
		if k := state("GAHT1"); k.State() != ops.TokenGiven || k.UserName != "alice" {
			t.Errorf("%s to %s", k.State(), k.UserName)
		}
		now := totp.Params{}.Step(w.Clock.Now())
		enable := func(user, serial, one, two string) error {
			_, err := ops.Run(context.Background(), w.Server, admin, ops.EnableMFADevice, ops.PairIn{User: ref(user), Serial: serial, Code1: one, Code2: two})
			return err
		}
		is(t, "another's token", enable("bob", "GAHT1", shown(now-1, totp.Params{}), shown(now, totp.Params{})), fault.NotFound, "mfa device")
		is(t, "the ARN of a token", enable("alice", ownPrefix+"mfa/GAHT1", shown(now-1, totp.Params{}), shown(now, totp.Params{})), fault.NotFound, "mfa device")
		is(t, "wrong codes", enable("alice", "GAHT1", "000000", "000001"), fault.BadCode, "mfa device")
		if err := enable("alice", "GAHT1", shown(now-1, totp.Params{}), shown(now, totp.Params{})); err != nil {
			t.Fatal(err)
		}
		if k := state("GAHT1"); k.State() != ops.TokenUsed || k.UserName != "alice" || k.For != 0 {
			t.Errorf("%s to %s", k.State(), k.UserName)
		}
		eight := totp.Params{Digits: 8, Algorithm: totp.SHA256}
		if err := enable("alice", "GAHT8", shown(now-1, eight), shown(now, eight)); err != nil {
			t.Fatal(err)
		}

		// A token that counts: the file says that 5 comes next.
		if err := enable("bob", "GAHT2", shown(6, totp.Params{}), shown(7, totp.Params{})); err != nil {
			t.Fatal(err)
		}
		key := testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref("bob")})
		bob := w.As(t, key.ID, "")
		session := func(code string) error {
			_, err := ops.Run(context.Background(), w.Server, bob, ops.GetSessionToken, ops.GetSessionTokenIn{Serial: "GAHT2", Code: code})
			return err
		}
		is(t, "C-1: a counter that was used", session(shown(7, totp.Params{})), fault.Denied, "mfa code")
		if err := session(shown(9, totp.Params{})); err != nil {
			t.Errorf("a press later: %v", err)
		}
		is(t, "C-1: again", session(shown(9, totp.Params{})), fault.Denied, "mfa code")
		is(t, "one that was pressed before it", session(shown(8, totp.Params{})), fault.Denied, "mfa code")
		is(t, "far ahead", session(shown(60, totp.Params{})), fault.Denied, "mfa code")
		testkit.Do(t, w, admin, ops.ResyncMFADevice, ops.PairIn{User: ref("bob"), Serial: "GAHT2", Code1: shown(60, totp.Params{}), Code2: shown(61, totp.Params{})})
		if err := session(shown(62, totp.Params{})); err != nil {
			t.Errorf("after resynchronising: %v", err)
		}

		is(t, "without a reason", testkit.Fails(t, w, admin, ops.LoseToken, ops.DeviceIn{Serial: "GAHT2"}), fault.Invalid, "field")
		testkit.Do(t, w, admin, ops.LoseToken, ops.DeviceIn{Serial: "GAHT2", Reason: "left in a taxi"})
		is(t, "lost", session(shown(63, totp.Params{})), fault.Denied, "mfa serial")
		is(t, "lost, enabled", enable("bob", "GAHT2", shown(64, totp.Params{}), shown(65, totp.Params{})), fault.NotFound, "mfa device")
		is(t, "lost, given", testkit.Fails(t, w, admin, ops.AssignToken, ops.DeviceIn{User: ref("bob"), Serial: "GAHT2"}), fault.Conflict, "token")
		testkit.Do(t, w, admin, ops.ReleaseToken, ops.DeviceIn{Serial: "GAHT2", Reason: "it was found"})
		is(t, "found: its codes stay used", enable("bob", "GAHT2", shown(61, totp.Params{}), shown(62, totp.Params{})), fault.BadCode, "mfa device")
		if err := enable("bob", "GAHT2", shown(63, totp.Params{}), shown(64, totp.Params{})); err != nil {
			t.Error(err)
		}
		is(t, "deleting one that is used", testkit.Fails(t, w, admin, ops.DeleteToken, ops.DeviceIn{Serial: "GAHT2"}), fault.Conflict, "assigned device")
		is(t, "as a virtual device", testkit.Fails(t, w, admin, ops.DeleteVirtualMFADevice, ops.SerialIn{Serial: "GAHT2"}), fault.NotFound, "mfa device")
		testkit.Do(t, w, admin, ops.DeactivateMFADevice, ops.DeviceIn{User: ref("bob"), Serial: "GAHT2"})
		testkit.Do(t, w, admin, ops.DeleteToken, ops.DeviceIn{Serial: "GAHT2"})

		list := testkit.Do(t, w, admin, ops.ListMFADevices, ops.UserListing{User: ref("alice")})
		if len(list.Items) != 2 || !strings.Contains("GAHT1 GAHT8", ops.Serial("alice", &list.Items[0])) {
			t.Errorf("alice has %+v", list.Items)
		}
		if v := testkit.Do(t, w, admin, ops.ListVirtualMFADevices, ops.ListVirtualMFADevicesIn{}); len(v.Items) != 0 {
			t.Errorf("tokens are no virtual devices: %+v", v.Items)
		}
	})
}

// C-2: of 200 at once one uses a counter up.
func TestC2CounterIsUsedOnce(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "bob"})
		testkit.Do(t, w, admin, ops.ImportTokens, tokens())
		testkit.Do(t, w, admin, ops.EnableMFADevice, ops.PairIn{User: ref("bob"), Serial: "GAHT2", Code1: shown(5, totp.Params{}), Code2: shown(6, totp.Params{})})
		bob := w.As(t, testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref("bob")}).ID, "")
		var wins int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				_, err := ops.Run(context.Background(), w.Server, bob, ops.GetSessionToken, ops.GetSessionTokenIn{Serial: "GAHT2", Code: shown(7, totp.Params{})})
				if err == nil {
					mu.Lock()
					wins++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if wins != 1 {
			t.Errorf("%d of 200 used the counter", wins)
		}
	})
}

// A virtual device may have SHA-2 and eight digits, which its QR code says.
func TestDevicesHaveParameters(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "alice"})
	p := totp.Params{Algorithm: totp.SHA512, Digits: 8}
	d := testkit.Do(t, w, admin, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "alice", Params: p})
	if uri := string(d.URI.Reveal()); !strings.Contains(uri, "&algorithm=SHA512&digits=8") || !strings.HasPrefix(uri, "otpauth://totp/Warifu%20acme%20-%20alice?") {
		t.Error(uri)
	}
	seed, err := totp.ParseSeed(string(d.SeedText.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	now := p.Step(w.Clock.Now())
	full := strings.Map(func(r rune) rune { return r + 0xfee0 }, totp.Code(seed, p, now)) // C-11: full-width, with spaces
	testkit.Do(t, w, admin, ops.EnableMFADevice, ops.PairIn{User: ref("alice"), Serial: d.ARN(), Code1: totp.Code(seed, p, now-1), Code2: full[:12] + " " + full[12:]})
	is(t, "seven digits", testkit.Fails(t, w, admin, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "x", Params: totp.Params{Digits: 7}}), fault.Invalid, "field")
}

// stepUp proves a factor in a session.
func stepUp(t testing.TB, w *testkit.World, me ops.Call, in ops.StepUpIn) ops.Call {
	t.Helper()
	out := testkit.Do(t, w, me, ops.StepUp, in)
	c, err := w.Session(context.Background(), out.Token, me.Source)
	if err != nil {
		t.Fatal(err)
	}
	me.Caller = c
	return me
}

// C-8: shown once, of one user, good once, new ones void the old, low count told.
func TestC8RecoveryCodes(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		seed := cliUser(t, w, "alice", true)
		me := console(t, w, "alice", seed)
		codes := testkit.Do(t, w, me, ops.MakeRecoveryCodes, struct{}{})
		if len(codes) != 10 {
			t.Fatalf("%d codes", len(codes))
		}
		if s := testkit.Do(t, w, me, ops.GetRecoveryStatus, struct{}{}); s.Left != 10 || s.Low || s.Shut || s.Made.IsZero() {
			t.Errorf("%+v", s)
		}
		signIn := func(user, code string) *ops.SignInStep {
			t.Helper()
			call := ops.Call{Source: me.Source, RequestID: w.NewRequestID()}
			step := testkit.Do(t, w, call, ops.SignIn, ops.SignInIn{Form: ops.SubmitPassword{Account: "acme", User: user, Password: seal.NewSecret([]byte(cliPassword))}})
			form := ops.SubmitFactor{Response: ops.Response{Code: code}}
			for _, p := range step.Prompts {
				if p.Method == iam.MethodRecovery {
					form.Factor = p.ID
				}
			}
			if form.Factor == 0 {
				t.Fatalf("%s is offered no recovery code: %+v", user, step.Prompts)
			}
			return testkit.Do(t, w, call, ops.SignIn, ops.SignInIn{Flow: step.Cookie, Form: form})
		}
		first := strings.ToLower(strings.ReplaceAll(string(codes[0].Reveal()), "-", " "))
		if s := signIn("alice", first); s.Session == nil || s.Session.Method() != "password+recovery" {
			t.Fatalf("%+v", s)
		}
		if s := signIn("alice", first); s.Session != nil {
			t.Error("a code is good twice")
		}
		bobSeed := cliUser(t, w, "bob", true)
		bob := console(t, w, "bob", bobSeed)
		testkit.Do(t, w, bob, ops.MakeRecoveryCodes, struct{}{})
		if s := signIn("bob", string(codes[1].Reveal())); s.Session != nil {
			t.Error("a code of alice lets bob in")
		}
		for i := 1; i < 7; i++ {
			if s := signIn("alice", string(codes[i].Reveal())); s.Session == nil {
				t.Fatalf("code %d is refused", i)
			}
		}
		if s := testkit.Do(t, w, me, ops.GetRecoveryStatus, struct{}{}); s.Left != 3 || !s.Low {
			t.Errorf("%+v", s)
		}
		w.Clock.Advance(30 * time.Second)
		me = stepUp(t, w, me, ops.StepUpIn{Response: ops.Response{Code: testkit.Code(t, seed, w.Clock.Now())}})
		fresh := testkit.Do(t, w, me, ops.MakeRecoveryCodes, struct{}{})
		if s := signIn("alice", string(codes[8].Reveal())); s.Session != nil {
			t.Error("an old code is good after new ones were made")
		}
		if s := signIn("alice", string(fresh[0].Reveal())); s.Session == nil {
			t.Error("a new code is refused")
		}
		told := 0
		for _, n := range testkit.Do(t, w, me, ops.ListNotices, ops.Listing{}).Items {
			if n.Kind == iam.NoticeRecoveryUsed {
				told++
			}
		}
		if told != 8 {
			t.Errorf("alice was told of %d uses", told)
		}
	})
}

// C-4, C-5: recovery codes have a budget of their own, checked before a right one.
func TestC4RecoveryCodesHaveABudget(t *testing.T) {
	w := testkit.New(t)
	seed := cliUser(t, w, "alice", true)
	me := console(t, w, "alice", seed)
	codes := testkit.Do(t, w, me, ops.MakeRecoveryCodes, struct{}{})
	var set ops.Prompt
	for _, p := range testkit.Do(t, w, me, ops.ShowStepUp, struct{}{}) {
		if p.Method == iam.MethodRecovery {
			set = p
		}
	}
	for range iam.MaxCodeFailures {
		is(t, "wrong", testkit.Fails(t, w, me, ops.StepUp, ops.StepUpIn{FactorIn: ops.FactorIn{Factor: set.ID}, Response: ops.Response{Code: "AAAA-AAAA-AAAA-AAAA"}}), fault.BadCode, "code")
	}
	is(t, "a right one after ten wrong", testkit.Fails(t, w, me, ops.StepUp, ops.StepUpIn{FactorIn: ops.FactorIn{Factor: set.ID}, Response: ops.Response{Code: string(codes[0].Reveal())}}), fault.BadCode, "code")
	if s := testkit.Do(t, w, me, ops.GetRecoveryStatus, struct{}{}); !s.Shut || s.Left != 10 {
		t.Errorf("%+v", s)
	}
	w.Clock.Advance(30 * time.Second)
	stepUp(t, w, me, ops.StepUpIn{Response: ops.Response{Code: testkit.Code(t, seed, w.Clock.Now())}}) // the device has a budget of its own
}

// C-2: of 200 at once one uses a recovery code.
func TestC2RecoveryCodeIsUsedOnce(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		seed := cliUser(t, w, "alice", true)
		me := console(t, w, "alice", seed)
		codes := testkit.Do(t, w, me, ops.MakeRecoveryCodes, struct{}{})
		var id ops.FactorIn
		for _, p := range testkit.Do(t, w, me, ops.ShowStepUp, struct{}{}) {
			if p.Method == iam.MethodRecovery {
				id.Factor = p.ID
			}
		}
		var wins int
		var mu sync.Mutex
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				_, err := ops.Run(context.Background(), w.Server, me, ops.StepUp, ops.StepUpIn{FactorIn: id, Response: ops.Response{Code: string(codes[0].Reveal())}})
				if err == nil {
					mu.Lock()
					wins++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if wins != 1 {
			t.Errorf("%d of 200 used the code", wins)
		}
	})
}

// P-7: who came in with a recovery code makes no new ones with it, and needs a
// factor to have any at all.
func TestP7RecoveryCodesDoNotBreed(t *testing.T) {
	w := testkit.New(t)
	cliUser(t, w, "bare", false)
	is(t, "no factor", testkit.Fails(t, w, console(t, w, "bare", ""), ops.MakeRecoveryCodes, struct{}{}), fault.Conflict, "no factor")

	seed := cliUser(t, w, "alice", true)
	me := console(t, w, "alice", seed)
	codes := testkit.Do(t, w, me, ops.MakeRecoveryCodes, struct{}{})
	w.Clock.Advance(20 * time.Minute)
	is(t, "stale", testkit.Fails(t, w, me, ops.MakeRecoveryCodes, struct{}{}), fault.StepUp, ops.ProveFactor)
	var id ops.FactorIn
	for _, p := range testkit.Do(t, w, me, ops.ShowStepUp, struct{}{}) {
		if p.Method == iam.MethodRecovery {
			id.Factor = p.ID
		}
	}
	me = stepUp(t, w, me, ops.StepUpIn{FactorIn: id, Response: ops.Response{Code: string(codes[0].Reveal())}})
	is(t, "by a recovery code", testkit.Fails(t, w, me, ops.MakeRecoveryCodes, struct{}{}), fault.StepUp, ops.ProveStronger)
	testkit.Do(t, w, w.Admin(t), ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "p", Document: statement("Allow", "iam:*", "*")})
	d := testkit.Do(t, w, me, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "alice-new"}) // but the next device is bound with it
	if d.ID == 0 {
		t.Error("no device")
	}
	is(t, "from outside the console", testkit.Fails(t, w, w.Admin(t), ops.MakeRecoveryCodes, struct{}{}), fault.Unauthenticated, "")
}

// P-8: nobody resets the factors of somebody who holds powers that the caller
// lacks, and root's are root's.
func TestP8NobodyResetsThoseAbove(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		user := func(name string, docs ...string) ops.Call {
			testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: name})
			for i, d := range docs {
				testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref(name), Policy: string(rune('a' + i)), Document: d})
			}
			return w.As(t, testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref(name)}).ID, "")
		}
		all := statement("Allow", "*", "*")
		desk := user("helpdesk", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*MFA*","iam:GetUser","warifu:CreateEnrolmentLink"],"Resource":"*"}]}`)
		user("boss", all)
		user("worker", statement("Allow", "s3:*", "*"))
		user("self", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*MFA*","iam:*AccessKey*"],"Resource":"arn:aws:iam::*:user/${aws:username}"}]}`)
		user("guarded", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`)
		user("bounded", all)
		user("team-lead", statement("Allow", "iam:AttachUserPolicy", "arn:aws:iam::*:user/*"))
		testkit.Do(t, w, admin, ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("bounded"), Boundary: "arn:aws:iam::aws:policy/ReadOnlyAccess"})
		// What other languages give counts as much.
		user("ram-boss")
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("ram-boss"), Policy: "arn:aws:iam::acs:policy/AliyunRAMFullAccess"})
		user("ram-reader")
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("ram-reader"), Policy: "arn:aws:iam::acs:policy/AliyunRAMReadOnlyAccess"})
		user("oci-boss")
		testkit.Do(t, w, admin, ops.OracleCreatePolicy, ops.OracleNounIn{Compartment: testkit.Account.Tenancy(), Name: "boss", Described: described("x"),
			Statements: []string{"allow any-user to manage all-resources in tenancy where request.user.name = 'oci-boss'"}})

		for name, above := range map[string]bool{"boss": true, "worker": false, "self": false, "guarded": true, "bounded": false, "team-lead": true,
			"ram-boss": true, "ram-reader": false, "oci-boss": true} {
			_, err := ops.Run(context.Background(), w.Server, desk, ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ref(name)})
			var f *fault.Error
			if got := errors.As(err, &f) && f.Kind == fault.Denied && f.Noun == "above the caller"; got != above || !above && err != nil {
				t.Errorf("a link for %s: %v, want a refusal: %v", name, err, above)
			}
			d := testkit.Do(t, w, admin, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: name})
			seed := string(d.SeedText.Reveal())
			one := testkit.Code(t, seed, w.Clock.Now())
			w.Clock.Advance(30 * time.Second)
			pair := ops.PairIn{User: ref(name), Serial: d.ARN(), Code1: one, Code2: testkit.Code(t, seed, w.Clock.Now())}
			if _, err := ops.Run(context.Background(), w.Server, desk, ops.EnableMFADevice, pair); (err != nil) != above {
				t.Errorf("binding for %s: %v", name, err)
			}
			if above {
				testkit.Do(t, w, admin, ops.EnableMFADevice, pair)
			}
			if _, err := ops.Run(context.Background(), w.Server, desk, ops.DeactivateMFADevice, ops.DeviceIn{User: ref(name), Serial: d.ARN(), Reason: "lost"}); (err != nil) != above {
				t.Errorf("taking from %s: %v", name, err)
			}
		}
		testkit.Do(t, w, admin, ops.DeactivateMFADevice, ops.DeviceIn{User: ref("boss"), Serial: ownPrefix + "mfa/boss", Reason: "lost"})
	})
}

// The account may say that nobody but the user binds a factor, at every door.
func TestOwnBindingOnly(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "alice"})
	link := testkit.Do(t, w, admin, ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ref("alice")})
	e := testkit.Do(t, w, ops.Call{}, ops.OpenEnrolmentLink, ops.LinkIn{Token: link.Token})
	prefs := iam.DefaultPreferences()
	prefs.OwnBindingOnly = true
	testkit.Do(t, w, admin, ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: prefs})

	is(t, "a link", testkit.Fails(t, w, admin, ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ref("alice")}), fault.Unmodifiable, "binding by others")
	seed := string(e.Device.SeedText.Reveal())
	one := testkit.Code(t, seed, w.Clock.Now())
	w.Clock.Advance(30 * time.Second)
	two := testkit.Code(t, seed, w.Clock.Now())
	is(t, "a link made before", testkit.Fails(t, w, ops.Call{}, ops.UseEnrolmentLink, ops.UseEnrolmentLinkIn{LinkIn: ops.LinkIn{Token: link.Token}, Form: ops.SubmitPair{Code1: one, Code2: two}}), fault.Unmodifiable, "binding by others")
	pair := ops.PairIn{User: ref("alice"), Serial: e.Device.ARN(), Code1: one, Code2: two}
	is(t, "an administrator", testkit.Fails(t, w, admin, ops.EnableMFADevice, pair), fault.Unmodifiable, "binding by others")
	testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "p", Document: statement("Allow", "iam:*", "*")})
	alice := w.As(t, testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref("alice")}).ID, "")
	testkit.Do(t, w, alice, ops.EnableMFADevice, pair)
}

// The last factor of one's own stays where MFA is required; an administrator
// takes it when it is lost.
func TestLastFactorIsGuarded(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	seed := cliUser(t, w, "alice", true)
	testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "p", Document: statement("Allow", "iam:*", "*")})
	prefs := iam.DefaultPreferences()
	prefs.MFAForLogin = iam.MFAMandatory
	testkit.Do(t, w, admin, ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: prefs})
	me := console(t, w, "alice", seed)
	in := ops.DeviceIn{Serial: ownPrefix + "mfa/alice"}
	is(t, "the last one", testkit.Fails(t, w, me, ops.DeactivateMFADevice, in), fault.Conflict, "last factor")
	in.User, in.Reason = ref("alice"), "lost"
	testkit.Do(t, w, admin, ops.DeactivateMFADevice, in)
}

// P-8: nor does anybody get a key or a password of somebody above, at any cloud's
// operation. What merely shuts out is for everybody whom policy allows it.
func TestP8NobodyBorrowsThoseAbove(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		for _, u := range []string{"desk", "boss", "worker"} {
			testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: u})
		}
		testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("boss"), Policy: "p", Document: statement("Allow", "*", "*")})
		testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("desk"), Policy: "p", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*AccessKey*","iam:*LoginProfile","iam:GetUser","warifu:ImportU2FKey"],"Resource":"*"}]}`})
		desk := w.As(t, testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref("desk")}).ID, "")
		off := false
		u2f, point := testkit.NewU2FKey(t, w.Rand, testkit.Origin)
		for _, who := range []string{"boss", "worker"} {
			key := testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref(who)}).ID
			u := testkit.Do(t, w, admin, ops.GetUser, ops.UserIn{User: ref(who)})
			change := func(s iam.KeyStatus) error {
				return failure(w, desk, ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{User: ref(who), Key: key}, Status: s})
			}
			set := func(in ops.UpdateLoginProfileIn) error {
				in.User = ref(who)
				return failure(w, desk, ops.UpdateLoginProfile, in)
			}
			if err := change(iam.KeyInactive); err != nil {
				t.Errorf("switching a key of %s off: %v", who, err)
			}
			borrowed := map[string]error{
				"a key switched on":   change(iam.KeyActive),
				"a first password":    failure(w, desk, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref(who), Password: secret(firstPassword)}),
				"a U2F key":           failure(w, desk, ops.ImportU2FKey, ops.ImportU2FKeyIn{User: ref(who), KeyHandle: append(u2f.ID, who...), PublicKey: point}),
				"a secret key (OCI)":  failure(w, desk, ops.CreateCustomerSecretKey, ops.OracleSecretKeyIn{User: u.ID, Called: "x"}),
				"a UI password (OCI)": failure(w, desk, ops.CreateOrResetUIPassword, ops.OracleUserIn{User: u.ID}),
			}
			for _, k := range testkit.Do(t, w, desk, ops.ListAccessKeys, ops.UserListing{User: ref(who)}).Items {
				testkit.Do(t, w, desk, ops.DeleteAccessKey, ops.KeyIn{User: ref(who), Key: k.ID})
			}
			borrowed["a key"] = failure(w, desk, ops.CreateAccessKey, ops.UserIn{User: ref(who)})
			if who == "boss" {
				testkit.Do(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref(who), Password: secret(firstPassword), MFARequired: true})
			}
			on := true
			if err := set(ops.UpdateLoginProfileIn{Disabled: &on}); err != nil {
				t.Errorf("switching the password of %s off: %v", who, err)
			}
			borrowed["a password"] = set(ops.UpdateLoginProfileIn{Password: secret("another horse 7 Battery")})
			borrowed["less than MFA"] = set(ops.UpdateLoginProfileIn{MFARequired: &off})
			borrowed["a password switched on"] = set(ops.UpdateLoginProfileIn{Disabled: &off})
			borrowed["a password (RAM)"] = failure(w, desk, ops.UpdateRAMLoginProfile, ops.RAMLoginIn{User: ref(who), Password: secret("another horse 8 Battery")})
			borrowed["a password switched on (RAM)"] = failure(w, desk, ops.UpdateRAMLoginProfile, ops.RAMLoginIn{User: ref(who), Active: &on})
			for what, err := range borrowed {
				var f *fault.Error
				if above := errors.As(err, &f) && f.Kind == fault.Denied && f.Noun == "above the caller"; above != (who == "boss") || !above && err != nil {
					t.Errorf("%s of %s: %v", what, who, err)
				}
			}
		}
	})
}

// failure is how an operation fails; nil if it does not.
func failure[In, Out any](w *testkit.World, call ops.Call, op ops.Op[In, Out], in In) error {
	_, err := ops.Run(context.Background(), w.Server, call, op, in)
	return err
}

// The last administrator stays (U33): nobody ends oneself, nor a user above, at any
// cloud's operation; so whoever ends an administrator may do as much.
func TestTheLastAdministratorStays(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	for _, u := range []string{"desk", "boss", "worker"} {
		testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: u})
	}
	testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("boss"), Policy: "p", Document: statement("Allow", "*", "*")})
	testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("desk"), Policy: "p", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Delete*","iam:Get*","iam:UpdateLoginProfile","iam:UpdateAccessKey","warifu:BlockUser"],"Resource":"*"}]}`})
	desk := w.As(t, testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref("desk")}).ID, "")
	id := func(user string) name.ID {
		return testkit.Do(t, w, admin, ops.GetUser, ops.UserIn{User: ref(user)}).ID
	}
	for what, err := range map[string]error{
		"DeleteUser":          failure(w, desk, ops.DeleteUser, ops.UserIn{User: ref("boss")}),
		"RemoveUser":          failure(w, desk, ops.RemoveUser, ops.UserIn{User: ref("boss")}),
		"DeleteUser (Oracle)": failure(w, desk, ops.OracleDeleteUser, ops.Matching{ID: id("boss")}),
		"BlockUser":           failure(w, desk, ops.BlockUser, ops.BlockUserIn{User: ref("boss")}),
	} {
		is(t, what, err, fault.Denied, "above the caller")
	}
	for what, err := range map[string]error{
		"DeleteUser":          failure(w, admin, ops.DeleteUser, ops.UserIn{User: ref("admin")}),
		"RemoveUser":          failure(w, admin, ops.RemoveUser, ops.UserIn{User: ref("admin")}),
		"DeleteUser (Oracle)": failure(w, admin, ops.OracleDeleteUser, ops.Matching{ID: id("admin")}),
		"BlockUser":           failure(w, admin, ops.BlockUser, ops.BlockUserIn{User: ref("admin")}),
	} {
		is(t, what+" of oneself", err, fault.Unmodifiable, "oneself")
	}
	testkit.Do(t, w, desk, ops.BlockUser, ops.BlockUserIn{User: ref("worker")})
	testkit.Do(t, w, desk, ops.DeleteUser, ops.UserIn{User: ref("worker")})
	testkit.Do(t, w, admin, ops.RemoveUser, ops.UserIn{User: ref("boss")})
}

// Every kind of factor goes with its user, but a token goes back into the pool: by
// the console, at Oracle's door, and when Alibaba Cloud's unbinds or disables it.
func TestTokensOutliveTheirUsers(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.ImportTokens, tokens())
	give := func(user string) {
		t.Helper()
		if user != "carol" {
			testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: user})
		}
		w.Clock.Advance(2 * time.Minute)
		now := totp.Params{}.Step(w.Clock.Now())
		testkit.Do(t, w, admin, ops.EnableMFADevice, ops.PairIn{User: ref(user), Serial: "GAHT1", Code1: shown(now-1, totp.Params{}), Code2: shown(now, totp.Params{})})
	}
	free := func(why string) {
		t.Helper()
		if k := testkit.Do(t, w, admin, ops.GetToken, ops.DeviceIn{Serial: "GAHT1"}); k.State() != ops.TokenFree {
			t.Errorf("%s: the token is %s", why, k.State())
		}
	}
	seed := cliUser(t, w, "alice", true)
	me := console(t, w, "alice", seed)
	testkit.Do(t, w, me, ops.MakeRecoveryCodes, struct{}{})
	testkit.Do(t, w, admin, ops.RemoveUser, ops.UserIn{User: ref("alice")})

	give("bob")
	testkit.Do(t, w, admin, ops.RemoveUser, ops.UserIn{User: ref("bob")})
	free("removed")
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "carol"})
	give("carol")
	testkit.Do(t, w, admin, ops.UnbindMFADevice, ops.UserIn{User: ref("carol")})
	free("unbound")
	give("carol")
	testkit.Do(t, w, admin, ops.DisableVirtualMFA, ops.UserIn{User: ref("carol")})
	free("disabled")
	give("carol")
	testkit.Do(t, w, admin, ops.OracleDeleteUser, ops.Matching{ID: testkit.Do(t, w, admin, ops.GetUser, ops.UserIn{User: ref("carol")}).ID})
	free("deleted at Oracle's door")
}
