package ops_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/insight"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// checked is one check of the account as it stands.
func checked(t *testing.T, w *testkit.World, id insight.ID) *insight.Check {
	t.Helper()
	c := testkit.Do(t, w, w.Admin(t), ops.GetInsight, struct{}{}).Find(id)
	if c == nil {
		t.Fatalf("there is no check %s", id)
	}
	return c
}

func names(items []insight.Item) string {
	var all []string
	for _, it := range items {
		all = append(all, it.Name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// The facts come from the directory and the trail as they are, on both databases.
func TestInsight(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		for _, u := range []string{"alice", "bob", "robot"} {
			testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: u})
			testkit.Do(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref(u), Password: secret("correct horse battery 7!"), MFARequired: u == "bob"})
		}
		testkit.Do(t, w, admin, ops.TagUser, ops.TagIn{Ref: ref("robot"), Tags: []iam.Tag{{Key: "JobFunction", Value: "application"}}})
		testkit.Do(t, w, admin, ops.CreateGroup, ops.CreateGroupIn{Name: "ops"})
		testkit.Do(t, w, admin, ops.AddUserToGroup, ops.MemberIn{Group: ref("ops"), User: ref("alice")})
		testkit.Do(t, w, admin, ops.PutGroupPolicy, ops.PutInlineIn{Holder: ref("ops"), Policy: "all", Document: statement("Allow", "*", "*")})
		wide := testkit.Do(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: "wide", Document: statement("Allow", "ec2:*", "*")}).ARN()
		testkit.Do(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: "lonely", Document: statement("Allow", "*", "*")})
		for i, doc := range []string{statement("Deny", "s3:*", "*"), statement("Allow", "s3:*", "arn:aws:s3:::b/*"), statement("Allow", "s3:Get*", "*"),
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}`} {
			p := testkit.Do(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: fmt.Sprint("fine", i), Document: doc}).ARN()
			testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("bob"), Policy: p})
		}
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("bob"), Policy: wide})

		c := checked(t, w, insight.UserMFA)
		if c.State != insight.Bad || c.Count != 3 || c.Of != 3 || names(c.Items) != "alice bob robot" || !c.Items[slices.IndexFunc(c.Items, func(i insight.Item) bool { return i.Name == "bob" })].Asked {
			t.Errorf("users without MFA: %+v", c)
		}
		if c := checked(t, w, insight.Applications); c.State != insight.Bad || names(c.Items) != "robot" {
			t.Errorf("applications: %+v", c)
		}
		if c := checked(t, w, insight.Wildcards); c.State != insight.Bad || names(c.Items) != "all wide" || c.Items[0].Times != 1 || c.Items[1].Times != 1 {
			t.Errorf("wildcards: %+v", c)
		}
		if c := checked(t, w, insight.Administrators); c.State != insight.Good || names(c.Items) != "admin alice" {
			t.Errorf("administrators: %+v", c)
		}
		if c := checked(t, w, insight.Enforcement); c.State != insight.Bad || c.Fix != insight.RequireOfAll || c.Count != 1 {
			t.Errorf("the self-test: %+v", c)
		}
		p := testkit.Do(t, w, admin, ops.GetSecurityPreferences, struct{}{})
		p.MFAForLogin = iam.MFAMandatory
		testkit.Do(t, w, admin, ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: p, Confirmed: true})
		if c := checked(t, w, insight.Enforcement); c.State != insight.Good || c.Count != 0 || len(c.Items) != 5 {
			t.Errorf("the self-test where MFA is required: %+v", c)
		}

		root := testkit.Do(t, w, rootCall(t, w), ops.CreateUser, ops.CreateUserIn{Name: "made-by-root"})
		if c := checked(t, w, insight.RootOperations); c.State != insight.Warn || c.Count != 1 || c.Of != 1 || c.Items[0].Name != "iam:CreateUser" || c.Items[0].Event == "" {
			t.Errorf("operations of root: %+v, after %+v", c, root)
		}
		w.Clock.Advance(91 * 24 * time.Hour)
		if c := checked(t, w, insight.RootOperations); c.State != insight.Good {
			t.Errorf("operations of root of long ago: %+v", c)
		}
		if c := checked(t, w, insight.OldKeys); c.Count != 1 || names(c.Items) != "admin" {
			t.Errorf("old keys: %+v", c)
		}
	})
}

// rootCall is a call of the root user.
func rootCall(t *testing.T, w *testkit.World) ops.Call {
	t.Helper()
	c, err := w.HostCall(context.Background(), testkit.Account)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The score of a day is kept once, by the worker or by whoever asks; the trend has
// today's as it is now.
func TestInsightTrend(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		ctx := context.Background()
		if err := w.DigestTrail(ctx); err != nil {
			t.Fatal(err)
		}
		before := testkit.Do(t, w, w.Admin(t), ops.GetInsight, struct{}{})
		w.Clock.Advance(24 * time.Hour)
		testkit.Do(t, w, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: "alice"})
		testkit.Do(t, w, w.Admin(t), ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref("alice"), Password: secret("correct horse battery 7!")})
		now := testkit.Do(t, w, w.Admin(t), ops.GetInsight, struct{}{})
		if len(now.Trend) != 2 || now.Trend[0].Score != before.Score || now.Trend[1].Score != now.Score || now.Score >= before.Score ||
			now.Trend[0].States[insight.UserMFA] != insight.None || now.Trend[1].States[insight.UserMFA] != insight.Bad {
			t.Errorf("from %d to %d: %+v", before.Score, now.Score, now.Trend)
		}
		testkit.Do(t, w, w.Admin(t), ops.RenewInsight, ops.RenewInsightIn{})
		w.Clock.Advance(24 * time.Hour)
		if got := testkit.Do(t, w, w.Admin(t), ops.GetInsight, struct{}{}).Trend; len(got) != 3 || got[1].Score != now.Score {
			t.Errorf("the trend is %+v", got)
		}
		nobody := newPerson(t, w, "eve", "")
		if _, ok := ops.AsDenial(testkit.Fails(t, w, nobody.call(t), ops.GetInsight, struct{}{})); !ok {
			t.Error("anybody may look")
		}
	})
}

// at is one event of a console session, as the trail has it.
func at(user *iam.User, session, source, agent string, when time.Time) audit.Event {
	return audit.Event{ID: session + when.Format("150405"), Account: user.Account, At: when, Operation: "ListUsers", Action: "iam:ListUsers", Door: "console", Service: "iam", ReadOnly: true,
		Actor: audit.Actor{Kind: "user", ID: user.ID, Name: user.Name, Session: session}, Source: source, UserAgent: agent, Result: audit.Allowed, Why: "policy p v1 1:1"}
}

// An account that several people use shows by its sessions, on both databases.
func TestSharedAccount(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		now := w.Now()
		record := func(u *iam.User, sources ...string) {
			var all []audit.Event
			for i, s := range sources {
				for m := range 3 {
					all = append(all, at(u, fmt.Sprint(u.Name, i), s, fmt.Sprint("Browser ", i), now.Add(time.Duration(m*10-30)*time.Minute)))
				}
			}
			if err := w.Store.Update(context.Background(), func(tx *store.Tx) error { return tx.AppendEvents(all...) }); err != nil {
				t.Fatal(err)
			}
		}
		team := testkit.Do(t, w, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: "team"})
		one := testkit.Do(t, w, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: "one"})
		record(&team.User, "192.0.2.1", "198.51.100.7", "203.0.113.9")
		record(&one.User, "192.0.2.1", "198.51.100.7")
		c := checked(t, w, insight.SharedAccounts)
		if c.State != insight.Warn || names(c.Items) != "team" || len(c.Items[0].Traces) != 3 || c.Items[0].Traces[1].Source != "198.51.100.7" {
			t.Errorf("%+v", c)
		}
		w.Clock.Advance(31 * 24 * time.Hour)
		if c := checked(t, w, insight.SharedAccounts); c.State != insight.Good {
			t.Errorf("a month later: %+v", c)
		}
	})
}

// The policy that is written allows what was done, in each language, and refuses the
// rest; what was never used is named.
func TestLeastPrivilege(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "dev"})
		key := testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ref("dev")})
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("dev"), Policy: "arn:aws:iam::aws:policy/IAMFullAccess"})
		unused := testkit.Do(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: "unused", Document: statement("Allow", "s3:GetObject", "*")}).ARN()
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("dev"), Policy: unused})
		dev := w.As(t, key.ID, "")
		testkit.Do(t, w, dev, ops.CreateUser, ops.CreateUserIn{Name: "made", Tags: []iam.Tag{{Key: "a", Value: "b"}}}) // needs iam:TagUser, too
		for range 3 {
			testkit.Do(t, w, dev, ops.GetUser, ops.UserIn{User: ref("made")})
		}
		testkit.Fails(t, w, dev, ops.GetUser, ops.UserIn{User: ref("nobody")})
		testkit.Fails(t, w, dev, ops.LookupEvents, ops.LookupEventsIn{})

		ask := func(in ops.LeastPrivilegeIn) *ops.LeastPrivilege {
			t.Helper()
			in.Who = ref("dev")
			return testkit.Do(t, w, w.Admin(t), ops.GetLeastPrivilege, in)
		}
		l := ask(ops.LeastPrivilegeIn{})
		var used []string
		for _, u := range l.Used {
			used = append(used, fmt.Sprintf("%s %s %d", u.Action, strings.TrimPrefix(u.Resource, ownPrefix), u.Times))
		}
		if got := strings.Join(used, "|"); got != "iam:CreateUser user/made 1|iam:GetUser user/made 3|iam:TagUser user/made 1" {
			t.Errorf("used: %s", got)
		}
		if l.Language != iam.LanguageAWS || !strings.Contains(l.Text.Document, `"iam:TagUser"`) || l.Text.Wider || l.Trial.Times != 0 || l.Trial.Judged != 5 {
			t.Errorf("the text %+v\nthe trial %+v", l.Text, l.Trial)
		}
		for _, p := range l.Policies {
			if (p.Times == 0) != (p.Name == "unused") || p.Name != "unused" && p.Times != 5 {
				t.Errorf("%s allows %d", p.Name, p.Times)
			}
		}
		for _, s := range l.Services {
			if s.Prefix == "iam" && (s.Used != 3 || s.Granted < 100 || slices.Contains(s.Never, "iam:GetUser") || s.Last.IsZero()) || s.Prefix == "s3" && (s.Used != 0 || s.Granted != 1 || s.Never[0] != "s3:GetObject") {
				t.Errorf("service %+v", s)
			}
		}

		// It is enough: with it in the place of the others the same works, and nothing else.
		less := testkit.Do(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: "less", Document: l.Text.Document}).ARN()
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("dev"), Policy: less})
		for _, p := range []string{unused, "arn:aws:iam::aws:policy/IAMFullAccess"} {
			testkit.Do(t, w, admin, ops.DetachUserPolicy, ops.AttachIn{Holder: ref("dev"), Policy: p})
		}
		testkit.Do(t, w, admin, ops.DeleteUser, ops.UserIn{User: ref("made")})
		dev = w.As(t, key.ID, "")
		testkit.Do(t, w, dev, ops.CreateUser, ops.CreateUserIn{Name: "made", Tags: []iam.Tag{{Key: "a", Value: "b"}}})
		testkit.Do(t, w, dev, ops.GetUser, ops.UserIn{User: ref("made")})
		if _, ok := ops.AsDenial(testkit.Fails(t, w, dev, ops.ListGroups, ops.Listing{})); !ok {
			t.Error("the policy gives more than was used")
		}

		// What another text would have refused.
		l = ask(ops.LeastPrivilegeIn{Text: statement("Allow", "iam:*User", ownPrefix+"user/made")})
		if l.Trial.Times != 0 || l.Trial.Judged == 0 {
			t.Errorf("a wider text: %+v", l.Trial)
		}
		l = ask(ops.LeastPrivilegeIn{Text: statement("Allow", "iam:GetUser", "*")})
		if len(l.Trial.Refused) != 2 || l.Trial.Refused[0].Action != "iam:CreateUser" || l.Trial.Refused[0].Event == "" {
			t.Errorf("a narrower text: %+v", l.Trial)
		}
		l = ask(ops.LeastPrivilegeIn{Text: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}}`})
		if l.Trial.Times != l.Trial.Judged || l.Trial.Times == 0 {
			t.Errorf("a text that asks keys for MFA: %+v", l.Trial)
		}
		l = ask(ops.LeastPrivilegeIn{Text: `{"Version":"2012-10-17"`})
		if l.Trial.Fault == nil || l.Trial.Judged != 0 {
			t.Errorf("no text: %+v", l.Trial)
		}
		for language, want := range map[iam.Language]string{iam.LanguageRAM: `"acs:ram::` + testkit.Account.UID() + `:user/made"`, ops.LanguageOracle: "Allow any-user to {"} {
			if l := ask(ops.LeastPrivilegeIn{Language: language}); !strings.Contains(l.Text.Document, want) || l.Trial.Times != 0 || l.Trial.Judged == 0 {
				t.Errorf("in %s: %+v, %+v", language, l.Text, l.Trial)
			}
		}
		for _, in := range []ops.LeastPrivilegeIn{{Who: ref("dev"), Days: 91}, {Who: ref("dev"), Language: "klingon"}} {
			if err := testkit.Fails(t, w, w.Admin(t), ops.GetLeastPrivilege, in); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", in, err)
			}
		}
		if err := testkit.Fails(t, w, w.Admin(t), ops.GetLeastPrivilege, ops.LeastPrivilegeIn{Who: ref("nobody")}); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		w.Clock.Advance(8 * 24 * time.Hour)
		if l := ask(ops.LeastPrivilegeIn{Days: 7}); len(l.Used) != 0 || l.Text.Document != "" || l.Trial.Judged != 0 {
			t.Errorf("a week later: %+v", l.Used)
		}
	})
}

