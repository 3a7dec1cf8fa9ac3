package ops_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

const (
	goodPassword  = "correct horse battery"
	otherPassword = "staple, said nobody"
)

func changePassword(w *testkit.World, call ops.Call, old, fresh string) error {
	_, err := ops.Run(context.Background(), w.Server, call, ops.ChangePassword, ops.ChangePasswordIn{Old: secret(old), New: secret(fresh)})
	return err
}

func TestLoginProfiles(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	newPerson(t, w, "alice", "")
	ref := ops.Ref{Name: "alice"}
	in := ops.CreateLoginProfileIn{User: ref, Password: secret(goodPassword), ResetRequired: true}
	faultIs(t, testkit.Fails(t, w, admin, ops.GetLoginProfile, ops.UserIn{User: ref}), fault.NotFound, "login profile")
	faultIs(t, testkit.Fails(t, w, admin, ops.DeleteLoginProfile, ops.UserIn{User: ref}), fault.NotFound, "login profile")
	faultIs(t, testkit.Fails(t, w, admin, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ref, Password: secret(goodPassword)}), fault.NotFound, "login profile")
	faultIs(t, testkit.Fails(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "nobody"}, Password: secret(goodPassword)}), fault.NotFound, "user")
	for _, weak := range []string{"short", "password123", "alicealice", strings.Repeat("x", 2000), ""} { // P-2, P-3
		in := in
		in.Password = secret(weak)
		if err := testkit.Fails(t, w, admin, ops.CreateLoginProfile, in); !fault.Is(err, fault.WeakPassword) && !fault.Is(err, fault.Invalid) {
			t.Errorf("%.20q: %v", weak, err)
		}
	}
	if got := testkit.Do(t, w, admin, ops.CreateLoginProfile, in); got.UserName != "alice" || !got.ResetRequired || !got.Created.Equal(testkit.Epoch) {
		t.Errorf("made %+v", got)
	}
	faultIs(t, testkit.Fails(t, w, admin, ops.CreateLoginProfile, in), fault.Exists, "login profile")
	no := false
	testkit.Do(t, w, admin, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ref, ResetRequired: &no})
	if testkit.Do(t, w, admin, ops.GetLoginProfile, ops.UserIn{User: ref}).ResetRequired {
		t.Error("the reset is still required")
	}
	testkit.Do(t, w, admin, ops.DeleteLoginProfile, ops.UserIn{User: ref})
	faultIs(t, testkit.Fails(t, w, admin, ops.GetLoginProfile, ops.UserIn{User: ref}), fault.NotFound, "login profile")
}

func TestChangePassword(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	p := newPerson(t, w, "alice", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": "arn:aws:iam::*:user/${aws:username}"}}`)
	faultIs(t, changePassword(w, p.call(t), goodPassword, otherPassword), fault.NotFound, "login profile")
	testkit.Do(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret(goodPassword), ResetRequired: true})
	faultIs(t, changePassword(w, p.call(t), "wrong", otherPassword), fault.Denied, "old password")
	faultIs(t, changePassword(w, p.call(t), goodPassword, "weak"), fault.WeakPassword, "password")
	if err := changePassword(w, p.call(t), goodPassword, otherPassword); err != nil {
		t.Fatal(err)
	}
	if testkit.Do(t, w, admin, ops.GetLoginProfile, ops.UserIn{User: ops.Ref{Name: "alice"}}).ResetRequired {
		t.Error("the reset is still required")
	}
	faultIs(t, changePassword(w, p.call(t), goodPassword, "yet another phrase"), fault.Denied, "old password")

	// Who may: with a policy that says so, or when the account lets everybody.
	q := newPerson(t, w, "bob", "")
	testkit.Do(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "bob"}, Password: secret(goodPassword)})
	if _, ok := ops.AsDenial(changePassword(w, q.call(t), goodPassword, otherPassword)); !ok {
		t.Error("a user without permission changed the password")
	}
	testkit.Do(t, w, admin, ops.UpdateAccountPasswordPolicy, ops.PasswordPolicy{MinimumLength: 10, AllowUsersToChange: true, ReusePrevention: 2})
	if err := changePassword(w, q.call(t), goodPassword, otherPassword); err != nil {
		t.Errorf("the account lets everybody: %v", err)
	}
	testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "bob"}, Policy: "no", Document: `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "*"}}`})
	if _, ok := ops.AsDenial(changePassword(w, q.call(t), otherPassword, "a third phrase")); !ok {
		t.Error("a deny is passed over")
	}

	// The last two do not come back, the third last does.
	for _, step := range []struct {
		fresh string
		weak  bool
	}{{otherPassword, true}, {goodPassword, true}, {"a third phrase", false}, {goodPassword, false}} {
		old := otherPassword
		if step.fresh == goodPassword && !step.weak {
			old = "a third phrase"
		}
		err := changePassword(w, p.call(t), old, step.fresh)
		if fault.Is(err, fault.WeakPassword) != step.weak || !step.weak && err != nil {
			t.Errorf("%q: %v", step.fresh, err)
		}
	}

	newRole(t, w, "worker", trustHere, allowAll)
	role := mustAssume(t, w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "worker"})
	faultIs(t, changePassword(w, role, goodPassword, otherPassword), fault.Invalid, "user type")
}

