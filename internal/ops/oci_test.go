package ops_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
)

// oracle makes a policy of Oracle's at the root.
func (h *house) oracle(called string, statements ...string) *ops.OracleNoun {
	h.t.Helper()
	return do(h, ops.OracleCreatePolicy, ops.OracleNounIn{Compartment: h.caller.Account.Tenancy(), Name: called, Described: described(called), Statements: statements})
}

func described(text string) ops.Described { return ops.Described{Description: &text} }

// What a statement calls a group stays that group: one that takes the name later gets
// nothing, and one that is renamed keeps what it had.
func TestStatementsKeepTheirGroups(t *testing.T) {
	h := newHouse(t)
	alice, bob := h.user("alice"), h.user("bob")
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "Readers"})
	do(h, ops.AddUserToGroup, ops.MemberIn{Group: ref("Readers"), User: ref("alice")})
	h.oracle("readers", "allow group Readers to inspect users in tenancy")
	do(alice, ops.ListUsers, ops.Listing{})
	refused(bob, fault.Denied, "", ops.ListUsers, ops.Listing{})
	do(h, ops.UpdateGroup, ops.UpdateGroupIn{Group: ref("Readers"), NewName: "Old"})
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "Readers"})
	do(h, ops.AddUserToGroup, ops.MemberIn{Group: ref("Readers"), User: ref("bob")})
	do(alice, ops.ListUsers, ops.Listing{})
	refused(bob, fault.Denied, "", ops.ListUsers, ops.Listing{})
	do(h, ops.RemoveUserFromGroup, ops.MemberIn{Group: ref("Old"), User: ref("alice")})
	refused(alice, fault.Denied, "", ops.ListUsers, ops.Listing{})
}

// A deny in Oracle's language stops what only other clouds know, too.
func TestOracleDenyOfOtherCloudsOperations(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "all", Document: statement("Allow", "*", "*")})
	do(alice, ops.ListRoles, ops.Listing{})
	p := h.oracle("deny", "deny any-user to inspect all-resources in tenancy where request.user.name = 'alice'")
	refused(alice, fault.Denied, "", ops.ListRoles, ops.Listing{})
	refused(alice, fault.Denied, "", ops.ListUsers, ops.Listing{})
	do(h, ops.ListRoles, ops.Listing{})
	do(h, ops.OracleDeletePolicy, ops.Matching{ID: p.ID})
	do(alice, ops.ListRoles, ops.Listing{})
}

// In a compartment that is attached to, statements count there and nowhere else, and
// OCIDs of elsewhere are refused.
func TestOraclePoliciesBelowTheRoot(t *testing.T) {
	h := newHouse(t)
	root := h.caller.Account.Tenancy()
	make := func(parent, called string) *ops.OracleNoun {
		return do(h, ops.CreateCompartment, ops.OracleNounIn{Compartment: parent, Name: called, Described: described(called)})
	}
	a, b := make(root, "a"), make(root, "b")
	at := func(n *ops.OracleNoun) string { return n.ID.OCID(name.OCICompartment) }
	for statement, ok := range map[string]bool{
		"allow any-user to inspect compartments in compartment a":             true,
		"allow any-user to inspect compartments in compartment id " + at(a):   true,
		"allow any-user to inspect compartments in compartment id " + at(b):   false,
		"allow any-user to inspect compartments in compartment b":             false,
		"allow any-user to inspect compartments in tenancy":                   false,
		"allow group id ocid1.group.oc1..x to inspect users in compartment a": false,
		"define tenancy T as ocid1.tenancy.oc1..x":                            false,
	} {
		_, err := try(h, ops.OracleCreatePolicy, ops.OracleNounIn{Compartment: at(a), Name: "p", Described: described("p"), Statements: []string{statement}})
		if ok != (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", statement, err)
		}
		if err == nil {
			for _, p := range do(h, ops.OracleListPolicies, ops.OracleListIn{Compartment: at(a)}).Items {
				do(h, ops.OracleDeletePolicy, ops.Matching{ID: p.ID})
			}
		}
	}
	// Six levels and no more.
	parent := at(a)
	for i := range 5 {
		parent = at(make(parent, "n"+string(rune('0'+i))))
	}
	if _, err := try(h, ops.CreateCompartment, ops.OracleNounIn{Compartment: parent, Name: "deep", Described: described("x")}); !fault.Is(err, fault.Limit) {
		t.Error(err)
	}
}

// Every operation that policy is asked about needs some permission in Oracle's language,
// so that a deny of everything finds it.
func TestEveryOperationHasAPermissionInOraclesLanguage(t *testing.T) {
	for _, e := range ops.Catalog() {
		if got := e.Grants.Oracle(); e.Permission != ops.Always && len(got) == 0 {
			t.Errorf("%s needs nothing in Oracle's language", e.Name)
		}
	}
	if got := (ops.Names{AWS: "ec2:RunInstances"}).Oracle(); got != nil {
		t.Errorf("another service's operation needs %v", got)
	}
}

// The trail calls an operation as Oracle does, whichever name of another cloud's it is
// judged under as well.
func TestNamesInOraclesTrail(t *testing.T) {
	for _, c := range []struct{ operation, action, want string }{
		{"UploadApiKey", "iam:CreateAccessKey", "UploadApiKey"}, {"CreateAccessKey", "iam:CreateAccessKey", "CreateCustomerSecretKey"},
		{"CreateAuthToken", "iam:CreateServiceSpecificCredential", "CreateAuthToken"}, {"GenerateUpst", "sts:GetSessionToken", "GenerateUpst"},
		{"OracleListEvents", "cloudtrail:LookupEvents", "ListEvents"}, {"EnableMFADevice", "iam:EnableMFADevice", "ActivateMfaTotpDevice"},
		{"GetInstance", "iaas:GetInstance", "GetInstance"}, {"UpdateUserCapabilities", "warifu:UpdateUserCapabilities", "UpdateUserCapabilities"},
	} {
		if got := ops.NameInOracle(c.operation, c.action); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.operation, c.action, got, c.want)
		}
	}
}

// A key that cannot be handed over is none.
func TestAKeyThatIsNotKept(t *testing.T) {
	h := newHouse(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	called := 0
	_, err = h.AddOracleKeyFor(t.Context(), "admin", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), func(k *ops.OracleAPIKey) error {
		called++
		if k.Fingerprint == "" {
			t.Error("nothing to keep")
		}
		return full
	})
	if !errors.Is(err, full) || called == 0 {
		t.Errorf("%v after %d", err, called)
	}
	if all := do(h, ops.ListAPIKeys, ops.Matching{ID: h.caller.User.ID}); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}
