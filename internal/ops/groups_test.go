package ops_test

import (
	"fmt"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
)

func TestGroupLife(t *testing.T) {
	h := newHouse(t)
	g := do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "Dev", Path: "/a/"})
	if g.ARN() != ownPrefix+"group/a/Dev" || !g.Created.Equal(h.Clock.Now()) {
		t.Errorf("made %s at %v", g.ARN(), g.Created)
	}
	refused(h, fault.Exists, "group", ops.CreateGroup, ops.CreateGroupIn{Name: "dev"})
	refused(h, fault.Invalid, "field", ops.CreateGroup, ops.CreateGroupIn{Name: "a b"})
	refused(h, fault.Invalid, "field", ops.CreateGroup, ops.CreateGroupIn{Name: "ab", Path: "x"})
	refused(h, fault.NotFound, "group", ops.GetGroup, ops.GetGroupIn{Group: ref("nobody")})

	h.user("alice")
	member := ops.MemberIn{Group: ref("dev"), User: ref("Alice")}
	for range 2 { // a second time is no error
		do(h, ops.AddUserToGroup, member)
	}
	refused(h, fault.NotFound, "user", ops.AddUserToGroup, ops.MemberIn{Group: ref("dev"), User: ref("bob")})
	refused(h, fault.NotFound, "group", ops.AddUserToGroup, ops.MemberIn{Group: ref("ops"), User: ref("alice")})
	refused(h, fault.NotFound, "user", ops.RemoveUserFromGroup, ops.MemberIn{Group: ref("ops"), User: ref("bob")})

	moved := do(h, ops.UpdateGroup, ops.UpdateGroupIn{Group: ref("dev"), NewName: "Build", NewPath: "/b/"})
	if moved.ID != g.ID || moved.ARN() != ownPrefix+"group/b/Build" {
		t.Errorf("renamed to %v %s", moved.ID, moved.ARN())
	}
	refused(h, fault.NotFound, "group", ops.GetGroup, ops.GetGroupIn{Group: ref("dev")})
	got := do(h, ops.GetGroup, ops.GetGroupIn{Group: ref("build")})
	if len(got.Members.Items) != 1 || got.Members.Items[0].Name != "alice" {
		t.Errorf("members after a rename: %v", got.Members)
	}
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "other"})
	refused(h, fault.Exists, "group", ops.UpdateGroup, ops.UpdateGroupIn{Group: ref("build"), NewName: "OTHER"})

	refused(h, fault.Conflict, "group memberships", ops.DeleteGroup, ops.GroupIn{Group: ref("build")})
	for range 2 {
		do(h, ops.RemoveUserFromGroup, ops.MemberIn{Group: ref("build"), User: ref("alice")})
	}
	do(h, ops.PutGroupPolicy, ops.PutInlineIn{Holder: ref("build"), Policy: "p", Document: statement("Allow", "s3:*", "*")})
	refused(h, fault.Conflict, "inline policies", ops.DeleteGroup, ops.GroupIn{Group: ref("build")})
	do(h, ops.DeleteGroupPolicy, ops.InlineIn{Holder: ref("build"), Policy: "p"})
	do(h, ops.DeleteGroup, ops.GroupIn{Group: ref("build")})
	refused(h, fault.NotFound, "group", ops.DeleteGroup, ops.GroupIn{Group: ref("build")})
}

func TestGroupQuotasAndPages(t *testing.T) {
	h := newHouse(t)
	h.user("alice")
	for i := range 11 {
		name := fmt.Sprintf("g%02d", i)
		path := "/even/"
		if i%2 == 1 {
			path = "/odd/"
		}
		do(h, ops.CreateGroup, ops.CreateGroupIn{Name: name, Path: path})
		in := ops.MemberIn{Group: ref(name), User: ref("alice")}
		if i < 10 {
			do(h, ops.AddUserToGroup, in)
			continue
		}
		refused(h, fault.Limit, "GroupsPerUser", ops.AddUserToGroup, in)
	}
	nameOf := func(g iam.Group) string { return g.Name }
	got := pages(t, func(cursor string) ([]iam.Group, string) {
		p := do(h, ops.ListGroupsForUser, ops.GroupsOfIn{User: ref("alice"), Listing: ops.Listing{Limit: 4, Cursor: cursor}})
		return p.Items, string(p.Next)
	}, nameOf)
	if got != "g00 g01 g02 g03|g04 g05 g06 g07|g08 g09" {
		t.Errorf("groups of alice: %s", got)
	}
	got = pages(t, func(cursor string) ([]iam.Group, string) {
		p := do(h, ops.ListGroups, ops.Listing{PathPrefix: "/odd/", Limit: 3, Cursor: cursor})
		return p.Items, string(p.Next)
	}, nameOf)
	if got != "g01 g03 g05|g07 g09" {
		t.Errorf("odd groups: %s", got)
	}
	first := do(h, ops.ListGroups, ops.Listing{Limit: 1})
	refused(h, fault.Invalid, "field", ops.ListGroups, ops.Listing{PathPrefix: "/odd/", Limit: 1, Cursor: string(first.Next)})
	refused(h, fault.Invalid, "field", ops.ListGroups, ops.Listing{Limit: 1001})
}

// A rename must be allowed under the old and the new name.
func TestRenamingAGroupNeedsBothNames(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "p",
		Document: statement("Allow", "iam:UpdateGroup", ownPrefix+"group/mine-*")})
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "mine-1"})
	do(alice, ops.UpdateGroup, ops.UpdateGroupIn{Group: ref("mine-1"), NewName: "mine-2"})
	refused(alice, fault.Denied, "", ops.UpdateGroup, ops.UpdateGroupIn{Group: ref("mine-2"), NewName: "admins"})
	refused(alice, fault.Denied, "", ops.UpdateGroup, ops.UpdateGroupIn{Group: ref("nowhere"), NewName: "x"})
}
