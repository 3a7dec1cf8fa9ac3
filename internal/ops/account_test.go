package ops_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

func TestAccountAlias(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	addAccount(t, w, 210987654321, trustHere)
	err := w.Store.Update(context.Background(), func(tx *store.Tx) error { return tx.SetAlias(210987654321, "taken") })
	if err != nil {
		t.Fatal(err)
	}
	for alias, good := range map[string]bool{
		"abc": true, "a-b": true, "a1-b2-c3": true, strings.Repeat("a", 63): true, "1234567890123": true,
		"": false, "ab": false, "-ab": false, "ab-": false, "a--b": false, "Abc": false, "a_b": false, "äbc": false,
		strings.Repeat("a", 64): false, "123456789012": false,
	} {
		_, err := ops.Run(context.Background(), w.Server, admin, ops.CreateAccountAlias, ops.AliasIn{Alias: alias})
		if good && err != nil || !good && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", alias, err)
		}
	}
	faultIs(t, testkit.Fails(t, w, admin, ops.CreateAccountAlias, ops.AliasIn{Alias: "taken"}), fault.Exists, "account alias")
	testkit.Do(t, w, admin, ops.CreateAccountAlias, ops.AliasIn{Alias: "first"})
	testkit.Do(t, w, admin, ops.CreateAccountAlias, ops.AliasIn{Alias: "second"})
	if got := testkit.Do(t, w, admin, ops.ListAccountAliases, struct{}{}); got != "second" {
		t.Errorf("the alias is %q", got)
	}
	faultIs(t, testkit.Fails(t, w, admin, ops.DeleteAccountAlias, ops.AliasIn{Alias: "first"}), fault.NotFound, "account alias")
	testkit.Do(t, w, admin, ops.DeleteAccountAlias, ops.AliasIn{Alias: "second"})
	if got := testkit.Do(t, w, admin, ops.ListAccountAliases, struct{}{}); got != "" {
		t.Errorf("the alias is %q", got)
	}
}

func TestAccountSummary(t *testing.T) {
	w := testkit.New(t)
	p := newPerson(t, w, "alice", forceMFA)
	p.enrol(t)
	p.create(t, "second")
	got := testkit.Do(t, w, w.Admin(t), ops.GetAccountSummary, struct{}{})
	if got.Users != 2 || got.Factors != 2 || got.FactorsInUse != 1 || got.RootKeys != 0 || got.RootPassword || got.Limits != ops.DefaultLimits {
		t.Errorf("summary %+v", got)
	}
}

// the first start makes one account, once; root has no credentials, and the
// administrator's key is not root's.
func TestBootstrap(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		ctx := context.Background()
		if ok, err := w.Bootstrapped(ctx); !ok || err != nil {
			t.Fatal(ok, err)
		}
		_, err := w.Bootstrap(ctx, ops.BootstrapIn{Account: 210987654321})
		faultIs(t, err, fault.Exists, "account")
		for _, in := range []ops.BootstrapIn{{Admin: "a b"}, {Alias: "-"}} {
			if _, err := w.Bootstrap(ctx, in); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", in, err)
			}
		}
		admin := testkit.Do(t, w, w.Admin(t), ops.GetCallerIdentity, struct{}{})
		if admin.ARN != "arn:aws:iam::123456789012:user/admin" {
			t.Errorf("the key is %s's", admin.ARN)
		}
		testkit.Do(t, w, w.Admin(t), ops.ListUsers, ops.Listing{})
		sum := testkit.Do(t, w, w.Admin(t), ops.GetAccountSummary, struct{}{})
		if sum.Users != 1 || sum.RootKeys+sum.RootFactors != 0 || sum.RootPassword {
			t.Errorf("the account holds %+v", sum)
		}
		events := testkit.Do(t, w, w.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: "Bootstrap"}}).Items
		if len(events) != 1 || events[0].Actor.Kind != "system" || events[0].Result != audit.Allowed {
			t.Errorf("the trail has %+v", events)
		}
	})
}

