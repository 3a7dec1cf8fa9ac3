package ops_test

import (
	"context"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
	"warifu/policy"
)

// ask makes the smallest call with a session's credentials, from the look-up of
// the key on.
func ask(w *testkit.World, s *ops.NewSession) error {
	c, err := w.Credential(context.Background(), s.AccessKeyID, s.Token)
	if err != nil {
		return err
	}
	_, err = ops.Run(context.Background(), w.Server, ops.Call{Caller: c.Caller}, ops.GetCallerIdentity, struct{}{})
	return err
}

// P-10: a blocked user's role sessions end, also where somebody else's session
// of the same role keeps the role in memory, and where the role was assumed from
// another role.
func TestBlockEndsRoleSessionsOfSharedRoles(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	trust := func(actor string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + actor + `"},"Action":"sts:AssumeRole"}]}`
	}
	role := func(name, trusted string) *ops.Role {
		return testkit.Do(t, w, admin, ops.CreateRole, ops.CreateRoleIn{Name: name, Trust: trust(trusted)})
	}
	may := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`
	first := role("first", "arn:aws:iam::123456789012:root")
	second := role("second", first.ARN())
	testkit.Do(t, w, admin, ops.PutRolePolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "first"}, Policy: "p", Document: may})
	assume := func(c ops.Call, r *ops.Role) *ops.NewSession {
		return testkit.Do(t, w, c, ops.AssumeRole, ops.AssumeRoleIn{RoleARN: r.ARN(), SessionName: "session"})
	}
	sessions := map[string][]*ops.NewSession{}
	for _, name := range []string{"alice", "bob"} {
		testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: name})
		testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: name}, Policy: "p", Document: may})
		key := testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: name}})
		s := assume(w.As(t, key.ID, ""), first)
		sessions[name] = []*ops.NewSession{s, assume(w.As(t, s.AccessKeyID, s.Token), second)}
	}
	check := func(name string, good bool) {
		t.Helper()
		for i, s := range sessions[name] {
			err := ask(w, s)
			if good && err != nil || !good && !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("session %d of %s: %v", i, name, err)
			}
		}
	}
	check("alice", true)
	check("bob", true)
	testkit.Do(t, w, admin, ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "bob"}})
	check("alice", true) // brings both roles into memory as of now
	check("bob", false)
	check("alice", true)
	check("bob", false)
	testkit.Do(t, w, admin, ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "bob"}})
	check("bob", true)
}

// A session of root is root's whether or not root is in memory.
func TestRootSessionStaysRoot(t *testing.T) {
	w := testkit.New(t)
	var root *iam.User
	err := w.Store.View(context.Background(), func(tx *store.Tx) (err error) {
		root, err = tx.RootUser(testkit.Account)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	call := ops.Call{Caller: ops.Caller{Account: testkit.Account, Kind: policy.Root, User: *root}}
	key := testkit.Do(t, w, call, ops.CreateAccessKey, ops.UserIn{})
	s := testkit.Do(t, w, w.As(t, key.ID, ""), ops.GetSessionToken, ops.GetSessionTokenIn{})
	for range 3 {
		c := w.As(t, s.AccessKeyID, s.Token)
		if id := testkit.Do(t, w, c, ops.GetCallerIdentity, struct{}{}); c.Caller.Kind != policy.Root || id.ARN != "arn:aws:iam::123456789012:root" || id.ID != "123456789012" {
			t.Fatalf("kind %d, %+v", c.Caller.Kind, id)
		}
		testkit.Do(t, w, c, ops.LookupEvents, ops.LookupEventsIn{})
	}
}

// C-1, C-4: a role session has no device of its own, and a device that nobody is
// bound to is nobody's: it is neither proof nor are codes counted on it.
func TestUnboundDeviceProvesNothingForRoleSessions(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`
	role := testkit.Do(t, w, admin, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trust})
	testkit.Do(t, w, admin, ops.AttachRolePolicy, ops.AttachIn{Holder: ops.Ref{Name: "r"}, Policy: "arn:aws:iam::aws:policy/AdministratorAccess"})
	s := testkit.Do(t, w, admin, ops.AssumeRole, ops.AssumeRoleIn{RoleARN: role.ARN(), SessionName: "session"})
	device := testkit.Do(t, w, w.As(t, s.AccessKeyID, s.Token), ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "pending"})
	for _, code := range []string{"000000", testkit.Code(t, string(device.SeedText.Reveal()), w.Clock.Now())} {
		err := testkit.Fails(t, w, w.As(t, s.AccessKeyID, s.Token), ops.AssumeRole,
			ops.AssumeRoleIn{RoleARN: role.ARN(), SessionName: "session", Serial: device.Factor.ARN(), Code: code})
		var f *fault.Error
		if !asFault(err, &f) || f.Kind != fault.Denied || f.Noun != "mfa serial" {
			t.Errorf("code %s: %v", code, err)
		}
	}
	err := w.Store.View(context.Background(), func(tx *store.Tx) error {
		f, err := tx.FactorByID(testkit.Account, device.Factor.ID)
		if err == nil && f.Failures != 0 {
			t.Errorf("%d failures were counted", f.Failures)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
