package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/sts"
	"warifu/internal/testkit"
	"warifu/policy"
)

const (
	allowAll  = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`
	allowGet  = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}}`
	roleARN   = "arn:aws:iam::123456789012:role/"
	trustHere = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}}`
)

// newRole makes a role with an inline policy.
func newRole(t testing.TB, w *testkit.World, role, trust, policy string) {
	t.Helper()
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateRole, ops.CreateRoleIn{Name: role, Trust: trust})
	if policy != "" {
		testkit.Do(t, w, admin, ops.PutRolePolicy, ops.PutInlineIn{Holder: ops.Ref{Name: role}, Policy: "own", Document: policy})
	}
}

func assume(w *testkit.World, call ops.Call, in ops.AssumeRoleIn) (*ops.NewSession, error) {
	if in.SessionName == "" {
		in.SessionName = "session1"
	}
	return ops.Run(context.Background(), w.Server, call, ops.AssumeRole, in)
}

// mustAssume assumes a role and returns a call of its session.
func mustAssume(t testing.TB, w *testkit.World, call ops.Call, in ops.AssumeRoleIn) ops.Call {
	t.Helper()
	s, err := assume(w, call, in)
	if err != nil {
		t.Fatal(err)
	}
	return w.As(t, s.AccessKeyID, s.Token)
}

func TestIdentities(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	newRole(t, w, "worker", trustHere, "")
	role := testkit.Do(t, w, admin, ops.GetRole, ops.RoleIn{Role: ops.Ref{Name: "worker"}})
	as := mustAssume(t, w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "worker"})
	f := testkit.Do(t, w, admin, ops.GetFederationToken, ops.GetFederationTokenIn{Name: "Bob"})
	s := testkit.Do(t, w, admin, ops.GetSessionToken, ops.GetSessionTokenIn{})
	adminID := admin.Caller.User.ID.Unique(name.PrefixUser)
	for _, c := range []struct {
		call    ops.Call
		arn, id string
	}{
		{admin, "arn:aws:iam::123456789012:user/admin", adminID},
		{w.As(t, s.AccessKeyID, s.Token), "arn:aws:iam::123456789012:user/admin", adminID},
		{as, "arn:aws:sts::123456789012:assumed-role/worker/session1", role.ID.Unique(name.PrefixRole) + ":session1"},
		{w.As(t, f.AccessKeyID, f.Token), "arn:aws:sts::123456789012:federated-user/Bob", "123456789012:Bob"},
	} {
		got := testkit.Do(t, w, c.call, ops.GetCallerIdentity, struct{}{})
		if got.ARN != c.arn || got.ID != c.id || got.Account != testkit.Account {
			t.Errorf("%+v, want %s %s", got, c.arn, c.id)
		}
	}
	if f.ARN != "arn:aws:sts::123456789012:federated-user/Bob" || f.ID != "123456789012:Bob" {
		t.Errorf("federated user is %s %s", f.ARN, f.ID)
	}

	// A deny on it has no effect.
	p := newPerson(t, w, "mute", `{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}`)
	testkit.Do(t, w, p.call(t), ops.GetCallerIdentity, struct{}{})
	if _, ok := ops.AsDenial(testkit.Fails(t, w, p.call(t), ops.GetSessionToken, ops.GetSessionTokenIn{})); !ok {
		t.Error("a deny on GetSessionToken has no effect")
	}
}

func TestDurations(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	newRole(t, w, "first", trustHere, allowAll)
	newRole(t, w, "second", trustHere, allowAll)
	testkit.Do(t, w, admin, ops.UpdateRole, ops.UpdateRoleIn{Role: ops.Ref{Name: "second"}, MaxSession: 4 * time.Hour})

	life := func(s *ops.NewSession) time.Duration { return s.Expires.Sub(testkit.Epoch) }
	if got := life(testkit.Do(t, w, admin, ops.GetSessionToken, ops.GetSessionTokenIn{})); got != 12*time.Hour {
		t.Errorf("default of GetSessionToken is %v", got)
	}
	if err := testkit.Fails(t, w, admin, ops.GetSessionToken, ops.GetSessionTokenIn{Duration: time.Minute}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	in := ops.AssumeRoleIn{RoleARN: roleARN + "first", Duration: 2 * time.Hour}
	if _, err := assume(w, admin, in); !errors.Is(err, sts.ErrBeyondRole) {
		t.Error(err)
	}
	in.RoleARN = roleARN + "second"
	if s, err := assume(w, admin, in); err != nil || life(s) != 2*time.Hour {
		t.Error(err)
	}
	chain := mustAssume(t, w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "first"})
	if _, err := assume(w, chain, in); !errors.Is(err, sts.ErrBeyondChained) {
		t.Error(err)
	}
	in.Duration = 0
	if s, err := assume(w, chain, in); err != nil || life(s) != time.Hour {
		t.Error(err)
	}
}

// A session ends when its time is over, when its user or role is gone, also when
// another takes the name (P-10, P-12), and when the token is not its key's (S-6).
func TestSessionEnds(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	newRole(t, w, "worker", trustHere, allowGet)
	s, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "worker"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "worker"})
	if err != nil {
		t.Fatal(err)
	}
	live := w.As(t, s.AccessKeyID, s.Token)
	get := ops.UserIn{User: ops.Ref{Name: "admin"}}
	testkit.Do(t, w, live, ops.GetUser, get)
	ctx := context.Background()
	for what, c := range map[string][2]string{
		"another's token": {s.AccessKeyID, other.Token},
		"a cut token":     {s.AccessKeyID, s.Token[:len(s.Token)-1]},
		"a longer token":  {s.AccessKeyID, s.Token + "A"},
		"no token":        {s.AccessKeyID, ""},
		"an alien token":  {w.AccessKeyID, s.Token},
	} {
		if _, err := w.Credential(ctx, c[0], c[1]); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", what, err)
		}
	}

	testkit.Do(t, w, admin, ops.DeleteRolePolicy, ops.InlineIn{Holder: ops.Ref{Name: "worker"}, Policy: "own"})
	if _, ok := ops.AsDenial(testkit.Fails(t, w, live, ops.GetUser, get)); !ok {
		t.Error("a live session does not see the role's policies of now")
	}
	testkit.Do(t, w, admin, ops.DeleteRole, ops.RoleIn{Role: ops.Ref{Name: "worker"}})
	newRole(t, w, "worker", trustHere, allowGet)
	if err := testkit.Fails(t, w, live, ops.GetUser, get); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("the session outlives its role: %v", err)
	}
	w.Clock.Advance(time.Hour)
	if _, err := w.Credential(ctx, other.AccessKeyID, other.Token); !fault.Is(err, fault.Expired) {
		t.Errorf("the session outlives its time: %v", err)
	}
}

func TestAssumeRoleTrust(t *testing.T) {
	w := testkit.New(t)
	p := newPerson(t, w, "alice", forceMFA) // no identity policy allows sts:AssumeRole
	root := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "%s"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "secret/1:x"}}}}`
	newRole(t, w, "byname", fmt.Sprintf(root, "arn:aws:iam::123456789012:user/alice"), "")
	newRole(t, w, "byaccount", fmt.Sprintf(root, "123456789012"), "")

	refused := func(in ops.AssumeRoleIn) string {
		t.Helper()
		_, err := assume(w, p.call(t), in)
		d, ok := ops.AsDenial(err)
		if !ok {
			t.Fatalf("%s: %v", in.RoleARN, err)
		}
		return fmt.Sprint(d.Caller, d.Action, d.Decision.Outcome, d.Decision.Layer)
	}
	// One who may not assume a role cannot tell whether it exists.
	none := refused(ops.AssumeRoleIn{RoleARN: roleARN + "nothing"})
	if got := refused(ops.AssumeRoleIn{RoleARN: roleARN + "byaccount", ExternalID: "wrong"}); got != none {
		t.Errorf("a role that exists: %s; one that does not: %s", got, none)
	}
	refused(ops.AssumeRoleIn{RoleARN: roleARN + "path/byname", ExternalID: "secret/1:x"})
	refused(ops.AssumeRoleIn{RoleARN: "arn:aws:iam::210987654321:role/byname", ExternalID: "secret/1:x"})
	refused(ops.AssumeRoleIn{RoleARN: roleARN + "byname"})

	// The account delegates to its identity policies, a named user needs none.
	// Under Force_MFA the deny is the user's own.
	free := newPerson(t, w, "bob", "")
	if _, err := assume(w, free.call(t), ops.AssumeRoleIn{RoleARN: roleARN + "byaccount", ExternalID: "secret/1:x"}); err == nil {
		t.Error("the account's trust alone lets a user in")
	}
	newRole(t, w, "forbob", fmt.Sprintf(root, "arn:aws:iam::123456789012:user/bob"), "")
	mustAssume(t, w, free.call(t), ops.AssumeRoleIn{RoleARN: roleARN + "forbob", ExternalID: "secret/1:x"})

	for _, in := range []ops.AssumeRoleIn{
		{RoleARN: "nothing-valid-in-here"}, {RoleARN: "arn::b:::something/test-role"}, {RoleARN: "arn:a::::something/x"},
		{RoleARN: "arn:a:a::aaaaaaaaaa:"}, {RoleARN: "arn:a:::something/test-role"},
	} {
		_, err := assume(w, free.call(t), in)
		faultIs(t, err, fault.Invalid, "arn")
	}
	for _, in := range []ops.AssumeRoleIn{
		{SessionName: "x"}, {SessionName: "Session1:2"}, {SessionName: strings.Repeat("s", 65)}, {ExternalID: "?"}, {ExternalID: "a b"}, {SourceIdentity: "a"},
	} {
		in.RoleARN = roleARN + "forbob"
		if _, err := assume(w, free.call(t), in); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

// The trust policy sees the factor that the call proves, or that the caller's
// session has; the role's session has none, as AWS has it.
func TestAssumeRoleWithMFA(t *testing.T) {
	w := testkit.New(t)
	p := newPerson(t, w, "alice", allowAll)
	p.enrol(t)
	newRole(t, w, "guarded", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole",
		"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}}}`, allowAll)
	in := ops.AssumeRoleIn{RoleARN: roleARN + "guarded"}
	if _, err := assume(w, p.call(t), in); err == nil {
		t.Error("the key alone assumes a guarded role")
	}
	with := in
	with.Serial, with.Code = p.serial, "000000"
	_, err := assume(w, p.call(t), with)
	faultIs(t, err, fault.Denied, "mfa code")
	with.Code = p.code(t, 0)
	role := mustAssume(t, w, p.call(t), with)
	if m := role.Caller.MFA; !m.Known || m.Present {
		t.Errorf("the role session says %+v", m)
	}
	w.Clock.Advance(time.Minute)
	s, err := p.session(t, p.code(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	mustAssume(t, w, w.As(t, s.AccessKeyID, s.Token), in)
	w.Clock.Advance(300 * time.Second) // aws:MultiFactorAuthAge
	if _, err := assume(w, w.As(t, s.AccessKeyID, s.Token), in); err == nil {
		t.Error("an old factor assumes a role that wants a fresh one")
	}

	// A code that was right is burnt even if the role is then refused (C-1).
	code := p.code(t, 0)
	_, err = assume(w, p.call(t), ops.AssumeRoleIn{RoleARN: roleARN + "nothing", Serial: p.serial, Code: code})
	if _, ok := ops.AsDenial(err); !ok {
		t.Fatal(err)
	}
	_, err = p.session(t, code)
	faultIs(t, err, fault.Denied, "mfa code")
	w.Clock.Advance(time.Minute)
	code = p.code(t, 0)
	if _, err = assume(w, p.call(t), ops.AssumeRoleIn{RoleARN: roleARN + "guarded", Serial: p.serial, Code: code, Duration: 12 * time.Hour}); !errors.Is(err, sts.ErrBeyondRole) {
		t.Fatal(err)
	}
	_, err = p.session(t, code)
	faultIs(t, err, fault.Denied, "mfa code")
}

func TestSessionTags(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	newRole(t, w, "untagged", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}}`, "")
	newRole(t, w, "first", trustHere, allowAll)
	newRole(t, w, "second", trustHere, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red", "aws:SourceIdentity": "alice"}}}}`)

	team := []iam.Tag{{Key: "Team", Value: "red"}, {Key: "cost", Value: "1"}}
	if _, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "untagged", Tags: team}); !fault.Is(err, fault.Denied) {
		t.Errorf("tags without sts:TagSession: %v", err)
	}
	if _, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "untagged", SourceIdentity: "alice"}); !fault.Is(err, fault.Denied) {
		t.Errorf("a source identity without sts:SetSourceIdentity: %v", err)
	}
	if _, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "first", Tags: team, TransitiveKeys: []string{"other"}}); !errors.Is(err, sts.ErrTransitiveUnknown) {
		t.Error(err)
	}
	if _, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "nothing", Tags: team, TransitiveKeys: []string{"other"}}); !errors.Is(err, sts.ErrTransitiveUnknown) {
		t.Errorf("a role that does not exist is told from one that does: %v", err)
	}
	_, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "first", Tags: []iam.Tag{{Key: "a"}, {Key: "A"}}})
	faultIs(t, err, fault.Invalid, "duplicate tag")

	first := mustAssume(t, w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "first", Tags: team, TransitiveKeys: []string{"team"}, SourceIdentity: "alice"})
	if _, err := assume(w, first, ops.AssumeRoleIn{RoleARN: roleARN + "second", Tags: []iam.Tag{{Key: "TEAM", Value: "blue"}}}); !errors.Is(err, sts.ErrTransitiveTaken) {
		t.Error(err)
	}
	if _, err := assume(w, first, ops.AssumeRoleIn{RoleARN: roleARN + "second", SourceIdentity: "mallory"}); !errors.Is(err, sts.ErrSourceIdentitySet) {
		t.Error(err)
	}
	second := mustAssume(t, w, first, ops.AssumeRoleIn{RoleARN: roleARN + "second"})
	testkit.Do(t, w, second, ops.GetUser, ops.UserIn{User: ops.Ref{Name: "admin"}})
	if tags := second.Caller.Session.Tags; len(tags) != 1 || tags[0].Key != "Team" {
		t.Errorf("handed down: %v", tags)
	}
}