// A set-up token serves once and for a day, and a newer one ends it.
func TestSetup(t *testing.T) {
	w := testkit.New(t)
	ctx := context.Background()
	old, err := w.NewSetupToken(ctx, testkit.Account, "admin")
	if err != nil {
		t.Fatal(err)
	}
	token, err := w.NewSetupToken(ctx, testkit.Account, "admin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.NewSetupToken(ctx, testkit.Account, "nobody"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	call := ops.Call{Source: ops.Source{Door: "console"}, RequestID: "r1"}
	good := secret(goodPassword)
	if err := w.CompleteSetup(ctx, call, old, good); !fault.Is(err, fault.NotFound) {
		t.Errorf("an old token: %v", err)
	}
	if err := w.CompleteSetup(ctx, call, secret("x"), good); !fault.Is(err, fault.NotFound) {
		t.Errorf("no token: %v", err)
	}
	if err := w.CompleteSetup(ctx, call, token, secret("weak")); !fault.Is(err, fault.WeakPassword) {
		t.Errorf("a weak password: %v", err)
	}
	if u, err := w.SetupUser(ctx, token); err != nil || u.Name != "admin" {
		t.Errorf("%v, %v", u, err)
	}
	if err := w.CompleteSetup(ctx, call, token, good); err != nil {
		t.Fatal(err)
	}
	if err := w.CompleteSetup(ctx, call, token, good); !fault.Is(err, fault.NotFound) {
		t.Errorf("a token that was used: %v", err)
	}
	testkit.Do(t, w, w.Admin(t), ops.GetLoginProfile, ops.UserIn{})
	token, err = w.NewSetupToken(ctx, testkit.Account, "admin")
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(ops.SetupLife)
	if _, err := w.SetupUser(ctx, token); !fault.Is(err, fault.NotFound) {
		t.Errorf("a token that has run out: %v", err)
	}
}

func TestLookupEvents(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	for range 60 {
		w.Clock.Advance(time.Second)
		testkit.Do(t, w, admin, ops.GetUser, ops.UserIn{})
	}
	w.Clock.Advance(time.Second)
	p := newPerson(t, w, "alice", "")
	testkit.Fails(t, w, p.call(t), ops.ListUsers, ops.Listing{})

	var ids = map[string]bool{}
	in := ops.LookupEventsIn{Query: audit.Query{Operation: "GetUser", Account: 210987654321}}
	pages := 0
	for last := w.Clock.Now(); ; pages++ {
		page := testkit.Do(t, w, admin, ops.LookupEvents, in)
		for _, e := range page.Items {
			if e.At.After(last) || e.Operation != "GetUser" || e.Account != testkit.Account {
				t.Fatalf("%v after %v", e, last)
			}
			last, ids[e.ID] = e.At, true
		}
		if in.Cursor = string(page.Next); in.Cursor == "" {
			break
		}
	}
	if len(ids) != 60 || pages != 1 {
		t.Errorf("%d events on %d pages", len(ids), pages+1)
	}
	find := func(q audit.Query) int {
		return len(testkit.Do(t, w, admin, ops.LookupEvents, ops.LookupEventsIn{Query: q}).Items)
	}
	yes := true
	for what, c := range map[string]struct {
		q    audit.Query
		want int
	}{
		"user":    {audit.Query{Actor: "alice"}, 1},
		"key":     {audit.Query{AccessKey: p.key.ID}, 1},
		"target":  {audit.Query{TargetName: "alice", Operation: "CreateUser"}, 1},
		"range":   {audit.Query{Operation: "GetUser", From: testkit.Epoch.Add(10 * time.Second), To: testkit.Epoch.Add(12 * time.Second)}, 2},
		"reading": {audit.Query{Actor: "alice", ReadOnly: &yes}, 1},
	} {
		if got := find(c.q); got != c.want {
			t.Errorf("by %s: %d events, want %d", what, got, c.want)
		}
	}
	for _, in := range []ops.LookupEventsIn{
		{Listing: ops.Listing{Limit: 51}}, {Listing: ops.Listing{Cursor: "x"}},
		{Query: audit.Query{From: testkit.Epoch, To: testkit.Epoch.Add(-1)}},
	} {
		if err := testkit.Fails(t, w, admin, ops.LookupEvents, in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", in, err)
		}
	}
	if _, ok := ops.AsDenial(testkit.Fails(t, w, p.call(t), ops.LookupEvents, ops.LookupEventsIn{})); !ok {
		t.Error("anybody reads the trail")
	}
}
