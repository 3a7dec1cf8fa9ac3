package ops_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/store"
)

// trusting is a trust policy whose principals are given as JSON.
func trusting(principals string) string {
	return `{"Version":"2012-10-17",  "Statement":[{"Sid":"é","Effect":"Allow","Principal":{"AWS":` + principals + `},"Action":"sts:AssumeRole"}]}`
}

func TestRoleLife(t *testing.T) {
	h := newHouse(t)
	r := do(h, ops.CreateRole, ops.CreateRoleIn{Name: "R", Path: "/a/", Trust: trustAccount, Description: "d", Tags: []iam.Tag{{Key: "k", Value: "v"}}})
	if r.ARN() != ownPrefix+"role/a/R" || r.MaxSession != time.Hour || r.Trust != trustAccount {
		t.Errorf("made %+v", r)
	}
	refused(h, fault.Exists, "role", ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trustAccount})
	refused(h, fault.NotFound, "role", ops.GetRole, ops.RoleIn{Role: ref("nobody")})

	description := "new"
	do(h, ops.UpdateRole, ops.UpdateRoleIn{Role: ref("r"), MaxSession: 12 * time.Hour})
	do(h, ops.UpdateRoleDescription, ops.UpdateRoleIn{Role: ref("r"), Description: &description, MaxSession: time.Hour})
	got := do(h, ops.GetRole, ops.RoleIn{Role: ref("R")})
	if got.MaxSession != 12*time.Hour || got.Description != "new" || got.ID != r.ID {
		t.Errorf("updated %+v", got)
	}
	for _, d := range []time.Duration{time.Hour - time.Second, 12*time.Hour + time.Second, -time.Hour} {
		refused(h, fault.Invalid, "field", ops.UpdateRole, ops.UpdateRoleIn{Role: ref("r"), MaxSession: d})
		refused(h, fault.Invalid, "field", ops.CreateRole, ops.CreateRoleIn{Name: "s", Trust: trustAccount, MaxSession: d})
	}
	for _, d := range []string{strings.Repeat("a", 1001), "\x01", "鍵"} {
		refused(h, fault.Invalid, "field", ops.UpdateRoleDescription, ops.UpdateRoleIn{Role: ref("r"), Description: &d})
	}
	refused(h, fault.Invalid, "field", ops.CreateRole, ops.CreateRoleIn{Name: strings.Repeat("a", 65), Trust: trustAccount})

	do(h, ops.TagRole, ops.TagIn{Ref: ref("r"), Tags: []iam.Tag{{Key: "K", Value: "w"}, {Key: "a"}}})
	do(h, ops.UntagRole, ops.UntagIn{Ref: ref("r"), Keys: []string{"A"}})
	if tags := do(h, ops.ListRoleTags, ops.TagsIn{Ref: ref("r")}).Items; len(tags) != 1 || tags[0].Value != "w" {
		t.Errorf("tags %v", tags)
	}

	do(h, ops.AttachRolePolicy, ops.AttachIn{Holder: ref("r"), Policy: ec2Full})
	refused(h, fault.Conflict, "attached policies", ops.DeleteRole, ops.RoleIn{Role: ref("r")})
	do(h, ops.DetachRolePolicy, ops.AttachIn{Holder: ref("r"), Policy: ec2Full})
	do(h, ops.PutRolePolicy, ops.PutInlineIn{Holder: ref("r"), Policy: "p", Document: allowS3})
	refused(h, fault.Conflict, "inline policies", ops.DeleteRole, ops.RoleIn{Role: ref("r")})
	do(h, ops.DeleteRolePolicy, ops.InlineIn{Holder: ref("r"), Policy: "p"})
	do(h, ops.DeleteRole, ops.RoleIn{Role: ref("r")})
	refused(h, fault.NotFound, "role", ops.DeleteRole, ops.RoleIn{Role: ref("r")})
}

func TestTrustPoliciesAreChecked(t *testing.T) {
	h := newHouse(t)
	for _, document := range []string{
		"", "{", allowS3,
		trusting(`"` + ownPrefix + `user/nobody"`), trusting(`"` + ownPrefix + `role/r"`), // not even itself
		trusting(`["123456789012", "` + ownPrefix + `user/x/admin"]`), trusting(`"` + ownPrefix + `user/Admin"`), // the ARN as it is, to the letter
		trusting(`"arn:aws:iam::999999999999:user/admin"`),
		trusting(`"` + name.ID(123456789012345678).Unique(name.PrefixUser) + `"`), trusting(`"AIDAAAAAAAAAAAAAAAAAA"`),
	} {
		refused(h, fault.Malformed, "policy document", ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: document})
	}
	err := refused(h, fault.Malformed, "policy document", ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trusting(`"` + ownPrefix + `user/nobody"`)})
	if f := err.(*fault.Error); f.What != `Invalid principal in policy: "AWS":"`+ownPrefix+`user/nobody"` {
		t.Errorf("says %s", f.What)
	}
	long := strings.Replace(trustAccount, `"Effect"`, `"Sid":"`+strings.Repeat("a", 2048)+`","Effect"`, 1)
	refused(h, fault.Limit, "ACLSizePerRole", ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: long})
	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trustAccount})
	refused(h, fault.Malformed, "policy document", ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: ref("r"), Trust: allowS3})
	refused(h, fault.NotFound, "role", ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: ref("nobody"), Trust: trustAccount})
}

