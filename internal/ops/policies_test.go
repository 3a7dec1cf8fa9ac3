package ops_test

import (
	"fmt"
	"strings"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/policy/aws/managed"
)

var allowS3 = statement("Allow", "s3:*", "*")

const ec2Full = "arn:aws:iam::aws:policy/AmazonEC2FullAccess"

func TestPolicyLife(t *testing.T) {
	h := newHouse(t)
	p := do(h, ops.CreatePolicy, ops.CreatePolicyIn{Name: "P", Path: "/a/b/", Description: "d", Document: allowS3,
		Tags: []iam.Tag{{Key: "k", Value: "1"}, {Key: "K", Value: "2"}}})
	arn := p.ARN()
	if arn != ownPrefix+"policy/a/b/P" || p.Default != 1 || p.Attached != 0 || p.Bounding != 0 {
		t.Errorf("made %+v", p)
	}
	refused(h, fault.Exists, "policy", ops.CreatePolicy, ops.CreatePolicyIn{Name: "p", Document: allowS3})
	got := do(h, ops.GetPolicy, ops.PolicyIn{Policy: arn})
	if got.ID != p.ID || got.Description != "d" || len(got.Tags) != 2 {
		t.Errorf("read %+v", got)
	}
	v := do(h, ops.GetPolicyVersion, ops.VersionIn{Policy: arn, Version: "v1"})
	if v.Document != allowS3 || !v.Default || v.ID() != "v1" {
		t.Errorf("version %+v", v)
	}

	refused(h, fault.Invalid, "policy arn", ops.GetPolicy, ops.PolicyIn{Policy: "P"})
	refused(h, fault.NotFound, "policy", ops.GetPolicy, ops.PolicyIn{Policy: ownPrefix + "policy/P"})
	refused(h, fault.NotFound, "attachable policy", ops.ListPolicyVersions, ops.VersionsIn{Policy: ownPrefix + "policy/P"})
	err := refused(h, fault.NotFound, "policy version", ops.GetPolicyVersion, ops.VersionIn{Policy: arn, Version: "v9"})
	if f := err.(*fault.Error); f.Name != arn+" version v9" {
		t.Errorf("names %q", f.Name)
	}
	for _, version := range []string{"v01", "1", "v1.a", "v-1", "v0", ""} {
		refused(h, fault.NotFound, "policy version", ops.GetPolicyVersion, ops.VersionIn{Policy: arn, Version: version})
	}

	do(h, ops.DeletePolicy, ops.PolicyIn{Policy: arn})
	refused(h, fault.NotFound, "policy", ops.DeletePolicy, ops.PolicyIn{Policy: arn})
}

func TestPolicyVersions(t *testing.T) {
	h := newHouse(t)
	arn := h.policy("P", allowS3)
	for i := 2; i <= 5; i++ {
		v := do(h, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: allowS3, Default: i == 3})
		if v.Number != i || v.Default != (i == 3) {
			t.Errorf("version %d: %+v", i, v)
		}
	}
	refused(h, fault.Limit, "versions per policy", ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: allowS3})
	refused(h, fault.Conflict, "default version", ops.DeletePolicyVersion, ops.VersionIn{Policy: arn, Version: "v3"})
	refused(h, fault.Conflict, "policy versions", ops.DeletePolicy, ops.PolicyIn{Policy: arn})
	do(h, ops.DeletePolicyVersion, ops.VersionIn{Policy: arn, Version: "v5"})
	refused(h, fault.NotFound, "policy version", ops.DeletePolicyVersion, ops.VersionIn{Policy: arn, Version: "v5"})
	if v := do(h, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: allowS3}); v.Number != 6 {
		t.Errorf("the number %d was given again", v.Number)
	}
	do(h, ops.SetDefaultPolicyVersion, ops.VersionIn{Policy: arn, Version: "v6"})
	refused(h, fault.NotFound, "policy version", ops.SetDefaultPolicyVersion, ops.VersionIn{Policy: arn, Version: "v5"})
	got := pages(t, func(cursor string) ([]ops.PolicyVersion, string) {
		p := do(h, ops.ListPolicyVersions, ops.VersionsIn{Policy: arn, Listing: ops.Listing{Limit: 2, Cursor: cursor}})
		return p.Items, string(p.Next)
	}, func(v ops.PolicyVersion) string { return fmt.Sprint(v.ID(), v.Default) })
	if got != "v6true v4false|v3false v2false|v1false" {
		t.Errorf("versions: %s", got)
	}
	for _, v := range []string{"v1", "v2", "v3", "v4"} {
		do(h, ops.DeletePolicyVersion, ops.VersionIn{Policy: arn, Version: v})
	}
	do(h, ops.DeletePolicy, ops.PolicyIn{Policy: arn})
}

