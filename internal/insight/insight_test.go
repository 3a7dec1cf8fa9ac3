package insight

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/iam"
	"warifu/internal/name"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return noon.Add(-time.Duration(days) * 24 * time.Hour) }

// perfect are the facts of an account in which nothing is wrong.
func perfect() *Facts {
	return &Facts{
		Now: noon,
		Rows: []iam.CredentialRow{
			{ID: 1, Root: true, Password: true, PasswordActive: true, MFA: true},
			{ID: 2, Name: "alice", Password: true, PasswordActive: true, PasswordUsed: ago(1), MFA: true},
			{ID: 3, Name: "bob", Password: true, PasswordActive: true, PasswordUsed: ago(1), MFA: true},
			{ID: 4, Name: "robot", Keys: []iam.CredentialKey{{ID: "AKIA1", Active: true, Created: ago(10), Used: ago(1)}}},
		},
		Apps:   map[name.ID]bool{4: true},
		Admins: []Holder{{Kind: "user", ID: 2, Name: "alice"}, {Kind: "user", ID: 3, Name: "bob"}, {Kind: "user", ID: 3, Name: "bob", Policy: "again"}},
		Probes: []Probe{{ProbeSignIn, true}, {ProbeDeny, true}},
		Length: 8,
	}
}

// Each fault of an account shows in one check, whose state, count and fix are those
// that follow, and costs points. Nothing else changes.
func TestJudge(t *testing.T) {
	good := Judge(perfect())
	if good.Score != 100 || good.Users != 3 {
		t.Fatalf("the perfect account: score %d, %d users", good.Score, good.Users)
	}
	signIns := func(n int) []Use {
		return []Use{{Operation: signIn, Action: "signin:ConsoleLogin", Result: "allowed", Changes: true, Times: n, At: ago(2)}}
	}
	for _, c := range []struct {
		what  string
		id    ID
		state State
		count int
		fix   Fix
		spoil func(*Facts)
	}{
		{"root without MFA", RootMFA, Bad, 0, NoFix, func(f *Facts) { f.Rows[0].MFA = false }},
		{"root with a key", RootKeys, Bad, 1, TurnOffKeys, func(f *Facts) { f.Rows[0].Keys = []iam.CredentialKey{{ID: "AKIA0", Active: true}} }},
		{"root with a key that is off", RootKeys, Good, 0, NoFix, func(f *Facts) { f.Rows[0].Keys = []iam.CredentialKey{{ID: "AKIA0"}} }},
		{"root signed in now and then", RootSignIns, Warn, RootOften, NoFix, func(f *Facts) { f.RootUses = signIns(RootOften) }},
		{"root signed in often", RootSignIns, Bad, RootOften + 1, NoFix, func(f *Facts) { f.RootUses = signIns(RootOften + 1) }},
		{"root tried to sign in", RootSignIns, Good, 0, NoFix, func(f *Facts) { f.RootUses = signIns(1); f.RootUses[0].Result = "refused" }},
		{"root changed something", RootOperations, Warn, 2, NoFix, func(f *Facts) {
			f.RootUses = []Use{{Action: "iam:CreateUser", Operation: "CreateUser", Result: "allowed", Changes: true, Times: 2, At: ago(1)}}
		}},
		{"root looked at something", RootOperations, Good, 0, NoFix, func(f *Facts) {
			f.RootUses = []Use{{Action: "iam:GetUser", Operation: "GetUser", Result: "allowed", Times: 2, At: ago(1)}}
		}},
		{"root works every day", RootOperations, Bad, 4, NoFix, func(f *Facts) {
			for d := range 4 {
				f.RootUses = append(f.RootUses, Use{Day: Day(d), Action: "iam:CreateUser", Operation: "CreateUser", Result: "allowed", Changes: true, Times: 1, At: ago(9 - d)})
			}
		}},
		{"a user without MFA", UserMFA, Bad, 1, RequireMFA, func(f *Facts) { f.Rows[1].MFA = false }},
		{"one who must bind next time", UserMFA, Warn, 1, NoFix, func(f *Facts) { f.Rows[1].MFA = false; f.Asked = map[name.ID]bool{2: true} }},
		{"one whose password is off", UserMFA, Good, 0, NoFix, func(f *Facts) { f.Rows[1].MFA = false; f.Rows[1].PasswordActive = false }},
		{"a user with codes by mail", WeakMFA, Warn, 1, NoFix, func(f *Facts) { f.Weak = map[name.ID]bool{2: true} }},
		{"a shared account", SharedAccounts, Warn, 1, NoFix, func(f *Facts) { f.Shared = []Shared{{Principal: 2, Devices: 3}} }},
		{"one that is gone", SharedAccounts, Good, 0, NoFix, func(f *Facts) { f.Shared = []Shared{{Principal: 99, Devices: 3}} }},
		{"an old key", OldKeys, Warn, 1, NoFix, func(f *Facts) { f.Rows[3].Keys[0].Created = ago(91) }},
		{"a key of 90 days", OldKeys, Good, 0, NoFix, func(f *Facts) { f.Rows[3].Keys[0].Created = ago(90) }},
		{"a key that nobody ever used", NeverUsedKeys, Bad, 1, TurnOffKeys, func(f *Facts) {
			f.Rows[3].Keys[0].Used, f.Rows[3].Keys[0].Created = time.Time{}, ago(31)
		}},
		{"a new key", NeverUsedKeys, Good, 0, NoFix, func(f *Facts) { f.Rows[3].Keys[0].Used = time.Time{} }},
		{"a key that nobody uses", IdleKeys, Warn, 1, TurnOffKeys, func(f *Facts) { f.Rows[3].Keys[0].Used = ago(91) }},
		{"console and keys both", BothWays, Warn, 1, NoFix, func(f *Facts) {
			f.Rows[1].Keys = []iam.CredentialKey{{ID: "AKIA2", Active: true, Created: ago(1), Used: ago(1)}}
		}},
		{"a program that can sign in", Applications, Bad, 1, TakePasswords, func(f *Facts) { f.Rows[3].Password, f.Rows[3].Created = true, ago(1) }},
		{"no programs", Applications, None, 0, NoFix, func(f *Facts) { f.Apps = nil }},
		{"a user who stays away", IdleUsers, Warn, 1, TurnOffUsers, func(f *Facts) { f.Rows[1].PasswordUsed = ago(91) }},
		{"everything on everything", Wildcards, Bad, 1, NoFix, func(f *Facts) { f.Wildcards = []Grant{{Policy: "p", Actions: []string{"*"}}} }},
		{"a whole service", Wildcards, Warn, 1, NoFix, func(f *Facts) { f.Wildcards = []Grant{{Policy: "p", Actions: []string{"ec2:*"}}} }},
		{"no administrator", Administrators, Bad, 0, NoFix, func(f *Facts) { f.Admins = nil }},
		{"one administrator", Administrators, Warn, 1, NoFix, func(f *Facts) { f.Admins = f.Admins[:1] }},
		{"six administrators", Administrators, Warn, 6, NoFix, func(f *Facts) {
			for i := range 4 {
				f.Admins = append(f.Admins, Holder{Kind: "role", ID: name.ID(50 + i)})
			}
		}},
		{"a password alone lets in", Enforcement, Bad, 1, RequireOfAll, func(f *Facts) { f.Probes[0].Held = false }},
		{"policy lets through", Enforcement, Bad, 1, NoFix, func(f *Facts) { f.Probes[1].Held = false }},
		{"short passwords", Passwords, Warn, 7, NoFix, func(f *Facts) { f.Length = 7 }},
	} {
		f := perfect()
		c.spoil(f)
		r := Judge(f)
		if len(r.Checks) != len(good.Checks) {
			t.Fatalf("%s: %d checks", c.what, len(r.Checks))
		}
		for i, got := range r.Checks {
			if got.ID == c.id {
				if got.State != c.state || got.Count != c.count || got.Fix != c.fix {
					t.Errorf("%s: %s, %d found, fix %q", c.what, got.State, got.Count, got.Fix)
				}
			} else if got.State != good.Checks[i].State {
				t.Errorf("%s: %s is %s", c.what, got.ID, got.State)
			}
		}
		if lower := r.Score < 100; lower != (c.state == Warn || c.state == Bad) {
			t.Errorf("%s: score %d", c.what, r.Score)
		}
	}
}