// stored is a role's trust policy as the store has it.
func (h *house) stored(role string) (trust string) {
	h.t.Helper()
	err := h.Store.View(context.Background(), func(tx *store.Tx) error {
		r, err := tx.RoleByName(h.caller.Account, role)
		if err == nil {
			trust = r.Trust
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return trust
}

// A principal is kept by its unique id: a new one of the same name is not
// trusted, and a renamed one still is.
func TestTrustFollowsTheUserNotTheName(t *testing.T) {
	h := newHouse(t)
	alice := do(h, ops.CreateUser, ops.CreateUserIn{Name: "alice", Path: "/p/"})
	other := do(h, ops.CreateRole, ops.CreateRoleIn{Name: "other", Trust: trustAccount})
	given := trusting(`["*", "` + alice.ARN() + `" , "` + other.ARN() + `", "` + ownPrefix + `root", "arn:aws:sts::123456789012:assumed-role/other/s"]`)
	made := do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: given})
	if made.Trust != given {
		t.Errorf("shown as %s", made.Trust)
	}
	id, roleID := alice.ID.Unique(name.PrefixUser), other.ID.Unique(name.PrefixRole)
	if want := strings.NewReplacer(alice.ARN(), id, `"`+other.ARN()+`"`, `"`+roleID+`"`).Replace(given); h.stored("r") != want {
		t.Errorf("stored  %s\nwant %s", h.stored("r"), want)
	}

	do(h, ops.UpdateUser, ops.UpdateUserIn{User: ref("alice"), NewName: "bob"})
	shown := func() string { return do(h, ops.ListRoles, ops.Listing{PathPrefix: "/"}).Items[1].Trust }
	if want := strings.Replace(given, "user/p/alice", "user/p/bob", 1); shown() != want {
		t.Errorf("after a rename %s", shown())
	}
	do(h, ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: ref("r"), Trust: shown()})

	do(h, ops.DeleteUser, ops.UserIn{User: ref("bob")})
	do(h, ops.CreateUser, ops.CreateUserIn{Name: "bob", Path: "/p/"})
	if want := strings.Replace(given, alice.ARN(), id, 1); shown() != want {
		t.Errorf("after the user has gone %s", shown())
	}
	// Such a policy cannot be saved again as it is shown.
	refused(h, fault.Malformed, "policy document", ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: ref("r"), Trust: shown()})
}

// Only principals are changed: the same text elsewhere stays.
func TestTrustLeavesOtherTextAlone(t *testing.T) {
	h := newHouse(t)
	arn := ownPrefix + "user/admin"
	for _, given := range []string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:PrincipalArn":"` + arn + `","sts:ExternalId":["AIDA","` + arn + `"]}}}}`,
		`{"Version":"2012-10-17","Id":"` + arn + `","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},
			{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com","AWS":["` + strings.ReplaceAll(arn, "/", `\/`) + `"]},"Action":["sts:AssumeRole","sts:TagSession"]}]}`,
	} {
		r := do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: given})
		if want := strings.ReplaceAll(given, `\/`, "/"); strings.ReplaceAll(r.Trust, `\/`, "/") != want {
			t.Errorf("shown  %s\nwant %s", r.Trust, want)
		}
		if n := strings.Count(h.stored("r"), "AIDA") - strings.Count(given, "AIDA"); n != 1 {
			t.Errorf("%d ids in %s", n, h.stored("r"))
		}
		do(h, ops.DeleteRole, ops.RoleIn{Role: ref("r")})
	}
}

// Trust is in the person, not in the name, when a role is assumed.
func TestAssumingARoleAfterTheUserWasMadeAgain(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trusting(`"` + ownPrefix + `user/alice"`)})
	assume := ops.AssumeRoleIn{RoleARN: ownPrefix + "role/r", SessionName: "session"}
	do(alice, ops.AssumeRole, assume)

	do(h, ops.UpdateUser, ops.UpdateUserIn{User: ref("alice"), NewName: "alicia"})
	do(alice, ops.AssumeRole, assume) // the same person under another name
	do(h, ops.DeleteAccessKey, ops.KeyIn{User: ref("alicia"), Key: alice.caller.AccessKey})
	do(h, ops.DeleteUser, ops.UserIn{User: ref("alicia")})

	again := h.user("alice")
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "p", Document: statement("Allow", "sts:*", "*")})
	refused(again, fault.Denied, "", ops.AssumeRole, assume)
	refused(h, fault.Denied, "", ops.AssumeRole, assume)
	do(h, ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: ref("r"), Trust: trusting(`"` + ownPrefix + `user/alice"`)})
	do(again, ops.AssumeRole, assume)
}

// The trail keeps documents, cut to a size.
func TestTrailOfDocuments(t *testing.T) {
	h := newHouse(t)
	long := sized(6000)
	do(h, ops.CreatePolicy, ops.CreatePolicyIn{Name: "P", Document: long})
	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trustAccount})
	events := do(h, ops.LookupEvents, ops.LookupEventsIn{}).Items
	byName := map[string]audit.Event{}
	for _, e := range events {
		byName[e.Operation] = e
	}
	if e := byName["CreateRole"]; e.Params["assumeRolePolicyDocument"] != trustAccount || e.Target.ARN != ownPrefix+"role/r" || e.Action != "iam:CreateRole" || e.Result != audit.Allowed {
		t.Errorf("CreateRole: %+v", e)
	}
	if e := byName["CreatePolicy"]; e.Params["policyDocument"] != long[:2048]+"…" || e.Target.ARN != ownPrefix+"policy/P" {
		t.Errorf("CreatePolicy: %+v", e)
	}
}