func TestPolicyDocumentsAreChecked(t *testing.T) {
	h := newHouse(t)
	arn := h.policy("P", allowS3)
	err := refused(h, fault.Malformed, "policy document", ops.CreatePolicy, ops.CreatePolicyIn{Name: "Q", Document: `{"Version":"2008-10-17","Statement":[]}`})
	if f := err.(*fault.Error); f.What == "" || f.Err == nil {
		t.Errorf("no words: %+v", f)
	}
	refused(h, fault.Malformed, "policy document", ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: `{`})
	refused(h, fault.Malformed, "policy document", ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("admin"), Policy: "p", Document: `{`})

	do(h, ops.CreatePolicy, ops.CreatePolicyIn{Name: "full", Document: sized(6144)})
	refused(h, fault.Limit, "PolicySize", ops.CreatePolicy, ops.CreatePolicyIn{Name: "over", Document: sized(6145)})
	refused(h, fault.Limit, "PolicySize", ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: sized(6145)})

	for _, in := range []ops.CreatePolicyIn{
		{Name: "a/b"}, {Name: ""}, {Name: strings.Repeat("a", 129)}, {Name: "x", Path: "/a//b/"}, {Name: "x", Path: "/a*/"}, {Name: "x", Path: "a"},
		{Name: "x", Description: strings.Repeat("é", 1001)},
	} {
		in.Document = allowS3
		refused(h, fault.Invalid, "field", ops.CreatePolicy, in)
	}
	do(h, ops.CreatePolicy, ops.CreatePolicyIn{Name: strings.Repeat("a", 128), Description: strings.Repeat("é", 1000), Document: allowS3})
}

func TestVendorPoliciesCannotBeChanged(t *testing.T) {
	h := newHouse(t)
	p := do(h, ops.GetPolicy, ops.PolicyIn{Policy: ec2Full})
	if p.Account != 0 || p.ARN() != ec2Full {
		t.Errorf("read %+v", p)
	}
	if v := do(h, ops.ListPolicyVersions, ops.VersionsIn{Policy: ec2Full}); len(v.Items) != 1 || !v.Items[0].Default || !strings.Contains(v.Items[0].Document, "ec2:*") {
		t.Errorf("versions %+v", v)
	}
	foreign := "arn:aws:iam::210987654321:policy/P"
	for _, arn := range []string{ec2Full, foreign, "arn:aws:iam::aws:policy/Nothing"} {
		refused(h, fault.Unmodifiable, "vendor policy deletion", ops.DeletePolicy, ops.PolicyIn{Policy: arn})
		refused(h, fault.Unmodifiable, "vendor policy version", ops.DeletePolicyVersion, ops.VersionIn{Policy: arn, Version: "v1"})
		refused(h, fault.Unmodifiable, "vendor policy", ops.SetDefaultPolicyVersion, ops.VersionIn{Policy: arn, Version: "v1"})
		refused(h, fault.Unmodifiable, "vendor policy", ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: allowS3})
		refused(h, fault.Unmodifiable, "vendor policy", ops.TagPolicy, ops.TagPolicyIn{Policy: arn, Tags: []iam.Tag{{Key: "a"}}})
		refused(h, fault.Unmodifiable, "vendor policy", ops.UntagPolicy, ops.UntagPolicyIn{Policy: arn, Keys: []string{"a"}})
	}
	refused(h, fault.NotFound, "policy", ops.GetPolicy, ops.PolicyIn{Policy: foreign})
}

