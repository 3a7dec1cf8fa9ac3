package ops_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
	"warifu/policy"
)

func TestAccessKeys(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	p := newPerson(t, w, "alice", allowAll)
	ref := ops.Ref{Name: "alice"}
	if secret := string(p.key.Plain.Reveal()); len(secret) != 40 || !strings.HasPrefix(p.key.ID, "AKIA") || len(p.key.ID) != 20 {
		t.Errorf("key %s with a secret of %d characters", p.key.ID, len(secret))
	}
	if strings.Contains(string(p.key.Secret), string(p.key.Plain.Reveal())) {
		t.Error("the secret is kept in the clear")
	}
	second := testkit.Do(t, w, p.call(t), ops.CreateAccessKey, ops.UserIn{}) // the caller's own
	if second.UserName != "alice" || second.Plain.Equal(p.key.Plain) {
		t.Errorf("a key of %q", second.UserName)
	}
	faultIs(t, testkit.Fails(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref}), fault.Limit, "AccessKeysPerUser")
	list := testkit.Do(t, w, p.call(t), ops.ListAccessKeys, ops.UserListing{Listing: ops.Listing{Limit: 1}})
	rest := testkit.Do(t, w, p.call(t), ops.ListAccessKeys, ops.UserListing{Listing: ops.Listing{Limit: 1, Cursor: string(list.Next)}})
	if list.UserName != "alice" || len(list.Items) != 1 || len(rest.Items) != 1 || rest.More() || list.Items[0].ID >= rest.Items[0].ID {
		t.Errorf("pages %v and %v", list, rest)
	}

	// A key belongs to the user who is named.
	faultIs(t, testkit.Fails(t, w, admin, ops.DeleteAccessKey, ops.KeyIn{User: ref, Key: w.AccessKeyID}), fault.NotFound, "access key")
	faultIs(t, testkit.Fails(t, w, admin, ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{Key: second.ID}, Status: iam.KeyInactive}), fault.NotFound, "access key")
	testkit.Fails(t, w, admin, ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{User: ref, Key: second.ID}, Status: "Expired"})

	// P-10: a key that is switched off is good for nothing at once, also for one
	// who was let in before.
	live := w.As(t, second.ID, "")
	testkit.Do(t, w, admin, ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{User: ref, Key: second.ID}, Status: iam.KeyInactive})
	if err := testkit.Fails(t, w, live, ops.GetUser, ops.UserIn{}); !fault.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
	if _, err := w.Credential(context.Background(), second.ID, ""); !fault.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
	testkit.Do(t, w, admin, ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{User: ref, Key: second.ID}, Status: iam.KeyActive})
	testkit.Do(t, w, w.As(t, second.ID, ""), ops.GetUser, ops.UserIn{})
	testkit.Do(t, w, admin, ops.DeleteAccessKey, ops.KeyIn{User: ref, Key: second.ID})
	faultIs(t, testkit.Fails(t, w, admin, ops.DeleteAccessKey, ops.KeyIn{User: ref, Key: second.ID}), fault.NotFound, "access key")
	if err := testkit.Fails(t, w, live, ops.GetUser, ops.UserIn{}); !fault.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
}

// A session that is no user has no own keys.
func TestKeysOfNobody(t *testing.T) {
	w := testkit.New(t)
	newRole(t, w, "worker", trustHere, allowAll)
	role := mustAssume(t, w, w.Admin(t), ops.AssumeRoleIn{RoleARN: roleARN + "worker"})
	faultIs(t, testkit.Fails(t, w, role, ops.DeleteAccessKey, ops.KeyIn{Key: w.AccessKeyID}), fault.Invalid, "caller is no user")
	faultIs(t, testkit.Fails(t, w, role, ops.CreateAccessKey, ops.UserIn{}), fault.Invalid, "caller is no user")
}