// A check lists MaxItems things and counts them all.
func TestManyItems(t *testing.T) {
	f := perfect()
	for i := range 3 * MaxItems {
		f.Rows = append(f.Rows, iam.CredentialRow{ID: name.ID(100 + i), Name: fmt.Sprint("u", i), Password: true, PasswordActive: true, PasswordUsed: ago(1)})
	}
	if c := Judge(f).Find(UserMFA); c.Count != 3*MaxItems || len(c.Items) != MaxItems || c.Of != 3*MaxItems+2 {
		t.Errorf("%d found of %d, %d listed", c.Count, c.Of, len(c.Items))
	}
}

func trace(user name.ID, session, network, device string, from, to int) Presence {
	return Presence{Principal: user, Session: session, Network: network, Device: device,
		Began: noon.Add(time.Duration(from) * time.Minute), Ended: noon.Add(time.Duration(to) * time.Minute), Times: 1}
}

// An account is shared if sessions of three devices on two networks overlap, and not
// because one person has a desk, a telephone, and a new browser after an update.
func TestFindShared(t *testing.T) {
	for _, c := range []struct {
		what   string
		traces []Presence
		shared bool
	}{
		{"three at once", []Presence{trace(1, "a", "n1", "d1", 0, 60), trace(1, "b", "n2", "d2", 10, 40), trace(1, "c", "n1", "d3", 30, 50)}, true},
		{"one after the other", []Presence{trace(1, "a", "n1", "d1", 0, 9), trace(1, "b", "n2", "d2", 10, 19), trace(1, "c", "n1", "d3", 20, 30)}, false},
		{"desk and telephone", []Presence{trace(1, "a", "n1", "d1", 0, 60), trace(1, "b", "n2", "d2", 10, 40)}, false},
		{"three devices in one room", []Presence{trace(1, "a", "n1", "d1", 0, 60), trace(1, "b", "n1", "d2", 10, 40), trace(1, "c", "n1", "d3", 30, 50)}, false},
		{"a browser that was updated, on a train", []Presence{trace(1, "a", "n1", "d1", 0, 60), trace(1, "a", "n2", "d2", 10, 40), trace(1, "a", "n3", "d3", 30, 50)}, false},
		{"three people", []Presence{trace(1, "a", "n1", "d1", 0, 60), trace(2, "b", "n2", "d2", 10, 40), trace(3, "c", "n1", "d3", 30, 50)}, false},
		{"two of three overlap", []Presence{trace(1, "a", "n1", "d1", 0, 20), trace(1, "b", "n2", "d2", 10, 40), trace(1, "c", "n1", "d3", 21, 50)}, false},
	} {
		found := FindShared(c.traces)
		if (len(found) == 1) != c.shared {
			t.Errorf("%s: %+v", c.what, found)
		}
		if c.shared && (found[0].Devices != 3 || found[0].Networks != 2 || !found[0].At.Equal(noon.Add(30*time.Minute)) || len(found[0].Traces) != 3) {
			t.Errorf("%s: %+v", c.what, found[0])
		}
	}
}