func TestListPolicies(t *testing.T) {
	h := newHouse(t)
	arn := h.policy("Mine", allowS3)
	do(h, ops.CreatePolicy, ops.CreatePolicyIn{Name: "Bound", Path: "/b/", Document: allowS3})
	h.user("alice")
	do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("alice"), Policy: arn})
	do(h, ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("alice"), Boundary: ownPrefix + "policy/b/Bound"})

	for _, test := range []struct {
		in   ops.ListPoliciesIn
		want string
	}{
		{ops.ListPoliciesIn{Scope: ops.ScopeOwn}, "Bound0/1 Mine1/0"},
		{ops.ListPoliciesIn{Scope: ops.ScopeOwn, OnlyAttached: true}, "Mine1/0"},
		{ops.ListPoliciesIn{Scope: ops.ScopeVendor, OnlyAttached: true}, "AdministratorAccess1/0"},
		{ops.ListPoliciesIn{Usage: ops.UsagePermissions}, "AdministratorAccess1/0 Mine1/0"},
		{ops.ListPoliciesIn{Usage: ops.UsageBoundary}, "Bound0/1"},
		{ops.ListPoliciesIn{Listing: ops.Listing{PathPrefix: "/b/"}}, "Bound0/1"},
	} {
		var got []string
		for _, p := range do(h, ops.ListPolicies, test.in).Items {
			got = append(got, fmt.Sprintf("%s%d/%d", p.Name, p.Attached, p.Bounding))
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%+v: %s, want %s", test.in, s, test.want)
		}
	}
	all := do(h, ops.ListPolicies, ops.ListPoliciesIn{})
	paged := pages(t, func(cursor string) ([]ops.PolicyUse, string) {
		p := do(h, ops.ListPolicies, ops.ListPoliciesIn{Listing: ops.Listing{Limit: 7, Cursor: cursor}})
		return p.Items, string(p.Next)
	}, func(p ops.PolicyUse) string { return p.Name })
	var names []string
	for _, p := range all.Items {
		names = append(names, p.Name)
	}
	if got := strings.ReplaceAll(paged, "|", " "); got != strings.Join(names, " ") || len(names) < 18 {
		t.Errorf("pages: %s", got)
	}
}

// Keys of policies' tags are compared with case.
func TestPolicyTags(t *testing.T) {
	h := newHouse(t)
	arn := h.policy("P", allowS3)
	do(h, ops.TagPolicy, ops.TagPolicyIn{Policy: arn, Tags: []iam.Tag{{Key: "b", Value: "1"}, {Key: "B", Value: "2"}, {Key: "a"}}})
	do(h, ops.TagPolicy, ops.TagPolicyIn{Policy: arn, Tags: []iam.Tag{{Key: "b", Value: "3"}}})
	do(h, ops.UntagPolicy, ops.UntagPolicyIn{Policy: arn, Keys: []string{"A", "a", "zz"}})
	got := do(h, ops.ListPolicyTags, ops.VersionsIn{Policy: arn}).Items
	if fmt.Sprint(got) != "[{B 2} {b 3}]" {
		t.Errorf("tags %v", got)
	}
	refused(h, fault.Invalid, "duplicate tag key", ops.TagPolicy, ops.TagPolicyIn{Policy: arn, Tags: []iam.Tag{{Key: "x"}, {Key: "x"}}})
	var many []iam.Tag
	for i := range 49 {
		many = append(many, iam.Tag{Key: fmt.Sprint(i)})
	}
	refused(h, fault.Limit, "tags", ops.TagPolicy, ops.TagPolicyIn{Policy: arn, Tags: many})
	refused(h, fault.NotFound, "policy", ops.TagPolicy, ops.TagPolicyIn{Policy: ownPrefix + "policy/X", Tags: many})
}

// Policies that test tags of the request and of the resource see both.
func TestPolicyTagsInDecisions(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "p",
		Document: `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Action":["iam:CreatePolicy","iam:TagPolicy"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"red"}}},
			{"Effect":"Allow","Action":"iam:DeletePolicy","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}]}`})
	refused(alice, fault.Denied, "", ops.CreatePolicy, ops.CreatePolicyIn{Name: "A", Document: allowS3})
	p := do(alice, ops.CreatePolicy, ops.CreatePolicyIn{Name: "A", Document: allowS3, Tags: []iam.Tag{{Key: "team", Value: "red"}}})
	other := h.policy("B", allowS3)
	refused(alice, fault.Denied, "", ops.DeletePolicy, ops.PolicyIn{Policy: other})
	refused(alice, fault.Denied, "", ops.DeletePolicy, ops.PolicyIn{Policy: ownPrefix + "policy/nothing"})
	do(alice, ops.DeletePolicy, ops.PolicyIn{Policy: p.ARN()})
}

// TestEveryManagedPolicyDecides attaches each policy that exists from the start
// and lets its holder ask for something: a text that does not compile would
// refuse every request.
func TestEveryManagedPolicyDecides(t *testing.T) {
	h := newHouse(t)
	for i, p := range managed.All() {
		name := fmt.Sprintf("holder%d", i)
		do(h, ops.CreateUser, ops.CreateUserIn{Name: name})
		do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: name}, Policy: p.ARN})
		key := do(h, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: name}})
		_, err := ops.Run(t.Context(), h.Server, h.As(t, key.ID, ""), ops.GetUser, ops.UserIn{})
		if err != nil && !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}