// C-4, C-5: attempts at the old password have a budget, right ones as well as
// wrong ones, and attempts at once do not stretch it.
func TestBudgetOfOldPasswords(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		p := newPerson(t, w, "alice", allowAll)
		testkit.Do(t, w, w.Admin(t), ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret(goodPassword)})
		call := p.call(t)
		var mu sync.Mutex
		got := map[fault.Kind]int{}
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				err := changePassword(w, call, fmt.Sprintf("guess number %d", i), otherPassword)
				mu.Lock()
				got[fault.KindOf(err)]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if got[fault.Denied] != 10 || got[fault.Throttled] != 6 {
			t.Errorf("16 guesses ended as %v", got)
		}
		if err := changePassword(w, call, goodPassword, otherPassword); !fault.Is(err, fault.Throttled) {
			t.Errorf("the right one ended with %v", err)
		}
		w.Clock.Advance(15 * time.Minute)
		if err := changePassword(w, call, goodPassword, otherPassword); err != nil {
			t.Errorf("in the next window: %v", err)
		}
	})
}

// What was compared before the transaction counts only while it holds: of two
// changes at once one wins.
func TestChangePasswordAtOnce(t *testing.T) {
	w := testkit.New(t)
	p := newPerson(t, w, "alice", allowAll)
	testkit.Do(t, w, w.Admin(t), ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret(goodPassword)})
	call := p.call(t)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = changePassword(w, call, goodPassword, fmt.Sprintf("phrase number %d", i)) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Denied):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d changes won", won)
	}
}