// What is found does not depend on the order of the traces.
func TestFindSharedIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var traces []Presence
		for i := range rapid.IntRange(0, 12).Draw(t, "traces") {
			from := rapid.IntRange(0, 50).Draw(t, "from")
			pick := func(what string, n int) string { return fmt.Sprint(what, rapid.IntRange(1, n).Draw(t, what)) }
			traces = append(traces, trace(name.ID(1+i%2), pick("s", 4), pick("n", 3), pick("d", 4), from, from+rapid.IntRange(0, 20).Draw(t, "long")))
		}
		want, _ := json.Marshal(FindShared(slices.Clone(traces)))
		got, _ := json.Marshal(FindShared(rapid.Permutation(traces).Draw(t, "order")))
		if string(got) != string(want) {
			t.Fatalf("%s\n%s", got, want)
		}
	})
}

// Counting in parts is counting at once.
func TestDigest(t *testing.T) {
	r := func(minute int, action, resource string) *Request {
		return &Request{Account: 1, Principal: 2, At: noon.Add(time.Duration(minute) * time.Minute), Event: fmt.Sprint("e", minute), Action: action, Resource: resource, Result: "allowed",
			Source: "192.0.2.7", Session: "s", Device: "Firefox", Also: []Also{{"iam:TagUser", resource}}}
	}
	var d Digest
	d.Add(&Request{Action: "nobody"})
	for i, m := range []int{3, 1, 2} {
		d.Add(r(m, "iam:CreateUser", []string{"a", "a", ""}[i]))
	}
	uses := d.Uses()
	if len(uses) != 4 || uses[0].Resource != "*" || uses[1].Times != 2 || uses[1].Event != "e3" || !uses[1].At.Equal(noon.Add(3*time.Minute)) || uses[3].Action != "iam:TagUser" {
		t.Errorf("uses %+v", uses)
	}
	all := d.Presences()
	if len(all) != 1 || all[0].Network != "192.0.2.0/24" || all[0].Times != 3 || all[0].Ended.Sub(all[0].Began) != 2*time.Minute {
		t.Errorf("presences %+v", all)
	}
	for address, want := range map[string]string{"2001:db8:1:2::3": "2001:db8:1::/48", "::ffff:192.0.2.9": "192.0.2.0/24", "": "", "x": "x"} {
		if got := Network(address); got != want {
			t.Errorf("the network of %q is %q", address, got)
		}
	}
	long := strings.Repeat("é", 400)
	d.Add(r(1, "s3:GetObject", long))
	if i := slices.IndexFunc(d.Uses(), func(u Use) bool { return u.Action == "s3:GetObject" }); len(d.Uses()[i].Resource) > longest || !strings.HasSuffix(d.Uses()[i].Resource, "é*") {
		t.Error("a long resource is kept whole, or cut within a character")
	}
}

