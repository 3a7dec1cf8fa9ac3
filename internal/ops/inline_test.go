package ops_test

import (
	"fmt"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

func TestInlinePolicies(t *testing.T) {
	h := newHouse(t)
	do(h, ops.CreateUser, ops.CreateUserIn{Name: "x"})
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "x"})
	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "x", Trust: trustAccount})
	for _, kind := range []struct {
		noun   string
		limit  int
		put    ops.Op[ops.PutInlineIn, struct{}]
		get    ops.Op[ops.InlineIn, *ops.InlinePolicy]
		remove ops.Op[ops.InlineIn, struct{}]
	}{
		{"user", 2048, ops.PutUserPolicy, ops.GetUserPolicy, ops.DeleteUserPolicy},
		{"group", 5120, ops.PutGroupPolicy, ops.GetGroupPolicy, ops.DeleteGroupPolicy},
		{"role", 10240, ops.PutRolePolicy, ops.GetRolePolicy, ops.DeleteRolePolicy},
	} {
		in := ops.PutInlineIn{Holder: ref("x"), Policy: "p", Document: allowS3}
		named := ops.InlineIn{Holder: ref("x"), Policy: "p"}
		refused(h, fault.NotFound, kind.noun+" policy", kind.get, named)
		refused(h, fault.NotFound, kind.noun+" policy", kind.remove, named)
		do(h, kind.put, in)
		in.Document = statement("Deny", "s3:*", "*")
		do(h, kind.put, in)
		got := do(h, kind.get, named)
		if got.Document != in.Document || got.HolderName != "x" || got.Name != "p" {
			t.Errorf("%s: read %+v", kind.noun, got)
		}
		refused(h, fault.NotFound, kind.noun+" policy", kind.get, ops.InlineIn{Holder: ref("x"), Policy: "P"}) // names have case
		refused(h, fault.NotFound, kind.noun, kind.get, ops.InlineIn{Holder: ref("nobody"), Policy: "p"})
		refused(h, fault.NotFound, kind.noun, kind.put, ops.PutInlineIn{Holder: ref("nobody"), Policy: "p", Document: allowS3})
		refused(h, fault.Invalid, "field", kind.put, ops.PutInlineIn{Holder: ref("x"), Policy: "a b", Document: allowS3})

		// All together may have so many characters, white space apart.
		left := kind.limit - len(in.Document)
		err := refused(h, fault.Limit, "inline policies", kind.put, ops.PutInlineIn{Holder: ref("x"), Policy: "q", Document: sized(left + 1)})
		if f := err.(*fault.Error); f.Name != fmt.Sprintf("%d bytes exceeded for %s x", kind.limit, kind.noun) {
			t.Errorf("says %q", f.Name)
		}
		for range 2 { // the one that is replaced does not count
			do(h, kind.put, ops.PutInlineIn{Holder: ref("x"), Policy: "q", Document: sized(left)})
		}
		do(h, kind.remove, ops.InlineIn{Holder: ref("x"), Policy: "q"})
		do(h, kind.remove, named)
		refused(h, fault.NotFound, kind.noun+" policy", kind.get, named)
	}
}

func TestListInlinePolicies(t *testing.T) {
	h := newHouse(t)
	do(h, ops.CreateUser, ops.CreateUserIn{Name: "x"})
	for _, p := range []string{"b", "C", "a"} {
		do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("x"), Policy: p, Document: allowS3})
	}
	got := pages(t, func(cursor string) ([]string, string) {
		p := do(h, ops.ListUserPolicies, ops.HeldIn{Holder: ref("x"), Listing: ops.Listing{Limit: 2, Cursor: cursor}})
		return p.Items, string(p.Next)
	}, func(s string) string { return s })
	if got != "C a|b" {
		t.Errorf("inline policies: %s", got)
	}
	refused(h, fault.Conflict, "inline policies", ops.DeleteUser, ops.UserIn{User: ref("x")})
}
