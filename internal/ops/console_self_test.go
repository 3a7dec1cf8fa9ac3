package ops_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/ops"
)

// Everybody sees what was done in its name, whatever policy says, and nothing of
// anybody else.
func TestListOwnActivity(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice") // may do nothing
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "no", Document: statement("Deny", "*", "*")})
	h.user("bob")
	for i := range 3 {
		h.Clock.Advance(time.Minute)
		if _, err := try(alice, ops.CreateUser, ops.CreateUserIn{Name: fmt.Sprintf("carol%d", i)}); !fault.Is(err, fault.Denied) {
			t.Fatal(err)
		}
		if _, err := try(alice, ops.ListUsers, ops.Listing{}); !fault.Is(err, fault.Denied) { // a read is no change
			t.Fatal(err)
		}
		do(h, ops.CreateGroup, ops.CreateGroupIn{Name: fmt.Sprintf("g%d", i)})
	}
	first := do(alice, ops.ListOwnActivity, ops.Listing{Limit: 2})
	if len(first.Items) != 2 || first.Next == "" {
		t.Fatalf("%+v", first)
	}
	rest := do(alice, ops.ListOwnActivity, ops.Listing{Limit: 2, Cursor: string(first.Next)})
	var told string
	for _, e := range append(first.Items, rest.Items...) {
		told += e.Operation + ":" + e.Target.Name + ":" + string(e.Result) + " "
	}
	if want := "CreateUser:carol2:refused CreateUser:carol1:refused CreateUser:carol0:refused "; told != want || rest.Next != "" {
		t.Errorf("%s; want %s", told, want)
	}
	if _, err := try(h, ops.ListOwnActivity, ops.Listing{Limit: 2, Cursor: string(first.Next)}); !fault.Is(err, fault.Invalid) {
		t.Errorf("P-3: somebody else's cursor: %v", err)
	}
	own := do(h, ops.ListOwnActivity, ops.Listing{})
	for _, e := range own.Items {
		if e.Actor.Name != "admin" {
			t.Errorf("the administrator sees %+v", e.Actor)
		}
	}
	h.Clock.Advance(91 * 24 * time.Hour)
	if late := do(alice, ops.ListOwnActivity, ops.Listing{}); len(late.Items) != 0 {
		t.Errorf("after 91 days there are %d", len(late.Items))
	}
}

// Somebody else may have had the name before: the id counts.
func TestOwnActivityIsOfThePerson(t *testing.T) {
	h := newHouse(t)
	first := h.user("alice")
	if _, err := try(first, ops.CreateUser, ops.CreateUserIn{Name: "x"}); !fault.Is(err, fault.Denied) {
		t.Fatal(err)
	}
	do(h, ops.RemoveUser, ops.UserIn{User: ref("alice")})
	if got := do(h.user("alice"), ops.ListOwnActivity, ops.Listing{}); len(got.Items) != 0 {
		t.Errorf("the second alice sees what the first did: %+v", got.Items)
	}
}

// The frame's alias and count need no permission, and leave no event.
func TestSurroundings(t *testing.T) {
	h := newHouse(t)
	alice := h.user("alice")
	ask := func() ops.Surroundings {
		t.Helper()
		around, err := h.Surroundings(context.Background(), &alice.caller)
		if err != nil {
			t.Fatal(err)
		}
		return around
	}
	before := ask()
	if before.Alias != "acme" {
		t.Errorf("%+v", before)
	}
	do(h, ops.DeleteAccountAlias, ops.AliasIn{Alias: "acme"})
	do(h, ops.CreateAccessKey, ops.UserIn{User: ref("alice")})
	if now := ask(); now.Alias != "" || now.Unseen != before.Unseen+1 {
		t.Errorf("%+v, before %+v", now, before)
	}
	events := do(h, ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Actor: "alice"}})
	if len(events.Items) != 0 {
		t.Errorf("it left %d events", len(events.Items))
	}
}