// what is passed to a session narrows it and never widens it; a federated
// session without a policy may do nothing.
func TestSessionPolicies(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	newRole(t, w, "reader", trustHere, allowGet)
	get := ops.UserIn{User: ops.Ref{Name: "admin"}}
	only := func(action string) string {
		return `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "` + action + `", "Resource": "*"}}`
	}
	wide := mustAssume(t, w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "reader", SessionPolicy: ops.SessionPolicy{Policy: allowAll}})
	testkit.Do(t, w, wide, ops.GetUser, get)
	testkit.Fails(t, w, wide, ops.ListUsers, ops.Listing{})
	narrow := mustAssume(t, w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "reader", SessionPolicy: ops.SessionPolicy{Policy: only("iam:ListUsers")}})
	d, ok := ops.AsDenial(testkit.Fails(t, w, narrow, ops.GetUser, get))
	if !ok || d.Decision.Layer != policy.Session {
		t.Errorf("refused by %+v", d)
	}
	byARN := mustAssume(t, w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "reader", SessionPolicy: ops.SessionPolicy{PolicyARNs: []string{"arn:aws:iam::aws:policy/IAMReadOnlyAccess"}}})
	testkit.Do(t, w, byARN, ops.GetUser, get)

	s, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "reader", SessionPolicy: ops.SessionPolicy{Policy: allowAll}})
	if err != nil || s.Packed < 1 || s.Packed > 100 {
		t.Errorf("packed size %d, %v", s.Packed, err)
	}
	for _, p := range []ops.SessionPolicy{
		{Policy: `{"Version"`}, {Policy: only(strings.Repeat("a", 2100))}, {PolicyARNs: []string{"arn:aws:iam::aws:policy/Nothing"}},
		{PolicyARNs: make([]string, 11)},
	} {
		if _, err := assume(w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "reader", SessionPolicy: p}); err == nil || fault.Is(err, fault.Internal) {
			t.Errorf("%.40v: %v", p, err)
		}
	}

	federate := func(p ops.SessionPolicy) ops.Call {
		f := testkit.Do(t, w, admin, ops.GetFederationToken, ops.GetFederationTokenIn{Name: "Bob", SessionPolicy: p})
		return w.As(t, f.AccessKeyID, f.Token)
	}
	for _, c := range []struct {
		call ops.Call
		want fault.Kind
	}{
		{federate(ops.SessionPolicy{}), fault.Denied},
		{federate(ops.SessionPolicy{Policy: allowAll}), 0},
	} {
		// CloudTrail, because federated sessions have no IAM.
		_, err := ops.Run(context.Background(), w.Server, c.call, ops.LookupEvents, ops.LookupEventsIn{})
		if c.want == 0 && err != nil || c.want != 0 && !fault.Is(err, c.want) {
			t.Errorf("federated: %v", err)
		}
		testkit.Fails(t, w, c.call, ops.GetUser, get)
		testkit.Fails(t, w, c.call, ops.AssumeRole, ops.AssumeRoleIn{RoleARN: roleARN + "reader", SessionName: "session1"})
	}
}