func TestWider(t *testing.T) {
	for in, want := range map[string]string{
		"*": "*", "arn:aws:iam::123456789012:user/alice": "arn:aws:iam::123456789012:user/*", "arn:aws:s3:::b/x/y": "arn:aws:s3:::b/x/*",
		"arn:aws:s3:::bucket": "arn:aws:s3:::*", "arn:aws:s3:::b/*": "arn:aws:s3:::*", "arn:aws:sns:eu-1:1:topic": "arn:aws:sns:eu-1:1:*", "text": "*", "a/b": "*",
	} {
		if got := Wider(in); got != want {
			t.Errorf("%s is a part of %s, want %s", in, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	size := func(b []byte) int { return len(b) }
	needs := []Need{
		{AWS: "s3:GetObject", Resource: "arn:aws:s3:::b/$x?", RAM: nil},
		{AWS: "iam:GetUser", RAM: []string{"ram:GetUser"}, Oracle: []string{"USER_INSPECT"}, Resource: "arn:aws:iam::1:user/a", ACS: "acs:ram:*:1:user/a"},
		{AWS: "iam:DeleteUser", RAM: []string{"ram:DeleteUser"}, Oracle: []string{"USER_DELETE", "USER_INSPECT"}, Resource: "arn:aws:iam::1:user/a", ACS: "acs:ram:*:1:user/a"},
		{AWS: "iam:ListUsers", RAM: []string{"ram:ListUsers"}, Oracle: []string{"USER_INSPECT"}, Resource: "*", ACS: "*"},
		{AWS: "iam:ListUsers", RAM: []string{"ram:ListUsers"}, Resource: "arn:aws:iam::1:user/a", ACS: "acs:ram:*:1:user/a"},
	}
	got := InAWS(needs, 6144, size)
	want := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:DeleteUser","iam:GetUser"],"Resource":"arn:aws:iam::1:user/a"},` +
		`{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"},{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${$}x${?}"}]}`
	if flat := flatten(t, got.Document); flat != want || got.Wider || got.Statements != 3 || len(got.Unsayable) != 0 {
		t.Errorf("in AWS's language %s\n%+v", flat, got)
	}
	got = InRAM(needs, 6144, size)
	want = `{"Version":"1","Statement":[{"Effect":"Allow","Action":["ram:DeleteUser","ram:GetUser"],"Resource":"acs:ram:*:1:user/a"},{"Effect":"Allow","Action":"ram:ListUsers","Resource":"*"}]}`
	if flat := flatten(t, got.Document); flat != want || strings.Join(got.Unsayable, " ") != "s3:GetObject" {
		t.Errorf("in RAM's language %s\n%+v", flat, got)
	}
	got = InOracle(needs, "ocid1.user.oc1..a")
	if got.Document != "Allow any-user to {USER_DELETE, USER_INSPECT} in tenancy where request.user.id = 'ocid1.user.oc1..a'\n" || !got.Wider {
		t.Errorf("in Oracle's language %+v", got)
	}
	if got := InOracle(needs, ""); got.Document != "" || len(got.Unsayable) != 4 {
		t.Errorf("a role in Oracle's language: %+v", got)
	}
	if got := InAWS(nil, 6144, size); got.Document != "" {
		t.Errorf("of nothing: %+v", got)
	}
	var many []Need
	for i := range 50 {
		many = append(many, Need{AWS: "s3:GetObject", Resource: fmt.Sprintf("arn:aws:s3:::bucket/%d", i)})
	}
	if got := InAWS(many, 300, size); !got.Wider || !strings.Contains(got.Document, `"arn:aws:s3:::bucket/*"`) {
		t.Errorf("too long: %+v", got)
	}
}

func flatten(t *testing.T, document string) string {
	t.Helper()
	var b strings.Builder
	var parsed struct {
		Version   string
		Statement []struct {
			Effect   string
			Action   json.RawMessage
			Resource json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(document), &parsed); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(parsed)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(out)
	return b.String()
}
