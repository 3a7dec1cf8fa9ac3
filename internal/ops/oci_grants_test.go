package ops_test

import (
	"net/netip"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/signin"
)

// Who may write policies that allow, and none that deny, neither deletes one that denies
// nor writes its denials away.
func TestPoliciesThatDenyAreNotWrittenAway(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "Writers"})
	do(h, ops.AddUserToGroup, ops.MemberIn{Group: ref("Writers"), User: ref("alice")})
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "attach", Document: statement("Allow", "iam:Attach*Policy", "*")})
	h.oracle("writers", "allow group Writers to manage policies in tenancy where sets-equal(target.policy.type, 'allow')")
	deny := h.oracle("deny", "deny any-user to inspect groups in tenancy where request.user.name = 'nobody'")
	allow := h.oracle("allow", "allow group Writers to inspect groups in tenancy")
	change := func(p *ops.OracleNoun, statements ...string) error {
		_, err := try(alice, ops.OracleUpdatePolicy, ops.OracleUpdatePolicyIn{Matching: ops.Matching{ID: p.ID}, Statements: statements})
		return err
	}
	if err := change(allow, "allow group Writers to inspect users in tenancy"); err != nil {
		t.Error(err)
	}
	for what, err := range map[string]error{
		"a denial added": change(allow, "deny group Writers to inspect users in tenancy"), "a denial taken away": change(deny, "allow group Writers to inspect users in tenancy"),
		"nothing of the statements": change(deny),
	} {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused(alice, fault.Denied, "", ops.OracleDeletePolicy, ops.Matching{ID: deny.ID})
	do(alice, ops.OracleDeletePolicy, ops.Matching{ID: allow.ID})
}

// What a user may not have is good for nothing: neither a password nor an access key
// that it had before.
func TestCapabilitiesEndWhatThereIs(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	id := alice.caller.User.ID
	do(h, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref("alice"), Password: secret("a long enough pass phrase")})
	no, yes := false, true
	opens := func() bool {
		src := ops.Source{Door: "console", IP: netip.MustParseAddr("192.0.2.7"), Secure: true}
		step, err := ops.Run(t.Context(), h.Server, ops.Call{Source: src, RequestID: h.NewRequestID(), At: h.Clock.Now()}, ops.SignIn,
			ops.SignInIn{Form: ops.SubmitPassword{Account: h.caller.Account.String(), User: "alice", Password: secret("a long enough pass phrase")}})
		return err == nil && step.Verdict == signin.Open
	}
	signs := func() bool {
		_, err := try(alice, ops.ListUsers, ops.Listing{})
		return fault.Is(err, fault.Denied) // and not fault.Unauthenticated
	}
	if !opens() || !signs() {
		t.Fatal("alice has neither")
	}
	do(h, ops.UpdateUserCapabilities, ops.OracleCapabilitiesIn{Matching: ops.Matching{ID: id}, Password: &no, SecretKeys: &no})
	if opens() || signs() {
		t.Error("a password or a key is good that the user may not have")
	}
	do(h, ops.UpdateUserCapabilities, ops.OracleCapabilitiesIn{Matching: ops.Matching{ID: id}, Password: &yes, SecretKeys: &yes})
	if !opens() || !signs() {
		t.Error("neither comes back")
	}
}