// Sessions make no further sessions of their own user (AWS: "Compare AWS STS
// credentials"), and nobody but a user or root asks for them.
func TestSessionsOfSessions(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	newRole(t, w, "worker", trustHere, allowAll)
	s := testkit.Do(t, w, admin, ops.GetSessionToken, ops.GetSessionTokenIn{})
	for _, call := range []ops.Call{
		w.As(t, s.AccessKeyID, s.Token), mustAssume(t, w, admin, ops.AssumeRoleIn{RoleARN: roleARN + "worker"}),
	} {
		if err := testkit.Fails(t, w, call, ops.GetSessionToken, ops.GetSessionTokenIn{}); !fault.Is(err, fault.Denied) {
			t.Error(err)
		}
		if err := testkit.Fails(t, w, call, ops.GetFederationToken, ops.GetFederationTokenIn{Name: "Bob"}); !fault.Is(err, fault.Denied) {
			t.Error(err)
		}
	}
}

func TestCrossAccountRole(t *testing.T) {
	w := testkit.New(t)
	other := name.Account(210987654321)
	role := addAccount(t, w, other, trustHere)
	p := newPerson(t, w, "alice", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}`)
	made, err := assume(w, p.call(t), ops.AssumeRoleIn{RoleARN: role})
	if err != nil {
		t.Fatal(err)
	}
	call := w.As(t, made.AccessKeyID, made.Token)
	if got := testkit.Do(t, w, call, ops.GetCallerIdentity, struct{}{}); got.Account != other {
		t.Errorf("the session acts in %v", got.Account)
	}
	var seen []audit.Event
	err = w.Store.View(context.Background(), func(tx *store.Tx) (err error) {
		seen, err = tx.Events(audit.Query{Account: other, Operation: "AssumeRole"}, store.EventAfter{}, 10)
		return err
	})
	if err != nil || len(seen) != 1 || seen[0].Actor.Name != "alice" || seen[0].Result != audit.Allowed || seen[0].Target.ARN != role {
		t.Errorf("the other account does not see who came from outside: %+v, %v", seen, err)
	}
	// What ends the user ends what it is elsewhere, and at once (P-10).
	alice := ops.Ref{Name: "alice"}
	ended := func(why string, want bool) {
		t.Helper()
		_, begun := ops.Run(context.Background(), w.Server, call, ops.GetCallerIdentity, struct{}{})
		for _, err := range []error{begun, ask(w, made)} {
			if gone := fault.Is(err, fault.Unauthenticated); gone != want || !gone && err != nil {
				t.Errorf("%s: %v", why, err)
			}
		}
	}
	testkit.Do(t, w, w.Admin(t), ops.BlockUser, ops.BlockUserIn{User: alice})
	ended("blocked", true)
	testkit.Do(t, w, w.Admin(t), ops.UnblockUser, ops.BlockUserIn{User: alice})
	ended("unblocked", false)
	testkit.Do(t, w, w.Admin(t), ops.RemoveUser, ops.UserIn{User: alice})
	ended("deleted", true)
	// Both sides must allow.
	q := newPerson(t, w, "bob", "")
	if _, err := assume(w, q.call(t), ops.AssumeRoleIn{RoleARN: role}); !fault.Is(err, fault.Denied) {
		t.Error(err)
	}
}

// The message of a refusal tells which statement decided and what its condition
// saw, and only the account it concerns can read it.
func TestDecodeAuthorizationMessage(t *testing.T) {
	w := testkit.New(t)
	p := newPerson(t, w, "alice", forceMFA)
	d, _ := ops.AsDenial(testkit.Fails(t, w, p.call(t), ops.ListAccessKeys, ops.UserListing{}))
	encoded := w.EncodeDenial(d)
	if encoded == "" || len(encoded) > 10240 || strings.Contains(encoded, "alice") {
		t.Fatalf("message %q", encoded)
	}
	text := testkit.Do(t, w, w.Admin(t), ops.DecodeAuthorizationMessage, ops.DecodeAuthorizationMessageIn{Encoded: encoded})
	type items struct{ Items []map[string]any }
	var got struct {
		Allowed, ExplicitDeny       bool
		MatchedStatements, Failures items
		Context                     struct {
			Principal        struct{ ID, Name, ARN string }
			Action, Resource string
			Conditions       items
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Allowed || !got.ExplicitDeny || got.Context.Action != "iam:ListAccessKeys" || got.Context.Principal.Name != "alice" ||
		got.Context.Resource != "arn:aws:iam::123456789012:user/alice" || got.Context.Principal.ID != p.call(t).Caller.User.ID.Unique(name.PrefixUser) {
		t.Errorf("decoded %s", text)
	}
	sids := map[any]bool{}
	for _, s := range got.MatchedStatements.Items {
		sids[s["statementId"]] = true
	}
	if !sids["DenyAllExceptListedIfNoMFA"] || !sids["AllowManageOwnAccessKeys"] {
		t.Errorf("matched %v", sids)
	}
	for _, bad := range []string{"", "x", encoded[:len(encoded)-1], encoded + "A"} {
		faultIs(t, testkit.Fails(t, w, w.Admin(t), ops.DecodeAuthorizationMessage, ops.DecodeAuthorizationMessageIn{Encoded: bad}), fault.Invalid, "authorization message")
	}
}

// A refusal with more near misses than a message holds keeps the ones that it
// can, and what decided.
func TestLongDenial(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	p := newPerson(t, w, "alice", `{"Version": "2012-10-17", "Statement": {"Sid": "Decides", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}}`)
	for i := range 10 {
		var all []string
		for j := range 60 {
			all = append(all, fmt.Sprintf(`{"Sid":"Miss%dx%d","Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::1%011d:role/x"}`, i, j, 7919*(100*i+j)))
		}
		pol := testkit.Do(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{
			Name: fmt.Sprintf("misses%d", i), Document: `{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`,
		})
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "alice"}, Policy: pol.ARN()})
	}
	d, _ := ops.AsDenial(testkit.Fails(t, w, p.call(t), ops.ListUsers, ops.Listing{}))
	encoded := w.EncodeDenial(d)
	if encoded == "" || len(encoded) > 10240 {
		t.Fatalf("a message of %d characters", len(encoded))
	}
	text := testkit.Do(t, w, admin, ops.DecodeAuthorizationMessage, ops.DecodeAuthorizationMessageIn{Encoded: encoded})
	if !strings.Contains(text, "Decides") || !strings.Contains(text, "Miss") || strings.Count(text, "Miss") == 600 {
		t.Errorf("the message tells of %d near misses", strings.Count(text, "Miss"))
	}
}

// What decided comes first among what matched, and is marked: it is what the
// reader is after, and the last to be left out.
func TestDenialTellsWhatDecided(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	p := newPerson(t, w, "alice", `{"Version": "2012-10-17", "Statement": {"Sid": "Decides", "Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}}`)
	for i := range 10 {
		var all []string
		for j := range 40 {
			all = append(all, fmt.Sprintf(`{"Sid":"Match%dx%d","Effect":"Allow","Action":"iam:*","Resource":["*","arn:aws:iam::1%011d:role/x"]}`, i, j, 7919*(100*i+j)))
		}
		pol := testkit.Do(t, w, admin, ops.CreatePolicy, ops.CreatePolicyIn{
			Name: fmt.Sprintf("matches%d", i), Document: `{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`,
		})
		testkit.Do(t, w, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "alice"}, Policy: pol.ARN()})
	}
	d, _ := ops.AsDenial(testkit.Fails(t, w, p.call(t), ops.ListUsers, ops.Listing{}))
	text := testkit.Do(t, w, admin, ops.DecodeAuthorizationMessage, ops.DecodeAuthorizationMessageIn{Encoded: w.EncodeDenial(d)})
	var got struct {
		MatchedStatements struct {
			Items []struct {
				StatementID string
				Decided     bool
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for i, st := range got.MatchedStatements.Items {
		if first := i == 0; st.Decided != first || (st.StatementID == "Decides") != first {
			t.Errorf("statement %d: %+v", i, st)
		}
	}
	if n := len(got.MatchedStatements.Items); n < 2 || n == 401 {
		t.Errorf("%d statements", n)
	}
}

func TestGetAccessKeyInfo(t *testing.T) {
	w := testkit.New(t)
	if got := testkit.Do(t, w, w.Admin(t), ops.GetAccessKeyInfo, ops.GetAccessKeyInfoIn{Key: w.AccessKeyID}); got != testkit.Account {
		t.Errorf("account %v", got)
	}
	testkit.Fails(t, w, w.Admin(t), ops.GetAccessKeyInfo, ops.GetAccessKeyInfoIn{Key: "AKIAIOSFODNN7EXAMPLE"})
}