// nobody but root makes root's keys or takes its factors.
func TestRootIsItsOwn(t *testing.T) {
	w := testkit.New(t)
	var root ops.Ref
	err := w.Store.View(context.Background(), func(tx *store.Tx) error {
		u, err := tx.RootUser(testkit.Account)
		if err == nil {
			root.ID = u.ID
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	admin := w.Admin(t)
	faultIs(t, testkit.Fails(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: root}), fault.NotFound, "user")
	testkit.Fails(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: root, Password: secret("correct horse battery")})
	testkit.Fails(t, w, admin, ops.DeactivateMFADevice, ops.DeviceIn{User: root, Serial: "arn:aws:iam::123456789012:mfa/x"})
}

// Root makes its own keys, its sessions live an hour at most, and it assumes no
// role.
func TestRootSessions(t *testing.T) {
	w := testkit.New(t)
	var root iam.User
	err := w.Store.View(context.Background(), func(tx *store.Tx) error {
		u, err := tx.RootUser(testkit.Account)
		if err == nil {
			root = *u
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	console := w.Admin(t)
	console.Caller = ops.Caller{Account: testkit.Account, Kind: policy.Root, User: root}
	k := testkit.Do(t, w, console, ops.CreateAccessKey, ops.UserIn{})
	call := w.As(t, k.ID, "")
	if id := testkit.Do(t, w, call, ops.GetCallerIdentity, struct{}{}); id.ARN != "arn:aws:iam::123456789012:root" || id.ID != "123456789012" {
		t.Errorf("root is %+v", id)
	}
	for _, asked := range []time.Duration{0, 12 * time.Hour} {
		s := testkit.Do(t, w, call, ops.GetSessionToken, ops.GetSessionTokenIn{Duration: asked})
		if life := s.Expires.Sub(w.Clock.Now()); life != time.Hour {
			t.Errorf("a session of root lives %v", life)
		}
		testkit.Do(t, w, w.As(t, s.AccessKeyID, s.Token), ops.GetCallerIdentity, struct{}{})
	}
	newRole(t, w, "worker", trustHere, "")
	if _, err := assume(w, call, ops.AssumeRoleIn{RoleARN: roleARN + "worker"}); !fault.Is(err, fault.Denied) {
		t.Error(err)
	}
	// Nobody else sees or takes root's key.
	faultIs(t, testkit.Fails(t, w, w.Admin(t), ops.DeleteAccessKey, ops.KeyIn{User: ops.Ref{ID: root.ID}, Key: k.ID}), fault.NotFound, "user")
	testkit.Do(t, w, call, ops.DeleteAccessKey, ops.KeyIn{Key: k.ID})
}

// The use of a role's session is the role's use.
func TestRoleLastUsed(t *testing.T) {
	w := testkit.New(t)
	newRole(t, w, "worker", trustHere, "")
	session := mustAssume(t, w, w.Admin(t), ops.AssumeRoleIn{RoleARN: roleARN + "worker"})
	get := func() *ops.Role {
		return testkit.Do(t, w, w.Admin(t), ops.GetRole, ops.RoleIn{Role: ops.Ref{Name: "worker"}})
	}
	if r := get(); !r.LastUsed.IsZero() {
		t.Errorf("an unused role was used at %v", r.LastUsed)
	}
	w.Used(&session.Caller, w.Clock.Now(), "s3", "eu-west-1")
	for _, when := range []string{"before", "after"} {
		if r := get(); !r.LastUsed.Equal(testkit.Epoch) || r.LastRegion != "eu-west-1" {
			t.Errorf("%s the flush: used at %v in %q", when, r.LastUsed, r.LastRegion)
		}
		if err := w.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAccessKeyLastUsed(t *testing.T) {
	w := testkit.New(t)
	p := newPerson(t, w, "alice", forceMFA)
	admin := w.Admin(t)
	get := func() *ops.KeyUse {
		t.Helper()
		return testkit.Do(t, w, admin, ops.GetAccessKeyLastUsed, ops.KeyIn{Key: p.key.ID})
	}
	if u := get(); !u.LastUsed.IsZero() || u.UserName != "alice" {
		t.Errorf("an unused key was used at %v", u.LastUsed)
	}
	call := p.call(t)
	w.Clock.Advance(time.Minute)
	w.Used(&call.Caller, w.Clock.Now(), "sts", "eu-west-1")
	w.Used(&call.Caller, w.Clock.Now().Add(-time.Second), "iam", "us-east-1") // late to arrive
	check := func(when string) {
		t.Helper()
		if u := get(); !u.LastUsed.Equal(testkit.Epoch.Add(time.Minute)) || u.LastService != "sts" || u.LastRegion != "eu-west-1" {
			t.Errorf("%s: used at %v for %s in %s", when, u.LastUsed, u.LastService, u.LastRegion)
		}
	}
	check("before the flush")
	if err := w.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	check("after the flush")

	// A key that went meanwhile is no error.
	w.Used(&call.Caller, w.Clock.Now(), "sts", "eu-west-1")
	testkit.Do(t, w, admin, ops.DeleteAccessKey, ops.KeyIn{User: ops.Ref{Name: "alice"}, Key: p.key.ID})
	if err := w.Flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	faultIs(t, testkit.Fails(t, w, admin, ops.GetAccessKeyLastUsed, ops.KeyIn{Key: p.key.ID}), fault.Denied, "access key")
}