func TestAccountPasswordPolicy(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	faultIs(t, testkit.Fails(t, w, admin, ops.GetAccountPasswordPolicy, struct{}{}), fault.NotFound, "password policy")
	faultIs(t, testkit.Fails(t, w, admin, ops.DeleteAccountPasswordPolicy, struct{}{}), fault.NotFound, "account policy")
	testkit.Do(t, w, admin, ops.UpdateAccountPasswordPolicy, ops.PasswordPolicy{})
	if got := testkit.Do(t, w, admin, ops.GetAccountPasswordPolicy, struct{}{}); got != (ops.PasswordPolicy{MinimumLength: 6}) {
		t.Errorf("an empty update gives %+v", got)
	}
	for _, p := range []ops.PasswordPolicy{{MinimumLength: 5}, {MinimumLength: 129}, {MaxAge: 1096}, {ReusePrevention: 25}} {
		if err := testkit.Fails(t, w, admin, ops.UpdateAccountPasswordPolicy, p); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	testkit.Do(t, w, admin, ops.DeleteAccountPasswordPolicy, struct{}{})
	testkit.Fails(t, w, admin, ops.GetAccountPasswordPolicy, struct{}{})
}

// The password policy is one, under three vocabularies: what is set at one door
// shows at the others, and what a door has no word for stays as it is.
func TestOnePasswordPolicyForAllClouds(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		tenancy := testkit.Account.Tenancy()
		shows := func(after string, want ops.PasswordPolicy) {
			t.Helper()
			if got := testkit.Do(t, w, admin, ops.GetPasswordPolicy, struct{}{}); got != want {
				t.Errorf("after %s Alibaba Cloud's door shows %+v, want %+v", after, got, want)
			}
			if got := testkit.Do(t, w, admin, ops.GetAuthenticationPolicy, tenancy); got.Policy != want {
				t.Errorf("after %s Oracle's door shows %+v, want %+v", after, got.Policy, want)
			}
			if want == ops.DefaultPasswordPolicy() {
				faultIs(t, testkit.Fails(t, w, admin, ops.GetAccountPasswordPolicy, struct{}{}), fault.NotFound, "password policy")
			} else if got := testkit.Do(t, w, admin, ops.GetAccountPasswordPolicy, struct{}{}); got != want {
				t.Errorf("after %s AWS's door shows %+v, want %+v", after, got, want)
			}
		}
		shows("nothing", ops.DefaultPasswordPolicy())

		set := func(n int) *int { return &n }
		yes, no := true, false
		want := ops.PasswordPolicy{
			MinimumLength: 12, MaxLoginAttempts: 5, InitialAge: 14, DifferentCharacters: 4, NotContainName: true, RequireNumbers: true, MaxAge: 90, HardExpiry: true,
		}
		testkit.Do(t, w, admin, ops.ChangePasswordPolicy, ops.PasswordPolicyChange{
			MinimumLength: set(12), MaxLoginAttempts: set(5), InitialAge: set(14), DifferentCharacters: set(4), NotContainName: &yes,
			RequireNumbers: &yes, MaxAge: set(90), HardExpiry: &yes,
		})
		shows("SetPasswordPolicy", want)

		call := w.Admin(t)
		testkit.Do(t, w, call, ops.UpdateAuthenticationPolicy, ops.OraclePasswordsIn{Tenancy: tenancy, PasswordPolicyChange: ops.PasswordPolicyChange{
			MinimumLength: set(14), RequireUppercase: &yes, RequireNumbers: &no, NotContainName: &no,
		}})
		want.MinimumLength, want.RequireUppercase, want.RequireNumbers, want.NotContainName = 14, true, false, false
		shows("UpdateAuthenticationPolicy", want)
		told := w.EventsOf(t, call.RequestID)[0].Params
		if told["minimumPasswordLength"] != "14" || told["requireUppercaseCharacters"] != "true" || told["requireNumbers"] != "false" || told["passwordNotContainUserName"] != "false" {
			t.Errorf("the trail says %v", told)
		}

		// AWS sets as a whole what AWS knows.
		testkit.Do(t, w, admin, ops.UpdateAccountPasswordPolicy, ops.PasswordPolicy{MinimumLength: 64, RequireSymbols: true, ReusePrevention: 24, AllowUsersToChange: true})
		shows("UpdateAccountPasswordPolicy", ops.PasswordPolicy{
			MinimumLength: 64, RequireSymbols: true, ReusePrevention: 24, AllowUsersToChange: true, MaxLoginAttempts: 5, InitialAge: 14, DifferentCharacters: 4,
		})
		testkit.Do(t, w, admin, ops.DeleteAccountPasswordPolicy, struct{}{})
		shows("DeleteAccountPasswordPolicy", ops.DefaultPasswordPolicy())
	})
}

// K-2: no password reaches the log, the trail or, in the clear, the store.
func TestPasswordsStayUnseen(t *testing.T) {
	var log bytes.Buffer
	w := testkit.Build(t, filepath.Join(t.TempDir(), "w.db"), &log)
	p := newPerson(t, w, "alice", allowAll)
	testkit.Do(t, w, w.Admin(t), ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: secret(goodPassword)})
	changePassword(w, p.call(t), "an old one", "a new phrase")
	changePassword(w, p.call(t), goodPassword, otherPassword)
	var seen strings.Builder
	seen.WriteString(log.String())
	for _, e := range testkit.Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{}).Items {
		fmt.Fprintf(&seen, "%+v\n", e)
	}
	err := w.Store.View(context.Background(), func(tx *store.Tx) error {
		profile, err := tx.LoginProfile(testkit.Account, p.key.User)
		if err == nil {
			fmt.Fprintf(&seen, "%+v\n", iam.LoginProfile(*profile))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{goodPassword, otherPassword, "an old one", "a new phrase"} {
		if strings.Contains(seen.String(), word) {
			t.Errorf("%q is seen", word)
		}
	}
	if !strings.Contains(seen.String(), "ChangePassword") {
		t.Error("the trail does not tell of the change")
	}
}
