package ops_test

import (
	"testing"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

// The variables of Oracle's language that have to be read: tags of groups, targets and
// compartments, their names, and whether the caller is in a group.
func TestVariablesThatAreRead(t *testing.T) {
	h := newHouse(t)
	root := h.caller.Account.Tenancy()
	alice, bob := h.user("alice"), h.user("bob")
	make := func(called string) *ops.OracleGroup {
		return do(h, ops.OracleCreateGroup, ops.OracleCreateGroupIn{Compartment: root, Name: called, Described: described(called)})
	}
	own, other := make("Own"), make("Other")
	do(h, ops.AddUserToGroup, ops.MemberIn{Group: ref("Own"), User: ref("alice")})
	compartment := func(called string) *ops.OracleNoun {
		return do(h, ops.CreateCompartment, ops.OracleNounIn{Compartment: root, Name: called, Described: described(called)})
	}
	dev, prod := compartment("dev"), compartment("prod")
	namespace := do(h, ops.CreateTagNamespace, ops.OracleNounIn{Compartment: root, Name: "Ops", Described: described("o")})
	do(h, ops.CreateTag, ops.OracleNounIn{Of: namespace.ID, Name: "Stage", Described: described("s")})
	stage := func(value string) ops.Described {
		return ops.Described{Defined: map[string]map[string]any{"Ops": {"Stage": value}}}
	}
	policy := h.oracle("p", "allow group Own to inspect groups in tenancy where request.region = 'nowhere'")
	says := func(statement string) {
		do(h, ops.OracleUpdatePolicy, ops.OracleUpdatePolicyIn{Matching: ops.Matching{ID: policy.ID}, Statements: []string{statement}})
	}
	may := func(what string, want bool, err error) {
		t.Helper()
		if want != (err == nil) || err != nil && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", what, err)
		}
	}
	list := func() error { _, err := try(alice, ops.ListUsers, ops.Listing{}); return err }
	group := func(g *ops.OracleGroup) error {
		_, err := try(alice, ops.OracleGetGroup, ops.Matching{ID: g.Group.ID})
		return err
	}
	look := func(c *ops.OracleNoun) error {
		_, err := try(alice, ops.GetCompartment, ops.Matching{ID: c.ID})
		return err
	}

	says("allow any-user to inspect users in tenancy where request.principal.group.tag.ops.stage = 'prod'")
	may("a group without the tag", false, list())
	do(h, ops.OracleUpdateGroup, ops.OracleUpdateIn{Matching: ops.Matching{ID: own.Group.ID}, Described: stage("prod")})
	may("a group with the tag", true, list())
	do(h, ops.OracleUpdateGroup, ops.OracleUpdateIn{Matching: ops.Matching{ID: own.Group.ID}, Described: stage("dev")})
	may("a group with another value", false, list())

	says("allow group Own to inspect groups in tenancy where target.resource.tag.Ops.Stage = 'dev'")
	may("a target with the tag", true, group(own))
	may("a target without the tag", false, group(other))
	says("allow group Own to inspect groups in tenancy where target.group.member = 'true'")
	may("a group of one's own", true, group(own))
	may("another group", false, group(other))
	says("allow group Own to inspect groups in tenancy where all {target.domain.name = 'default', request.domain.name = 'Default', target.tenant.name = '" + do(h, ops.GetTenancy, root).Name + "'}")
	may("the domain and the tenancy", true, group(other))

	says("allow group Own to inspect compartments in tenancy where target.compartment.name = 'DEV'")
	may("a compartment by name", true, look(dev))
	may("another compartment", false, look(prod))
	renamed := "dev2"
	do(h, ops.UpdateCompartment, ops.OracleRenameIn{Matching: ops.Matching{ID: dev.ID}, Name: &renamed, Described: stage("x")})
	may("a compartment that was renamed", false, look(dev))
	says("allow group Own to inspect compartments in tenancy where target.resource.compartment.tag.Ops.Stage = 'x'")
	may("a compartment's tag", true, look(dev))
	may("a compartment without the tag", false, look(prod))

	says("allow group Own to inspect policies in tenancy where target.policy.autoupdate = 'true'")
	read := func() error { _, err := try(alice, ops.OracleGetPolicy, ops.Matching{ID: policy.ID}); return err }
	may("a policy without a version date", true, read())
	date := "2030-01-31"
	do(h, ops.OracleUpdatePolicy, ops.OracleUpdatePolicyIn{Matching: ops.Matching{ID: policy.ID}, Version: &date})
	may("a policy with a version date", false, read())

	says("allow group Own to manage credentials in tenancy where target.credential.type = 'smtp'")
	_, err := try(alice, ops.ListSMTPCredentials, ops.Matching{ID: bob.caller.User.ID})
	may("SMTP credentials", true, err)
	_, err = try(alice, ops.ListAuthTokens, ops.Matching{ID: bob.caller.User.ID})
	may("auth tokens", false, err)
}