// Many resources of one day are told by what they are a part of, and nothing is
// counted twice however often the trail is read.
func TestManyUses(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		ctx := context.Background()
		u := testkit.Do(t, w, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: "robot"})
		for round := range 3 {
			var all []audit.Event
			for i := range 60 {
				e := at(&u.User, "", "192.0.2.1", "", w.Now())
				e.ID, e.Door, e.Action, e.Operation = fmt.Sprintf("e%d-%d", round, i), "gateway", "s3:GetObject", "GetObject"
				e.Target.ARN = fmt.Sprintf("arn:aws:s3:::bucket/%d/%d", round, i)
				all = append(all, e)
			}
			if err := w.Store.Update(ctx, func(tx *store.Tx) error { return tx.AppendEvents(all...) }); err != nil {
				t.Fatal(err)
			}
			if _, err := w.SealTrail(ctx); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := w.DigestTrail(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		err := w.Store.View(ctx, func(tx *store.Tx) error {
			uses, err := tx.Uses(testkit.Account, u.ID, insight.DayOf(w.Now()))
			times, wider := 0, 0
			for _, u := range uses {
				times += u.Times
				if strings.HasSuffix(u.Resource, "/*") {
					wider++
				}
			}
			if times != 180 || len(uses) > 70 || wider != 2 {
				t.Errorf("%d requests in %d rows, %d of them wider", times, len(uses), wider)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(101 * 24 * time.Hour)
		if err := w.DigestTrail(ctx); err != nil {
			t.Fatal(err)
		}
		err = w.Store.View(ctx, func(tx *store.Tx) error {
			uses, err := tx.Uses(testkit.Account, u.ID, 0)
			if len(uses) != 0 {
				t.Errorf("%d uses are kept for ever", len(uses))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// The report of an account of many users is kept for some minutes and says so; asking
// for a new one makes one.
func TestInsightOfManyUsers(t *testing.T) {
	w := testkit.New(t)
	ctx := context.Background()
	err := w.Store.Update(ctx, func(tx *store.Tx) error {
		for i := range 2001 {
			id, err := name.NewID(w.Rand)
			if err != nil {
				return err
			}
			if err := tx.InsertUser(&iam.User{ID: id, Account: testkit.Account, Name: fmt.Sprint("u", i), Path: "/", Created: w.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func() *ops.Insight { return testkit.Do(t, w, w.Admin(t), ops.GetInsight, struct{}{}) }
	first := get()
	w.Clock.Advance(4 * time.Minute)
	if again := get(); first.Kept || !again.Kept || !again.At.Equal(first.At) || again.Users != 2002 {
		t.Errorf("kept %t of %s, %d users", again.Kept, again.At, again.Users)
	}
	if r := testkit.Do(t, w, w.Admin(t), ops.RenewInsight, ops.RenewInsightIn{}); r.Kept || !r.At.Equal(w.Now()) {
		t.Error("no new report")
	}
	w.Clock.Advance(6 * time.Minute)
	if get().Kept {
		t.Error("a report is kept for ever")
	}
}
